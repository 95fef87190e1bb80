"""The fonts we print with."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reports import fonts, webfonts


@pytest.fixture
def folder(settings, tmp_path):
    settings.FONT_DIR = tmp_path / "fonts"
    return settings.FONT_DIR


@pytest.fixture
def builder(monkeypatch):
    """Write empty files instead of fonts."""
    built = []

    def build(source, target):
        built.append(source)
        for weight in fonts.WEIGHTS:
            fonts.font_path(weight).write_bytes(b"font")

    monkeypatch.setattr(fonts, "_build_all", build)
    monkeypatch.setattr(webfonts, "_cut", lambda source, characters, target: target.write_bytes(b"part"))
    return built


def test_fonts_draw_every_sign_of_korean_and_ours():
    fonts.ensure_fonts()
    supported = fonts.supported_characters()
    assert {ord(sign) for sign in "가힣똠믜ABCxyz0123456789−▲▼●○□…·–~%₩漢&<>"} <= supported
    assert all(code in supported for code in fonts.wanted_characters() if 0xAC00 <= code <= 0xD7A3)


def test_ensure_fonts_builds_once(folder, builder):
    assert fonts.ensure_fonts() is True
    assert fonts.ensure_fonts() is False
    assert len(builder) == 1
    assert (folder / "OFL.txt").is_file()


def test_ensure_fonts_builds_again_for_another_source_or_a_missing_file(folder, builder):
    fonts.ensure_fonts()
    stamp = folder / "stamp.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "package": "0.0.1"}))
    assert fonts.ensure_fonts() is True
    fonts.font_path(500).unlink()
    assert fonts.ensure_fonts() is True
    stamp.write_text("not json")
    assert fonts.ensure_fonts() is True


def test_ensure_fonts_explains_a_folder_it_cannot_write(settings, tmp_path, builder):
    (tmp_path / "file").write_text("")
    settings.FONT_DIR = tmp_path / "file" / "fonts"
    with pytest.raises(fonts.FontsUnavailable, match="글꼴을 저장할 수 없습니다"):
        fonts.ensure_fonts()


def test_ensure_fonts_explains_a_missing_package(folder, monkeypatch):
    monkeypatch.setattr(fonts, "PACKAGE", "no_such_package")
    with pytest.raises(fonts.FontsUnavailable, match="make setup"):
        fonts.ensure_fonts()


def test_build_fonts_says_one_line_and_then_nothing(folder, builder):
    first, second = StringIO(), StringIO()
    call_command("build_fonts", stdout=first)
    call_command("build_fonts", stdout=second)
    assert first.getvalue().startswith("글꼴을 만들었습니다: Noto Sans KR 400·500·700")
    assert first.getvalue().count("\n") == 1
    assert second.getvalue() == ""


def test_build_fonts_fails_in_one_sentence(folder, monkeypatch):
    monkeypatch.setattr(fonts, "PACKAGE", "no_such_package")
    with pytest.raises(CommandError, match="make setup"):
        call_command("build_fonts")
