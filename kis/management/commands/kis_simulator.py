"""Run the simulator of the broker's API until it is told to stop."""

import json
import re
import signal
import threading
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from django.core.management.base import CommandError, CommandParser

from kis.commands import OwnerCommand
from kis.simulator.errors import SimulatorError
from kis.simulator.hours import KST
from kis.simulator.server import Simulator, SimulatorConfig


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,15}", text) or not lowest <= int(text) <= highest:
            raise ArgumentTypeError(f"{lowest}에서 {highest} 사이의 정수여야 합니다: {text}")
        return int(text)

    return read


def speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:  # noqa: PLR2004  # a day per second
        raise ArgumentTypeError(f"0에서 86400 사이의 숫자여야 합니다: {text}")
    return value


def clock(text: str) -> datetime | Literal["session"]:
    if text == "session":
        return "session"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"session 또는 2026-11-20T10:00:00+09:00 같은 시각이어야 합니다: {text}"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=KST)


class Command(OwnerCommand):
    help = (
        "한국투자증권 Open API 시뮬레이터를 시작합니다. 준비되면 주소와 키를 JSON 한 줄로 출력하고, "
        "Ctrl+C 또는 SIGTERM을 받으면 상태를 저장하고 끝납니다."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        port = whole_number(0, 65_535)
        count = whole_number(0, 1_000_000)
        parser.add_argument("--host", default="127.0.0.1", help="열 주소 (기본 127.0.0.1)")
        parser.add_argument(
            "--real-port", type=port, default=9443, help="실전 REST 포트, 0은 자동 (기본 9443)"
        )
        parser.add_argument(
            "--paper-port", type=port, default=29443, help="모의 REST 포트, 0은 자동 (기본 29443)"
        )
        ws_help = "{} 웹소켓(실시간 시세, 체결통보) 포트, 0은 자동 (기본 {})"
        parser.add_argument("--real-ws-port", type=port, default=21000, help=ws_help.format("실전", 21000))
        parser.add_argument("--paper-ws-port", type=port, default=31000, help=ws_help.format("모의", 31000))
        parser.add_argument("--state", type=Path, help="상태를 저장하고 이어서 시작할 파일")
        parser.add_argument(
            "--clock", type=clock, default="session", help="시작 시각(ISO) 또는 session: 최근 영업일 10:00"
        )
        parser.add_argument("--speed", type=speed, default=1.0, help="시계의 빠르기, 0은 정지 (기본 1)")
        parser.add_argument("--latency-ms", type=count, default=0, help="모든 응답을 늦출 시간(밀리초)")
        parser.add_argument("--seed", type=count, default=1, help="생성 시세의 시드 (기본 1)")
        parser.add_argument(
            "--market-dir", type=Path, help="stocks.csv와 krx_daily.csv가 있는 실제 시세 폴더"
        )
        rate = whole_number(1, 100_000)
        parser.add_argument("--rate-real", type=rate, default=18, help="실전 초당 호출 한도 (기본 18)")
        parser.add_argument("--rate-paper", type=rate, default=1, help="모의 초당 호출 한도 (기본 1)")
        parser.add_argument(
            "--no-limits", action="store_true", help="초당 호출 한도와 토큰 1분당 1회 한도를 끕니다"
        )
        parser.add_argument(
            "--ws-fields",
            type=int,
            choices=(2023, 2025, 2026),
            help="웹소켓 전문의 연도: 체결가와 체결통보의 항목 수가 2023은 46과 23, 2025는 46과 26, 2026은 47과 26 "
            "(기본은 시계의 날짜를 따름)",
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401  # as in Django
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        try:
            with Simulator(_config(options)) as simulator:
                ready = {
                    "real": asdict(simulator.real),
                    "paper": asdict(simulator.paper),
                    "clock": simulator.now().isoformat(),
                }
                self.stdout.write(json.dumps(ready))
                self.stdout.flush()
                stopped.wait()
        except SimulatorError as error:
            raise CommandError(str(error)) from None


def _config(options: dict[str, Any]) -> SimulatorConfig:
    return SimulatorConfig(
        host=options["host"],
        real_port=options["real_port"],
        paper_port=options["paper_port"],
        real_ws_port=options["real_ws_port"],
        paper_ws_port=options["paper_ws_port"],
        state_file=options["state"],
        clock=options["clock"],
        speed=options["speed"],
        latency_ms=options["latency_ms"],
        seed=options["seed"],
        market_dir=options["market_dir"],
        rate_real=options["rate_real"],
        rate_paper=options["rate_paper"],
        limits=not options["no_limits"],
        ws_fields=options["ws_fields"],
    )
