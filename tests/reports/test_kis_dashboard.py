"""The command, as it is typed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from kis.accounts import Account, Source
from kis.client.codes import Environment
from kis.client.errors import KisMisconfigured
from kis.korean import number
from kis.simulator.server import Simulator, SimulatorConfig
from reports import publishing
from reports.files import file_name
from reports.fonts import FontsUnavailable
from reports.pdf import render_html
from tests.factories import AT, Stock, fill, order, snapshot
from tests.kis.fetching import configure
from tests.kis.syncing import TEN
from tests.reports.conftest import pages_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch, settings, tmp_path):
    """Print nothing but a mark: what the PDF looks like is tested elsewhere."""
    settings.AEGIS_DEMO = False
    settings.REPORT_DIR = tmp_path / "Realtime"
    settings.KIS_ACCOUNTS = {mode: {"app_key": "", "account_no": ""} for mode in ("real", "paper")}
    monkeypatch.setattr(
        publishing, "render_pdf", lambda dashboard, amounts: f"%PDF {dashboard.as_of}".encode()
    )


def environment() -> Environment:
    raise KisMisconfigured("없음")


def run(*arguments):
    output = StringIO()
    call_command("kis_dashboard", *arguments, stdout=output)
    return output.getvalue()


def test_kis_dashboard_writes_the_file_and_says_what_is_in_it(settings):
    account = snapshot([Stock()])
    fill(1)
    order(account, 1)
    lines = run("--mode", "real").splitlines()
    assert "실전" in lines[0]
    assert "1234****-01" in lines[0]
    assert lines[1].split() == ["총평가금액", "48,957,778원"]
    assert lines[2].split() == ["평가손익", "−2,136,630원", "−5.28%"]
    assert "1종목 · 체결 1건 · 미체결 1건 · 2025-06-16(월) 14:20:00 기준" in lines[3]
    assert lines[-1].split() == ["PDF", str(settings.REPORT_DIR / "Kis_Dashboard.pdf")]
    assert (settings.REPORT_DIR / "Kis_Dashboard.pdf").read_bytes() == b"%PDF 2025-06-16 14:20:00+09:00"


def test_kis_dashboard_defaults_to_paper_without_a_real_key():
    snapshot([Stock()], is_paper=True)
    assert "모의" in run().splitlines()[0]


def test_kis_dashboard_of_demo_says_so_first_and_is_never_stale(settings, monkeypatch):
    settings.AEGIS_DEMO = True
    snapshot([Stock()])
    seen = []

    def printed(dashboard, amounts):
        seen.append(dashboard)
        return b"%PDF"

    monkeypatch.setattr(publishing, "render_pdf", printed)
    assert run().startswith("DEMO")
    assert (seen[0].stale_for, seen[0].generated_at, seen[0].is_demo) == (None, AT, True)


def test_kis_dashboard_takes_the_snapshot_of_a_moment(tmp_path):
    snapshot([Stock()], at=AT - timedelta(hours=1))
    snapshot([Stock()])
    path = tmp_path / "old.pdf"
    output = run("--mode", "real", "--as-of", "2025-06-16T13:59:59", "--output", str(path))
    assert "13:20:00" in output
    assert path.read_bytes() == b"%PDF 2025-06-16 13:20:00+09:00"


def test_kis_dashboard_of_a_day_is_the_last_of_it():
    snapshot([Stock()], at=AT - timedelta(days=3))
    snapshot([Stock()])
    assert "2025-06-13(금) 14:20:00" in run("--mode", "real", "--as-of", "2025-06-15")
    assert "2025-06-16(월) 14:20:00" in run("--mode", "real", "--as-of", "2025-06-16")


def test_kis_dashboard_uses_the_configured_account(settings):
    settings.KIS_ACCOUNTS = {
        "real": {"app_key": "key", "account_no": "12345678-01"},
        "paper": {"app_key": "", "account_no": ""},
    }
    snapshot([Stock()])
    snapshot([Stock()], at=AT + timedelta(minutes=1), account_no="99999999")
    assert "1234****-01" in run()


def test_kis_dashboard_asks_the_broker_without_touching_the_books(settings, tmp_path, monkeypatch, capsys):
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        configure(settings, simulator, modes=("real",))
        monkeypatch.setattr("django.utils.timezone.now", lambda: TEN)
        seen = []

        def printed(dashboard, amounts):
            seen.append(dashboard)
            return b"%PDF"

        monkeypatch.setattr(publishing, "render_pdf", printed)
        before = tables()
        output = run("--use-api")
        after = tables()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"published_report", "kis_access_token", "kis_rate_budget"}
    [dashboard] = seen
    assert (dashboard.is_direct, dashboard.as_of, dashboard.stale_for) == (True, TEN, None)
    assert f"{number(dashboard.account.total)}원" in output
    assert len(dashboard.holdings) == 20
    assert all(row.closes for row in dashboard.holdings)
    assert dashboard.reconciliation.differing == ()
    html = render_html(dashboard)
    assert html.count("증권사에서 바로 조회") >= 3  # strip, foot, list of inquiries
    assert "#None" not in html


def test_kis_dashboard_asks_nobody_without_keys():
    with pytest.raises(KisMisconfigured, match="모의투자 설정이 없습니다"):
        run("--use-api")


def tables():
    return {
        model._meta.db_table: sorted(map(repr, model._base_manager.values_list()))  # noqa: SLF001  # any model has them
        for model in apps.get_models()
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--use-api", "--as-of", "2025-06-16"], "--as-of, --sync와 함께 쓸 수 없습니다"),
        (["--use-api", "--sync"], "--as-of, --sync와 함께 쓸 수 없습니다"),
        (["--use-api", "--use-db"], "함께 쓸 수 없습니다"),
        (["--mode", "real"], "python manage.py sync_kis_data --mode real"),
        (["--mode", "live"], "real"),
        (["--as-of", "어제"], "--as-of를 읽을 수 없습니다: 어제"),
        (["--as-of", "2025-13-45T99:00"], "--as-of를 읽을 수 없습니다"),
        (["--as-of", "2025-06-16T14:20:00"], "이전의 모의 계좌 자료가 없습니다"),
    ],
)
def test_kis_dashboard_refuses_in_one_korean_sentence(arguments, sentence):
    with pytest.raises(CommandError) as refused:
        run(*arguments)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_kis_dashboard_keeps_the_old_file_when_rendering_fails(settings, monkeypatch):
    snapshot([Stock()])
    run("--mode", "real")
    path = settings.REPORT_DIR / "Kis_Dashboard.pdf"

    def broken(dashboard, amounts):
        raise FontsUnavailable("글꼴이 없습니다.")

    monkeypatch.setattr(publishing, "render_pdf", broken)
    with pytest.raises(CommandError, match="글꼴이 없습니다"):
        run("--mode", "real")
    assert path.read_bytes().startswith(b"%PDF")


def test_kis_dashboard_explains_an_unwritable_output(tmp_path):
    snapshot([Stock()])
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="쓸 수 없습니다"):
        run("--mode", "real", "--output", str(tmp_path / "file" / "x.pdf"))


def test_kis_dashboard_sends_the_file_on_and_says_where_it_is(settings, tmp_path):
    snapshot([Stock()])
    settings.REPORT_SYNC_DIR = str(tmp_path)
    assert run("--mode", "real").splitlines()[-1].split()[:2] == ["보냄", str(tmp_path)]
    assert (tmp_path / "Kis_Dashboard.pdf").read_bytes().startswith(b"%PDF")


def test_kis_dashboard_warns_where_the_file_cannot_be_sent(settings, tmp_path):
    snapshot([Stock()])
    settings.REPORT_SYNC_DIR = str(tmp_path / "no" / "drive")
    last = run("--mode", "real").splitlines()[-1]
    assert "폴더가 없음" in last
    assert "PDF는 이 컴퓨터에 그대로 있습니다" in last
    assert (settings.REPORT_DIR / "Kis_Dashboard.pdf").exists()


def test_kis_dashboard_does_not_send_what_was_asked_for_elsewhere(settings, tmp_path):
    snapshot([Stock()])
    settings.REPORT_SYNC_DIR = str(tmp_path)
    assert "보냄" not in run("--mode", "real", "--output", str(tmp_path / "sub" / "x.pdf"))
    assert not (tmp_path / "Kis_Dashboard.pdf").exists()


def test_name_of_a_file_has_only_what_file_names_are_made_of(settings):
    settings.KIS_ACCOUNTS = {
        mode: {"app_key": "key", "account_no": "12345678-01"} for mode in ("real", "paper")
    }
    account = Account("../연금 (2)\n-e", "real", Source.DATABASE, None, environment=environment)
    assert file_name(account) == "Kis_Dashboard_xxx연금 (2)x-e.pdf"


def test_kis_dashboard_names_a_difference():
    account = snapshot([Stock()])
    type(account).objects.update(total_eval_amt=account.total_eval_amt + 57_200)
    assert "차이 57,200원" in run("--mode", "real")


def test_kis_dashboard_prints_a_real_pdf(monkeypatch, tmp_path):
    monkeypatch.undo()
    snapshot([Stock()])
    path = tmp_path / "x.pdf"
    call_command("kis_dashboard", "--mode", "real", "--output", str(path), stdout=StringIO())
    assert "삼성전자" in "".join(pages_of(path.read_bytes()))
