"""The follower against the simulated broker: notices in the books, nothing missed, nothing lost, one follower at a time."""

import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.db import connection as database

from kis.accounts import Account, Source
from kis.client.auth import key_id
from kis.client.errors import KisMisconfigured, KisRefused
from kis.client.realtime import Patience
from kis.client.realtime_events import Connected, Reconnected
from kis.client.records.realtime import FillNotice, NoticeKind
from kis.feed_lease import LEASE, FollowedElsewhere, Lease, feed_lease
from kis.live import Heard, NotTold, Pace, followable, following, require_hts_id
from kis.models import FeedLease, KisOrderDetail
from kis.simulator.realtime_hub import Rhythm
from kis.sync.order_news import apply_notice
from kis.sync.orders import OrderChanges
from tests.kis.many import run_processes
from tests.kis.scripted import environment
from tests.kis.syncing import SAMSUNG, TEN, TODAY, Broker, Desk, connection_to

pytestmark = pytest.mark.django_db
HASTE = Patience(first_pause=0.02, longest_pause=0.1, first_pause_if_busy=0.2, longest_pause_if_busy=0.4)
SOON = Pace(look=0.05, renew=60, unsure=0.05, first_pause=0.01, longest_pause=0.02)
MODES = ["real", "paper"]
Status = KisOrderDetail.Status
ORDERS = {"real": "TTTC0081R", "paper": "VTTC0081R"}


class Notes:
    """Writes down what it hears."""

    def __init__(self):
        self.notices: list[FillNotice] = []
        self.sentences: list[str] = []

    def heard(self, notice):
        self.notices.append(notice)

    def told(self, sentence):
        self.sentences.append(sentence)


class Followed:
    """A follower at work, and the hand of its broker."""

    def __init__(self, simulator, connection, follower, notes, mode):
        self.simulator = simulator
        self.connection = connection
        self.follower = follower
        self.notes = notes
        self.broker = Broker(getattr(simulator, mode).url)
        self.mode = mode

    def until(self, done, *, seconds=60.0):
        """Let the follower go on until something is so."""
        ends_at = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < ends_at, (self.notes.sentences, self.notes.notices)
            self.follower.go_on()

    def order(self, side="buy", quantity=1, code=SAMSUNG):
        """Trade as if in the phone app, and return the number as the books write it."""
        body = {"side": side, "code": code, "qty": quantity}
        return f"{int(self.broker.post('external-order', body)['odno']):010}"

    def asked(self):
        return self.broker.get("requests")["counts"].get(ORDERS[self.mode], 0)

    def say(self, event, *, at=TEN, moment=None):
        self.follower.take(Heard(event, at, moment or time.monotonic()))

    def is_filled(self, number):
        return KisOrderDetail.objects.filter(odno=number, status=Status.FILLED).exists()


@pytest.fixture
def simulator(start_simulator):
    return start_simulator(ws_rhythm=Rhythm(look=0.02, tick=0.05, ping=60))


@contextmanager
def followed_by(simulator, mode="real", *, pace=SOON, **changes):
    with connection_to(simulator, mode) as connection:
        if changes:
            session = connection.session
            session.environment = replace(session.environment, **changes)
        notes = Notes()
        with following(connection, watcher=notes, patience=HASTE, pace=pace) as follower:
            yield Followed(simulator, connection, follower, notes, mode)


@pytest.fixture
def followed(simulator):
    """Return a follower that is connected and has read the orders once."""
    with followed_by(simulator) as found:
        found.until(KisOrderDetail.objects.exists)
        yield found


# --- notices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_order_is_followed_from_its_acceptance_to_its_fills(simulator, client_of, mode):
    with followed_by(simulator, mode) as found:
        found.until(lambda: found.notes.sentences)
        desk = Desk(found.broker, client_of(getattr(simulator, mode)))
        number = desk.buy(10)
        found.until(lambda: KisOrderDetail.objects.filter(odno=number).exists())
        for filled, status in ((4, Status.PARTIAL), (10, Status.FILLED)):
            found.broker.fill(number, filled - KisOrderDetail.objects.get(odno=number).tot_ccld_qty)
            found.until(lambda: KisOrderDetail.objects.get(odno=number).tot_ccld_qty == filled)  # noqa: B023
            row = KisOrderDetail.objects.get(odno=number)
            assert (row.status, row.rmn_qty, row.is_paper) == (status, 10 - filled, mode == "paper")
        # The list may have told of a fill before its notice did.
        found.until(lambda: len(found.notes.notices) == 3)
        kinds = [notice.kind for notice in found.notes.notices]
    assert kinds == [NoticeKind.ACCEPTED, NoticeKind.FILLED, NoticeKind.FILLED]


def test_orders_of_before_are_there_once_connected(simulator, client_of):
    number = Desk(Broker(simulator.real.url), client_of(simulator.real)).buy(3)
    with followed_by(simulator) as found:
        found.until(lambda: KisOrderDetail.objects.filter(odno=number).exists())
    assert found.notes.notices == []
    assert found.notes.sentences[0] == "체결통보에 연결했습니다."


def test_what_was_filled_while_the_line_was_gone_is_read_from_the_list(followed, real):
    real.fault("reset_after", tr="H0STCNI0")
    number = followed.order()
    followed.until(lambda: followed.is_filled(number))
    followed.until(lambda: "체결통보에 다시 연결했습니다." in followed.notes.sentences)
    told = [notice.kind for notice in followed.notes.notices]
    assert NoticeKind.FILLED not in told  # nobody told of the fill
    assert any("뒤에 다시 연결합니다" in sentence for sentence in followed.notes.sentences)


def test_unreadable_notice_makes_the_follower_read_the_list(followed, real):
    real.fault("truncate", tr="H0STCNI0", times=2)
    number = followed.order()
    followed.until(lambda: followed.is_filled(number))
    assert followed.notes.notices == []


def test_notice_of_another_account_of_the_owner_is_left_alone(followed):
    told = notice(followed)
    # A fill right after the list was read is in doubt, and the list then read again.
    followed.until(lambda: followed.follower.ask_since is None)
    before = list(KisOrderDetail.objects.values())
    other = replace(followed.connection.environment.account, product_code="22")
    followed.say(replace(told, account=other, quantity=1))
    followed.follower.keep_books()
    assert (list(KisOrderDetail.objects.values()), followed.notes.notices) == (before, [told])


def notice(followed):
    """Trade two shares at once, and return the notice of that once it is in the books."""
    number = followed.order(quantity=2)
    followed.until(lambda: followed.is_filled(number))
    del followed.notes.notices[:-1]
    return followed.notes.notices[0]


def test_list_is_read_again_where_a_fill_is_told_twice(followed):
    told = notice(followed)
    followed.until(lambda: followed.follower.ask_since is None)
    followed.follower.asked_until = float("-inf")  # the list was read a while ago
    asked = followed.asked()
    followed.say(told)
    followed.until(lambda: followed.asked() > asked)
    row = KisOrderDetail.objects.get(odno=told.number)
    assert (row.tot_ccld_qty, row.status) == (2, Status.FILLED)


def test_list_is_read_again_where_a_fill_was_told_while_it_was_read(followed):
    told = notice(followed)
    followed.until(lambda: followed.follower.ask_since is None)
    followed.follower.asked_until = time.monotonic()
    asked = followed.asked()
    heard = followed.follower.asked_until + SOON.unsure / 2
    followed.say(replace(told, quantity=1, at=told.at.replace(second=59)), moment=heard)
    followed.until(lambda: followed.asked() > asked)


def test_list_is_asked_from_the_day_the_line_was_lost(followed, monkeypatch):
    days = []

    def copy(connection, *, first):
        days.append(first)
        return OrderChanges(0, 0, ())

    monkeypatch.setattr("kis.live.copy_orders", copy)
    followed.say(Reconnected(TEN, TEN - timedelta(days=3)))
    followed.follower.keep_books()
    followed.say(Connected(TEN))
    followed.follower.keep_books()
    assert days == [TODAY - timedelta(days=3), TODAY]


def test_list_that_cannot_be_had_is_asked_for_again(followed, real):
    real.fault("html_page", tr="TTTC0081R", times=5)
    followed.say(Connected(TEN))
    followed.until(lambda: any("주문을 조회하지 못했습니다" in text for text in followed.notes.sentences))
    asked = followed.asked()
    followed.until(lambda: followed.follower.ask_since is None)
    assert followed.asked() > asked


# --- the database ---------------------------------------------------------------------------------------------------


def test_no_notice_is_lost_while_the_database_is_away(followed, monkeypatch):
    trouble = [OperationalError("database is locked")] * 4

    def write(*arguments, **how):
        if trouble:
            raise trouble.pop()
        return apply_notice(*arguments, **how)

    monkeypatch.setattr("kis.live.apply_notice", write)
    followed.follower.asked_until = float("-inf")  # the list was read a while ago
    asked = followed.asked()
    numbers = [followed.order(quantity=quantity) for quantity in (1, 2, 3)]
    followed.until(lambda: len(followed.notes.notices) == 6)
    followed.until(lambda: not followed.follower.unwritten)
    rows = [KisOrderDetail.objects.get(odno=number) for number in numbers]
    assert [(row.tot_ccld_qty, row.status, len(row.raw_json["told"])) for row in rows] == [
        (1, Status.FILLED, 2),
        (2, Status.FILLED, 2),
        (3, Status.FILLED, 2),
    ]
    assert followed.asked() == asked  # all of it came from the notices
    about = [text for text in followed.notes.sentences if "데이터베이스" in text]
    assert [text.split(".")[0] for text in about] == [
        "데이터베이스를 쓸 수 없습니다",
        "데이터베이스를 다시 쓸 수 있습니다",
    ]


@pytest.mark.django_db(transaction=True)
def test_no_notice_is_lost_when_the_server_ends_the_connection(followed):
    if database.vendor != "postgresql":
        pytest.skip("only PostgreSQL is a server that can go away")
    gone = backend()
    numbers = [followed.order() for _ in range(2)]
    other = database.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [gone])  # returns when it is gone
    other.close()
    # The first to notice must be the follower, and not a question of this test.
    followed.until(lambda: len(followed.notes.notices) == 4 and not followed.follower.unwritten)
    assert all(followed.is_filled(number) for number in numbers)
    assert backend() != gone


def backend():
    """Return the process of the server that this test talks to."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_notice_that_the_books_refuse_is_told_and_does_not_hold_up_the_others(followed, monkeypatch):
    refusals = [IntegrityError("kis_order_detail_not_negative")]

    def write(*arguments, **how):
        if refusals:
            raise refusals.pop()
        return apply_notice(*arguments, **how)

    monkeypatch.setattr("kis.live.apply_notice", write)
    number = followed.order()
    followed.until(lambda: followed.is_filled(number))
    assert any("장부에 적지 못해" in sentence for sentence in followed.notes.sentences)


def test_what_was_heard_before_the_end_is_written(simulator):
    with followed_by(simulator) as found:
        found.until(KisOrderDetail.objects.exists)
        number = found.order()
        ends_at = time.monotonic() + 60
        while found.follower.ear.waiting.qsize() < 2 and time.monotonic() < ends_at:
            time.sleep(0.01)
        assert not found.is_filled(number)
    assert found.is_filled(number)


def test_what_cannot_be_written_at_the_end_is_told(simulator, monkeypatch):
    def gone(*arguments, **how):
        raise InterfaceError("connection already closed")

    with followed_by(simulator) as found:
        found.until(KisOrderDetail.objects.exists)
        found.say(notice(found))
        monkeypatch.setattr("kis.live.apply_notice", gone)
    assert found.notes.sentences[-1].startswith("통보 1건을 적지 못했습니다.")


# --- one at a time --------------------------------------------------------------------------------------------------


def test_second_follower_of_an_app_key_is_refused_until_the_first_has_gone(simulator):
    with followed_by(simulator):
        with pytest.raises(FollowedElsewhere, match="이미"), followed_by(simulator):
            pass
        with followed_by(simulator, "paper"):
            pass
    with followed_by(simulator):
        pass


def test_lease_of_a_dead_follower_is_taken_over_by_one(settings):
    now = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    dead, heir, late = Lease("key"), Lease("key"), Lease("key")
    assert dead.take(now=now)
    assert not heir.take(now=now + LEASE - timedelta(seconds=1))
    assert dead.take(now=now + timedelta(seconds=30))
    assert not heir.take(now=now + LEASE)
    over = now + timedelta(seconds=30) + LEASE
    assert heir.take(now=over)
    assert not late.take(now=over)
    assert not dead.take(now=over)
    dead.give_back(now=over)
    assert not late.take(now=over)


@pytest.mark.django_db(transaction=True)
def test_eight_processes_that_want_the_same_leases_get_each_once(simulator, tmp_path):
    results = run_processes(simulator, tmp_path, "real", "leases", "8", "20")
    assert all("ours" in result for result in results), results
    assert sorted(number for result in results for number in result["ours"]) == list(range(20))


def test_follower_whose_lease_was_taken_over_ends_after_writing(simulator, monkeypatch):
    with followed_by(simulator, pace=replace(SOON, renew=0)) as found:
        found.until(KisOrderDetail.objects.exists)
        told = notice(found)
        KisOrderDetail.objects.filter(odno=told.number).delete()
        FeedLease.objects.update(holder="somebody else")
        found.say(told)
        with pytest.raises(FollowedElsewhere):
            found.follower.keep_books()
        assert KisOrderDetail.objects.filter(odno=told.number).exists()


def test_lease_is_given_back_after_an_error(simulator):
    with connection_to(simulator) as connection:
        key = key_id(connection.environment)
    with pytest.raises(ZeroDivisionError), feed_lease(key):
        raise ZeroDivisionError
    with feed_lease(key):
        pass


# --- what cannot be followed ----------------------------------------------------------------------------------------


def test_wrong_hts_id_ends_the_follower_with_a_sentence(simulator):
    with (
        followed_by(simulator, hts_id="somebody") as found,
        pytest.raises(NotTold, match="KIS_REAL_HTS_ID"),
    ):
        found.until(lambda: False)


def test_refused_key_ends_a_follower_that_has_never_been_connected(simulator):
    with followed_by(simulator, app_secret="x" * 180) as found, pytest.raises(KisRefused):
        found.until(lambda: False)


def test_refused_key_does_not_end_one_that_has_been_connected(followed):
    followed.say(KisRefused(rt_cd="1", msg_cd="EGW00103", message="유효하지 않은 AppKey", tr_id="Approval"))
    assert "EGW00103" in followed.notes.sentences[-1]


def account(source, **changes):
    return Account("연금", "real", source, None, lambda: environment(**changes))


@pytest.mark.parametrize(
    ("source", "words"),
    [(Source.ENVIRONMENT, "KIS_REAL_HTS_ID"), (Source.DATABASE, "'연금'에 HTS ID")],
)
def test_missing_hts_id_is_asked_for_where_it_belongs(source, words):
    with pytest.raises(KisMisconfigured, match=words):
        require_hts_id(account(source), environment())
    require_hts_id(account(source), environment(hts_id="owner"))


def test_one_follower_for_each_app_key_with_an_hts_id():
    def broken():
        raise KisMisconfigured("앱키는 36자여야 합니다.")

    first = account(Source.ENVIRONMENT, hts_id="owner")
    other = account(Source.DATABASE, hts_id="owner", app_key="L" * 36)
    found = followable(
        [
            replace(first, unused="꺼 두었습니다"),
            replace(first, environment=broken),
            account(Source.DATABASE),
            first,
            replace(first, label="같은 앱키"),
            other,
        ]
    )
    assert found == [first, other]


def test_nothing_heard_is_nothing_done(followed):
    followed.until(lambda: followed.follower.ask_since is None)
    requests = followed.connection.session.requests
    followed.follower.go_on()
    assert followed.connection.session.requests == requests
