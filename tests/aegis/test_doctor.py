"""The doctor as a whole: one line for each check, an exit code, and nothing secret."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from aegis import health
from aegis.health import configuration
from aegis.health.case import Case, Check, examine_one, open_case, problem
from kis.client.errors import KisMisconfigured, KisUnreachable
from tests.aegis.examining import (
    APP_KEY,
    APP_SECRET,
    PROBLEM,
    assert_found,
    case_at,
    finding,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def demo(settings, tmp_path, no_env_file):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "state.json"


def examined(*arguments):
    """Run the command; return what it wrote and how it ended."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_demo_is_in_order(demo, mode):
    shown, error = examined("--mode", mode)
    assert (error, "문제" in shown, "DEMO" in shown) == ("", False, True)
    assert all(check.name in shown for check in health.CHECKS)
    columns = {
        line.index(name) for line in shown.splitlines() for name in (" 모드 ", " 글꼴 ") if name in line
    }
    assert len(columns) == 1  # aligned


@pytest.mark.django_db
def test_json_says_the_same_to_machines(demo):
    shown, _ = examined("--json")
    told = json.loads(shown)
    assert (told["mode"], told["demo"], told["ok"]) == ("real", True, True)
    assert [check["name"] for check in told["checks"]] == [check.name for check in health.CHECKS]
    assert {check["status"] for check in told["checks"]} <= {"ok", "warning", "problem", "skipped"}
    assert datetime.fromisoformat(told["at"]).utcoffset() == timedelta(hours=9)


@pytest.mark.django_db
def test_problem_ends_the_command_with_an_error_and_its_followers_are_skipped(configure):
    configure(app_key="short")
    shown, error = examined("--mode", "real", "--json")
    told = json.loads(shown)
    by_name = {check["name"]: check for check in told["checks"]}
    assert ("문제가 1건" in error, told["ok"]) == (True, False)
    assert by_name["키와 계좌"]["status"] == "problem"
    assert by_name["증권사 연결"] | {"name": ""} == {
        "name": "",
        "status": "skipped",
        "text": "먼저 해결할 것: 키와 계좌",
        "remedy": "",
        "details": [],
    }
    assert by_name["계좌 조회"]["text"] == "먼저 해결할 것: 접근 토큰"  # the nearest reason
    assert by_name["글꼴"]["status"] != "skipped"
    assert "→ 해결: KIS Developers에서 다시 복사해" in examined("--mode", "real")[0]


@pytest.mark.django_db
def test_findings_and_remedies_are_printed(demo):
    finding(Case("real"), "fresh")
    shown, _ = examined()
    assert "→ 해결: 숫자가 이상하지 않은지" in shown
    assert "TTTC8434R output1.fresh" in shown


def test_check_that_breaks_is_a_problem_and_hides_no_other(configure):
    def broken(case):
        raise LookupError(f"{APP_SECRET} 87654321-01")

    line = examine_one(Check("검사", broken), configure())
    assert_found(line, PROBLEM, "LookupError", "개발자")
    assert APP_SECRET not in line.text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("no such table: kis_sync_run"), ["make setup"]),
        (PermissionError(13, "denied", "/var/x"), ["/var/x", "권한"]),
        (KisUnreachable("연결이 끊겼습니다"), ["연결이 끊겼습니다", "점검"]),
        (KisMisconfigured("계좌번호는 12345678-01 모양이어야 합니다."), ["모양", "설정"]),
    ],
)
def test_known_trouble_within_a_check_has_its_remedy(configure, error, words):
    def broken(case):
        raise error

    assert_found(examine_one(Check("검사", broken), configure()), PROBLEM, *words)


def test_whatever_a_check_says_nothing_secret_is_printed(configure, settings, monkeypatch):
    settings.SECRET_KEY, settings.AEGIS_ENCRYPTION_KEY = "site-secret-of-mine", "encryption-of-mine"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "geheim")
    case = replace(configure(), connection=case_at("http://127.0.0.1:9").connection)
    keys = case.environment
    secrets = [
        APP_KEY,
        APP_SECRET,
        "87654321",
        *keys.secrets,
        settings.SECRET_KEY,
        "encryption-of-mine",
        "geheim",
    ]

    def chatty(case):
        return problem(" ".join(secrets), " ".join(secrets))

    line = examine_one(Check("검사", chatty), case)
    assert not any(secret in line.text + line.remedy for secret in secrets)


def test_doctor_survives_what_cannot_even_be_opened_or_closed(monkeypatch, configure, caplog):
    def fail(mode, account):
        raise ZeroDivisionError

    configure()
    monkeypatch.setattr("aegis.health.case.connect", fail)
    with open_case("real") as case:
        assert_found(configuration.keys(case), PROBLEM, "ZeroDivisionError")
    monkeypatch.setattr("aegis.health.case.connect", lambda mode, account: Unclosable())
    with open_case("real") as case:
        assert case.trouble == ""
    assert "ZeroDivisionError" in caplog.text


class Unclosable:
    def __enter__(self):
        return case_at("http://127.0.0.1:9").connection

    def __exit__(self, *error):
        raise ZeroDivisionError


# --- from the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the command in a process of its own, with folders of its own."""

    def command(*arguments, **variables):
        own = {
            "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
            "AEGIS_VAR_DIR": str(tmp_path / "var"),
            "AEGIS_FONT_DIR": str(ROOT / "var" / "fonts"),
            "AEGIS_REPORT_DIR": str(tmp_path / "reports"),
            "DATABASE_URL": "",
        }
        return subprocess.run(
            [sys.executable, "manage.py", "doctor", *arguments],
            cwd=ROOT,
            env={**os.environ, **own, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return command


def test_new_clone_is_told_to_set_itself_up(run):
    result = run()
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "문제" in result.stdout
    assert "→ 해결: make setup" in result.stdout
    assert len(result.stderr.strip().splitlines()) == 1


def test_without_network_and_database_it_still_tells_what_it_can(run, closed_port):
    result = run(
        "--mode",
        "real",
        DATABASE_URL=f"postgres://me:geheim@127.0.0.1:{closed_port}/aegis?connect_timeout=2",
        KIS_REAL_APP_KEY=APP_KEY,
        KIS_REAL_APP_SECRET=APP_SECRET,
        KIS_REAL_ACCOUNT_NO="87654321-01",
        KIS_REAL_BASE_URL=f"http://127.0.0.1:{closed_port}",
    )
    everything = result.stdout + result.stderr
    assert (result.returncode, "Traceback" in everything) == (1, False)
    for name, words in {
        "데이터베이스": ["문제", "DATABASE_URL"],
        "증권사 연결": ["문제", "KIS_REAL_BASE_URL"],
        "접근 토큰": ["먼저 해결할 것: 데이터베이스"],
        "키와 계좌": ["정상", "8765****-01"],
        "글꼴": ["Noto Sans KR"],
    }.items():
        line = next(line for line in result.stdout.splitlines() if f"  {name}  " in line)
        assert all(word in line for word in words), line
    assert not any(secret in everything for secret in (APP_KEY, APP_SECRET, "87654321", "geheim"))


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["--mode", "rael"], {}, ["rael"]),
        ([], {"DATABASE_URL": "mysql://me:geheim@here/x", "KIS_REAL_APP_KEY": APP_KEY}, ["DATABASE_URL"]),
    ],
)
def test_what_cannot_start_says_why_in_one_sentence(run, arguments, variables, words):
    result = run(*arguments, **variables)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert all(word in result.stderr for word in words)
    assert "geheim" not in result.stderr
