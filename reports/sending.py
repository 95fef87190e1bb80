"""Send a finished file to REPORT_SYNC_DIR: by rsync, or by a copy of our own where there is no rsync.

Whatever goes wrong is a reason in Korean, never an exception: the file itself is safe where it was written.
"""

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final, cast

from reports.publish import REASONS
from reports.targets import LocalFolder, Target, TargetRefused, checked_name

#: A drive that does not answer is given up after so long, a transfer when it takes longer than this.
LOOK_SECONDS: Final = 20.0
SEND_SECONDS: Final = 180.0
QUIET_SECONDS: Final = 30  # without a byte, rsync gives up by itself
CONNECT_SECONDS: Final = 15
GRACE_SECONDS: Final = 2.0
KEPT_ENVIRONMENT: Final = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TMPDIR")
PROGRESS: Final = re.compile(rb"\s*([\d,]+)\s+\d+%")
CHUNK: Final = 65_536
MOST_TOLD: Final = 4_000  # bytes of what a program complains of
TOO_LONG: Final = "시간 안에 끝나지 않음"
TROUBLES: Final = {
    "forbidden": "보낼 곳이 리포트 폴더 안임: REPORT_SYNC_DIR에 다른 폴더를 적어 주세요",
    "unmounted": "폴더가 없음: 드라이브가 연결되어 있지 않은 것 같습니다. 연결하거나 폴더를 직접 만들어 주세요",
    "missing": "폴더가 없음: 직접 만들거나 REPORT_SYNC_DIR를 고쳐 주세요",
    "other drive": "지난번에는 따로 연결한 드라이브였는데 지금은 연결되어 있지 않음: 드라이브를 연결하거나 REPORT_SYNC_DIR를 고쳐 주세요",
}
#: What rsync and ssh say, and what it means for the owner; the first that is found counts.
COMPLAINTS: Final = (
    (
        "host key verification failed",
        "처음 보는 컴퓨터임: 터미널에서 ssh로 한 번 접속해 컴퓨터를 확인해 주세요",
    ),
    (
        "permission denied (publickey",
        "ssh 로그인이 거절됨: 암호 없이 로그인하는 ssh 키를 그 컴퓨터에 등록해 주세요",
    ),
    ("could not resolve", "컴퓨터 이름을 찾을 수 없음: REPORT_SYNC_DIR의 이름과 네트워크를 확인해 주세요"),
    ("connection refused", "컴퓨터가 ssh 접속을 받지 않음"),
    ("no route to host", "컴퓨터에 닿지 않음: 네트워크를 확인해 주세요"),
    ("network is unreachable", "컴퓨터에 닿지 않음: 네트워크를 확인해 주세요"),
    ("timed out", "컴퓨터가 대답하지 않음"),
    ("command not found", "그 컴퓨터에 rsync가 없음"),
    ("no space left", "남은 공간 없음"),
    ("disk quota exceeded", "할당된 공간 초과"),
    ("read-only file system", "읽기 전용"),
    ("not a directory", "경로에 파일이 있음"),
    ("no such file or directory", "폴더가 없음: 직접 만들거나 REPORT_SYNC_DIR를 고쳐 주세요"),
    ("permission denied", "권한 없음"),
    ("failed to exec", "ssh를 실행할 수 없음"),
)
RSYNC_TIMEOUTS: Final = {30, 35}


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the way of a file ended: `reason` is empty where it arrived. `mount` is where the drive of the folder begins."""

    method: str
    seconds: float
    reason: str = ""
    mount: str = ""

    @property
    def arrived(self) -> bool:
        return not self.reason


class Failed(Exception):
    """The file could not be sent; the text is the reason."""


def send(
    file: Path,
    target: Target,
    *,
    mount: str = "",
    forbidden: Sequence[Path] = (),
    progress: Callable[[int], object] = bool,
) -> Delivery:
    """Send a file and return how that ended. `progress` is told the bytes that have gone.

    Folders in `forbidden`, and those within, are no targets. `mount` is what the last delivery there has found.
    """
    started = monotonic()
    rsync = shutil.which("rsync")
    method = "rsync" if rsync or not isinstance(target, LocalFolder) else "copy"
    found = mount
    try:
        checked_name(file.name)
        if isinstance(target, LocalFolder):
            task = "look" if rsync else "copy"
            found = ask_copying(task, file, target.path, mount=mount, forbidden=forbidden, progress=progress)
            destination = f"{target.path}/."
        else:
            destination = f"{target.login}:{target.path.rstrip('/')}/."
        if method == "rsync":
            if rsync is None:
                raise Failed("이 컴퓨터에 rsync가 없음: 설치해 주세요(Debian: apt-get install rsync)")  # noqa: TRY301  # told like any other
            run_rsync(rsync, file, destination, progress=progress)
    except (Failed, TargetRefused) as failure:
        return Delivery(method, monotonic() - started, str(failure), found)
    return Delivery(method, monotonic() - started, mount=found)


def ask_copying(
    task: str,
    file: Path,
    folder: Path,
    *,
    mount: str,
    forbidden: Sequence[Path],
    progress: Callable[[int], object],
) -> str:
    """Let the other program look or copy, and return the mount it has found. Raises Failed."""
    answers: list[Mapping[str, Any]] = []

    def heard(line: bytes) -> None:
        answer = json.loads(line)
        if "bytes" in answer:
            progress(answer["bytes"])
        else:
            answers.append(answer)

    program = Path(__file__).with_name("copying.py")
    command = [sys.executable, "-I", program, task, file, folder, mount, *forbidden]
    seconds = LOOK_SECONDS if task == "look" else SEND_SECONDS
    run([str(word) for word in command], seconds=seconds, heard=heard)
    answer = answers[-1] if answers else {}
    if "trouble" in answer:
        raise Failed(TROUBLES[answer["trouble"]])
    if "errno" in answer:
        raise Failed(REASONS.get(answer["errno"], f"오류 {answer['errno']}"))
    if "mount" not in answer:
        raise Failed("복사하는 프로그램이 끝나지 않고 멈춤")
    return str(answer["mount"])


def run_rsync(rsync: str, file: Path, destination: str, *, progress: Callable[[int], object]) -> None:
    """Send one file into a folder that is there already. Raises Failed.

    The `.` at the end of the destination keeps rsync from making a folder that is missing.
    """

    def heard(line: bytes) -> None:
        if told := PROGRESS.match(line):
            progress(int(told[1].replace(b",", b"")))

    # rsync splits this by itself; BatchMode never asks anything.
    ssh = f"ssh -o BatchMode=yes -o ConnectTimeout={CONNECT_SECONDS}"
    command = [rsync, "--ignore-times", "--progress", f"--timeout={QUIET_SECONDS}", "-e", ssh]
    code, complaint = run([*command, "--", str(file), destination], seconds=SEND_SECONDS, heard=heard)
    if code:
        raise Failed(meaning(code, complaint))


def meaning(code: int, complaint: str) -> str:
    """Say why rsync failed. Its own words may hold names and are left out."""
    said = complaint.lower()
    for sign, reason in COMPLAINTS:
        if sign in said:
            return reason
    return TOO_LONG if code in RSYNC_TIMEOUTS else f"rsync 오류 {code}"


def run(command: Sequence[str], *, seconds: float, heard: Callable[[bytes], None]) -> tuple[int, str]:
    """Run a program, without a shell and without our secrets around it, and return its code and what it complains of.

    `heard` gets every line it prints, also those it means to write over. Raises Failed where it cannot be started or
    takes too long; one that hangs inside the kernel, where nobody can end it, is left behind.
    """
    deadline = monotonic() + seconds
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    try:
        process = subprocess.Popen(  # noqa: S603  # every word is ours or has been checked
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as error:
        raise Failed(f"{Path(command[0]).name}을(를) 실행할 수 없음") from error
    try:
        complaint = listen(process, deadline=deadline, heard=heard)
        return process.wait(max(deadline - monotonic(), GRACE_SECONDS)), complaint
    except subprocess.TimeoutExpired:
        raise Failed(TOO_LONG) from None
    finally:
        end(process)


def listen(process: "subprocess.Popen[bytes]", *, deadline: float, heard: Callable[[bytes], None]) -> str:
    """Hear a program out; returns what it complains of. Raises TimeoutExpired."""
    rest = complaint = b""
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            selector.register(cast("IO[bytes]", pipe), selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(deadline - monotonic(), 0))
            if not ready:
                raise subprocess.TimeoutExpired(process.args, 0)
            for key, _ in ready:
                part = os.read(key.fd, CHUNK)
                if not part:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    complaint = (complaint + part)[:MOST_TOLD]
                else:
                    *lines, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
                    for line in filter(None, lines):
                        heard(line)
    return complaint.decode("utf-8", "replace")


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program, and what it has started, if it is still running."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
    for pipe in (process.stdout, process.stderr):
        cast("IO[bytes]", pipe).close()
