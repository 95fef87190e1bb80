"""The print in a process of its own: the same file, and whatever becomes of that process a sentence."""

import os
import sys
import time
from pathlib import Path

import pytest

from reports.amounts import Amounts
from reports.fonts import FontsUnavailable
from reports.printing_apart import PrintBroken, environment, pdf_of, render_apart
from tests.reports.conftest import drawn_once

pytestmark = [pytest.mark.django_db, drawn_once]
STAYS = "이전 PDF는 그대로입니다."


@pytest.fixture
def instead(monkeypatch, tmp_path):
    """Let a program of the test stand where the print would be; it is given the limits as the print is."""

    def stand_in(code, *, in_sh=False):
        begins = "#!/bin/sh" if in_sh else f"#!{sys.executable}\nimport os, sys, time, signal"
        program = tmp_path / "python"
        program.write_text(f"{begins}\n{code}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        return tmp_path

    return stand_in


def test_print_of_another_process_is_the_same_file(usual):
    assert render_apart(usual.dashboard, Amounts()) == usual.data


def test_print_that_takes_too_much_memory_is_ended_with_a_reason(usual, settings):
    settings.PRINT_MEMORY_MB = 150
    with pytest.raises(PrintBroken, match="메모리 한도") as caught:
        render_apart(usual.dashboard, Amounts())
    assert str(caught.value).endswith(STAYS)


def test_print_that_takes_too_long_is_ended_with_all_it_has_started(usual, settings, instead):
    settings.PRINT_SECONDS = 1
    # On a busy machine Python alone may take the second to begin.
    folder = instead('sleep 60 &\necho "$$ $!" > "$0.pids"\nwait', in_sh=True)
    began = time.monotonic()
    with pytest.raises(PrintBroken, match="1초 안에 만들지 못해") as caught:
        render_apart(usual.dashboard, Amounts())
    assert time.monotonic() - began < 30
    assert str(caught.value).endswith(STAYS)
    pids = [int(text) for text in (folder / "python.pids").read_text().split()]
    assert len(pids) == 2
    for pid in pids:
        wait_until_gone(pid)


def wait_until_gone(pid):
    """Wait until a process is gone, or dead and not yet collected by whoever inherited it."""
    for _ in range(1_500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} lives on")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "시스템이 끝냈습니다"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "시간 한도"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "신호 11"),
        ("sys.exit(7)", "코드 7"),
        ("print('{\"size\": 100}'); print('half')", "끝내지 못했습니다"),
        ("sys.stderr.write('MemoryError: 12345678-01'); sys.exit(1)", "메모리 한도"),
    ],
)
def test_print_that_dies_is_a_sentence(usual, instead, code, told):
    instead(f"import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n{code}")
    with pytest.raises(PrintBroken, match=told) as caught:
        render_apart(usual.dashboard, Amounts())
    assert str(caught.value).endswith(STAYS)
    assert "12345678" not in str(caught.value)


def test_program_that_is_not_there_is_a_sentence(usual, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(PrintBroken, match="시작하지 못했습니다"):
        render_apart(usual.dashboard, Amounts())


def test_fonts_that_are_missing_are_told_in_their_own_words():
    with pytest.raises(FontsUnavailable, match="글꼴이 없습니다"):
        pdf_of('{"trouble": "fonts", "words": "글꼴이 없습니다."}\n'.encode(), code=0, complaint=b"")


def test_print_knows_no_secret(monkeypatch, settings):
    monkeypatch.setenv("KIS_REAL_APP_KEY", "k" * 36)
    monkeypatch.setenv("DATABASE_URL", "postgres://me:hunter2@db/aegis")
    assert "hunter2" not in str(environment())
    assert "kkkk" not in str(environment())
    assert settings.SECRET_KEY not in environment().values()
    assert environment()["AEGIS_ENV_FILE"] == os.devnull
