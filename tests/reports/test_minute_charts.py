"""Today's minutes as their owner sees them."""

from dataclasses import replace

import pytest

from kis.models.books import Side
from reports.candles import AXIS_ROOM
from reports.figures.bars import DayBars, Minute, MinuteTrade
from reports.minute_charts import day_line, minute_chart
from reports.palette import PRINT
from tests.reports.shapes import shapes_of, texts_of

WIDTH, HEIGHT = 43.5, 31.0
PLOT = WIDTH - AXIS_ROOM


def minute(place, close, volume=100):
    return Minute(place, close - 10, close + 10, close, volume)


RISING = DayBars(
    price=10_300,
    previous_close=10_000,
    now=195,
    minutes=tuple(minute(place, 10_000 + place * 2) for place in range(150)),
)


def chart(day=RISING, **options):
    return shapes_of(minute_chart(day, width=WIDTH, height=HEIGHT, **options))


def lines(drawn, color=PRINT.up):
    return [shape for shape in drawn if shape.stroke == color and not shape.is_dot and len(shape.points) > 1]


def dots(drawn):
    return [shape for shape in drawn if shape.is_dot]


@pytest.mark.parametrize(("price", "color"), [(10_300, PRINT.up), (9_700, PRINT.down), (10_000, PRINT.ink3)])
def test_line_has_the_colour_of_the_day(price, color):
    for drawn in (
        chart(replace(RISING, price=price)),
        shapes_of(day_line(replace(RISING, price=price), width=12, height=5)),
    ):
        assert dots(drawn)[-1].color == color
        assert lines(drawn, color)


def test_whole_session_is_on_the_axis_and_the_rest_of_the_day_blank():
    (line,) = lines(chart())
    assert line.left == 0
    assert line.right == pytest.approx(149 / 390 * PLOT, abs=0.01)
    assert dots(chart())[-1].left == pytest.approx(PLOT / 2, abs=0.01)


def test_missing_minutes_are_blank_and_quiet_ones_level():
    minutes = tuple(minute(place, 10_000 + place) for place in (*range(10), *range(60, 70), *range(100, 110)))
    day = replace(RISING, minutes=minutes, holes=((70, 99),))
    first, second = lines(chart(day))
    assert first.right == pytest.approx(69 / 390 * PLOT, abs=0.01)
    assert second.left == pytest.approx(100 / 390 * PLOT, abs=0.01)
    level = next(y for x, y in first.points if x == pytest.approx(59 / 390 * PLOT, abs=0.01))
    assert level == pytest.approx(next(y for x, y in first.points if x > 0.5), abs=0.05)


def test_line_of_one_minute_is_a_dot():
    assert lines(chart(replace(RISING, minutes=(minute(0, 10_010),)))) == []
    assert len(dots(chart(replace(RISING, minutes=(minute(0, 10_010),))))) == 2


def test_stale_end_is_hollow():
    assert dots(chart(is_stale=True))[-1].color == PRINT.paper
    assert dots(chart())[-1].color == PRINT.up


def test_scale_is_in_percent_of_the_previous_close():
    assert texts_of(minute_chart(RISING, width=WIDTH, height=HEIGHT)) == ["0%", "+2%"]


def test_previous_close_far_away_does_not_flatten_the_day():
    far = replace(RISING, previous_close=8_000)
    (near_line,), (far_line,) = lines(chart()), lines(chart(far))
    assert far_line.tall > near_line.tall * 0.9
    assert [shape for shape in chart(far) if shape.is_dashed and shape.top > HEIGHT - 8]


def test_day_without_previous_close_is_grey_and_starts_at_zero():
    day = replace(RISING, previous_close=None)
    assert lines(chart(day), PRINT.ink3)
    assert texts_of(minute_chart(day, width=WIDTH, height=HEIGHT))[0] == "0%"


def test_auctions_do_not_flatten_the_volume():
    minutes = (minute(0, 10_000, 900_000), minute(1, 10_000, 100), minute(2, 10_000, 50))
    (area,) = [shape for shape in chart(replace(RISING, minutes=minutes)) if shape.fill == PRINT.ramp[5]]
    assert [round(HEIGHT - y, 1) for _, y in area.points] == [0, 4.8, 4.8, 2.4, 0]


def test_trades_stand_at_their_minute_and_price():
    day = replace(RISING, trades=(MinuteTrade(39, Side.BUY, 10_100), MinuteTrade(78, Side.SELL, 10_200)))
    drawn = chart(day)
    by_color = {shape.fill: shape for shape in drawn if len(shape.points) == 3}
    buy, sell = by_color[PRINT.up], by_color[PRINT.down]
    assert (buy.left + buy.right) / 2 == pytest.approx(PLOT / 10, abs=0.02)
    ticks = [shape for shape in drawn if shape.color == PRINT.ink]
    assert buy.top > ticks[0].bottom
    assert sell.bottom < ticks[1].top


@pytest.mark.parametrize(
    "day",
    [
        RISING,
        replace(RISING, previous_close=1),
        replace(RISING, price=100_000, now=None),
        replace(RISING, minutes=(minute(390, 10_000),)),
        replace(RISING, minutes=tuple(minute(place, 10_000, 0) for place in range(5))),
    ],
)
def test_everything_stays_inside(day):
    for drawn, width, height in (
        (chart(day), PLOT, HEIGHT),
        (shapes_of(day_line(day, width=12, height=5)), 12, 5),
    ):
        for shape in drawn:
            assert shape.left >= 0
            assert shape.right <= width + 0.01
            assert shape.top >= 0
            assert shape.bottom <= height


def test_day_without_minutes_draws_nothing():
    day = DayBars(price=10_000, previous_close=9_900)
    assert chart(day) == []
    assert shapes_of(day_line(day, width=12, height=5)) == []
