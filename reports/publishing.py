"""Publish a report: put into its storage first, then sent to REPORT_SYNC_DIR, and every step on record."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction

from kis.client.codes import AccountNumber
from kis.models import KisAccount
from reports.encryption import PasswordRefused, encrypted
from reports.figures import Dashboard
from reports.fonts import FontsUnavailable
from reports.looks import Look, outgoing
from reports.models import PublishedReport
from reports.pdf import render_pdf
from reports.printing_apart import render_apart
from reports.privacy import shown
from reports.publish import PublishFailed
from reports.sending import SEND_SECONDS, Delivery, send
from reports.shelf import Place
from reports.targets import TargetRefused, target_of

logger = logging.getLogger(__name__)

Status = PublishedReport.Status
SECONDS_BETWEEN_NEWS: Final = 1.0
#: A row that has been on its way for longer has lost its sender.
PATIENCE: Final = timedelta(seconds=2 * SEND_SECONDS)
DIED: Final = "끝났다는 기록 없이 멈춤"
UNREADABLE: Final = "REPORT_SYNC_DIR"
#: Beside the file that stays: what is sent, where that shows less or has a password.
OUTGOING: Final = "outgoing"
LONGEST_PLACE, LONGEST_REASON = 500, 300


@dataclass(frozen=True, slots=True)
class About:
    """What a report shows; `snapshot` is None where its data came straight from the broker."""

    account: AccountNumber
    is_paper: bool
    as_of: datetime
    snapshot: int | None

    @classmethod
    def of(cls, account: KisAccount) -> "About":
        return cls(account.account, account.is_paper, account.snapshot_at, account.pk)

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "account_no": self.account.number,
            "product_code": self.account.product_code,
            "is_paper": self.is_paper,
            "as_of": self.as_of,
            "snapshot": self.snapshot,
        }


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of sending a file."""

    target: str
    delivery: Delivery

    @property
    def arrived(self) -> bool:
        return self.delivery.arrived

    @property
    def told(self) -> str:
        """Say it in one line for the owner."""
        if self.arrived:
            return f"{self.target} ({self.delivery.method}, {self.delivery.seconds:.1f}초)"
        return (
            f"{self.target}에 보내지 못했습니다. {self.delivery.reason}. PDF는 이 컴퓨터에 그대로 있습니다."
        )


def publish_dashboard(
    dashboard: Dashboard,
    place: Place,
    *,
    about: About,
    at: datetime,
    look: Look | None = None,
    to_send: bool = True,
    again: bool = False,
    apart: bool = False,
) -> Sent | None:
    """Print and write a dashboard, and send it where the settings say; None where it stays where it lies.

    What is sent may show less, and have a password, where the one that stays has none: it is then a file of its own.
    Raises FontsUnavailable and PublishFailed, where there is no file at all; one that cannot be sent is told in the result.
    `again` says that the file there is an earlier print of the same report: the report before that is what stays as the
    previous one. `apart` prints in a process of its own (see `reports.printing_apart`).
    """
    look = look or Look()
    record = write(printed(dashboard, look, apart=apart), place, look=look, about=about, at=at, again=again)
    if not (to_send and settings.REPORT_SYNC_DIR):
        return None
    try:
        leaving = outgoing(look)
        if leaving == look:
            return deliver(place, record)
        other = place.beside(OUTGOING)
        data = printed(dashboard, leaving, apart=apart)
        return deliver(other, write(data, other, look=leaving, about=about, at=at))
    except (PasswordRefused, FontsUnavailable, PublishFailed) as failure:
        return Sent(UNREADABLE, Delivery("", 0.0, str(failure).removesuffix(".")))


def printed(dashboard: Dashboard, look: Look, *, apart: bool) -> bytes:
    render = render_apart if apart else render_pdf
    data = render(*shown(dashboard, look.privacy))
    return encrypted(data, look.password) if look.password else data


def write(
    data: bytes, place: Place, *, look: Look, about: About, at: datetime, again: bool = False
) -> "Record":
    """Write a file, and its row."""
    place.write(data, keep_previous=not again)
    return Record.begin(place, data, look=look, about=about, at=at)


def deliver(place: Place, record: "Record") -> Sent:
    """Send a file from its storage, and keep a record of its way."""
    shown = UNREADABLE
    try:
        target = target_of(settings.REPORT_SYNC_DIR)
    except TargetRefused as refusal:
        delivery = Delivery("", 0.0, str(refusal).removesuffix("."))
    else:
        shown = target.shown[:LONGEST_PLACE]
        mount = record.sending(shown)
        try:
            with place.on_disk() as file:
                delivery = send(
                    file,
                    target,
                    mount=mount,
                    forbidden=[settings.REPORT_DIR, file.parent],
                    progress=record.progress,
                )
        except PublishFailed as failure:
            delivery = Delivery("", 0.0, str(failure).removesuffix("."), mount)
    record.end(shown, delivery)
    return Sent(shown, delivery)


class Record:
    """The row of one file. Where the database cannot be written to, that is in the log and the file goes its way."""

    def __init__(self, row: PublishedReport) -> None:
        self.row = row
        self.next_news_at = 0.0
        self.exists = written(row.save)

    @classmethod
    def begin(cls, place: Place, data: bytes, *, look: Look, about: About, at: datetime) -> "Record":
        """Write the row of a file that lies in its storage, and let go of rows that are too old."""
        oldest = at - timedelta(days=settings.KEEP_RUN_DAYS)
        written(PublishedReport.objects.filter(published_at__lt=oldest).delete)
        return cls(
            PublishedReport(
                published_at=at,
                file_name=place.file_name,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                **look.columns,
                **about.columns,
            )
        )

    def sending(self, target: str) -> str:
        """Write that the file is on its way; returns the mount that the last file has found there."""
        found: list[str] = []

        def look() -> None:
            before = PublishedReport.objects.sent_to(target).exclude(pk=self.row.pk)
            dead = before.filter(status=Status.SENDING, published_at__lt=self.row.published_at - PATIENCE)
            dead.order_by().update(status=Status.FAILED, reason=DIED)
            found.extend(before.exclude(mount="").values_list("mount", flat=True)[:1])

        written(look)
        self.write(status=Status.SENDING, target=target)
        return found[0] if found else ""

    def progress(self, sent_bytes: int) -> None:
        """Write how much has gone, now and then."""
        if monotonic() >= self.next_news_at:
            self.next_news_at = monotonic() + SECONDS_BETWEEN_NEWS
            self.write(sent_bytes=sent_bytes)

    def end(self, target: str, delivery: Delivery) -> None:
        self.write(
            status=Status.SENT if delivery.arrived else Status.FAILED,
            target=target,
            mount=delivery.mount[:LONGEST_PLACE],
            method=delivery.method,
            seconds=round(delivery.seconds, 2),
            reason=delivery.reason[:LONGEST_REASON],
            **({"sent_bytes": self.row.size} if delivery.arrived else {}),
        )

    def write(self, **columns: Any) -> None:  # noqa: ANN401  # columns of the model
        if self.exists:
            written(lambda: PublishedReport.objects.filter(pk=self.row.pk).update(**columns))


def written(step: Callable[[], object]) -> bool:
    """Do a step on the database; false where it could not be done."""
    try:
        with transaction.atomic():
            step()
    except (DatabaseError, InterfaceError):
        logger.warning("What became of a report could not be recorded", exc_info=True)
        return False
    return True
