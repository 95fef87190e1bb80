"""Trouble on request: what the control plane may make go wrong, and how often."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kis.simulator.errors import ControlRefused
from kis.simulator.wire import Json

Stage = Literal["connect", "before", "view", "page", "shape", "after"]

# When a fault strikes: before the call is executed, while its reply is made, or after.
STAGES: dict[str, Stage] = {
    "refuse_connection": "connect",
    "reset_before": "before",
    "http_500_before": "before",
    "html_page": "before",
    "redirect_307": "before",
    "rate_limited": "before",
    "token_expired": "before",
    "maintenance": "before",
    "late_visible": "view",
    "drop_page": "page",
    "repeat_page": "page",
    "drop_field": "shape",
    "rename_field": "shape",
    "reset_after": "after",
    "hang_after": "after",
    "http_500_after": "after",
    "truncate": "after",
    "bad_json": "after",
    "slow_drip": "after",
}
ARGUMENTS = {"drop_field": 1, "rename_field": 2, "late_visible": 1}
NOT_FOR_TOKENS = {"token_expired", "late_visible", "drop_page", "repeat_page"}
TOKEN_SERVICES = {"tokenP", "revokeP", "Approval"}
#: What can go wrong with a websocket; the rest speaks of HTTP and of pages.
FOR_FEED = {
    "reset_before",
    "token_expired",
    "drop_field",
    "rename_field",
    "reset_after",
    "hang_after",
    "truncate",
    "bad_json",
}
FEED_PREFIX, PINGPONG = "H0", "PINGPONG"
MAX_DELAY_MS = 600_000
SECONDS = re.compile(r"[0-9]{1,6}")


@dataclass(slots=True)
class Fault:
    """One kind of trouble for one transaction; `times` counts down."""

    tr: str
    kind: str
    arguments: tuple[str, ...]
    times: int
    delay_ms: int | None

    @property
    def stage(self) -> Stage:
        return STAGES[self.kind]

    def matches(self, name: str) -> bool:
        """`*` ends a prefix. Token calls have to be named, so that `*` leaves a client its token.

        So has the websocket, at least as H0*: its frames would use up what is meant for requests.
        """
        if not self.tr.endswith("*"):
            return name == self.tr
        return (
            name not in TOKEN_SERVICES
            and name.startswith(self.tr[:-1])
            and is_of_feed(name) == is_of_feed(self.tr)
        )

    def delay_seconds(self, default_ms: int = 0) -> float:
        return (default_ms if self.delay_ms is None else self.delay_ms) / 1000

    def as_json(self) -> Json:
        kind = ":".join((self.kind, *self.arguments))
        return {"tr": self.tr, "kind": kind, "times": self.times, "delay_ms": self.delay_ms or 0}


def is_of_feed(name: str) -> bool:
    """Return whether a name is one of the websocket's frames."""
    return name.startswith(FEED_PREFIX) or name == PINGPONG


class Faults:
    """The faults waiting on one port."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def take(self, name: str, stage: Stage) -> Fault | None:
        """Return the first fault that strikes here, used up by one."""
        fault = next((fault for fault in self.waiting if fault.stage == stage and fault.matches(name)), None)
        if fault is not None:
            self._use(fault)
        return fault

    def take_all(self, name: str, stage: Stage) -> list[Fault]:
        """Return every fault that strikes here, each used up by one."""
        struck = [fault for fault in self.waiting if fault.stage == stage and fault.matches(name)]
        for fault in struck:
            self._use(fault)
        return struck

    def _use(self, fault: Fault) -> None:
        fault.times -= 1
        if fault.times <= 0:
            self.waiting.remove(fault)


def parse_faults(given: object) -> list[Fault]:
    """Read the body of POST /_sim/faults. Raises ControlRefused."""
    items = given if isinstance(given, list) else [given]
    return [_parse_fault(item) for item in items]


def _parse_fault(item: object) -> Fault:
    if not isinstance(item, dict):
        raise ControlRefused('장애는 {"tr": …, "kind": …, "times": …} 모양이어야 합니다.')
    tr, text = item.get("tr", "*"), item.get("kind")
    if not isinstance(tr, str) or not tr or not isinstance(text, str):
        raise ControlRefused("장애의 tr과 kind는 글자여야 합니다.")
    kind, *arguments = text.split(":")
    if kind not in STAGES:
        raise ControlRefused(f"모르는 장애 종류입니다: {text}")
    if len(arguments) != ARGUMENTS.get(kind, 0) or not all(arguments):
        raise ControlRefused(f"장애의 형식이 맞지 않습니다: {text}")
    if kind == "late_visible" and not SECONDS.fullmatch(arguments[0]):
        raise ControlRefused(f"late_visible 뒤에는 초를 숫자로 적어 주세요: {text}")
    if tr in TOKEN_SERVICES and kind in NOT_FOR_TOKENS:
        raise ControlRefused(f"토큰 요청에는 쓸 수 없는 장애입니다: {text}")
    if is_of_feed(tr) and kind not in FOR_FEED:
        raise ControlRefused(f"웹소켓에는 쓸 수 없는 장애입니다: {text}")
    times = _count(item, "times", default=1, lowest=1, highest=1_000_000)
    delay = (
        _count(item, "delay_ms", default=-1, lowest=0, highest=MAX_DELAY_MS) if "delay_ms" in item else None
    )
    return Fault(tr, kind, tuple(arguments), times, delay)


def _count(item: dict[object, object], name: str, *, default: int, lowest: int, highest: int) -> int:
    value = item.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ControlRefused(f"{name}은(는) {lowest}에서 {highest} 사이의 정수여야 합니다.")
    return value


def reshape(value: object, faults: Iterable[Fault]) -> object:
    """Return a reply without the dropped fields and with the renamed ones, at every depth."""
    for fault in faults:
        name = fault.arguments[0]
        renamed = fault.arguments[1] if fault.kind == "rename_field" else None
        value = _reshape(value, name, renamed)
    return value


def _reshape(value: object, name: str, renamed: str | None) -> object:
    if isinstance(value, list):
        return [_reshape(item, name, renamed) for item in value]
    if not isinstance(value, dict):
        return value
    shaped: Json = {}
    for key, item in value.items():
        if key != name:
            shaped[key] = _reshape(item, name, renamed)
        elif renamed is not None:
            shaped[renamed] = item
    return shaped
