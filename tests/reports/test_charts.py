"""Small charts, measured in their own SVG."""

import re
from decimal import Decimal

from reports import charts, composition
from reports.palette import PRINT, Palette

CLOSES = (100, 110, 105, 120, 90, 95, 100, 108, 112, 111)


def spark(closes=CLOSES, average=Decimal(101), **options):
    return charts.sparkline(closes, average, width=18, height=5, **options)


def dots(text):
    return re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="0.42" fill="(#\w+)"', text)


def test_sparkline_marks_highest_lowest_and_now():
    marked = {color: (float(x), float(y)) for x, y, color in dots(spark())}
    assert set(marked) == {PRINT.up, PRINT.down, PRINT.ink}
    assert marked[PRINT.up][1] < marked[PRINT.ink][1] < marked[PRINT.down][1]
    assert marked[PRINT.ink][0] == max(x for x, _ in marked.values())


def test_sparkline_keeps_every_point_inside():
    for closes in (CLOSES, (5, 5, 5), (1, 1_000_000), (100, None, 90)):
        for average in (Decimal(1), Decimal(100), Decimal(10_000_000)):
            text = spark(closes, average)
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", text):
                assert 0 <= float(x) <= 18
                assert 0 <= float(y) <= 5


def test_sparkline_average_far_away_lies_on_the_edge_with_a_triangle():
    near, below, above = spark(average=Decimal(101)), spark(average=Decimal(50)), spark(average=Decimal(200))
    assert "Z" not in near
    assert "M0 4.7H" in below
    assert "Z" in below
    assert "M0 0.3H" in above
    assert "Z" in above


def test_sparkline_far_average_does_not_flatten_the_prices():
    def height(text):
        ys = [float(y) for _, y, _ in dots(text)]
        return max(ys) - min(ys)

    assert height(spark(average=Decimal(50))) > 2.5


def test_sparkline_breaks_where_a_day_is_missing():
    text = spark((100, 101, None, 103, 104, None, 106))
    assert text.count('fill="none" stroke="#4A505A"') == 2
    assert "L" in text


def test_sparkline_without_prices_is_blank():
    assert "<path" not in spark(())
    assert "<path" not in spark((None, None, 100))


def test_sparkline_of_stale_data_has_a_hollow_end():
    assert f'fill="{PRINT.paper}" stroke="{PRINT.ink}"' in spark(is_stale=True)


def test_sparkline_takes_names_of_colours():
    assert 'stroke="var(--ink2)"' in spark(palette=Palette(ink2="var(--ink2)"))


def widths(text):
    return [float(width) for width in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', text)]


def test_return_bar_is_cut_at_the_end_of_its_scale():
    assert widths(charts.return_bar(Decimal(110), width=8, height=3)) == widths(
        charts.return_bar(Decimal(900), width=8, height=3)
    )
    assert PRINT.up in charts.return_bar(Decimal(5), width=8, height=3)
    assert PRINT.down in charts.return_bar(Decimal(-5), width=8, height=3)
    assert widths(charts.return_bar(Decimal(0), width=8, height=3)) == []


def test_share_bar_fills_its_width_at_the_scale():
    assert widths(charts.share_bar(Decimal(25), scale=Decimal(25), width=6, height=3)) == [6.0]
    assert widths(charts.share_bar(Decimal(-5), scale=Decimal(25), width=6, height=3)) == [0.0]
    assert widths(charts.share_bar(Decimal(1), scale=Decimal(0), width=6, height=3)) == [0.0]


def test_matplotlib_charts_hold_no_text_and_repeat_exactly():
    for draw in (
        lambda: composition.donut(
            [(5, "#2B3648"), (0, "#435066"), (-3, "#5C6A80"), (1, PRINT.paper)], diameter=31
        ),
        lambda: composition.profit_bars([5, -2, 0], width=24, row_height=4.3),
    ):
        text = draw()
        assert text == draw()
        assert text.startswith("<svg")
        assert "<text" not in text
        assert "style=" not in text
        assert "font" not in text


def test_donut_draws_only_what_can_be_a_slice():
    text = composition.donut([(5, "#2B3648"), (-3, "#5C6A80")], diameter=31)
    assert "#2b3648" in text
    assert "#5c6a80" not in text


def test_profit_bars_are_red_and_blue():
    text = composition.profit_bars([5, -2], width=24, row_height=4.3)
    assert PRINT.up.lower() in text
    assert PRINT.down.lower() in text
