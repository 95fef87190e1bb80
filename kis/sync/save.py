"""Write one fetched picture into the books, all of it or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from kis.client.codes import AccountNumber, Environment
from kis.client.records import HoldingRecord, OrderRecord, Side, UnfilledRecord
from kis.models import KisAccount, KisExecution, KisHolding, KisUnfilledOrder, SyncRun
from kis.models.books import Side as ModelSide
from kis.sync.fetch import Picture

BATCH = 500


@dataclass(frozen=True, slots=True)
class FillChanges:
    """What became of the fills: new rows, rows that grew, and orders whose total shrank (kept as they were)."""

    new: int
    grown: int
    shrunk: tuple[str, ...]


@transaction.atomic
def save_snapshot(
    picture: Picture, *, environment: Environment, run: SyncRun
) -> tuple[KisAccount, FillChanges]:
    """Write account, holdings, open orders and fills in one transaction."""
    account = save_account(picture, environment=environment, run=run)
    save_holdings(account, picture.balance.held)
    save_unfilled_orders(account, picture.unfilled)
    fills = save_executions(picture.orders, account=environment.account, is_paper=environment.is_paper)
    return account, fills


def save_account(picture: Picture, *, environment: Environment, run: SyncRun) -> KisAccount:
    totals = picture.balance.totals
    return KisAccount.objects.create(
        snapshot_at=free_moment(picture.fetched_at, environment=environment),
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
    taken = KisAccount.objects.of(environment.account.number, is_paper=environment.is_paper)
    while taken.filter(snapshot_at=at).exists():
        at += timedelta(microseconds=1)
    return at


def save_holdings(account: KisAccount, rows: Sequence[HoldingRecord]) -> None:
    KisHolding.objects.bulk_create(
        [
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
        ],
        batch_size=BATCH,
    )


def save_unfilled_orders(account: KisAccount, rows: Sequence[UnfilledRecord]) -> None:
    KisUnfilledOrder.objects.bulk_create(
        [
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
        ],
        batch_size=BATCH,
    )


def save_executions(orders: Sequence[OrderRecord], *, account: AccountNumber, is_paper: bool) -> FillChanges:
    """Add new fills and let known ones grow; the broker's totals are cumulative, so a second run changes nothing."""
    filled = [order for order in orders if order.filled]
    if not filled:
        return FillChanges(0, 0, ())
    known = {
        (row.exec_dt, row.ord_gno_brno, row.odno): row
        for row in KisExecution.objects.filter(
            account_no=account.number,
            is_paper=is_paper,
            exec_dt__gte=min(order.ordered_on for order in filled),
            exec_dt__lte=max(order.ordered_on for order in filled),
        ).only("exec_dt", "ord_gno_brno", "odno", "exec_qty")
    }
    new = [execution(order, account=account, is_paper=is_paper) for order in filled if order.key not in known]
    # Another process may have stored the same fill a moment ago; it then wins and the next run lets it grow.
    KisExecution.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    grown = 0
    shrunk = []
    for order in filled:
        row = known.get(order.key)
        if row is None or row.exec_qty == order.filled:
            continue
        if row.exec_qty > order.filled:
            shrunk.append(f"{order.name} {order.number}")
            continue
        grown += KisExecution.objects.filter(pk=row.pk, exec_qty__lt=order.filled).update(
            exec_qty=order.filled,
            exec_price=fill_price(order),
            exec_amt=order.filled_amount,
            raw_json=dict(order.raw),
        )
    return FillChanges(len(new), grown, tuple(shrunk))


def execution(order: OrderRecord, *, account: AccountNumber, is_paper: bool) -> KisExecution:
    return KisExecution(
        account_no=account.number,
        is_paper=is_paper,
        odno=order.number,
        ord_gno_brno=order.branch,
        stock_code=order.code,
        stock_name=order.name,
        exec_type=ModelSide.BUY if order.side is Side.BUY else ModelSide.SELL,
        exec_qty=order.filled,
        exec_price=fill_price(order),
        exec_amt=order.filled_amount,
        exec_dt=order.ordered_on,
        exec_tmd=order.ordered_at,
        exchange=order.exchange,
        raw_json=dict(order.raw),
    )


def fill_price(order: OrderRecord) -> int:
    """Won, rounded half up: the broker's average, or amount by quantity where it left the average blank."""
    average = order.average or Decimal(order.filled_amount) / order.filled
    return int(average.quantize(Decimal(1), ROUND_HALF_UP))
