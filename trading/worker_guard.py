"""Keep orders out of background tasks: a task may be handed out twice, an order may not."""

from typing import Any

from trading.errors import NotFromWorker

#: Tasks that this process is in the middle of; a thread that a task has started counts as well.
_running = 0


def enter_task(**signal: Any) -> None:  # noqa: ANN401, ARG001  # as signals are sent
    global _running  # noqa: PLW0603  # a property of the process
    _running += 1


def leave_task(**signal: Any) -> None:  # noqa: ANN401, ARG001
    global _running  # noqa: PLW0603
    _running = max(_running - 1, 0)


def refuse_workers() -> None:
    """Raise NotFromWorker while this process carries out a task of django-q2."""
    if _running:
        raise NotFromWorker
