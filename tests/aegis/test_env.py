"""Settings from the environment: what cannot be understood stops the start with a sentence."""

import os
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from aegis import env

NAMES = ("A", "B", "C", "D", "E")


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Forget the names used here, before and after the test."""
    for name in NAMES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def values():
    return {name: os.environ[name] for name in NAMES if name in os.environ}


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("ON", True), ("0", False), ("no", False), ("", True)]
)
def test_switch_reads_the_usual_words(monkeypatch, text, value):
    monkeypatch.setenv("SWITCH", text)
    assert env.env_bool("SWITCH", default=True) is value


def test_unclear_switch_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("REAL_TRADING_ENABLED", "ture")
    with pytest.raises(ImproperlyConfigured, match="REAL_TRADING_ENABLED"):
        env.env_bool("REAL_TRADING_ENABLED", default=False)


def test_choice_outside_the_list_is_refused(monkeypatch):
    monkeypatch.setenv("KIS_TR_SET", "new")
    with pytest.raises(ImproperlyConfigured, match="current 또는 legacy"):
        env.env_choice("KIS_TR_SET", ("current", "legacy"))


def test_env_file_is_read_and_the_environment_wins(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("\ufeff# 설명\n\nA=1\nexport B='둘 셋'\nC = \"4\"\nD=\nE=a=b\n", encoding="utf-8")
    monkeypatch.setenv("A", "kept")
    env.load_env_file(file)
    assert values() == {"A": "kept", "B": "둘 셋", "C": "4", "D": "", "E": "a=b"}


def test_unreadable_line_is_named_by_number_without_its_text(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1\nPSsecretsecret\n", encoding="utf-8")
    with pytest.raises(ImproperlyConfigured, match="2번째 줄") as caught:
        env.load_env_file(file)
    assert "PSsecret" not in str(caught.value)


def test_missing_env_file_is_fine(tmp_path):
    env.load_env_file(tmp_path / ".env")
    assert values() == {}


def test_own_secret_is_made_once_and_only_the_owner_reads_it(tmp_path):
    file = tmp_path / "secret-key"
    first = env.own_secret(file)
    assert len(first) > 50
    assert env.own_secret(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_own_folder_is_made_for_the_owner_alone(tmp_path):
    folder = env.own_folder(tmp_path / "var")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert env.own_folder(folder) == folder


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="file/var"):
        env.own_folder(tmp_path / "file" / "var")


def test_empty_secret_file_is_refused(tmp_path):
    file = tmp_path / "secret-key"
    file.touch()
    with pytest.raises(ImproperlyConfigured, match="secret-key"):
        env.own_secret(file)
