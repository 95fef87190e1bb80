"""What prune deletes, what it leaves, and that it may be stopped, repeated and run beside others."""

import os
import re
import subprocess
import sys
import threading
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from aegis.env import env_days
from kis import retention
from kis.client.codes import AccountNumber
from kis.client.errors import KisMisconfigured
from kis.korean import SEOUL
from kis.models import (
    DailyPrice,
    KisAccount,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    MinPrice,
    SyncRun,
    WireFinding,
)
from kis.retention import Owner, prune
from tests.factories import Stock, fill, order, snapshot, sync_run

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 7, 0, tzinfo=SEOUL)
REAL = Owner(AccountNumber("12345678", "01"), is_paper=False)
PENSION = Owner(AccountNumber("12345678", "22"), is_paper=False)
PAPER = Owner(AccountNumber("50012345", "01"), is_paper=True)

DELETED, EMPTIED, NEVER = "some rows are deleted", "a column is emptied", "never touched"
#: What prune may do to each table of the books. A new table needs a line here; whoever adds one decides.
FATES = {
    "AccessToken": NEVER,
    "AccountGrant": NEVER,
    "ApiToken": NEVER,
    "BrokerAccount": NEVER,
    "DailyPrice": NEVER,
    "FeedLease": NEVER,
    "IndexPrice": NEVER,
    "KbHolding": NEVER,
    "KbStatement": NEVER,
    "KbTrade": NEVER,
    "KisAccount": DELETED,
    "KisDailySummary": NEVER,
    "KisDepositLog": NEVER,
    "KisExecution": NEVER,
    "KisHolding": DELETED,
    "KisOrderDetail": NEVER,
    "KisTradeProfit": NEVER,
    "KisUnfilledOrder": DELETED,
    "MarketDay": NEVER,
    "MinPrice": DELETED,
    "PriceAdjustment": NEVER,
    "PriceGap": NEVER,
    "PriceHistory": NEVER,
    "RateBudget": NEVER,
    "RecoveryCode": NEVER,
    "SecondFactor": NEVER,
    "Stock": NEVER,
    "SyncRun": DELETED,
    "TargetWeight": NEVER,
    "WireFinding": EMPTIED,
}


@pytest.fixture(autouse=True)
def limits(settings, monkeypatch):
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)
    settings.KEEP_INTRADAY_DAYS = 30
    settings.KEEP_MINUTE_DAYS = 365
    settings.KEEP_RUN_DAYS = 90


def ago(days, clock="10:00"):
    """Return a time of day so many days before today, in Korea."""
    hour, minute = map(int, clock.split(":"))
    return (NOW - timedelta(days=days)).replace(hour=hour, minute=minute)


def taken(at, owner=REAL, *, status=None, held=1, waiting=1, **changes):
    """Save a snapshot with holdings and open orders, with a run that began a minute before where it has a status."""
    columns = {
        "account_no": owner.account.number,
        "product_code": owner.account.product_code,
        "is_paper": owner.is_paper,
    }
    run = sync_run(at=at, status=status, **columns) if status else None
    saved = snapshot(
        [Stock(code=f"{number:06}") for number in range(held)],
        at=at,
        run=run,
        with_closes=False,
        **columns,
        **changes,
    )
    for number in range(waiting):
        order(saved, number)
    return saved


def minute_bar(at, code="005930"):
    return MinPrice(stock_code=code, bar_at=at, open=57_200, high=57_300, low=57_100, close=57_200, volume=10)


def bar(at, code="005930"):
    row = minute_bar(at, code)
    row.save()
    return row


def finding(last_seen, field="fresh"):
    return WireFinding.objects.create(
        is_paper=False,
        tr="TTTC8434R",
        section="output2",
        field=field,
        kind="unknown",
        example="숫자 1자리",
        times=3,
        first_seen=ago(400),
        last_seen=last_seen,
        raw_json={"output2": [{field: "1"}]},
    )


def left(owner=REAL):
    """Return the times of the snapshots of an account, oldest first."""
    rows = KisAccount.objects.of(owner.account, is_paper=owner.is_paper).order_by("snapshot_at")
    return [at.astimezone(SEOUL) for at in rows.values_list("snapshot_at", flat=True)]


def told(removals):
    return {(row.model, row.owner): row.count for row in removals}


def table_of(model):
    return model._meta.db_table  # noqa: SLF001  # Django's own name for it


def everything():
    """Return every row of the books as it is stored."""
    return {
        model: sorted(map(repr, model._base_manager.values_list()))  # noqa: SLF001  # any model has it
        for model in apps.get_app_config("kis").get_models()
    }


def a_long_life():
    """Save half a year of two accounts with all that surrounds them."""
    for owner in (REAL, PENSION, PAPER):
        for days in (180, 100, 99, 31, 30, 1, 0):
            for clock in ("09:00", "12:30", "15:40"):
                taken(ago(days, clock), owner, status="complete", held=3, waiting=2)
        sync_run(
            at=ago(150),
            status="failed",
            account_no=owner.account.number,
            product_code=owner.account.product_code,
            is_paper=owner.is_paper,
        )
    for days in (400, 366, 365, 0):
        for minute in range(7):
            bar(ago(days, f"09:{minute:02}"))
    finding(ago(91))
    finding(ago(89), "younger")
    fill(1, at=ago(900))
    DailyPrice.objects.create(
        stock_code="005930", trade_date=ago(900).date(), open=1, high=1, low=1, close=1, volume=1
    )


# --- snapshots ------------------------------------------------------------------------------------------------------


def test_an_old_day_keeps_its_last_snapshot_with_its_rows():
    for clock in ("09:00", "12:30", "15:40"):
        taken(ago(40, clock), held=3, waiting=2)

    prune(NOW)

    assert left() == [ago(40, "15:40")]
    assert set(KisHolding.objects.values_list("snapshot_at", "stock_code")) == {
        (ago(40, "15:40"), code) for code in ("000000", "000001", "000002")
    }
    assert {row.snapshot_at for row in KisUnfilledOrder.objects.all()} == {ago(40, "15:40")}
    assert KisUnfilledOrder.objects.count() == 2


def test_a_day_as_old_as_the_limit_is_still_whole():
    for days in (31, 30, 0):
        taken(ago(days, "09:00"))
        taken(ago(days, "15:40"))

    prune(NOW)

    assert left() == [
        ago(31, "15:40"),
        ago(30, "09:00"),
        ago(30, "15:40"),
        ago(0, "09:00"),
        ago(0, "15:40"),
    ]


def test_the_age_counts_days_in_korea(settings):
    settings.KEEP_INTRADAY_DAYS = 1
    taken(ago(2, "22:00"))
    taken(ago(2, "23:59"))
    taken(ago(1, "00:01"))
    taken(ago(1, "08:00"))

    prune(ago(0, "00:30"))  # still yesterday in Greenwich

    assert left() == [ago(2, "23:59"), ago(1, "00:01"), ago(1, "08:00")]


def test_days_begin_at_midnight_in_korea():
    taken(ago(41, "23:58"))
    taken(ago(41, "23:59"))
    taken(ago(40, "00:01"))
    # Midnight in Greenwich lies between these two.
    taken(ago(39, "08:59"))
    taken(ago(39, "09:01"))

    prune(NOW)

    assert left() == [ago(41, "23:59"), ago(40, "00:01"), ago(39, "09:01")]


def test_every_account_keeps_its_own_last_snapshot():
    same_number_on_paper = Owner(REAL.account, is_paper=True)
    taken(ago(40, "09:00"))
    taken(ago(40, "15:00"))
    taken(ago(40, "11:00"), PENSION)
    taken(ago(40, "10:00"), same_number_on_paper)
    taken(ago(40, "16:00"), PAPER)

    removals = prune(NOW)

    assert left() == [ago(40, "15:00")]
    assert [left(owner) for owner in (PENSION, same_number_on_paper, PAPER)] == [
        [ago(40, "11:00")],
        [ago(40, "10:00")],
        [ago(40, "16:00")],
    ]
    assert {row.owner for row in removals} == {REAL}


def test_one_account_can_be_pruned_alone():
    for owner in (REAL, PENSION, PAPER):
        taken(ago(100, "09:00"), owner, status="complete")
        taken(ago(100, "15:00"), owner, status="complete")
    bar(ago(400))
    finding(ago(400))

    removals = prune(NOW, of=[PENSION])

    assert {row.owner for row in removals} == {PENSION}
    assert [len(left(owner)) for owner in (REAL, PENSION, PAPER)] == [2, 1, 2]
    assert MinPrice.objects.count() == 1
    assert WireFinding.objects.get().raw_json != {}


def test_a_snapshot_of_a_broken_run_does_not_displace_a_complete_one():
    taken(ago(40, "09:00"), status="complete")
    taken(ago(40, "15:00"), status="complete")
    taken(ago(40, "15:20"), status="failed")
    taken(ago(40, "15:40"), status="abandoned")

    prune(NOW)

    assert left() == [ago(40, "15:00"), ago(40, "15:40")]


def test_a_day_without_a_complete_run_keeps_its_last_snapshot():
    taken(ago(40, "09:00"), status="failed")
    taken(ago(40, "15:40"), status="failed")

    prune(NOW)

    assert left() == [ago(40, "15:40")]


@pytest.fixture
def pointing_table(request):
    """Make a table that points to the table of the model in `request.param`, as one that comes later might."""
    target = request.param

    class Remark(models.Model):  # noqa: DJ008  # nobody reads it
        about = models.ForeignKey(target, models.PROTECT, related_name="+")

        class Meta:
            app_label = "reports"
            db_table = "test_remark"

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE test_remark (id integer PRIMARY KEY, about_id bigint NOT NULL "
            f"REFERENCES {table_of(target)} (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    yield Remark
    del apps.all_models["reports"]["remark"]
    apps.clear_cache()


@pytest.mark.parametrize(
    ("pointing_table", "find"),
    [
        (KisAccount, lambda saved: saved),
        (KisHolding, lambda saved: saved.holdings.get()),
        (KisUnfilledOrder, lambda saved: saved.unfilled_orders.get()),
    ],
    indirect=["pointing_table"],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_snapshot_that_another_table_points_to_stays_whole(pointing_table, find, dry_run):
    early, noon, _ = (taken(ago(40, clock)) for clock in ("09:00", "12:30", "15:40"))
    pointing_table.objects.create(pk=1, about=find(noon))

    removals = prune(NOW, dry_run=dry_run)

    assert told(removals)[KisAccount, REAL] == 1
    assert KisAccount.objects.filter(pk=early.pk).exists() is dry_run
    assert (noon.holdings.count(), noon.unfilled_orders.count()) == (1, 1)


def test_the_snapshots_that_a_day_is_made_of_stay():
    opening, closing = taken(ago(41, "10:00")), taken(ago(40, "15:40"))
    taken(ago(41, "12:00"))
    taken(ago(40, "09:00"))
    taken(ago(40, "20:10"))
    known = set(KisDepositLog.FIGURES) - {"previous_cash", "change"}
    log = KisDepositLog.objects.create(
        account_no=REAL.account.number,
        product_code=REAL.account.product_code,
        is_paper=REAL.is_paper,
        log_date=ago(40).date(),
        kis_account=closing,
        previous_account=opening,
        previous_date=ago(41).date(),
        previous_cash=1,
        change=0,
        **dict.fromkeys(("d0_cash", "d1_cash", "d2_cash"), 1),
        reasons=dict.fromkeys(known, "아직"),
    )

    prune(NOW)

    assert left() == [ago(41, "10:00"), ago(41, "12:00"), ago(40, "15:40"), ago(40, "20:10")]
    log.refresh_from_db()
    assert (log.kis_account, log.previous_account) == (closing, opening)


@pytest.mark.parametrize("pointing_table", [SyncRun], indirect=True)
def test_a_run_that_another_table_points_to_stays(pointing_table):
    kept, _ = sync_run(at=ago(100, "09:00")), sync_run(at=ago(100, "10:00"))
    pointing_table.objects.create(pk=1, about=kept)

    prune(NOW)

    assert SyncRun.objects.get() == kept


# --- runs -----------------------------------------------------------------------------------------------------------


def test_runs_go_once_they_are_old_and_none_of_their_snapshots_is_left():
    with_day = taken(ago(100, "15:40"), status="complete").sync_run
    taken(ago(100, "09:00"), status="complete")
    younger = taken(ago(89, "09:00"), status="complete").sync_run
    taken(ago(89, "15:40"))
    sync_run(at=ago(100, "08:00"), status="failed")
    young_failure = sync_run(at=ago(89, "08:00"), status="failed")

    removals = prune(NOW)

    assert set(SyncRun.objects.all()) == {with_day, younger, young_failure}
    assert told(removals)[SyncRun, REAL] == 2


def test_a_run_with_a_snapshot_that_is_kept_longer_stays(settings):
    settings.KEEP_INTRADAY_DAYS = 365
    early = taken(ago(100, "09:00"), status="complete")
    taken(ago(100, "15:40"), status="complete")

    assert prune(NOW) == []
    assert early.sync_run.snapshots.get() == early


def test_a_run_that_never_ended_stays():
    sync_run(at=ago(400), status="running", finished_at=None)

    assert prune(NOW) == []
    assert SyncRun.objects.count() == 1


# --- prices and remarks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_minute_bars_go_by_their_day_in_korea(monkeypatch, size):
    monkeypatch.setattr(retention, "BARS", size)
    for code in ("005930", "000660"):
        for at in (
            ago(900),
            ago(366, "15:29"),
            ago(366, "23:59"),
            ago(365, "00:00"),
            ago(365, "09:00"),
            ago(0),
        ):
            bar(at, code)

    (removal,) = prune(NOW)

    assert (removal.model, removal.owner, removal.count) == (MinPrice, None, 6)
    assert (removal.oldest, removal.newest) == (ago(900), ago(366, "23:59"))
    assert set(MinPrice.objects.values_list("bar_at", flat=True)) == {
        ago(365, "00:00"),
        ago(365, "09:00"),
        ago(0),
    }


def test_an_old_finding_loses_its_reply_and_stays():
    old, young = finding(ago(91)), finding(ago(90), "younger")

    (removal,) = prune(NOW)

    before = (old.times, old.example, old.first_seen, old.last_seen)
    old.refresh_from_db()
    young.refresh_from_db()
    assert (old.raw_json, young.raw_json) == ({}, {"output2": [{"younger": "1"}]})
    assert (old.times, old.example, old.first_seen, old.last_seen) == before
    assert (removal.model, removal.count) == (WireFinding, 1)
    assert prune(NOW) == []


# --- the whole of it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_dry_run_tells_exactly_what_goes_and_changes_nothing(monkeypatch, size):
    monkeypatch.setattr(retention, "BATCH", size)
    a_long_life()
    before, counts = everything(), Counter({model: len(rows) for model, rows in everything().items()})

    announced = prune(NOW, dry_run=True)

    assert everything() == before
    assert prune(NOW) == announced
    gone: Counter[type] = Counter()
    for removal in announced:
        gone[removal.model] += removal.count if removal.model is not WireFinding else 0
    assert counts - Counter({model: len(rows) for model, rows in everything().items()}) == +gone
    # Of four days two snapshots of three each; of the three days beyond 90 their runs, and the one that failed.
    of_each = ((KisAccount, 8), (KisHolding, 24), (KisUnfilledOrder, 16), (SyncRun, 7))
    assert [(row.owner, row.model, row.count) for row in announced] == [
        *((owner, model, count) for owner in (REAL, PENSION, PAPER) for model, count in of_each),
        (None, MinPrice, 14),
        (None, WireFinding, 1),
    ]
    assert prune(NOW) == []


def test_snapshots_go_in_batches_of_one_transaction_each(monkeypatch):
    for minute in range(10):
        taken(ago(40, f"09:{minute:02}"))

    def transactions(size):
        monkeypatch.setattr(retention, "BATCH", size)
        with (
            CaptureQueriesContext(
                connection,
            ) as captured,
            transaction.atomic(),
        ):
            prune(NOW)
            transaction.set_rollback(True)
        deleted = [query["sql"] for query in captured if re.match(r'DELETE FROM "kis_account"', query["sql"])]
        return sum(query["sql"].startswith("SAVEPOINT") for query in captured), len(deleted)

    one_by_one, three_at_a_time = transactions(1), transactions(3)

    assert one_by_one[1] == 9
    assert three_at_a_time[1] == 3
    assert one_by_one[0] - three_at_a_time[0] == 6


class Killed(BaseException):
    """Stands for the end of the process."""


class KillAt:
    """Ends the process in front of the n-th statement that changes something."""

    def __init__(self, number):
        self.number = number
        self.seen = 0

    def __call__(self, execute, sql, params, many, context):
        if sql.startswith(("DELETE", "UPDATE")):
            self.seen += 1
            if self.seen == self.number:
                raise Killed
        return execute(sql, params, many, context)


def test_stopped_at_any_change_it_leaves_whole_snapshots_and_the_next_run_goes_on(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BARS", 5)
    for days, clock in (
        (100, "09:00"),
        (100, "12:30"),
        (100, "15:00"),
        (100, "15:40"),
        (40, "09:00"),
        (40, "15:40"),
    ):
        taken(ago(days, clock), status="complete", held=2, waiting=1)
    for minute in range(12):
        bar(ago(400, f"09:{minute:02}"))
    finding(ago(400))
    with transaction.atomic():
        prune(NOW)
        undisturbed = everything()
        transaction.set_rollback(True)

    number, stopped = 0, True
    while stopped:
        number += 1
        with transaction.atomic():
            stopped = False
            try:
                with connection.execute_wrapper(KillAt(number)):
                    prune(NOW)
            except Killed:
                stopped = True
            for saved in KisAccount.objects.all():
                assert (saved.holdings.count(), saved.unfilled_orders.count()) == (2, 1)
                assert saved.sync_run is not None
            assert {ago(100, "15:40"), ago(40, "15:40")} <= set(left())
            prune(NOW)
            assert everything() == undisturbed
            transaction.set_rollback(True)

    assert number > 12


# --- what is never touched ------------------------------------------------------------------------------------------


def test_every_table_says_what_prune_may_do_to_it():
    missing = {model.__name__ for model in apps.get_app_config("kis").get_models()} - FATES.keys()
    assert not missing, "say in FATES whether prune may delete from these tables"


def test_only_the_tables_that_may_are_written_to():
    a_long_life()
    models_of_books = apps.get_app_config("kis").get_models()
    deleted = {table_of(model) for model in models_of_books if FATES[model.__name__] == DELETED}

    with CaptureQueriesContext(connection) as captured:
        prune(NOW)

    written = re.compile(r'(DELETE FROM|UPDATE|INSERT INTO|TRUNCATE\S*) "?(\w+)')
    changes = {
        match.groups() for query in captured if (match := written.match(query["sql"].removeprefix(" ")))
    }
    assert changes == {("DELETE FROM", table) for table in deleted} | {("UPDATE", "kis_wire_finding")}


def test_fills_and_prices_of_days_stay_however_old():
    a_long_life()

    prune(NOW + timedelta(days=10_000))

    assert KisExecution.objects.count() == 1
    assert DailyPrice.objects.count() == 1
    assert MinPrice.objects.count() == 0
    assert [len(left(owner)) for owner in (REAL, PENSION, PAPER)] == [7, 7, 7]


# --- databases ------------------------------------------------------------------------------------------------------


def test_minute_bars_are_found_by_their_index():
    bar(ago(400))
    statements = []
    for dry_run in (True, False):
        with CaptureQueriesContext(connection) as captured:
            prune(NOW, dry_run=dry_run)
        statements += [query["sql"] for query in captured if "min_price" in query["sql"]]

    assert len(statements) == 1 + 4  # counted; locked, counted, deleted, none left
    MinPrice.objects.bulk_create(
        minute_bar(NOW - timedelta(minutes=ago)) for ago in range(2000)
    )  # it matters
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE min_price")
        for statement in statements:
            how = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{how} {statement}")
            plan = "\n".join(str(row) for row in cursor.fetchall())
            assert "min_price_newest" in plan, (statement, plan)


@pytest.fixture
def several_connections():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is nothing to come in between")


def in_background(work):
    """Start a thread with a connection of its own; returns it and the list that gets its result."""
    results = []

    def run():
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  # the test reads it
            results.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("several_connections")
def test_nothing_is_left_pointing_to_what_went_at_the_same_moment():
    run = sync_run(at=ago(100))

    def point_to_it():
        with transaction.atomic():
            snapshot(run=run, with_closes=False)
            thread, _ = in_background(lambda: prune(NOW))
            thread.join()

    with pytest.raises(IntegrityError):
        point_to_it()

    assert (SyncRun.objects.count(), KisAccount.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("several_connections")
def test_a_sync_does_not_wait_for_a_prune_in_the_middle_of_a_batch(monkeypatch):
    taken(ago(40, "09:00"), status="complete")
    taken(ago(40, "15:40"), status="complete")
    reached, go_on = threading.Event(), threading.Event()
    look = retention.pointed_at

    def slowly(*arguments, **more):
        reached.set()
        assert go_on.wait(60)
        return look(*arguments, **more)

    monkeypatch.setattr(retention, "pointed_at", slowly)
    thread, results = in_background(lambda: prune(NOW))
    assert reached.wait(60)
    taken(ago(0), status="complete")
    taken(ago(40, "16:00"), status="complete")  # even where a clock plays that old day
    go_on.set()
    thread.join()

    assert told(results[0])[KisAccount, REAL] == 1
    assert left() == [ago(40, "15:40"), ago(40, "16:00"), ago(0)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("several_connections")
def test_two_prunes_at_once_delete_everything_once(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 3)
    monkeypatch.setattr(retention, "BARS", 5)
    a_long_life()
    expected = sum(row.count for row in prune(NOW, dry_run=True))

    started = [in_background(lambda: prune(NOW)) for _ in range(2)]
    for thread, _ in started:
        thread.join()

    removals = [row for _, results in started for row in results[0]]
    # Emptying a reply twice does no harm and takes no lock beforehand.
    assert sum(row.count for row in removals if row.model is not WireFinding) == expected - 1
    assert prune(NOW) == []


# --- the command ----------------------------------------------------------------------------------------------------


def output_of(capsys, *arguments):
    call_command("prune", *arguments)
    return capsys.readouterr().out


def test_the_command_prints_the_same_table_before_and_after(capsys):
    a_long_life()
    now = datetime.now(SEOUL)
    KisAccount.objects.update(snapshot_at=models.F("snapshot_at") + (now.replace(hour=7, minute=0) - NOW))

    before, dry = everything(), output_of(capsys, "--dry-run")
    untouched = everything() == before
    real = output_of(capsys)

    assert untouched
    assert dry.splitlines()[:-1] == real.splitlines()[:-1]
    assert "아무것도 지우지 않았습니다" in dry.splitlines()[-1]
    assert "지웠습니다" in real.splitlines()[-1]
    assert ("1234****-01" in dry, "12345678" in dry, "50012345" in dry) == (True, False, False)
    assert "지울 것이 없습니다." in output_of(capsys)


def test_a_line_says_table_account_count_oldest_and_newest(capsys, monkeypatch):
    monkeypatch.setattr("kis.management.commands.prune.timezone.now", lambda: NOW)
    taken(ago(40, "09:00"), PAPER, held=2)
    taken(ago(39, "09:00"), PAPER, held=2)
    taken(ago(40, "15:40"), PAPER)
    taken(ago(39, "15:40"), PAPER)

    lines = [re.split(r"\s{2,}", text.strip()) for text in output_of(capsys, "--dry-run").splitlines()]

    times = ["2026-10-13 09:00", "2026-10-14 09:00"]
    assert ["계좌 스냅샷", "모의 5001****-01", "2", *times] in lines
    assert ["보유 종목", "모의 5001****-01", "4", *times] in lines
    assert ["미체결 주문", "모의 5001****-01", "2", *times] in lines


@pytest.mark.parametrize(
    ("options", "pruned"),
    [
        ([], [REAL, PENSION, PAPER]),
        (["--account", "1234****-22"], [PENSION]),
        (["--account", "50012345-01", "--mode", "paper"], [PAPER]),
        (["--mode", "real"], [REAL, PENSION]),
    ],
)
def test_the_owner_names_an_account_or_a_mode(options, pruned):
    long_ago = datetime.now(SEOUL) - timedelta(days=100)
    for owner in (REAL, PENSION, PAPER):
        for minute in (0, 1):
            taken(long_ago.replace(hour=10, minute=minute), owner)

    call_command("prune", *options)

    assert [owner for owner in (REAL, PENSION, PAPER) if len(left(owner)) == 1] == pruned


def test_an_account_that_nobody_knows_is_refused_before_anything_goes():
    taken(datetime.now(SEOUL) - timedelta(days=100), PAPER)
    with pytest.raises(KisMisconfigured, match="계좌가 없습니다"):
        call_command("prune", "--account", "12345678-99")


def test_account_that_argparse_loses_is_not_taken_for_none():
    """It takes the first `--` away wherever that stands: an empty list was left of `--account=--`."""
    at = datetime.now(SEOUL) - timedelta(days=100)
    for minute in (0, 1):
        taken(at.replace(hour=10, minute=minute), PAPER)
    with pytest.raises(CommandError, match="--account 뒤에 값이 필요합니다"):
        call_command("prune", "--account=--")
    assert len(left(PAPER)) == 2


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "thirty", "1_0", "３０", "36501", "9" * 50, "30일"])
def test_a_limit_that_is_no_number_of_days_is_refused_by_name(monkeypatch, text):
    monkeypatch.setenv("KEEP_RUN_DAYS", text)
    with pytest.raises(ImproperlyConfigured, match="KEEP_RUN_DAYS 값은 1에서 36500 사이의 날수여야 합니다"):
        env_days("KEEP_RUN_DAYS", 90)


@pytest.mark.parametrize(("text", "days"), [("", 90), ("  ", 90), ("1", 1), (" 36500 ", 36_500)])
def test_a_limit_in_whole_days_is_taken(monkeypatch, text, days):
    monkeypatch.setenv("KEEP_RUN_DAYS", text)
    assert env_days("KEEP_RUN_DAYS", 90) == days


def test_a_wrong_limit_stops_the_start_with_one_sentence(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "prune", "--dry-run"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={
            **os.environ,
            "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
            "AEGIS_VAR_DIR": str(tmp_path),
            "KEEP_INTRADAY_DAYS": "0",
        },
    )
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert ran.stderr.strip().splitlines() == [
        "설정을 읽을 수 없습니다: KEEP_INTRADAY_DAYS 값은 1에서 36500 사이의 날수여야 합니다."
    ]
