"""Cash by the day it settles: D+0, D+1, D+2, and whether it will suffice (미수)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kis import korean
from kis.calendar import business_day_after, latest_business_day
from kis.client.records.orders import Side

#: The broker's names. Each is a figure of its own; none may stand in for another, nor for the orderable cash.
LABELS = ("D+0 예수금", "D+1 익일정산금", "D+2 가수도정산금")
ADVICE = (
    "이미 미수이므로 바로 입금하지 않으면 반대매매가 나갈 수 있습니다.",
    "그날까지 입금하지 않으면 미수가 됩니다. 지금 팔아도 대금은 그 뒤에 들어옵니다.",
    "그날까지 입금하지 않으면 미수가 됩니다.",
)


@dataclass(frozen=True, slots=True)
class Movement:
    """Cash that comes (+) or goes (−) on `due`, in won."""

    due: date
    amount: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """Cash in won as of a business day: settled on it, on the next, and once all trades so far have settled."""

    day: date
    d0: int
    d1: int
    d2: int

    @property
    def days(self) -> tuple[date, date, date]:
        return self.day, business_day_after(self.day), business_day_after(self.day, days=2)

    @property
    def steps(self) -> tuple[tuple[str, date, int], ...]:
        """The three figures, each with the broker's name for it and its day."""
        return tuple(zip(LABELS, self.days, (self.d0, self.d1, self.d2), strict=True))


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of the ladder on which the broker and we do not agree."""

    label: str
    day: date
    ours: int
    broker: int

    @property
    def difference(self) -> int:
        """What the broker has more than we do."""
        return self.broker - self.ours

    def __str__(self) -> str:
        return (
            f"{self.label} {korean.short_day(self.day)}: 예상 {korean.number(self.ours)}원, "
            f"증권사 {korean.number(self.broker)}원, 차이 {korean.signed(self.difference)}원"
        )


class MisuLevel(StrEnum):
    """How near the account is to owing the broker money."""

    NONE = "없음"
    CAUTION = "주의"
    DANGER = "위험"


@dataclass(frozen=True, slots=True)
class Misu:
    """The warning for the owner, in Korean. `shortage` is what would cover it, in won."""

    level: MisuLevel
    text: str
    shortage: int = 0


def settlement_day(trade_day: date) -> date:
    """Cash and shares change hands two business days after the trade; the last day of the year is none."""
    return business_day_after(trade_day, days=2)


def of_trade(*, side: Side, amount: int, costs: int, trade_day: date) -> Movement:
    """Return the cash of a trade, after its costs."""
    cash = amount - costs if side is Side.SELL else -amount - costs
    return Movement(settlement_day(trade_day), cash)


def still_to_settle(ladder: Ladder) -> tuple[Movement, Movement]:
    """Return what a ladder says is on its way, to go on from it: `d0` and these are the cash without later trades."""
    _, next_day, last_day = ladder.days
    return Movement(next_day, ladder.d1 - ladder.d0), Movement(last_day, ladder.d2 - ladder.d1)


def expected(opening: int, movements: Iterable[Movement], *, today: date) -> Ladder:
    """Return the ladder as it should be: `opening` won, and all that moved since or is still to settle.

    `today` may be a holiday; the ladder is then of the last business day, as the broker's is.
    """
    movements = tuple(movements)
    day = latest_business_day(today)
    next_day = business_day_after(day)
    return Ladder(
        day=day,
        d0=opening + sum(moved.amount for moved in movements if moved.due <= day),
        d1=opening + sum(moved.amount for moved in movements if moved.due <= next_day),
        d2=opening + sum(moved.amount for moved in movements),
    )


def differences(ours: Ladder, broker: Ladder) -> tuple[Difference, ...]:
    """Return the figures that differ, earliest day first. Raises ValueError for ladders of two different days."""
    if ours.day != broker.day:
        raise ValueError(f"ladders of {ours.day} and {broker.day}")
    pairs = zip(ours.steps, broker.steps, strict=True)
    return tuple(
        Difference(label, day, mine, theirs) for (label, day, mine), (_, _, theirs) in pairs if mine != theirs
    )


def misu(ladder: Ladder, *, orderable: int | None = None) -> Misu:
    """Tell whether cash will be short when trades settle. `orderable` is `nrcvb_buy_amt`, if it was asked for.

    위험: short today or on the next business day, which only a deposit can mend. 주의: short on the day after, which a
    sale of the ladder's day still mends; or more can be ordered than there will be cash for.
    """
    short = [(index, label, day, cash) for index, (label, day, cash) in enumerate(ladder.steps) if cash < 0]
    if short:
        listed = ", ".join(
            f"{label} {korean.short_day(day)} {korean.number(cash)}원" for _, label, day, cash in short
        )
        first = short[0][0]
        level = MisuLevel.CAUTION if first == len(LABELS) - 1 else MisuLevel.DANGER
        return Misu(
            level, f"결제할 돈이 모자랍니다: {listed}. {ADVICE[first]}", max(-cash for *_, cash in short)
        )
    if orderable is not None and orderable > ladder.d2:
        label, day, cash = ladder.steps[-1]
        return Misu(
            MisuLevel.CAUTION,
            f"주문가능금액 {korean.number(orderable)}원이 {label} {korean.short_day(day)} {korean.number(cash)}원보다 "
            f"많습니다. 다 쓰면 {korean.number(orderable - cash)}원이 모자라 미수가 될 수 있습니다.",
            orderable - cash,
        )
    return Misu(MisuLevel.NONE, "결제할 돈이 모자라는 날이 없습니다.")
