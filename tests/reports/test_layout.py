"""Columns and pages."""

import pytest

from reports.columns import cut, fitted, text_width
from reports.layout import HoldingsPage, Overview, pages_of
from tests.factories import fill, snapshot, stocks
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
    assert one == eight
    assert isinstance(quiet, Overview)
    assert isinstance(one, Overview)
    assert quiet.checks_top < one.checks_top
