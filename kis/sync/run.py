"""One run of the sync for one account, from the first call to the finished row in `kis_sync_run`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from kis.calendar import business_day_before
from kis.client.codes import TR, Environment
from kis.client.errors import KisError
from kis.connect import Connection
from kis.korean import SEOUL
from kis.log_context import lines_of_run
from kis.models import KisAccount, SyncRun
from kis.reconciliation import QUANTITIES, Check, check_books, check_fills, check_open_orders, named
from kis.runs import Owner, end_run, keep_alive, open_run, open_slot
from kis.sync.checks import check_shares, is_trading_day, put_checks, stocks_apart
from kis.sync.costs import commission_plan, settle_past_days
from kis.sync.evening import copy_days
from kis.sync.fetch import OrderLists, Picture, fetch_balance, fetch_orders
from kis.sync.market import copy_lists, copy_prices
from kis.sync.progress import Listener, Quiet, Step
from kis.sync.save import save_snapshot
from kis.sync.trade_profits import TradeProfits

JOB = "sync_kis_data"
FIRST_LOOK_BACK = timedelta(days=7)
LONGEST_LOOK_BACK = timedelta(days=85)  # the inquiry answers for three months


def sync_account(connection: Connection, *, listener: Listener | None = None) -> SyncRun:
    """Copy one account into the books and return its run, complete; see `carry_out`."""
    run = open_run(Owner.of(JOB, connection.environment), now=connection.now())
    return carry_out(run, connection, listener=listener)


def sync_slot(connection: Connection, *, slot: datetime, listener: Listener | None = None) -> SyncRun | None:
    """Copy one account for a slot of the timetable; None where somebody else has run it or is running it."""
    run = open_slot(Owner.of(JOB, connection.environment), now=connection.now(), slot=slot)
    return carry_out(run, connection, listener=listener) if run else None


def carry_out(run: SyncRun, connection: Connection, *, listener: Listener | None) -> SyncRun:
    """Do the work of a run that has been opened.

    Everything is fetched and validated first, then written in one transaction; the last good snapshot stays untouched
    when anything is wrong. Prices come after the books and cannot spoil them: their problems are in `run.error`.
    Raises KisError after the run has been marked failed.
    """
    listener = listener or Quiet()
    listener.started(run.pk)
    steps = Steps(listener, alive=lambda: keep_alive(run, now=connection.now()))
    with ended_if_broken(run, connection, steps=steps):
        notes = copy_lists(connection, steps=steps)
        account, warnings = copy_books(connection, run=run, steps=steps)
        profits = TradeProfits(connection)
        warnings += copy_costs(connection, account=account, profits=profits, run=run, steps=steps)
        apart = unexplained_stocks(account, run=run)
        problems = copy_prices(connection, account=account, suspects=apart, steps=steps, listener=listener)
        if apart:
            put_checks(run, check_shares(account))
        problems += copy_days(connection, profits=profits, steps=steps)
    told = "\n".join([*notes, *warnings, *problems])
    end(run, connection, status=SyncRun.Status.COMPLETE, steps=steps, error=told)
    return run


@contextmanager
def ended_if_broken(run: SyncRun, connection: Connection, *, steps: "Steps") -> Iterator[None]:
    """Mark a run failed where its work breaks off, whatever the reason is; its log lines say which run it was."""
    try:
        with lines_of_run(run):
            yield
    except KisError as error:
        end(run, connection, status=SyncRun.Status.FAILED, steps=steps, error=str(error))
        raise
    except BaseException:
        end(
            run,
            connection,
            status=SyncRun.Status.FAILED,
            steps=steps,
            error="예상하지 못한 오류로 멈췄습니다.",
        )
        raise


class Steps:
    """Collects the finished steps of a run; one without its own time lasts from the end of the one before."""

    def __init__(self, listener: Listener, *, alive: Callable[[], object] = bool) -> None:
        self.listener = listener
        self.alive = alive
        self.done: list[Step] = []
        self.lap_at = time.monotonic()

    def lap(self) -> float:
        """Return the seconds since the last lap."""
        now = time.monotonic()
        seconds, self.lap_at = now - self.lap_at, now
        return seconds

    def add(
        self,
        name: str,
        label: str,
        count: str,
        *,
        tr_id: str = "",
        note: str = "",
        seconds: float | None = None,
    ) -> None:
        lap = self.lap()
        step = Step(name, label, count, lap if seconds is None else seconds, tr_id, note)
        self.done.append(step)
        self.alive()
        self.listener.finished(step)


def copy_books(connection: Connection, *, run: SyncRun, steps: Steps) -> tuple[KisAccount, list[str]]:
    """Fetch, validate and save account, holdings, open orders and fills; returns what the owner should know."""
    environment = connection.environment
    plan = commission_plan(environment)
    at = connection.now().astimezone(SEOUL)
    first, warnings = look_back(connection, today=at.date())
    picture, lists = fetch_picture(connection, at=at, first=first, steps=steps)
    if picture.orderable_cash is None:
        warnings.append("주문가능금액을 받지 못해 비워 둡니다.")
    checks = reconcile(picture, lists)
    saved = save_snapshot(picture, environment=environment, run=run, checks=checks, plan=plan)
    steps.add("save_holdings", "보유", f"{len(picture.balance.held)}종목")
    add_executions(steps, lists, environment=environment, note=news(saved.fills.new, saved.fills.changed))
    ordered = f"{len(lists.orders)}건"
    steps.add("save_order_details", "주문", ordered, note=news(saved.orders.new, saved.orders.changed))
    return saved.account, warnings


def fetch_picture(
    connection: Connection, *, at: datetime, first: date, steps: Steps
) -> tuple[Picture, OrderLists]:
    """Ask for everything of one snapshot, with the orders since `first`; `at` is a moment before the first call."""
    session, environment = connection.session, connection.environment
    balance, cash = fetch_balance(session)
    held = f"{len(balance.held)}종목"
    steps.add("fetch_balance", "잔고", held, tr_id=environment.tr_id(TR.BALANCE))
    lists = fetch_orders(session, first=first, at=at)
    unfilled_tr = TR.DAILY_ORDERS if environment.is_paper else TR.UNFILLED
    waiting = f"{len(lists.unfilled)}건"
    steps.add(
        "fetch_unfilled_orders",
        "미체결",
        waiting,
        tr_id=environment.tr_id(unfilled_tr),
        seconds=lists.unfilled_seconds,
    )
    complete_at = connection.now().astimezone(SEOUL)
    return Picture(at, complete_at, balance, cash, lists.unfilled, lists.orders, first), lists


def add_executions(steps: Steps, lists: OrderLists, *, environment: Environment, note: str = "") -> None:
    """Note how many fills came with the orders; the inquiry was made before the last steps."""
    steps.add(
        "fetch_executions",
        "체결",
        f"{sum(1 for order in lists.orders if order.filled)}건",
        tr_id=environment.tr_id(TR.DAILY_ORDERS),
        note=note,
        seconds=lists.orders_seconds,
    )


def news(new: int, changed: int) -> str:
    told = ((new, f"새 {new}건"), (changed, f"바뀜 {changed}건"))
    return " · ".join(text for count, text in told if count)


def reconcile(picture: Picture, lists: OrderLists) -> list[Check]:
    """Return the comparisons that this picture allows."""
    at = picture.fetched_at
    checks = check_books(picture.balance)
    # On closed days and in the night the broker's "today" may be the last session's: nothing to compare with.
    if is_trading_day(at):
        checks.append(check_fills(picture.balance, picture.todays_orders))
    unknown, missing = lists.unknown, lists.missing(at=at)
    if unknown or missing:
        checks.append(check_open_orders(lists.unfilled, unknown=unknown, missing=missing))
    if unlike := lists.unlike:
        row = named((row.name, row.number) for row in unlike)
        checks.append(Check("미체결 수량", 0, len(unlike), unit="건", row=row))
    return checks


def copy_costs(
    connection: Connection, *, account: KisAccount, profits: TradeProfits, run: SyncRun, steps: Steps
) -> tuple[str, ...]:
    """Settle the costs of days that are over; the books keep their estimates where that fails."""
    today = account.snapshot_at.astimezone(SEOUL).date()
    settled = settle_past_days(connection, today=today, profits=profits)
    if settled.checks:
        put_checks(run, settled.checks)
    environment = connection.environment
    has_called = settled.tried and not environment.is_paper
    tr_id = environment.tr_id(TR.TRADE_PROFIT) if has_called else ""
    note = f"확정 {settled.fills}건" if settled.fills else ""
    if settled.problems:
        note = f"문제 {len(settled.problems)}건"
    steps.add("settle_costs", "비용", f"{settled.days}일", tr_id=tr_id, note=note)
    return settled.problems


def unexplained_stocks(account: KisAccount, *, run: SyncRun) -> list[str]:
    """Return the stocks whose shares do not agree. Their prices are to be read again: only these may show a split."""
    names = {check["name"] for check in run.checks if check["difference"]}
    return stocks_apart(account) if QUANTITIES in names else []


def look_back(connection: Connection, *, today: date) -> tuple[date, list[str]]:
    """Return the day to ask fills from, and a warning where the inquiry does not reach back far enough.

    It is the last snapshot's day, so that a pause leaves no hole, and at least the business day before today, since a
    broker whose day differs from ours (night, simulator) must still show the orders it calls open.
    """
    account = connection.environment.account
    snapshots = KisAccount.objects.of(account, is_paper=connection.environment.is_paper).newest_first()
    last = snapshots.values_list("snapshot_at", flat=True).first()
    first = last.astimezone(SEOUL).date() if last else today - FIRST_LOOK_BACK
    first = min(first, business_day_before(today))
    reach = today - LONGEST_LOOK_BACK
    if first >= reach:
        return first, []
    return reach, [
        f"{first}부터 {reach - timedelta(days=1)}까지의 체결은 조회 기간이 지나 가져오지 못했습니다."
    ]


def end(
    run: SyncRun, connection: Connection, *, status: SyncRun.Status, steps: Steps, error: str = ""
) -> None:
    end_run(
        run,
        now=connection.now(),
        status=status,
        requests=connection.session.requests,
        rate_limited=connection.session.rate_limited,
        steps=[step.as_json() for step in steps.done],
        error=error,
    )
