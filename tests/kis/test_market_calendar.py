"""The calendar of the exchange: what the broker says, what the owner knows better, and what counts in the end."""

import subprocess
import sys
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import kis.calendar
from kis.calendar import (
    Day,
    business_day_after,
    business_days,
    is_business_day,
    settlement_day,
    use_days,
)
from kis.korean import SEOUL
from kis.market_days import LOOK_AGAIN, follow_market_days, use_market_days
from kis.models import MarketDay
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync.calendar import sync_calendar
from tests.kis.rewriting import listen
from tests.kis.syncing import TEN, Broker, connection_to
from trading.desk import open_desk

HOLIDAYS = "CTCA0903R"
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, 23 + place) for place in range(4))
Source = MarketDay.Source


@pytest.fixture(autouse=True)
def estimate_only():
    """Let no test leave days behind."""
    use_days({})
    yield
    use_days({})


@pytest.fixture
def simulator():
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def real(simulator):
    with connection_to(simulator) as connection:
        yield connection


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def closing(*days):
    """Let the broker say that these days are closed."""

    def change(request, body):
        if request.tr_id == HOLIDAYS:
            for row in body["output"]:
                if row["bass_dt"] in {f"{day:%Y%m%d}" for day in days}:
                    row.update(opnd_yn="N", sttl_day_yn="N", bzdy_yn="N", tr_day_yn="N")

    return change


def page(name, *arguments):
    return reverse(f"admin:kis_marketday_{name}", args=arguments)


@pytest.mark.django_db
def test_broker_is_asked_once_a_day_in_korea(real):
    transport = listen(real)
    for hour in (8, 10, 23):
        sync_calendar(real.session, at=TEN.replace(hour=hour, minute=59))
    assert transport.asked[HOLIDAYS] == 1
    assert MarketDay.objects.filter(source=Source.BROKER).count() == 24
    sync_calendar(real.session, at=TEN.replace(hour=0) + timedelta(days=1))
    assert transport.asked[HOLIDAYS] == 2
    assert MarketDay.objects.filter(source=Source.BROKER).count() == 25


@pytest.mark.django_db
def test_paper_is_not_told_and_has_the_estimate(simulator):
    with connection_to(simulator, "paper") as connection:
        transport = listen(connection)
        result = sync_calendar(connection.session, at=TEN)
    assert (result.days, result.problems, sum(transport.asked.values())) == (0, (), 0)
    days = MarketDay.objects.in_force().filter(day__range=(date(2026, 12, 28), date(2027, 1, 4)))
    assert [(row.day.day, row.opens, row.settles, row.source) for row in days.order_by("day")] == [
        (28, True, True, "estimate"),
        (29, True, True, "estimate"),
        (30, True, True, "estimate"),
        (31, False, False, "estimate"),  # the last day of the year is no settlement day either
        (1, False, False, "estimate"),
        (2, False, False, "estimate"),
        (3, False, False, "estimate"),
        (4, True, True, "estimate"),
    ]


@pytest.mark.django_db
def test_day_the_broker_closes_is_none_in_the_settlement(real):
    assert settlement_day(TEN.date()) == TUESDAY
    listen(real, closing(MONDAY))
    result = sync_calendar(real.session, at=TEN)
    assert result.corrected == (MONDAY,)
    assert not is_business_day(MONDAY)
    assert business_day_after(TEN.date()) == TUESDAY
    assert settlement_day(TEN.date()) == WEDNESDAY


def test_day_without_settlement_may_be_a_business_day():
    use_days({TUESDAY: Day(opens=True, settles=False)})
    assert list(business_days(MONDAY, WEDNESDAY)) == [MONDAY, TUESDAY, WEDNESDAY]
    assert settlement_day(date(2026, 11, 20)) == WEDNESDAY
    use_days({})
    assert settlement_day(date(2026, 11, 20)) == TUESDAY


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["http_500_before", "drop_field:opnd_yn", "reset_before"])
def test_failure_leaves_the_days_and_is_asked_again(real, simulator, kind):
    listen(real, closing(MONDAY))
    sync_calendar(real.session, at=TEN)
    before = list(MarketDay.objects.order_by("pk").filter(source=Source.BROKER).values())
    broker = Broker(simulator.real.url)
    broker.fault(HOLIDAYS, kind)
    next_day = TEN + timedelta(days=1)
    result = sync_calendar(real.session, at=next_day)
    assert [text.startswith("휴장일: ") for text in result.problems] == [True]
    assert list(MarketDay.objects.order_by("pk").filter(source=Source.BROKER).values()) == before
    assert not is_business_day(MONDAY)
    requests.delete(f"{broker.url}/faults", timeout=60)
    assert sync_calendar(real.session, at=next_day).problems == ()


@pytest.mark.django_db
def test_what_the_owner_writes_goes_before_the_broker_and_back(real):
    listen(real, closing(MONDAY))
    sync_calendar(real.session, at=TEN)
    row = MarketDay.objects.create(day=MONDAY, opens=True, settles=True, updated_at=TEN)
    use_market_days()
    assert is_business_day(MONDAY)
    assert MarketDay.objects.in_force().get(day=MONDAY) == row
    row.delete()
    use_market_days()
    assert not is_business_day(MONDAY)
    assert MarketDay.objects.in_force().get(day=MONDAY).source == Source.BROKER


@pytest.mark.django_db
def test_refresh_keeps_what_the_owner_wrote(real):
    MarketDay.objects.create(day=MONDAY, opens=False, settles=False, note="임시 휴장", updated_at=TEN)
    sync_calendar(real.session, at=TEN)
    sync_calendar(real.session, at=TEN + timedelta(days=1))
    assert MarketDay.objects.in_force().get(day=MONDAY).note == "임시 휴장"
    assert not is_business_day(MONDAY)


@pytest.mark.django_db
def test_closure_entered_in_the_admin_counts_at_once(owner, django_capture_on_commit_callbacks):
    assert is_business_day(TUESDAY)
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.post(page("add"), {"day": str(TUESDAY), "note": "태풍"})
    assert answer.status_code == 302
    row = MarketDay.objects.get()
    assert (row.source, row.opens, row.settles) == (Source.MANUAL, False, False)
    assert not is_business_day(TUESDAY)
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(page("change", row.pk), {"day": str(WEDNESDAY), "opens": "on", "settles": "on"})
    assert is_business_day(TUESDAY)
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(page("change", row.pk), {"day": str(WEDNESDAY)})
    assert not is_business_day(WEDNESDAY)
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.post(page("delete", row.pk), {"post": "yes"}).status_code == 302
    assert is_business_day(WEDNESDAY)


@pytest.mark.django_db
def test_day_is_written_down_only_once(owner):
    MarketDay.objects.create(day=MONDAY, opens=False, settles=False, updated_at=TEN)
    answer = owner.post(page("add"), {"day": str(MONDAY)})
    assert answer.status_code == 200
    assert "이미 적어 두셨습니다" in answer.content.decode()
    assert MarketDay.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("source", [Source.BROKER, Source.ESTIMATE])
def test_rows_of_others_are_only_looked_at(owner, source):
    row = MarketDay.objects.create(day=MONDAY, opens=True, settles=True, source=source, updated_at=TEN)
    assert owner.get(page("change", row.pk)).status_code == 200
    assert owner.post(page("change", row.pk), {"day": str(MONDAY)}).status_code == 403
    assert owner.post(page("delete", row.pk), {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.opens


@pytest.mark.django_db
def test_list_says_which_row_counts_with_the_same_number_of_queries(owner, real):
    def queries():
        with CaptureQueriesContext(database) as captured:
            shown = owner.get(page("changelist"), {"day__gte": str(MONDAY), "day__lte": str(MONDAY)})
        return len(captured), shown.context["cl"].result_list

    MarketDay.objects.create(day=MONDAY, opens=False, settles=False, updated_at=TEN)
    queries()  # the first page also fills Django's own caches
    few, _ = queries()
    sync_calendar(real.session, at=TEN)
    many, rows = queries()
    assert many == few
    assert {row.source: row.pk == row.winner for row in rows} == {
        "manual": True,
        "broker": False,
        "estimate": False,
    }


# --- who only reads ---------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(monkeypatch):
    """Stand for a process that has not looked yet, at the time it is told."""

    def at(seconds):
        monkeypatch.setattr("kis.market_days.monotonic", lambda: seconds)

    monkeypatch.setattr("kis.market_days._looked_at", -LOOK_AGAIN)
    return at


def close(day):
    MarketDay.objects.create(day=day, opens=False, settles=False, source=Source.MANUAL, updated_at=TEN)


@pytest.mark.django_db
def test_days_are_looked_at_once_a_minute(reader, django_assert_num_queries):
    reader(0.0)
    with django_assert_num_queries(1):
        follow_market_days()
    close(TUESDAY)
    reader(59.9)
    with django_assert_num_queries(0):
        follow_market_days()
    assert is_business_day(TUESDAY)
    reader(60.0)
    follow_market_days()
    assert not is_business_day(TUESDAY)


@pytest.mark.django_db
def test_database_that_cannot_be_asked_leaves_what_is_known(reader, client, monkeypatch):
    def fail():
        raise OperationalError("the server closed the connection unexpectedly")

    use_days({TUESDAY: Day(opens=False, settles=False)})
    reader(0.0)
    with monkeypatch.context() as away:
        away.setattr("kis.market_days.use_market_days", fail)
        assert client.get("/login/").status_code == 200
    assert not is_business_day(TUESDAY)
    client.get("/login/")
    assert is_business_day(TUESDAY), "asked again as soon as it can be"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "looks"), [("/healthz/live", False), ("/metrics", False), ("/api/v1/", True)]
)
def test_watchers_do_not_wait_for_the_days(reader, client, monkeypatch, path, looks):
    looked = []
    monkeypatch.setattr("kis.market_days.use_market_days", lambda: looked.append(path))
    reader(0.0)
    client.get(path)
    assert looked == [path] * looks


@pytest.mark.django_db
def test_command_about_an_account_knows_the_days_that_are_told(reader):
    close(TUESDAY)
    reader(0.0)
    with pytest.raises(CommandError, match="이 기간에 마감한 날이 없습니다"):
        call_command("returns", mode="real")
    assert not is_business_day(TUESDAY)


@pytest.fixture
def opened(monkeypatch):
    """Note what connections are opened for a desk; none goes anywhere."""
    modes: list[str] = []

    @contextmanager
    def connect(mode, account):
        modes.append(mode)
        yield

    monkeypatch.setattr("trading.desk.connect", connect)
    return modes


@pytest.mark.django_db
def test_desk_of_orders_is_opened_with_the_days_that_are_told(opened):
    close(TUESDAY)
    with open_desk("real"):
        assert not is_business_day(TUESDAY)
    assert opened == ["real"]


def test_desk_of_orders_stays_shut_where_the_days_cannot_be_read(opened, monkeypatch):
    """Hours that are only estimated are good enough to look at, not to send an order by."""

    def fail():
        raise OperationalError

    monkeypatch.setattr("trading.desk.use_market_days", fail)
    with pytest.raises(OperationalError), open_desk("real"):
        pytest.fail("it was opened")
    assert opened == []


def test_calendar_needs_no_database():
    code = "import sys, kis.calendar; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_stored_day_is_looked_up_as_fast_as_an_estimated_one():
    days = [datetime(2026, 1, 1, tzinfo=SEOUL).date() + timedelta(days=count) for count in range(300)]
    asked = []

    class Counting(dict[Any, Any]):
        def get(self, day, default=None):
            asked.append(day)
            return super().get(day, default)

    use_days({days[0]: Day(opens=False, settles=False)})
    kis.calendar._known.days = Counting(kis.calendar._known.days)  # noqa: SLF001
    for _ in range(3):
        answers = [is_business_day(day) for day in days]
    assert len(asked) == len(days)
    assert not answers[0]
