"""Turns of the rate budget that once were given out twice, or never to one who waited."""

import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db.models.functions import Now

from kis.models import RateBudget
from kis.rate_budget import DatabaseBudget

pytestmark = pytest.mark.django_db


def test_orders_that_come_together_leave_one_after_the_other():
    """From the fourth on they all got the same turn, which the broker refuses (EGW00201)."""
    turns = []
    for _ in range(8):
        asked_at = time.monotonic()
        seconds = DatabaseBudget("c" * 64, 1.05).ask(waited=0, order=True).seconds
        turns.append((asked_at + seconds, time.monotonic() + seconds))

    # When the database looked at its clock is not known: a turn comes at the earliest and at the latest then.
    gaps = [latest - earliest for (earliest, _), (_, latest) in pairwise(turns)]
    assert min(gaps) > 1


def test_who_has_waited_longest_is_next_however_long_the_others_have_waited():
    """Once all had waited long enough chance decided, and of twenty readers one waited for three rounds."""
    crowded = DatabaseBudget("c" * 64, 60.0)
    crowded.ask(waited=0, order=False)
    RateBudget.objects.update(next_at=Now() + timedelta(seconds=45))

    assert not crowded.ask(waited=1_000, order=False).is_ours
    assert crowded.ask(waited=2_000, order=False).is_ours
