"""Programs of ours that are started again when they end, never in a busy loop."""

from collections.abc import Callable, Sequence
from subprocess import Popen

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 900.0
#: One that has lasted so long did not fail at the start: the pauses begin anew.
LASTING_SECONDS = 600.0

Start = Callable[..., "Popen[bytes]"]


class Restarted:
    """A child that is started again, after a pause that doubles as long as it does not last. Seconds by one clock."""

    def __init__(self, arguments: Sequence[str], *, start: Start) -> None:
        self.arguments = tuple(arguments)
        self.start = start
        self.child: Popen[bytes] | None = None
        self.started_at = self.start_at = 0.0
        self.pause = FIRST_PAUSE_SECONDS

    def look_after(self, *, now: float) -> None:
        """Start the child where it is time to; plan the next start where it has ended."""
        if self.child is not None and self.child.poll() is not None:
            self.child = None
            if now - self.started_at >= LASTING_SECONDS:
                self.pause = FIRST_PAUSE_SECONDS
            self.start_at = now + self.pause
            self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        if self.child is None and now >= self.start_at:
            self.child, self.started_at = self.start(*self.arguments), now
