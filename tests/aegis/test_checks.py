"""What the site refuses to start with, and what the owner then reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management.base import SystemCheckError
from django.db import OperationalError

from aegis import checks
from kis.commands import explain_checks
from tests.trading.conftest import PASSWORD, TEN
from trading import password

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def real(settings):
    settings.AEGIS_DEMO = False
    settings.REAL_TRADING_ENABLED = True
    settings.ORDER_LIMITS_MISSING = []
    settings.DEBUG = False
    return settings


def found():
    return [message for message in run_checks() if message.id.startswith("aegis.")]


def test_real_orders_with_chosen_limits_are_allowed(real):
    assert found() == []


def test_real_orders_with_debug_are_refused(real):
    real.DEBUG = True
    [error] = found()
    assert (error.id, error.is_serious()) == ("aegis.E001", True)
    assert "DEBUG" in error.msg


def test_real_orders_without_limits_are_refused(real):
    real.ORDER_LIMITS_MISSING = ["ORDER_DAY_MAX_AMOUNT"]
    [error] = found()
    assert error.id == "aegis.E001"
    assert "ORDER_DAY_MAX_AMOUNT" in error.msg


@pytest.mark.parametrize("setting", [{"AEGIS_DEMO": True}, {"REAL_TRADING_ENABLED": False}])
def test_nobody_else_is_asked_for_limits(real, setting):
    real.DEBUG = True
    for name, value in setting.items():
        setattr(real, name, value)
    assert found() == []


def warnings():
    return checks.trading_password_is_set(databases=["default"])


@pytest.mark.django_db(transaction=True)
def test_missing_password_is_warned_of(real):
    [warning] = warnings()
    assert (warning.id, warning.is_serious()) == ("aegis.W001", False)
    assert "set_trading_password" in warning.hint
    password.set_password(PASSWORD, at=TEN)
    assert warnings() == []
    real.REAL_TRADING_ENABLED = False
    assert warnings() == []


def test_database_that_is_not_set_up_is_no_reason_to_warn(real, monkeypatch):
    def gone():
        raise OperationalError("no such table")

    monkeypatch.setattr("trading.password.is_set", gone)
    assert warnings() == []


def manage(tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
            "AEGIS_VAR_DIR": str(tmp_path / "var"),
            "AEGIS_CACHE_DIR": str(tmp_path / "cache"),
            "AEGIS_DEMO": "false",
            "REAL_TRADING_ENABLED": "true",
            "DATABASE_URL": "",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_owner_reads_one_korean_sentence(tmp_path):
    result = manage(tmp_path, "reconcile_orders")
    assert result.returncode == 1
    assert result.stderr.strip().count("\n") == 0
    assert "ORDER_MAX_AMOUNT, ORDER_DAY_MAX_AMOUNT" in result.stderr
    assert "ERRORS" not in result.stderr


def test_orders_can_be_stopped_whatever_else_is_wrong(tmp_path):
    """Without tables and with settings that are refused, the file of the switch is still written."""
    manage(tmp_path, "kill_switch", "on")
    assert (tmp_path / "cache" / "kill-switch").exists()


def test_report_of_another_kind_keeps_its_words():
    assert explain_checks(SystemCheckError("something else")) == "something else"
