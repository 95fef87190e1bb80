"""The waterfall and the small charts of the cards, measured in their own pictures."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise

import pytest

from reports.card_charts import day_bars, day_line, trend_line
from reports.charts import bullet_bar, target_bar
from reports.palette import PRINT
from reports.waterfall import waterfall
from tests.factories import AT
from tests.reports.shapes import shapes_of

ROW, SUM, WIDTH = 4.0, 5.0, 30.0
OPENING = AT.replace(hour=9, minute=0)
nearly = partial(pytest.approx, abs=0.011)  # lengths are written to the hundredth


def bars(amounts, **options):
    svg = waterfall(amounts, width=WIDTH, row_height=ROW, sum_height=SUM, **options)
    return [shape for shape in shapes_of(svg) if shape.fill != "none"]


# --- waterfall ---------------------------------------------------------------------------------------------------------


def test_bars_begin_where_the_one_above_ended_and_the_sum_begins_at_zero():
    found = sorted(bars([500, -200, 300]), key=lambda bar: bar.top)
    *steps, whole = found
    assert [bar.color for bar in found] == [PRINT.up, PRINT.down, PRINT.up, PRINT.ink]
    edges = [
        (steps[0].left, steps[0].right),
        (steps[1].right, steps[1].left),
        (steps[2].left, steps[2].right),
    ]
    assert all(end == nearly(start) for (_, end), (start, _) in pairwise(edges))
    assert (whole.left, whole.right) == (nearly(steps[0].left), nearly(steps[2].right))
    assert whole.wide == nearly(steps[0].wide * 600 / 500)


def test_all_bars_stay_inside_whichever_way_the_day_went():
    for amounts in ([5, -9, 3], [-5, -9, -3], [5, 9, 3], [0, 0], [10**13, -1], [None, 5]):
        for shape in bars(amounts):
            assert shape.left >= -0.01
            assert shape.right <= WIDTH + 0.2


def test_what_should_not_be_there_is_amber():
    assert [bar.color for bar in bars([500, 57], odd=1)] == [PRINT.up, PRINT.warn_mark, PRINT.ink]


def test_nothing_and_the_unknown_have_no_bar():
    assert [bar.color for bar in bars([None, 0, 5])] == [PRINT.up, PRINT.ink]


# --- cards -------------------------------------------------------------------------------------------------------------


def line(svg):
    return [shape for shape in shapes_of(svg) if shape.fill == "none" and not shape.is_dot]


def test_trend_line_marks_its_lowest_day_and_now():
    svg = trend_line([5, 1, None, 9, 7], width=40, height=7, color=PRINT.ink2, low_color=PRINT.down)
    low, now = (shape for shape in shapes_of(svg) if shape.is_dot)
    assert (low.color, now.color) == (PRINT.down, PRINT.ink2)
    assert low.points[0][1] > now.points[0][1]
    assert now.right == max(shape.right for shape in shapes_of(svg))
    assert [len(part.points) for part in line(svg)] == [2, 2]


@pytest.mark.parametrize("values", [[], [5], [None, None], [None, 5]])
def test_trend_of_less_than_two_days_is_blank(values):
    assert shapes_of(trend_line(values, width=40, height=7, color=PRINT.ink2)) == []


def day(*changes, every=timedelta(minutes=5), **options):
    moments = [(OPENING + place * every, change) for place, change in enumerate(changes)]
    return day_line(moments, width=30.4, height=7.2, color=PRINT.up, **options)


def test_day_line_leaves_blank_what_has_not_come_yet():
    svg = day(0, 100, 250)
    now = next(shape for shape in shapes_of(svg) if shape.is_dot)
    assert now.right < 2  # ten minutes of six and a half hours
    zero = next(shape for shape in shapes_of(svg) if shape.color == PRINT.line)
    assert zero.right == nearly(30.4)
    assert now.points[0][1] < zero.points[0][1]


def test_day_line_joins_nothing_over_a_pause_that_nobody_saw():
    svg = day(0, 100, 200, every=timedelta(hours=2))
    assert all(len(set(part.points)) == 1 for part in line(svg) if part.color == PRINT.up)


def test_day_line_of_a_loss_hangs_below_the_close_before():
    svg = day(0, -100, -50)
    zero = next(shape for shape in shapes_of(svg) if shape.color == PRINT.line)
    assert all(y >= zero.points[0][1] - 0.01 for shape in shapes_of(svg) for _, y in shape.points)


def test_stale_day_has_a_hollow_end():
    assert PRINT.paper in {shape.color for shape in shapes_of(day(0, 5, is_stale=True))}


def test_day_bars_stand_on_one_line_and_leave_unknown_days_out():
    found = [
        shape for shape in shapes_of(day_bars([5, None, 0, -10], width=22, height=6)) if shape.fill != "none"
    ]
    up, down = sorted(found, key=lambda bar: bar.left)
    assert (up.color, down.color) == (PRINT.up, PRINT.down)
    assert up.bottom == nearly(down.top)
    assert down.tall == nearly(2 * up.tall)


# --- bars with a tick ----------------------------------------------------------------------------------------------------


def test_tick_stands_at_the_target():
    svg = target_bar(Decimal(10), Decimal(20), scale=Decimal(40), width=14.5, height=3.75)
    bar, tick = shapes_of(svg)
    assert bar.right == nearly(14.5 / 4)
    assert tick.left == nearly((14.5 - 0.3) / 2 + 0.15)
    assert tick.tall > bar.tall
    assert len(shapes_of(target_bar(Decimal(10), None, scale=Decimal(40), width=14.5, height=3.75))) == 1


def test_bullet_is_amber_only_where_its_limit_is_broken():
    fine, broken = (
        shapes_of(bullet_bar(Decimal(part), Decimal("0.8"), width=11, height=4, is_broken=is_broken))
        for part, is_broken in (("0.5", False), ("0.9", True))
    )
    assert (fine[0].color, broken[0].color) == (PRINT.ink3, PRINT.warn_mark)
    assert fine[0].right < fine[1].left < broken[0].right
