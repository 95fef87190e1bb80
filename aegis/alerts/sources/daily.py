"""What is told once a day: urgent findings of the rules, and how the day went."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from typing import Any, Final

from aegis.alerts.kinds import Kind
from aegis.alerts.outbox import News, Whose
from aegis.alerts.view import View
from ai.models import Diagnosis
from kis.advice import AMOUNT, Severity
from kis.calendar import moment_on
from kis.korean import SEOUL, arrow, number, percent, short_day, signed
from kis.models import KisDailySummary, KisExecution, KisHolding
from kis.models.books import Side

#: The figures of the close are there then, even where the sync of the closing slot takes its time.
SUMMARY_FROM: Final = time(15, 40)
CLOSE: Final = time(15, 30)
MOVERS: Final = 3
MOST_FILLS: Final = 10
MAY_BE_KNOWN: Final = "백업에서 되살리기 전에 마감한 날이라 이미 알렸을 수 있습니다."


# --- findings -----------------------------------------------------------------------------------------------------------


def findings(view: View) -> Iterator[News]:
    """Yield the warnings that the rules had about today's snapshots."""
    if view.today is None:
        return
    for whose in view.in_use():
        mine = Diagnosis.objects.of(whose.number, is_paper=whose.is_paper).filter(focus="")
        last = (
            mine.defer("request_json", "raw_json", "points")
            .newest_first()
            .select_related("kis_account")
            .first()
        )
        if last and last.kis_account.snapshot_at.astimezone(SEOUL).date() == view.today:
            for stored in last.findings:
                if stored["severity"] == Severity.WARNING:
                    yield finding(stored, whose, day=f"{view.today:%Y%m%d}")


def finding(stored: Mapping[str, Any], whose: Whose, *, day: str) -> News:
    sentence = str(stored["sentence"])
    return News(
        Kind.FINDING,
        f"{whose.key}:{day}:{stored['rule']}:{stored.get('stock_code', '')}",
        f"점검 경고: {stored['title']}",
        sentence,
        bare="금액이 들어 있어 가렸습니다. 화면에서 확인해 주세요." if AMOUNT.search(sentence) else sentence,
        whose=whose,
    )


# --- how the day went -----------------------------------------------------------------------------------------------------


def summaries(view: View) -> Iterator[News]:
    """Yield the day of each account, once its close is in the books."""
    if view.market_at is None:
        return
    now = view.market_at.astimezone(SEOUL)
    if now < moment_on(now.date(), SUMMARY_FROM):
        return
    closed = KisDailySummary.objects.filter(
        summary_date=now.date(), kis_account__isnull=False, total_amt__isnull=False
    )
    for day in closed.select_related("kis_account").defer("raw_json", "kis_account__raw_json"):
        if day.kis_account and day.kis_account.snapshot_at >= moment_on(day.summary_date, CLOSE):
            yield summary(day, view)


def summary(day: KisDailySummary, view: View) -> News:
    account = day.kis_account
    assert account is not None  # noqa: S101  # only days with a close are summed up
    whose = view.whose(day.account_no, day.product_code, is_paper=day.is_paper)
    holdings = list(account.holdings.defer("raw_json").order_by("stock_code"))
    fills = list(
        KisExecution.objects.of(whose.number, is_paper=whose.is_paper)
        .filter(exec_dt=day.summary_date)
        .defer("raw_json")
        .order_by("exec_tmd", "pk")
    )
    waiting = account.unfilled_orders.count()
    rates = f"일 수익률 {percent(day.day_return)}, 누적 {percent(day.cumulative_return)}"
    movers = movers_of(holdings)
    counts = f"체결 {len(fills)}건, 미체결 {waiting}건, 보유 {len(holdings)}종목"
    estimated = "" if day.is_final else " (추정)"
    lines = [
        f"총평가 {number(day.total_amt)}원, 주식 {number(day.stock_amt)}원, D+2 예수금 {number(day.cash_amt)}원",
        f"일 손익 {signed(day.day_profit)}원, {rates}",
        f"실현손익 {signed(day.realised_broker)}원, 수수료 {number(day.fee)}원, 세금 {number(day.tax)}원{estimated}",
        f"매수 {number(day.buy_amt)}원, 매도 {number(day.sell_amt)}원, {counts}",
        *fill_lines(fills),
        *movers,
    ]
    known = [MAY_BE_KNOWN] if view.is_of_before_restoring(moment_on(day.summary_date, SUMMARY_FROM)) else []
    return News(
        Kind.SUMMARY,
        f"{whose.key}:{day.summary_date:%Y%m%d}",
        f"{short_day(day.summary_date)} 하루 요약 {percent(day.day_return)}",
        "\n".join([*lines, *known]),
        bare="\n".join([rates, counts, *movers, *known]),
        whose=whose,
    )


def fill_lines(fills: Sequence[KisExecution]) -> list[str]:
    lines = [
        f"· {Side(row.exec_type).label} {row.stock_name} {number(row.exec_qty)}주 × {number(row.exec_price)}원"
        for row in fills[:MOST_FILLS]
    ]
    return [*lines, f"· … 외 {len(fills) - MOST_FILLS}건"] if len(fills) > MOST_FILLS else lines


def movers_of(holdings: Sequence[KisHolding]) -> list[str]:
    """Return a line of what rose most, and one of what fell most."""
    ordered = sorted(holdings, key=lambda row: (-row.fllt_rt, row.stock_code))
    rose = [row for row in ordered if row.fllt_rt > 0][:MOVERS]
    fell = [row for row in reversed(ordered) if row.fllt_rt < 0][:MOVERS]
    return [
        f"{word} " + ", ".join(f"{row.stock_name} {arrow(row.fllt_rt)}{percent(row.fllt_rt)}" for row in rows)
        for word, rows in (("상승", rose), ("하락", fell))
        if rows
    ]
