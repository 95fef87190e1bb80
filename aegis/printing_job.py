"""The job of every ten minutes: the dashboard of each account, straight from the broker, printed and published."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from django.conf import settings
from django.utils import timezone

from kis.accounts import Account
from kis.client.errors import KisError
from kis.connect import Connection
from kis.data_fetch import SOMEBODY_ELSE, Fetched, fetch_account
from kis.models import SyncRun
from kis.models.runs import PRINTING
from kis.runs import Owner, keep_alive, open_run, open_slot
from kis.slots import Window
from kis.sync.progress import Quiet
from kis.sync.run import Steps, end, ended_if_broken
from reports.direct import dashboard_from_broker
from reports.files import file_name
from reports.fonts import FontsUnavailable
from reports.publish import PublishFailed
from reports.publishing import About, publish_dashboard
from reports.shelf import Place


class NotPrinted(KisError):
    """The account was read, and the file could not be made; the text says why."""


def print_dashboards(
    accounts: Sequence[Account], *, window: Window, slot: datetime | None
) -> Iterator[Fetched]:
    """Yield what became of each account as soon as it is known; no trouble stops the others.

    A slot that somebody else has run or is running is left to them; without a slot the pages are printed now.
    """
    for account in accounts:
        yield fetch_account(account, partial(print_slot, account=account, window=window, slot=slot))


def print_slot(connection: Connection, *, account: Account, window: Window, slot: datetime | None) -> str:
    """Print one account for a slot, and say so. Raises KisError after the run has been marked failed."""
    now = connection.now()
    tick = window.slot_of(now) if slot is None or settings.AEGIS_DEMO else slot
    if slot is not None and (rest := window.reason_to_rest(tick, now=now)):
        return rest
    owner = Owner.of(PRINTING, connection.environment)
    run = open_run(owner, now=now) if slot is None else open_slot(owner, now=now, slot=tick)
    return print_run(run, connection, account) if run else SOMEBODY_ELSE


def print_run(run: SyncRun, connection: Connection, account: Account) -> str:
    """Do the work of a run that has been opened; the books stay as they are, but for its own row."""
    steps = Steps(Quiet(), alive=lambda: keep_alive(run, now=connection.now()))
    with ended_if_broken(run, connection, steps=steps):
        dashboard, asked = dashboard_from_broker(connection)
        place = Place.named(file_name(account))
        steps.add("ask_broker", "조회", f"{len(dashboard.holdings)}종목")
        try:
            sent = publish_dashboard(dashboard, place, about=About.of(asked), at=timezone.now(), apart=True)
        except (FontsUnavailable, PublishFailed) as error:
            raise NotPrinted(str(error)) from error
        steps.add("print", "PDF", place.file_name)
        if sent:
            steps.add("send", "보내기", sent.target, note="" if sent.arrived else sent.delivery.reason)
    trouble = "" if sent is None or sent.arrived else sent.told
    end(run, connection, status=SyncRun.Status.COMPLETE, steps=steps, error=trouble)
    differing = len(dashboard.reconciliation.differing)
    books = f"대사 차이 {differing}건" if differing else "대사 일치"
    told = f"{place.file_name}, {books}"
    if sent is None:
        return told
    return f"{told}, 보냄 {sent.told}" if sent.arrived else f"{told}. {sent.told}"
