"""Keep what `kis.client.drift` finds: collected while a session is open, saved when it ends."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from kis.client.codes import AccountNumber, Environment
from kis.client.drift import Finding, form_of, safe_name
from kis.client.wire_fields import FIELDS_BY_ID
from kis.models import WireFinding

logger = logging.getLogger(__name__)

#: A broker that makes up names without end fills neither memory nor table.
MOST_KEPT = 200
ROWS_KEPT = 3
LONGEST_TEXT = 200
LONGEST_RAW = 20_000
#: A value of a row of a section lies this deep; what is nested deeper is not the wire's way and is not kept.
DEEPEST = 3
#: Names of fields about a person: account, customer, telephone, address. Documented ones among them are no use to us.
PERSONAL = re.compile(
    r"(?i)cano|ac[cn]?t|acno|ctx_area|cust|user|hts_?id|tlno|phone|addr|e?mail|empno|owner|birth"
)
#: What an undocumented field may show of itself: short codes and numbers with decimals, no name and no amount.
HARMLESS = re.compile(r"[0-9A-Za-z]{0,6}|-?[0-9]{1,6}\.[0-9]{1,8}")


Key = tuple[str, str, str, str]


def key_of(finding: Finding) -> Key:
    return finding.tr, finding.section, finding.field, finding.kind.value


@dataclass(slots=True)
class Seen:
    """One finding as often as this session has met it, with the newest body."""

    finding: Finding
    times: int
    body: Mapping[str, Any]


class DriftLog:
    """The findings of one session. `observe` costs no database; `save` writes them once and never raises."""

    def __init__(self, environment: Environment, *, now: Callable[[], datetime] = timezone.now) -> None:
        self.account = environment.account
        self.is_paper = environment.is_paper
        self.now = now
        self.seen: dict[Key, Seen] = {}
        self.lock = Lock()

    def observe(self, findings: Sequence[Finding], body: Mapping[str, Any]) -> None:
        """Count findings; the observer of a session."""
        with self.lock:
            for finding in findings:
                known = self.seen.pop(key_of(finding), None)
                if len(self.seen) < MOST_KEPT:
                    self.seen[key_of(finding)] = Seen(finding, known.times + 1 if known else 1, body)

    def save(self) -> None:
        """Write what was collected, in a transaction of its own; trouble is a line in the log."""
        with self.lock:
            # In order, so that two processes never wait for each other's rows.
            collected, self.seen = [self.seen[key] for key in sorted(self.seen)], {}
        if not collected:
            return
        try:
            with transaction.atomic():
                for seen in collected:
                    self.keep(seen)
        except Exception as error:  # noqa: BLE001  # a remark about replies must not spoil what was done with them
            logger.warning(
                "%d findings about replies were not saved: %s", len(collected), type(error).__name__
            )

    def keep(self, seen: Seen) -> None:
        finding, now = seen.finding, self.now()
        row, _ = WireFinding.objects.get_or_create(
            is_paper=self.is_paper,
            tr=finding.tr,
            section=finding.section,
            field=finding.field,
            kind=finding.kind.value,
            defaults={"first_seen": now, "last_seen": now},
        )
        WireFinding.objects.filter(pk=row.pk).update(
            last_seen=max(now, row.first_seen),
            times=F("times") + seen.times,
            example=finding.example,
            raw_json=payload(seen.body, finding, account=self.account),
        )


def payload(body: Mapping[str, Any], finding: Finding, *, account: AccountNumber) -> dict[str, Any]:
    """Return a body fit to be kept: without account and person; of lists only a few rows from the finding's on."""
    cleaner = Cleaner(finding.tr, account)
    kept = {}
    for name, value in body.items():
        first = finding.row if name == finding.section else 0
        part = value[first : first + ROWS_KEPT] if isinstance(value, list) else value
        kept[safe_name(name)] = cleaner.clean(part, name)
    text = json.dumps(kept, ensure_ascii=False)
    return kept if len(text) <= LONGEST_RAW else {"cut": text[:LONGEST_RAW]}


class Cleaner:
    """Leaves out of a reply what it tells about a person; of undocumented text often only the form is left."""

    def __init__(self, tr_id: str, account: AccountNumber) -> None:
        fields = FIELDS_BY_ID[tr_id]
        self.documented = {name for part in (fields.envelope, *fields.sections) for name in part.forms}
        self.account = account

    def clean(self, value: object, name: str, *, depth: int = 0) -> object:
        if isinstance(value, dict) and depth < DEEPEST:
            return {safe_name(key): self.clean(part, key, depth=depth + 1) for key, part in value.items()}
        if isinstance(value, list) and depth < DEEPEST:
            return [self.clean(part, name, depth=depth + 1) for part in value]
        if isinstance(value, dict | list) or not self.may_show(str(value).strip(), name):
            return f"({form_of(value)})"
        return value[:LONGEST_TEXT] if isinstance(value, str) else value

    def may_show(self, text: str, name: str) -> bool:
        if PERSONAL.search(name) or self.account.number in text:
            return False
        return name in self.documented or HARMLESS.fullmatch(text) is not None
