"""Log lines: for people or for machines, with what they belong to, and without keys, tokens and account numbers."""

import logging
import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from pythonjsonlogger.json import JsonFormatter

from aegis.alerts.addresses import secrets_in
from kis import known_secrets, log_context
from kis.korean import SEOUL

BEARER = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]+")
JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
API_TOKEN = re.compile(r"aegis_[0-9a-f]{64}")
ACCOUNT = re.compile(r"(?<!\d)(\d{4})\d{4}-(\d{2})(?!\d)")
#: What a line may carry besides its text: where it belongs (`kis.log_context`), and what it tells of a request.
FIELDS: Final = (
    *("job", "slot", "run", "request_id"),
    *("method", "path", "status", "milliseconds", "size", "client"),
)


def mask(text: str) -> str:
    """Hide secrets of settings and database, tokens and account numbers in a text."""
    for account in settings.KIS_ACCOUNTS.values():
        for secret in (account["app_key"], account["app_secret"], account.get("hts_id", "")):
            if len(secret) >= known_secrets.SHORTEST:
                text = text.replace(secret, "****")
        number = account["account_no"].replace("-", "")
        if number:
            text = re.sub(
                rf"(?<!\d){re.escape(number[:8])}(?={re.escape(number[8:])}(?!\d)|(?!\d))",
                number[:4] + "****",
                text,
            )
    secrets = (
        *(settings.AEGIS_TRADING_PASSWORD, settings.GEMINI_API_KEY),
        *(settings.METRICS_TOKEN, settings.BACKUP_PASSPHRASE),
    )
    # Of the address of pings every part of the path may be the key.
    for secret in (*secrets, *urlsplit(settings.PING_URL.replace("{job}", "")).path.split("/")):
        if len(secret) >= known_secrets.SHORTEST:
            text = text.replace(secret, known_secrets.HIDDEN)
    if len(settings.REPORT_PDF_PASSWORD) >= known_secrets.SHORTEST:
        text = text.replace(settings.REPORT_PDF_PASSWORD, known_secrets.HIDDEN)
    for secret in secrets_in(settings.NOTIFY_URLS):
        text = text.replace(secret, known_secrets.HIDDEN)
    text = known_secrets.hide(text)
    text = BEARER.sub(r"\1****", text)
    text = API_TOKEN.sub("****", JWT.sub("****", text))
    return ACCOUNT.sub(r"\1****-\2", text)


class MaskSecrets(logging.Filter):
    """Mask the finished message, its arguments and a traceback; note what the line belongs to, masked as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            record.msg = mask(record.getMessage())
        except (
            TypeError,
            ValueError,
        ):  # arguments that do not fit; a log line must never stop what it tells of
            record.msg = mask(f"{record.msg} {record.args}")
        record.args = None
        if record.exc_info:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = mask(record.stack_info)
        of_request = {"request_id": getattr(getattr(record, "request", None), "request_id", None)}
        known = {**of_request, **log_context.fields(), **record.__dict__}
        record.fields = {
            name: mask(value) if isinstance(value, str) else value
            for name in FIELDS
            if isinstance(value := known.get(name), str | int)
        }
        return True


class Lines(logging.Formatter):
    """A line for people, with what it belongs to at its end."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        fields = getattr(record, "fields", {})
        text = super().formatMessage(record)
        return f"{text} [{' '.join(f'{name}={value}' for name, value in fields.items())}]" if fields else text


class JsonLines(JsonFormatter):
    """A line for machines: one JSON object, and in it only what is known to be harmless."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        at = datetime.fromtimestamp(record.created, UTC).astimezone(SEOUL)
        log_data |= {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.message,
            **getattr(record, "fields", {}),
        }
        for name in ("exc_info", "stack_info"):
            if message_dict.get(name):
                log_data[name] = message_dict[name]
