"""Retries, tokens, pages and deadlines of the session, against a transport that plays a script."""

from datetime import UTC, datetime, timedelta

import pytest

from kis.client.auth import MemoryTokenStore
from kis.client.codes import TR, AccountNumber
from kis.client.errors import (
    KisMisconfigured,
    KisRefused,
    KisReplyChanged,
    KisUnreachable,
    NotOffered,
    RateLimited,
    TokenExpired,
    TokenTooSoon,
)
from kis.client.protocol import RawReply
from kis.client.session import MAX_ATTEMPTS, MAX_PAGES, READ_DEADLINE_SECONDS
from tests.kis.scripted import (
    APP_KEY,
    APP_SECRET,
    FINE,
    LOST,
    NOON,
    environment,
    error,
    make_session,
    reply,
    stored_token,
    token_reply,
)


def test_read_carries_the_keys_the_tr_id_and_the_account():
    session, script, _ = make_session(FINE)
    session.read(TR.BUYING_POWER, {"CANO": "12345678"})
    request = script.sent[0]
    assert (request.method, request.url) == (
        "GET",
        "http://127.0.0.1:9443/uapi/domestic-stock/v1/trading/inquire-psbl-order",
    )
    assert request.headers["tr_id"] == "TTTC8908R"
    assert request.headers["authorization"] == "Bearer stored"
    assert request.params == {"CANO": "12345678"}


def test_nothing_secret_shows_in_a_repr():
    session, script, _ = make_session(FINE)
    session.read(TR.BUYING_POWER, {"CANO": "12345678"})
    shown = f"{script.sent[0]!r} {session.environment!r} {stored_token().token!r}"
    assert not any(secret in shown for secret in (APP_KEY, APP_SECRET, "stored", "12345678"))


@pytest.mark.parametrize(
    ("tr_set", "mode", "tr", "tr_id"),
    [
        ("current", "real", TR.DAILY_ORDERS, "TTTC0081R"),
        ("current", "paper", TR.DAILY_ORDERS, "VTTC0081R"),
        ("legacy", "real", TR.DAILY_ORDERS, "TTTC8001R"),
        ("legacy", "paper", TR.DAILY_ORDERS, "VTTC8001R"),
        ("current", "real", TR.UNFILLED, "TTTC0084R"),
        ("legacy", "real", TR.UNFILLED, "TTTC8036R"),
        ("legacy", "real", TR.BALANCE, "TTTC8434R"),
        ("current", "paper", TR.BALANCE, "VTTC8434R"),
        ("current", "paper", TR.DAILY_CHART, "FHKST03010100"),
    ],
)
def test_environment_picks_the_tr_id(tr_set, mode, tr, tr_id):
    assert environment(mode, tr_set=tr_set).tr_id(tr) == tr_id


def test_inquiry_that_paper_lacks_is_refused_before_the_network():
    session, script, _ = make_session(FINE, mode="paper")
    with pytest.raises(NotOffered, match="모의 미지원"):
        session.read(TR.UNFILLED, {})
    assert script.sent == []


def test_lost_answer_is_asked_again():
    session, script, _ = make_session(LOST, LOST, FINE)
    assert session.read(TR.BUYING_POWER, {}).body == FINE
    assert (len(script.sent), session.requests) == (3, 3)


def test_reading_gives_up_after_some_attempts_with_the_reason():
    session, script, _ = make_session(LOST)
    with pytest.raises(KisUnreachable, match="응답을 받지 못했습니다"):
        session.read(TR.BUYING_POWER, {})
    assert len(script.sent) == MAX_ATTEMPTS


def test_reading_never_outlives_its_deadline():
    session, _, clock = make_session(LOST, call_seconds=60)
    with pytest.raises(KisUnreachable):
        session.read(TR.BUYING_POWER, {})
    assert clock.seconds <= READ_DEADLINE_SECONDS


def test_rate_refusal_is_waited_out_and_counted():
    session, script, clock = make_session(error("EGW00201"), error("EGW00201"), FINE)
    session.read(TR.BUYING_POWER, {})
    assert (len(script.sent), session.rate_limited) == (3, 2)
    assert clock.seconds > 0.2


def test_endless_rate_refusal_says_so():
    session, _, _ = make_session(error("EGW00201"))
    with pytest.raises(RateLimited, match="EGW00201"):
        session.read(TR.BUYING_POWER, {})


def test_clear_refusal_is_not_repeated():
    session, script, _ = make_session(error("OPSQ2000", status=200, rt_cd="2"))
    with pytest.raises(KisRefused, match="OPSQ2000"):
        session.read(TR.BUYING_POWER, {})
    assert len(script.sent) == 1


@pytest.mark.parametrize("code", ["EGW00121", "EGW00123"])
def test_refused_token_is_renewed_once_and_the_read_goes_on(code):
    session, script, _ = make_session(error(code), token_reply("token-2"), FINE)
    session.read(TR.BUYING_POWER, {})
    assert [request.headers.get("authorization") for request in script.sent] == [
        "Bearer stored",
        None,
        "Bearer token-2",
    ]


def test_token_refused_again_is_an_error_not_a_loop():
    session, script, _ = make_session(error("EGW00123"), token_reply("token-2"), error("EGW00123"))
    with pytest.raises(TokenExpired):
        session.read(TR.BUYING_POWER, {})
    assert len(script.sent) == 3


def test_stored_token_is_used_without_asking():
    session, script, _ = make_session(FINE)
    session.read(TR.BUYING_POWER, {})
    session.read(TR.BUYING_POWER, {})
    assert all(request.method == "GET" for request in script.sent)


def test_token_about_to_expire_is_renewed_first():
    session, script, _ = make_session(
        token_reply("token-2"), FINE, tokens=stored_token(expires_at=NOON + timedelta(minutes=5))
    )
    session.read(TR.BUYING_POWER, {})
    assert script.sent[1].headers["authorization"] == "Bearer token-2"


def test_token_expiry_is_read_in_korean_time():
    tokens = MemoryTokenStore()
    session, _, _ = make_session(token_reply(expires="2026-11-21 12:00:00"), FINE, tokens=tokens)
    session.read(TR.BUYING_POWER, {})
    assert tokens.current(session.key_id).expires_at == datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (
            reply({"error_code": "EGW00133", "error_description": "잠시 후"}, status=403),
            TokenTooSoon,
            "EGW00133",
        ),
        (
            reply({"error_code": "EGW00103", "error_description": "유효하지 않은 AppKey"}, status=403),
            KisRefused,
            "AppKey",
        ),
        (reply({"access_token": "x"}), KisReplyChanged, "access_token_token_expired"),
        (reply({"access_token": "x", "access_token_token_expired": "내일"}), KisReplyChanged, "만료 시각"),
        (RawReply(status=200, headers={}, body=b"<html>"), KisUnreachable, "웹 페이지"),
    ],
)
def test_token_answer_that_is_no_token_says_what_it_is(answer, kind, text):
    session, _, _ = make_session(answer, tokens=MemoryTokenStore())
    with pytest.raises(kind, match=text) as caught:
        session.read(TR.BUYING_POWER, {})
    assert not any(secret in str(caught.value) for secret in (APP_KEY, APP_SECRET))


def page(nk, *, more):
    return reply(
        {"rt_cd": "0", "output1": [], "ctx_area_fk100": "A^".ljust(100), "ctx_area_nk100": nk.ljust(100)},
        tr_cont="M" if more else "D",
    )


def test_next_page_repeats_the_request_with_the_cursor():
    session, script, _ = make_session(page("50^", more=True), page("", more=False))
    assert len(list(session.pages(TR.BALANCE, {"CANO": "12345678"}))) == 2
    first, second = script.sent
    assert (first.headers["tr_cont"], second.headers["tr_cont"]) == ("", "N")
    assert first.params == {"CANO": "12345678", "CTX_AREA_FK100": "", "CTX_AREA_NK100": ""}
    assert second.params == {"CANO": "12345678", "CTX_AREA_FK100": "A^", "CTX_AREA_NK100": "50^"}


def test_cursor_that_comes_again_is_an_error_not_a_loop():
    session, _, _ = make_session(page("50^", more=True), page("90^", more=True), page("50^", more=True))
    with pytest.raises(KisReplyChanged, match="되풀이"):
        list(session.pages(TR.BALANCE, {}))


def test_last_page_may_say_f_with_a_blank_cursor():
    last = page("", more=False)
    session, script, _ = make_session(RawReply(200, {"tr_cont": "F"}, last.body))
    list(session.pages(TR.BALANCE, {}))
    assert len(script.sent) == 1


def test_page_that_says_more_without_a_cursor_has_lost_the_rest():
    session, _, _ = make_session(page("", more=True))
    with pytest.raises(KisReplyChanged, match="다음 쪽"):
        list(session.pages(TR.BALANCE, {}))


def test_inquiry_without_an_end_is_given_up():
    session, script, _ = make_session(*(page(f"{number}^", more=True) for number in range(MAX_PAGES + 1)))
    with pytest.raises(KisReplyChanged, match="끝나지 않습니다"):
        list(session.pages(TR.BALANCE, {}))
    assert len(script.sent) == MAX_PAGES


def test_turn_that_comes_after_the_deadline_is_not_taken():
    session, script, _ = make_session(FINE)
    session.budget.seconds = READ_DEADLINE_SECONDS + 1
    session.read(TR.BUYING_POWER, {})
    with pytest.raises(KisUnreachable):
        session.read(TR.BUYING_POWER, {})
    assert len(script.sent) == 1


def test_calls_keep_their_distance():
    session, _, clock = make_session(FINE, call_seconds=0.0)
    for _ in range(18):
        session.read(TR.BUYING_POWER, {})
    assert clock.seconds >= 17 * 0.0625


@pytest.mark.parametrize(
    "changes",
    [
        {"app_key": "short"},
        {"app_secret": "short"},
        {"base_url": "http://openapi.koreainvestment.com:9443"},
        {"base_url": "http://127.0.0.1:x@evil.example:80"},
        {"base_url": "https://user@openapi.koreainvestment.com:9443"},
        {"base_url": "nonsense"},
        {"base_url": "https://openapivts.koreainvestment.com:29443"},
        {"mode": "paper", "base_url": "https://openapi.koreainvestment.com:9443"},
    ],
)
def test_keys_and_host_that_do_not_belong_together_are_refused(changes):
    with pytest.raises(KisMisconfigured) as caught:
        environment(**changes)
    assert APP_KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["", "1234567801", "12345678-01", " 12345678-01 "])
def test_account_number_is_eight_and_two_digits(text):
    if not text:
        with pytest.raises(KisMisconfigured, match="12345678-01"):
            AccountNumber.parse(text)
    else:
        assert AccountNumber.parse(text) == AccountNumber("12345678", "01")


def test_what_paper_lacks_costs_neither_a_call_nor_a_token():
    session, script, _ = make_session(FINE, mode="paper", tokens=MemoryTokenStore())
    with pytest.raises(NotOffered):
        session.read(TR.SELLABLE, {})
    assert script.sent == []
