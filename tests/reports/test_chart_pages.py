"""Pages of charts as they are printed."""

from datetime import timedelta

import pytest

from kis.models import DailyPrice, MinPrice
from reports.chart_pages import CandlePage, MinutePage
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
    laid_out = pages_of(figures_of(account))
    return (
        [page for page in laid_out if isinstance(page, CandlePage)],
        [page for page in laid_out if isinstance(page, MinutePage)],
    )


def found(page):
    return [run.text for label in page.sheet.labels for run in label.runs]


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (20, [20]), (21, [21]), (24, [24]), (50, [24, 24, 2])]
)
def test_every_stock_has_a_chart_of_each_kind(count, sizes):
    for kind in pages(stocks(count)):
        assert [len(page.rows) for page in kind] == sizes
        assert len({row.code for page in kind for row in page.rows}) == count


def test_large_cells_as_long_as_they_fit_on_one_page():
    assert pages(stocks(20))[0][0].cell_height > pages([LONG, *stocks(20)])[0][0].cell_height


@pytest.mark.parametrize("count", [3, 24])
def test_texts_keep_apart_and_everything_stays_on_the_page(count):
    held = [LONG, *stocks(count - 1)]
    for kind in pages(held):
        for page in kind:
            assert overlapping(page.sheet) == []
            for text in texts_of(page.sheet):
                assert LEFT - 0.1 <= text.left <= text.right <= LEFT + WIDTH + 0.1
                assert text.middle < END
            for shape in shapes_of(page.sheet.svg(210, 297)):
                assert LEFT - 0.1 <= shape.left <= shape.right <= LEFT + WIDTH + 0.1
                assert 26 <= shape.top <= shape.bottom < END


def test_cell_names_its_stock_and_its_figures():
    (candles,), (minutes,) = pages([Stock()])
    shown = found(candles)
    for text in ("삼성전자", "005930", "▼", "−1.89%", "57,200", "평균 60,389", "수익률", "−5.28%"):
        assert text in shown
    assert "6/16" in shown
    assert {"9:00", "15:30", "57,200"} <= set(found(minutes))
    assert any(text.startswith("고 ") for text in found(minutes))


def test_legend_explains_the_signs():
    (candles,), (minutes,) = pages([Stock()])
    assert {"양봉", "음봉", "내 평균단가", "매수"} <= set(found(candles))
    assert any(text.startswith("세로 눈금") and text.endswith("종가 대비") for text in found(candles))
    assert "거래량 가중 평균" in found(minutes)


def test_own_trades_are_on_both_charts():
    for (page,) in pages([Stock()]):
        marks = [
            shape
            for shape in shapes_of(page.sheet.svg(210, 297))
            if len(shape.points) == 3 and shape.fill == PRINT.up and shape.top > 33
        ]
        assert len(marks) == 1


def test_stock_without_prices_says_so_in_its_cell():
    held = [Stock(), Stock(code="0000Z0", name="새 종목")]
    account = snapshot(held)
    save_minutes(held)
    DailyPrice.objects.filter(stock_code="0000Z0").delete()
    MinPrice.objects.filter(stock_code="0000Z0").delete()
    laid_out = pages_of(figures_of(account))
    candles = next(page for page in laid_out if isinstance(page, CandlePage))
    minutes = next(page for page in laid_out if isinstance(page, MinutePage))
    assert "받아 둔 일봉이 없습니다" in found(candles)
    assert "오늘 분봉이 없습니다" in found(minutes)


def test_without_any_minute_the_candles_say_why_instead_of_an_empty_page():
    sunday = AT - timedelta(days=1)
    (candles,), minutes = pages([Stock()], at=sunday, with_minutes=False)
    assert minutes == []
    assert "휴장일이라 오늘 분봉이 없습니다. 다음 거래일은 6/16(월)입니다." in found(candles)


def test_second_page_of_a_kind_goes_on_with_the_first():
    (first, second, _), _ = pages(stocks(50))
    assert "이어서" not in found(first)
    assert "이어서" in found(second)
    assert second.number == first.number + 1
