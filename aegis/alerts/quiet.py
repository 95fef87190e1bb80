"""Hours in which nobody is to be woken; pure, read with the settings."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from kis.korean import SEOUL

SPAN: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*[-~]\s*([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begins` to `ends` in Korean time, over midnight where it begins later than it ends."""

    begins: time
    ends: time

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"

    def first_moment_after(self, at: datetime) -> datetime:
        """Return the moment itself, or the end of the quiet hours that it lies in."""
        local = at.astimezone(SEOUL)
        now = local.time()
        over_midnight = self.begins > self.ends
        is_quiet = (
            (now >= self.begins or now < self.ends) if over_midnight else self.begins <= now < self.ends
        )
        if not is_quiet:
            return at
        day = local.date() + timedelta(days=1 if over_midnight and now >= self.begins else 0)
        return datetime.combine(day, self.ends, SEOUL)


def read_quiet(text: str) -> Quiet | None:
    """Return the quiet hours, None where there are none. Raises ValueError with a Korean sentence."""
    if not text:
        return None
    found = SPAN.fullmatch(text)
    if not found:
        raise ValueError("NOTIFY_QUIET 값은 22:00-07:00 모양이어야 합니다.")
    quiet = Quiet(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    if quiet.begins == quiet.ends:
        raise ValueError("NOTIFY_QUIET의 시작과 끝이 같습니다. 쉬는 시간이 없으면 비워 두세요.")
    return quiet
