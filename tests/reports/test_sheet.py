"""Shapes of many charts on one sheet."""

from itertools import pairwise
from random import Random

import pytest

from reports.sheet import Box, Layer, Sheet, thinned
from tests.reports.shapes import shapes_of, texts_of


def test_shapes_painted_alike_are_one_path_and_keep_their_layers():
    sheet = Sheet()
    sheet.dot((5, 5), radius=0.5, color="#15181E")
    for place in range(50):
        sheet.line([(place, 0), (place, 9)], color="#69707B", width=0.2)
    sheet.rect(Box(0, 0, 9, 9), fill="#E2E5EA", layer=Layer.GROUND)
    text = sheet.svg(50, 10)
    assert text.count("<path") == 3
    drawn = shapes_of(text)
    assert len(drawn) == 52
    assert (drawn[0].fill, drawn[1].stroke, drawn[-1].is_dot) == ("#E2E5EA", "#69707B", True)


def test_svg_is_decoration_unless_it_has_a_name():
    sheet = Sheet()
    assert 'aria-hidden="true"' in sheet.svg(1, 1)
    assert 'role="img" aria-label="&lt;b&gt; &quot;1&quot;"' in sheet.svg(1, 1, label='<b> "1"')


def test_label_is_text_and_nothing_else():
    sheet = Sheet()
    sheet.label((3, 4), "<+5%>", color="#69707B", anchor="end")
    assert texts_of(sheet.svg(9, 9)) == ["<+5%>"]


def test_operators_paint_the_same_shapes_in_millimetres_from_the_top():
    sheet = Sheet()
    sheet.line([(0, 0), (210, 297)], color="#D6293E", width=0.25, dash=(0.9, 0.6))
    sheet.polygon([(1, 1), (2, 1), (2, 2)], fill="#FFFFFF", layer=Layer.HOLE)
    assert sheet.operators(page_height=297).decode().split("\n") == [
        "q 2.834646 0 0 -2.834646 0 841.8898 cm 1 j",
        "0.839 0.161 0.243 RG 0.25 w 0 J",
        "[0.9 0.6] 0 d",
        "0.00 0.00 m 210.00 297.00 l",
        "S",
        "1.000 1.000 1.000 rg",
        "1.00 1.00 m 2.00 1.00 l 2.00 2.00 l h",
        "f",
        "",
        "Q",
    ]


def test_empty_sheet_is_nothing():
    assert Sheet().operators(page_height=297) == b""


def test_thinned_keeps_ends_and_turns_of_a_line():
    zigzag = [(0, 0), (1, 0), (2, 0), (3, 5), (4, 5), (5, 5)]
    assert thinned(zigzag, tolerance=0.01) == [(0, 0), (2, 0), (3, 5), (5, 5)]
    assert thinned(zigzag[:2], tolerance=9) == zigzag[:2]
    steps = [(0, 9), (0, 1), (1, 1), (2, 1), (2, 9), (3, 9)]
    assert thinned(steps, tolerance=0.01) == [(0, 9), (0, 1), (2, 1), (2, 9), (3, 9)]


@pytest.mark.parametrize("seed", range(5))
def test_thinned_is_never_further_off_than_the_tolerance(seed):
    random = Random(seed)
    points, price = [], 10.0
    for place in range(390):
        price += random.gauss(0, 0.3)
        points.append((place * 0.1, price))
    kept = thinned(points, tolerance=0.2)
    assert len(kept) < len(points)
    for x, y in points:
        (x1, y1), (x2, y2) = next(pair for pair in pairwise(kept) if x <= pair[1][0])
        assert abs(y1 + (y2 - y1) * (x - x1) / (x2 - x1) - y) <= 0.2 + 1e-9
