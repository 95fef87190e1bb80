"""What the feed does when the broker drops, refuses, hangs or talks nonsense, on a clock that moves when told."""

import json
import random
from collections import deque
from dataclasses import replace
from typing import Any

import pytest

from kis.client.errors import KisMisconfigured, KisRefused, KisReplyChanged, KisUnreachable
from kis.client.pauses import Pauses
from kis.client.realtime import Patience, RealtimeFeed
from kis.client.realtime_events import Connected, Disconnected, Problem, Reconnected
from kis.client.records.realtime import FillNotice, PriceTick
from kis.client.registrations import TooManyRegistrations
from tests.kis.scripted import Clock, Script, environment, error, reply
from tests.kis.test_realtime_frames import TEXTS

DROP = KisUnreachable("연결이 끊겼습니다")
PING = TEXTS["pingpong"]
KEY = {"iv": "0987abcdef654321", "key": "kqwzvnbrtyplmdxcfghjskaeoiu12345"}
TICK = TEXTS["price_46"]


def answer(tr_id="H0STCNT0", code="OPSP0000", *, rt_cd="", output=KEY, text="SUBSCRIBE"):
    body = {
        "rt_cd": rt_cd or ("0" if code in {"OPSP0000", "OPSP0001"} else "1"),
        "msg_cd": code,
        "msg1": text,
    }
    if body["rt_cd"] == "0":
        body["output"] = output
    return json.dumps({"header": {"tr_id": tr_id, "tr_key": "", "encrypt": "N"}, "body": body})


class Line:
    """One connection. Each request is met by the next of `reactions`, and by a plain yes when they are used up.

    What is heard is a frame, an exception, or None for silence until the listener gives up.
    """

    def __init__(self, clock, reactions, frames):
        self.clock = clock
        self.reactions = deque(reactions)
        self.inbox: deque[Any] = deque()
        self.takes_pings = True
        self.frames = deque(frames)
        self.sent = []
        self.closed = False

    def send(self, text):
        self.sent.append(text)
        if "body" not in (request := json.loads(text)):
            if not self.takes_pings:
                raise DROP
            return
        tr_type, tr_id = request["header"]["tr_type"], request["body"]["input"]["tr_id"]
        yes = answer(tr_id, "OPSP0000" if tr_type == "1" else "OPSP0001")
        reaction = self.reactions.popleft() if self.reactions else yes
        self.inbox.extend(reaction if isinstance(reaction, list) else [reaction])

    def receive(self, *, timeout_seconds):
        self.clock.sleep(0.01)
        heard = self.inbox.popleft() if self.inbox else self.frames.popleft() if self.frames else None
        if heard is None:
            self.clock.sleep(timeout_seconds)
        elif isinstance(heard, Exception):
            raise heard
        return heard

    def close(self):
        self.closed = True

    @property
    def requests(self):
        """What was asked for: (tr_type, TR id, key)."""
        asked = [json.loads(text) for text in self.sent if "body" in text]
        return [(frame["header"]["tr_type"], *frame["body"]["input"].values()) for frame in asked]


class Broker:
    """Hands out prepared lines one after the other; the last one for ever."""

    def __init__(self, *lines: Any, keys=None, **changes):
        self.clock = Clock()
        self.script = Script(self.clock, *(keys or [{"approval_key": f"approval-{n}"} for n in range(1, 99)]))
        self.lines = [
            line if isinstance(line, Exception) else Line(self.clock, *line) for line in lines or [((), ())]
        ]
        self.connected_at: list[float] = []
        self.used: list[Line] = []
        self.feed = RealtimeFeed(
            environment(hts_id="hongkd", **changes),
            transport=self.script,
            connect=self.connect,
            wall_clock=self.clock.wall,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
            uniform=lambda low, high: high,
        )

    def connect(self, url, *, timeout_seconds):
        self.connected_at.append(self.clock.seconds)
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(line, Exception):
            raise line
        if line.closed:
            line = Line(self.clock, [], [])
        self.used.append(line)
        return line

    def events(self, count):
        return [self.feed.next_event(timeout_seconds=10_000) for _ in range(count)]

    def until(self, kind):
        """Return the next event of a kind, and pass over the others."""
        for _ in range(3_000):
            event = self.feed.next_event(timeout_seconds=10_000)
            if isinstance(event, kind):
                return event
        pytest.fail(f"no {kind.__name__}")


# --- asking -----------------------------------------------------------------------------------------------------


def test_everything_wanted_is_asked_for_notices_last_before_the_feed_is_live():
    broker = Broker(([], [TICK]))
    broker.feed.subscribe_fills()
    broker.feed.subscribe_prices(["005930", "0126Z0"])
    connected, tick = broker.events(2)
    assert isinstance(connected, Connected)
    assert (tick.code, tick.price) == ("005930", 71500)
    assert broker.used[0].requests == [
        ("1", "H0STCNT0", "005930"),
        ("1", "H0STCNT0", "0126Z0"),
        ("1", "H0STCNI0", "hongkd"),
    ]


def test_nothing_wanted_connects_to_nobody():
    broker = Broker()
    assert broker.feed.next_event(timeout_seconds=5) is None
    assert (broker.clock.seconds, broker.connected_at, broker.script.sent) == (5, [], [])


def test_paper_asks_for_its_own_notices():
    broker = Broker(mode="paper")
    broker.feed.subscribe_fills()
    broker.until(Connected)
    assert broker.used[0].requests == [("1", "H0STCNI9", "hongkd")]


def test_stock_given_up_is_left_and_no_longer_heard():
    broker = Broker(([], [None, TICK]))
    broker.feed.subscribe_prices(["005930"])
    broker.until(Connected)
    broker.feed.unsubscribe_prices(["005930", "000660"])
    assert broker.feed.next_event(timeout_seconds=30) is None
    assert broker.used[0].requests == [("1", "H0STCNT0", "005930"), ("2", "H0STCNT0", "005930")]
    broker.feed.subscribe_prices(["005930"])
    assert broker.feed.next_event(timeout_seconds=1) is None
    assert broker.used[0].requests[2:] == [("1", "H0STCNT0", "005930")]


def test_forty_second_registration_is_refused_before_anything_is_sent():
    broker = Broker()
    broker.feed.subscribe_fills()
    broker.feed.subscribe_prices([f"{number:06d}" for number in range(39)])
    with pytest.raises(TooManyRegistrations, match="41건까지"):
        broker.feed.subscribe_prices(["000001", "00104K", "00105K"])
    broker.feed.subscribe_prices(["00104K"])
    with pytest.raises(TooManyRegistrations):
        broker.feed.subscribe_prices(["00105K"])
    broker.until(Connected)
    assert len(broker.used[0].requests) == 41


def test_code_that_is_none_and_missing_hts_id_are_refused():
    broker = Broker()
    with pytest.raises(KisMisconfigured, match="6자리"):
        broker.feed.subscribe_prices(["005930", "삼성전자"])
    broker.feed.registrations.environment = replace(broker.feed.environment, hts_id="")
    with pytest.raises(KisMisconfigured, match="KIS_REAL_HTS_ID"):
        broker.feed.subscribe_fills()
    assert broker.feed.registrations.wanted == {}


# --- the line ---------------------------------------------------------------------------------------------------


def test_dropped_line_is_replaced_and_everything_asked_for_again():
    broker = Broker(([], [TICK, PING, DROP]), ([], [TICK]))
    broker.feed.subscribe_prices(["005930"])
    broker.feed.subscribe_fills()
    connected, tick, lost, back, again = broker.events(5)
    assert (type(connected), type(tick), type(again)) == (Connected, PriceTick, PriceTick)
    assert lost == Disconnected("연결이 끊겼습니다", 3.0)
    assert isinstance(back, Reconnected)
    assert connected.at <= back.silent_since < back.at
    assert broker.used[1].requests == broker.used[0].requests
    assert broker.used[0].closed
    assert len(broker.script.sent) == 1  # the approval key is good for a day


def test_pauses_grow_to_their_cap_while_the_broker_cannot_be_reached():
    broker = Broker(KisUnreachable("연결하지 못했습니다"))
    broker.feed.subscribe_prices(["005930"])
    pauses = [event.retry_seconds for event in broker.events(12)]
    assert pauses[:4] == [3.0, 5.0, 9.0, 17.0]
    assert pauses[-3:] == [300.0] * 3
    waited = [
        later - earlier for earlier, later in zip(broker.connected_at, broker.connected_at[1:], strict=False)
    ]
    assert waited == pytest.approx(pauses[:-1], abs=0.2)


def test_short_lived_connections_do_not_reset_the_pauses_lasting_ones_do():
    lived: Any = ([], [PING, DROP])
    broker = Broker(lived, lived, ([], [PING] * 6000 + [DROP]), lived)
    broker.feed.subscribe_prices(["005930"])
    assert [broker.until(Disconnected).retry_seconds for _ in range(4)] == [3.0, 5.0, 3.0, 5.0]


def test_jitter_is_full_but_never_nothing():
    pauses = Pauses(first=1.0, longest=300.0, uniform=random.Random(1).uniform)
    drawn = [pauses.next() for _ in range(300)]
    assert min(drawn) >= 1.0
    assert max(drawn) <= 300.0
    assert len({round(pause, 3) for pause in drawn[20:]}) > 100


def test_silence_ends_the_connection_and_pingpong_does_not():
    broker = Broker(([], [PING, *[None] * 50]), ([], []))
    broker.feed.subscribe_prices(["005930"])
    broker.until(Connected)
    assert broker.until(Disconnected).reason == "증권사가 아무 말이 없습니다"
    assert broker.used[0].sent[-1] == PING
    assert broker.clock.seconds == pytest.approx(Patience().silence, abs=1)


def test_request_without_an_answer_ends_the_connection_even_while_prices_come():
    broker = Broker(([TICK], [TICK] * 2000))
    broker.feed.subscribe_prices(["005930"])
    assert broker.until(Disconnected).reason == "등록 요청에 답이 없습니다"
    assert broker.clock.seconds == pytest.approx(Patience().answer, abs=1)


def test_closed_feed_tells_what_was_missed_when_it_is_used_again():
    broker = Broker(([], []), ([], []))
    broker.feed.subscribe_prices(["005930"])
    with broker.feed as feed:
        broker.until(Connected)
        feed.next_event(timeout_seconds=5)
    assert broker.used[0].closed
    broker.feed.close()
    assert isinstance(broker.until(Reconnected), Reconnected)


def test_events_end_when_none_comes_in_time():
    broker = Broker(([], [TICK, TICK]))
    broker.feed.subscribe_prices(["005930"])
    assert [type(event) for event in broker.feed.events(timeout_seconds=5)] == [
        Connected,
        PriceTick,
        PriceTick,
    ]
    assert broker.feed.next_event(timeout_seconds=0) is None


# --- refusals ---------------------------------------------------------------------------------------------------


def test_key_in_use_elsewhere_is_waited_for_longer_and_longer():
    in_use: Any = ([TEXTS["answer_in_use"]], [])
    broker = Broker(in_use, in_use, ([], []))
    broker.feed.subscribe_prices(["005930"])
    problem, first, _, second, connected = broker.events(5)
    assert isinstance(problem.error, KisRefused)
    assert problem.error.msg_cd == "OPSP8996"
    assert (first.retry_seconds, second.retry_seconds) == (180.0, 300.0)
    assert isinstance(connected, Connected)


def test_expired_approval_key_is_renewed_once():
    expired: Any = ([answer(code="OPSP0011", text="invalid approval : approval-1 NOT FOUND")], [])
    broker = Broker(expired, ([], [DROP]), ([], []))
    broker.feed.subscribe_prices(["005930"])
    problem, lost, connected = broker.events(3)
    assert problem.error.msg_cd == "OPSP0011"
    assert "approval-1" not in str(problem.error)
    assert (lost.retry_seconds, type(connected)) == (3.0, Connected)
    broker.until(Reconnected)
    keys = [json.loads(line.sent[0])["header"]["approval_key"] for line in broker.used]
    assert keys == ["approval-1", "approval-2", "approval-2"]


def test_fresh_approval_key_that_is_refused_too_is_no_reason_to_hammer():
    expired: Any = ([answer(code="OPSP0011")], [])
    broker = Broker(expired, expired, expired, ([], []))
    broker.feed.subscribe_prices(["005930"])
    assert [broker.until(Disconnected).retry_seconds for _ in range(3)] == [3.0, 180.0, 300.0]
    broker.until(Connected)


def test_approval_key_is_asked_for_again_after_a_day():
    broker = Broker(([], [PING] * 10 + [None] * 10), ([], []))
    broker.feed.patience = Patience(silence=1e9)
    broker.feed.subscribe_prices(["005930"])
    broker.until(Connected)
    broker.clock.seconds += 86_400
    broker.feed.subscribe_prices(["000660"])
    broker.feed.next_event(timeout_seconds=1)
    keys = [json.loads(text)["header"]["approval_key"] for text in broker.used[0].sent if "body" in text]
    assert keys == ["approval-1", "approval-2"]


def test_wrong_app_keys_are_raised_and_not_tried_again_soon():
    wrong = reply({"error_code": "EGW00103", "error_description": "유효하지 않은 AppKey"}, status=403)
    broker = Broker(keys=[wrong])
    broker.feed.subscribe_prices(["005930"])
    with pytest.raises(KisRefused, match="EGW00103"):
        broker.feed.next_event(timeout_seconds=10)
    assert broker.feed.next_event(timeout_seconds=200) is None
    assert (len(broker.script.sent), broker.connected_at) == (1, [])


@pytest.mark.parametrize("trouble", [error("EGW00201"), KisUnreachable("시간 안에 응답이 없습니다")])
def test_approval_that_fails_for_the_moment_is_tried_again(trouble):
    broker = Broker(keys=[trouble, {"approval_key": "approval-2"}])
    broker.feed.subscribe_prices(["005930"])
    lost, connected = broker.events(2)
    assert (type(lost), type(connected)) == (Disconnected, Connected)


@pytest.mark.parametrize("keys", [{"approval_key": ""}, {}])
def test_approval_reply_without_a_key_is_raised(keys):
    broker = Broker(keys=[keys])
    broker.feed.subscribe_prices(["005930"])
    with pytest.raises(KisReplyChanged, match="approval_key"):
        broker.feed.next_event(timeout_seconds=10)


def test_registration_that_is_refused_is_given_up_and_the_others_go_on():
    broker = Broker(([answer(code="OPSP0008", text="MAX SUBSCRIBE OVER")], [TEXTS["price_47"]]))
    broker.feed.subscribe_prices(["005930", "0126Z0"])
    problem, connected, tick = broker.events(3)
    assert (problem.error.msg_cd, type(connected), tick.code) == ("OPSP0008", Connected, "0126Z0")
    assert broker.used[0].requests == [("1", "H0STCNT0", "005930"), ("1", "H0STCNT0", "0126Z0")]


def test_leaving_that_is_refused_counts_as_left():
    broker = Broker(([answer(), answer(code="OPSP8997"), answer(), answer(code="OPSP0003")], []))
    for _ in range(2):
        broker.feed.subscribe_prices(["005930"])
        broker.feed.next_event(timeout_seconds=1)
        broker.feed.unsubscribe_prices(["005930"])
        list(broker.feed.events(timeout_seconds=1))
    assert [tr_type for tr_type, _, _ in broker.used[0].requests] == ["1", "2", "1", "2"]


def test_registration_that_exists_already_is_as_good_as_new():
    broker = Broker(([answer(code="OPSP0002", text="ALREADY IN SUBSCRIBE")], []))
    broker.feed.subscribe_prices(["005930"])
    assert isinstance(broker.events(1)[0], Connected)


def test_trouble_of_the_broker_is_a_pause():
    broker = Broker(([answer(code="OPSP0007")], []), ([], []))
    broker.feed.subscribe_prices(["005930"])
    problem, lost, connected = broker.events(3)
    assert (problem.error.msg_cd, lost.retry_seconds, type(connected)) == ("OPSP0007", 3.0, Connected)


def test_notices_are_given_up_after_three_drops_in_a_row_and_prices_stay():
    wrong_id: Any = ([answer(), DROP], [])
    broker = Broker(wrong_id, wrong_id, wrong_id, ([], [TICK]))
    broker.feed.subscribe_prices(["005930"])
    broker.feed.subscribe_fills()
    problem = broker.until(Problem)
    assert isinstance(problem.error, KisMisconfigured)
    assert "KIS_REAL_HTS_ID" in str(problem.error)
    broker.until(PriceTick)
    assert broker.used[3].requests == [("1", "H0STCNT0", "005930")]


# --- frames -----------------------------------------------------------------------------------------------------


def test_notices_are_decrypted_with_the_key_of_their_acknowledgement():
    frames = [TEXTS["notice_26_taken"], TEXTS["notice_26_filled"]]
    broker = Broker(([answer(output={"key": "x" * 32, "iv": "y" * 16})], frames))
    broker.feed.subscribe_prices(["005930"])
    broker.feed.subscribe_fills()
    connected, taken, filled = broker.events(3)
    assert (type(connected), type(taken)) == (Connected, FillNotice)
    assert (filled.number, filled.quantity, filled.price) == ("0000012345", 3, 71400)


@pytest.mark.parametrize("reaction", [answer("H0STCNI0", output={}), answer("H0STCNI0", "OPSP0002")])
def test_notices_without_a_key_are_asked_for_again_on_a_new_line(reaction):
    broker = Broker(([reaction], []), ([], [TEXTS["notice_26_filled"]]))
    broker.feed.subscribe_fills()
    problem, lost, connected, filled = broker.events(4)
    assert isinstance(problem.error, KisReplyChanged)
    assert (type(lost), type(connected), type(filled)) == (Disconnected, Connected, FillNotice)


def test_notice_before_its_key_is_a_problem():
    broker = Broker(([[TEXTS["notice_26_filled"], answer("H0STCNI0")]], []))
    broker.feed.subscribe_fills()
    problem, connected = broker.events(2)
    assert (problem.error.tr_id, type(connected)) == ("H0STCNI0", Connected)


def test_every_unreadable_notice_is_told_but_a_changed_price_only_once():
    price = TICK.replace("^71500^2^", "^칠만^2^")
    notice = "0|H0STCNI0|001|" + "^" * 25
    broker = Broker(([], [price, price, notice, notice, "0|H0STCNT0|003|1^2", TICK]))
    broker.feed.subscribe_prices(["005930"])
    broker.feed.subscribe_fills()
    _, first, second, third, fourth, tick = broker.events(6)
    assert [problem.error.field for problem in (first, second, third, fourth)] == [
        "STCK_PRPR",
        "RFUS_YN",
        "RFUS_YN",
        "count",
    ]
    assert isinstance(tick, PriceTick)


def test_good_record_beside_a_bad_one_is_told():
    frame = TEXTS["price_47_two"].replace("^412000^5^-3500^", "^^5^-3500^")
    broker = Broker(([], [frame]))
    broker.feed.subscribe_prices(["0126Z0"])
    _, problem, tick = broker.events(3)
    assert (problem.error.field, tick.price) == ("STCK_PRPR", 412500)


def test_garbage_is_a_problem_and_the_line_stays():
    broker = Broker(([], ["<html>", '{"header":', TICK]))
    broker.feed.subscribe_prices(["005930"])
    _, first, second, tick = broker.events(4)
    assert (type(first), type(second), type(tick)) == (Problem, Problem, PriceTick)
    assert len(broker.used) == 1


def test_frames_nobody_asked_for_are_counted():
    frames = ["0|H0STMKO0|001|1^2", "0|H0STMKO0|001|1^2", answer("H0STASP0"), TICK]
    broker = Broker(([[answer("H0STASP0"), answer()]], frames))
    broker.feed.subscribe_prices(["005930"])
    broker.events(2)
    assert dict(broker.feed.unknown_frames) == {"H0STMKO0": 2, "H0STASP0": 2}


def test_line_that_breaks_while_sending_is_replaced():
    broker = Broker(([], [PING]), ([], [TICK]))
    broker.feed.subscribe_prices(["005930"])
    broker.lines[0].takes_pings = False
    kinds = [type(event) for event in broker.events(4)]
    assert kinds == [Connected, Disconnected, Reconnected, PriceTick]


def test_nothing_secret_is_shown():
    broker = Broker(([answer("H0STCNI0", "OPSP8999", text=f"hongkd {'K' * 36} 12345678 approval-1")], []))
    broker.feed.subscribe_fills()
    problem = broker.until(Problem)
    shown = f"{problem!r} {problem.error} {broker.feed.approval!r} {broker.feed.environment!r}"
    assert not any(secret in shown for secret in ("hongkd", "K" * 36, "12345678", "approval-1"))
