"""The simulator in a process of its own that lives by the shared time; stopped and started again with its memory."""

import os
import signal
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import requests

from kis.calendar import Day, use_days
from kis.client.codes import Mode
from kis.simulator import gateway, host
from kis.simulator.server import Endpoint, Simulator, SimulatorConfig
from tests.days.clock import SharedClock, fork


class Broker:
    """Where the simulator is, and its control plane. `days` is what the exchange does otherwise than is estimated."""

    def __init__(self, folder: Path, clock: SharedClock, *, seed: int, days: Mapping[date, Day]) -> None:
        self.clock = clock
        self.days = days
        self.config: dict[str, Any] = {
            "state_file": folder / "broker.json",
            "seed": seed,
            "sample_accounts": False,
        }
        self.ports: dict[str, Any] = {}
        self.sides: dict[Mode, Endpoint] = {}
        self.process: Any = None
        self.starts = 0

    def start(self) -> None:
        ours, theirs = fork.Pipe()
        self.process = fork.Process(target=self.serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that one that dies before it says anything is not waited for
        self.sides = ours.recv()
        ours.close()
        self.ports = {f"{mode}_port": int(side.url.rsplit(":", 1)[1]) for mode, side in self.sides.items()}
        self.starts += 1

    def serve(self, told: Any) -> None:
        """Be the simulator, until somebody ends this process."""
        stopping: list[bool] = []
        parent = os.getppid()
        signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
        use_days(self.days)
        patch.object(gateway, "wall_now", self.clock.now).start()
        patch.object(host, "time", SimpleNamespace(monotonic=self.clock.monotonic)).start()
        simulator = Simulator(SimulatorConfig(clock=self.clock.now(), speed=0, **self.config, **self.ports))
        simulator.clock = self.clock  # type: ignore[assignment]
        simulator.start()
        told.send({"real": simulator.real, "paper": simulator.paper})
        told.close()
        while not stopping and os.getppid() == parent:
            time.sleep(0.02)
        simulator.stop()
        os._exit(0)

    def stop(self) -> None:
        """End the simulator as a shutdown does: it keeps its memory, its counters with it."""
        if self.process is None:
            return
        self.process.terminate()
        self.process.join(120)
        assert self.process.exitcode == 0, f"the simulator ended with {self.process.exitcode}"
        self.process = None

    @property
    def is_up(self) -> bool:
        return self.process is not None

    # --- the control plane ------------------------------------------------------------------------------------------

    def traffic(self) -> Any:
        return self.get("requests")

    def get(self, path: str, mode: Mode = "real") -> Any:
        return requests.get(f"{self.sides[mode].url}/_sim/{path}", timeout=60).json()

    def post(self, path: str, body: object, mode: Mode = "real") -> Any:
        """Tell it something; None where it refuses, as it does with an order for want of cash."""
        response = requests.post(f"{self.sides[mode].url}/_sim/{path}", json=body, timeout=60)
        return response.json() if response.ok else None

    def faults(self, *faults: dict[str, Any]) -> None:
        assert self.post("faults", list(faults)) is not None, faults

    def no_more_faults(self) -> None:
        """Take back what has not struck."""
        for side in self.sides.values():
            assert requests.delete(f"{side.url}/_sim/faults", timeout=60).ok

    def books(self, mode: Mode) -> Any:
        state = self.get("state", mode)
        return next(account for account in state["accounts"] if account["mode"] == mode)

    def revoke(self, mode: Mode, token: str) -> bool:
        """Give a token back, as another program with the same key may do; false where it is none of this host's."""
        side = self.sides[mode]
        body = {"appkey": side.app_key, "appsecret": side.app_secret, "token": token}
        return requests.post(f"{side.url}/oauth2/revokeP", json=body, timeout=60).ok
