"""What the tests of the doctor share: an owner's settings, a case, and how a result must look."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from aegis.health.case import Case, Status
from kis.client.auth import MemoryTokenStore
from kis.client.session import Session
from kis.connect import Connection
from kis.korean import SEOUL
from kis.models import WireFinding
from tests.kis.scripted import environment

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=SEOUL)
OK, WARNING, PROBLEM, SKIPPED = Status.OK, Status.WARNING, Status.PROBLEM, Status.SKIPPED
APP_KEY, APP_SECRET = "PSkeyOfTheOwner".ljust(36, "k"), "SecretOfTheOwner".ljust(180, "s")
MINE = {
    "app_key": APP_KEY,
    "app_secret": APP_SECRET,
    "account_no": "87654321-01",
    "base_url": "https://openapi.koreainvestment.com:9443",
}


def case_at(url, *, mode="real", now=lambda: datetime.now(UTC)):
    """Return a case whose broker is anywhere; nothing is sent yet."""
    session = Session(environment(mode, base_url=url), transport=SimpleNamespace(), tokens=MemoryTokenStore())
    return Case(mode, Connection(session, now), now=now)


def assert_found(result, status, *words):
    """Everything but what is fine or skipped comes with a remedy."""
    assert result.status is status, result
    shown = f"{result.text} → {result.remedy}"
    assert all(word in shown for word in words), shown
    assert bool(result.remedy) is (status in {WARNING, PROBLEM})


def finding(case, field, *, days=0, **changes):
    return WireFinding.objects.create(
        **{
            "is_paper": False,
            "tr": "TTTC8434R",
            "section": "output1",
            "field": field,
            "kind": "unknown",
            "example": "숫자 7자리",
            "times": 3,
            "first_seen": case.now() - timedelta(days=days + 2),
            "last_seen": case.now() - timedelta(days=days),
            **changes,
        }
    )
