"""The product from end to end on the simulator, as `make dashboard` runs it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
import requests
from django.core.management import call_command

from kis.calendar import business_days
from kis.models import DailyPrice, KisAccount, KisDailySummary, KisExecution, KisHolding
from kis.simulator.server import Simulator, SimulatorConfig
from tests import ready_database
from tests.programs import first_answer, own_address, running

ROOT = Path(__file__).resolve().parents[2]
MARKET = ROOT.parent / "shared" / "market"


@pytest.fixture
def demo(settings, tmp_path):
    """Demo mode with a state of its own; returns the path of the PDF."""
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "simulator.json"
    return tmp_path / "Kis_Dashboard.pdf"


def text_of(pdf):
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


def squeezed(text):
    return "".join(text.split())


def newest():
    """Return what was just synced; the weeks before it are in the books as well."""
    return KisAccount.objects.filter(is_paper=False).newest_first().first()


def assert_pdf_tells_the_account(pdf, *, stock_value):
    """Every holding's name and amount stands in the PDF, and the amounts add up to the broker's total."""
    text = squeezed(text_of(pdf))
    holdings = list(newest().holdings.all())
    assert all(squeezed(row.stock_name) in text for row in holdings)
    assert all(f"{row.evlu_amt:,}" in text for row in holdings)
    assert sum(row.evlu_amt for row in holdings) == stock_value
    assert f"{stock_value:,}" in text
    assert "1234****-01" in text
    assert "12345678" not in text
    assert "DEMO" in text


@pytest.mark.django_db
def test_dashboard_of_the_sample_account_tells_what_the_broker_says(demo, settings, capsys):
    call_command("kis_dashboard", sync=True, output=str(demo))
    account = newest()
    assert_pdf_tells_the_account(demo, stock_value=account.stock_eval_amt)
    with Simulator(SimulatorConfig(state_file=settings.DEMO_STATE_FILE)) as simulator:
        held = {holding.stock_code: holding.holding_qty for holding in account.holdings.all()}
        positions = simulator_positions(simulator, "12345678-01")
    assert held == positions
    shown = capsys.readouterr().out
    assert f"{account.total_eval_amt:,}원" in shown
    assert str(demo) in shown


def simulator_positions(simulator, account):
    state = requests.get(f"{simulator.real.url}/_sim/state", timeout=60).json()
    mine = next(entry for entry in state["accounts"] if entry["account"] == account)
    return {position["code"]: position["qty"] for position in mine["positions"] if position["qty"]}


@pytest.mark.django_db
def test_second_dashboard_reuses_token_fills_and_prices(demo):
    call_command("kis_dashboard", sync=True, output=str(demo))
    fills = list(KisExecution.objects.order_by("pk").values())
    call_command("kis_dashboard", sync=True, output=str(demo))
    assert list(KisExecution.objects.order_by("pk").values()) == fills
    runs = [account.sync_run for account in KisAccount.objects.order_by("pk")][-2:]
    assert runs[0].requests > 20  # token, books, a chart for each stock
    assert runs[1].requests == 6  # balance, cash, open orders, orders, two indices
    assert demo.with_name("Kis_Dashboard.previous.pdf").exists()


@pytest.mark.market
@pytest.mark.django_db
@pytest.mark.skipif(not MARKET.is_dir(), reason="needs the real prices of ../shared/market")
def test_dashboard_replays_the_real_market(demo, settings):
    settings.AEGIS_SIM_MARKET_DIR = str(MARKET)
    call_command("kis_dashboard", sync=True, output=str(demo))
    assert_pdf_tells_the_account(demo, stock_value=newest().stock_eval_amt)
    samsung = newest().holdings.get(stock_code="005930")
    assert 55_000 < samsung.prpr < 60_000  # June 2025
    assert newest().sync_run.error == ""  # every stock has its chart, halts and adjusted prices too


@pytest.mark.django_db
def test_another_market_starts_the_demo_afresh(demo, settings, tmp_path):
    call_command("kis_dashboard", sync=True, output=str(demo))
    market = tmp_path / "market"
    market.mkdir()
    (market / "stocks.csv").write_text(
        "code,name,market,sector\n005930,삼성전자,KOSPI,반도체\n", encoding="utf-8"
    )
    rows = [
        f"005930,{day:%Y-%m-%d},1000,1010,990,1000,5"
        for day in business_days(date(2024, 1, 2), date(2025, 6, 13))
    ]
    (market / "krx_daily.csv").write_text(
        "code,date,open,high,low,close,volume\n" + "\n".join(rows), encoding="utf-8"
    )
    settings.AEGIS_SIM_MARKET_DIR = str(market)
    call_command("kis_dashboard", sync=True, output=str(demo))
    assert newest().snapshot_at.date() == date(2025, 6, 13)
    # What belonged to the other market is gone, its past included.
    assert {held.stock_code for held in KisHolding.objects.all()} == {"005930"}
    assert KisDailySummary.objects.latest("summary_date").summary_date == date(2025, 6, 12)
    assert set(DailyPrice.objects.values_list("close", flat=True)) == {1000}
    assert "2025-06-13" in text_of(demo)


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command in a process of its own, with folders of its own."""

    def command(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
                "AEGIS_VAR_DIR": str(tmp_path / "var"),
                "AEGIS_FONT_DIR": str(ROOT / "var" / "fonts"),
                "AEGIS_REPORT_DIR": str(tmp_path / "reports"),
                "DATABASE_URL": "",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return command


def assert_one_sentence(result, *words):
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert result.stderr.strip().count("\n") == 0, result.stderr
    assert all(word in result.stderr for word in words), result.stderr


KEYS = {"KIS_REAL_APP_KEY": "k" * 36, "KIS_REAL_APP_SECRET": "s" * 180, "KIS_REAL_ACCOUNT_NO": "12345678-01"}


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["sync_kis_data", "--mode", "rael"], {}, ["--mode", "rael"]),
        (["sync_kis_data", "--nope"], {}, ["--nope", "옵션"]),
        (["sync_kis_data"], {}, ["make setup"]),  # no tables yet
        (["sync_kis_data"], {"DATABASE_URL": "postgres://a:b@127.0.0.1:9/x"} | KEYS, ["데이터베이스"]),
        (["sync_kis_data"], {"DATABASE_URL": "nonsense"} | KEYS, ["DATABASE_URL"]),
        (["sync_kis_data"], {"KIS_TR_SET": "newest"}, ["KIS_TR_SET"]),
        (["sync_kis_data", "--mode", "paper"], KEYS, ["모의투자", "KIS_PAPER_APP_KEY"]),
        (["sync_kis_data"], KEYS | {"KIS_REAL_ACCOUNT_NO": "1234"}, ["12345678-01"]),
        (["sync_kis_data"], KEYS | {"KIS_REAL_APP_KEY": "short"}, ["36자"]),
        (["sync_kis_data"], KEYS | {"KIS_REAL_BASE_URL": "http://example.com"}, ["https"]),
        (["sync_kis_data"], {"AEGIS_SIM_MARKET_DIR": "/nowhere"}, ["AEGIS_SIM_MARKET_DIR"]),
        (["kis_dashboard", "--mode", "x"], {}, ["--mode"]),
        (["kis_dashboard", "--as-of", "9999-12-31"], {}, ["--as-of"]),
        (["follow_fills"], KEYS, ["KIS_REAL_HTS_ID"]),
        (["aegis_30min_data_fetch", "--mode", "x"], {}, ["--mode"]),
        (["sync_schedules"], KEYS, ["make setup"]),  # no tables yet
        (["demo"], {"AEGIS_SIM_MARKET_DIR": "/nowhere"}, ["AEGIS_SIM_MARKET_DIR"]),
        (["demo", "--nope"], {}, ["--nope"]),
        (["synk_kis_data"], {}, ["synk_kis_data", "sync_kis_data"]),
        (["kis_simulator", "--ws-fields", "1999"], {}, ["--ws-fields", "1999"]),
        (["sync_kis_data"], {"DATABASE_URL": "mysql://a:b@127.0.0.1/x"} | KEYS, ["PostgreSQL"]),
        (["sync_kis_data"], {"AEGIS_VAR_DIR": "/proc/nowhere"}, ["/proc/nowhere"]),
        (["kis_dashboard", "--as-of", "yesterday"], {}, ["--as-of"]),
    ],
)
def test_mistake_gets_one_korean_sentence(run, arguments, environment, words):
    assert_one_sentence(run(*arguments, **environment), *words)


def test_broker_that_is_not_there_gets_one_korean_sentence(django_db_setup, run, tmp_path):
    nobody = KEYS | {"KIS_REAL_BASE_URL": "http://127.0.0.1:9"}
    ready_database.lay(tmp_path / "var" / "aegis.sqlite3")
    result = run("sync_kis_data", **nobody)
    assert_one_sentence(result, "응답을 받지 못했습니다")
    assert "k" * 36 not in result.stdout + result.stderr


def test_dashboard_before_the_first_sync_says_what_to_do(django_db_setup, run, tmp_path):
    ready_database.lay(tmp_path / "var" / "demo.sqlite3")
    assert_one_sentence(run("kis_dashboard"), "sync_kis_data")


def test_demo_never_touches_the_owners_keys_or_database(run, tmp_path):
    mine = tmp_path / "mine.sqlite3"
    result = run("demo", DATABASE_URL=f"sqlite:///{mine}", **KEYS)
    assert result.returncode == 0, result.stderr
    assert "DEMO" in result.stdout
    assert not mine.exists()
    assert (tmp_path / "var" / "demo.sqlite3").exists()
    assert (tmp_path / "reports" / "Kis_Dashboard.pdf").exists()


def test_damaged_database_file_gets_one_korean_sentence(run, tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo.sqlite3").write_bytes(b"no database at all" * 100)
    for arguments in (["sync_kis_data"], ["kis_dashboard"]):
        assert_one_sentence(run(*arguments), "손상")


def test_env_file_that_is_not_text_is_named(run, tmp_path):
    (tmp_path / "none.env").write_bytes("# 한국투자증권 앱키".encode("cp949"))
    assert_one_sentence(run("sync_kis_data"), "none.env", "UTF-8")


def test_terminal_without_korean_still_gets_an_answer(run):
    result = run("sync_kis_data", "--mode", "rael", PYTHONIOENCODING="ascii")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr


def test_site_runs_with_its_worker_and_leaves_nothing_behind(django_db_setup, tmp_path):
    environment = {
        **os.environ,
        "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
        "AEGIS_VAR_DIR": str(tmp_path / "var"),
        "DATABASE_URL": "",
    }
    ready_database.lay(tmp_path / "var" / "demo.sqlite3")
    with own_address() as address:
        with running(
            ["manage.py", "site", "--address", address],
            environment=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as site:
            page = first_answer(f"http://{address}/admin/login/", of=site)
            site.send_signal(signal.SIGTERM)
            _, errors = site.communicate(timeout=120)
        assert (page.status_code, "AEGIS" in page.text) == (200, True)
        assert "중단했습니다." in errors
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://{address}/", timeout=60)


def filled_in(database, code):
    """Return the filled shares of each order in a stock."""
    with closing(sqlite3.connect(database)) as books:
        rows = books.execute("SELECT tot_ccld_qty FROM kis_order_detail WHERE stock_code = ?", [code])
        return [filled for (filled,) in rows]


def test_site_follows_the_orders_of_an_account_with_an_hts_id(django_db_setup, django_db_blocker, tmp_path):
    with Simulator(SimulatorConfig()) as broker:
        environment = {
            **os.environ,
            "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
            "AEGIS_VAR_DIR": str(tmp_path / "var"),
            "DATABASE_URL": "",
            "KIS_REAL_APP_KEY": broker.real.app_key,
            "KIS_REAL_APP_SECRET": broker.real.app_secret,
            "KIS_REAL_ACCOUNT_NO": broker.real.account,
            "KIS_REAL_BASE_URL": broker.real.url,
            "KIS_REAL_WS_URL": broker.real.ws,
            "KIS_REAL_HTS_ID": broker.real.hts_id,
        }
        with django_db_blocker.unblock():
            ready_database.lay(tmp_path / "var" / "aegis.sqlite3")
        with (
            own_address() as address,
            running(
                ["manage.py", "site", "--address", address],
                environment={**environment, "PYTHONUNBUFFERED": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as site,
        ):
            seen = []
            for line in iter(site.stdout.readline, ""):
                seen.append(line)
                if "체결통보에 연결했습니다" in line:
                    order = {"side": "buy", "code": "000660", "qty": 1}
                    requests.post(f"{broker.real.url}/_sim/external-order", json=order, timeout=60)
                if "체결  매수  SK하이닉스" in line:
                    break
            # The list that is read after connecting may be of the very moment of the fill: it is then read once more.
            ends_at = time.monotonic() + 120
            while time.monotonic() < ends_at and 1 not in filled_in(
                tmp_path / "var" / "aegis.sqlite3", "000660"
            ):
                time.sleep(0.2)
            site.send_signal(signal.SIGTERM)
            rest, errors = site.communicate(timeout=120)
    assert "체결  매수  SK하이닉스(000660)  1주" in seen[-1], (seen, errors)
    assert "체결통보: 실전\n" in seen
    assert "체결통보를 그만 받습니다." in rest
    # The sample account may have traded in it today, too: on business days from ten on it has.
    assert 1 in filled_in(tmp_path / "var" / "aegis.sqlite3", "000660")
