"""The history of the simulator's sample accounts, traded once for all tests that begin at the same moment."""

import pickle
from contextlib import contextmanager

import pytest

from kis import calendar
from kis.simulator.seed import fill_sample_accounts

#: What an exchange does not have from the history of its accounts.
ITS_OWN = {"market", "lock", "on_notice"}


@contextmanager
def traded_once():
    """Hand later simulators a copy of what trading left in the first: 1 ms in place of 16."""
    kept: dict[tuple[object, ...], bytes] = {}

    def fill(exchange, now):
        if exchange.market.name != "generated" or calendar._known.days:  # noqa: SLF001  # other prices, other days
            fill_sample_accounts(exchange, now)
            return
        numbers = [account.number for account in exchange.accounts.values()]
        case = (exchange.market.seed, now.isoformat(), tuple(numbers), calendar.EXAM_DAYS)
        if case not in kept:
            fill_sample_accounts(exchange, now)
            history = {name: value for name, value in vars(exchange).items() if name not in ITS_OWN}
            kept[case] = pickle.dumps(history)
            return
        vars(exchange).update(pickle.loads(kept[case]))  # noqa: S301  # written above

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr("kis.simulator.server.fill_sample_accounts", fill)
        yield
