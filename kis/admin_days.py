"""The days of the accounts in the admin, and the indices they are compared with, read-only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kis import korean
from kis.admin import BooksAdmin, account, mode
from kis.admin_base import ReadOnlyAdmin, figure, tone
from kis.admin_filters import AccountFilter, MarketFilter, ModeFilter
from kis.admin_sparklines import picture, put_totals
from kis.admin_totals import BY_MODE, Totals
from kis.models import IndexPrice, KisDailySummary, KisDepositLog, KisTradeProfit
from kis.models.days import DayRow


def shown(name: str, label: str, write: Callable[[Any], str], *, coloured: bool = False) -> Any:
    """Return a list column: a figure, or that it cannot be said, with the reason where the mouse rests."""

    def written(value: Any, *, mark: str = "") -> SafeString:
        return figure(write(value) + mark, tone(value) if coloured else "")

    @admin.display(description=label, ordering=name)
    def column(row: DayRow) -> SafeString:
        value = getattr(row, name)
        if value is None:
            return format_html('<span class="figure" title="{}">산출 불가</span>', row.reasons.get(name, ""))
        return written(value)

    column.write = written  # type: ignore[attr-defined]  # read by kis.admin_totals
    return column


def won(name: str, label: str) -> Any:
    return shown(name, label, korean.number)


def gain(name: str, label: str) -> Any:
    return shown(name, label, korean.signed, coloured=True)


def rate(name: str, label: str) -> Any:
    return shown(name, label, korean.percent, coloured=True)


def day_gain(name: str, label: str) -> Any:
    return shown(name, label, lambda value: korean.arrow(value) + korean.signed(value), coloured=True)


def day_rate(name: str, label: str) -> Any:
    return shown(name, label, lambda value: korean.arrow(value) + korean.percent(value), coloured=True)


@admin.display(description="계좌", ordering="account_no")
def owner(row: Any) -> str:
    return str(row.masked_no)


@admin.display(description="산출 불가")
def reasons(row: DayRow) -> SafeString:
    """List what cannot be said, in the words of the columns."""
    names = {field.name: str(field.verbose_name) for field in row._meta.concrete_fields}  # noqa: SLF001  # Django's own
    pairs = ((names.get(name, name), reason) for name, reason in row.reasons.items())
    return (
        format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", pairs))
        if row.reasons
        else figure("–")
    )


class DayAdmin(BooksAdmin):
    """Rows of days. A figure that cannot be said is neither 0 nor blank."""

    #: Columns shown otherwise than in the other books; a day without a close has no snapshot to ask for its account.
    instead: Mapping[Any, Any] = {account: owner, "reasons": reasons}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [self.instead.get(name, name) for name in super().get_readonly_fields(request, obj)]


@admin.register(KisDepositLog)
class KisDepositLogAdmin(DayAdmin):
    """Cash at the close of each day, and what moved it."""

    list_display = (
        "log_date",
        mode,
        owner,
        won("d0_cash", "D+0"),
        won("d1_cash", "D+1"),
        won("d2_cash", "D+2"),
        gain("change", "변동"),
        won("buy_amt", "매수"),
        won("sell_amt", "매도"),
        won("fee", "수수료"),
        won("tax", "세금"),
        gain("flow", "입출금"),
        "state",
    )
    list_filter = (ModeFilter, AccountFilter, "state", "log_date")
    date_hierarchy = "log_date"
    totals = Totals(("change", "buy_amt", "sell_amt", "fee", "tax", "flow"), BY_MODE)


@admin.register(KisDailySummary)
class KisDailySummaryAdmin(DayAdmin):
    """What an account was worth at the close of each day, and what it earned."""

    list_display = (
        "summary_date",
        mode,
        owner,
        picture("20일", "지난 20거래일의 총평가금액"),
        won("total_amt", "총평가금액"),
        gain("flow", "입출금"),
        day_gain("day_profit", "일 손익"),
        day_rate("day_return", "일 수익률"),
        rate("cumulative_return", "누적 수익률"),
        gain("unrealised_broker", "평가손익"),
        gain("realised_broker", "실현 (증권사)"),
        gain("realised_average", "실현 (이동평균)"),
        gain("realised_fifo", "실현 (선입선출)"),
        "state",
    )
    list_filter = (ModeFilter, AccountFilter, "state", "summary_date")
    date_hierarchy = "summary_date"
    totals = Totals(("flow", "day_profit", "realised_broker", "realised_average", "realised_fifo"), BY_MODE)

    def complete(self, rows: Sequence[KisDailySummary]) -> None:
        put_totals(rows, day=lambda row: row.summary_date, last="total_amt")


@admin.register(KisTradeProfit)
class KisTradeProfitAdmin(DayAdmin):
    """Profit of each stock traded on a day, by three counts."""

    list_display = (
        "trade_date",
        mode,
        owner,
        "stock_name",
        "stock_code",
        won("buy_amt", "매수"),
        won("sell_amt", "매도"),
        won("fee", "수수료"),
        won("tax", "세금"),
        gain("realised_broker", "실현 (증권사)"),
        gain("realised_average", "실현 (이동평균)"),
        gain("realised_fifo", "실현 (선입선출)"),
        "state",
    )
    list_filter = (ModeFilter, AccountFilter, MarketFilter, "state", "trade_date")
    search_fields = ("stock_code", "stock_name")
    date_hierarchy = "trade_date"
    totals = Totals(
        ("buy_amt", "sell_amt", "fee", "tax", "realised_broker", "realised_average", "realised_fifo"), BY_MODE
    )
    instead = {**DayAdmin.instead, "sales": "each_sale"}

    @admin.display(description="매도별 손익")
    def each_sale(self, row: KisTradeProfit) -> SafeString:
        """Show each sale with what it brought by our two counts."""
        lines = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    sale.get("at", sale["what"]),
                    sale.get("odno", ""),
                    figure(f"{korean.number(sale.get('quantity'))}주 {korean.number(sale.get('amount'))}원"),
                    gained("이동평균", sale["average"]),
                    gained("선입선출", sale["fifo"]),
                )
                for sale in row.sales
            ),
        )
        return format_html('<table class="chain">{}</table>', lines)


def gained(name: str, gain: dict[str, Any]) -> SafeString:
    if "reason" in gain:
        return format_html("{} 산출 불가: {}", name, gain["reason"])
    return figure(f"{name} {korean.signed(gain['profit'])}원", tone(gain["profit"]))


@admin.register(IndexPrice)
class IndexPriceAdmin(ReadOnlyAdmin):
    """Closes of the market indices."""

    list_display = ("trade_date", "index_code", "close")
    list_filter = ("index_code", "trade_date")
    date_hierarchy = "trade_date"
