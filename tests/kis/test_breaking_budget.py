"""Turns of the rate budget that once were given out twice."""

from itertools import pairwise

import pytest

from kis.rate_budget import DatabaseBudget

pytestmark = pytest.mark.django_db


def test_orders_that_come_together_leave_one_after_the_other():
    """From the fourth on they all got the same turn, which the broker refuses (EGW00201)."""
    # The clock of the database goes on between two of them, so the gaps are a little short.
    turns = [DatabaseBudget("c" * 64, 1.05).ask(waited=0, order=True).seconds for _ in range(8)]

    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert min(gaps) > 0.9
