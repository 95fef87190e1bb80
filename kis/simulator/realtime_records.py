"""Records of the simulated websocket: trades, order books and execution notices as lists of fields."""

from datetime import datetime
from decimal import Decimal

from kis.calendar import hour_on
from kis.simulator import wire
from kis.simulator.depth import LEVELS
from kis.simulator.hours import CLOSING, CONTINUOUS_END, OPENING
from kis.simulator.orders import Notice, Order
from kis.simulator.phases import EVENING_OPENS, Venue
from kis.simulator.prices import dice
from kis.simulator.realtime_tape import Trade

BUY_SHARE = (0.42, 0.58)  # of a day's volume, taken from the offers
SHARES_A_TRADE = 37
VI_PERCENT = 10
SHORT_NOTICE_UNTIL = 2023
MARKET_CLASS_SINCE = 2026
OWNER = "홍길동"
EXCHANGE: dict[Venue, str] = {"KRX": "1", "NXT": "2", "SOR": "3"}


def tick_fields(trade: Trade, year: int) -> list[str]:
    """Return one record of H0STCNT0: 46 fields, since 2026 47."""
    quote, today = trade.quote, trade.today
    price, (lowest, highest) = quote.price, quote.limits
    bought, sold = _sides(trade)
    buys, sells = bought // SHARES_A_TRADE, sold // SHARES_A_TRADE
    asks, bids = trade.depth.asks, trade.depth.bids
    is_buy = bool(asks) and asks[0].price == price
    sign = wire.change_sign(quote.change, at_upper=price == highest, at_lower=price == lowest)
    previous_volume = quote.previous.volume if quote.previous else 0
    fields = [
        quote.listing.code,
        f"{trade.at:%H%M%S}",
        str(price),
        sign,
        str(quote.change),
        wire.fixed(wire.percent(quote.change, quote.base), 2),
        wire.fixed(Decimal(today.turnover) / today.volume if today.volume else price, 2),
        str(today.open),
        str(today.high),
        str(today.low),
        str(asks[0].price if asks else 0),
        str(bids[0].price if bids else 0),
        str(trade.volume),
        str(today.volume),
        str(today.turnover),
        str(sells),
        str(buys),
        str(buys - sells),
        wire.fixed(wire.percent(bought, sold), 2),
        str(sold),
        str(bought),
        "1" if is_buy else "5",
        wire.fixed(wire.percent(bought, today.volume), 2),
        wire.fixed(wire.percent(today.volume, previous_volume), 2),
        *_against(f"{hour_on(today.day, OPENING):%H%M%S}", price, today.open),
        *_against(f"{trade.high_at:%H%M%S}", price, today.high),
        *_against(f"{trade.low_at:%H%M%S}", price, today.low),
        f"{today.day:%Y%m%d}",
        _phase_code(trade.at),
        "N",
        str(asks[0].quantity if asks else 0),
        str(bids[0].quantity if bids else 0),
        str(sum(level.quantity for level in asks)),
        str(sum(level.quantity for level in bids)),
        wire.fixed(wire.percent(today.volume, trade.listed_shares), 2),
        str(trade.yesterday_volume),
        wire.fixed(wire.percent(today.volume, trade.yesterday_volume), 2),
        _hour_class(trade.at),
        "0",
        str(quote.base + quote.base * VI_PERCENT // 100),
    ]
    return fields + _market_class(trade.at, year)


def book_fields(trade: Trade, year: int) -> list[str]:
    """Return one record of H0STASP0: 59 fields, since 2026 60. A side that is empty at its limit shows zeros."""
    asks, bids = trade.depth.asks, trade.depth.bids
    levels = range(LEVELS)
    fields = [
        trade.quote.listing.code,
        f"{trade.at:%H%M%S}",
        _hour_class(trade.at),
        *(str(asks[level].price if level < len(asks) else 0) for level in levels),
        *(str(bids[level].price if level < len(bids) else 0) for level in levels),
        *(str(asks[level].quantity if level < len(asks) else 0) for level in levels),
        *(str(bids[level].quantity if level < len(bids) else 0) for level in levels),
        str(sum(level.quantity for level in asks)),
        str(sum(level.quantity for level in bids)),
        *("0", "0"),  # outside of the regular hours
        *("0", "0", "0", "0", "3", "0.00"),  # the price an auction would make
        str(trade.today.volume),
        *("0", "0", "0", "0"),  # changes of the totals
        "0",
    ]
    return fields + _market_class(trade.at, year)


def _sides(trade: Trade) -> tuple[int, int]:
    """Return the day's volume taken by buyers and by sellers."""
    share = dice("buyers", trade.quote.listing.code, trade.today.day).uniform(*BUY_SHARE)
    bought = int(trade.today.volume * share)
    return bought, trade.today.volume - bought


def _against(moment: str, price: int, other: int) -> tuple[str, str, str]:
    return moment, wire.change_sign(price - other), str(price - other)


def _phase_code(moment: datetime) -> str:
    """Return NEW_MKOP_CLS_CODE; clients know nothing but 1, 2, 3 and 4 as its first character."""
    clock, day = moment.timetz().replace(tzinfo=None), moment.date()
    if clock < hour_on(day, OPENING):
        return "10"
    return "20" if clock < hour_on(day, CLOSING) else "30"


def _hour_class(moment: datetime) -> str:
    clock, day = moment.timetz().replace(tzinfo=None), moment.date()
    if clock < hour_on(day, OPENING):
        return "B"
    return "0" if clock <= hour_on(day, CLOSING) else "A"


def _market_class(moment: datetime, year: int) -> list[str]:
    """Return MARKET_CLS_CODE as the last field where the year has it: 1 before, 2 regular, 3 after, 5 closing."""
    if year < MARKET_CLASS_SINCE:
        return []
    clock, day = moment.timetz().replace(tzinfo=None), moment.date()
    if clock < hour_on(day, OPENING):
        return ["1"]
    if clock < hour_on(day, CONTINUOUS_END):
        return ["2"]
    return ["5" if clock < hour_on(day, EVENING_OPENS) else "3"]


def notice_fields(notice: Notice, *, hts_id: str, name: str, year: int) -> list[str]:
    """Return one record of H0STCNI0/H0STCNI9: 26 fields, before 2025 23. `name` is that of the stock."""
    order = notice.order
    head = [
        hts_id,
        order.account.replace("-", ""),
        f"{order.number:010d}",
        f"{order.origin:010d}" if order.origin else "",
        "02" if order.side == "buy" else "01",
        _amendment(order),
        order.kind,
        {"ioc": "1", "fok": "2"}.get(order.division.life, "0"),
        order.code,
        str(notice.quantity),
        str(notice.price),
        f"{notice.at:%H%M%S}",
        "1" if notice.event == "refused" else "0",
        "2" if notice.event == "filled" else "1",
        _acceptance(notice),
        wire.BRANCH[order.mode],
        str(order.quantity),
        OWNER,
    ]
    of_the_year = (
        [name] if year <= SHORT_NOTICE_UNTIL else [str(order.trigger), EXCHANGE[order.venue], "N", ""]
    )
    return [*head, *of_the_year, "0", "", name, str(order.price)]


def _amendment(order: Order) -> str:
    """Return RCTF_CLS: 0 an order, 1 one that amends another, 2 one that cancels it."""
    if not order.origin:
        return "0"
    return "2" if order.action == "cancel" else "1"


def _acceptance(notice: Notice) -> str:
    """Return ACPT_YN: 1 taken, 2 done, 3 the rest of an IOC or FOK order given up."""
    if notice.event in {"accepted", "refused"}:
        return "1"
    return "3" if notice.event == "confirmed" and not notice.order.origin else "2"
