"""The history of the simulator's sample accounts, traded once for all tests that begin at the same moment."""

import pickle
from contextlib import contextmanager
from datetime import timedelta

import pytest

from kis.calendar import hours_of, is_business_day, is_settlement_day
from kis.simulator.seed import fill_sample_accounts

#: What an exchange does not have from the history of its accounts.
ITS_OWN = {"market", "lock", "on_notice"}


#: Before the moment and after it: the oldest share was bought a year ago, and trades settle later.
WINDOW = range(-400, 15)


def days_around(day):
    """Return what the calendar says of them now; books that a test has read may have taught it better."""
    days = [day + timedelta(days=number) for number in WINDOW]
    return tuple((is_business_day(each), is_settlement_day(each), hours_of(each)) for each in days)


@contextmanager
def traded_once():
    """Hand later simulators a copy of what trading left in the first: 1 ms in place of 16."""
    kept: dict[tuple[object, ...], bytes] = {}

    def fill(exchange, now):
        if exchange.market.name != "generated":
            fill_sample_accounts(exchange, now)
            return
        numbers = [account.number for account in exchange.accounts.values()]
        case = (exchange.market.seed, now.isoformat(), tuple(numbers), days_around(now.date()))
        if case not in kept:
            fill_sample_accounts(exchange, now)
            history = {name: value for name, value in vars(exchange).items() if name not in ITS_OWN}
            kept[case] = pickle.dumps(history)
            return
        vars(exchange).update(pickle.loads(kept[case]))  # noqa: S301  # written above

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("kis.simulator.server.fill_sample_accounts", fill)
        yield
