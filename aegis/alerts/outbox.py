"""Put into the outbox what is to be told: each event once, with a row for every destination it goes to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from aegis.alerts.destinations import destinations
from aegis.alerts.kinds import URGENT, Kind
from aegis.alerts.models import Alert, AlertDelivery
from aegis.logs import mask
from kis.client.codes import AccountNumber

#: The values of NOTIFY_PRIVACY, each showing less than the one before.
PRIVACY: Final = ("full", "masked", "percent")
LONGEST_TITLE: Final = 100
LONGEST_TEXT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Whose:
    """The account that an alert is about, and how the owner calls it."""

    number: AccountNumber
    is_paper: bool
    label: str

    @property
    def key(self) -> str:
        return f"{self.number.number}-{self.number.product_code}-{'paper' if self.is_paper else 'real'}"

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "account_no": self.number.number,
            "product_code": self.number.product_code,
            "is_paper": self.is_paper,
        }


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell. `key` names the event among those of its kind, the same for everybody who sees it.

    `bare` is the text without won of the owner's, shares and order numbers, for NOTIFY_PRIVACY other than full, and `rates`
    without prices of the market either, for percent; None where the one before has none of them. `is_silent` is for what was there before anybody looked: it is noted, and told to nobody. `is_lasting` begins
    something that will be over some day.
    """

    kind: Kind
    key: str
    title: str
    text: str = ""
    bare: str | None = None
    rates: str | None = None
    bare_title: str | None = None
    rates_title: str | None = None
    whose: Whose | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    is_silent: bool = False
    is_lasting: bool = False
    is_urgent: bool | None = None

    @property
    def dedup_key(self) -> str:
        return f"{self.kind}:{self.key}"


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process look and write at a time. On SQLite our transactions never write at once."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {Alert._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")  # noqa: SLF001
        yield


def write(news: News, *, at: datetime) -> Alert | None:
    """Write one piece of news with its deliveries; None where it is there already. Inside of `one_at_a_time`."""
    if Alert.objects.filter(dedup_key=news.dedup_key).exists():
        return None
    is_urgent = news.kind in URGENT if news.is_urgent is None else news.is_urgent
    title, text = worded(news)
    alert = Alert.objects.create(
        kind=news.kind,
        dedup_key=news.dedup_key,
        is_urgent=is_urgent,
        title=title,
        text=text,
        detail=dict(news.detail),
        created_at=at,
        is_lasting=news.is_lasting,
        **(news.whose.columns if news.whose else {}),
    )
    if not news.is_silent and news.kind not in settings.NOTIFY_OFF:
        AlertDelivery.objects.bulk_create(
            AlertDelivery(
                alert=alert,
                destination=destination.key,
                service=destination.service,
                due_at=due(at, is_urgent=is_urgent),
            )
            for destination in destinations()
        )
    return alert


def worded(news: News) -> tuple[str, str]:
    """Return title and text as much as the owner lets out, the account masked or left out."""
    place = PRIVACY.index(settings.NOTIFY_PRIVACY) + 1
    titles = (news.title, news.bare_title, news.rates_title)[:place]
    texts = (news.text, news.bare, news.rates)[:place]
    title, text = ([found for found in given if found is not None][-1] for given in (titles, texts))
    if news.whose:
        account = f"{news.whose.label} {masked(news.whose)}" if place == 1 else news.whose.label
        title = f"{account} {title}"
    return mask(title)[:LONGEST_TITLE], mask(text)[:LONGEST_TEXT]


def masked(whose: Whose) -> str:
    return f"{whose.number.number[:4]}****-{whose.number.product_code}"


def due(at: datetime, *, is_urgent: bool) -> datetime:
    """Return when an alert may be sent: at once, or after the quiet hours."""
    quiet = settings.NOTIFY_QUIET
    return quiet.first_moment_after(at) if quiet and not is_urgent else at
