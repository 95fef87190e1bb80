"""The first page: its numbers, its places, and what nobody else is to see."""

import re
from dataclasses import replace
from datetime import timedelta

import pypdfium2
import pytest
from pypdfium2 import raw

from kis.advice import Advice, Finding, Point, Severity, Source
from kis.korean import heading_text, number, percent, signed
from kis.models import DailyPrice
from kis.portfolio.unknown import Unknown
from reports.amounts import Amounts
from reports.figures import Composition, Fills, OpenOrders, Realised, Today, Trend
from reports.overview.trend import points
from reports.pdf import render_html, render_pdf
from tests.factories import (
    AT,
    Stock,
    fill,
    index_closes,
    order,
    report_fills,
    snapshot,
    stocks,
    sync_run,
    weeks_of,
)
from tests.reports.conftest import Rendered, figures_of, pages_of

pytestmark = pytest.mark.django_db
POINTS = 72 / 25.4
FRIDAY = AT - timedelta(days=3) + timedelta(hours=2)
CASH = 10_000_000

ADVICE = Advice(
    findings=(
        Finding(
            rule="stock_concentration",
            severity=Severity.WARNING,
            title="종목 편중",
            subject="삼성전자 35.0%",
            limit="한도 20%",
            sentence="삼성전자는 총평가금액의 35.0%로 한도 20%를 넘습니다.",
            numbers={},
            stock_code="005930",
        ),
        Finding(
            rule="misu",
            severity=Severity.CAUTION,
            title="미수",
            subject="부족 4,874,192원",
            limit="0원",
            sentence="결제할 돈이 4,874,192원 모자랍니다.",
            numbers={},
        ),
    ),
    passed=("대사", "거래정지"),
    points=(
        Point("삼성전자 비중이 한도를 넘습니다.", ("F1", "C")),
        Point("결제할 돈이 4,874,192원 모자랍니다.", ("F2",)),
        Point("원칙을 다시 적어 보세요."),
    ),
    source=Source.MODEL,
    model="gemini-2.5-flash",
    written_at=AT,
    checked=7,
    dropped=1,
)


@pytest.fixture(scope="module")
def full(figures) -> Rendered:
    """Render a day with everything: weeks behind it, trades, orders, advice."""

    def save():
        before = [replace(stock, price=stock.price - 50) for stock in [*stocks(19), Stock(quantity=657)]]
        worth = sum(stock.price * stock.quantity for stock in before) + CASH
        weeks_of(
            [worth + 100_000 * (place % 5 - 4) for place in range(40)], until=AT.date(), flows={20: 3_000_000}
        )
        index_closes([2_700 + place for place in range(40)], until=AT.date())
        for stock in before:
            DailyPrice.objects.create(
                stock_code=stock.code,
                trade_date=FRIDAY.date(),
                open=stock.price,
                high=stock.price,
                low=stock.price,
                close=stock.price,
                volume=1,
            )
        snapshot(before, at=FRIDAY, cash=CASH, with_closes=False)
        # 52 bought and 39 sold at 57,100.
        held = [*stocks(19), Stock(quantity=670)]
        account = snapshot(
            held,
            run=sync_run(),
            cash=CASH - 13 * 57_100 - 12_337,
            today_fee=12_337,
            previous_assets=worth,
            indices={"0001": {"day": "2025-06-16", "level": "2946.66", "before": "2894.62"}},
            with_closes=False,
        )
        for place in range(7):
            fill(place, side="SELL" if place % 2 else "BUY")
        for place in range(4):
            order(account, place)
        return report_fills(account)

    dashboard = replace(figures(save), advice=ADVICE, next_update=AT + timedelta(minutes=10))
    return Rendered(dashboard, render_pdf(dashboard))


def squeezed(text):
    return re.sub(r"\s+", "", text)


def test_every_number_of_the_first_page_is_that_of_the_figures(full):
    d, text = full.dashboard, squeezed(full.pages[0])
    assert isinstance(d.today, Today)
    assert isinstance(d.trend, Trend)
    assert isinstance(d.composition, Composition)
    assert isinstance(d.fills, Fills)
    assert isinstance(d.open_orders, OpenOrders)
    assert isinstance(d.realised, Realised)
    account, today, trend = d.account, d.today, d.trend
    rates = [trend.rate_pct, trend.kospi_pct, trend.ahead_pct, trend.deepest_fall_pct]
    assert today.unexplained == 0
    assert not any(isinstance(rate, Unknown) for rate in rates)
    shown = [
        *(heading_text(account.total), number(account.total), signed(account.profit)),
        *(
            percent(account.profit_pct),
            signed(today.profit),
            percent(today.rate_pct),
            percent(today.kospi_pct),
        ),
        *(number(cash.amount) for cash in account.cash_days),
        *(number(account.orderable), number(d.realised.month_costs), signed(today.change)),
        *(signed(cause.amount) for cause in today.causes),
        *(points(rate) for rate in rates[:2]),
        points(trend.ahead_pct, unit="%p"),
        *(f"{part.weight}" for part in d.composition.slices),
        *(f"{part.weight}%" for part in d.composition.sectors if part.kind == "sector"),
        *(number(row.amount) for row in d.fills.rows),
        *(number(d.fills.amount), number(d.fills.bought), number(d.fills.sold)),
        *(percent(row.against_price_pct) for row in d.open_orders.rows),
        *(number(d.open_orders.buying), number(d.open_orders.selling), signed(trend.flows)),
    ]
    for written in shown:
        assert squeezed(written) in text


def test_causes_on_the_page_add_up_to_the_change(full):
    today = full.dashboard.today
    assert sum(cause.amount or 0 for cause in today.causes) == today.change


def test_findings_and_words_name_each_other(full):
    text = squeezed(full.pages[0])
    assert "경고1·주의1·통과2" in text
    assert "F1종목편중삼성전자35.0%한도20%" in text
    assert "삼성전자비중이한도를넘습니다.[F1C]" in text
    assert "숫자7개모두자료와일치·1문장뺌" in text
    assert "gemini-2.5-flash·14:20:00·" in text
    assert "투자권유가아닙니다" in text


def text_boxes(data, page=0):
    """Return the box of every text of a page in millimetres from its top left corner."""
    document = pypdfium2.PdfDocument(data)
    sheet = document[page]
    height = sheet.get_height()
    for item in sheet.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=8):
        left, bottom, right, top = item.get_bounds()
        if right > left and not item.level:  # those inside a chart are measured from its corner
            yield left / POINTS, (height - top) / POINTS, right / POINTS, (height - bottom) / POINTS
    document.close()


def test_nothing_leaves_the_margins(full):
    for left, top, right, bottom in text_boxes(full.data):
        assert left >= 11.9
        assert right <= 198.1
        assert top >= 5
        assert bottom <= 292


def test_columns_of_the_lower_blocks_never_meet(full):
    for left, top, right, _ in text_boxes(full.data):
        if 114 < top < 282:
            assert right <= 101.2 or left >= 108.8


@pytest.mark.parametrize("count", [0, 1, 8, 9, 300])
def test_first_page_is_one_page_whatever_happened(count):
    account = snapshot(stocks(20), with_closes=False)
    for place in range(count):
        fill(place)
        order(account, place)
    pages = pages_of(render_pdf(figures_of(account)))
    assert "AI 진단" in pages[0]
    assert "1 / " in pages[0]
    assert "AI 진단" not in "".join(pages[1:])


# --- masked ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def masked(full):
    amounts = Amounts(full.dashboard.account.total)
    return pages_of(render_pdf(full.dashboard, amounts))[0]


def test_masked_page_has_no_won_no_quantities_and_no_numbers_of_account_and_orders(full, masked):
    d = full.dashboard
    text = re.sub(r"#\d+", "", squeezed(masked))  # numbers of our own rows: snapshot and run
    secret = [
        *(d.account_no, number(d.account.total), number(d.account.profit), number(d.account.cost)),
        *(number(cash.amount) for cash in d.account.cash_days),
        *(number(abs(cause.amount)) for cause in d.today.causes if cause.amount),
        *(number(row.amount) for row in d.fills.rows),
        *(row.number for row in d.open_orders.rows),
        *(f"{row.remaining}/{row.quantity}" for row in d.open_orders.rows),
        *(number(d.fills.filled), number(d.fills.cost), number(d.realised.month_costs), "4,874,192"),
        *("만원", "12,337"),
    ]
    for written in secret:
        assert written.lstrip("−") not in text
    assert re.findall(r"\d원", masked) == []


def test_masked_page_says_the_same_in_parts_of_the_account(full, masked):
    d, text = full.dashboard, squeezed(masked)
    assert "계좌가림" in text
    assert "금액가림비율만보입니다" in text
    assert squeezed(percent(d.today.rate_pct)) in text
    assert squeezed(points(d.trend.rate_pct)) in text
    assert "전일총평가대비기여도" in text
    assert "총평가지수" in text
    assert "원칙을다시적어보세요." in text  # 원 is not always won
    assert "금액가림" in text.split("F2미수")[1]


# --- days that are not like others -----------------------------------------------------------------------------------------


def test_misu_warns_on_its_card():
    html = render_html(
        figures_of(snapshot([Stock()], cash=-3_000_000, deposit=-1_000_000, d1_cash=-2_000_000))
    )
    assert "미수 위험 3,000,000원" in html


def test_unexplained_won_take_their_row_amber_and_say_what_is_known():
    html = render_html(figures_of(snapshot([Stock()], with_closes=False)))
    assert re.search(r'class="warned"><td class="ink2">미설명</td>.*전일 종가 없음: 삼성전자', html)
    calm = snapshot([Stock()], at=AT + timedelta(seconds=1), previous_assets=48_957_778, with_closes=False)
    assert 'class="warned"' not in render_html(figures_of(calm)).split("오늘 변동 원인")[1].split("구성")[0]


def test_stale_page_withholds_the_words_of_the_model():
    dashboard = figures_of(snapshot([Stock()]), generated_at=AT + timedelta(minutes=47))
    text = pages_of(render_pdf(replace(dashboard, advice=ADVICE)))[0].replace("\n", " ")
    assert "47분 지나 새 진단을 싣지 않았습니다" in text
    assert "비중이 한도를" not in text
    assert "종목 편중" in text
    assert "보류" in text


def test_holiday_names_the_day_it_shows():
    html = render_html(figures_of(snapshot([Stock()], at=AT - timedelta(days=1))))
    for title in ("6/13(금) 변동 원인", "6/13(금) 체결", "6/13(금) 손익", "6/13(금) 실현손익"):
        assert title in html
    assert "오늘 변동" not in html


def test_fills_that_the_balance_has_not_seen_are_amber():
    account = snapshot([Stock()])
    fill(1)
    html = render_html(figures_of(account))
    assert '<span class="warn">체결 11주, 잔고 0주 · 삼성전자</span>' in html


def test_empty_account_says_what_to_type_next(empty):
    text = empty.text.replace("\n", " ")
    assert "다음 할 일" in text
    assert "manage.py 모의 매수 005930 삼성전자 1주" in text
    assert "변동 없음 · 보유 종목도 체결도 없습니다" in text
    assert "기록이 하루뿐입니다." in text


def test_paper_never_says_zero_where_the_broker_says_nothing(empty):
    assert "모의 미지원" in empty.text


def test_words_that_do_not_fit_are_counted():
    long = Point(" ".join(["말이 많은 진단입니다."] * 9), ("F1",))
    advice = replace(ADVICE, points=(long,) * 5)
    text = squeezed(pages_of(render_pdf(replace(figures_of(snapshot([Stock()])), advice=advice)))[0])
    shown = text.count("말이많은") // 9
    assert 2 <= shown <= 4
    assert f"외{5 - shown}건" in text
