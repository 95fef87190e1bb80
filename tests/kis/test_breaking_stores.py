"""Claims on the token that once stopped everybody."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from kis.client.auth import Token
from kis.client.errors import KisUnreachable
from kis.models import AccessToken
from kis.stores import ISSUING_LEASE, DatabaseTokenStore

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
KEY = "f" * 64


def answer():
    return Token("eyJ-a-token", NOON + timedelta(hours=24))


def refuse():
    raise AssertionError("the broker must not be asked")


@pytest.mark.django_db
def test_claim_of_a_clock_that_was_set_back_stops_nobody():
    """Whoever died with it would have kept the token from everybody until the clock had caught up."""
    AccessToken.objects.create(key_id=KEY, issuing_until=NOON + timedelta(hours=2))
    assert DatabaseTokenStore(now=lambda: NOON, sleep=lambda _: None).renew(KEY, seen=0, ask=answer)


@pytest.mark.django_db
def test_claim_of_a_clock_a_little_ahead_is_respected():
    AccessToken.objects.create(key_id=KEY, issuing_until=NOON + ISSUING_LEASE + timedelta(seconds=50))
    with pytest.raises(KisUnreachable, match="다른 프로세스"):
        DatabaseTokenStore(now=lambda: NOON, sleep=lambda _: None).renew(KEY, seen=0, ask=answer)


@pytest.mark.django_db
def test_waiting_ends_even_while_the_clock_runs_back():
    AccessToken.objects.create(key_id=KEY, issuing_until=NOON + timedelta(seconds=1))
    moments = iter(NOON - timedelta(milliseconds=count) for count in range(100_000))
    store = DatabaseTokenStore(now=lambda: next(moments), sleep=lambda _: None)
    with pytest.raises(KisUnreachable, match="다른 프로세스"):
        store.renew(KEY, seen=0, ask=answer)


@pytest.mark.django_db(transaction=True)
def test_no_token_is_asked_for_inside_a_transaction():
    """Rolled back, the token would be lost, and the broker gives the next one a minute later."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        DatabaseTokenStore().renew(KEY, seen=0, ask=refuse)
