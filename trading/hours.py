"""When KRX takes orders (kis-api.md section 12.3); all times are of Seoul."""

from datetime import date, datetime, time, timedelta

from kis.calendar import business_day_after, hour_on, is_business_day, moment_on
from kis.korean import SEOUL, day

#: From here on limit orders wait for the opening auction.
ORDERS_OPEN = time(8, 30)
OPENING = time(9, 0)
#: Then limit orders wait for the closing auction.
CONTINUOUS_END = time(15, 20)
CLOSING = time(15, 30)
#: All that any venue trades, from the pre-market of NXT to the after-markets; outside of it nothing can be cancelled.
ANY_VENUE_OPENS, ANY_VENUE_CLOSES = time(8, 0), time(20, 0)


def takes_limit_orders(now: datetime) -> bool:
    return _is_within(now, ORDERS_OPEN, CLOSING)


def takes_market_orders(now: datetime) -> bool:
    """Return whether prices are made one by one; in an auction nobody can tell what a market order would pay."""
    return _is_within(now, OPENING, CONTINUOUS_END)


def takes_cancels(now: datetime) -> bool:
    """Return whether any venue is open: an order of the phone app may wait at another one than ours."""
    return _is_within(now, ANY_VENUE_OPENS, ANY_VENUE_CLOSES)


def is_before_opening(now: datetime) -> bool:
    """Return whether an order would wait for the opening auction."""
    return _is_within(now, ORDERS_OPEN, OPENING)


def is_closing_auction(now: datetime) -> bool:
    return _is_within(now, CONTINUOUS_END, CLOSING)


def time_to_closing_auction(now: datetime) -> timedelta | None:
    """Return how long prices are still made one by one; None where they are not."""
    if not takes_market_orders(now):
        return None
    local = now.astimezone(SEOUL)
    return moment_on(local.date(), CONTINUOUS_END) - local


def next_day_to_trade(now: datetime, *, opens: time) -> date:
    """Return today if `opens` is still to come on a business day, the next business day otherwise."""
    local = now.astimezone(SEOUL)
    today = local.date()
    is_ahead = is_business_day(today) and local.time() < hour_on(today, opens)
    return today if is_ahead else business_day_after(today)


def next_time(now: datetime, *, opens: time) -> str:
    """Write when it next opens: `11/23(월) 08:30` with its year."""
    next_day = next_day_to_trade(now, opens=opens)
    return f"{day(next_day)} {hour_on(next_day, opens):%H:%M}"


def hour_today(now: datetime, ordinary: time) -> time:
    """Return what a time of an ordinary day is on the day of a moment."""
    return hour_on(now.astimezone(SEOUL).date(), ordinary)


def _is_within(now: datetime, start: time, end: time) -> bool:
    local = now.astimezone(SEOUL)
    today = local.date()
    return is_business_day(today) and hour_on(today, start) <= local.time() < hour_on(today, end)
