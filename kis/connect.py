"""Account → Session; the only place that picks real, paper or the simulator."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from kis.accounts import MODE_NAMES, Account, default_mode, find_account
from kis.client.auth import key_id
from kis.client.codes import Environment, Mode
from kis.client.errors import KisMisconfigured
from kis.client.session import Session
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.client.transport import HttpTransport
from kis.drift import DriftLog
from kis.rate_budget import DatabaseBudget
from kis.stores import DatabaseTokenStore

__all__ = ["MODE_NAMES", "Connection", "connect", "default_mode"]


@dataclass(frozen=True, slots=True)
class Connection:
    """A session together with the clock of the market it talks to: the real time, or the simulator's."""

    session: Session
    now: Callable[[], datetime]

    @property
    def environment(self) -> Environment:
        return self.session.environment


@contextmanager
def connect(mode: Mode, account: Account | str = "") -> Iterator[Connection]:
    """Open a session for an account of a mode, given as such or by its name (see `kis.accounts`).

    Without a name it is the only one of the mode; of several none is picked. In demo mode the simulator runs for as long
    as the session is open. Raises KisMisconfigured.
    """
    chosen = account if isinstance(account, Account) else find_account(mode, account)
    if chosen.mode != mode:
        raise KisMisconfigured(f"'{chosen.label}'은(는) {MODE_NAMES[chosen.mode]} 계좌입니다.")
    with ExitStack() as stack:
        now: Callable[[], datetime] = timezone.now
        if settings.AEGIS_DEMO:
            from kis.demo import running_simulator  # noqa: PLC0415  # only demo mode may know the simulator

            simulator = stack.enter_context(running_simulator())
            environment, now = simulator.environment(mode), simulator.now
        else:
            environment = chosen.environment()
        transport = HttpTransport()
        stack.callback(transport.close)
        drift = DriftLog(environment)
        stack.callback(drift.save)
        session = Session(
            environment,
            transport=transport,
            tokens=DatabaseTokenStore(),
            budget=DatabaseBudget(key_id(environment), SECONDS_BETWEEN_CALLS[mode]),
            on_drift=drift.observe,
        )
        yield Connection(session, now)
