"""The trading password: Argon2, counted before it is compared, locked after too many."""

from datetime import timedelta

import pytest

from tests.trading.conftest import PASSWORD, TEN
from trading import password
from trading.errors import PasswordLocked, PasswordMissing, PasswordUnfit, WrongPassword
from trading.models import TradingPassword

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_a_hash_is_kept(with_password):
    row = TradingPassword.objects.get()
    assert row.password_hash.startswith("argon2$argon2id$")
    assert PASSWORD not in row.password_hash
    password.check(PASSWORD, at=TEN)


@pytest.mark.parametrize("weak", ["short", "12345678", "password", "aaaaaaa"])
def test_password_that_is_easy_to_guess_is_refused(weak):
    with pytest.raises(PasswordUnfit):
        password.set_password(weak, at=TEN)
    assert not password.is_set()


def test_without_one_nothing_is_let_through():
    with pytest.raises(PasswordMissing, match="set_trading_password"):
        password.check("", at=TEN)
    with pytest.raises(PasswordMissing):
        password.refuse_if_locked(at=TEN)


def test_wrong_ones_lock_it_for_a_while(with_password):
    for _ in range(password.MOST_FAILURES):
        with pytest.raises(WrongPassword):
            password.check("wrong", at=TEN)
    with pytest.raises(PasswordLocked, match="15분"):
        password.check(PASSWORD, at=TEN)
    with pytest.raises(PasswordLocked, match="1분"):
        password.refuse_if_locked(at=TEN + timedelta(minutes=14, seconds=30))
    later = TEN + password.LOCKED_FOR
    password.refuse_if_locked(at=later)
    password.check(PASSWORD, at=later)
    assert TradingPassword.objects.get().failures == 0


def test_right_one_gives_all_tries_back(with_password):
    for _ in range(3):
        for _ in range(password.MOST_FAILURES - 1):
            with pytest.raises(WrongPassword):
                password.check("wrong", at=TEN)
        password.check(PASSWORD, at=TEN)


def test_last_try_may_be_right(with_password):
    for _ in range(password.MOST_FAILURES - 1):
        assert not password.matches("wrong", at=TEN)
    assert password.matches(PASSWORD, at=TEN)
    assert password.matches(PASSWORD, at=TEN)


def test_new_password_lifts_the_lock(with_password):
    for _ in range(password.MOST_FAILURES):
        password.matches("wrong", at=TEN)
    password.set_password("another-8-lantern", at=TEN)
    password.check("another-8-lantern", at=TEN)
    with pytest.raises(WrongPassword):
        password.check(PASSWORD, at=TEN)
