"""Keep keys, tokens and account numbers out of the logs, whoever writes them."""

import logging
import re

from django.conf import settings

from aegis.alerts.addresses import secrets_in
from kis import known_secrets

BEARER = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]+")
JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
API_TOKEN = re.compile(r"aegis_[0-9a-f]{64}")
ACCOUNT = re.compile(r"(?<!\d)(\d{4})\d{4}-(\d{2})(?!\d)")


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
    for secret in (settings.AEGIS_TRADING_PASSWORD, settings.GEMINI_API_KEY, settings.BACKUP_PASSPHRASE):
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
    """Mask the finished message, its arguments and a traceback."""

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
        return True
