"""Run other people's KIS clients, unmodified, against the simulator, and print what each of them could do.

usage: python tests/conformance/run.py [client ...] [--official DIR] [--fresh] [--work DIR] [--list]

Needs a package index, so it is no part of the tests. Nothing of the clients enters the repository: they live in environments
of their own under var/conformance.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from tests.conformance.relay import Relay, Route, routes_to  # noqa: E402  # found from any folder

OFFICIAL = "official"
OFFICIAL_REPOSITORY = "https://github.com/koreainvestment/open-trading-api"
OFFICIAL_MARK = Path("examples_llm") / "kis_auth.py"
SECONDS_PER_CLIENT = 300
SECONDS_TO_START = 60
OUTCOMES = {"pass": "통과", "fail": "실패", "lacks": "해당 없음"}
HEADINGS = {
    "token": "토큰",
    "price": "현재가",
    "balance": "잔고",
    "daily chart": "일봉",
    "minute chart": "분봉",
    "buying power": "매수가능",
    "buy": "매수",
    "amend": "정정",
    "cancel": "취소",
    "order history": "주문내역",
    "live price": "실시간가",
    "live fill": "체결통보",
}


class CannotRun(Exception):
    """A client cannot be tried at all; the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Client:
    """One line of clients.txt."""

    name: str
    ws_fields: str
    reach: str
    requirements: tuple[str, ...]

    @property
    def package(self) -> str:
        return self.name.partition("@")[0]

    @property
    def mode(self) -> str:
        return self.name.partition("@")[2] or "real"

    def routes(self, ready: dict[str, dict[str, str]]) -> dict[tuple[str, int], Route]:
        return routes_to(ready, by_name=self.reach == "relay")

    @property
    def driver(self) -> Path:
        return HERE / "drivers" / f"{self.package.replace('-', '_')}.py"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step of one client ended."""

    step: str
    outcome: str
    text: str


def read_clients() -> dict[str, Client]:
    clients = {}
    for line in (HERE / "clients.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, ws_fields, reach, requirements = (part.strip() for part in line.split("|"))
            clients[name] = Client(name, ws_fields, reach, tuple(requirements.split()))
    return clients


def main() -> int:
    """Run the clients asked for; the exit code says whether a step of any of them failed."""
    clients = read_clients()
    options = read_options(clients)
    if options.list:
        for client in clients.values():
            say(f"{client.name}: {' '.join(client.requirements)}")
        return 0
    results: dict[str, list[Outcome]] = {}
    for name in options.clients or clients:
        say(f"== {name}")
        try:
            results[name] = run_client(clients[name], work=options.work, options=options)
        except CannotRun as problem:
            results[name] = [Outcome("token", "fail", str(problem))]
        for outcome in results[name]:
            if outcome.outcome != "pass":
                say(f"   {HEADINGS[outcome.step]} {OUTCOMES[outcome.outcome]}: {outcome.text}")
    say("")
    for line in table(results):
        say(line)
    failed = any(outcome.outcome == "fail" for outcomes in results.values() for outcome in outcomes)
    return 1 if failed else 0


def read_options(clients: dict[str, Client]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="다른 사람이 만든 KIS 클라이언트를 고치지 않고 시뮬레이터에서 실행합니다."
    )
    parser.add_argument(
        "clients", nargs="*", metavar="client", help=f"실행할 클라이언트 (기본 전부): {', '.join(clients)}"
    )
    parser.add_argument(
        "--official",
        type=Path,
        default=os.environ.get("KIS_OFFICIAL_SAMPLES"),
        help="한국투자증권 open-trading-api 저장소를 받아 둔 폴더 (기본 환경 변수 KIS_OFFICIAL_SAMPLES, 없으면 git clone)",
    )
    parser.add_argument("--fresh", action="store_true", help="받아 둔 가상 환경을 지우고 다시 설치합니다")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "var" / "conformance", help="가상 환경과 기록을 둘 폴더"
    )
    parser.add_argument("--list", action="store_true", help="클라이언트와 판을 보여 줍니다")
    options = parser.parse_args()
    unknown = set(options.clients) - set(clients)
    if unknown:
        parser.error(f"모르는 클라이언트입니다: {', '.join(sorted(unknown))}")
    return options


# --- one client -----------------------------------------------------------------------------------------------------


def run_client(client: Client, *, work: Path, options: argparse.Namespace) -> list[Outcome]:
    """Run one driver against a fresh simulator. Raises CannotRun."""
    given: dict[str, object] = {"mode": client.mode, "steps": list(HEADINGS)}
    if client.package == OFFICIAL:
        given["official"] = str(official_samples(options.official, work))
    python = environment_of(client, work, fresh=options.fresh)
    home = work / "run" / client.name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with (
        simulator(client, home) as ready,
        Relay(client.routes(ready), home / "certificates") as relay,
    ):
        report = home / "report.jsonl"
        report.touch()
        (home / "conformance.json").write_text(
            json.dumps({**ready, **given, "report": str(report)}), encoding="utf-8"
        )
        drive(client, python, home, relay.environment)
        if relay.refused:
            say(f"   다른 주소로 나가려던 연결: {', '.join(sorted(set(relay.refused)))}")
    return read_report(report, home / "driver.log")


@contextmanager
def simulator(client: Client, home: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Start `manage.py kis_simulator` with its real limits on free ports; yields the line it prints when it is ready."""
    ports = [
        word
        for port in ("real-port", "paper-port", "real-ws-port", "paper-ws-port")
        for word in (f"--{port}", "0")
    ]
    command = [sys.executable, "manage.py", "kis_simulator", *ports, "--ws-fields", client.ws_fields]
    with (home / "simulator.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("{"):
            raise CannotRun(f"시뮬레이터가 시작되지 않았습니다. 기록: {home / 'simulator.log'}")
        ready = json.loads(line)
        yield {"real": ready["real"], "paper": ready["paper"]}
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_START)
        except subprocess.TimeoutExpired:
            process.kill()


def drive(client: Client, python: Path, home: Path, proxies: dict[str, str]) -> None:
    """Run the driver with a home of its own, so that it neither finds nor leaves keys and tokens."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    variables = {
        **kept,
        "AEGIS_CONFORMANCE": str(home / "conformance.json"),
        "HOME": str(home),
        "PYTHONPATH": str(HERE / "harness"),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "TZ": "Asia/Seoul",  # where the clients are written and used
        **proxies,
    }
    with (home / "driver.log").open("wb") as log:
        # -P keeps the folder of the drivers off the path: they are called like the clients.
        command = [str(python), "-P", str(client.driver)]
        process = subprocess.Popen(
            command,
            cwd=home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            process.wait(SECONDS_PER_CLIENT)
        except subprocess.TimeoutExpired:
            say(f"   {SECONDS_PER_CLIENT}초 안에 끝나지 않아 멈췄습니다.")
        finally:
            end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End the driver and what it started; a client's websocket process outlives it otherwise."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_report(report: Path, log: Path) -> list[Outcome]:
    """Return every step in order; one that was not even tried has failed."""
    lines = report.read_text(encoding="utf-8").splitlines()
    seen = {outcome.step: outcome for outcome in (Outcome(**json.loads(line)) for line in lines)}
    last = (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["?"])[-1]
    missing = f"시도하지 못했습니다: {last[:200]}"
    return [seen.get(step, Outcome(step, "fail", missing)) for step in HEADINGS]


# --- what the clients need ----------------------------------------------------------------------------------------


def environment_of(client: Client, work: Path, *, fresh: bool) -> Path:
    """Return the Python of the client's own virtual environment, made when the pins changed. Raises CannotRun."""
    folder = work / "env" / client.package
    stamp = folder / "requirements.stamp"
    wanted = f"{sys.version}\n{' '.join(client.requirements)}"
    python = folder / "bin" / "python"
    if not fresh and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    say(f"   설치: {' '.join(client.requirements)}")
    shutil.rmtree(folder, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *client.requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["?"]
            raise CannotRun(f"설치하지 못했습니다. 패키지 저장소에 닿는지 확인해 주세요: {last[0]}")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def official_samples(given: Path | str | None, work: Path) -> Path:
    """Return a folder with the official samples: the one given, or a clone. Raises CannotRun."""
    folder = Path(given) if given else work / "open-trading-api"
    if not given and not (folder / OFFICIAL_MARK).exists():
        say(f"   git clone {OFFICIAL_REPOSITORY}")
        done = subprocess.run(
            ["git", "clone", "--quiet", "--depth", "1", OFFICIAL_REPOSITORY, str(folder)],  # noqa: S607  # git of the path
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
        if done.returncode:
            raise CannotRun(
                f"공식 샘플을 받지 못했습니다. {OFFICIAL_REPOSITORY} 를 받아 둔 폴더를 --official 로 알려 주세요."
            )
    if not (folder / OFFICIAL_MARK).exists():
        raise CannotRun(f"공식 샘플이 아닙니다: {folder / OFFICIAL_MARK} 가 없습니다.")
    return folder.resolve()


# --- telling --------------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def width(text: str) -> int:
    """Return the columns a text takes on a terminal; Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(results: dict[str, list[Outcome]]) -> Iterator[str]:
    """Yield the lines of one table: a client a line, a step a column."""
    rows = [["", *(HEADINGS[step] for step in HEADINGS)]]
    for name, outcomes in results.items():
        by_step = {outcome.step: OUTCOMES[outcome.outcome] for outcome in outcomes}
        rows.append([name, *(by_step.get(step, OUTCOMES["fail"]) for step in HEADINGS)])
    widths = [max(width(row[column]) for row in rows) for column in range(len(HEADINGS) + 1)]
    for row in rows:
        yield "  ".join(
            cell + " " * (room - width(cell)) for cell, room in zip(row, widths, strict=True)
        ).rstrip()


if __name__ == "__main__":
    sys.exit(main())
