"""Mode → Session; the only place that picks real, paper or the simulator."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.conf import settings
from django.utils import timezone

from kis.client.auth import key_id
from kis.client.codes import AccountNumber, Environment, Mode, TrSet
from kis.client.errors import KisMisconfigured
from kis.client.session import Session
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.client.transport import HttpTransport
from kis.drift import DriftLog
from kis.rate_budget import DatabaseBudget
from kis.stores import DatabaseTokenStore

MODE_NAMES: dict[Mode, str] = {"real": "실전", "paper": "모의"}


@dataclass(frozen=True, slots=True)
class Connection:
    """A session together with the clock of the market it talks to: the real time, or the simulator's."""

    session: Session
    now: Callable[[], datetime]

    @property
    def environment(self) -> Environment:
        return self.session.environment


def default_mode() -> Mode:
    """Return real where it is configured or in demo mode, otherwise paper."""
    if settings.AEGIS_DEMO or settings.KIS_ACCOUNTS["real"]["app_key"]:
        return "real"
    return "paper"


def configured_environment(mode: Mode) -> Environment:
    """Read host, keys and account of a mode from the settings. Raises KisMisconfigured naming what is missing."""
    account = settings.KIS_ACCOUNTS[mode]
    for name in ("app_key", "app_secret", "account_no"):
        if not account[name]:
            raise KisMisconfigured(
                f"{MODE_NAMES[mode]}투자 설정이 없습니다: .env에 KIS_{mode.upper()}_{name.upper()} 값을 넣어 주세요."
            )
    return Environment(
        mode=mode,
        base_url=account["base_url"],
        ws_url=account["ws_url"],
        app_key=account["app_key"],
        app_secret=account["app_secret"],
        account=AccountNumber.parse(account["account_no"]),
        tr_set=cast("TrSet", settings.KIS_TR_SET),
        hts_id=account.get("hts_id", ""),
    )


@contextmanager
def connect(mode: Mode) -> Iterator[Connection]:
    """Open a session for a mode; in demo mode the simulator runs for as long as the session is open."""
    with ExitStack() as stack:
        now: Callable[[], datetime] = timezone.now
        if settings.AEGIS_DEMO:
            from kis.demo import running_simulator  # noqa: PLC0415  # only demo mode may know the simulator

            simulator = stack.enter_context(running_simulator())
            environment, now = simulator.environment(mode), simulator.now
        else:
            environment = configured_environment(mode)
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
