"""The client's feed against the simulated broker: prices, fills, mended lines, and no secret anywhere."""

import logging
import socket
import time
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest

from kis.client.approval import ask_approval_key
from kis.client.codes import AccountNumber, Environment
from kis.client.errors import KisMisconfigured, KisRefused, KisReplyChanged, KisUnreachable
from kis.client.realtime import Patience, RealtimeFeed
from kis.client.realtime_events import Connected, Disconnected, Problem, Reconnected
from kis.client.realtime_socket import WebSocket
from kis.client.records.orders import Side
from kis.client.records.realtime import FillNotice, NoticeKind, PriceTick
from kis.client.transport import HttpTransport
from kis.simulator.hours import KST
from kis.simulator.realtime_hub import Rhythm
from tests.kis.scripted import environment

QUICK = Rhythm(look=0.02, tick=0.05, ping=60)
HASTE = Patience(
    connect=30,
    answer=30,
    silence=60,
    first_pause=0.02,
    longest_pause=0.1,
    first_pause_if_busy=0.2,
    longest_pause_if_busy=0.4,
    lasting=5,
)


def environment_of(side, mode):
    return Environment(
        mode=mode,
        base_url=side.url,
        ws_url=side.ws,
        app_key=side.app_key,
        app_secret=side.app_secret,
        account=AccountNumber.parse(side.account),
        hts_id=side.hts_id,
    )


@pytest.fixture
def transport():
    transport = HttpTransport()
    yield transport
    transport.close()


@pytest.fixture
def feed_of(transport):
    """Return what makes a feed of one side of a simulator; all are closed at the end."""
    feeds = []

    def make(side, mode="real", *, patience=HASTE, **changes):
        feeds.append(
            RealtimeFeed(
                replace(environment_of(side, mode), **changes), transport=transport, patience=patience
            )
        )
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.close()


@pytest.fixture
def simulator(start_simulator):
    return start_simulator(ws_rhythm=QUICK)


def until(feed, kind, *, seconds=60.0):
    """Return the next event of a kind and what came before it."""
    passed: list[Any] = []
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        event = feed.next_event(timeout_seconds=0.2)
        if isinstance(event, kind):
            return event, passed
        passed += [event] if event is not None else []
    pytest.fail(f"no {kind.__name__}, only {passed}")


# --- what is heard ----------------------------------------------------------------------------------------------


def test_prices_are_heard_as_they_change(simulator, feed_of, real):
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930", "0126Z0"])
    _, before = until(feed, Connected)
    first = [*before, feed.next_event(timeout_seconds=60)]
    assert [tick.code for tick in first] == ["005930", "0126Z0"]
    real.control("price", {"code": "005930", "price": 70_000})
    tick, _ = until(feed, PriceTick)
    assert (tick.code, tick.price, tick.traded_on) == ("005930", 70_000, date(2026, 11, 20))
    feed.unsubscribe_prices(["005930"])
    assert feed.next_event(timeout_seconds=0.1) is None
    real.control("price", {"code": "005930", "price": 70_100})
    assert feed.next_event(timeout_seconds=0.1) is None


@pytest.mark.parametrize(
    ("clock", "session"), [("2026-09-11T10:00", ""), ("2026-09-14T10:00", "2"), ("2025-02-28T10:00", "")]
)
def test_ticks_and_notices_are_read_before_and_after_the_lists_grew(
    start_simulator, feed_of, client_of, clock, session
):
    simulator = start_simulator(clock=datetime.fromisoformat(clock).replace(tzinfo=KST), ws_rhythm=QUICK)
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930"])
    feed.subscribe_fills()
    tick, _ = until(feed, PriceTick)
    assert (tick.session, tick.traded_on.isoformat()) == (session, clock[:10])
    until(feed, Connected)
    order = {"side": "buy", "code": "005930", "qty": 1}
    client_of(simulator.real).control("external-order", order)
    assert until(feed, FillNotice)[0].kind is NoticeKind.ACCEPTED
    assert until(feed, FillNotice)[0].kind is NoticeKind.FILLED


def test_several_ticks_in_a_frame_are_all_heard(start_simulator, feed_of):
    simulator = start_simulator(speed=60, ws_rhythm=QUICK)
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930"])
    ticks = [until(feed, PriceTick)[0] for _ in range(12)]
    for before, after in pairwise(ticks):
        assert after.total_quantity == before.total_quantity + after.quantity
        assert after.at >= before.at


@pytest.mark.parametrize("mode", ["real", "paper"])
def test_order_is_heard_from_its_acceptance_to_its_fills(simulator, feed_of, client_of, mode):
    side = simulator.real if mode == "real" else simulator.paper
    feed, client = feed_of(side, mode), client_of(side)
    feed.subscribe_fills()
    until(feed, Connected)
    number = client.order("buy", ORD_QTY="3", ORD_UNPR="50000").json()["output"]["ODNO"]
    taken, _ = until(feed, FillNotice)
    assert (taken.kind, taken.number, taken.side) == (NoticeKind.ACCEPTED, number, Side.BUY)
    assert (taken.quantity, taken.price, taken.account) == (3, 50_000, feed.environment.account)
    for quantity in (1, 2):
        client.control("fill", {"odno": number, "qty": quantity})
        filled, _ = until(feed, FillNotice)
        assert (filled.kind, filled.number, filled.quantity) == (NoticeKind.FILLED, number, quantity)
        assert (filled.ordered_quantity, filled.name) == (3, "삼성전자")


# --- lines that break -------------------------------------------------------------------------------------------


def test_line_that_is_reset_comes_back_with_everything(simulator, feed_of, real):
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930", "000660"])
    feed.subscribe_fills()
    until(feed, Connected)
    real.fault("reset_after", tr="H0STCNT0")
    real.control("price", {"code": "005930", "price": 70_000})
    lost, before = until(feed, Disconnected)
    assert 70_000 in {tick.price for tick in before}
    back, _ = until(feed, Reconnected)
    assert back.silent_since < back.at
    assert lost.retry_seconds <= HASTE.longest_pause
    real.control("external-order", {"side": "buy", "code": "000660", "qty": 1})
    assert until(feed, FillNotice)[0].code == "000660"
    counts = real.control("requests").json()["counts"]
    assert (counts["H0STCNT0"], counts["H0STCNI0"], counts["Approval"]) == (4, 2, 1)


def test_silent_line_is_given_up(start_simulator, feed_of, client_of):
    simulator = start_simulator(ws_rhythm=Rhythm(look=0.02, tick=60, ping=0.05))
    feed = feed_of(simulator.real, patience=replace(HASTE, silence=0.9))
    feed.subscribe_prices(["005930"])
    until(feed, PriceTick)
    assert feed.next_event(timeout_seconds=1) is None
    client_of(simulator.real).fault("hang_after", tr="PINGPONG")
    assert until(feed, Disconnected)[0].reason == "증권사가 아무 말이 없습니다"
    until(feed, Reconnected)


@pytest.mark.parametrize("kind", ["truncate", "bad_json"])
def test_spoilt_frame_is_a_problem_and_the_next_is_read(simulator, feed_of, real, kind):
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930"])
    until(feed, Connected)
    real.fault(kind, tr="H0STCNT0")
    real.control("price", {"code": "005930", "price": 70_000})
    assert isinstance(until(feed, Problem)[0].error, KisReplyChanged)
    real.control("price", {"code": "005930", "price": 70_100})
    assert until(feed, PriceTick)[0].price == 70_100


def test_expired_approval_key_is_replaced(simulator, feed_of, real):
    real.fault("token_expired", tr="H0STCNT0")
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930"])
    _, before = until(feed, Connected)
    assert [type(event) for event in before] == [Problem, Disconnected]
    assert real.control("requests").json()["counts"]["Approval"] == 2


def test_key_in_use_is_waited_for(simulator, feed_of):
    first, second = feed_of(simulator.real), feed_of(simulator.real)
    for feed in (first, second):
        feed.subscribe_prices(["005930"])
    until(first, Connected)
    problem, _ = until(second, Problem)
    assert isinstance(problem.error, KisRefused)
    assert problem.error.msg_cd == "OPSP8996"
    assert until(second, Disconnected)[0].retry_seconds >= HASTE.first_pause_if_busy
    first.close()
    until(second, Connected)


def test_wrong_hts_id_ends_the_notices_and_leaves_the_prices(simulator, feed_of):
    feed = feed_of(simulator.real, hts_id="somebody")
    feed.subscribe_fills()
    feed.subscribe_prices(["005930"])
    problem, before = until(feed, Problem)
    assert isinstance(problem.error, KisMisconfigured)
    assert sum(isinstance(event, Disconnected) for event in before) == 2
    until(feed, Connected)


def test_unknown_stock_is_a_problem(simulator, feed_of):
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["999999", "005930"])
    error = until(feed, Problem)[0].error
    assert isinstance(error, KisRefused)
    assert (error.msg_cd, error.tr_id) == ("OPSP8992", "H0STCNT0")
    assert until(feed, PriceTick)[0].code == "005930"


def test_stopped_broker_is_tried_again_with_pauses(start_simulator, feed_of):
    simulator = start_simulator(ws_rhythm=QUICK)
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930"])
    until(feed, Connected)
    simulator.stop()
    reasons = {until(feed, Disconnected)[0].reason for _ in range(3)}
    assert reasons == {"연결이 끊겼습니다", "연결하지 못했습니다"}


# --- the socket -------------------------------------------------------------------------------------------------


def test_socket_that_nobody_answers_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"ws://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(KisUnreachable, match="시간 안에"):
            WebSocket(url, timeout_seconds=0.1)
    with pytest.raises(KisUnreachable, match="연결하지 못했습니다"):
        WebSocket(url, timeout_seconds=30)


def test_socket_that_is_gone_is_unreachable(simulator):
    line = WebSocket(simulator.real.ws, timeout_seconds=30)
    assert line.receive(timeout_seconds=0) is None
    line.close()
    line.close()
    with pytest.raises(KisUnreachable, match="끊겼습니다"):
        line.send("{}")
    with pytest.raises(KisUnreachable, match="끊겼습니다"):
        line.receive(timeout_seconds=0)


# --- keys -------------------------------------------------------------------------------------------------------


def test_approval_key_is_refused_for_a_wrong_secret(simulator, transport):
    wrong = replace(environment_of(simulator.real, "real"), app_secret="x" * 180)
    with pytest.raises(KisRefused, match="EGW00105"):
        ask_approval_key(wrong, transport, at=datetime.now(KST))


def test_no_secret_is_logged_or_shown(simulator, feed_of, real, caplog):
    caplog.set_level(logging.DEBUG)
    feed = feed_of(simulator.real)
    feed.subscribe_prices(["005930"])
    feed.subscribe_fills()
    until(feed, Connected)
    real.control("external-order", {"side": "buy", "code": "005930", "qty": 1})
    notice, _ = until(feed, FillNotice)
    approval_key = feed.approval.value
    side = simulator.real
    secrets = (approval_key, side.app_key, side.app_secret, side.hts_id, "12345678")
    # The broker's own end, in the same process here, may say what it likes.
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    shown = f"{logged} {feed.approval!r} {feed.environment!r} {notice!r} {feed.registrations.wanted!r}"
    assert not any(secret in shown for secret in secrets)
    assert side.hts_id in feed.environment.secrets


# --- addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "url"),
    [
        ("real", "ws://ops.koreainvestment.com:21000"),
        ("paper", "ws://ops.koreainvestment.com:31000/tryitout"),
        ("real", "wss://relay.example.com"),
        ("real", "ws://localhost:1"),
        ("paper", "ws://[::1]:1"),
    ],
)
def test_address_of_the_broker_or_of_this_machine_may_be_plain(mode, url):
    assert environment(mode, ws_url=url).ws_url == url


@pytest.mark.parametrize(
    ("mode", "url"),
    [
        ("real", ""),
        ("real", "ws://relay.example.com:21000"),
        ("real", "ws://ops.koreainvestment.com.example.com:21000"),
        ("real", "http://127.0.0.1:1"),
        ("real", "ws://user@127.0.0.1:1"),
        ("real", "ws://127.0.0.1:port"),
        ("real", "ws://["),
        ("real", "ws://ops.koreainvestment.com:31000"),
        ("paper", "ws://ops.koreainvestment.com:21000"),
        ("paper", "ws://ops.koreainvestment.com"),
    ],
)
def test_other_plain_address_is_refused(mode, url):
    with pytest.raises(KisMisconfigured, match=f"KIS_{mode.upper()}_WS_URL"):
        environment(mode, ws_url=url)


@pytest.mark.parametrize("url", ["", "http://example.com", "https://[", "https://127.0.0.1:port"])
def test_plain_address_of_inquiries_and_one_that_is_none_are_refused(url):
    with pytest.raises(KisMisconfigured, match="https여야"):
        environment(base_url=url)


def test_secrets_are_listed_longest_first_and_without_an_empty_hts_id():
    assert environment().secrets == ("S" * 180, "K" * 36, "12345678")
    assert environment(hts_id="a-long-hts-id").secrets[2:] == ("a-long-hts-id", "12345678")
