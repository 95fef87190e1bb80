"""Phases of a trading day by venue, and which kinds of order each of them takes (kis-api.md sections 7.3 and 12.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Literal

from kis.calendar import hour_on, is_business_day
from kis.simulator.hours import CLOSING, CONTINUOUS_END, OPENING, at

Venue = Literal["KRX", "NXT", "SOR"]
Pricing = Literal["limit", "market", "best", "own best", "middle", "stop", "close"]
Life = Literal["day", "ioc", "fok"]

#: KRX after-market instead of the single-price auctions of the evening.
AFTER_MARKET_SINCE = date(2026, 9, 14)
NXT_SINCE = date(2025, 3, 4)

PRE_MARKET_OPENS, PRE_MARKET_ENDS = time(8, 0), time(8, 50)
ORDERS_OPEN = time(8, 30)
BEFORE_HOURS_END = time(8, 40)
NXT_MAIN_OPENS = time(9, 0, 30)
AFTER_HOURS_TRADE = time(15, 40)
EVENING_OPENS = time(16, 0)
SINGLE_PRICE_ENDS = time(18, 0)
AFTER_MARKET_ENDS = time(20, 0)


class Phase(Enum):
    """What the venue is doing; the value is what a refusal calls it."""

    CLOSED = "휴장일"
    BEFORE = "장개시전"
    PRE_MARKET = "프리마켓"
    OPENING_AUCTION = "장개시동시호가"
    REGULAR = "정규장"
    CLOSING_AUCTION = "장종료동시호가"
    AFTER_HOURS = "장후시간외"
    SINGLE_PRICE = "시간외단일가"
    AFTER_MARKET = "애프터마켓"
    OVER = "장종료"


@dataclass(frozen=True, slots=True)
class Kind:
    """One order division (ORD_DVSN)."""

    name: str
    pricing: Pricing
    life: Life = "day"


KINDS = {
    "00": Kind("지정가", "limit"),
    "01": Kind("시장가", "market"),
    "02": Kind("조건부지정가", "limit"),
    "03": Kind("최유리지정가", "best"),
    "04": Kind("최우선지정가", "own best"),
    "05": Kind("장전 시간외", "close"),
    "06": Kind("장후 시간외", "close"),
    "07": Kind("시간외 단일가", "limit"),
    "11": Kind("IOC지정가", "limit", "ioc"),
    "12": Kind("FOK지정가", "limit", "fok"),
    "13": Kind("IOC시장가", "market", "ioc"),
    "14": Kind("FOK시장가", "market", "fok"),
    "15": Kind("IOC최유리", "best", "ioc"),
    "16": Kind("FOK최유리", "best", "fok"),
    "21": Kind("중간가", "middle"),
    "22": Kind("스톱지정가", "stop"),
    "23": Kind("중간가IOC", "middle", "ioc"),
    "24": Kind("중간가FOK", "middle", "fok"),
    "27": Kind("프리마켓 지정가(GTP)", "limit"),
    "28": Kind("프리마켓 최유리(GTP)", "best"),
    "29": Kind("프리마켓 최우선(GTP)", "own best"),
    "41": Kind("애프터마켓 지정가", "limit"),
    "42": Kind("애프터마켓 IOC지정가", "limit", "ioc"),
    "43": Kind("애프터마켓 FOK지정가", "limit", "fok"),
    "44": Kind("애프터마켓 최유리", "best"),
    "45": Kind("애프터마켓 IOC최유리", "best", "ioc"),
    "46": Kind("애프터마켓 FOK최유리", "best", "fok"),
    "47": Kind("애프터마켓 최우선지정가", "own best"),
}
CONDITIONAL = "02"
BEFORE_HOURS, AFTER_HOURS, SINGLE_PRICE = "05", "06", "07"
PRE_MARKET_KINDS = frozenset({"27", "28", "29"})
AFTER_MARKET_KINDS = frozenset({"41", "42", "43", "44", "45", "46", "47"})
PAPER_KINDS = frozenset({"00", "01", "02", "03", "04"})


def _kinds(*codes: Iterable[str] | str) -> frozenset[str]:
    return frozenset(code for group in codes for code in ([group] if isinstance(group, str) else group))


MATCHED_AT_ONCE = _kinds("11", "12", "13", "14", "15", "16")
TAKEN: dict[tuple[Venue, Phase], frozenset[str]] = {
    ("KRX", Phase.OPENING_AUCTION): _kinds("00", "01", "02"),
    ("KRX", Phase.REGULAR): _kinds("00", "01", "02", "03", "04", MATCHED_AT_ONCE, "21", "22", "23", "24"),
    ("KRX", Phase.CLOSING_AUCTION): _kinds("00", "01"),
    ("KRX", Phase.AFTER_HOURS): _kinds(AFTER_HOURS),
    ("KRX", Phase.SINGLE_PRICE): _kinds(SINGLE_PRICE),
    ("KRX", Phase.AFTER_MARKET): AFTER_MARKET_KINDS,
    ("NXT", Phase.PRE_MARKET): _kinds("00", "03", "04", PRE_MARKET_KINDS),
    ("NXT", Phase.REGULAR): _kinds("00", "03", "04", MATCHED_AT_ONCE, "21", "22", "23", "24"),
    ("NXT", Phase.AFTER_MARKET): _kinds("00", "03", "04", "11", "12", "15", "16"),
    ("SOR", Phase.PRE_MARKET): _kinds("00", "03", "04"),
    ("SOR", Phase.OPENING_AUCTION): _kinds("00", "01"),
    ("SOR", Phase.REGULAR): _kinds("00", "01", "03", "04", MATCHED_AT_ONCE),
    ("SOR", Phase.CLOSING_AUCTION): _kinds("00", "01"),
    ("SOR", Phase.AFTER_MARKET): _kinds("00", "03", "04"),
}


def phase_of(now: datetime, venue: Venue = "KRX") -> Phase:
    """Return the phase of a venue; smart order routing follows whichever of the two is open."""
    if not is_business_day(now.date()):
        return Phase.CLOSED
    moment = now.timetz().replace(tzinfo=None)
    if venue == "KRX":
        return _krx(now.date(), moment)
    if venue == "NXT":
        return _nxt(now.date(), moment)
    krx, nxt = _krx(now.date(), moment), _nxt(now.date(), moment)
    if krx in {Phase.OPENING_AUCTION, Phase.REGULAR, Phase.CLOSING_AUCTION}:
        return krx
    return nxt


def _krx(day: date, moment: time) -> Phase:
    evening = Phase.AFTER_MARKET if day >= AFTER_MARKET_SINCE else Phase.SINGLE_PRICE
    return _last_begun(
        day,
        moment,
        (
            (time.min, Phase.BEFORE),
            (ORDERS_OPEN, Phase.OPENING_AUCTION),
            (OPENING, Phase.REGULAR),
            (CONTINUOUS_END, Phase.CLOSING_AUCTION),
            (CLOSING, Phase.AFTER_HOURS),
            (EVENING_OPENS, evening),
            (AFTER_MARKET_ENDS if evening is Phase.AFTER_MARKET else SINGLE_PRICE_ENDS, Phase.OVER),
        ),
    )


def _nxt(day: date, moment: time) -> Phase:
    if day < NXT_SINCE:
        return Phase.CLOSED
    return _last_begun(
        day,
        moment,
        (
            (time.min, Phase.BEFORE),
            (PRE_MARKET_OPENS, Phase.PRE_MARKET),
            (PRE_MARKET_ENDS, Phase.BEFORE),
            (NXT_MAIN_OPENS, Phase.REGULAR),
            (CONTINUOUS_END, Phase.BEFORE),
            (CLOSING, Phase.AFTER_MARKET),
            (AFTER_MARKET_ENDS, Phase.OVER),
        ),
    )


def _last_begun(day: date, moment: time, phases: tuple[tuple[time, Phase], ...]) -> Phase:
    """Return the phase of a moment; the night before the first of them does not move."""
    begun = (phase for begins, phase in reversed(phases[1:]) if moment >= hour_on(day, begins))
    return next(begun, phases[0][1])


def takes(now: datetime, venue: Venue, kind: str) -> bool:
    """Return whether an order of this kind is taken now."""
    phase = phase_of(now, venue)
    if kind == BEFORE_HOURS:
        # Closing-price trading runs beside the opening auction, for its first ten minutes.
        return venue == "KRX" and phase is Phase.OPENING_AUCTION and now < at(now.date(), BEFORE_HOURS_END)
    return kind in TAKEN.get((venue, phase), frozenset())


def lapses_at(placed_at: datetime, venue: Venue, kind: str) -> datetime:
    """Return when what is left of an order dies; orders of one phase do not carry over into another."""
    day = placed_at.date()
    fixed = {BEFORE_HOURS: BEFORE_HOURS_END, AFTER_HOURS: EVENING_OPENS, SINGLE_PRICE: SINGLE_PRICE_ENDS}
    if kind in fixed:
        return at(day, fixed[kind])
    if kind in PRE_MARKET_KINDS:
        return at(day, PRE_MARKET_ENDS)
    if kind in AFTER_MARKET_KINDS or venue == "NXT" or placed_at >= at(day, CLOSING):
        return at(day, AFTER_MARKET_ENDS)
    return at(day, CLOSING)
