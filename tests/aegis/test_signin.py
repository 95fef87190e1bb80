"""Who guesses is shut out after five tries, however many come at once; the owner elsewhere is not."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import Client
from django.urls import reverse

from aegis.signin import UNKNOWN_ADDRESS, client_address
from tests.kis.many import run_python

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
HOME, AWAY = "198.51.100.9", "203.0.113.7"
IN, WRONG, SHUT = 302, 200, 429


@pytest.fixture
def owner(settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # the slow one is not the subject
    return get_user_model().objects.create_superuser("owner", password=PASSWORD)


@pytest.fixture
def sign_in():
    def post(password, *, name="owner", address=AWAY, **headers):
        typed = {"username": name, "password": password}
        return Client().post(reverse("login"), typed, REMOTE_ADDR=address, headers=headers)

    return post


def statuses(sign_in, count, **how):
    return [sign_in(f"wrong {number}", **how).status_code for number in range(count)]


def later(minutes):
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=minutes))


@pytest.mark.django_db(transaction=True)
def test_of_a_thousand_at_once_five_are_compared(simulator_side, tmp_path):
    script = Path(__file__).with_name("knocking.py")
    told = json.loads(run_python([script, "1000", "40"], simulator_side, tmp_path, "real"))
    assert told["compared"] <= 5
    assert sum(told["answers"].values()) == 1000
    assert told["answers"].keys() <= {str(WRONG), str(SHUT)}
    # The last of the five answers that it was the last, like all that come after it.
    assert told["answers"][str(SHUT)] >= 995
    assert (told["right_password_there"], told["compared_there"]) == (SHUT, 0)
    assert told["owner_elsewhere"] == IN


@pytest.fixture
def simulator_side():
    """Return what stands where a simulator would: nobody asks the broker anything here."""

    class Side:
        app_key, app_secret, account, url = "k" * 36, "s" * 180, "12345678-01", "http://127.0.0.1:1"

    class Nobody:
        real = Side()

    return Nobody()


def test_five_wrong_passwords_shut_the_door_there_and_nowhere_else(owner, sign_in):
    assert statuses(sign_in, 6) == [WRONG] * 4 + [SHUT] * 2
    assert sign_in(PASSWORD).status_code == SHUT
    assert sign_in(PASSWORD, address=HOME).status_code == IN


def test_door_says_in_korean_when_it_opens_again(owner, sign_in):
    statuses(sign_in, 4)
    response = sign_in("wrong")
    assert response["Retry-After"] == str(15 * 60)
    text = response.content.decode()
    assert "15분 뒤에 다시 시도해 주세요" in text
    assert "owner" not in text
    later(10)
    assert "5분 뒤에" in sign_in("wrong").content.decode()


def test_door_opens_after_a_quarter_of_an_hour(owner, sign_in):
    statuses(sign_in, 5)
    later(14)
    assert sign_in(PASSWORD).status_code == SHUT
    later(2)
    assert sign_in(PASSWORD).status_code == IN


def test_knocking_at_a_shut_door_does_not_keep_it_shut(owner, sign_in):
    statuses(sign_in, 5)
    later(14)
    statuses(sign_in, 3)
    later(2)
    assert sign_in(PASSWORD).status_code == IN


def test_tries_of_long_ago_do_not_count(owner, sign_in):
    statuses(sign_in, 4)
    later(16)
    assert statuses(sign_in, 4) == [WRONG] * 4
    assert sign_in(PASSWORD).status_code == IN


def test_signing_in_forgets_the_tries(owner, sign_in):
    for _ in range(3):
        assert statuses(sign_in, 4) == [WRONG] * 4
        assert sign_in(PASSWORD).status_code == IN


def test_another_browser_is_not_another_visitor(owner, sign_in):
    said = [sign_in("wrong", **{"user-agent": f"browser {number}"}).status_code for number in range(6)]
    assert said == [WRONG] * 4 + [SHUT] * 2


def test_address_that_tries_many_names_is_shut_for_an_hour(owner, sign_in):
    said = [sign_in("wrong", name=f"name{number // 4}").status_code for number in range(21)]
    assert said == [WRONG] * 19 + [SHUT] * 2
    later(16)
    assert sign_in(PASSWORD).status_code == SHUT
    later(45)
    assert sign_in(PASSWORD).status_code == IN


def test_guesser_with_an_account_of_his_own_cannot_wipe_the_slate(owner, sign_in):
    get_user_model().objects.create_superuser("guest", password=PASSWORD)
    statuses(sign_in, 4)
    assert sign_in(PASSWORD, name="guest").status_code == IN
    assert statuses(sign_in, 1) == [SHUT]


def test_what_was_typed_is_kept_nowhere(owner, sign_in):
    sign_in("almost my password")
    kept = str(list(AccessAttempt.objects.values()))
    assert "almost" not in kept
    assert "owner" in kept


@pytest.mark.parametrize(
    ("https", "direct", "forwarded", "meant"),
    [
        (False, "203.0.113.7", "", "203.0.113.7"),
        (False, "203.0.113.7", "198.51.100.9", "203.0.113.7"),  # anybody can write that header
        (True, "127.0.0.1", "198.51.100.9", "198.51.100.9"),
        # In front stands what the visitor wrote.
        (True, "127.0.0.1", "10.0.0.1, 198.51.100.9", "198.51.100.9"),
        (True, "127.0.0.1", "nonsense", UNKNOWN_ADDRESS),
        (True, "127.0.0.1", "", UNKNOWN_ADDRESS),
        (False, "", "", UNKNOWN_ADDRESS),
        (False, "::ffff:203.0.113.7", "", "203.0.113.7"),
        (False, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
    ],
)
def test_address_is_what_our_own_proxy_saw(rf, settings, *, https, direct, forwarded, meant):
    settings.AEGIS_HTTPS = https
    request = rf.get("/", REMOTE_ADDR=direct, headers={"x-forwarded-for": forwarded})
    assert client_address(request) == meant


def test_second_proxy_is_left_out_where_there_are_two(rf, settings):
    settings.AEGIS_HTTPS, settings.AEGIS_PROXY_COUNT = True, 2
    request = rf.get("/", headers={"x-forwarded-for": "10.0.0.1, 198.51.100.9, 192.0.2.1"})
    assert client_address(request) == "198.51.100.9"
