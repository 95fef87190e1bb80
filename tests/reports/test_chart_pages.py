"""Pages of charts as they are printed."""

from datetime import timedelta

import pytest

from kis.models import DailyPrice, MinPrice
from reports.chart_pages import ChartPage
from reports.layout import pages_of
from reports.palette import PRINT
from reports.paper import END, LEFT, WIDTH
from tests.factories import AT, Stock, fill, save_minutes, snapshot, stocks
from tests.reports.conftest import figures_of
from tests.reports.shapes import shapes_of
from tests.reports.sheets import overlapping, texts_of

pytestmark = pytest.mark.django_db
LONG = Stock(code="Q500001", name="신한 인버스 2X 코스닥 150 선물 ETN(H)", price=1_015_000, average=1_554_650)


def pages(held, *, at=AT, with_minutes=True):
    account = snapshot(held, at=at + timedelta(seconds=len(held)))
    if with_minutes:
        save_minutes(held, at=at)
    fill(len(held))
    return [page for page in pages_of(figures_of(account)) if isinstance(page, ChartPage)]


def found(page):
    return [run.text for label in page.sheet.labels for run in label.runs]


def layout(laid_out):
    """Return for each page the letters of its blocks and how many charts they have there."""
    return [" ".join(f"{part.block.letter}{len(part.rows)}" for part in page.parts) for page in laid_out]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, ["K1 M1"]),
        (8, ["K8 M8"]),
        (9, ["K9", "M9"]),  # neither is torn apart as long as it fits on a page
        (20, ["K20", "M20"]),
        (24, ["K24", "M24"]),
        (50, ["K24", "K24", "K2 M16", "M24", "M10"]),
    ],
)
def test_charts_follow_each_other_over_as_few_pages_as_they_need(count, expected):
    laid_out = pages(stocks(count))
    assert layout(laid_out) == expected
    for letter in "KM":
        codes = [
            row.code
            for page in laid_out
            for part in page.parts
            for row in part.rows
            if part.block.letter == letter
        ]
        assert len(set(codes)) == len(codes) == count
    first = laid_out[0].number
    assert [page.number for page in laid_out] == list(range(first, first + len(laid_out)))


def test_cells_are_large_as_long_as_all_fit_on_one_page():
    assert pages(stocks(20))[0].parts[0].cell_height > pages([LONG, *stocks(20)])[0].parts[0].cell_height


@pytest.mark.parametrize("count", [3, 24, 50])
def test_texts_keep_apart_and_everything_stays_on_the_page(count):
    for page in pages([LONG, *stocks(count - 1)]):
        assert overlapping(page.sheet) == []
        for text in texts_of(page.sheet):
            assert LEFT - 0.1 <= text.left <= text.right <= LEFT + WIDTH + 0.1
            assert text.middle < END
        for shape in shapes_of(page.sheet.svg(210, 297)):
            assert LEFT - 0.1 <= shape.left <= shape.right <= LEFT + WIDTH + 0.1
            assert 26 <= shape.top <= shape.bottom < END


def test_cell_names_its_stock_and_its_figures():
    candles, minutes = pages([Stock(), *stocks(8)])
    shown = found(candles)
    for text in ("삼성전자", "005930", "▼", "−1.89%", "57,200", "평균 60,389", "수익률", "−5.28%", "6/16"):
        assert text in shown
    assert {"9:00", "15:30", "57,200"} <= set(found(minutes))
    assert any(text.startswith("고 ") for text in found(minutes))


def test_legend_explains_the_signs():
    candles, minutes = pages(stocks(9))
    assert {"양봉", "음봉", "내 평균단가", "매수"} <= set(found(candles))
    assert any(text.startswith("세로 눈금") and text.endswith("종가 대비") for text in found(candles))
    assert "거래량 가중 평균" in found(minutes)


def test_own_trades_are_on_both_charts():
    (page,) = pages([Stock()])
    marks = [
        shape
        for shape in shapes_of(page.sheet.svg(210, 297))
        if len(shape.points) == 3 and shape.fill == PRINT.up
    ]
    assert len(marks) == 4  # one on each chart, and one in each legend


def test_stock_without_prices_says_so_in_its_cell():
    held = [Stock(), Stock(code="0000Z0", name="새 종목")]
    account = snapshot(held)
    save_minutes(held)
    DailyPrice.objects.filter(stock_code="0000Z0").delete()
    MinPrice.objects.filter(stock_code="0000Z0").delete()
    (page,) = [page for page in pages_of(figures_of(account)) if isinstance(page, ChartPage)]
    assert {"받아 둔 일봉이 없습니다", "오늘 분봉이 없습니다"} <= set(found(page))


def test_without_any_minute_the_candles_say_why_instead_of_an_empty_block():
    sunday = AT - timedelta(days=1)
    (page,) = pages([Stock()], at=sunday, with_minutes=False)
    assert layout([page]) == ["K1"]
    assert "휴장일이라 오늘 분봉이 없습니다. 다음 거래일은 6/16(월)입니다." in found(page)


def test_without_any_price_there_is_no_page_of_charts():
    account = snapshot([Stock()], with_closes=False)
    assert not [page for page in pages_of(figures_of(account)) if isinstance(page, ChartPage)]


def test_block_goes_on_with_its_title():
    first, second, third, *_ = pages(stocks(50))
    assert "이어서" not in found(first)
    assert "이어서" in found(second)
    assert [(part.is_first, part.is_last) for part in third.parts] == [(False, True), (True, False)]
    assert third.kind == "charts"
