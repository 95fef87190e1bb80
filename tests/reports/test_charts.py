"""Small charts, measured in their own SVG."""

from decimal import Decimal

from reports import charts, composition
from reports.palette import PRINT, Palette
from tests.reports.shapes import shapes_of

CLOSES = (100, 110, 105, 120, 90, 95, 100, 108, 112, 111)


def spark(closes=CLOSES, average=Decimal(101), **options):
    return charts.sparkline(closes, average, width=18, height=5, **options)


def dots(text):
    return {shape.color: shape for shape in shapes_of(text) if shape.is_dot}


def triangles(text):
    return [shape for shape in shapes_of(text) if len(shape.points) == 3]


def average_of(text):
    (line,) = [shape for shape in shapes_of(text) if shape.is_dashed]
    return line.top


def test_sparkline_marks_highest_lowest_and_now():
    marked = dots(spark())
    assert set(marked) == {PRINT.up, PRINT.down, PRINT.ink}
    assert marked[PRINT.up].top < marked[PRINT.ink].top < marked[PRINT.down].top
    assert marked[PRINT.ink].left == max(dot.left for dot in marked.values())


def test_sparkline_keeps_every_point_inside():
    for closes in (CLOSES, (5, 5, 5), (1, 1_000_000), (100, None, 90)):
        for average in (Decimal(1), Decimal(100), Decimal(10_000_000)):
            for shape in shapes_of(spark(closes, average)):
                assert 0 <= shape.left <= shape.right <= 18
                assert 0 <= shape.top <= shape.bottom <= 5


def test_sparkline_average_far_away_lies_on_the_edge_with_a_triangle():
    near, below, above = spark(average=Decimal(101)), spark(average=Decimal(50)), spark(average=Decimal(200))
    assert triangles(near) == []
    assert (average_of(below), average_of(above)) == (4.7, 0.3)
    assert len(triangles(below)) == len(triangles(above)) == 1


def test_sparkline_far_average_does_not_flatten_the_prices():
    marked = dots(spark(average=Decimal(50)))
    assert marked[PRINT.down].top - marked[PRINT.up].top > 2.5


def test_sparkline_breaks_where_a_day_is_missing():
    drawn = shapes_of(spark((100, 101, None, 103, 104, None, 106)))
    assert [len(shape.points) for shape in drawn if shape.stroke == PRINT.ink2 and not shape.is_dot] == [2, 2]


def test_sparkline_without_prices_is_blank():
    assert shapes_of(spark(())) == []
    assert shapes_of(spark((None, None, 100))) == []


def test_sparkline_of_stale_data_has_a_hollow_end():
    dots_drawn = [shape for shape in shapes_of(spark(is_stale=True)) if shape.is_dot]
    assert dots_drawn[-1].color == PRINT.paper
    assert dots_drawn[-1].left == dots(spark())[PRINT.ink].left


def test_sparkline_takes_names_of_colours():
    assert 'stroke="var(--ink2)"' in spark(palette=Palette(ink2="var(--ink2)"))


def bars(text):
    return [(shape.fill, round(shape.wide, 1)) for shape in shapes_of(text) if shape.fill != "none"]


def test_return_bar_is_cut_at_the_end_of_its_scale():
    def drawn(rate):
        return bars(charts.return_bar(Decimal(rate), width=8, height=3))

    assert drawn(110) == drawn(900) == [(PRINT.up, 5.6)]
    assert [color for color, _ in drawn(-5)] == [PRINT.down]
    assert drawn(0) == []


def test_share_bar_fills_its_width_at_the_scale():
    def drawn(part, scale):
        return bars(charts.share_bar(Decimal(part), scale=Decimal(scale), width=6, height=3))

    assert drawn(25, 25) == [(PRINT.ink3, 6.0)]
    assert drawn(-5, 25) == drawn(1, 0) == []


def test_matplotlib_charts_hold_no_text_and_repeat_exactly():
    def draw():
        return composition.donut(
            [(5, "#2B3648"), (0, "#435066"), (-3, "#5C6A80"), (1, PRINT.paper)], diameter=31
        )

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
