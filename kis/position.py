"""What an account looked like at one moment: rows of the books, always read in the same number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from kis.calendar import latest_business_day
from kis.korean import SEOUL
from kis.models import (
    KisAccount,
    KisDailySummary,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    Stock,
    TargetWeight,
)

# Closes that a drawdown, a curve of three months and its index can be read from, around the long holidays.
HISTORY: Final = timedelta(days=130)


@dataclass(frozen=True, slots=True)
class Position:
    """A snapshot with what the books say about its account. Straight from the broker, `account` and rows are unsaved.

    Its day is the market's: on a closed day, the last one that was open, as the broker's balance is of that one.

    `holdings` run from the largest value, `unfilled` from the oldest, `executions` from the newest of that day, and
    `summaries` are closes before that day, oldest first. `targets` are percent by stock code; `TargetWeight.CASH` is cash.
    """

    account: KisAccount
    holdings: Sequence[KisHolding]
    unfilled: Sequence[KisUnfilledOrder]
    executions: Sequence[KisExecution]
    summaries: Sequence[KisDailySummary]
    stocks: Mapping[str, Stock]
    targets: Mapping[str, Decimal]


def position_of(
    account: KisAccount,
    *,
    holdings: Sequence[KisHolding] | None = None,
    unfilled: Sequence[KisUnfilledOrder] | None = None,
    executions: Sequence[KisExecution] | None = None,
) -> Position:
    """Return the position of a snapshot. Rows that the broker has just given are used instead of those in the books."""
    held = sorted(
        account.holdings.all() if holdings is None else holdings,
        key=lambda row: (-row.evlu_amt, row.stock_code),
    )
    waiting = sorted(
        account.unfilled_orders.all() if unfilled is None else unfilled,
        key=lambda row: (row.ord_tmd, row.odno),
    )
    traded = sorted(
        executions_of(account) if executions is None else executions,
        key=lambda row: (row.exec_tmd, row.odno),
        reverse=True,
    )
    targets = {
        target.stock_code: target.percent
        for target in TargetWeight.objects.of(account.account, is_paper=account.is_paper)
    }
    codes = {row.stock_code for row in held} | targets.keys()
    codes.update(row.stock_code for row in waiting)
    codes.update(row.stock_code for row in traded)
    return Position(
        account=account,
        holdings=held,
        unfilled=waiting,
        executions=traded,
        summaries=summaries_of(account),
        stocks={stock.code: stock for stock in Stock.objects.filter(code__in=codes)},
        targets=targets,
    )


def market_day(at: datetime) -> date:
    """Return the day a moment belongs to at the exchange: its own, or the last one that was open."""
    return latest_business_day(at.astimezone(SEOUL).date())


def executions_of(account: KisAccount) -> Sequence[KisExecution]:
    """Return fills of the day, without orders younger than the snapshot: an old page must not know the future."""
    local, day = account.snapshot_at.astimezone(SEOUL), market_day(account.snapshot_at)
    fills = KisExecution.objects.of(account.account, is_paper=account.is_paper).filter(exec_dt=day)
    return list(fills.filter(exec_tmd__lte=local.time()) if day == local.date() else fills)


def summaries_of(account: KisAccount) -> Sequence[KisDailySummary]:
    today = market_day(account.snapshot_at)
    days = KisDailySummary.objects.of(account.account, is_paper=account.is_paper)
    return list(
        days.filter(summary_date__lt=today, summary_date__gte=today - HISTORY).order_by("summary_date")
    )
