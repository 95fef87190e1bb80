"""Ask the adviser about a position; the pages stand without an answer, too."""

from datetime import datetime

from kis.advice import Advice, adviser
from kis.position import Position
from reports.figures.broken import Broken, or_broken


def advice_on(position: Position, *, at: datetime) -> Advice | Broken:
    """Return what the adviser of the settings has to say; an adviser that fails must not take the page with it."""
    return or_broken("점검과 진단", lambda: adviser()(position, at=at))
