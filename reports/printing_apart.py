"""Print a dashboard in a process of its own, with no more memory and time than the settings allow.

A print that goes wrong (a page of ten thousand rows, a library that loops, the kernel that looks for memory) ends that
process and not the worker, and what was printed before stays where it is.
"""

import contextlib
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
from typing import Any, Final

from django.conf import settings

from reports.amounts import Amounts
from reports.figures import Dashboard
from reports.fonts import FontsUnavailable
from reports.publish import PublishFailed

logger = logging.getLogger(__name__)

#: What a print needs to know of us: no key, no password and no address of a database.
KEPT_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "DJANGO_SETTINGS_MODULE", "LD_LIBRARY_PATH")
STAYS: Final = "이전 PDF는 그대로입니다."
#: What Python, C++ and the loader of libraries say of it.
OUT_OF_MEMORY: Final = (
    *(b"MemoryError", b"bad_alloc", b"Cannot allocate memory"),
    *(b"failed to map segment", b"cannot allocate memory", b"failed to allocate"),
)
MOST_LOGGED: Final = 4_000
#: How long one that has been killed may take to be gone.
GRACE_SECONDS: Final = 5.0


class PrintBroken(PublishFailed):
    """The process that printed has died or was ended; the text says why."""


def render_apart(dashboard: Dashboard, amounts: Amounts) -> bytes:
    """Return what `render_pdf` returns. Raises FontsUnavailable, and PrintBroken where the process did not get there."""
    seconds = settings.PRINT_SECONDS
    try:
        process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "reports.printing_child", str(settings.PRINT_MEMORY_MB), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env=environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise PrintBroken(f"PDF를 만드는 프로세스를 시작하지 못했습니다. {STAYS}") from error
    try:
        told, complaint = process.communicate(pickle.dumps((dashboard, amounts)), timeout=seconds)
    except subprocess.TimeoutExpired:
        raise PrintBroken(f"PDF를 {seconds}초 안에 만들지 못해 멈췄습니다. {STAYS}") from None
    finally:
        end(process)
    return pdf_of(told, code=process.returncode, complaint=complaint)


def environment() -> dict[str, str]:
    """Return what surrounds the process. It reads no file of settings, and signs nothing with its key."""
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    return kept | {
        "AEGIS_ENV_FILE": os.devnull,
        "AEGIS_VAR_DIR": str(settings.VAR_DIR),
        "AEGIS_FONT_DIR": str(settings.FONT_DIR),
        "SECRET_KEY": "signs nothing",
    }


def pdf_of(told: bytes, *, code: int, complaint: bytes) -> bytes:
    """Read the answer of the process. Raises FontsUnavailable and PrintBroken."""
    first, _, pdf = told.partition(b"\n")
    try:
        answer: dict[str, Any] = json.loads(first)
    except ValueError:
        answer = {}
    if answer.get("trouble") == "fonts":
        raise FontsUnavailable(answer["words"])
    if code == 0 and answer.get("size") == len(pdf):
        return pdf
    logger.error("A print ended with %s: %s", code, complaint[-MOST_LOGGED:].decode("utf-8", "replace"))
    raise PrintBroken(f"{why(answer, code=code, complaint=complaint)} {STAYS}")


def why(answer: dict[str, Any], *, code: int, complaint: bytes) -> str:
    """Say what ended the process. Its own words may show the account: they are in the log."""
    limit = f"메모리 한도({settings.PRINT_MEMORY_MB}MB)"
    if answer.get("trouble") == "memory" or any(sign in complaint for sign in OUT_OF_MEMORY):
        return f"PDF를 만들다가 {limit}를 넘어 멈췄습니다."
    if code == -signal.SIGXCPU:
        return f"PDF를 만들다가 시간 한도({settings.PRINT_SECONDS}초)를 넘어 멈췄습니다."
    if code == -signal.SIGKILL:
        return "PDF를 만들던 프로세스를 시스템이 끝냈습니다. 남은 메모리를 확인해 주세요."
    if code < 0:
        return f"PDF를 만들던 프로세스가 죽었습니다(신호 {-code}). {limit}가 모자라지 않은지 확인해 주세요."
    return f"PDF를 만들던 프로세스가 끝내지 못했습니다(코드 {code}). {limit}와 기록을 확인해 주세요."


def end(process: "subprocess.Popen[bytes]") -> None:
    """End the process, and what it may have started, where it is still there."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
