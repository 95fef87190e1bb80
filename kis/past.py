"""The past of an account that was never looked at, written as the job of every evening would have left it.

Only a broker who remembers how everything stood on every evening can be asked for it: the simulator, for the demo.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from django.db import transaction

from kis.calendar import ONE_DAY, business_day_before, business_days, moment_on
from kis.client.auth import MemoryTokenStore, Token, key_id
from kis.client.codes import AccountNumber, Environment, Mode
from kis.client.endpoints.account import orders_between
from kis.client.session import Session
from kis.client.transport import Transport
from kis.connect import Connection
from kis.korean import SEOUL
from kis.models import (
    IndexPrice,
    KisAccount,
    KisDailySummary,
    KisExecution,
    KisHolding,
    SyncRun,
    TargetWeight,
)
from kis.portfolio.costs import CommissionPlan
from kis.reconciliation import check_books, check_fills
from kis.runs import Owner
from kis.sync.costs import commission_plan, estimate_costs, settle_costs
from kis.sync.day_books import load_books
from kis.sync.days import closable_days, told_columns, write_days
from kis.sync.fetch import Picture, fetch_balance
from kis.sync.index_prices import fetch_index_prices, level_of
from kis.sync.orders import save_order_details
from kis.sync.run import JOB
from kis.sync.save import account_row, holding_rows, save_executions
from kis.sync.stocks import sync_lists
from kis.sync.trade_profits import TradeProfits

#: A little more than the three months of the asset curve.
DAYS = 66
#: Of an ordinary day: when its closes are there.
EVENING = time(16, 0)
BATCH = 500
A_DAY_IN_THE_FAR_FUTURE = datetime(9000, 1, 1, tzinfo=SEOUL)


class RememberingBroker(Protocol):
    """A broker who can be asked what he would have answered at a moment of the past."""

    def now(self) -> datetime: ...

    def environment(self, mode: Mode) -> Environment: ...

    def transport_at(self, mode: Mode, moment: datetime) -> Transport: ...


class NoHurry:
    """The budget of calls that reach nobody's gateway."""

    seconds = 0.0

    def wait(self, *, order: bool = False) -> None:
        pass

    def refused(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Evening:
    """What the job of one evening has seen, and its run; nothing is saved yet."""

    picture: Picture
    run: SyncRun


def has_no_past(account: AccountNumber, *, is_paper: bool) -> bool:
    return not KisDailySummary.objects.of(account, is_paper=is_paper).exists()


def write_past(broker: RememberingBroker, mode: Mode, *, days: int = DAYS) -> int:
    """Write the evenings of so many business days before the first snapshot there is, or before today; return how many.

    Snapshots, orders, fills and their costs come from what the broker answers for each evening; the days are then closed
    by the same code as ever. All of it or nothing is written.
    """
    now = broker.now().astimezone(SEOUL)
    environment = broker.environment(mode)
    account, is_paper = environment.account, environment.is_paper
    known = KisAccount.objects.of(account, is_paper=is_paper).order_by("snapshot_at")
    first_known = known.values_list("snapshot_at", flat=True).first()
    until = min(first_known.astimezone(SEOUL).date() if first_known else now.date(), now.date())
    wanted = list(business_days(business_day_before(until, days=days), until - ONE_DAY))
    evenings = [evening_of(broker, mode, moment_on(on, EVENING)) for on in wanted]
    today = looking_from(broker, mode, now)
    sync_lists(environment, at=now)  # what a fill costs depends on what kind of stock it is
    with transaction.atomic():
        fetch_index_prices(today.session, since=business_day_before(wanted[0]), at=now)
        save_evenings(evenings, environment=environment)
        save_orders(broker, mode, wanted, plan=commission_plan(environment))
        close(today, wanted, at=now)
    return len(evenings)


def looking_from(broker: RememberingBroker, mode: Mode, moment: datetime) -> Connection:
    """Return a connection to the broker as he was at a moment."""
    environment = broker.environment(mode)
    tokens = MemoryTokenStore()
    tokens.tokens[key_id(environment)] = Token("none needed", A_DAY_IN_THE_FAR_FUTURE)
    transport = broker.transport_at(mode, moment)
    session = Session(environment, transport=transport, tokens=tokens, budget=NoHurry())
    return Connection(session, lambda: moment)


def evening_of(broker: RememberingBroker, mode: Mode, moment: datetime) -> Evening:
    """Look at the account on one evening, when nothing waits at the exchange any more."""
    connection = looking_from(broker, mode, moment)
    balance, cash = fetch_balance(connection.session)
    on = moment.date()
    orders = orders_between(connection.session, first=on, last=on, today=on)
    picture = Picture(moment, moment, balance, cash, (), orders, on)
    checks = [*check_books(balance), check_fills(balance, picture.todays_orders)]
    run = SyncRun(
        **Owner.of(JOB, connection.environment).columns,
        slot=moment,
        started_at=moment,
        finished_at=moment,
        status=SyncRun.Status.COMPLETE,
        requests=connection.session.requests,
        checks=[check.as_json() for check in checks],
        differences=sum(1 for check in checks if check.difference),
    )
    return Evening(picture, run)


def save_evenings(evenings: Sequence[Evening], *, environment: Environment) -> None:
    SyncRun.objects.bulk_create([evening.run for evening in evenings], batch_size=BATCH)
    accounts = [
        account_row(evening.picture, environment=environment, run=evening.run) for evening in evenings
    ]
    closes = {(row.index_code, row.trade_date): row.close for row in IndexPrice.objects.all()}
    for account in accounts:
        account.indices = levels_on(account.snapshot_at.date(), closes)
    KisAccount.objects.bulk_create(accounts, batch_size=BATCH)
    pairs = zip(accounts, evenings, strict=True)
    holdings = (holding_rows(account, evening.picture.balance.held) for account, evening in pairs)
    KisHolding.objects.bulk_create([row for rows in holdings for row in rows], batch_size=BATCH)


def levels_on(on: date, closes: Mapping[tuple[str, date], Decimal]) -> dict[str, dict[str, str]]:
    """Return where the indices stood on the evening of a day, as `KisAccount.indices` keeps it."""
    before = business_day_before(on)
    return {
        index.value: level_of(on, closes[index.value, on], closes[index.value, before])
        for index in IndexPrice.Index
        if {(index.value, on), (index.value, before)} <= closes.keys()
    }


def save_orders(broker: RememberingBroker, mode: Mode, days: Sequence[date], *, plan: CommissionPlan) -> None:
    """Write orders and fills of these days as the last of their evenings shows them."""
    at = moment_on(days[-1], EVENING)
    session = looking_from(broker, mode, at).session
    account, is_paper = session.environment.account, session.environment.is_paper
    orders = orders_between(session, first=days[0], last=days[-1], today=days[-1])
    save_executions(orders, first=days[0], account=account, is_paper=is_paper)
    estimate_costs(account, is_paper=is_paper, plan=plan)
    waiting = None if is_paper else frozenset[tuple[str, str]]()
    save_order_details(orders, account=account, is_paper=is_paper, at=at, waiting=waiting)


def close(connection: Connection, days: Iterable[date], *, at: datetime) -> None:
    """Settle the costs of all fills and close all days, with what the broker says of their profit today."""
    account, is_paper = connection.environment.account, connection.environment.is_paper
    profits = TradeProfits(connection)
    fills = KisExecution.objects.of(account, is_paper=is_paper).filter(exec_dt__in=list(days))
    traded = list(fills.order_by("exec_dt").values_list("exec_dt", flat=True).distinct())
    for on in traded:
        settle_costs(connection, on, profits=profits)
    answers: dict[date, Mapping[str, Any]] = (
        {} if is_paper else {on: told_columns(profits.of(on)) for on in traded}
    )
    books = load_books(account, is_paper=is_paper)
    write_days(books, {}, closable_days(books, at=at), at=at, answers=answers)


def save_targets(account: AccountNumber, *, is_paper: bool, percents: Mapping[str, int]) -> None:
    """Write the targets of an account that has none, those of stocks it holds and of cash."""
    mine = TargetWeight.objects.of(account, is_paper=is_paper)
    newest = KisAccount.objects.of(account, is_paper=is_paper).newest_first().first()
    if newest is None or mine.exists():
        return
    held = {*newest.holdings.values_list("stock_code", flat=True), TargetWeight.CASH}
    TargetWeight.objects.bulk_create(
        TargetWeight(
            account_no=account.number,
            product_code=account.product_code,
            is_paper=is_paper,
            stock_code=code,
            percent=Decimal(percent),
        )
        for code, percent in percents.items()
        if code in held
    )
