"""Every kind of trouble on every service: the documented error or a correct retry, in time, and never an empty list."""

import socketserver
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from kis.client.auth import TOKEN_TR, MemoryTokenStore, Token
from kis.client.codes import AccountNumber, Environment
from kis.client.endpoints.account import balance, daily_orders
from kis.client.endpoints.charts import daily_chart
from kis.client.errors import KisError, KisReplyChanged, KisUnreachable, RateLimited, TokenExpired
from kis.client.session import MAX_ATTEMPTS, Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from kis.simulator.faults import STAGES
from kis.simulator.gateway import Credentials
from kis.simulator.hours import KST
from kis.simulator.listings import GENERATED
from kis.simulator.server import Simulator, SimulatorConfig
from tests.kis.conftest import Caller

FRIDAY = date(2026, 11, 20)
HALF_PAST_NINE, TEN = (datetime(2026, 11, 20, *clock, tzinfo=KST) for clock in ((9, 30), (10, 0)))
STOCK = "005930"

# --- the table --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole:
    """The complete answer, after so many requests more than without trouble; `early` before the last trade."""

    extra: int = 0
    early: bool = False
    strikes: bool = True


@dataclass(frozen=True)
class Fails:
    """This error with this in its text, after so many requests; None leaves the number to the deadline."""

    kind: type[KisError]
    text: str
    requests: int | None


class NotOffered:
    """The control plane refuses the fault, because it cannot happen to this service."""


Outcome = Whole | Fails | NotOffered


@dataclass(frozen=True)
class Cell:
    """What comes of a fault that strikes once, and of one that does not end."""

    once: Outcome
    always: Outcome


def lost(text: str) -> Cell:
    """Return the cell of a read whose answer is lost: asked again, and given up after the last attempt."""
    return Cell(Whole(extra=1), Fails(KisUnreachable, text, MAX_ATTEMPTS))


def same(outcome: Outcome) -> Cell:
    """Return the cell of trouble that is met at once, and so no different when it goes on."""
    return Cell(outcome, outcome)


def lost_token(text: str, *, arrived: int = 1) -> Cell:
    """Return the cell of a token call: never repeated, for each one may message the owner's phone."""
    return same(Fails(KisUnreachable, text, arrived))


LATE = Cell(Whole(extra=1), Fails(KisUnreachable, "시간 안에", None))  # asked again as long as there is time
PAGE_MISSING = same(Fails(KisReplyChanged, "빠진 쪽", 2))
PAGE_TWICE = same(Fails(KisReplyChanged, "두 번", 2))
UNTOUCHED = same(Whole(strikes=False))  # has one page only
IMPOSSIBLE = same(NotOffered())
EXPIRED = Cell(Whole(extra=1), Fails(TokenExpired, "EGW00123", 2))
TOO_MANY = Cell(Whole(extra=1), Fails(RateLimited, "EGW00201", MAX_ATTEMPTS))
# The refused call, and the one that finds its token dead.
MAINTENANCE = Cell(Whole(extra=2), Fails(KisUnreachable, "EGW00002", MAX_ATTEMPTS))
# On one page of two, the totals of the pages differ, and both are asked for again; on all of them nobody can tell.
BEHIND = Cell(Whole(extra=2), Whole(early=True))


def row(token: Cell, read: Cell, **others: Cell) -> dict[str, Cell]:
    """Return one line of the table: the token call, and the reads, which mostly fare alike."""
    return {"token": token, **dict.fromkeys(("balance", "daily orders", "chart"), read), **others}


def gone(field: str, *, after: int = 1) -> Cell:
    """Return the cell of a missing field: nothing of the reply is used, and nobody asks again."""
    return same(Fails(KisReplyChanged, field, after))


TABLE: dict[str, dict[str, Cell]] = {
    "refuse_connection": row(lost_token("연결", arrived=0), Cell(Whole(), Fails(KisUnreachable, "연결", 0))),
    "reset_before": row(lost_token("끊겼습니다"), lost("끊겼습니다")),
    "reset_after": row(lost_token("끊겼습니다"), lost("끊겼습니다")),
    "hang_after": row(lost_token("시간 안에"), LATE),
    "truncate": row(lost_token("중간에 끊겼습니다"), lost("중간에 끊겼습니다")),
    "http_500_before": row(lost_token("EGW00001"), lost("EGW00001")),
    "http_500_after": row(lost_token("EGW00001"), lost("EGW00001")),
    "html_page": row(lost_token("웹 페이지"), lost("웹 페이지")),
    "redirect_307": row(lost_token("다른 주소"), lost("다른 주소")),
    "bad_json": row(lost_token("읽을 수 없는 내용"), lost("읽을 수 없는 내용")),
    "drop_field": {
        "token": gone("access_token"),
        "balance": gone("hldg_qty"),
        "daily orders": gone("tot_ccld_qty"),
        "chart": gone("stck_clpr"),
    },
    "rename_field": {
        "token": gone("access_token_token_expired"),
        "balance": gone("pchs_amt_smtl_amt", after=2),  # totals are looked at when all pages are there
        "daily orders": gone("odno"),
        "chart": gone("output2"),
    },
    "rate_limited": row(same(Fails(RateLimited, "EGW00201", 1)), TOO_MANY),
    "token_expired": row(IMPOSSIBLE, EXPIRED),
    "drop_page": row(IMPOSSIBLE, PAGE_MISSING, chart=UNTOUCHED),
    "repeat_page": row(IMPOSSIBLE, PAGE_TWICE, chart=UNTOUCHED),
    "late_visible": row(IMPOSSIBLE, BEHIND, chart=same(Whole())),
    "maintenance": row(lost_token("EGW00002"), MAINTENANCE),
    "slow_drip": row(lost_token("시간 안에"), LATE),
}

# --- what it is tried on ----------------------------------------------------------------------------------------

SERVICES = {
    "token": (TOKEN_TR, lambda session: session.token()),
    "balance": ("VTTC8434R", balance),
    "daily orders": ("VTTC0081R", lambda session: daily_orders(session, first=FRIDAY, last=FRIDAY)),
    "chart": (
        "FHKST03010100",
        lambda session: daily_chart(session, code=STOCK, first=FRIDAY - timedelta(days=90), last=FRIDAY),
    ),
}
READS = [service for service in SERVICES if service != "token"]
#: Enough for two pages each, so that one of them can be lost; on paper pages are short.
POSITIONS, ORDERS = 22, 16
PAGES = {"balance": 2, "daily orders": 2, "chart": 1}

#: Deadlines of a call and of a read for the kinds that use them up, and those that any real answer can keep. Where the
#: second attempt must succeed it has all the time there is.
DEADLINES = {"once": (0.4, 30.0), "always": (0.25, 0.95)}
AMPLE = (10.0, 30.0)
SLOW = {"hang_after", "slow_drip"}
#: The longest of the deadlines, and what is put down to a busy machine; a call that hung would take a minute.
LONGEST_SECONDS = 45.0
MANY = 1_000


def fault_for(kind: str, service: str, times: str) -> dict[str, object]:
    """Return what the control plane is told: the field is the one the cell names, trades are late by a minute."""
    outcome = TABLE[kind][service].once
    field = outcome.text if isinstance(outcome, Fails) else ""
    arguments = {
        "drop_field": f":{field}",
        "rename_field": f":{field}:renamed",
        "late_visible": ":60",
    }
    fault = {
        "tr": SERVICES[service][0],
        "kind": kind + arguments.get(kind, ""),
        "times": MANY if times == "always" else 1,
    }
    if kind == "refuse_connection":
        # The test opens the port again: between the attempts, or after the last of them.
        return fault | {"times": 1, "delay_ms": 60_000}
    return fault | ({"delay_ms": 200} if kind == "slow_drip" else {})


class Broker:
    """A running simulator, and what its services answer when nothing is wrong."""

    def __init__(self) -> None:
        self.simulator = Simulator(SimulatorConfig(clock=HALF_PAST_NINE, speed=0, limits=False)).start()
        self.control = Caller(self.simulator.paper).control
        codes = [listing.code for listing in GENERATED[:POSITIONS]]
        positions = [{"code": code, "qty": 2 * ORDERS, "avg": 50_000} for code in codes]
        self.control("account", {"deposit": 10_000_000, "positions": positions})
        order = {"side": "sell", "code": STOCK, "qty": 1}
        for _ in range(ORDERS):
            self.control("external-order", order)
        self.control("clock", {"now": TEN.isoformat()})
        with session_at(self.simulator.paper.url) as session:
            self.early = {service: SERVICES[service][1](session) for service in READS}
            self.control("external-order", order)
            self.whole = {service: SERVICES[service][1](session) for service in READS}

    def arrived(self, tr: str) -> int:
        return int(self.control("requests").json()["by_mode"]["paper"].get(tr, 0))

    def open(self) -> None:
        """Let the port listen again if it was closed, and return when it does."""
        with suppress(requests.ConnectionError):
            self.control("requests")
            return
        self.simulator._loop.call_soon_threadsafe(self.simulator.refuse_for, "paper", 0)  # noqa: SLF001  # from another thread
        ends_at = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < ends_at:
            with suppress(requests.ConnectionError):
                self.control("requests")
                return
            time.sleep(0.005)
        raise AssertionError("the port did not open again")


@contextmanager
def session_at(url, *, sleep=time.sleep, monotonic=time.monotonic):
    """Open a session of the product; nothing in it stands in for anything else."""
    keys = Credentials.fixed("paper")
    environment = Environment(
        mode="paper",
        base_url=url,
        ws_url="ws://127.0.0.1",
        app_key=keys.app_key,
        app_secret=keys.app_secret,
        account=AccountNumber.parse(keys.account),
    )
    transport = HttpTransport()
    try:
        yield Session(
            environment,
            transport=transport,
            tokens=MemoryTokenStore(),
            budget=Pacer(0.0),
            sleep=sleep,
            monotonic=monotonic,
        )
    finally:
        transport.close()


@pytest.fixture(scope="module")
def running_broker():
    broker = Broker()
    yield broker
    broker.simulator.stop()


@pytest.fixture
def broker(running_broker):
    yield running_broker
    running_broker.open()
    running_broker.control("faults", method="DELETE")


@pytest.fixture
def pauses(monkeypatch):
    """Let the pauses between attempts be short, and always as long as they can be."""
    monkeypatch.setattr("kis.client.session.random.uniform", lambda lowest, highest: highest)

    def start_with(seconds):
        monkeypatch.setattr("kis.client.session.BACKOFF_BASE_SECONDS", seconds)

    start_with(0.001)
    return start_with


@pytest.fixture
def deadlines(monkeypatch):
    def shorten(of_call, of_read):
        monkeypatch.setattr("kis.client.session.CALL_TIMEOUT_SECONDS", of_call)
        monkeypatch.setattr("kis.client.session.READ_DEADLINE_SECONDS", of_read)
        monkeypatch.setattr("kis.client.auth.TOKEN_TIMEOUT_SECONDS", of_call)

    return shorten


def ask_in_time(service, session):
    """Return the answer or the error of a service. Fails if it took longer than its deadline."""
    started = time.monotonic()
    try:
        result = SERVICES[service][1](session)
    except KisError as error:
        result = error
    assert time.monotonic() - started < LONGEST_SECONDS
    return result


def check(outcome, result, *, broker, service, arrived):
    if isinstance(outcome, Whole):
        expected = broker.early if outcome.early else broker.whole
        assert result == expected[service]
        assert arrived == PAGES[service] + outcome.extra
        return
    assert isinstance(result, outcome.kind), result
    assert outcome.text in str(result)
    if outcome.requests is None:
        assert 1 < arrived < MAX_ATTEMPTS
    else:
        assert arrived == outcome.requests


# --- the tests --------------------------------------------------------------------------------------------------


def test_no_kind_of_trouble_and_no_service_is_left_out():
    assert set(TABLE) == set(STAGES)
    assert all(set(cells) == set(SERVICES) for cells in TABLE.values())


def test_no_answer_of_the_table_is_an_empty_list(broker):
    for answers in (broker.early, broker.whole):
        assert len(answers["balance"].held) == POSITIONS
        assert len(answers["daily orders"]) >= ORDERS
        assert len(answers["chart"].bars) > 50
    assert broker.early["daily orders"] == broker.whole["daily orders"][:-1]
    assert broker.early["balance"] != broker.whole["balance"]


@pytest.mark.parametrize("times", ["once", "always"])
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", STAGES)
def test_trouble_ends_as_the_table_says(broker, pauses, deadlines, *, kind, service, times):
    tr, outcome = SERVICES[service][0], getattr(TABLE[kind][service], times)
    counts_attempts = kind in SLOW and times == "always"
    waited = 0.0

    def now():
        """Tell the session the time; where attempts are counted, each has taken all it may, however busy the machine."""
        return waited if counts_attempts else time.monotonic()

    def pause(seconds):
        nonlocal waited
        waited += DEADLINES["always"][0]
        if (kind, times) == ("refuse_connection", "once"):
            broker.open()
        if times == "once":
            deadlines(*AMPLE)  # it has struck
        time.sleep(seconds)

    with session_at(broker.simulator.paper.url, sleep=pause, monotonic=now) as session:
        if service != "token":
            session.token()
        if kind in SLOW:
            deadlines(*DEADLINES[times])
        before = broker.arrived(tr)
        reply = broker.control("faults", fault_for(kind, service, times))
        if isinstance(outcome, NotOffered):
            assert (reply.status_code, list(reply.json())) == (400, ["error"])
            return
        assert reply.status_code == 200
        result = ask_in_time(service, session)
        broker.open()
        check(outcome, result, broker=broker, service=service, arrived=broker.arrived(tr) - before)
        # Once struck it is over; only what cannot strike this service is still there.
        if times == "once":
            never_struck = isinstance(outcome, Whole) and not outcome.strikes
            assert bool(broker.control("faults").json()) == never_struck
        # Nothing of the trouble stays behind, neither in the session nor in its connection.
        broker.control("faults", method="DELETE")
        deadlines(*AMPLE)
        if service == "token":
            assert session.token().is_fresh(datetime.now(UTC))
        else:
            assert ask_in_time(service, session) == broker.whole[service]


@pytest.mark.parametrize(
    ("service", "field"),
    [
        *((service, field) for service in ("balance", "daily orders") for field in ("output1", "output2")),
        *((service, "ctx_area_nk100") for service in ("balance", "daily orders")),
        ("chart", "output2"),
        *((service, "rt_cd") for service in READS),
    ],
)
@pytest.mark.parametrize("kind", ["drop_field:{}", "rename_field:{}:other"])
def test_list_that_is_gone_is_not_an_empty_one(broker, pauses, *, service, field, kind):
    with session_at(broker.simulator.paper.url) as session:
        broker.control("faults", {"tr": SERVICES[service][0], "kind": kind.format(field)})
        result = ask_in_time(service, session)
    assert isinstance(result, KisReplyChanged)
    assert result.field == field


@pytest.mark.parametrize("times", [1, MANY])
def test_expired_token_is_renewed_once(broker, pauses, times):
    with session_at(broker.simulator.paper.url) as session:
        session.token()
        before = broker.arrived(TOKEN_TR)
        broker.control("faults", {"tr": "VTTC8434R", "kind": "token_expired", "times": times})
        ask_in_time("balance", session)
        assert broker.arrived(TOKEN_TR) - before == 1


class DrippingHeaders(socketserver.StreamRequestHandler):
    """Sends one header, byte by byte, for as long as anybody listens."""

    def handle(self):
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)


@pytest.mark.parametrize("service", SERVICES)
def test_headers_that_never_end_are_given_up_in_time(deadlines, pauses, service):
    deadlines(*DEADLINES["always"])
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), DrippingHeaders) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with session_at(f"http://127.0.0.1:{server.server_address[1]}") as session:
                if service != "token":
                    token = Token("token", datetime.now(UTC) + timedelta(hours=20), generation=1)
                    session.tokens.tokens[session.key_id] = token
                result = ask_in_time(service, session)
        finally:
            server.shutdown()
            thread.join()
    assert isinstance(result, KisUnreachable)
    assert "시간 안에" in str(result)
