"""`manage.py follow_fills` on the terminal: a line for each notice, one sentence for a mistake, a quiet end."""

import io
import os
import signal
import subprocess
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone
from rich.console import Console

from kis.client.auth import key_id
from kis.client.codes import AccountNumber
from kis.client.errors import KisMisconfigured
from kis.client.records.orders import Side
from kis.client.records.realtime import Amendment, FillNotice, NoticeKind
from kis.connect import connect
from kis.feed_lease import Lease
from kis.management.commands.follow_fills import TerminalWatcher
from tests import ready_database
from tests.kis.scripted import APP_KEY, APP_SECRET
from tests.kis.syncing import connection_to
from tests.programs import running

ROOT = Path(__file__).resolve().parents[2]
NOTICE = FillNotice(
    account=AccountNumber("12345678", "01"),
    branch="06010",
    number="0000000123",
    origin="",
    amendment=Amendment.NONE,
    kind=NoticeKind.FILLED,
    side=Side.SELL,
    code="005930",
    name="삼성전자",
    quantity=1_200,
    price=57_000,
    at=time(10, 0, 5),
    ordered_quantity=1_200,
    ordered_price=57_000,
    exchange="KRX",
)


@pytest.fixture
def configured(settings):
    """Configure a real account of an owner, who is never called."""
    settings.AEGIS_DEMO = False
    mine = {"app_key": APP_KEY, "app_secret": APP_SECRET, "account_no": "12345678-01", "hts_id": "owner"}
    settings.KIS_ACCOUNTS = settings.KIS_ACCOUNTS | {"real": settings.KIS_ACCOUNTS["real"] | mine}
    return settings


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "실전 10:00:05  체결  매도  삼성전자(005930)  1,200주  57,000원  주문 0000000123"),
        (
            {"kind": NoticeKind.ACCEPTED, "price": 0, "side": Side.BUY},
            "실전 10:00:05  접수  매수  삼성전자(005930)  1,200주  시장가  주문 0000000123",
        ),
        (
            {"kind": NoticeKind.CONFIRMED, "amendment": Amendment.CANCEL, "price": 0},
            "실전 10:00:05  취소 확인  매도  삼성전자(005930)  1,200주  주문 0000000123",
        ),
        (
            {"kind": NoticeKind.REFUSED, "amendment": Amendment.AMEND},
            "실전 10:00:05  정정 거부  매도  삼성전자(005930)  1,200주  57,000원  주문 0000000123",
        ),
    ],
)
def test_notice_is_one_line(simulator, changes, shown):
    with connection_to(simulator) as connection:
        screen = io.StringIO()
        TerminalWatcher(Console(file=screen, width=40), connection).heard(replace(NOTICE, **changes))
    assert screen.getvalue() == f"{shown}\n"


@pytest.mark.django_db
def test_missing_hts_id_names_the_variable(configured):
    configured.KIS_ACCOUNTS["real"]["hts_id"] = ""
    with pytest.raises(KisMisconfigured, match="KIS_REAL_HTS_ID"):
        call_command("follow_fills", mode="real")


@pytest.mark.django_db
def test_second_follower_says_so_and_leaves_without_an_error(configured, capsys):
    with connect("real") as connection:
        assert Lease(key_id(connection.environment)).take(now=timezone.now())
    call_command("follow_fills", mode="real")
    assert "다른 프로세스가 이 앱키로 이미 체결통보를 받고 있습니다." in capsys.readouterr().out


def test_demo_is_followed_until_it_is_stopped(django_db_setup, django_db_blocker, tmp_path):
    environment = {
        **os.environ,
        "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
        "AEGIS_VAR_DIR": str(tmp_path / "var"),
        "DATABASE_URL": "",
    }
    with django_db_blocker.unblock():
        ready_database.lay(tmp_path / "var" / "demo.sqlite3")
    with running(
        ["manage.py", "follow_fills"],
        environment=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as follower:
        lines = iter(follower.stdout.readline, "")
        seen = []

        def until(words):
            for line in lines:
                seen.append(line.strip())
                if words in line:
                    return line
            pytest.fail(f"{seen} {follower.stderr.read()}")

        url = until("http://").split()[-1]
        until("체결통보에 연결했습니다.")
        order = {"side": "buy", "code": "000660", "qty": 1}
        assert requests.post(f"{url}/_sim/external-order", json=order, timeout=60).status_code == 200
        assert "SK하이닉스(000660)  1주" in until("체결  매수")
        follower.send_signal(signal.SIGTERM)
        rest, errors = follower.communicate(timeout=120)
    assert (follower.returncode, errors) == (0, "")
    assert rest.splitlines()[-1] == "체결통보를 그만 받습니다."
    assert "DEMO" in seen[0]
    assert "12345678" not in "".join(seen)
