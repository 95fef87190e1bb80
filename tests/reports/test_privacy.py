"""What of an account is left when its amounts are nobody else's business."""

import dataclasses
import re
import typing
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from kis.advice import Advice, Finding, Point, Severity
from kis.reconciliation import Check
from reports.amounts import names_amounts
from reports.figures import Dashboard, HoldingFigures
from reports.figures.stock_charts import StockCharts
from reports.looks import Look, Privacy, outgoing
from reports.privacy import NAMES, PUBLIC, SHARES, Veil, shown

pytestmark = pytest.mark.django_db
#: Amounts in won; a new number of the figures needs a line here or in `reports.privacy`: whoever adds one decides.
WON = {
    *(
        "AccountFigures.total",
        "AccountFigures.stock_value",
        "AccountFigures.cash",
        "AccountFigures.day_change",
    ),
    *(
        "AccountFigures.previous",
        "AccountFigures.profit",
        "AccountFigures.cost",
        "AccountFigures.bought_today",
    ),
    *("AccountFigures.sold_today", "AccountFigures.fee_today", "AccountFigures.orderable"),
    *(
        "CashDay.amount",
        "Misu.shortage",
        "HoldingFigures.cost",
        "HoldingFigures.value",
        "HoldingFigures.profit",
    ),
    *("HoldingsTotal.value", "HoldingsTotal.cost", "HoldingsTotal.profit", "HoldingsTotal.gained"),
    *("HoldingsTotal.lost", "HoldingsTotal.top_value", "Reconciliation.our_total"),
    *("Today.before", "Today.now", "Today.profit", "Today.change", "Today.unexplained", "Cause.amount"),
    *("Moment.change", "Realised.today", "Realised.month", "Realised.month_costs", "RealisedDay.profit"),
    *(
        "Trend.flows",
        "TrendDay.value",
        "TrendDay.profit",
        "TrendDay.flow",
        "TrendDay.kospi",
        "TrendDay.kosdaq",
    ),
    *("Slice.value", "Fills.amount", "Fills.bought", "Fills.sold", "Fills.cost", "Fill.amount", "Fill.cost"),
    *("OpenOrders.buying", "OpenOrders.selling", "SectorLine.value", "SectorLine.cost", "SectorLine.profit"),
}
#: Treated as a whole: comparisons have units, charts show prices of the market.
WHOLE = {Check, StockCharts}


def kinds():
    """Return the types of all figures with their fields that hold whole numbers."""
    found: dict[Any, list[str]] = {}

    def walk(kind):
        for argument in typing.get_args(kind):
            walk(argument)
        if dataclasses.is_dataclass(kind) and kind not in found and kind not in WHOLE:
            hints = typing.get_type_hints(kind)
            found[kind] = [name for name, hint in hints.items() if int in {hint, *typing.get_args(hint)}]
            for field in dataclasses.fields(kind):
                walk(hints[field.name])

    walk(Dashboard)
    return found


def test_every_number_of_the_figures_has_been_thought_of():
    numbers = {f"{kind.__name__}.{name}" for kind, names in kinds().items() for name in names}
    assert numbers == WON | PUBLIC | SHARES
    assert not WON & (PUBLIC | SHARES)


def amounts_in(value, found):
    """Collect every number of a figure that is an amount or a number of shares."""
    if isinstance(value, StockCharts):
        return
    if isinstance(value, Check):
        found |= {value.ours, value.broker}
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            key, part = f"{type(value).__name__}.{field.name}", getattr(value, field.name)
            if key in WON | SHARES and isinstance(part, int):
                found.add(part)
            elif key in NAMES:
                found.add(int(part or 0))
            amounts_in(part, found)
    elif isinstance(value, tuple):
        for part in value:
            amounts_in(part, found)


@pytest.mark.parametrize("privacy", [Privacy.MASKED, Privacy.PERCENT])
def test_no_amount_is_left_in_the_figures(usual, privacy):
    true: set[int] = set()
    amounts_in(usual.dashboard, true)
    assert len(true) > 100
    left: set[int] = set()
    amounts_in(shown(usual.dashboard, privacy)[0], left)
    assert not {number for number in true & left if abs(number) > 1}


def test_proportions_stay(usual):
    true, (veiled, _) = usual.dashboard, shown(usual.dashboard, Privacy.MASKED)
    for row, hidden in zip(true.holdings, veiled.holdings, strict=True):
        part = Decimal(row.value) / true.account.total
        assert abs(part - Decimal(hidden.value) / veiled.account.total) < Decimal("0.0000001")
        assert (row.weight, row.profit_pct, row.price) == (hidden.weight, hidden.profit_pct, hidden.price)
        assert (hidden.quantity, hidden.sellable) == (0, 0)
    assert veiled.account_no == "계좌 가림"
    assert {row.number for row in veiled.open_orders.rows} == {""}


def test_full_look_changes_nothing(usual):
    assert shown(usual.dashboard, Privacy.FULL)[0] is usual.dashboard


def test_difference_of_one_won_is_still_a_difference():
    veil = Veil(10**13)
    hidden = veil.over(Check("평가 + D+2 현금", 10**13, 10**13 + 1, row="삼성전자 005930"))
    assert hidden.difference > 0
    assert hidden.row == ""
    shares = veil.over(Check("수량 변화 = 체결", 1_010, 1_013, unit="주", row="삼성전자 3주"))
    assert (shares.ours, shares.broker, shares.row) == (0, 1, "")
    assert veil.over(Check("비용", 5_000, 5_001, tolerance=1)).difference == 0


@pytest.mark.parametrize("total", [0, -1_000])
def test_account_without_anything_shows_nothing(usual, total):
    dashboard = replace(usual.dashboard, account=replace(usual.dashboard.account, total=total))
    veiled, amounts = shown(dashboard, Privacy.MASKED)
    assert veiled.account.cash == 0
    assert amounts.plain(veiled.account.cash) == "–"


@pytest.mark.parametrize(
    "text",
    [
        "미체결 매수 1,917,260원이 모두 체결되면",
        "예수금 1억 2,345만원",
        "약 1억 2천만",
        "5천만 원대",
        "삼성전자 30주를 더",
        "평가금액 48,957,778",
        "단가 57,200원",
        "3 만원",
    ],
)
def test_sentence_with_an_amount_is_known(text):
    assert names_amounts(text)


@pytest.mark.parametrize(
    "text",
    [
        "삼성전자 21.3%로 한도 20%를 넘습니다.",
        "원인은 반도체입니다.",
        "60거래일 수익률은 +8.42%로 KOSPI에 뒤집니다.",
        "D+2 현금 5.9%, 2주 동안 −3.20%p",
        "주문 4건이 5시간 14분째 기다립니다.",
    ],
)
def test_sentence_without_an_amount_may_be_shown(text):
    assert not names_amounts(text) or re.search(r"\d주", text)


def test_words_that_name_amounts_are_left_out(usual):
    def finding(subject, sentence):
        return Finding(
            "x", Severity.WARNING, "종목 편중", subject, "한도 20%", sentence, {"value": 48_957_778}
        )

    advice = Advice(
        findings=(
            finding("삼성전자 21.3%", "삼성전자가 21.3%입니다."),
            finding("미수 1,000원", "1,000원이 모자랍니다."),
        ),
        points=(Point("반도체가 33.0%입니다."), Point("1,917,260원이 빠집니다.", ("F1",))),
        unjudged={"코스트": "체결 12주의 비용을 모릅니다."},
        note="5만원 아래는 뺐습니다.",
        holdings={"005930": "평균단가 60,389원입니다.", "000660": "비중이 큽니다."},
    )
    left = shown(replace(usual.dashboard, advice=advice), Privacy.MASKED)[0].advice
    assert [finding.subject for finding in left.findings] == ["삼성전자 21.3%", "금액 가림"]
    assert [finding.severity for finding in left.findings] == [Severity.WARNING] * 2
    assert [point.text for point in left.points] == ["반도체가 33.0%입니다."]
    assert (left.unjudged, left.note, left.holdings) == ({"코스트": ""}, "", {"000660": "비중이 큽니다."})
    assert not any(finding.numbers for finding in left.findings)


# --- what leaves ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "setting", "there"),
    [
        ("full", "full", "full"),
        ("full", "masked", "masked"),
        ("masked", "full", "masked"),
        ("masked", "percent", "percent"),
        ("percent", "masked", "percent"),
    ],
)
def test_what_leaves_never_shows_more_than_is_allowed(settings, here, setting, there):
    settings.REPORT_PRIVACY, settings.REPORT_PDF_PASSWORD = setting, "secret"
    assert outgoing(Look(Privacy(here))) == Look(Privacy(there), "secret")


def test_type_of_a_figure_is_kept(usual):
    assert isinstance(shown(usual.dashboard, Privacy.MASKED)[0].holdings[0], HoldingFigures)
