"""Minute prices: what is stored while the market trades, what is asked for again, and what counts as a hole."""

from datetime import date, datetime, timedelta

import pytest

from kis.calendar import business_day_before, use_days
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.korean import SEOUL
from kis.models import DailyPrice, MinPrice, PriceGap, PriceHistory
from kis.simulator.minutes import minute_bars
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync.minute_gaps import NOT_ASKED, NOT_OFFERED, holes
from kis.sync.minute_plans import session_minutes
from kis.sync.minutes import fetch_minutes
from kis.sync.progress import Quiet
from tests.kis.rewriting import listen
from tests.kis.syncing import SAMSUNG, Broker, connection_to

NOW, PAST = "FHKST03010200", "FHKST03010230"
KAKAO, CABLE = "035720", "006340"
THREE = (SAMSUNG, KAKAO, CABLE)
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
REAL_CALL = SECONDS_BETWEEN_CALLS["real"]


def at(hour, minute, second=0, *, day=FRIDAY):
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=SEOUL)


@pytest.fixture(autouse=True)
def estimate_only():
    use_days({})


@pytest.fixture
def simulator():
    with Simulator(SimulatorConfig(clock=at(8, 0), speed=0, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def broker(simulator):
    return Broker(simulator.real.url)


@pytest.fixture
def real(simulator):
    with connection_to(simulator) as connection:
        yield connection


@pytest.fixture
def paper(simulator):
    with connection_to(simulator, "paper") as connection:
        yield connection


@pytest.fixture
def run(broker):
    """Return a function that sets the clock and fetches; without past days unless a test is about them."""

    def fetch(connection, moment, codes=THREE, **how):
        broker.clock(moment)
        options = {"past": False, **how}
        return fetch_minutes(connection.session, codes, at=moment, listener=Quiet(), **options)

    return fetch


def truth(simulator, code, until, *, first=None):
    """Return what the exchange knows of a day up to a minute that is over."""
    bars = minute_bars(
        simulator.exchange.market, code, until=until, now=until + timedelta(seconds=59), count=400
    )
    return [
        (bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume)
        for bar in reversed(bars)
        if first is None or bar.at >= first
    ]


def stored(code=SAMSUNG, day=FRIDAY):
    rows = MinPrice.objects.filter(stock_code=code, bar_at__date=day).order_by("bar_at")
    return [
        (bar_at.astimezone(SEOUL), *rest)
        for bar_at, *rest in rows.values_list("bar_at", "open", "high", "low", "close", "volume")
    ]


def clocks(code=SAMSUNG, day=FRIDAY):
    return [f"{row[0]:%H:%M}" for row in stored(code, day)]


def drop(codes, *lost, day=FRIDAY):
    """Return a change of replies that leaves out these minutes (`10:05`) of a day."""
    hours = {text.replace(":", "") + "00" for text in lost}

    def change(request, body):
        if request.tr_id in {NOW, PAST} and request.params["FID_INPUT_ISCD"] in codes:
            body["output2"] = [
                row
                for row in body["output2"]
                if row["stck_cntg_hour"] not in hours or row["stck_bsop_date"] != f"{day:%Y%m%d}"
            ]

    return change


# --- today --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_minutes_that_are_over_are_stored_and_the_forming_one_never(simulator, run, mode):
    with connection_to(simulator, mode) as connection:
        for _ in range(3):  # paper allows a few calls a run
            result = run(connection, at(9, 31, 30))
    for code in THREE:
        assert clocks(code)[0] == "09:00"
        assert clocks(code)[-1] == "09:30"
        assert stored(code) == truth(simulator, code, at(9, 30))
    assert (result.stocks, result.problems, result.gaps, result.unfinished) == (3, (), 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("second", "last"), [(0, "09:30"), (59, "09:30")])
def test_minute_is_over_with_its_last_second(real, run, second, last):
    run(real, at(9, 31, second))
    assert clocks()[-1] == last
    run(real, at(9, 32, 0))
    assert clocks()[-1] == "09:31"


@pytest.mark.django_db
def test_run_every_minute_costs_a_call_a_stock_and_adds_up_to_the_day(real, run, simulator):
    run(real, at(15, 10))
    transport = listen(real)
    for minute in range(11, 32):
        run(real, at(15, minute, 5))
    assert transport.asked[NOW] == 3 * 21
    for code in THREE:
        assert stored(code) == truth(simulator, code, at(15, 30))
        day = simulator.exchange.market.bar(code, FRIDAY)
        assert sum(row[5] for row in stored(code)) == day.volume
    assert clocks()[-2:] == ["15:19", "15:30"]
    assert run(real, at(15, 59)).asked == 0  # the day is complete


@pytest.mark.django_db
def test_last_two_minutes_are_asked_for_again(real, run, simulator):
    run(real, at(9, 31))
    newest = MinPrice.objects.filter(stock_code=SAMSUNG).order_by("-bar_at")
    for row in newest[:4]:
        MinPrice.objects.filter(pk=row.pk).update(volume=0)  # as if they had been read half made
    run(real, at(9, 33))
    wrong = [
        row for row, right in zip(stored(), truth(simulator, SAMSUNG, at(9, 32)), strict=True) if row != right
    ]
    assert [f"{row[0]:%H:%M}" for row in wrong] == ["09:27"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment",
    [at(8, 59), at(9, 0, 59), at(11, 0, day=date(2026, 11, 21)), at(11, 0, day=date(2026, 12, 25))],
    ids=["before the opening", "first minute", "saturday", "holiday"],
)
def test_without_a_session_nobody_is_asked(real, run, moment):
    transport = listen(real)
    result = run(real, moment, past=True)
    assert (sum(transport.asked.values()), result.asked, MinPrice.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_minutes_that_are_young_enough_are_left_to_the_next_run(real, run):
    run(real, at(10, 0))
    transport = listen(real)
    ten = timedelta(minutes=10)
    assert run(real, at(10, 9), older_than=ten).asked == 0
    assert run(real, at(10, 11), older_than=ten).asked == 3
    run(real, at(15, 25))
    asked = transport.asked[NOW]
    run(real, at(15, 31), older_than=ten)  # the day is over, nobody comes after us
    assert transport.asked[NOW] == asked + 3
    assert clocks()[-1] == "15:30"


@pytest.mark.django_db
def test_run_does_what_its_time_allows_and_stocks_take_turns(real, run, simulator):
    first = run(real, at(10, 0), seconds=REAL_CALL * 3.5)
    assert (first.asked, first.unfinished) == (3, 3)
    assert [clocks(code)[-1] for code in THREE] == ["09:29"] * 3
    second = run(real, at(10, 0, 30), seconds=REAL_CALL * 2.5)
    assert second.asked == 2
    assert sorted(clocks(code)[-1] for code in THREE) == ["09:29", "09:56", "09:56"]
    run(real, at(10, 1), seconds=REAL_CALL * 2.5)
    assert min(clocks(code)[-1] for code in THREE) == "09:56"
    while run(real, at(10, 1), seconds=REAL_CALL * 2.5).asked:
        pass
    for code in THREE:
        assert stored(code) == truth(simulator, code, at(10, 0))


# --- holes --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_hole_is_asked_for_once_more_and_then_kept(real, run):
    lost = ("10:05", "10:06", "10:07")
    transport = listen(real, drop({KAKAO}, *lost))
    result = run(real, at(11, 0))
    gap = PriceGap.objects.get()
    assert (gap.stock_code, gap.what, gap.tries, gap.filled_at) == (KAKAO, "minute", 1, None)
    assert [gap.first_at, gap.last_at] == [at(10, 5), at(10, 7)]
    assert "분봉이 없습니다" in gap.reason
    assert (result.gaps, result.problems) == (1, ())
    assert transport.asked[NOW] == 3 * 4 + 1
    run(real, at(11, 1))
    assert transport.asked[NOW] == 3 * 4 + 1 + 3


@pytest.mark.django_db
def test_hole_is_filled_by_the_second_answer(real, run, simulator):
    asked = []

    def lose_once(request, body):
        if request.params.get("FID_INPUT_ISCD") == KAKAO:
            asked.append(request)
            if len(asked) <= 4:
                drop({KAKAO}, "10:05")(request, body)

    listen(real, lose_once)
    result = run(real, at(11, 0))
    assert stored(KAKAO) == truth(simulator, KAKAO, at(10, 59))
    assert (PriceGap.objects.get().filled_at, result.gaps) == (at(11, 0), 0)


@pytest.mark.django_db
def test_minutes_without_trades_of_a_quiet_stock_are_no_holes(real, run):
    quiet = [f"{minute:%H:%M}" for minute in session_minutes(FRIDAY)[::4]]
    transport = listen(real, drop({CABLE}, *quiet))
    result = run(real, at(11, 0))
    assert (PriceGap.objects.count(), result.gaps) == (0, 0)
    assert transport.asked[NOW] == 3 * 4
    assert len(clocks(CABLE)) == 90


@pytest.mark.django_db
def test_minutes_that_nobody_has_are_no_holes(real, run):
    listen(real, drop(set(THREE), "10:05", "10:06", *(f"09:{minute:02}" for minute in range(60))))
    run(real, at(11, 0))
    assert not PriceGap.objects.exists()


@pytest.mark.django_db
def test_only_stock_has_nobody_to_compare_with(real, run):
    listen(real, drop({KAKAO}, "10:05"))
    run(real, at(11, 0), [KAKAO])
    assert PriceGap.objects.count() == 1


DAY = session_minutes(FRIDAY)


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        ([], []),
        ([DAY[40]], [(40, 40)]),
        (DAY[40:100], [(40, 99)]),  # however long: the rest of the day trades steadily
        ([*DAY[:60], DAY[200]], [(0, 59), (200, 200)]),
        (DAY[::20], []),  # one minute in twenty: that is how the stock trades
        (DAY[10:], []),  # too little to tell
    ],
)
def test_holes_of_a_stock_that_trades_steadily(missing, found):
    present = set(DAY) - set(missing)
    assert [(DAY.index(hole.first), DAY.index(hole.last)) for hole in holes(present, DAY)] == found


# --- days that are over -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_afternoon_that_was_missed_is_fetched_the_next_day(real, run, simulator):
    run(real, at(13, 0))
    result = run(real, at(9, 5, day=MONDAY), past=True)
    for code in THREE:
        assert stored(code) == truth(simulator, code, at(15, 30))
        assert clocks(code, MONDAY)[-1] == "09:04"
    gaps = list(PriceGap.objects.all())
    assert [(gap.first_at, gap.last_at) for gap in gaps] == [(at(13, 0), at(15, 30))] * 3
    assert {gap.filled_at for gap in gaps} == {at(9, 5, day=MONDAY)}
    assert (result.problems, result.gaps) == ((), 0)


@pytest.mark.django_db
def test_paper_writes_down_what_it_cannot_have_and_does_not_ask(paper, run):
    transport = listen(paper)
    for minute in range(3):
        run(paper, at(13, minute), past=True)
    before = business_day_before(FRIDAY, days=5)
    assert PriceGap.objects.filter(reason=NOT_OFFERED).count() == 3 * 5
    assert PriceGap.objects.earliest("first_at").first_at == at(9, 0, day=before)
    asked = transport.asked[NOW]
    run(paper, at(9, 5, day=MONDAY), past=True)
    run(paper, at(9, 6, day=MONDAY), past=True)
    missed = PriceGap.objects.filter(first_at__gte=at(9, 0))
    assert {(gap.stock_code, gap.last_at, gap.reason, gap.tries) for gap in missed} == {
        (code, at(15, 30), NOT_OFFERED, 0) for code in THREE
    }
    assert transport.asked[NOW] == asked + 6
    assert transport.asked[PAST] == 0


@pytest.mark.django_db
def test_real_account_fills_what_paper_could_not(paper, real, run, simulator):
    run(paper, at(9, 5), past=True)
    day = business_day_before(FRIDAY)
    for _ in range(3):
        run(real, at(9, 6), past=True)
    assert not PriceGap.objects.still_open().exists()
    assert stored(SAMSUNG, day) == truth(simulator, SAMSUNG, at(15, 30, day=day))


@pytest.mark.django_db
def test_last_week_is_fetched_for_a_new_stock_newest_day_first(real, run, simulator):
    transport = listen(real)
    days = [business_day_before(FRIDAY, days=count) for count in range(1, 6)]
    result = run(real, at(9, 5), [SAMSUNG], past=True, seconds=REAL_CALL * 10.5)
    assert (transport.asked[NOW], transport.asked[PAST], result.unfinished) == (1, 8, 1)
    assert [len(stored(SAMSUNG, day)) for day in days] == [381, 381, 0, 0, 0]
    while run(real, at(9, 5), [SAMSUNG], past=True, seconds=REAL_CALL * 10.5).unfinished:
        pass
    for day in days:
        assert stored(SAMSUNG, day) == truth(simulator, SAMSUNG, at(15, 30, day=day))
    assert not stored(SAMSUNG, business_day_before(FRIDAY, days=6))
    assert run(real, at(9, 5), [SAMSUNG], past=True).asked == 0


@pytest.mark.django_db
def test_day_that_has_vanished_at_the_broker_is_kept_as_a_hole(real, run):
    run(real, at(13, 0), [SAMSUNG])
    MinPrice.objects.all().delete()
    DailyPrice.objects.create(stock_code=SAMSUNG, trade_date=FRIDAY, open=1, high=1, low=1, close=1, volume=1)
    PriceHistory.objects.update(minutes_until=at(8, 59))

    def vanish(request, body):
        if request.tr_id == PAST:
            body["output2"] = [row for row in body["output2"] if row["stck_bsop_date"] != "20261120"]

    listen(real, vanish)
    run(real, at(9, 5, day=MONDAY), [SAMSUNG], past=True)
    gap = PriceGap.objects.get()
    assert (gap.first_at, gap.last_at, gap.tries, gap.filled_at) == (at(9, 0), at(15, 30), 1, None)


@pytest.mark.django_db
def test_what_was_missed_waits_for_a_run_that_may_ask_for_it(real, run):
    run(real, at(13, 0))
    run(real, at(9, 5, day=MONDAY))
    assert set(PriceGap.objects.values_list("reason", "tries")) == {(NOT_ASKED, 0)}
    run(real, at(9, 6, day=MONDAY), past=True)
    assert not PriceGap.objects.still_open().exists()


# --- trouble ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["http_500_before", "drop_field:output2"])
def test_one_stock_that_fails_leaves_the_others(real, broker, run, simulator, kind):
    broker.fault(NOW, kind, times={"http_500_before": 5, "drop_field:output2": 1}[kind])
    result = run(real, at(9, 31))
    [problem] = result.problems
    failed = problem.split(":")[0]
    assert (failed in THREE, result.stocks) == (True, 2)
    assert {code for code in THREE if stored(code)} == set(THREE) - {failed}
    assert run(real, at(9, 32)).problems == ()
    assert all(stored(code) == truth(simulator, code, at(9, 31)) for code in THREE)


@pytest.mark.django_db
def test_stock_that_fails_in_the_middle_goes_on_from_there(real, run, simulator):
    calls = []

    def spoil_the_second(request, body):
        if request.params.get("FID_INPUT_ISCD") == KAKAO:
            calls.append(request)
            if len(calls) == 2:
                del body["output2"]

    listen(real, spoil_the_second)
    run(real, at(10, 30))
    assert clocks(KAKAO)[-1] == "09:29"
    run(real, at(10, 31))
    assert stored(KAKAO) == truth(simulator, KAKAO, at(10, 30))


@pytest.mark.django_db
def test_bar_that_cannot_be_read_is_told_and_a_hole(real, run):
    def spoil(request, body):
        for row in body.get("output2", ()):
            if request.params.get("FID_INPUT_ISCD") == KAKAO and row["stck_cntg_hour"] == "100500":
                row["stck_hgpr"] = "1"

    listen(real, spoil)
    result = run(real, at(11, 0))
    assert [text.startswith(f"{KAKAO}: ") for text in result.problems] == [True]
    assert PriceGap.objects.get().first_at == at(10, 5)
    assert len(clocks(KAKAO)) == 119


@pytest.mark.django_db
def test_unknown_stock_is_told_and_leaves_the_others(real, run):
    result = run(real, at(9, 31), ["999990", SAMSUNG])
    assert [text.split(":")[0] for text in result.problems] == ["999990"]
    assert len(clocks()) == 31


@pytest.mark.django_db(transaction=True)
def test_several_threads_bring_the_same(real, run, simulator):
    result = run(real, at(13, 0), past=True, seconds=REAL_CALL * 40)
    assert result.problems == ()
    for code in THREE:
        assert stored(code) == truth(simulator, code, at(12, 59))


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_minutes(real, run, django_assert_max_num_queries):
    run(real, at(9, 31), [SAMSUNG])
    with django_assert_max_num_queries(25):
        run(real, at(15, 31), [SAMSUNG])
