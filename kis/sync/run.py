"""One run of the sync for one account, from the first call to the finished row in `kis_sync_run`."""

import time
from datetime import date, datetime, timedelta

from kis.client.codes import TR
from kis.client.errors import KisError
from kis.connect import Connection
from kis.korean import SEOUL
from kis.models import KisAccount, SyncRun
from kis.reconciliation import Check, check_books
from kis.sync.fetch import Picture, fetch_balance, fetch_orders
from kis.sync.prices import fetch_prices
from kis.sync.progress import Listener, Quiet, Step
from kis.sync.save import save_snapshot

JOB = "sync_kis_data"
#: A run that has been "running" for longer died without saying so.
ABANDONED_AFTER = timedelta(minutes=15)
FIRST_LOOK_BACK = timedelta(days=7)
LONGEST_LOOK_BACK = timedelta(days=85)  # the inquiry answers for three months


def sync_account(connection: Connection, *, listener: Listener | None = None) -> SyncRun:
    """Copy one account into the books and return its run, complete.

    Everything is fetched and validated first, then written in one transaction; the last good snapshot stays untouched
    when anything is wrong. Prices come after the books and cannot spoil them: their problems are in `run.error`.
    Raises KisError after the run has been marked failed.
    """
    listener = listener or Quiet()
    run = start_run(connection)
    listener.started(run.pk)
    steps = Steps(listener)
    try:
        account, checks = copy_books(connection, run=run, steps=steps)
        problems = copy_prices(connection, account=account, steps=steps, listener=listener)
    except KisError as error:
        end_run(run, connection, status=SyncRun.Status.FAILED, steps=steps, error=str(error))
        raise
    except BaseException:
        end_run(
            run,
            connection,
            status=SyncRun.Status.FAILED,
            steps=steps,
            error="예상하지 못한 오류로 멈췄습니다.",
        )
        raise
    end_run(
        run, connection, status=SyncRun.Status.COMPLETE, steps=steps, checks=checks, error="\n".join(problems)
    )
    return run


class Steps:
    """Collects the finished steps of a run; one without its own time lasts from the end of the one before."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
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
        self.listener.finished(step)


def copy_books(connection: Connection, *, run: SyncRun, steps: Steps) -> tuple[KisAccount, list[Check]]:
    """Fetch, validate and save account, holdings, open orders and fills."""
    session, environment = connection.session, connection.environment
    at = connection.now().astimezone(SEOUL)
    balance, cash = fetch_balance(session)
    held = f"{len(balance.held)}종목"
    steps.add("fetch_balance", "잔고", held, tr_id=environment.tr_id(TR.BALANCE))
    lists = fetch_orders(session, first=look_back(connection, today=at.date()), at=at)
    orders_tr = environment.tr_id(TR.DAILY_ORDERS)
    unfilled_tr = orders_tr if environment.is_paper else environment.tr_id(TR.UNFILLED)
    waiting = f"{len(lists.unfilled)}건"
    steps.add("fetch_unfilled_orders", "미체결", waiting, tr_id=unfilled_tr, seconds=lists.unfilled_seconds)
    picture = Picture(at, balance, cash, lists.unfilled, lists.orders)
    account, fills = save_snapshot(picture, environment=environment, run=run)
    steps.add("save_holdings", "보유", held)
    news = [
        text
        for count, text in ((fills.new, f"새 {fills.new}건"), (fills.grown, f"늘어남 {fills.grown}건"))
        if count
    ]
    filled = f"{sum(1 for order in lists.orders if order.filled)}건"
    note = " · ".join(news)
    steps.add("fetch_executions", "체결", filled, tr_id=orders_tr, note=note, seconds=lists.orders_seconds)
    todays = [order for order in lists.orders if order.ordered_on == at.date()]
    checks = check_books(balance, todays)
    checks += [Check("줄어든 체결", 0, 1, unit="건", row=row) for row in fills.shrunk]
    return account, checks


def copy_prices(
    connection: Connection, *, account: KisAccount, steps: Steps, listener: Listener
) -> tuple[str, ...]:
    """Bring daily prices up to date for every stock held or waited for."""
    codes = {
        *account.holdings.values_list("stock_code", flat=True),
        *account.unfilled_orders.values_list("stock_code", flat=True),
    }
    result = fetch_prices(
        connection.session, codes, at=account.snapshot_at.astimezone(SEOUL), listener=listener
    )
    note = f"새 일봉 {result.bars:,}개" if result.bars else "모두 최신"
    if result.problems:
        note = f"실패 {len(result.problems)}건"
    steps.add(
        "fetch_prices",
        "일봉",
        f"{result.stocks}종목",
        tr_id=connection.environment.tr_id(TR.DAILY_CHART),
        note=note,
    )
    return result.problems


def look_back(connection: Connection, *, today: date) -> date:
    """Return the day to ask fills from: the last snapshot's, so that a pause of some days leaves no hole."""
    account = connection.environment.account
    last = (
        KisAccount.objects.of(account.number, is_paper=connection.environment.is_paper)
        .newest_first()
        .values_list("snapshot_at", flat=True)
        .first()
    )
    first = last.astimezone(SEOUL).date() if last else today - FIRST_LOOK_BACK
    return min(today, max(first, today - LONGEST_LOOK_BACK))


def start_run(connection: Connection) -> SyncRun:
    """Open the row of this run; runs of this account that died without a word are marked abandoned."""
    at: datetime = connection.now()
    account = connection.environment.account
    own = {"job": JOB, "account_no": account.number, "is_paper": connection.environment.is_paper}
    SyncRun.objects.filter(**own, status=SyncRun.Status.RUNNING, started_at__lt=at - ABANDONED_AFTER).update(
        status=SyncRun.Status.ABANDONED, finished_at=at, error="끝났다는 기록 없이 멈췄습니다."
    )
    return SyncRun.objects.create(**own, started_at=at)


def end_run(
    run: SyncRun,
    connection: Connection,
    *,
    status: SyncRun.Status,
    steps: Steps,
    checks: list[Check] | None = None,
    error: str = "",
) -> None:
    checks = checks or []
    run.status = status
    run.finished_at = max(connection.now(), run.started_at)
    run.requests = connection.session.requests
    run.rate_limited = connection.session.rate_limited
    run.steps = [step.as_json() for step in steps.done]
    run.checks = [check.as_json() for check in checks]
    run.differences = sum(1 for check in checks if check.difference)
    run.error = error
    run.save(
        update_fields=[
            "status",
            "finished_at",
            "requests",
            "rate_limited",
            "steps",
            "checks",
            "differences",
            "error",
        ]
    )
