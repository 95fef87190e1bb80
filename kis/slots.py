"""Slots of the timetable: which tick a moment stands for, and whether the job is due then."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from kis.calendar import hour_on, is_business_day
from kis.korean import SEOUL, day


@dataclass(frozen=True, slots=True)
class Window:
    """The ticks of a job on a business day, in Korean time: every so many minutes, both ends included.

    On a day that opens late or closes early both ends move with it.
    """

    every: timedelta
    opens: time
    closes: time

    @classmethod
    def parse(cls, *, minutes: int, opens: str, closes: str) -> "Window":
        """Read a window as a schedule spells it. Raises ValueError."""
        return cls(timedelta(minutes=minutes), time.fromisoformat(opens), time.fromisoformat(closes))

    @property
    def minutes(self) -> int:
        return self.every // timedelta(minutes=1)

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}–{self.closes:%H:%M}"

    def slot_of(self, at: datetime) -> datetime:
        """Return the tick a moment belongs to: the last one at or before it, counted from midnight in Seoul."""
        local = at.astimezone(SEOUL)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (local - midnight) // self.every * self.every

    def next_slot(self, after: datetime) -> datetime:
        """Return the next tick on which there is something to do."""
        day = after.astimezone(SEOUL).date()
        while True:
            slots = self.slots_of(day) if is_business_day(day) else []
            found = next((slot for slot in slots if slot > after), None)
            if found is not None:
                return found
            day += timedelta(days=1)

    def slots_of(self, day: date) -> list[datetime]:
        """Return the ticks of a day that lie in the window, counted from its midnight."""
        midnight = datetime.combine(day, time.min, SEOUL)
        ticks = (midnight + number * self.every for number in range(timedelta(days=1) // self.every))
        here = self.on(day)
        return [tick for tick in ticks if here.opens <= tick.time() <= here.closes]

    def on(self, day: date) -> "Window":
        """Return the window of one day."""
        return replace(self, opens=hour_on(day, self.opens), closes=hour_on(day, self.closes))

    def reason_to_rest(self, slot: datetime, *, now: datetime) -> str:
        """Return in Korean why nothing is to be done for a slot, blank where it is due.

        A slot whose worker comes late is still done on its own day, until the tick after the last one.
        """
        local = slot.astimezone(SEOUL)
        if not is_business_day(local.date()):
            return f"{day(local.date())}은(는) 거래소가 쉬는 날이라 실행하지 않았습니다."
        here = self.on(local.date())
        if not here.opens <= local.time() <= here.closes:
            return f"{local:%H:%M}은(는) 실행 시간({here})이 아니라 실행하지 않았습니다."
        if now >= datetime.combine(local.date(), here.closes, SEOUL) + self.every:
            return f"{local:%m-%d %H:%M}의 실행 시간이 지나 건너뛰었습니다."
        return ""
