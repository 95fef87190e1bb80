"""The font of the pages: every syllable has a file, common ones a small one, and files may be kept for good."""

import re
from io import BytesIO
from pathlib import Path

import pytest

from reports import fonts, webfonts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="module")
def built():
    webfonts.ensure_web_fonts()


def part_of(sign):
    return next((name for name, codes in webfonts.parts().items() if ord(sign) in codes), None)


def test_parts_are_there_and_small_and_are_made_once():
    for name in webfonts.part_names():
        assert webfonts.file_of(name).stat().st_size < 90_000, name
    assert webfonts.ensure_web_fonts() is False


def test_own_words_need_one_part_and_rare_ones_the_whole_font():
    assert {
        part_of(sign) for sign in "총평가금액 오늘 손익 −1,234▲▼● 삼성전자 SK하이닉스 두산에너빌리티"
    } == {"ours"}
    assert part_of("뷁") is None
    assert (part_of("갸") or "").startswith("common")
    everywhere = set().union(*webfonts.parts().values())
    assert webfonts.common_syllables() <= everywhere


def test_templates_of_the_pages_are_written_in_our_part():
    texts = [
        path.read_text()
        for path in [
            *(ROOT / "templates" / "reports" / "page").glob("*.html"),
            ROOT / "templates" / "registration" / "login.html",
        ]
    ]
    written = set(re.findall("[가-힣]", "".join(texts)))
    assert written <= set(webfonts.OURS), sorted(written - set(webfonts.OURS))


def test_each_part_draws_what_its_rule_claims():
    from fontTools.ttLib import TTFont  # noqa: PLC0415  # heavy

    for part, codes in webfonts.parts().items():
        data = webfonts.file_of(webfonts.part_name(700, part)).read_bytes()
        with TTFont(BytesIO(data)) as font:
            assert set(codes) & fonts.supported_characters() <= set(font.getBestCmap())
    sheet = webfonts.stylesheet(address="./")
    assert sheet.count("@font-face") == 3 * (len(webfonts.parts()) + 1)
    for name in re.findall(r'url\("\./([^"]+)"\)', sheet):
        assert webfonts.file_of(name).is_file()


def test_no_other_file_has_a_name():
    for name in ("stamp.json", "../secret-key", "NotoSansKR-Regular.ttf", "OFL.txt", ""):
        assert webfonts.file_of(name) is None


@pytest.mark.django_db
def test_files_are_public_and_kept_for_good(client):
    sheet = client.get(f"/fonts/faces.{webfonts.version()}.css")
    assert (sheet.status_code, sheet["Content-Type"]) == (200, "text/css; charset=utf-8")
    name = webfonts.part_name(400, "ours")
    response = client.get(f"/fonts/{name}")
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == webfonts.file_of(name).read_bytes()
    for answer in (sheet, response):
        assert "immutable" in answer["Cache-Control"]
        assert "public" in answer["Cache-Control"]
    assert client.get("/fonts/faces.00000000.css").status_code == 404
    assert client.post(f"/fonts/{name}").status_code == 405


def test_old_parts_go_with_a_new_version(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(
        fonts,
        "_build_all",
        lambda source, folder: [fonts.font_path(weight).write_bytes(b"font") for weight in fonts.WEIGHTS],
    )
    monkeypatch.setattr(webfonts, "_cut", lambda source, characters, target: target.write_bytes(b"part"))
    settings.FONT_DIR = tmp_path / "fonts"
    assert webfonts.ensure_web_fonts() is True
    old = settings.FONT_DIR / "NotoSansKR-400-ours.00000000.woff"
    old.write_bytes(b"old")
    (settings.FONT_DIR / webfonts.STAMP_FILE).write_text('{"version": "00000000"}')
    assert webfonts.ensure_web_fonts() is True
    assert not old.exists()
    assert webfonts.ensure_web_fonts() is False
