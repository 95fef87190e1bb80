"""Closes of the indices, the account next to them, and the command that prints both."""

from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from rich.cells import cell_len

from kis.client.endpoints.charts import index_chart
from kis.korean import SEOUL
from kis.models import IndexPrice, KisAccount
from kis.portfolio.unknown import Unknown
from kis.returns import NoDays, returns_of
from kis.sync.index_prices import fetch_index_prices, index_levels
from tests.kis.living import life_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("days_of_the_books")]

MON, TUE, WED, THU, FRI = (date(2026, 11, day) for day in range(16, 21))
KOSPI, KOSDAQ = IndexPrice.Index.KOSPI, IndexPrice.Index.KOSDAQ
MODES = ["real", "paper"]
BLANK = {"app_key": "", "app_secret": "", "account_no": "", "base_url": "", "ws_url": ""}


@pytest.fixture(params=MODES)
def life(request, start_simulator):
    simulator = start_simulator(clock=datetime(2026, 11, 16, 9, 10, tzinfo=SEOUL), sample_accounts=False)
    with life_of(simulator, request.param) as life:
        life.broker.account(10_000_000, _005930=(100, 60_000))
        life.price(60_000)
        life.sync()
        yield life


def play(life, *prices):
    """Play a day for each price from Monday on; None is a day that nobody looks at."""
    for on, price in zip((MON, TUE, WED, THU, FRI), prices, strict=False):
        if price is None:
            continue
        life.at(on, "10:00")
        life.price(price)
        life.evening(on)


def put_index(index, *closes):
    """Replace the closes of an index, from Monday on."""
    IndexPrice.objects.filter(index_code=index).delete()
    for on, close in zip((MON, TUE, WED, THU, FRI), closes, strict=False):
        if close is not None:
            IndexPrice.objects.create(index_code=index, trade_date=on, close=Decimal(close))


def run(*arguments):
    output = StringIO()
    call_command("returns", *arguments, stdout=output)
    return output.getvalue()


# --- closes --------------------------------------------------------------------------------------------------------


def test_closes_are_the_brokers_and_begin_with_the_first_day(life):
    play(life, 60_000, 61_000, 62_000)
    for index in IndexPrice.Index:
        chart = index_chart(life.connection.session, code=index.value, first=MON, last=WED)
        stored = IndexPrice.objects.filter(index_code=index).order_by("trade_date")
        assert list(stored.values_list("trade_date", "close")) == [(bar.day, bar.close) for bar in chart.bars]
        assert len(stored) == 3


def test_what_is_there_costs_no_call(life):
    play(life, 60_000)
    asked = life.connection.session.requests
    found = fetch_index_prices(life.connection.session, since=MON, at=life.connection.now())
    assert (found.indices, found.asked, life.connection.session.requests) == (2, 0, asked)


def test_close_is_not_stored_before_it_is_one(life):
    life.at(MON, "15:35")
    found = fetch_index_prices(life.connection.session, since=MON, at=life.connection.now())
    assert (found.asked, IndexPrice.objects.exists()) == (0, False)


def test_snapshot_says_where_the_indices_stand_and_the_close_before(the_market, life):
    play(life, 60_000)
    life.at(TUE, "10:00")
    life.sync()
    levels = KisAccount.objects.newest_first().first().indices
    closes = dict(IndexPrice.objects.filter(trade_date=MON).values_list("index_code", "close"))
    assert {code: (level["day"], Decimal(level["before"])) for code, level in levels.items()} == {
        code: ("2026-11-17", close) for code, close in closes.items()
    }
    bars = index_chart(life.connection.session, code=KOSPI, first=TUE, last=TUE).bars
    assert Decimal(levels[KOSPI]["level"]) == bars[0].close


def test_indices_do_not_stand_anywhere_before_the_market_opens(life):
    life.at(TUE, "08:30")
    assert index_levels(life.connection.session, at=life.connection.now()) == ({}, ())


def test_pause_is_made_good_and_a_fresh_hole_is_filled(life):
    play(life, 60_000, None, None, 61_000)
    assert IndexPrice.objects.count() == 8
    IndexPrice.objects.filter(trade_date=TUE, index_code=KOSPI).delete()
    found = fetch_index_prices(life.connection.session, since=MON, at=life.connection.now())
    assert (found.asked, IndexPrice.objects.count()) == (1, 8)


def test_corrected_close_replaces_the_old_one(life):
    play(life, 60_000)
    right = IndexPrice.objects.get(index_code=KOSPI).close
    IndexPrice.objects.filter(index_code=KOSPI).update(close=1, trade_date=MON)
    life.at(TUE, "16:00")
    fetch_index_prices(life.connection.session, since=date(2026, 11, 13), at=life.connection.now())
    assert IndexPrice.objects.get(index_code=KOSPI, trade_date=MON).close == right


@pytest.mark.parametrize("changes", [{"close": 0}, {"index_code": "2001"}, {"trade_date": MON}])
def test_close_that_cannot_be_is_refused(changes):
    IndexPrice.objects.create(index_code=KOSPI, trade_date=MON, close=2500)
    row = {"index_code": KOSPI, "trade_date": TUE, "close": 2500, **changes}
    with pytest.raises(IntegrityError), transaction.atomic():
        IndexPrice.objects.create(**row)


# --- the account next to them -----------------------------------------------------------------------------------------


def test_excess_over_both_indices_by_the_day_and_in_all(life):
    play(life, 60_000, 61_600, 60_000)  # +1 % of 16,000,000, then −160,000 of 16,160,000
    put_index(KOSPI, "2500", "2550", "2550")
    put_index(KOSDAQ, "800", "796", "804")
    first, tue, wed = returns_of(life.account, is_paper=life.is_paper).days
    assert isinstance(first.against[KOSPI].excess, Unknown)
    assert tue.against[KOSPI].excess == Decimal("0.01") - Decimal("0.02")
    assert tue.against[KOSDAQ].excess == Decimal("0.01") + Decimal("0.005")
    excess: Any = wed.against[KOSPI].excess
    assert round(excess, 10) == round(Decimal(-160) / 16160, 10)
    assert wed.against[KOSPI].comparison.excess == Decimal("-0.02")
    assert wed.against[KOSDAQ].comparison.excess == Decimal("-0.005")


def test_period_begins_at_the_close_before_it(life):
    play(life, 60_000, 61_600, 63_216, 64_800)
    put_index(KOSPI, "2500", "2550", "2601", "2601")
    found = returns_of(life.account, is_paper=life.is_paper, first=WED, last=THU)
    assert (found.base, [one.day for one in found.days]) == (TUE, [WED, THU])
    assert found.days[0].cumulative == found.days[0].rate == Decimal(16_321_600) / 16_160_000 - 1
    cumulative: Any = found.days[1].cumulative
    assert round(cumulative, 12) == round(Decimal(16_480_000) / 16_160_000 - 1, 12)
    assert found.days[1].against[KOSPI].comparison.index == Decimal("0.02")


def test_index_without_a_close_is_unknown_and_says_which(life):
    play(life, 60_000, 61_600, 60_000, 60_600)
    put_index(KOSPI, "2500", None, "2550", "2600")
    _, tue, wed, thu = returns_of(life.account, is_paper=life.is_paper).days
    assert "2026-11-17(화)의 지수 종가가 없습니다" in tue.against[KOSPI].excess.reason
    assert isinstance(wed.against[KOSPI].excess, Unknown)
    assert thu.against[KOSPI].rate == Decimal(2600) / 2550 - 1
    assert "지수 종가가 없습니다" in thu.against[KOSPI].comparison.reason
    assert not isinstance(thu.against[KOSDAQ].comparison, Unknown)


def test_index_over_a_hole_is_compared_over_the_same_stretch(life):
    play(life, 60_000, None, 61_600)
    put_index(KOSPI, "2500", "9999", "2525")
    _, hole, wed = returns_of(life.account, is_paper=life.is_paper).days
    assert isinstance(hole.value, Unknown)
    assert isinstance(wed.rate, Unknown)
    assert isinstance(wed.against[KOSPI].excess, Unknown)
    assert wed.cumulative == Decimal("0.01")
    assert wed.against[KOSPI].comparison.excess == 0


def test_period_without_a_close_is_no_zero(life):
    with pytest.raises(NoDays, match="마감한 날이 없습니다"):
        returns_of(life.account, is_paper=life.is_paper)
    play(life, 60_000, None, 60_000)
    with pytest.raises(NoDays):
        returns_of(life.account, is_paper=life.is_paper, first=TUE, last=TUE)


# --- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def configured(settings, life):
    """Let the command find the account as its owner has configured it."""
    settings.AEGIS_DEMO = False
    number = f"{life.account.number}-{life.account.product_code}"
    mine = {**BLANK, "app_key": "k" * 36, "app_secret": "s" * 180, "account_no": number}
    settings.KIS_ACCOUNTS = dict.fromkeys(MODES, BLANK) | {life.mode: mine}
    return life


def test_returns_are_printed_in_columns_with_the_reasons_below(configured):
    play(configured, 60_000, None, 61_600, 63_216)
    put_index(KOSPI, "2500", "2510", "2525", "2550.25")
    lines = run("--mode", configured.mode, "--money-weighted").splitlines()
    assert "1234****-01" in lines[0] or "5001****-01" in lines[0]
    heads = next(line for line in lines if "총평가금액" in line)
    assert heads.split()[:5] == ["날짜", "총평가금액", "입출금", "일", "손익"]
    rows = [
        line for line in lines if line.strip().startswith("11/") and line.rstrip()[-2:] in {"확정", "추정"}
    ]
    assert {cell_len(line) for line in rows} == {cell_len(rows[0])}
    assert rows[0].split()[1:3] == ["16,000,000", "0"]
    assert rows[1].split()[1:3] == ["산출", "불가"]
    thursday = rows[3].split()
    assert thursday[0:6] == ["11/19(목)", "16,321,600", "0", "+161,600", "+1.00%", "+2.01%"]
    # The account made 1.00 % on Thursday, the index as well.
    assert thursday[6:8] == ["0.00%p", "0.00%p"]
    reasons = "\n".join(lines[lines.index("  산출 불가") :])
    assert "11/17(화)   총평가금액, 입출금, 일 손익, 일 수익률, 누적" in reasons
    assert "이 날의 마감 자료가 없습니다." in reasons
    assert "11/17(화) 마감 자료가 없어 하루의 것으로 나눌 수 없습니다." in reasons
    assert lines[-2].split()[:3] == ["금액가중", "수익률", "+2.01%"]
    assert "1년이 되지 않은" in lines[-1]


def test_returns_of_a_period_and_of_one_of_several_accounts(configured):
    play(configured, 60_000, 61_600, 61_600)
    snapshot = KisAccount.objects.newest_first().first()
    snapshot.pk, snapshot.account_no = None, "87654321"
    snapshot.save()
    name = f"{configured.account.number[:4]}****-01"
    text = run("--account", name, "--from", "2026-11-17", "--to", "2026-11-17")
    assert "11/17(화)" in text
    assert "11/18(수)" not in text
    assert "11/16(월) 마감부터" in text
    assert configured.account.number not in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "yesterday"), "--from에는 2026-11-16 같은 날짜를"),
        (("--from", "2026-02-30"), "--from에는 2026-11-16 같은 날짜를"),
        (("--from", "2026-11-18", "--to", "2026-11-17"), "늦습니다"),
        (("--from", "2030-01-01"), "마감한 날이 없습니다"),
    ],
)
def test_question_that_has_no_answer_is_one_sentence(configured, arguments, sentence):
    play(configured, 60_000)
    with pytest.raises(CommandError, match=sentence):
        run("--mode", configured.mode, *arguments)


def test_account_without_keys_is_found_in_the_books(configured, settings):
    play(configured, 60_000)
    settings.KIS_ACCOUNTS = dict.fromkeys(MODES, BLANK)
    assert "16,000,000" in run("--mode", configured.mode)
    other = "paper" if configured.mode == "real" else "real"
    with pytest.raises(CommandError, match="저장된 계좌 자료가 아직 없습니다"):
        run("--mode", other)
