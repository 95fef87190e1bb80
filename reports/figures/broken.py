"""What stands where a part of the page could not be made."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

Part = TypeVar("Part")

logger = logging.getLogger(__name__)

SENTENCE: Final = "오류가 나서 이 칸만 비워 두었습니다."


@dataclass(frozen=True, slots=True)
class Broken:
    """A part that could not be computed or drawn; `sentence` is for the owner, the reason is in the log."""

    sentence: str


def or_broken(name: str, make: Callable[[], Part]) -> Part | Broken:
    """Make a part of a page; where that fails, the others are shown all the same."""
    try:
        return make()
    except Exception:
        logger.exception("A part of the page could not be made: %s", name)
        return Broken(SENTENCE)
