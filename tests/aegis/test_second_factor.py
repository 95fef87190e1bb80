"""The second factor: set up with an app, owed at sign-in, counted, never taken twice, and lost only at the terminal."""

import logging
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP

from kis import second_factor
from kis.encryption import encrypt
from kis.models import RecoveryCode, SecondFactor
from tests.factories import AT
from tests.trading.pages import text_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
CODE_PAGE, AGAIN_PAGE, SET_UP = "/login/code/", "/login/again/", "/second-factor/"


class Clock:
    """The time of the site and of the app."""

    def __init__(self):
        self.now = AT

    def __call__(self):
        return self.now

    def go(self, **how):
        self.now += timedelta(**how)


@pytest.fixture(autouse=True)
def clock(monkeypatch, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def user():
    return get_user_model().objects.create_superuser("owner", password=PASSWORD)


def signed_in(user, **headers):
    browser = Client(headers=headers)
    browser.post("/login/", {"username": user.username, "password": PASSWORD})
    return browser


class App:
    """An app on a telephone that was shown a secret."""

    def __init__(self, clock, secret):
        self.clock = clock
        self.secret = secret

    def code(self, *, off=0):
        from base64 import b32decode  # noqa: PLC0415  # only here

        totp = TOTP(b32decode(self.secret), drift=off)
        totp.time = self.clock.now.timestamp()
        return f"{totp.token():06}"


def secret_on(page):
    """Return the secret that a page shows for typing."""
    [secret] = re.findall(r'class="secret"[^>]*>([^<]+)<', page.content.decode())
    return "".join(secret.split())


@pytest.fixture
def enrolled(user, clock):
    """Return who has set up a factor: the browser it was done with, the app, and the recovery codes."""
    browser = signed_in(user)
    browser.post(f"{SET_UP}start/")
    secret = secret_on(browser.get(SET_UP))
    app = App(clock, secret)
    answer = browser.post(f"{SET_UP}finish/", {"code": app.code()})
    codes = re.findall(r"<li>([A-Z2-7-]{19})</li>", answer.content.decode())
    clock.go(seconds=60)
    return browser, app, codes


def is_whole(browser):
    """Return whether a browser may do what its user may."""
    return browser.get("/").status_code == 200


# --- setting it up ---------------------------------------------------------------------------------------------------


def test_factor_counts_only_once_its_app_has_shown_a_right_code(user, clock):
    browser = signed_in(user)
    assert "등록 시작" in text_of(browser.get(SET_UP))
    browser.post(f"{SET_UP}start/")
    page = browser.get(SET_UP)
    assert 'src="data:image/svg+xml' in page.content.decode()
    assert "data:" in page["Content-Security-Policy"]
    wrong = browser.post(f"{SET_UP}finish/", {"code": "000000"})
    assert "코드가 맞지 않습니다" in text_of(wrong)
    assert second_factor.factor_of(user) is None
    assert is_whole(signed_in(user))
    assert "초 뒤에 다시" in text_of(browser.post(f"{SET_UP}finish/", {"code": "000000"}))


def test_recovery_codes_are_shown_once(enrolled, user):
    browser, _, codes = enrolled
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    page = text_of(browser.get(SET_UP))
    assert "복구 코드는 10개 남았습니다" in page
    assert not [code for code in codes if code in page]
    assert (
        browser.post(f"{SET_UP}finish/", {"code": "1"})["Location"] == SET_UP
    )  # nothing is being set up any more


def test_secret_and_codes_are_in_no_table_and_no_log(enrolled, user, clock, caplog):
    caplog.set_level(logging.DEBUG)
    _, app, codes = enrolled
    browser = signed_in(user)
    browser.post(CODE_PAGE, {"code": app.code()})
    second_factor.start(user)
    with connection.cursor() as cursor:
        for table in ("kis_second_factor", "kis_recovery_code", "django_session"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  # names of our own
            rows = str(cursor.fetchall())
            assert app.secret not in rows
            assert not [code for code in codes if code in rows or code.replace("-", "") in rows]
    assert app.secret not in caplog.text


def test_new_recovery_codes_take_the_place_of_the_old_ones(enrolled, user):
    browser, _, old = enrolled
    answer = browser.post(f"{SET_UP}codes/")
    new = re.findall(r"<li>([A-Z2-7-]{19})</li>", answer.content.decode())
    assert not set(new) & set(old)
    other = signed_in(user)
    assert other.post(CODE_PAGE, {"recovery": old[0]}).status_code == 422
    assert RecoveryCode.objects.count() == len(new)


def test_another_app_takes_the_place_of_the_first_and_ends_what_it_has_opened(enrolled, user, clock):
    browser, app, _ = enrolled
    other = signed_in(user)
    other.post(CODE_PAGE, {"code": app.code()})
    browser.post(f"{SET_UP}start/")
    secret = secret_on(browser.get(SET_UP))
    assert secret != app.secret
    clock.go(seconds=60)
    assert (
        browser.post(f"{SET_UP}finish/", {"code": app.code()}).status_code == 422
    )  # the old app counts no more here
    clock.go(seconds=60)
    browser.post(f"{SET_UP}finish/", {"code": App(clock, secret).code()})
    assert SecondFactor.objects.get().secret == secret
    assert other.get(SET_UP)["Location"].startswith(CODE_PAGE)
    assert other.get("/")["Location"] == f"{CODE_PAGE}?next=%2F"
    assert is_whole(browser)


def test_factor_is_not_set_up_with_a_stale_password_or_by_a_stranger(user, clock):
    browser = signed_in(user)
    clock.go(minutes=6)
    for path in ("start/", "finish/", "codes/"):
        assert browser.post(f"{SET_UP}{path}")["Location"].startswith(AGAIN_PAGE)
        assert Client().post(f"{SET_UP}{path}")["Location"].startswith("/login/?next=")
    assert not SecondFactor.objects.exists()


def test_codes_are_not_renewed_where_there_is_no_factor(user):
    assert signed_in(user).post(f"{SET_UP}codes/")["Location"] == SET_UP


# --- at sign-in ------------------------------------------------------------------------------------------------------


def test_password_alone_opens_nothing(enrolled, user):
    browser = signed_in(user)
    assert browser.get("/?account=x")["Location"] == "/login/code/?next=%2F%3Faccount%3Dx"
    assert browser.get("/admin/")["Location"].startswith(CODE_PAGE)
    assert browser.post("/sync/")["Location"] == CODE_PAGE
    assert browser.get("/", headers={"HX-Request": "true"}).status_code == 401
    answer = browser.get("/api/v1/accounts")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "second_factor_required")
    assert browser.get(SET_UP)["Location"].startswith(CODE_PAGE)
    assert browser.get("/healthz").status_code == 200
    assert browser.post("/logout/").status_code == 302


@pytest.mark.parametrize("wanted", [" somewhere\n", "dashboard", "a:b", "한글"])
def test_odd_place_to_go_on_to_is_an_address_and_nothing_else(user, wanted):
    answer = signed_in(user).get(CODE_PAGE, {"next": wanted})
    assert (answer.status_code, "\n" in answer["Location"]) == (302, False)


def test_sessions_of_before_owe_the_factor_from_their_next_request_on(user, clock):
    before, browser = signed_in(user), signed_in(user)
    assert is_whole(before)
    browser.post(f"{SET_UP}start/")
    app = App(clock, secret_on(browser.get(SET_UP)))
    assert is_whole(before)  # nothing counts yet
    browser.post(f"{SET_UP}finish/", {"code": app.code()})
    assert is_whole(browser)
    assert before.get("/admin/")["Location"] == "/login/code/?next=%2Fadmin%2F"
    assert before.get("/", headers={"HX-Request": "true"}).status_code == 401
    assert before.get("/api/v1/accounts").json()["error"]["code"] == "second_factor_required"
    assert before.post("/sync/")["Location"] == CODE_PAGE
    clock.go(seconds=60)
    assert before.post(CODE_PAGE, {"code": app.code()}).status_code == 302
    assert is_whole(before)


def test_right_code_finishes_the_sign_in_under_a_new_session_key(enrolled, user):
    _, app, _ = enrolled
    browser = signed_in(user)
    before = browser.cookies["sessionid"].value
    answer = browser.post(CODE_PAGE, {"code": app.code(), "next": "/orders/"})
    assert answer["Location"] == "/orders/"
    assert browser.cookies["sessionid"].value != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert thief.get("/")["Location"].startswith("/login/?next=")
    assert is_whole(browser)
    assert browser.get(CODE_PAGE)["Location"] == "/"


def test_code_is_taken_once(enrolled, user):
    _, app, _ = enrolled
    code = app.code()
    assert signed_in(user).post(CODE_PAGE, {"code": code}).status_code == 302
    again = signed_in(user)
    assert "한 번 쓴 코드는 다시 쓸 수 없습니다" in text_of(again.post(CODE_PAGE, {"code": code}))
    assert not is_whole(again)


@pytest.mark.parametrize(("off", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clock_of_a_telephone_may_be_off_by_half_a_minute(enrolled, user, off, is_right):
    _, app, _ = enrolled
    answer = signed_in(user).post(CODE_PAGE, {"code": app.code(off=off)})
    assert (answer.status_code == 302) is is_right


def test_whatever_is_no_code_is_wrong(enrolled, user):
    browser = signed_in(user)
    for typed in ("", "abc", "12345", "1234567", "０１２３４５", "\0", "A" * 10_000, "A" * 16):
        assert browser.post(CODE_PAGE, {"code": typed}).status_code == 422
        assert SecondFactor.objects.get().throttling_failure_count == 1
        SecondFactor.objects.update(throttling_failure_count=0)


def test_each_wrong_code_makes_the_next_wait_twice_as_long(enrolled, user, clock):
    _, app, _ = enrolled
    browser = signed_in(user)
    for failures in range(1, 6):
        assert browser.post(CODE_PAGE, {"code": "000000"}).status_code == 422
        assert SecondFactor.objects.get().throttling_failure_count == failures
        answer = text_of(browser.post(CODE_PAGE, {"code": app.code()}))
        assert f"{2 ** (failures - 1)}초 뒤에 다시" in answer
        assert "비교하지 않았습니다" in answer
        clock.go(seconds=2 ** (failures - 1))
    assert browser.post(CODE_PAGE, {"code": app.code()}).status_code == 302
    assert SecondFactor.objects.get().throttling_failure_count == 0


def test_code_that_comes_while_it_has_to_wait_is_not_compared(enrolled, user):
    factor = SecondFactor.objects.get()
    _, app, _ = enrolled
    assert not factor.verify_token("000000")
    assert not factor.verify_token(app.code())


def test_recovery_code_opens_once_and_says_how_many_are_left(enrolled, user):
    _, _, codes = enrolled
    browser = signed_in(user)
    typed = f" {codes[0].lower()} "
    answer = browser.post(CODE_PAGE, {"recovery": typed, "next": SET_UP}, follow=True)
    assert "9개 남았습니다" in text_of(answer)
    assert signed_in(user).post(CODE_PAGE, {"recovery": codes[0]}).status_code == 422


def test_nobody_is_sent_to_another_site(enrolled, user, clock):
    _, app, _ = enrolled
    for wanted in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", ""):
        browser = signed_in(user)
        assert 'value="/"' in browser.get(CODE_PAGE, {"next": wanted}).content.decode()
        assert browser.post(CODE_PAGE, {"code": app.code(), "next": wanted})["Location"] == "/"
        assert browser.post(AGAIN_PAGE, {"password": PASSWORD, "next": wanted})["Location"] == "/"
        clock.go(seconds=30)


def test_secret_of_a_lost_key_is_said_to_be_so(enrolled, user, settings):
    _, app, _ = enrolled
    browser = signed_in(user)
    started = second_factor.start(user)
    settings.SECRET_KEY = "another"
    browser = signed_in(user)
    assert "저장된 비밀 값을 풀 수 없습니다" in text_of(browser.post(CODE_PAGE, {"code": app.code()}))
    SecondFactor.objects.filter(confirmed=True).delete()
    browser = signed_in(user)
    assert "등록 시작" in text_of(browser.get(SET_UP))
    assert "새로 만들었습니다" in text_of(browser.post(f"{SET_UP}finish/", {"code": "123456"}))
    assert SecondFactor.objects.get().pk == started.pk
    SecondFactor.objects.update(secret_encrypted=encrypt("no base 32!"))
    assert "맞지 않습니다" in text_of(browser.post(f"{SET_UP}finish/", {"code": "123456"}))


# --- the password once more ------------------------------------------------------------------------------------------


def test_password_is_fresh_for_five_minutes(user, clock):
    browser = signed_in(user)
    clock.go(minutes=5)
    assert browser.get(SET_UP).status_code == 200
    clock.go(seconds=1)
    assert browser.get(SET_UP)["Location"] == f"{AGAIN_PAGE}?next=%2Fsecond-factor%2F"
    before = browser.cookies["sessionid"].value
    wrong = browser.post(AGAIN_PAGE, {"password": "wrong", "next": SET_UP})
    assert "비밀번호가 맞지 않습니다" in text_of(wrong)
    assert browser.post(AGAIN_PAGE, {"password": PASSWORD, "next": SET_UP})["Location"] == SET_UP
    assert browser.cookies["sessionid"].value != before
    assert browser.get(SET_UP).status_code == 200


def test_clock_that_was_set_back_makes_no_password_fresh(user, clock):
    browser = signed_in(user)
    clock.go(minutes=-1)
    assert browser.get(SET_UP)["Location"].startswith(AGAIN_PAGE)
    session = browser.session
    del session[second_factor.PASSWORD_AT]
    session.save()
    assert browser.get(SET_UP)["Location"].startswith(AGAIN_PAGE)


def test_guesses_are_counted_like_those_at_the_sign_in(user):
    browser = signed_in(user)
    answers = [browser.post(AGAIN_PAGE, {"password": f"wrong {number}"}).status_code for number in range(6)]
    assert answers[:4] == [422] * 4
    assert answers[4:] == [429, 429]
    assert browser.post(AGAIN_PAGE, {"password": PASSWORD}).status_code == 429
    assert browser.get("/").status_code == 200  # who is in stays in


def test_right_password_forgets_the_wrong_ones(user):
    browser = signed_in(user)
    for _ in range(3):
        for number in range(3):
            browser.post(AGAIN_PAGE, {"password": f"wrong {number}"})
        assert browser.post(AGAIN_PAGE, {"password": PASSWORD}).status_code == 302


# --- lost ------------------------------------------------------------------------------------------------------------


def remove(name):
    out = StringIO()
    call_command("remove_second_factor", name, stdout=out)
    return out.getvalue()


def test_lost_factor_is_taken_away_at_the_terminal(enrolled, user):
    browser, _, _ = enrolled
    halfway = signed_in(user)
    assert "owner의 두 번째 인증을 지웠습니다" in remove("owner")
    assert not RecoveryCode.objects.exists()
    assert halfway.get(CODE_PAGE)["Location"] == "/"
    assert is_whole(halfway)
    assert DEVICE_ID_SESSION_KEY in browser.session
    browser.get("/orders/")
    assert "등록 시작" in text_of(browser.get(SET_UP))
    with pytest.raises(CommandError, match="두 번째 인증이 없습니다"):
        remove("owner")
    with pytest.raises(CommandError, match="사용자 'nobody'"):
        remove("nobody")


def test_admin_shows_who_has_one_and_takes_none_away(enrolled, user):
    browser, app, _ = enrolled
    page = browser.get("/admin/kis/secondfactor/")
    assert "owner" in text_of(page)
    row = SecondFactor.objects.get()
    detail = browser.get(f"/admin/kis/secondfactor/{row.pk}/change/").content.decode()
    assert app.secret not in detail
    assert row.secret_encrypted not in detail
    assert browser.post(f"/admin/kis/secondfactor/{row.pk}/delete/").status_code == 403


def test_factor_of_somebody_else_does_not_open(enrolled, user):
    other = get_user_model().objects.create_superuser("other", password=PASSWORD)
    browser = signed_in(other)
    session = browser.session
    session[DEVICE_ID_SESSION_KEY] = SecondFactor.objects.get().persistent_id
    session.save()
    assert browser.get("/orders/new/").status_code == 403
    request = browser.get("/orders/").wsgi_request
    assert not second_factor.is_verified(request)


def test_secret_is_encrypted_anew_with_everything_else(enrolled, user, settings):
    _, app, _ = enrolled
    old = SecondFactor.objects.get().secret_encrypted
    settings.AEGIS_ENCRYPTION_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    out = StringIO()
    call_command("rotate_encryption", stdout=out)
    assert "두 번째 인증 1개" in out.getvalue()
    settings.SECRET_KEY = "another"
    row = SecondFactor.objects.get()
    assert (row.secret, row.secret_encrypted != old) == (app.secret, True)
    settings.AEGIS_ENCRYPTION_KEY = ""
    with pytest.raises(CommandError, match="풀 수 없는 두 번째 인증이 있습니다: owner"):
        call_command("rotate_encryption", stdout=out)
