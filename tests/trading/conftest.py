"""An account at the simulator with a clock that moves only when told, and the orders of a test."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from string import hexdigits

import pytest

from kis.client.endpoints.orders import OneCall
from kis.client.transport import HttpTransport
from kis.korean import SEOUL
from tests.kis.conftest import simulator, start_simulator  # noqa: F401  # fixtures
from tests.kis.syncing import Broker, connection_to
from tests.trading.terminal import Owner, Terminal, configure
from trading import audit, codes, password
from trading.desk import Desk
from trading.models import PendingOrder
from trading.states import State

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
PASSWORD = "tree-9-candle-river"
CODE = "XT9W"


@dataclass
class Clock:
    """The wall clock and the monotonic one of a test."""

    now: datetime = TEN
    passed: float = 0.0

    def wall(self):
        return self.now

    def monotonic(self):
        return self.passed

    def go(self, **how):
        step = timedelta(**how)
        self.now += step
        self.passed += step.total_seconds()


@dataclass
class Posts:
    """Makes the connections for orders, and counts them."""

    make: Callable[[], OneCall] = HttpTransport
    calls: list[OneCall] = field(default_factory=list)

    def open(self):
        post = self.make()
        self.calls.append(post)
        return post


@pytest.fixture(autouse=True)
def codes_unlike_numbers(monkeypatch):
    """Let no code be like a part of a digest, an amount or a moment, where tests make sure that it is not."""
    draw = codes.new_code

    def new_code():
        while set(code := draw()) <= set(hexdigits):
            pass
        return code

    monkeypatch.setattr(codes, "new_code", new_code)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def posts():
    return Posts()


@contextmanager
def desk_at(simulator, clock, posts, mode="real"):  # noqa: F811
    with connection_to(simulator, mode) as connection:
        yield Desk(
            connection,
            wall=clock.wall,
            monotonic=clock.monotonic,
            open_call=posts.open,
            skew=lambda environment: timedelta(),
            free_bytes=lambda: 10**12,
        )


@pytest.fixture
def desk(simulator, clock, posts):  # noqa: F811
    with desk_at(simulator, clock, posts) as desk:
        yield desk


@pytest.fixture(autouse=True)
def broker(request):
    """Return the exchange's control plane; the account begins with cash, a hundred shares and no orders."""
    if "simulator" not in request.fixturenames:
        return None
    broker = Broker(request.getfixturevalue("simulator").real.url)
    broker.account(100_000_000, _005930=(100, 60_000))
    return broker


@pytest.fixture
def with_password(db):
    password.set_password(PASSWORD, at=TEN)


def make_order(code=CODE, *, at=TEN, lives=timedelta(minutes=3), **changes):
    """Write an order that waits for its code, as proposing does."""
    values = {
        "account_no": "12345678",
        "product_code": "01",
        "is_paper": False,
        "side": "BUY",
        "stock_code": "005930",
        "stock_name": "삼성전자",
        "quantity": 10,
        "price": 50_000,
        "amount": 500_000,
        "made_at": at,
        "expires_at": at + lives,
        "source": "terminal",
        "code_hash": "-",
        **changes,
    }
    order = PendingOrder.objects.create(**values)
    order.code_hash = codes.hash_of(code, pk=order.pk, content=order.content)
    order.save(update_fields=["code_hash"])
    audit.record("proposed", at=at, order=order, new=State.PENDING)
    return order


@pytest.fixture
def real_enabled(settings):
    settings.REAL_TRADING_ENABLED = True
    settings.AEGIS_DEMO = False


@pytest.fixture
def owner(simulator, clock, posts, settings, monkeypatch):  # noqa: F811
    """Return an owner with an account of each mode, whose commands reach the simulator by the clock of the test."""
    configure(settings, simulator, "real", "paper")
    owner = Owner(clock, password=PASSWORD, desk_of=lambda mode: desk_at(simulator, clock, posts, mode))
    monkeypatch.setattr("trading.commands.getpass.getpass", owner.answer)
    monkeypatch.setattr("trading.commands.is_at_terminal", lambda: True)
    monkeypatch.setattr("trading.commands.sys.stdin", Terminal())
    for module in ("trading.order_command", "trading.management.commands.reconcile_orders"):
        monkeypatch.setattr(f"{module}.sleep", owner.sleep)
        monkeypatch.setattr(f"{module}.open_desk", owner.open_desk)
    return owner
