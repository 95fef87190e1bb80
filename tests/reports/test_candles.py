"""Candles as their owner sees them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from kis.models.books import Side
from reports.candles import AXIS_ROOM, candle_chart, percent_lines
from reports.figures.bars import Candle, DayTrade
from reports.palette import PRINT, Palette
from tests.reports.shapes import shapes_of, texts_of

WIDTH, HEIGHT = 43.5, 31.0
FIRST = date(2025, 6, 2)
#: Up, down, and a day that ended where it began.
DAYS = (
    Candle(FIRST, 10_000, 9_800, 10_100, 9_700, 1_000),
    Candle(FIRST + timedelta(days=1), 9_900, 10_000, 10_050, 9_850, 4_000),
    Candle(FIRST + timedelta(days=2), 9_950, 9_950, 10_000, 9_900, 2_000),
)


def chart(candles=DAYS, trades=(), average=None, **options):
    return candle_chart(candles, trades, average, width=WIDTH, height=HEIGHT, **options)


def bodies(drawn, fill):
    return [shape for shape in drawn if shape.fill == fill and shape.stroke]


def triangles(drawn, color):
    return [shape for shape in drawn if len(shape.points) == 3 and shape.fill == color]


def test_rising_day_is_light_and_falling_day_solid():
    drawn = shapes_of(chart())
    (rising,), (falling,) = bodies(drawn, PRINT.up_tint), bodies(drawn, PRINT.down)
    assert rising.stroke == PRINT.up
    assert rising.left < falling.left
    assert rising.tall == pytest.approx(falling.tall * 2, abs=0.03)  # 200 won against 100


def test_day_that_ended_where_it_began_is_a_grey_cross():
    drawn = shapes_of(chart(DAYS[2:], average=None))
    assert {shape.color for shape in drawn} == {PRINT.ink3, PRINT.line, PRINT.hair}


def test_day_of_which_only_the_close_is_known_is_a_tick_without_volume():
    halted = Candle(FIRST + timedelta(days=3), 9_800)
    drawn = shapes_of(chart((*DAYS, halted)))
    volumes = [shape for shape in drawn if shape.fill == PRINT.line]
    ticks = [shape for shape in drawn if shape.color == PRINT.ink3 and not shape.tall]
    assert len(volumes) == 3
    assert max(tick.right for tick in ticks) > max(volume.right for volume in volumes)


def test_missing_day_leaves_its_place_blank():
    whole, holey = shapes_of(chart()), shapes_of(chart((DAYS[0], None, DAYS[2])))
    assert bodies(holey, PRINT.down) == []
    assert bodies(holey, PRINT.up_tint)[0].left == bodies(whole, PRINT.up_tint)[0].left


def test_volume_stands_on_one_ground_and_the_largest_fills_its_room():
    volumes = [shape for shape in shapes_of(chart()) if shape.fill == PRINT.line]
    assert {shape.bottom for shape in volumes} == {HEIGHT}
    assert [round(shape.tall, 1) for shape in volumes] == [1.2, 4.8, 2.4]


def test_scale_is_in_percent_of_the_first_close():
    assert texts_of(chart()) == ["−2%", "0%"]
    assert percent_lines(90, 130, base=100) == [(0, "0%"), (20, "+20%")]
    assert [text for _, text in percent_lines(99.4, 100.5, base=100)] == ["−0.5%", "0%", "+0.5%"]
    assert len(percent_lines(1, 3_000_000, base=1)) == 0  # beyond any step: no grid rather than a crowd


def test_average_near_the_prices_is_dashed_across_them():
    (line,) = [shape for shape in shapes_of(chart(average=Decimal(9_900))) if shape.is_dashed]
    assert 0 < line.top < HEIGHT - 6
    assert triangles(shapes_of(chart(average=Decimal(9_900))), PRINT.ink3) == []


@pytest.mark.parametrize(("average", "is_above"), [(5_000, False), (50_000, True)])
def test_average_far_away_lies_on_the_edge_and_leaves_the_candles_as_they_are(average, is_above):
    drawn = shapes_of(chart(average=Decimal(average)))
    (line,) = [shape for shape in drawn if shape.is_dashed]
    (sign,) = triangles(drawn, PRINT.ink3)
    assert (line.top < 1) is is_above
    tip = next(y for x, y in sign.points if sign.left < x < sign.right)
    assert tip == (sign.top if is_above else sign.bottom)
    assert bodies(drawn, PRINT.down) == bodies(shapes_of(chart()), PRINT.down)


def test_own_trades_are_marked_under_the_low_and_over_the_high_with_a_tick_at_their_price():
    trades = (DayTrade(DAYS[0].on, Side.BUY, 9_750), DayTrade(DAYS[1].on, Side.SELL, 10_020))
    drawn = shapes_of(chart(trades=trades))
    (buy,), (sell,) = triangles(drawn, PRINT.up), triangles(drawn, PRINT.down)
    wicks = [shape for shape in drawn if not shape.wide and shape.stroke in {PRINT.up, PRINT.down}]
    assert buy.top > wicks[1].bottom or buy.top > wicks[0].bottom
    assert sell.bottom < min(wick.top for wick in wicks if wick.stroke == PRINT.down)
    ticks = [shape for shape in drawn if shape.color == PRINT.ink]
    assert len(ticks) == 2
    assert ticks[0].top > ticks[1].top


def test_trade_of_a_day_without_a_price_is_left_out():
    assert chart(trades=[DayTrade(date(2025, 5, 1), Side.BUY, 1)]) == chart()


@pytest.mark.parametrize(
    "candles",
    [
        DAYS,
        DAYS[:1],
        (Candle(FIRST, 1), None, Candle(FIRST + timedelta(days=2), 4_000_000_000)),
        tuple(Candle(FIRST + timedelta(days=day), 500, 500, 500, 500, 0) for day in range(10)),
    ],
)
def test_everything_stays_inside(candles):
    trades = [DayTrade(FIRST, side, candles[0].close) for side in Side]
    for shape in shapes_of(chart(candles, trades, Decimal(77))):
        assert shape.left >= 0
        assert shape.right <= WIDTH - AXIS_ROOM + 0.01
        assert shape.top >= 0
        assert shape.bottom <= HEIGHT


def test_no_known_day_draws_nothing():
    assert shapes_of(chart((None, None), average=Decimal(5))) == []
    assert shapes_of(chart(())) == []


def test_colours_may_be_names():
    text = chart(palette=Palette(up="var(--up)", up_tint="var(--up-tint)"), label="삼성전자 2주")
    assert 'fill="var(--up-tint)" stroke="var(--up)"' in text
    assert 'aria-label="삼성전자 2주"' in text
