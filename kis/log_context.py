"""What a log line belongs to: the job, its slot and run, the request; and who wants to know when this process begins a run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

from kis.korean import SEOUL

if TYPE_CHECKING:  # logs are set up before the models are
    from kis.models import SyncRun

Began = Callable[["SyncRun"], None]
_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default=MappingProxyType({}))
_waiting: ContextVar[tuple[Began, ...]] = ContextVar("waiting_for_runs", default=())


def fields() -> Mapping[str, str]:
    """Return what the lines of this moment belong to."""
    return _fields.get()


@contextmanager
def lines_of(**more: str) -> Iterator[None]:
    """Put these fields on every log line of the block."""
    token = _fields.set({**_fields.get(), **more})
    try:
        yield
    finally:
        _fields.reset(token)


@contextmanager
def lines_of_run(run: "SyncRun") -> Iterator[None]:
    """Put a run that has been opened here on the log lines of the block, and tell those who wait for one."""
    slot = {"slot": run.slot.astimezone(SEOUL).isoformat(timespec="minutes")} if run.slot else {}
    with lines_of(job=run.job, run=str(run.pk), **slot):
        for began in _waiting.get():
            began(run)
        yield


@contextmanager
def waiting_for_runs(began: Began) -> Iterator[None]:
    """Call `began` with each run that this process opens in the block; a slot that others have is none."""
    token = _waiting.set((*_waiting.get(), began))
    try:
        yield
    finally:
        _waiting.reset(token)
