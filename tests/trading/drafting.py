"""An order that passes every gate; a test changes the one thing it is about."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from kis.client.records.orders import Side
from kis.korean import SEOUL
from trading.drafts import Draft
from trading.limits import Facts, Rules

#: A Friday, and a business day.
FRIDAY = datetime(2026, 11, 20, 10, 2, 11, tzinfo=SEOUL)

RULES = Rules(
    order_max_amount=5_000_000,
    day_max_amount=20_000_000,
    collar_percent=Decimal(5),
    price_max_age=timedelta(seconds=30),
    clock_skew_max=timedelta(seconds=5),
    least_disk_bytes=100_000_000,
)


def at(clock, *, day=FRIDAY):
    """Return a time of that Friday in Seoul: `at("15:19:30")`."""
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    return day.replace(hour=hour, minute=minute, second=second)


def draft(**change):
    return replace(Draft(Side.BUY, "005930", "삼성전자", 10, 71_000), **change)


def facts(**change):
    """Return facts about 삼성전자 at 71,500 won; the price is one second old unless said otherwise."""
    now = change.get("now", FRIDAY)
    known = Facts(
        now=now,
        mode="real",
        is_halted_by_switch=False,
        real_enabled=True,
        may_trade=True,
        has_unsettled_order=False,
        token_fresh=True,
        clock_skew=timedelta(0),
        last_price=71_500,
        price_at=now - timedelta(seconds=1),
        base_price=71_000,
        upper_limit=92_300,
        lower_limit=49_700,
        kind="stock",
        is_halted=False,
        cash=4_210_330,
        sellable=520,
        amount_today=0,
        free_disk_bytes=1_000_000_000,
    )
    return replace(known, **change)
