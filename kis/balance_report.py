"""What an account holds and has traded today, on the terminal, straight from the broker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from rich.console import Console

from kis.calendar import business_day_before, latest_business_day
from kis.client.records.balance import Balance, HoldingRecord
from kis.client.records.orders import OrderRecord, Side
from kis.commands import AccountCommand
from kis.connect import Connection, connect
from kis.korean import SEOUL, masked_account, number, percent, short_day, signed
from kis.portfolio.cash import Ladder, Misu, MisuLevel, misu
from kis.reconciliation import Check, DayTrades, check_cash, suspects
from kis.sync.checks import is_trading_day, ladder_of
from kis.sync.fetch import Picture, fetch_balance, fetch_orders
from kis.sync.run import reconcile
from kis.terminal import DIM, DOWN, INDENT, UP, WARN, change_style, fitted, headline, line, padded

#: Column heads of the holdings and of the fills, and the cells each takes; the first ones stand to the left.
HOLDINGS = (
    ("종목", 20),
    ("코드", 8),
    ("수량", 9),
    ("평균가", 12),
    ("현재가", 11),
    ("등락률", 9),
    ("평가금액", 15),
    ("평가손익", 14),
    ("수익률", 10),
)
FILLS = (
    ("종목", 20),
    ("코드", 8),
    ("구분", 6),
    ("주문", 10),
    ("수량", 9),
    ("단가", 12),
    ("금액", 15),
    ("주문번호", 12),
)
LEFT = 2


@dataclass(frozen=True, slots=True)
class View:
    """An account at one moment, as the broker tells it. `fills` are today's orders that traded, oldest first."""

    at: datetime
    balance: Balance
    orderable: int | None
    fills: tuple[OrderRecord, ...]
    ladder: Ladder
    checks: tuple[Check, ...]

    @property
    def misu(self) -> Misu:
        return misu(self.ladder, orderable=self.orderable)


def look(connection: Connection) -> View:
    """Ask the broker for balance, cash and the orders of two days; nothing is stored. Raises KisError."""
    at = connection.now().astimezone(SEOUL)
    balance, orderable = fetch_balance(connection.session)
    yesterday = business_day_before(at.date())
    lists = fetch_orders(connection.session, first=yesterday, at=at)
    complete_at = connection.now().astimezone(SEOUL)
    picture = Picture(at, complete_at, balance, orderable, lists.unfilled, lists.orders, yesterday)
    checks = reconcile(picture, lists)
    ladder = ladder_of(balance.totals, latest_business_day(at.date()))
    if is_trading_day(at):
        checks += check_cash(
            ladder,
            balance.totals,
            yesterday=traded(lists.orders, yesterday),
            today=traded(lists.orders, at.date()),
            suspects=suspects(checks),
        )
    fills = tuple(order for order in picture.todays_orders if order.filled)
    return View(at, balance, orderable, fills, ladder, tuple(checks))


def traded(orders: Sequence[OrderRecord], day: date) -> DayTrades:
    of_day = [order for order in orders if order.ordered_on == day]
    return DayTrades(
        bought=sum(order.filled_amount for order in of_day if order.side is Side.BUY),
        sold=sum(order.filled_amount for order in of_day if order.side is Side.SELL),
    )


# --- on the terminal ------------------------------------------------------------------------------------------------


def print_view(console: Console, view: View, connection: Connection, *, demo: bool) -> None:
    environment = connection.environment
    account = masked_account(environment.account.number, environment.account.product_code)
    headline(console, mode=environment.mode, demo=demo, words=[account, "잔고와 오늘 체결"], at=view.at)
    print_holdings(console, view.balance)
    print_fills(console, view)
    print_money(console, view)
    print_reconciliation(console, view.checks)


def print_heads(console: Console, heads: Sequence[tuple[str, int]]) -> None:
    line(console, INDENT, ("".join(cells([name for name, _ in heads], heads)), DIM))


def cells(texts: Sequence[str], heads: Sequence[tuple[str, int]]) -> list[str]:
    """Return the texts as wide as their columns."""
    return [
        padded(fitted(text, width - 1), width, right=place >= LEFT)
        for place, (text, (_, width)) in enumerate(zip(texts, heads, strict=True))
    ]


def print_holdings(console: Console, balance: Balance) -> None:
    held = sorted(balance.held, key=lambda row: (-row.value, row.code))
    line(console)
    if not held:
        line(console, INDENT, "보유 종목 없음")
        return
    print_heads(console, HOLDINGS)
    for row in held:
        line(console, INDENT, *holding_cells(row))
    totals = balance.totals
    rate = Decimal(totals.profit) * 100 / totals.cost if totals.cost else None
    *label, value, profit, percents = cells(
        [
            f"합계 {len(held)}종목",
            *[""] * 5,
            number(totals.stock_value),
            signed(totals.profit),
            percent(rate),
        ],
        HOLDINGS,
    )
    style = change_style(totals.profit)
    line(
        console,
        INDENT,
        ("".join(label), "bold"),
        (value, "bold"),
        (profit, f"bold {style}"),
        (percents, f"bold {style}"),
    )


def holding_cells(row: HoldingRecord) -> list[tuple[str, str]]:
    texts = cells(
        [
            row.name,
            row.code,
            number(row.quantity),
            f"{row.average:,.2f}",
            number(row.price),
            percent(row.change_rate),
            number(row.value),
            signed(row.profit),
            percent(row.profit_rate),
        ],
        HOLDINGS,
    )
    change, profit = change_style(float(row.change_rate)), change_style(row.profit)
    return list(zip(texts, ["", DIM, "", "", "", change, "", profit, profit], strict=True))


def print_fills(console: Console, view: View) -> None:
    line(console)
    if not view.fills:
        line(console, INDENT, "오늘 체결 없음")
        return
    print_heads(console, FILLS)
    for order in view.fills:
        is_buy = order.side is Side.BUY
        texts = cells(
            [
                order.name,
                order.code,
                "매수" if is_buy else "매도",
                f"{order.ordered_at:%H:%M:%S}",
                number(order.filled),
                number(order.fill_price),
                number(order.filled_amount),
                order.number,
            ],
            FILLS,
        )
        styles = ["", DIM, UP if is_buy else DOWN, DIM, "", "", "", DIM]
        line(console, INDENT, *zip(texts, styles, strict=True))
    day = traded(view.fills, view.at.date())
    bought, sold = number(day.bought), number(day.sold)
    line(console, INDENT, (f"합계 {len(view.fills)}건   매수 {bought}원   매도 {sold}원", "bold"))


def print_money(console: Console, view: View) -> None:
    totals, days = view.balance.totals, view.ladder.days
    rows = [
        ("총평가금액", number(totals.total_value), "bold"),
        ("평가손익", signed(totals.profit), change_style(totals.profit)),
        ("오늘 비용 (증권사 추정)", number(totals.costs_today), ""),
        (f"예수금 D+0  {short_day(days[0])}", number(view.ladder.d0), ""),
        (f"       D+1  {short_day(days[1])}", number(view.ladder.d1), ""),
        (f"       D+2  {short_day(days[2])}", number(view.ladder.d2), ""),
        ("주문가능 (미수 없이)", number(view.orderable), ""),
    ]
    line(console)
    for label, text, style in rows:
        line(console, INDENT, padded(label, 26), (padded(text, 16, right=True), style), "원")
    warning = view.misu
    if warning.level is MisuLevel.NONE:
        line(console, INDENT, padded("미수", 26), (warning.text, DIM))
    else:
        line(console, INDENT, (f"미수 {warning.level}  {warning.text}", f"bold {WARN}"))


def print_reconciliation(console: Console, checks: Sequence[Check]) -> None:
    """Print one line where everything agrees, otherwise each comparison that does not."""
    unlike = [check for check in checks if check.difference]
    line(console)
    if not unlike:
        line(console, INDENT, ("대사 일치", "bold"), (f"  {len(checks)}항목", DIM))
        return
    line(console, INDENT, (f"대사 차이 {len(unlike)}건", f"bold {WARN}"))
    for check in unlike:
        unit = check.unit
        line(
            console,
            INDENT,
            padded(check.name, 20),
            f"우리 {number(check.ours)}{unit}, 증권사 {number(check.broker)}{unit}  ",
            (f"차이 {signed(check.difference)}{unit}", WARN),
            f"{INDENT}{check.row}" if check.row else "",
        )


class BalanceCommand(AccountCommand):
    """`real_balance` and `kis_balance`: the same look at the account of either mode."""

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        account = self.account(options)
        console = Console(file=cast("Any", self.stdout))
        with connect(account.mode, account) as connection:
            view = look(connection)
            print_view(console, view, connection, demo=settings.AEGIS_DEMO)
