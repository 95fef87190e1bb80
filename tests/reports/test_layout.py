"""Columns and pages."""

from reports.columns import fitted, text_width

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
