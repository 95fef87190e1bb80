"""Tokens of the API: shown once, kept as a hash, good for what their user may do and until their end."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from kis.client.codes import AccountNumber
from kis.grants import grant
from kis.models import ApiToken
from kis.tokens import create_token
from tests.factories import Stock, snapshot
from tests.kis.api_rows import error_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/holdings"
TOKEN = re.compile(r"aegis_[0-9a-f]{64}")


@pytest.fixture(autouse=True)
def fresh_count():
    cache.clear()


@pytest.fixture
def user():
    return get_user_model().objects.create_superuser("owner")


@pytest.fixture
def ask(client):
    def get(text, address=ADDRESS):
        return client.get(address, headers={"authorization": text})

    return get


def token_of(user, **how):
    return create_token(user, **{"name": "스크립트", "scope": "read", **how})


def made_at_terminal(*arguments):
    out = StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue()


def test_token_opens_what_its_user_may_see(user, ask):
    snapshot([Stock()])
    _, text = token_of(user)
    assert len(ask(f"Bearer {text}").json()["results"]) == 1
    assert ask(f"bearer {text}").status_code == 200
    viewer = get_user_model().objects.create_user("viewer")
    grant(viewer, AccountNumber("87654321", "01"), is_paper=False, role="viewer")
    _, others = token_of(viewer)
    assert ask(f"Bearer {others}").json()["results"] == []


def test_token_is_kept_as_a_hash_alone(user):
    row, text = token_of(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM kis_api_token")
        stored = str(cursor.fetchall())
    assert text not in stored
    assert text.removeprefix("aegis_")[9:] not in stored
    assert row.digest in stored


@pytest.mark.parametrize(
    "text",
    [
        *("Bearer", "Bearer a b", "Bearer x", "Bearer aegis_" + "0" * 64, "Bearer aegis_" + "0" * 63),
        *("Bearer \xff\xfe", "Bearer \x00", "Bearer " + "a" * 8_000, "Bearer 토큰"),
    ],
)
def test_what_is_no_token_of_ours_is_refused(user, ask, text):
    token_of(user)
    response = ask(text.encode().decode("latin-1"))
    assert error_of(response, 401)["code"] == "bad_token"
    assert response["WWW-Authenticate"] == "Bearer"


def test_token_ends(user, ask):
    row, text = token_of(user, days=1)
    assert ask(f"Bearer {text}").status_code == 200
    ApiToken.objects.filter(pk=row.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert error_of(ask(f"Bearer {text}"), 401)["code"] == "bad_token"


def test_token_of_somebody_who_was_shut_out_opens_nothing(user, ask):
    _, text = token_of(user)
    user.is_active = False
    user.save()
    assert error_of(ask(f"Bearer {text}"), 401)["code"] == "bad_token"


def test_token_is_not_taken_from_the_address(user, client):
    _, text = token_of(user)
    assert error_of(client.get(f"{ADDRESS}?token={text}"), 401)["code"] == "not_authenticated"


def test_use_is_noted_to_the_minute(user, ask):
    row, text = token_of(user)
    ask(f"Bearer {text}")
    row.refresh_from_db()
    first = row.used_at
    assert timezone.now() - first < timedelta(minutes=1)
    ask(f"Bearer {text}")
    row.refresh_from_db()
    assert row.used_at == first


def test_token_signs_in_to_the_api_alone(user, ask):
    _, text = token_of(user)
    for address in ("/", reverse("admin:index")):
        assert ask(f"Bearer {text}", address).status_code == 302


# --- at the terminal -------------------------------------------------------------------------------------------------


def test_terminal_shows_the_token_once(user, ask):
    shown = made_at_terminal("집 서버", "--scope", "trade", "--days", "30")
    [text] = TOKEN.findall(shown)
    row = ApiToken.objects.get()
    assert (row.user, row.name, row.scope) == (user, "집 서버", "trade")
    assert timedelta(days=29) < row.expiry - timezone.now() <= timedelta(days=30)
    assert ask(f"Bearer {text}").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("x", "--days", "0"), "1에서 365 사이"),
        (("x", "--days", "366"), "1에서 365 사이"),
        (("x", "--user", "nobody"), "사용자 'nobody'"),
        (("",), "1자에서 40자"),
        (("x" * 41,), "1자에서 40자"),
        (("a\nb",), "1자에서 40자"),
    ],
)
def test_terminal_says_what_is_wrong(user, arguments, says):
    with pytest.raises(CommandError, match=says):
        made_at_terminal(*arguments)


def test_terminal_asks_which_user_is_meant(user):
    get_user_model().objects.create_superuser("second")
    with pytest.raises(CommandError, match="--user"):
        made_at_terminal("x")
    get_user_model().objects.all().delete()
    with pytest.raises(CommandError, match="create_owner"):
        made_at_terminal("x")


# --- in the admin ----------------------------------------------------------------------------------------------------


@pytest.mark.shows("answer")
def test_admin_shows_a_new_token_once_and_it_reads(user, client, ask):
    client.force_login(user)
    response = client.post(reverse("admin:kis_apitoken_add"), {"name": "노트북", "days": "7"})
    text = response.content.decode()
    [token] = TOKEN.findall(text)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    row = ApiToken.objects.get()
    assert (row.user, row.scope, row.name) == (user, "read", "노트북")
    again = client.get(reverse("admin:kis_apitoken_changelist")).content.decode()
    assert "노트북" in again
    assert token not in again
    assert row.digest[:20] not in re.sub(r'value="[^"]*"|href="[^"]*"', "", again)
    client.logout()
    assert ask(f"Bearer {token}").status_code == 200


@pytest.mark.shows("answer")
def test_admin_makes_none_that_orders(user, client):
    client.force_login(user)
    client.post(reverse("admin:kis_apitoken_add"), {"name": "노트북", "days": "7", "scope": "trade"})
    assert ApiToken.objects.get().scope == "read"


def test_everybody_ends_his_own_tokens_and_sees_no_others(user, client):
    viewer = get_user_model().objects.create_user("viewer")
    grant(viewer, AccountNumber("12345678", "01"), is_paper=False, role="viewer")
    mine, _ = token_of(viewer, name="내것")
    theirs, _ = token_of(user, name="남의것")
    client.force_login(viewer)
    listed = client.get(reverse("admin:kis_apitoken_changelist")).content.decode()
    assert "내것" in listed
    assert "남의것" not in listed
    client.post(reverse("admin:kis_apitoken_delete", args=[theirs.pk]), {"post": "yes"})
    client.post(reverse("admin:kis_apitoken_delete", args=[mine.pk]), {"post": "yes"})
    assert [row.pk for row in ApiToken.objects.all()] == [theirs.pk]
