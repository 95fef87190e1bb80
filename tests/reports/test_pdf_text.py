"""Text that a page writes itself."""

import io
from datetime import UTC, datetime

import pypdfium2
import pytest
from fontTools.ttLib import TTFont

from reports import fonts
from reports.printing import print_html
from reports.sheet import Run, Sheet
from reports.typefaces import typeface
from tests.reports.conftest import fonts_of, pages_of

HTML = "<style>@page { size: 210mm 297mm; margin: 0 }</style><p style='height: 290mm'>가</p><p>나</p>"
EPOCH = int(datetime(2025, 6, 16, tzinfo=UTC).timestamp())


def printed(sheet, page=1):
    return print_html(HTML, identifier="test", epoch=EPOCH, sheets={page: [sheet]})


def texts_with_places(data, page=0):
    """Return each text with its left, right and middle in millimetres from the top left corner."""
    document = pypdfium2.PdfDocument(data)
    found = {}
    text = document[page].get_textpage()
    for index in range(text.count_rects()):
        left, bottom, right, top = text.get_rect(index)
        words = text.get_text_bounded(left, bottom, right, top).strip()
        found[words] = tuple(
            round(edge * 25.4 / 72, 1) for edge in (left, right, 841.89 - (top + bottom) / 2)
        )
    document.close()
    return found


def test_text_can_be_copied_row_by_row():
    sheet = Sheet()
    for place, (name, value) in enumerate((("삼성전자 & Co", "+1,234"), ("<b>", "−0.50%"))):
        sheet.label((12, 40 + place * 8), name, color="#15181E", size=2.646)
        sheet.label((198, 40 + place * 8), value, color="#D6293E", anchor="end", size=2.646)
    first, second = pages_of(printed(sheet))
    assert first.split("\n")[:2] == ["삼성전자 & Co +1,234", "<b> −0.50%"]
    assert "삼성" not in second


def test_text_stands_on_the_page_it_was_written_for():
    sheet = Sheet()
    sheet.label((12, 40), "둘째 쪽", color="#15181E")
    first, second = pages_of(printed(sheet, page=2))
    assert "둘째 쪽" not in first
    assert "둘째 쪽" in second


@pytest.mark.parametrize("is_bold", [False, True])
def test_text_ends_and_begins_where_it_should(is_bold):
    sheet = Sheet()
    sheet.label((20, 50), "11,111", color="#15181E", is_bold=is_bold, size=2.646)
    sheet.label((90, 60), "22,222", color="#15181E", anchor="end", is_bold=is_bold, size=2.646)
    sheet.label((120, 70), "33,333", color="#15181E", anchor="middle", is_bold=is_bold, size=2.646)
    places = texts_with_places(printed(sheet))
    assert places["11,111"][0] == pytest.approx(20, abs=0.4)
    assert places["22,222"][1] == pytest.approx(90, abs=0.4)
    assert sum(places["33,333"][:2]) / 2 == pytest.approx(120, abs=0.3)
    assert places["11,111"][2] == pytest.approx(50, abs=0.4)


def test_runs_of_a_line_follow_each_other_and_stand_on_one_line():
    sheet = Sheet()
    runs = (Run("11", "#15181E", 4.0, is_bold=True), Run("", "#15181E"), Run("22", "#69707B", 2.0, gap=3.0))
    sheet.write((20, 50), *runs)
    sheet.write((90, 60), *runs, anchor="end")
    places = texts_with_places(printed(sheet))
    small = places["22"]
    assert small[1] == pytest.approx(90, abs=0.3)
    assert "11 22" in pages_of(printed(sheet))[0]


def test_sign_without_a_shape_is_a_box_and_joiners_are_dropped():
    sheet = Sheet()
    sheet.label((12, 40), "가😀나\u200b다", color="#15181E")
    assert "가□나다" in pages_of(printed(sheet))[0]


def test_fonts_are_embedded_once_for_each_weight():
    sheet = Sheet()
    for place in range(30):
        sheet.label((12, 20 + place), f"{place}", color="#15181E", is_bold=bool(place % 2))
    used = fonts_of(printed(sheet))
    assert {name for name, _ in used if name.startswith("AEGIS")} == {
        "AEGISR+Noto-Sans-KR",
        "AEGISB+Noto-Sans-KR-Bold",
    }
    assert all(is_embedded for _, is_embedded in used)


def test_same_sheet_gives_the_same_bytes():
    sheet = Sheet()
    sheet.label((12, 40), "같은 글", color="#15181E")
    assert printed(sheet) == printed(sheet)


def test_sheet_without_text_adds_no_font():
    sheet = Sheet()
    sheet.line([(0, 0), (10, 10)], color="#15181E", width=0.2)
    assert not any(name.startswith("AEGIS") for name, _ in fonts_of(printed(sheet)))


def test_subset_is_a_font_with_the_outlines_of_its_letters():
    fonts.ensure_fonts()
    face = typeface(400)
    glyphs = [0, *face.glyphs_of("가A1")]
    font = TTFont(io.BytesIO(face.subset(glyphs)))
    whole = TTFont(fonts.font_path(400), lazy=True)
    assert font["maxp"].numGlyphs == 4
    for place, glyph in enumerate(glyphs):
        mine, theirs = font.getGlyphName(place), whole.getGlyphName(glyph)
        assert font["glyf"][mine] == whole["glyf"][theirs]
        assert font["hmtx"][mine] == whole["hmtx"][theirs]
    whole.close()


def test_widths_are_those_of_the_font():
    fonts.ensure_fonts()
    face = typeface(700)
    assert face.width(face.glyphs_of("00")) == 2 * face.width(face.glyphs_of("1"))
    assert face.width([]) == 0
    assert face.glyphs_of("😀") == [0]
