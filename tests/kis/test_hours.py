"""Days that open late or close early: the hours are data, and everything that goes by them follows."""

from datetime import date, datetime, time, timedelta

import pytest

from aegis.schedules import FETCH, PRINT, REFRESH
from kis import calendar
from kis.calendar import Day, Hours, hour_on, hours_of, use_days
from kis.client.codes import AccountNumber
from kis.korean import SEOUL
from kis.market_days import use_market_days
from kis.models import DailyPrice, KisDailySummary, MarketDay, MinPrice
from kis.refresh import refresh_slot
from kis.sessions import open_time_between, session_at
from kis.simulator.phases import Phase, phase_of
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync import sync_account
from kis.sync.minute_plans import session_minutes
from tests.kis.syncing import Broker, connection_to
from trading.hours import next_time, takes_limit_orders, takes_market_orders

EXAM, USUAL = date(2026, 11, 19), date(2026, 11, 20)
EXAM_HOURS = Hours(time(10), time(16, 30))
SHORT_HOURS = Hours(closes=time(12, 30))


@pytest.fixture(autouse=True)
def _forgotten():
    yield
    use_days({})


@pytest.fixture
def exam():
    """Let the exam be on its day."""
    use_days({EXAM: Day(opens=True, settles=True, hours=EXAM_HOURS)})


@pytest.fixture
def short():
    use_days({EXAM: Day(opens=True, settles=True, hours=SHORT_HOURS)})


def at(clock, day=EXAM):
    return datetime.combine(day, time.fromisoformat(clock), SEOUL)


# --- the calendar -----------------------------------------------------------------------------------------------------


def test_exam_and_first_day_of_a_year_are_estimated(monkeypatch):
    monkeypatch.setattr(calendar, "EXAM_DAYS", frozenset({EXAM}))
    use_days({date(2001, 1, 1): Day(opens=False, settles=False)})  # nothing remembered of before
    assert hours_of(EXAM) == EXAM_HOURS
    # New Year, a weekend, then the first session of 2027.
    assert hours_of(date(2027, 1, 4)) == Hours(time(10), time(15, 30))
    assert hours_of(date(2027, 1, 5)) == hours_of(USUAL) == Hours(time(9), time(15, 30))


@pytest.mark.parametrize(
    ("usual", "here"),
    [
        ("08:30", "09:30"),
        ("09:00", "10:00"),
        ("15:20", "16:20"),
        ("16:00", "17:00"),
        ("20:00", "20:00"),
        ("00:00", "00:00"),
    ],
)
def test_times_move_with_opening_and_close_but_for_the_evening(exam, usual, here):
    assert hour_on(EXAM, time.fromisoformat(usual)) == time.fromisoformat(here)
    assert hour_on(USUAL, time.fromisoformat(usual)) == time.fromisoformat(usual)


@pytest.mark.django_db
def test_owners_row_goes_before_the_estimate_and_the_broker(monkeypatch):
    monkeypatch.setattr(calendar, "EXAM_DAYS", frozenset({EXAM}))
    now = at("08:00")
    rows = {"opens": True, "settles": True, "updated_at": now}
    MarketDay.objects.create(day=EXAM, source="broker", **rows)
    use_market_days()
    assert hours_of(EXAM) == EXAM_HOURS
    MarketDay.objects.create(day=EXAM, source="manual", closes_at=time(14), **rows)
    use_market_days()
    assert hours_of(EXAM) == Hours(time(10), time(14))


@pytest.mark.django_db
def test_owner_writes_hours_down_in_the_admin(admin_client):
    given = {"day": "2026-11-20", "opens": "on", "settles": "on", "note": "조기 폐장"}
    url = "/admin/kis/marketday/add/"
    page = admin_client.post(url, {**given, "opens_at": "16:00"})
    assert "정규장은 시작(16:00)한 뒤에 끝나야 합니다(15:30)." in page.content.decode()
    assert admin_client.post(url, {**given, "closes_at": "12:30"}).status_code == 302
    use_market_days()
    assert hours_of(USUAL) == SHORT_HOURS
    assert "09:00–12:30" in admin_client.get("/admin/kis/marketday/").content.decode()


# --- jobs, minutes, orders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "first", "last"),
    [(FETCH, "09:30", "17:00"), (PRINT, "10:00", "16:30"), (REFRESH, "09:55", "16:31")],
    ids=["half hour", "ten minutes", "minute"],
)
def test_windows_of_the_jobs_move(exam, job, first, last):
    slots = job.window.slots_of(EXAM)
    assert (slots[0], slots[-1]) == (at(first), at(last))
    rest = job.window.reason_to_rest(at("09:00"), now=at("09:00"))
    assert f"09:00은(는) 실행 시간({hour_on(EXAM, job.window.opens):%H:%M}–" in rest
    assert not job.window.reason_to_rest(at(last), now=at(last))
    assert job.window.next_slot(at("01:00")) == at(first)


def test_day_cut_short_ends_the_jobs_early(short):
    assert REFRESH.window.slots_of(EXAM)[-1] == at("12:31")
    assert FETCH.window.slots_of(EXAM)[-1] == at("13:00")
    assert session_minutes(EXAM)[-2:] == [at("12:19"), at("12:30")]


def test_session_and_age_of_prices_follow(exam):
    assert [session_at(at(clock)).name for clock in ("09:30", "10:00", "16:29", "16:30")] == [
        "장 시작 전",
        "정규장",
        "정규장",
        "장 마감",
    ]
    assert session_at(at("11:00")).hours == "10:00–16:30"
    assert open_time_between(at("08:00"), at("10:20")) == timedelta(minutes=20)


def test_orders_are_taken_at_the_hours_of_the_day(exam):
    assert [takes_market_orders(at(clock)) for clock in ("09:30", "10:00", "16:00", "16:20")] == [
        False,
        True,
        True,
        False,
    ]
    assert takes_limit_orders(at("16:29"))
    assert next_time(at("07:00"), opens=time(8, 30)).endswith("09:30")


def test_simulator_keeps_the_hours(exam):
    phases = [phase_of(at(clock)) for clock in ("09:29", "09:30", "10:00", "16:19", "16:20", "16:30")]
    assert phases == [
        Phase.BEFORE,
        Phase.OPENING_AUCTION,
        Phase.REGULAR,
        Phase.REGULAR,
        Phase.CLOSING_AUCTION,
        Phase.AFTER_HOURS,
    ]


# --- a whole day ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hours", "before", "last", "evening"),
    [(EXAM_HOURS, "15:45", "16:31", "17:00"), (SHORT_HOURS, "12:10", "12:31", "13:00")],
    ids=["an hour later", "cut short"],
)
def test_day_is_closed_when_its_session_is_over(hours, before, last, evening):
    use_days({EXAM: Day(opens=True, settles=True, hours=hours)})
    now = at("08:00")
    row = {"day": EXAM, "opens": True, "settles": True, "updated_at": now}
    MarketDay.objects.create(**row, opens_at=hours.opens, closes_at=hours.closes)
    with (
        Simulator(SimulatorConfig(clock=at("10:30"), speed=0, limits=False)) as simulator,
        connection_to(simulator) as connection,
    ):
        broker = Broker(simulator.real.url)
        broker.account(10_000_000, _005930=(10, 60_000))
        broker.clock(at(before))
        sync_account(connection)
        assert not KisDailySummary.objects.filter(summary_date=EXAM).exists()
        broker.clock(at(last))
        refresh_slot(connection, slot=at(last))
        broker.clock(at(evening))
        sync_account(connection)
    account = AccountNumber.parse(simulator.real.account)
    summary = KisDailySummary.objects.of(account, is_paper=False).get(summary_date=EXAM)
    bars = MinPrice.objects.filter(stock_code="005930", bar_at__date=EXAM).order_by("bar_at")
    assert [bar.bar_at.astimezone(SEOUL) for bar in bars] == session_minutes(EXAM)
    price = DailyPrice.objects.get(stock_code="005930", trade_date=EXAM)
    assert (price.close, summary.stock_amt) == (bars.last().close, 10 * price.close)
