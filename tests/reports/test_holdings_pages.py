"""The table of all holdings as it is printed."""

import re
from datetime import timedelta

import pytest

from kis.korean import number, percent, signed
from reports.amounts import Amounts
from reports.holdings_pages import HoldingsPage
from reports.layout import pages_of
from reports.palette import PRINT
from reports.paper import END, LEFT, WIDTH
from tests.factories import Stock, order, save_minutes, snapshot, stocks
from tests.reports.conftest import figures_of
from tests.reports.shapes import shapes_of
from tests.reports.sheets import overlapping, texts_of

pytestmark = pytest.mark.django_db
LONG = "TIGER 미국나스닥100커버드콜(합성) 액티브"
RICH = [
    Stock(price=57_200, average=1_000.5, quantity=21_000_000, change=30.0),
    Stock(code="Q500001", name=LONG, price=1_015_000, average=2_999_999.4, quantity=999_999, change=-30.0),
    Stock(code="0000Z0", name=LONG, price=1, average=3.5, quantity=9_999_999, change=0.0, locked=5),
]


def tables(account, *, masked=False):
    dashboard = figures_of(account)
    amounts = Amounts(dashboard.account.total) if masked else Amounts()
    return dashboard, [page for page in pages_of(dashboard, amounts) if isinstance(page, HoldingsPage)]


def row_of(page, name):
    """Return the texts at the height of a name, left to right."""
    texts = texts_of(page.sheet)
    middle = next(text.middle for text in texts if text.text == name)
    return [text.text for text in sorted(texts, key=lambda text: text.left) if text.middle == middle]


def test_row_is_the_figures_of_its_stock():
    dashboard, (page,) = tables(snapshot([Stock(change=-1.89), *stocks(3)]))
    row = dashboard.holdings[0]
    assert row_of(page, "삼성전자") == [
        "1",
        "삼성전자",
        "005930",
        str(row.weight),
        "57,200",
        "▼ −1.89%",
        "670",
        "60,389",
        number(row.value),
        signed(row.profit),
        percent(row.profit_pct),
    ]


def test_total_is_that_of_the_first_page():
    dashboard, pages = tables(snapshot(stocks(60), with_closes=False))
    total = dashboard.total
    assert row_of(pages[-1], "합계 60종목") == [
        "합계 60종목",
        str(total.weight),
        number(total.value),
        signed(total.profit),
        percent(total.profit_pct),
    ]
    assert not any("합계" in text.text for text in texts_of(pages[0].sheet))


def test_stale_figures_are_not_bold():
    account = snapshot(stocks(2))
    dashboard = figures_of(account, generated_at=account.snapshot_at + timedelta(hours=1))
    (page,) = [page for page in pages_of(dashboard) if isinstance(page, HoldingsPage)]
    total = next(label for label in page.sheet.labels if label.text == number(dashboard.total.value))
    assert not total.runs[0].is_bold


def test_open_orders_stand_below_the_quantity():
    account = snapshot([Stock(), *stocks(3)])
    order(account, 1)
    order(account, 2, sll_buy_dvsn_cd="02", psbl_qty=1_000)
    _, (page,) = tables(account)
    texts = {text.text: text for text in texts_of(page.sheet)}
    assert "(매수 1,000 매도 10)" in texts
    assert 2.5 < texts["(매수 1,000 매도 10)"].middle - texts["670"].middle < 3.5


def test_tight_rows_show_what_can_be_sold_instead():
    _, (page, *_) = tables(snapshot([Stock(locked=70), *stocks(49)], with_closes=False))
    assert "(600)" in row_of(page, "삼성전자")


@pytest.mark.parametrize("count", [1, 3, 20, 23, 50, 51, 200])
@pytest.mark.parametrize("masked", [False, True])
def test_texts_keep_apart_and_stay_on_the_page(count, masked):
    held = (RICH + stocks(count))[:count]
    account = snapshot(held)
    save_minutes(held[:5])
    for number_of_order in range(3):
        order(account, number_of_order, psbl_qty=999_999)
    for page in tables(account, masked=masked)[1]:
        assert overlapping(page.sheet) == []
        for text in texts_of(page.sheet):
            assert text.left >= LEFT - 0.1
            assert text.right <= LEFT + WIDTH + 0.1
            assert text.middle <= END
        for shape in shapes_of(page.sheet.svg(210, 297)):
            assert LEFT - 0.1 <= shape.left <= shape.right <= LEFT + WIDTH + 0.1


def test_codes_and_figures_are_never_cut():
    _, (page,) = tables(snapshot(RICH))
    texts = [text.text for text in texts_of(page.sheet)]
    assert {"005930", "Q500001", "0000Z0", "1,201,200,000,000"} <= set(texts)
    assert all("…" not in text for text in texts if re.fullmatch(r"[\d,.%+−…]+", text))


def test_long_name_takes_two_lines_and_is_written_out_below():
    _, (page,) = tables(snapshot(RICH))
    texts = [text.text for text in texts_of(page.sheet)]
    assert sum(text.startswith("TIGER") for text in texts) >= 2
    assert any(f"Q500001 {LONG}" in text for text in texts)


def test_line_break_in_a_name_moves_nothing():
    dashboard, (page,) = tables(snapshot([Stock(name="삼성\n전자\r\n우"), *stocks(2)]))
    assert "삼성 전자 우" in {text.text for text in texts_of(page.sheet)}
    assert row_of(page, dashboard.holdings[1].name)[0] == "2"


def test_masked_table_has_neither_quantities_nor_values():
    account = snapshot([Stock(quantity=4_321), *stocks(20)])
    order(account, 1, psbl_qty=1_234)
    dashboard, pages = tables(account, masked=True)
    found = " ".join(text.text for page in pages for text in texts_of(page.sheet))
    for row in dashboard.holdings:
        assert number(row.value) not in found
        assert number(abs(row.profit)) not in found
    assert "4,321" not in found
    assert "1,234" not in found
    assert number(dashboard.total.value) not in found


def test_charts_of_a_row_stand_in_it():
    held = stocks(5)
    account = snapshot(held)
    save_minutes(held)
    _, (page,) = tables(account)
    top = page.bottom - 6.2 - 5 * page.row_height
    lines = [
        shape
        for shape in shapes_of(page.sheet.svg(210, 297))
        if shape.stroke == PRINT.ink2 and len(shape.points) == 10
    ]
    assert len(lines) == 5
    for place, line in enumerate(sorted(lines, key=lambda line: line.top)):
        assert top + place * page.row_height < line.top
        assert line.bottom < top + (place + 1) * page.row_height


def test_why_charts_are_blank_is_said_below_the_table():
    _, (page,) = tables(snapshot(stocks(3), with_closes=False))
    found = " ".join(text.text for text in texts_of(page.sheet))
    assert "오늘 분봉을 받지 못했습니다." in found
    assert "받아 둔 일봉이 없어 2주 차트를 그리지 못했습니다." in found
