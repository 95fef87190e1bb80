"""Write one fetched picture into the books, all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from kis.client.codes import AccountNumber, Environment
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Row
from kis.client.records.balance import HoldingRecord
from kis.client.records.orders import OrderRecord, Side, UnfilledRecord
from kis.korean import short_day
from kis.models import KisAccount, KisExecution, KisHolding, KisUnfilledOrder, SyncRun
from kis.models.books import Side as ModelSide
from kis.portfolio.costs import CommissionPlan
from kis.reconciliation import Check, suspects
from kis.runs import RunTakenOver, keep_alive
from kis.sync.checks import check_shares, check_trades, put_checks
from kis.sync.costs import estimate_costs
from kis.sync.fetch import Picture
from kis.sync.orders import OrderChanges, save_order_details, waiting_keys

BATCH = 500
#: Of fills of long ago that are odd, so many are named.
MOST_NAMED = 20
#: Costs are of the whole order: what a further fill changes is estimated anew.
NO_COSTS: dict[str, Any] = {
    "commission": None,
    "tax": None,
    "cost_source": KisExecution.CostSource.UNKNOWN,
    "cost_basis": "",
}
#: What is brought in line with the broker where it differs.
FOLLOWED = ("stock_code", "exec_type", "exec_qty", "exec_price", "exec_amt")
FILL_KEY = ("account_no", "is_paper", "product_code", "exec_dt", "ord_gno_brno", "odno")


@dataclass(frozen=True, slots=True)
class FillChanges:
    """What became of the fills: new rows, and rows the broker changed.

    Named are orders whose total shrank (kept as they were), rows that were not as the broker had sent them, and rows of
    these days that are not in the broker's list (kept: nothing is ever taken out of the books).
    """

    new: int
    changed: int
    shrunk: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot as it was written."""

    account: KisAccount
    fills: FillChanges
    orders: OrderChanges


@transaction.atomic
def save_snapshot(
    picture: Picture,
    *,
    environment: Environment,
    run: SyncRun,
    checks: Sequence[Check],
    plan: CommissionPlan,
) -> Saved:
    """Write account, holdings, open orders, fills with their costs, orders and the reconciliation in one transaction."""
    if not keep_alive(run, now=picture.complete_at):
        raise RunTakenOver
    account = save_account(picture, environment=environment, run=run)
    save_holdings(account, picture.balance.held)
    save_unfilled_orders(account, picture.unfilled)
    fills = save_executions(
        picture.orders,
        first=picture.orders_from,
        account=environment.account,
        is_paper=environment.is_paper,
    )
    estimate_costs(environment.account, is_paper=environment.is_paper, plan=plan)
    orders = save_order_details(
        picture.orders,
        account=environment.account,
        is_paper=environment.is_paper,
        at=picture.complete_at,
        waiting=waiting_keys(picture.unfilled, is_paper=environment.is_paper),
    )
    run.checks = []  # of somebody who died over this very slot
    put_checks(
        run,
        [
            *checks,
            *check_shares(account),
            *check_trades(picture, environment=environment, suspects=suspects(checks)),
            *(Check("줄어든 체결", 0, 1, unit="건", row=row) for row in fills.shrunk),
            *(Check("체결 기록", 0, 1, unit="건", row=row) for row in fills.odd),
            *(Check("증권사에 없는 체결", 1, 0, unit="건", row=row) for row in fills.unlisted),
            *(Check("주문 기록", 0, 1, unit="건", row=row) for row in orders.odd),
        ],
    )
    return Saved(account, fills, orders)


def save_account(picture: Picture, *, environment: Environment, run: SyncRun) -> KisAccount:
    account = account_row(picture, environment=environment, run=run)
    account.snapshot_at = free_moment(picture.fetched_at, environment=environment)
    account.save(force_insert=True)
    return account


def account_row(picture: Picture, *, environment: Environment, run: SyncRun) -> KisAccount:
    """Return a picture as a snapshot, unsaved."""
    totals = picture.balance.totals
    return KisAccount(
        snapshot_at=picture.fetched_at,
        account_no=environment.account.number,
        product_code=environment.account.product_code,
        is_paper=environment.is_paper,
        deposit=totals.d0_cash,
        available=totals.d2_cash,
        today_buy_amt=totals.bought_today,
        today_sell_amt=totals.sold_today,
        today_fee=totals.costs_today,
        stock_eval_amt=totals.stock_value,
        total_eval_amt=totals.total_value,
        total_profit_loss=totals.profit,
        total_buy_amt=totals.cost,
        d1_cash=totals.d1_cash,
        orderable_cash=picture.orderable_cash,
        net_assets=totals.net_assets,
        previous_assets=totals.previous_assets,
        sync_run=run,
        # Rows that are not held any more stay readable here.
        raw_json={
            "output2": dict(totals.raw),
            "sold_out": [dict(row.raw) for row in picture.balance.rows if not row.quantity],
        },
    )


def free_moment(at: datetime, *, environment: Environment) -> datetime:
    """Return `at`, or microseconds later where a snapshot of that very moment exists (a standing clock)."""
    taken = KisAccount.objects.of(environment.account, is_paper=environment.is_paper)
    while taken.filter(snapshot_at=at).exists():
        at += timedelta(microseconds=1)
    return at


def save_holdings(account: KisAccount, rows: Sequence[HoldingRecord]) -> None:
    KisHolding.objects.bulk_create(holding_rows(account, rows), batch_size=BATCH)


def holding_rows(account: KisAccount, rows: Sequence[HoldingRecord]) -> list[KisHolding]:
    """Return the stocks of a snapshot, unsaved."""
    return [
        KisHolding(
            kis_account=account,
            snapshot_at=account.snapshot_at,
            snapshot_date=account.snapshot_at.date(),
            is_paper=account.is_paper,
            stock_code=row.code,
            stock_name=row.name,
            holding_qty=row.quantity,
            ord_psbl_qty=row.sellable,
            pchs_avg_pric=float(row.average),
            pchs_amt=row.cost,
            prpr=row.price,
            evlu_amt=row.value,
            evlu_pfls_amt=row.profit,
            evlu_pfls_rt=float(row.profit_rate),
            fllt_rt=float(row.change_rate),
            today_buy_qty=row.bought_today,
            today_sell_qty=row.sold_today,
            raw_json=dict(row.raw),
        )
        for row in rows
    ]


def save_unfilled_orders(account: KisAccount, rows: Sequence[UnfilledRecord]) -> None:
    KisUnfilledOrder.objects.bulk_create(unfilled_rows(account, rows), batch_size=BATCH)


def unfilled_rows(account: KisAccount, rows: Sequence[UnfilledRecord]) -> list[KisUnfilledOrder]:
    """Return the open orders of a snapshot, unsaved."""
    return [
        KisUnfilledOrder(
            kis_account=account,
            account_no=account.account_no,
            snapshot_at=account.snapshot_at,
            snapshot_date=account.snapshot_at.date(),
            is_paper=account.is_paper,
            odno=row.number,
            ord_gno_brno=row.branch,
            stock_code=row.code,
            stock_name=row.name,
            sll_buy_dvsn_cd=row.side.value,
            ord_qty=row.quantity,
            ord_unpr=row.price,
            ord_tmd=row.ordered_at,
            psbl_qty=row.changeable,
            tot_ccll_qty=row.filled,
            exchange=row.exchange,
            raw_json=dict(row.raw),
        )
        for row in rows
    ]


def save_executions(
    orders: Sequence[OrderRecord], *, first: date, account: AccountNumber, is_paper: bool
) -> FillChanges:
    """Add new fills and follow the broker on known ones, whose totals only grow; a second run changes nothing.

    `orders` are all of the account's orders since `first`.
    """
    filled = {order.key: order for order in orders if order.filled}
    known = {
        (row.exec_dt, row.ord_gno_brno, row.odno): row
        for row in KisExecution.objects.of(account, is_paper=is_paper)
        .filter(exec_dt__gte=first)
        .order_by("pk")
        .only(*FILL_KEY, *FOLLOWED, "raw_json")
    }
    new = [
        execution(order, account=account, is_paper=is_paper)
        for key, order in filled.items()
        if key not in known
    ]
    # Another process may have stored the same fill a moment ago; its row then stays as it is. (Not `ignore_conflicts`:
    # on SQLite that would also swallow a fill that breaks a rule of the table.)
    KisExecution.objects.bulk_create(
        new, batch_size=BATCH, update_conflicts=True, unique_fields=list(FILL_KEY), update_fields=["odno"]
    )
    changed = 0
    shrunk, odd, unlisted = [], [], []
    for key, row in known.items():
        order, name = filled.get(key), f"{row.stock_name} {row.odno}"
        if order is None:
            unlisted.append(name)
            continue
        if followed(row) == followed(said := execution(order, account=account, is_paper=is_paper)):
            continue
        is_by_hand = is_odd(row)
        if row.exec_qty > order.filled and not is_by_hand:
            shrunk.append(name)
            continue
        if is_by_hand:
            odd.append(name)
        # Whoever has stored more of it meanwhile knows more.
        unchanged = Q(exec_qty__lte=order.filled) | Q(exec_qty=row.exec_qty)
        changed += KisExecution.objects.filter(unchanged, pk=row.pk).update(
            **followed(said), raw_json=said.raw_json, **NO_COSTS
        )
    odd += odd_before(first, account=account, is_paper=is_paper)
    return FillChanges(len(new), changed, tuple(shrunk), tuple(odd), tuple(unlisted))


def odd_before(first: date, *, account: AccountNumber, is_paper: bool) -> list[str]:
    """Name fills of before the days asked for that are not what the broker sent: nobody puts them right by themselves."""
    unlike = ~Q(sent_qty=Cast("exec_qty", CharField())) | ~Q(sent_amt=Cast("exec_amt", CharField()))
    rows = (
        KisExecution.objects.of(account, is_paper=is_paper)
        .filter(exec_dt__lt=first)
        .annotate(
            sent_qty=KeyTextTransform("tot_ccld_qty", "raw_json"),
            sent_amt=KeyTextTransform("tot_ccld_amt", "raw_json"),
        )
        .filter(unlike, sent_qty__isnull=False, sent_amt__isnull=False)
        .order_by("pk")[:MOST_NAMED]
    )
    return [f"{row.stock_name} {row.odno} ({short_day(row.exec_dt)})" for row in rows if is_odd(row)]


def followed(row: KisExecution) -> dict[str, Any]:
    """Return what the broker says of a fill, whose number and day never change."""
    return {name: getattr(row, name) for name in FOLLOWED}


def is_odd(row: KisExecution) -> bool:
    """Return whether a fill is not what the broker sent when it was stored: somebody changed it by hand."""
    try:
        sent = OrderRecord.from_row(Row(row.raw_json, tr_id=""))
    except KisReplyChanged:
        return False  # without the broker's row there is nothing to hold it against
    return followed(row) != followed(
        execution(sent, account=AccountNumber(row.account_no, row.product_code), is_paper=row.is_paper)
    )


def execution(order: OrderRecord, *, account: AccountNumber, is_paper: bool) -> KisExecution:
    return KisExecution(
        account_no=account.number,
        product_code=account.product_code,
        is_paper=is_paper,
        odno=order.number,
        ord_gno_brno=order.branch,
        stock_code=order.code,
        stock_name=order.name,
        exec_type=ModelSide.BUY if order.side is Side.BUY else ModelSide.SELL,
        exec_qty=order.filled,
        exec_price=order.fill_price,
        exec_amt=order.filled_amount,
        exec_dt=order.ordered_on,
        exec_tmd=order.ordered_at,
        exchange=order.exchange,
        raw_json=dict(order.raw),
    )
