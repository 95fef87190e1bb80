"""Look at a position and say what is worth the owner's attention."""

from datetime import datetime

from kis.advice import Advice
from kis.position import Position


def advise(position: Position, *, at: datetime) -> Advice:  # noqa: ARG001  # the signature of kis.advice.Adviser
    """Return the findings of the rules, and the words of the last diagnosis of this position."""
    return Advice()
