"""Daily prices: how far back they reach, what a split does to them, and what becomes of holes."""

import os
import subprocess
import sys
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connections

from kis.calendar import business_day_before, business_days, use_days
from kis.client.errors import KisUnreachable
from kis.models import DailyPrice, KisExecution, PriceAdjustment, PriceGap
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync.adjustments import share_ratio
from kis.sync.pool import ask_all
from kis.sync.prices import fetch_prices
from kis.sync.progress import Quiet
from tests import ready_database
from tests.factories import fill
from tests.kis.rewriting import listen
from tests.kis.syncing import SAMSUNG, TEN, Broker, connection_to

ROOT = Path(__file__).resolve().parents[2]
DAILY = "FHKST03010100"
KAKAO, CABLE = "035720", "006340"
THREE = (SAMSUNG, KAKAO, CABLE)
#: Friday the 20th after the close, and the next two days like that.
FRIDAY = TEN.replace(hour=15, minute=45)
MONDAY, TUESDAY = FRIDAY + timedelta(days=3), FRIDAY + timedelta(days=4)
ROWS = ("trade_date", "open", "high", "low", "close", "volume")


@pytest.fixture(autouse=True)
def estimate_only():
    use_days({})


@pytest.fixture
def simulator():
    with Simulator(SimulatorConfig(clock=FRIDAY, speed=0, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def broker(simulator):
    return Broker(simulator.real.url)


@pytest.fixture
def real(simulator):
    with connection_to(simulator) as connection:
        yield connection


def bring(connection, codes=THREE, *, at=FRIDAY, traded=()):
    return fetch_prices(connection.session, codes, traded=traded, at=at, listener=Quiet())


def stored(code=SAMSUNG):
    return list(DailyPrice.objects.filter(stock_code=code).order_by("trade_date").values_list(*ROWS))


def days_stored(code=SAMSUNG):
    return [row[0] for row in stored(code)]


def truth(simulator, code, first, last, *, split=1):
    """Return what the exchange knows, in shares after a split."""
    return [
        (
            bar.day,
            *(round(price / split) for price in (bar.open, bar.high, bar.low, bar.close)),
            round(bar.volume * split),
        )
        for bar in simulator.exchange.market.bars(code, first, last)
    ]


def a_year_before(day):
    return business_day_before(day, days=259)


def edit(code, change):
    """Return a change of replies: `change(row)` for each bar of a stock, which may return False to drop it."""

    def apply(request, body):
        if request.tr_id == DAILY and code in {request.params["FID_INPUT_ISCD"], "*"}:
            body["output2"] = [row for row in body["output2"] if change(row) is not False]

    return apply


def divide(ratio):
    def change(row):
        for name in ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr"):
            row[name] = str(round(int(row[name]) / ratio))
        row["acml_vol"] = str(round(int(row["acml_vol"]) * ratio))

    return change


def without(*days):
    return lambda row: row["stck_bsop_date"] not in {f"{day:%Y%m%d}" for day in days}


# --- how far back -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_first_sight_reaches_back_260_trading_days(simulator, mode):
    with connection_to(simulator, mode) as connection:
        for _ in range(3):
            result = bring(connection)
    first = a_year_before(FRIDAY.date())
    for code in THREE:
        assert stored(code) == truth(simulator, code, first, FRIDAY.date())
        assert len(stored(code)) == 260
    assert (result.stocks, result.problems, result.unfinished, result.gaps) == (3, (), 0, 0)


@pytest.mark.django_db
def test_first_trade_of_long_ago_is_reached(real, simulator):
    long_ago = business_day_before(FRIDAY.date(), days=400)
    traded = fill(1)
    KisExecution.objects.filter(pk=traded.pk).update(stock_code=SAMSUNG, exec_dt=long_ago)
    bring(real)
    assert days_stored(SAMSUNG)[0] == long_ago
    assert days_stored(KAKAO)[0] == a_year_before(FRIDAY.date())


@pytest.mark.django_db
def test_history_is_fetched_bit_by_bit_and_without_a_hole(real, simulator, monkeypatch):
    monkeypatch.setattr("kis.sync.prices.SECONDS_A_RUN", 0.0585 * 4)  # three stocks, and one window more
    lengths: list[int] = []
    unfinished = 3
    while unfinished:
        result = bring(real)
        unfinished = result.unfinished
        lengths.append(sum(len(stored(code)) for code in THREE))
        for code in THREE:
            assert days_stored(code) == list(business_days(days_stored(code)[0], FRIDAY.date()))
    assert lengths == sorted(set(lengths))
    assert lengths[-1] == 3 * 260
    assert result.asked <= 4


@pytest.mark.django_db
def test_stock_sold_long_ago_waits_until_the_holdings_are_there(real, monkeypatch):
    monkeypatch.setattr("kis.sync.prices.SECONDS_A_RUN", 0.0585 * 2)
    bring(real, THREE[:2], traded=THREE)
    assert (bool(stored(SAMSUNG)), bool(stored(KAKAO)), bool(stored(CABLE))) == (True, True, False)
    for _ in range(6):
        bring(real, THREE[:2], traded=THREE)
    assert len(stored(CABLE)) == 260


@pytest.mark.django_db
def test_stock_that_is_up_to_date_costs_no_call(real):
    bring(real)
    transport = listen(real)
    result = bring(real)
    assert (transport.asked[DAILY], result.asked, result.bars, result.stocks) == (0, 0, 0, 3)


@pytest.mark.django_db
@pytest.mark.parametrize(("minute", "last"), [(39, date(2026, 11, 20)), (40, date(2026, 11, 23))])
def test_todays_bar_is_stored_only_after_the_close(real, broker, minute, last):
    bring(real)
    broker.clock(MONDAY.replace(minute=minute))
    bring(real, at=MONDAY.replace(minute=minute))
    assert {days_stored(code)[-1] for code in THREE} == {last}


@pytest.mark.django_db
def test_next_day_costs_one_call_a_stock(real, broker, simulator):
    bring(real)
    broker.clock(TUESDAY)
    transport = listen(real)
    bring(real, at=TUESDAY)
    assert transport.asked[DAILY] == 3
    assert stored(CABLE) == truth(simulator, CABLE, a_year_before(FRIDAY.date()), TUESDAY.date())


@pytest.mark.django_db
def test_pause_of_months_leaves_no_hole(real, broker, simulator):
    bring(real)
    later = FRIDAY + timedelta(days=210)
    broker.clock(later)
    bring(real, [SAMSUNG], at=later)
    assert stored() == truth(simulator, SAMSUNG, a_year_before(FRIDAY.date()), later.date())


@pytest.mark.django_db
def test_stock_that_trades_no_more_is_asked_for_once_a_day(real, broker):
    bring(real, [SAMSUNG])
    later = FRIDAY + timedelta(days=30)
    broker.clock(later)
    transport = listen(real, edit(SAMSUNG, lambda row: row["stck_bsop_date"] <= "20261120"))
    for hour in (16, 17, 18):
        bring(real, [SAMSUNG], at=later.replace(hour=hour))
    assert transport.asked[DAILY] == 1
    bring(real, [SAMSUNG], at=later + timedelta(days=1))
    assert transport.asked[DAILY] == 2


# --- splits and corrections ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("ratio", "kept"), [(5, "5"), (0.1, "0.1")])
def test_split_replaces_the_whole_history_and_is_kept(real, broker, simulator, ratio, kept):
    bring(real)
    before = stored(KAKAO)
    broker.clock(MONDAY)
    listen(real, edit(SAMSUNG, divide(ratio)))
    result = bring(real, at=MONDAY)
    first = a_year_before(FRIDAY.date())
    assert stored()[:-1] == truth(simulator, SAMSUNG, first, FRIDAY.date(), split=ratio)
    assert days_stored()[-1] == MONDAY.date()
    assert stored(KAKAO)[:-1] == before
    [split] = PriceAdjustment.objects.all()
    assert (split.stock_code, split.after, split.day) == (SAMSUNG, FRIDAY.date(), MONDAY.date())
    assert split.ratio == Decimal(kept)
    assert result.adjusted == (f"{SAMSUNG} 1:{kept}",)
    broker.clock(TUESDAY)
    assert bring(real, at=TUESDAY).adjusted == ()
    assert PriceAdjustment.objects.count() == 1


@pytest.mark.django_db
def test_split_in_a_pause_of_a_week_is_between_two_looks(real, broker):
    bring(real, [SAMSUNG])
    later = FRIDAY + timedelta(days=7)
    broker.clock(later)
    listen(real, edit(SAMSUNG, divide(2)))
    bring(real, [SAMSUNG], at=later)
    split = PriceAdjustment.objects.get()
    assert (split.after, split.day, split.ratio) == (FRIDAY.date(), MONDAY.date(), Decimal(2))


@pytest.mark.django_db
def test_split_before_older_history_came_is_seen_by_it(real, broker, simulator, monkeypatch):
    monkeypatch.setattr("kis.sync.prices.SECONDS_A_RUN", 0.0585)
    bring(real, [SAMSUNG])
    assert len(stored()) < 260
    broker.clock(MONDAY.replace(hour=10))  # the new day is not final, so only history is asked for
    listen(real, edit(SAMSUNG, divide(5)))
    monkeypatch.setattr("kis.sync.prices.SECONDS_A_RUN", 10.0)
    bring(real, [SAMSUNG], at=MONDAY.replace(hour=10))
    assert stored() == truth(simulator, SAMSUNG, a_year_before(FRIDAY.date()), FRIDAY.date(), split=5)
    assert PriceAdjustment.objects.get().day == MONDAY.date()


@pytest.mark.django_db
def test_history_that_comes_only_in_part_leaves_the_old_one_whole(real, broker):
    bring(real)
    before = stored()
    broker.clock(MONDAY)
    calls = []

    def fail_the_third(request, body):
        edit(SAMSUNG, divide(5))(request, body)
        if request.params.get("FID_INPUT_ISCD") == SAMSUNG:
            calls.append(request)
            if len(calls) == 3:
                del body["output2"]

    plain = real.session.transport
    listen(real, fail_the_third)
    result = bring(real, at=MONDAY)
    assert stored() == before
    assert SAMSUNG in "".join(result.problems)
    assert not PriceAdjustment.objects.exists()
    real.session.transport = plain
    listen(real, edit(SAMSUNG, divide(5)))
    bring(real, at=MONDAY)
    assert days_stored()[-1] == MONDAY.date()
    assert PriceAdjustment.objects.get().ratio == 5


@pytest.mark.django_db
def test_evening_that_moves_the_newest_bar_is_no_split(real, broker):
    bring(real, [SAMSUNG])
    newest = DailyPrice.objects.get(stock_code=SAMSUNG, trade_date=FRIDAY.date())
    was = newest.close
    DailyPrice.objects.filter(pk=newest.pk).update(close=newest.low)
    broker.clock(MONDAY)
    transport = listen(real)
    bring(real, [SAMSUNG], at=MONDAY)
    assert transport.asked[DAILY] == 1
    newest.refresh_from_db()
    assert newest.close == was
    assert not PriceAdjustment.objects.exists()


@pytest.mark.django_db
def test_corrected_bar_is_followed_but_no_split(real, broker, simulator):
    bring(real, [SAMSUNG])
    row = DailyPrice.objects.get(stock_code=SAMSUNG, trade_date=business_day_before(FRIDAY.date(), days=2))
    DailyPrice.objects.filter(pk=row.pk).update(close=row.low, open=row.low)
    broker.clock(MONDAY)
    result = bring(real, [SAMSUNG], at=MONDAY)
    assert stored() == truth(simulator, SAMSUNG, a_year_before(FRIDAY.date()), MONDAY.date())
    assert result.adjusted == (f"{SAMSUNG} 고침",)
    assert not PriceAdjustment.objects.exists()


DAYS = [date(2026, 11, 16) + timedelta(days=place) for place in range(5)]


def closes(*prices):
    return {day: (price, price, price, price) for day, price in zip(DAYS, prices, strict=False)}


@pytest.mark.parametrize(
    ("old", "new", "ratio"),
    [
        ((50_000, 50_500, 49_800), (10_000, 10_100, 9_960), "5"),
        ((1_003, 1_001, 998), (201, 200, 200), "5"),  # rounded to the won
        ((1_003, 1_001, 998), (10_030, 10_010, 9_980), "0.1"),
        ((11_000, 12_100, 9_900), (10_000, 11_000, 9_000), "1.1"),
        ((30_000, 30_300), (90_000, 90_900), "0.33333333"),
        ((71_300, 72_000, 70_100), (68_127, 68_796, 66_980), "1.04657"),  # a rights issue
        ((50_000, 50_500), (50_000, 50_500), None),
        ((50_000, 50_500, 49_800), (50_000, 50_600, 49_800), None),  # one day corrected
        ((50_000, 50_500, 49_800), (10_000, 50_500, 49_800), None),
        ((50_000,), (), None),
    ],
)
def test_ratio_of_two_readings(old, new, ratio):
    found = share_ratio(closes(*old), closes(*new))
    if ratio is None:
        assert found is None
    else:
        assert found == pytest.approx(Decimal(ratio), rel=Decimal("0.0001"))


# --- holes --------------------------------------------------------------------------------------------------------

LOST = [date(2026, 10, 14), date(2026, 10, 15)]


@pytest.mark.django_db
def test_hole_that_nobody_can_fill_is_kept_with_the_reason(real):
    transport = listen(real, edit(KAKAO, without(*LOST)))
    result = bring(real)
    gap = PriceGap.objects.get()
    assert (gap.stock_code, gap.what, gap.tries, gap.filled_at) == (KAKAO, "day", 1, None)
    assert [
        gap.first_at.astimezone(FRIDAY.tzinfo).date(),
        gap.last_at.astimezone(FRIDAY.tzinfo).date(),
    ] == LOST
    assert "일봉이 없습니다" in gap.reason
    assert (result.gaps, result.problems) == (1, ())
    asked = transport.asked[DAILY]
    bring(real)
    assert transport.asked[DAILY] == asked  # not again on the same day


@pytest.mark.django_db
def test_hole_is_filled_at_the_second_question(real, simulator):
    asked = []

    def lose_once(request, body):
        if request.tr_id == DAILY and request.params["FID_INPUT_ISCD"] == KAKAO:
            asked.append(request)
            if len(asked) <= 3:
                edit(KAKAO, without(*LOST))(request, body)

    listen(real, lose_once)
    result = bring(real)
    assert len(asked) == 4
    assert stored(KAKAO) == truth(simulator, KAKAO, a_year_before(FRIDAY.date()), FRIDAY.date())
    assert (PriceGap.objects.get().filled_at, result.gaps) == (FRIDAY, 0)


@pytest.mark.django_db
def test_hole_is_asked_for_on_three_days_at_most(real, broker):
    transport = listen(real, edit(KAKAO, without(*LOST)))
    days = list(business_days(FRIDAY.date(), FRIDAY.date() + timedelta(days=10)))
    calls = []
    for day in days[:5]:
        at = FRIDAY.replace(month=day.month, day=day.day)
        broker.clock(at)
        before = transport.asked[DAILY]
        bring(real, at=at)
        calls.append(transport.asked[DAILY] - before)
    assert calls == [10, 4, 4, 3, 3]
    assert PriceGap.objects.get().tries == 3


@pytest.mark.django_db
def test_hole_that_the_broker_fills_later_is_closed(real, broker, simulator):
    plain = real.session.transport
    listen(real, edit(KAKAO, without(*LOST)))
    bring(real)
    real.session.transport = plain  # the broker has found them
    broker.clock(MONDAY)
    bring(real, at=MONDAY)
    assert PriceGap.objects.get().filled_at == MONDAY
    assert stored(KAKAO) == truth(simulator, KAKAO, a_year_before(FRIDAY.date()), MONDAY.date())


@pytest.mark.django_db
def test_day_on_which_nobody_has_a_bar_is_no_hole(real):
    listen(real, edit("*", without(LOST[0])))
    bring(real)
    assert not PriceGap.objects.exists()


@pytest.mark.django_db
def test_halted_day_is_no_hole(real):
    def halt(row):
        if row["stck_bsop_date"] == "20261014":
            row.update(stck_oprc="0", stck_hgpr="0", stck_lwpr="0", acml_vol="0")

    listen(real, edit(KAKAO, halt))
    bring(real)
    assert not PriceGap.objects.exists()
    row = DailyPrice.objects.get(stock_code=KAKAO, trade_date=LOST[0])
    assert (row.open, row.high, row.low, row.volume, row.close > 0) == (0, 0, 0, 0, True)


@pytest.mark.django_db
def test_bar_that_cannot_be_read_is_a_hole_and_told(real):
    def spoil(row):
        if row["stck_bsop_date"] == "20261014":
            row["stck_clpr"] = "12ab"

    listen(real, edit(KAKAO, spoil))
    result = bring(real)
    assert PriceGap.objects.get().stock_code == KAKAO
    assert [text.startswith(f"{KAKAO}: ") for text in result.problems] == [True]
    assert len(stored(KAKAO)) == 259


# --- trouble ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["http_500_before", "drop_field:output2"])
def test_one_stock_that_fails_leaves_the_others(real, broker, kind):
    calls = {"http_500_before": 5, "drop_field:output2": 1}[kind]
    broker.fault(DAILY, kind, times=calls)
    result = bring(real)
    [problem] = result.problems
    failed = problem.split(":")[0]
    assert (failed in THREE, result.stocks) == (True, 2)
    assert {code for code in THREE if stored(code)} == set(THREE) - {failed}
    assert bring(real).problems == ()
    assert all(len(stored(code)) == 260 for code in THREE)


@pytest.mark.django_db
def test_stock_that_never_answers_stops_no_other(real, simulator):
    """Three windows of one stock without an answer are one odd stock, not a broker that is gone."""

    class Odd:
        def __init__(self, inner):
            self.inner = inner

        def send(self, request, *, timeout_seconds):
            if request.params.get("FID_INPUT_ISCD") == CABLE:
                raise KisUnreachable("응답이 없습니다")
            return self.inner.send(request, timeout_seconds=timeout_seconds)

    real.session.transport = Odd(real.session.transport)
    result = bring(real)
    assert [text.split(":")[0] for text in result.problems] == [CABLE]
    assert [len(stored(code)) for code in (CABLE, SAMSUNG, KAKAO)] == [0, 260, 260]


@pytest.mark.django_db
def test_silent_broker_is_left_alone(real, broker):
    broker.fault(DAILY, "reset_before")
    transport = listen(real)
    codes = [f"{number:06}" for number in range(100_000, 100_400, 10)]
    result = bring(real, codes)
    assert transport.asked[DAILY] == 3 * 5  # three stocks, five attempts each
    assert result.stocks == 0
    assert "37종목" in result.problems[-1]
    assert not DailyPrice.objects.exists()


@pytest.mark.django_db
def test_unknown_stock_is_told_and_asked_for_again_only_tomorrow(real):
    transport = listen(real)
    result = bring(real, ["999990"])
    assert result.problems == ("999990: 일봉이 아직 없습니다",)
    asked = transport.asked[DAILY]
    bring(real, ["999990"])
    assert transport.asked[DAILY] == asked


# --- several threads ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_threads_ask_and_only_this_one_writes(real, simulator, monkeypatch):
    asking, writing = set(), set()

    def noting(inner):
        def send(request, *, timeout_seconds):
            asking.add(threading.current_thread().name)
            return inner(request, timeout_seconds=timeout_seconds)

        return send

    class Noting:
        send = staticmethod(noting(real.session.transport.send))

    real.session.transport = Noting()
    create = DailyPrice.objects.bulk_create

    def noted(*given, **how):
        writing.add(threading.current_thread().name)
        return create(*given, **how)

    monkeypatch.setattr(DailyPrice.objects, "bulk_create", noted)
    result = bring(real)
    assert asking >= {"kis-asks-1", "kis-asks-2"}
    assert writing == {threading.current_thread().name}
    assert result.problems == ()
    for code in THREE:
        assert stored(code) == truth(simulator, code, a_year_before(FRIDAY.date()), FRIDAY.date())
    assert real.session.requests == 1 + 9  # the token and three windows a stock, counted across the threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kis-asks")]


@pytest.mark.django_db(transaction=True)
def test_threads_close_what_they_open(real):
    opened = []
    all_here = threading.Barrier(4)

    def ask(session, job):
        all_here.wait(timeout=60)
        connection = connections["default"]
        connection.ensure_connection()
        opened.append((session, connection))
        return [job]

    assert {outcome.results for outcome in ask_all(real.session, list(range(20)), ask)} == {
        (job,) for job in range(20)
    }
    sessions = {id(session): session for session, _ in opened}
    assert len(sessions) == 4
    assert real.session not in sessions.values()
    if connections["default"].vendor == "postgresql":  # SQLite in memory lives as long as its connections
        assert {connection.connection for _, connection in opened} == {None}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", ["daily_chart", "save_bars"])
def test_error_that_is_not_the_brokers_ends_the_threads_and_is_raised(real, monkeypatch, broken):
    def fail(*given, **how):
        raise ZeroDivisionError

    monkeypatch.setattr(f"kis.sync.prices.{broken}", fail)
    with pytest.raises(ZeroDivisionError):
        bring(real)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kis-asks")]


@pytest.mark.django_db(transaction=True)
def test_jobs_after_silence_are_not_done(real):
    done = []

    def ask(session, job):
        done.append(job)
        raise KisUnreachable("아무도 없습니다")

    outcomes = list(ask_all(real.session, list(range(100)), ask))
    assert 3 <= len(outcomes) == len(done) <= 6  # whatever was under way when it was enough


@pytest.mark.django_db
def test_inside_a_transaction_nothing_leaves_this_thread(real):
    names = set()

    def ask(session, job):
        names.add(threading.current_thread().name)
        return [job]

    assert (len(list(ask_all(real.session, [1, 2, 3], ask))), names) == (3, {threading.current_thread().name})


@pytest.mark.django_db(transaction=True)
def test_real_and_paper_write_the_same_stocks_at_once(simulator, broker):
    if connections["default"].vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite in memory refuses a second writer instead of letting him wait")
    errors = []

    def keep_bringing(mode, moment, change):
        try:
            with connection_to(simulator, mode) as connection:
                if change:
                    listen(connection, change)
                for _ in range(4):
                    bring(connection, at=moment)
        except Exception as error:  # noqa: BLE001  # shown by the assertion
            errors.append(error)
        finally:
            connections.close_all()

    for moment, change in ((FRIDAY, None), (MONDAY, edit("*", divide(5)))):
        broker.clock(moment)
        both = [
            threading.Thread(target=keep_bringing, args=(mode, moment, change)) for mode in ("real", "paper")
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert errors == []
    for code in THREE:
        assert stored(code)[:-1] == truth(
            simulator, code, a_year_before(FRIDAY.date()), FRIDAY.date(), split=5
        )
    assert sorted(PriceAdjustment.objects.values_list("stock_code", "ratio")) == [
        (code, Decimal(5)) for code in sorted(THREE)
    ]


def test_demo_on_sqlite_gets_by_with_its_threads(django_db_setup, django_db_blocker, tmp_path):
    """The real thing: budget, token and books in one SQLite file, several threads, the pace of the broker."""
    environment = {
        **{name: text for name, text in os.environ.items() if name != "DATABASE_URL"},
        "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
        "AEGIS_VAR_DIR": str(tmp_path / "var"),
        "AEGIS_DEMO": "true",
    }

    def manage(*arguments):
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    with django_db_blocker.unblock():
        ready_database.lay(tmp_path / "var" / "demo.sqlite3")
    ran = manage("sync_kis_data")
    assert ran.returncode == 0, ran.stderr
    steps = {line.split()[0]: line for line in ran.stdout.splitlines() if "fetch_" in line}
    assert {"fetch_calendar", "fetch_stocks", "fetch_prices", "fetch_minutes"} <= set(steps)
    assert "새 일봉" in steps["fetch_prices"]
    assert "새 분봉" in steps["fetch_minutes"]
    assert "주의" not in ran.stdout
