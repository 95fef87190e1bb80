"""`real_balance` and `kis_balance`: what the broker says at this moment, aligned, and nothing stored."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from rich.cells import cell_len

from kis.client.errors import KisMisconfigured, KisReplyChanged
from kis.client.protocol import RawReply
from kis.client.transport import HttpTransport
from kis.models import KisAccount, KisExecution, KisOrderDetail, SyncRun
from kis.terminal import fitted
from tests.kis.syncing import TEN, Broker, Desk

COMMANDS = {"real": "real_balance", "paper": "kis_balance"}
MODES = ["real", "paper"]


@pytest.fixture
def owner(simulator, settings, monkeypatch):
    """Configure both modes as an owner would, with the simulator in the broker's place and its clock on the wall."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = {
        mode: {
            "app_key": side.app_key,
            "app_secret": side.app_secret,
            "account_no": side.account,
            "base_url": side.url,
            "ws_url": side.ws,
            "hts_id": "",
        }
        for mode, side in (("real", simulator.real), ("paper", simulator.paper))
    }
    monkeypatch.setattr("kis.connect.timezone.now", simulator.now)
    monkeypatch.setattr("kis.connect.SECONDS_BETWEEN_CALLS", {"real": 0.0, "paper": 0.0})


@pytest.fixture
def simulator(start_simulator):
    return start_simulator()


def shown(mode="real", **options):
    out = StringIO()
    call_command(COMMANDS[mode], stdout=out, **options)
    return out.getvalue()


def account_of(broker, mode):
    return next(account for account in broker.get("state")["accounts"] if account["mode"] == mode)


def rewritten(monkeypatch, change):
    """Change the replies of the broker on their way; `change(tr_id, body)` edits the body in place."""
    straight = HttpTransport.send

    def send(self, request, *, timeout_seconds):
        raw = straight(self, request, timeout_seconds=timeout_seconds)
        if request.tr_id == "tokenP":
            return raw
        body = json.loads(raw.body)
        change(request.tr_id, body)
        return RawReply(raw.status, raw.headers, json.dumps(body).encode())

    monkeypatch.setattr(HttpTransport, "send", send)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_balance_is_what_the_broker_holds(simulator, owner, mode):
    text = shown(mode)
    broker = Broker(getattr(simulator, mode).url)
    account = account_of(broker, mode)
    for position in account["positions"]:
        [row] = [line for line in text.splitlines() if f" {position['code']} " in line and "%" in line]
        assert row.split()[-7:][0] == f"{position['qty']:,}"
        assert f"{position['price'] * position['qty']:,}" in row
    assert f"합계 {len(account['positions'])}종목" in text
    for name, amount in (
        ("총평가금액", account["total"]),
        ("예수금 D+0  11/20(금)", account["cash"]["d0"]),
        ("D+1  11/23(월)", account["cash"]["d1"]),
        ("D+2  11/24(화)", account["cash"]["d2"]),
    ):
        assert re.search(rf"{re.escape(name)} +{amount:,}원", text), name
    assert re.search(r"주문가능 \(미수 없이\) +[0-9,]+원", text)
    assert "2026-11-20(금) 10:00:00 KST" in text
    assert "대사 일치  7항목" in text
    head = text.splitlines()[0]
    assert ("실전" if mode == "real" else "모의") in head
    assert "DEMO" not in text
    assert account["account"][:8] not in text
    assert f"{account['account'][:4]}****-01" in head


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_fills_of_today_are_listed_with_their_sums(simulator, owner, mode):
    text = shown(mode)
    broker = Broker(getattr(simulator, mode).url)
    filled = [
        order
        for order in broker.get("orders")
        if order["mode"] == mode and order["filled"] and order["at"].startswith("2026-11-20")
    ]
    for order in filled:
        [row] = [line for line in text.splitlines() if order["odno"] in line]
        assert ("매수" if order["side"] == "buy" else "매도") in row
        assert f"{order['amount']:,}" in row
    sums = {
        side: sum(order["amount"] for order in filled if order["side"] == side) for side in ("buy", "sell")
    }
    assert f"합계 {len(filled)}건   매수 {sums['buy']:,}원   매도 {sums['sell']:,}원" in text


@pytest.mark.django_db
def test_columns_stand_under_their_heads(owner):
    lines = shown().splitlines()
    for head in ("평가금액", "주문번호"):
        start = next(index for index, line in enumerate(lines) if head in line)
        block = [line for line in lines[start:] if line][: lines[start:].index("")]
        whole = [line for line in block if not line.strip().startswith("합계 6건")]
        assert len({cell_len(line) for line in whole}) == 1


@pytest.mark.django_db
def test_long_name_is_cut_to_its_column(simulator, owner):
    broker = Broker(simulator.real.url)
    name = "이름이아주긴레버리지인버스상장지수증권"
    body = {"code": "777770", "name": name, "qty": 3, "avg": 100}
    broker.post("account", {"deposit": 10_000_000, "positions": [body]})
    text = shown()
    assert name not in text
    assert "이름이아주긴레버리…" in text


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [("삼성전자", 8, "삼성전자"), ("삼성전자우", 8, "삼성전…"), ("NAVER", 3, "NA…"), ("", 3, "")],
)
def test_text_is_cut_by_cells(text, width, cut):
    assert fitted(text, width) == cut
    assert cell_len(cut) <= width


@pytest.mark.django_db
def test_nothing_goes_into_the_books(owner):
    shown()
    assert not KisAccount.objects.exists()
    assert not KisExecution.objects.exists()
    assert not KisOrderDetail.objects.exists()
    assert not SyncRun.objects.exists()


@pytest.mark.django_db
def test_every_look_is_of_its_own_moment(simulator, owner, real):
    broker = Broker(simulator.real.url)
    broker.account(_005930=(100, 60_000))
    assert "오늘 체결 없음" in shown()
    number = Desk(broker, real).trade("sell", 7)
    broker.clock(TEN + timedelta(seconds=90))
    text = shown()
    assert number in text
    assert "10:01:30 KST" in text


@pytest.mark.django_db
def test_empty_account_says_so(simulator, owner):
    Broker(simulator.real.url).account(deposit=0)
    text = shown()
    assert "보유 종목 없음" in text
    assert "오늘 체결 없음" in text
    assert "대사 일치" in text


@pytest.mark.django_db
def test_cash_that_is_short_is_warned_of(simulator, owner):
    Broker(simulator.real.url).account(deposit=-1_234_567, _005930=(100, 60_000))
    text = shown()
    assert "미수 위험  결제할 돈이 모자랍니다: D+0 예수금 11/20(금) −1,234,567원" in text


@pytest.mark.django_db
def test_more_orderable_than_cash_is_warned_of(owner, monkeypatch):
    def generous(tr_id, body):
        if tr_id == "TTTC8908R":
            body["output"]["nrcvb_buy_amt"] = "99999999"

    rewritten(monkeypatch, generous)
    text = shown()
    assert "미수 주의  주문가능금액 99,999,999원이" in text


@pytest.mark.django_db
def test_orderable_cash_that_is_not_told_is_left_open(owner, monkeypatch):
    def silent(tr_id, body):
        if tr_id == "TTTC8908R":
            del body["output"]

    rewritten(monkeypatch, silent)
    assert re.search(r"주문가능 \(미수 없이\) +–원", shown())


@pytest.mark.django_db
def test_difference_is_named_with_both_figures(owner, monkeypatch):
    def more(tr_id, body):
        if tr_id == "TTTC8434R":
            body["output2"][0]["tot_evlu_amt"] = str(int(body["output2"][0]["tot_evlu_amt"]) + 57_200)

    rewritten(monkeypatch, more)
    text = shown()
    assert "대사 차이 1건" in text
    [row] = [line for line in text.splitlines() if "평가 + D+2 현금" in line]
    assert row.endswith("차이 +57,200원")


@pytest.mark.django_db
def test_mode_that_is_not_configured_is_named(owner, settings):
    settings.KIS_ACCOUNTS = settings.KIS_ACCOUNTS | {
        "paper": settings.KIS_ACCOUNTS["paper"] | {"app_key": ""}
    }
    with pytest.raises(KisMisconfigured, match="KIS_PAPER_APP_KEY"):
        shown("paper")


@pytest.mark.django_db
@pytest.mark.parametrize("tr", ["TTTC8434R", "TTTC0081R"])
def test_answer_that_cannot_be_read_shows_no_figures_at_all(simulator, owner, tr):
    Broker(simulator.real.url).fault(tr, "drop_field:output2")
    out = StringIO()
    with pytest.raises(KisReplyChanged):
        call_command("real_balance", stdout=out)
    assert out.getvalue() == ""


@pytest.mark.django_db
def test_demo_is_marked(settings, tmp_path):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "simulator.json"
    assert "DEMO" in shown().splitlines()[0]
