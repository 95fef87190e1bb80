"""Tokens in the database: encrypted, and asked for by one process at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from kis.client.auth import Token
from kis.client.errors import KisMisconfigured, KisUnreachable, TokenTooSoon
from kis.models import AccessToken
from kis.stores import DatabaseTokenStore

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
KEY = "f" * 64


class Clock:
    def __init__(self):
        self.now = NOON

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return DatabaseTokenStore(now=lambda: clock.now, sleep=clock.sleep)


def answer(value="eyJ-a-token"):
    return Token(value, NOON + timedelta(hours=24))


def refuse():
    raise AssertionError("the broker must not be asked")


def test_token_survives_in_the_database_but_not_readable(store):
    token = store.renew(KEY, seen=0, ask=answer)
    assert (token.value, token.generation) == ("eyJ-a-token", 1)
    assert store.current(KEY) == token
    assert "eyJ-a-token" not in AccessToken.objects.get().token_encrypted


def test_second_asker_gets_the_first_ones_token(store):
    first = store.renew(KEY, seen=0, ask=answer)
    assert store.renew(KEY, seen=0, ask=refuse) == first


def test_refused_token_is_replaced_once_per_generation(store):
    store.renew(KEY, seen=0, ask=answer)
    second = store.renew(KEY, seen=1, ask=lambda: answer("eyJ-b"))
    assert (second.value, second.generation) == ("eyJ-b", 2)
    assert store.renew(KEY, seen=1, ask=refuse) == second


def test_asker_waits_for_the_one_who_is_asking(store, clock):
    AccessToken.objects.create(key_id=KEY, issuing_until=NOON + timedelta(seconds=30))
    with pytest.raises(KisUnreachable, match="다른 프로세스"):
        # Its lease never ends here, because whoever holds it keeps renewing it.
        DatabaseTokenStore(
            now=lambda: clock.now,
            sleep=lambda seconds: extend(clock, seconds),
        ).renew(KEY, seen=0, ask=refuse)


def extend(clock, seconds):
    clock.sleep(seconds)
    AccessToken.objects.update(issuing_until=clock.now + timedelta(seconds=30))


def test_claim_of_a_dead_asker_ends(store):
    AccessToken.objects.create(key_id=KEY, issuing_until=NOON - timedelta(seconds=1))
    assert store.renew(KEY, seen=0, ask=answer).generation == 1


def test_failed_asking_frees_the_claim(store):
    def too_soon():
        raise TokenTooSoon(rt_cd="", msg_cd="EGW00133", message="1분당 1회", tr_id="tokenP", status=403)

    with pytest.raises(TokenTooSoon):
        store.renew(KEY, seen=0, ask=too_soon)
    assert store.renew(KEY, seen=0, ask=answer).generation == 1


def test_token_of_another_key_is_asked_for_anew(store, settings):
    settings.AEGIS_ENCRYPTION_KEY = Fernet.generate_key().decode()
    store.renew(KEY, seen=0, ask=answer)
    settings.AEGIS_ENCRYPTION_KEY = Fernet.generate_key().decode()
    assert store.current(KEY) is None
    assert store.renew(KEY, seen=0, ask=lambda: answer("eyJ-c")).value == "eyJ-c"


def test_useless_encryption_key_is_named(store, settings):
    settings.AEGIS_ENCRYPTION_KEY = "too short"
    with pytest.raises(KisMisconfigured, match="AEGIS_ENCRYPTION_KEY"):
        store.renew(KEY, seen=0, ask=refuse)  # before a token is given out for nothing
