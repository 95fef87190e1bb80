"""Columns and pages."""

from datetime import timedelta

import pytest

from reports import columns
from reports.columns import cut, fitted, text_width
from reports.holdings_pages import HoldingsPage
from reports.layout import Overview, pages_of
from tests.factories import AT, fill, snapshot, stocks
from tests.reports.conftest import figures_of

BASE = {"name": 20.0, "chart": 20.0, "value": 10.0}


def test_fitted_leaves_columns_alone_that_are_wide_enough():
    assert fitted(BASE, {"value": ["1,234"]}, gives_way={"chart": 10.0}) == BASE


def test_fitted_takes_room_from_those_that_give_way():
    widths = fitted(BASE, {"value": ["1,234,567,890,123"]}, gives_way={"chart": 15.0, "name": 10.0})
    assert widths["value"] > text_width("1,234,567,890,123")
    assert widths["chart"] == 15.0
    assert round(sum(widths.values()), 1) == 50.0


def test_fitted_takes_empty_columns():
    assert fitted(BASE, {"value": []}, gives_way={}) == BASE


def test_cut_shortens_only_what_is_too_long():
    assert cut("한화에어로스페이스", 22.2) == "한화에어로스페이스"
    short = cut("KODEX 미국나스닥100선물인버스(H)", 22.2)
    assert short.endswith("…")
    assert text_width(short) <= 22.2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("held", "rows", "height"),
    [(0, [], None), (20, [20], 7.6), (50, [50], 4.6), (51, [50, 1], 4.6), (120, [50, 50, 20], 4.6)],
)
def test_holdings_fill_pages_of_fifty(held, rows, height):
    pages = pages_of(figures_of(snapshot(stocks(held), with_closes=False)))
    tables = [page for page in pages if isinstance(page, HoldingsPage)]
    assert [len(page.rows) for page in tables] == rows
    assert [page.number for page in tables] == list(range(2, 2 + len(rows)))
    assert all(page.row_height == pytest.approx(height) for page in tables)


@pytest.mark.django_db
def test_one_fill_or_eight_leave_the_blocks_below_in_place():
    account = snapshot(stocks(3))
    quiet = pages_of(figures_of(account))[0]
    fill(1)
    one = pages_of(figures_of(account))[0]
    for number in range(2, 9):
        fill(number)
    eight = pages_of(figures_of(account))[0]
    assert quiet == one == eight


@pytest.mark.django_db
def test_account_with_nothing_but_cash_is_shorter():
    full, empty = (
        pages_of(figures_of(snapshot(held, at=AT + timedelta(days=days))))[0]
        for days, held in enumerate([stocks(1), ()])
    )
    assert isinstance(full, Overview)
    assert isinstance(empty, Overview)
    assert (empty.trend_top, full.trend_top) == (60, 60)
    assert empty.advice_top < full.causes_top + 1


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("삼성전자", ["삼성전자"]),
        ("TIGER 미국나스닥100", ["TIGER", "미국나스닥100"]),
        ("미국나스닥백커버드콜합성", ["미국나스닥백커", "버드콜합성"]),
        ("KODEX 미국나스닥100선물", ["KODEX 미국나", "스닥100선물"]),
        ("가나다라마바1234567", ["가나다라마바", "1234567"]),
        ("가" * 20, ["가" * 7, "가" * 6 + "…"]),
    ],
)
def test_long_name_takes_two_lines_before_it_is_cut(name, lines):
    assert columns.two_lines(name, 18.6) == lines


def test_name_that_is_cut_in_the_table_is_written_out_below_it():
    names = [("000001", "삼성전자"), ("000002", "가" * 20), ("000003", "나" * 10)]
    assert columns.shortened(names, 18.6, is_compact=False) == [("000002", "가" * 20)]
    assert columns.shortened(names, 18.6, is_compact=True) == names[1:]
    assert len(columns.shortened([("000002", "가" * 40)] * 50, 18.6, is_compact=True)) < 10
