"""The curve and its band of falls, measured in their own picture."""

from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from reports.curve import Falls, Flow, Line, asset_curve, round_ticks
from reports.overview.trend import index_axis, won_axis
from reports.palette import PAGE, PRINT
from tests.reports.shapes import SVG, read, shapes_of, texts_of

WIDTH, HEIGHT = 147.5, 42.0
OWN = (100.0, 110.0, 90.0, 120.0)


def curve(own=OWN, kospi=(100.0, 105.0, 110.0, 115.0), *, flows=(), falls=(0.0, 0.0, -18.2, 0.0), **options):
    first = date(2025, 5, 28)
    days = [first + timedelta(days=place) for place in range(len(own))]
    lines = [Line("KOSPI였다면", "115만", kospi), Line("내 계좌", "120만", own, is_own=True)]
    deepest = min(range(len(falls)), key=lambda place: falls[place])
    return asset_curve(
        days,
        lines,
        flows=flows,
        falls=Falls(falls, deepest if falls[deepest] else None, "최대 낙폭 −18.20% · 5/30", "지금 최고점"),
        axis=won_axis,
        width=WIDTH,
        height=HEIGHT,
        **options,
    )


def strokes(svg, width):
    return [shape for shape in shapes_of(svg) if shape.width == width and not shape.is_dot]


def placed(svg) -> dict[str, ET.Element]:
    return {text.text or "": text for text in read(svg).iter(f"{SVG}text")}


def test_own_line_is_the_strongest_and_higher_is_more():
    (line,) = strokes(curve(), 0.42)
    assert line.color == PRINT.ink
    heights = [y for _, y in line.points]
    assert heights[3] < heights[1] < heights[0] < heights[2]
    assert [x for x, _ in line.points] == sorted(x for x, _ in line.points)


def test_names_stand_where_the_lines_end_and_never_touch():
    texts = placed(curve(own=(100.0, 110.0, 90.0, 115.0)))
    heights = sorted(float(texts[name].get("y", "0")) for name in ("내 계좌", "KOSPI였다면"))
    assert heights[1] - heights[0] >= 3.3
    assert texts["내 계좌"].get("font-weight") == "700"


def test_every_shape_and_text_stays_inside():
    for own in (OWN, (5.0, 5.0, 5.0, 5.0), (1.0, 10.0**12, None, 3.0)):
        svg = curve(own=own, flows=[Flow(0, "입금 1만"), Flow(3, "출금 300만")])
        for shape in shapes_of(svg):
            assert shape.left >= -0.1
            assert shape.right <= WIDTH + 0.1
            assert shape.top >= -0.1
            assert shape.bottom <= HEIGHT + 0.1
        for text in read(svg).iter(f"{SVG}text"):
            assert 0 <= float(text.get("y", "0")) <= HEIGHT


def test_missing_day_is_a_gap():
    assert [len(line.points) for line in strokes(curve(own=(100.0, 110.0, None, 120.0, 121.0)), 0.42)] == [
        2,
        2,
    ]


def test_deposit_has_a_dotted_tick_and_its_words_fit():
    svg = curve(flows=[Flow(1, "입금 1,000만"), Flow(3, "출금 300만")])
    assert {"입금 1,000만", "출금 300만"} <= set(texts_of(svg))
    assert placed(svg)["출금 300만"].get("text-anchor") == "end"  # beside the right edge


def test_words_of_deposits_close_together_give_way_but_their_ticks_do_not():
    own = tuple(100.0 + place for place in range(61))
    flows = [Flow(20, "입금 1만"), Flow(22, "입금 2만"), Flow(40, "입금 3만")]
    svg = curve(own=own, kospi=own, falls=(0.0,) * 61, flows=flows)
    assert [text for text in texts_of(svg) if text.startswith("입금")] == ["입금 1만", "입금 3만"]
    ticks = [shape for shape in strokes(svg, 0.18) if shape.is_dashed]
    assert len(ticks) == 3


def test_deepest_fall_is_marked_in_blue():
    svg = curve()
    (dot,) = [shape for shape in shapes_of(svg) if shape.is_dot and shape.color == PRINT.down]
    fallen = [shape for shape in shapes_of(svg) if shape.fill == PRINT.down_tint]
    assert dot.points[0][1] == pytest.approx(max(shape.bottom for shape in fallen))
    assert "최대 낙폭 −18.20% · 5/30" in texts_of(svg)


def test_account_that_never_fell_has_an_empty_band():
    svg = curve(falls=(0.0, 0.0, 0.0, 0.0))
    assert not [shape for shape in shapes_of(svg) if shape.fill == PRINT.down_tint]
    assert "지금 최고점" in texts_of(svg)
    assert "최대 낙폭 −18.20% · 5/30" not in texts_of(svg)


def test_stale_end_is_hollow():
    assert PRINT.paper not in {shape.color for shape in shapes_of(curve())}
    assert PRINT.paper in {shape.color for shape in shapes_of(curve(is_stale=True))}


def test_month_that_has_hardly_begun_gives_way_to_the_next():
    own = tuple(100.0 + place for place in range(61))
    texts = texts_of(curve(own=own, kospi=own, falls=(0.0,) * 61))
    assert [text for text in texts if text.endswith("월")] == ["2025년 6월", "7월"]


def test_page_draws_with_its_own_colours():
    svg = curve(palette=PAGE, is_stale=True)
    assert "var(--ink)" in svg
    assert "#" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.97, 1.02), (138_000_000, 187_000_000), (99.4, 100.1), (0, 1), (-5, 12), (9e11, 1.3e12)],
)
def test_ticks_are_two_to_four_round_numbers_inside(low, high):
    ticks, step = round_ticks(low, high)
    assert 2 <= len(ticks) <= 4
    assert all(low <= tick <= high for tick in ticks)
    digits = f"{step:.12g}".replace(".", "").strip("0").split("e")[0].strip("0")
    assert digits in {"1", "2", "25", "5"}


@pytest.mark.parametrize(
    ("value", "step", "largest", "text"),
    [
        (180_000_000, 20_000_000, 180_000_000, "1.8억"),
        (95_000_000, 5_000_000, 100_000_000, "0.95억"),
        (9_500_000, 500_000, 9_500_000, "950만"),
        (1_250_000_000_000, 50_000_000_000, 1_250_000_000_000, "1.25조"),
        (500, 50, 600, "500"),
        (-20_000_000, 10_000_000, 10_000_000, "−2,000만"),
    ],
)
def test_axis_is_written_in_the_unit_of_its_largest_value(value, step, largest, text):
    assert won_axis(value, step, largest) == text


def test_axis_of_an_index_has_no_unit():
    assert (index_axis(110, 10, 110), index_axis(100.5, 0.5, 101)) == ("110", "100.5")
