"""Demo mode: the simulator runs inside the command that needs it and keeps its state between runs.

While the site is on, it serves one for all (see `kis.demo_host`).
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from kis import demo_host
from kis.client.codes import AccountNumber, Environment, Mode, TrSet
from kis.client.errors import KisMisconfigured
from kis.models import (
    AccessToken,
    DailyPrice,
    IndexPrice,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisTradeProfit,
    KisUnfilledOrder,
    MinPrice,
    PriceAdjustment,
    PriceGap,
    PriceHistory,
    Stock,
    SyncRun,
    TargetWeight,
)
from kis.past import has_no_past, save_targets, write_past
from kis.simulator.errors import CannotStart, OtherMarket
from kis.simulator.gateway import DEFAULT_ACCOUNTS
from kis.simulator.looking_back import PastTransport, as_it_was
from kis.simulator.server import Simulator, SimulatorConfig

LOCK_WAIT_SECONDS = 60.0
LOCK_POLL_SECONDS = 0.2
#: Percent of the account; what else is held has no target.
SAMPLE_TARGETS: Mapping[Mode, Mapping[str, int]] = {
    "real": {
        "005930": 20,
        "000660": 12,
        "012450": 7,
        "005380": 6,
        "105560": 5,
        "035420": 5,
        "034020": 5,
        "009540": 4,
        "207940": 4,
        "068270": 4,
        "051910": 4,
        TargetWeight.CASH: 5,
    },
    "paper": {"005930": 20, "035420": 15, "069500": 20, "005380": 10, "068270": 10, TargetWeight.CASH: 10},
}
#: The simulator's clock may be set forward; whoever reads its time from the note should not be off by more.
CLOCK_TOLERANCE = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class DemoBroker:
    """A running simulator, seen as a broker."""

    simulator: Simulator
    tr_set: TrSet

    def now(self) -> datetime:
        """Return the simulator's time, in Seoul."""
        return self.simulator.now()

    def environment(self, mode: Mode) -> Environment:
        side = self.simulator.real if mode == "real" else self.simulator.paper
        return Environment(
            mode=mode,
            base_url=side.url,
            ws_url=side.ws,
            app_key=side.app_key,
            app_secret=side.app_secret,
            account=AccountNumber.parse(side.account),
            tr_set=self.tr_set,
            hts_id=side.hts_id,
        )

    def transport_at(self, mode: Mode, moment: datetime) -> PastTransport:
        """Return the way to the broker as he was at a moment of the past."""
        with self.simulator.exchange.lock:
            return PastTransport(mode, as_it_was(self.simulator.exchange, moment), moment)


def account_number(mode: Mode) -> AccountNumber:
    """Return the account the simulator will serve, without starting it."""
    return AccountNumber.parse(DEFAULT_ACCOUNTS[mode])


@dataclass(frozen=True, slots=True)
class ServedBroker:
    """A simulator that another process serves."""

    host: demo_host.Host
    tr_set: TrSet

    def now(self) -> datetime:
        return self.host.now()

    def environment(self, mode: Mode) -> Environment:
        return self.host.environment(mode, tr_set=self.tr_set)


@contextmanager
def running_simulator() -> Iterator[DemoBroker | ServedBroker]:
    """Use the simulator of the site, or start one on free ports for one command.

    Without the site a second command waits for the first one's state.
    """
    host = demo_host.running()
    if host and host.market_dir == settings.AEGIS_SIM_MARKET_DIR:
        yield ServedBroker(host, cast("TrSet", settings.KIS_TR_SET))
        return
    with own_simulator() as broker:
        yield broker


class Serving:
    """A simulator that this process serves for all others, and the note that tells them where."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._told = self._host()
        demo_host.write_note(self._told)

    def look_after(self) -> None:
        """Tell the others where the clock has been set forward."""
        if abs(self.simulator.now() - self._told.now()) > CLOCK_TOLERANCE:
            self._told = self._host()
            demo_host.write_note(self._told)

    def _host(self) -> demo_host.Host:
        sides: dict[Mode, dict[str, str]] = {
            "real": asdict(self.simulator.real),
            "paper": asdict(self.simulator.paper),
        }
        return demo_host.Host(
            pid=os.getpid(),
            market_dir=settings.AEGIS_SIM_MARKET_DIR,
            sides=sides,
            clock=self.simulator.now(),
            real_clock=timezone.now(),
            speed=self.simulator.config.speed,
        )


@contextmanager
def serving_simulator() -> Iterator[Serving]:
    """Serve one simulator for every process of this machine, as long as the context is open. Raises KisMisconfigured."""
    with own_simulator() as broker:
        try:
            yield Serving(broker.simulator)
        finally:
            demo_host.remove_note()


@contextmanager
def own_simulator() -> Iterator[DemoBroker]:
    """Start a simulator in this process, with a past in the books; a second command waits for the first one's state."""
    state_file: Path = settings.DEMO_STATE_FILE
    market_dir = Path(settings.AEGIS_SIM_MARKET_DIR) if settings.AEGIS_SIM_MARKET_DIR else None
    if market_dir and not market_dir.is_dir():
        raise KisMisconfigured(f"AEGIS_SIM_MARKET_DIR 폴더가 없습니다: {market_dir}")
    with only_one(demo_host.lock_file()):
        config = SimulatorConfig(state_file=state_file, market_dir=market_dir)
        with ExitStack() as stack:
            try:
                simulator = stack.enter_context(in_this_market(config))
            except CannotStart as error:
                raise KisMisconfigured(str(error)) from None
            broker = DemoBroker(simulator, cast("TrSet", settings.KIS_TR_SET))
            # Books that cannot be read are for whoever needs them to tell; the doctor looks at the rest.
            with suppress(DatabaseError):
                give_a_past(broker)
            yield broker


def give_a_past(broker: DemoBroker) -> None:
    """Write the weeks before the first look into the books, and the targets of a careful owner: once for each account."""
    for mode, percents in SAMPLE_TARGETS.items():
        number, is_paper = account_number(mode), mode == "paper"
        if has_no_past(number, is_paper=is_paper):
            write_past(broker, mode)
            save_targets(number, is_paper=is_paper, percents=percents)


def in_this_market(config: SimulatorConfig) -> Simulator:
    """Load the simulator; one of another market makes way, together with the demo's books about it.

    Prices and days of two markets in one set of books would look like one impossible account.
    """
    try:
        return Simulator(config)
    except OtherMarket:
        if not settings.AEGIS_DEMO or config.state_file is None:
            raise
        with transaction.atomic():
            for model in (
                KisDailySummary,
                KisDepositLog,
                KisTradeProfit,
                IndexPrice,
                KisHolding,
                KisUnfilledOrder,
                KisAccount,
                KisExecution,
                KisOrderDetail,
                DailyPrice,
                MinPrice,
                PriceAdjustment,
                PriceGap,
                PriceHistory,
                Stock,
                SyncRun,
                TargetWeight,
                AccessToken,
            ):
                model._default_manager.all().delete()  # noqa: SLF001  # Django's own name for it
        config.state_file.unlink(missing_ok=True)
        return Simulator(config)


@contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Hold a lock between processes. Raises KisMisconfigured when another command keeps it too long."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as file:
        ends_at = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends_at:
                    raise KisMisconfigured(
                        "다른 명령이 데모 시뮬레이터를 쓰고 있습니다. 그 명령이 끝난 뒤 다시 실행해 주세요."
                    ) from None
                time.sleep(LOCK_POLL_SECONDS)
        yield
