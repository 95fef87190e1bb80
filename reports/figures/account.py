"""The broker's own totals, and the cash by the day it settles."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kis.cash_ladder import cash_ladder
from kis.models import KisAccount
from kis.portfolio.cash import Misu
from reports.figures.shares import percent_of


@dataclass(frozen=True, slots=True)
class CashDay:
    """Cash on the day a settlement arrives."""

    label: str
    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """The broker's own totals of the account."""

    total: int
    stock_value: int
    cash: int
    day_change: int | None
    day_change_pct: Decimal | None
    previous: int | None
    profit: int
    profit_pct: Decimal | None
    cost: int
    bought_today: int
    sold_today: int
    fee_today: int
    cash_days: tuple[CashDay, ...]
    orderable: int | None
    misu: Misu


def account_figures(account: KisAccount) -> AccountFigures:
    ladder = cash_ladder(account)
    previous = account.previous_assets or None  # a new account has no day before
    change = account.net_assets - previous if previous is not None else None
    return AccountFigures(
        total=account.total_eval_amt,
        stock_value=account.stock_eval_amt,
        cash=account.available,
        day_change=change,
        day_change_pct=percent_of(change, previous) if previous is not None and change is not None else None,
        previous=previous,
        profit=account.total_profit_loss,
        profit_pct=percent_of(account.total_profit_loss, account.total_buy_amt),
        cost=account.total_buy_amt,
        bought_today=account.today_buy_amt,
        sold_today=account.today_sell_amt,
        fee_today=account.today_fee,
        cash_days=tuple(CashDay(label.split()[0], on, amount) for label, on, amount in ladder.steps),
        orderable=account.orderable_cash,
        misu=ladder.misu,
    )
