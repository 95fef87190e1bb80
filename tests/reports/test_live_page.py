"""The live page as people and scripts open it: who may, which account, what is new, and what is there before any data."""

import math
import re
from datetime import time, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kis.client.codes import AccountNumber
from kis.grants import grant
from kis.models import KisAccount, MarketDay, SyncRun
from reports.figures import dashboard_figures
from reports.pdf import render_html
from reports.queries import dashboard_rows
from tests.factories import AT, Stock, fill, order, snapshot, stocks, sync_run
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db

REAL = AccountNumber("12345678", "01")
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def owner_with_both_modes(settings, monkeypatch):
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01", paper="50012345-01")
    at(monkeypatch, AT + timedelta(seconds=12))


def at(monkeypatch, moment):
    monkeypatch.setattr("reports.live.market_now", lambda: moment)


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def user_of(*accounts, role="viewer", **columns):
    user = get_user_model().objects.create_user("reader", **columns)
    for account in accounts:
        grant(user, account, is_paper=False, role=role)
    return user


def usual(**changes):
    account = snapshot(stocks(20), run=sync_run(), today_fee=12_337, **changes)
    for number in range(3):
        fill(number)
        order(account, number)
    return account


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def test_page_knows_the_hours_that_only_the_table_has(owner, monkeypatch):
    """A process that serves pages runs no job that would have told it."""
    usual()
    MarketDay.objects.create(
        day=AT.date(), opens=True, settles=True, source="manual", closes_at=time(15), updated_at=AT
    )
    monkeypatch.setattr("kis.market_days._looked_at", -math.inf)
    assert "09:00–15:00" in text_of(owner.get("/"))


# --- who -----------------------------------------------------------------------------------------------------------


def test_stranger_is_sent_to_the_sign_in_and_back(client):
    usual()
    response = client.get("/?account=실전")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=/%3Faccount")
    assert b"179" not in response.content


def test_page_that_refreshes_itself_is_only_told_that_the_session_is_over(client):
    assert client.get("/", headers=PART).status_code == 401
    assert client.post("/sync/", headers=PART).status_code == 401


def test_user_without_permission_sees_a_page_that_says_so(client):
    usual()
    client.force_login(user_of(is_staff=True))
    response = client.get("/")
    assert response.status_code == 403
    assert "권한이 없습니다" in response.content.decode()


def test_viewer_sees_the_accounts_that_are_granted_and_no_other(client):
    usual()
    snapshot(cash=77_000_000, is_paper=True)
    client.force_login(user_of(REAL))
    shown = text_of(client.get("/"))
    assert "1234****-01" in shown
    assert "계좌 선택" not in shown  # there is nothing to choose
    assert client.get("/?account=모의").status_code == 404
    assert 'action="/sync/"' not in shown  # looking costs the owner nothing
    assert "12345678" not in shown


def test_sign_in_page_is_ours_and_leads_to_the_dashboard(client):
    usual()
    get_user_model().objects.create_superuser("owner", password="correct horse battery")
    page = client.get("/login/?next=/")
    assert "아이디" in page.content.decode()
    wrong = client.post("/login/", {"username": "owner", "password": "wrong"})
    assert 'role="alert"' in wrong.content.decode()
    right = client.post("/login/", {"username": "owner", "password": "correct horse battery"})
    assert right["Location"] == "/"
    assert "총평가금액" in text_of(client.get("/"))


def test_admin_has_no_sign_in_of_its_own(client):
    assert client.get("/admin/", follow=True).redirect_chain[-1] == ("/login/?next=/admin/", 302)
    assert client.get("/admin/login/?next=/admin/kis/")["Location"] == "/login/?next=/admin/kis/"
    client.force_login(user_of())
    assert client.get("/admin/", follow=True).status_code == 403  # and not round in circles


# --- what ----------------------------------------------------------------------------------------------------------


def test_page_tells_the_figures_with_their_time(owner):
    account = usual()
    page = text_of(owner.get("/"))
    assert f"{account.total_eval_amt:,}원" in page
    assert "14:20:00" in page
    assert "12초 전" in page
    for row in account.holdings.all():
        assert row.stock_name in page
        assert f"{row.evlu_amt:,}" in page
    assert "no-store" in owner.get("/")["Cache-Control"]


TITLE = re.compile(r'<span class="letter">([A-Z])</span> ([^<]+)</h2>')


def test_page_has_the_blocks_of_print_in_the_colours_of_its_style_sheet(owner):
    account = usual()
    page = text_of(owner.get("/"))
    figures = dashboard_figures(
        dashboard_rows(mode="real", account=account.account, at=AT), generated_at=AT, advice=None
    )
    print_html = render_html(figures)
    titles = TITLE.findall(page)
    assert [letter for letter, _ in titles] == list("ABCDEFGHKJL")
    assert all(title in print_html for _, title in titles)
    assert not re.search(r'(fill|stroke)="#', page)
    assert "var(--up)" in page


def test_block_that_cannot_be_drawn_leaves_the_others(owner, monkeypatch, caplog):
    usual()

    def broken(*_arguments, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr("reports.candles.candle_chart", broken)
    page = text_of(owner.get("/"))
    candles = page.split('id="block-k"')[1].split("</section>")[0]
    assert "오류가 나서 이 칸만 비워 두었습니다." in candles
    assert page.count("오류가 나서") == 1
    assert "ZeroDivisionError" in caplog.text


def test_page_holds_nothing_inline_and_nothing_from_elsewhere(owner):
    usual()
    page = text_of(owner.get("/"))
    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page
    assert " onclick" not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_names_of_the_broker_are_text(owner):
    snapshot([Stock(name="<script>alert(1)</script>")], run=sync_run())
    page = text_of(owner.get("/"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_query_count_is_the_same_for_one_and_for_forty(owner):
    def count_for(number):
        account = snapshot(stocks(number), run=sync_run(), at=AT - timedelta(seconds=60 - number))
        for index in range(number):
            fill(index + 100 * number)
            order(account, index)
        with CaptureQueriesContext(connection) as captured:
            text_of(owner.get("/"))
        return len(captured)

    owner.get("/")  # what is read once a process
    assert count_for(1) == count_for(40) <= 35


def test_other_account_is_one_link_away(owner):
    usual()
    snapshot(cash=77_000_000, is_paper=True)
    assert "계좌 선택" in text_of(owner.get("/"))
    paper = text_of(owner.get("/?account=모의"))
    assert "5001****-01" in paper
    assert "77,000,000원" in paper
    assert "보유 종목 없음" in paper


def test_earlier_snapshot_can_be_opened_and_says_that_it_is_one(owner):
    usual()
    snapshot(cash=1_000_000, at=AT - timedelta(days=3), with_closes=False)
    page = text_of(owner.get("/?as_of=2025-06-14"))
    assert "1,000,000원" in page
    assert "지난 시점의 자료입니다" in page
    assert "초 전" not in page
    assert "data-look-again" not in page
    too_early = text_of(owner.get("/?as_of=2025-01-01"))
    assert "그때의 자료가 없습니다" in too_early
    unreadable = owner.get("/?as_of=yesterday")
    assert unreadable.status_code == 404
    assert "as_of를 읽을 수 없습니다" in unreadable.content.decode()


def test_stale_data_turns_the_strip_amber_and_says_how_old_it_is(owner, monkeypatch):
    usual()
    SyncRun.objects.create(
        job="aegis_1min_realtime",
        account_no="12345678",
        product_code="01",
        is_paper=False,
        status="failed",
        started_at=AT + timedelta(minutes=1),
        finished_at=AT + timedelta(minutes=1),
    )
    at(monkeypatch, AT + timedelta(minutes=47))
    page = text_of(owner.get("/"))
    assert "47분 지난 자료입니다." in page
    assert "strip trouble" in page
    assert "14:21부터 1회" in page


def test_difference_to_the_broker_is_on_the_page(owner):
    account = usual()
    KisAccount.objects.filter(pk=account.pk).update(total_eval_amt=account.total_eval_amt + 57_200)
    page = text_of(owner.get("/"))
    assert "차이 57,200원" in page
    assert "strip trouble" in page


# --- in place --------------------------------------------------------------------------------------------------------


def test_nothing_new_costs_an_empty_answer_and_few_queries(owner):
    usual()
    first = owner.get("/", headers=PART)
    assert text_of(first).lstrip().startswith('<div id="live"')
    with CaptureQueriesContext(connection) as captured:
        second = owner.get("/", headers={**PART, "If-None-Match": first["ETag"]})
    assert (second.status_code, second.content) == (304, b"")
    assert second["Look-Again"] == first["Look-Again"]
    assert len(captured) <= 8, [query["sql"][:120] for query in captured]


def test_new_snapshot_a_failed_run_and_the_next_minute_are_news(owner, monkeypatch):
    account = usual()

    def tag():
        return owner.get("/", headers=PART)["ETag"]

    seen = [tag()]
    snapshot(stocks(2), at=AT + timedelta(seconds=5), run=sync_run())
    seen.append(tag())
    SyncRun.objects.filter(pk=account.sync_run_id).update(differences=1)
    SyncRun.objects.create(
        job="x",
        account_no="12345678",
        product_code="01",
        is_paper=False,
        status="failed",
        started_at=AT + timedelta(seconds=9),
        finished_at=AT + timedelta(seconds=9),
    )
    seen.append(tag())
    at(monkeypatch, AT + timedelta(seconds=59))
    assert tag() == seen[-1]
    at(monkeypatch, AT + timedelta(seconds=61))
    seen.append(tag())
    assert len(set(seen)) == 4
    assert owner.get("/?account=모의", headers=PART)["ETag"] not in seen


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (AT + timedelta(seconds=12), 53),  # 14:20:12, the next snapshot comes at 14:21:05
        (AT + timedelta(seconds=70), 10),  # it is late
        (AT.replace(hour=18), 300),  # closed
        (None, 10),
    ],
)
def test_page_looks_again_when_there_may_be_news(owner, monkeypatch, now, seconds):
    usual()
    at(monkeypatch, now)
    response = owner.get("/", headers=PART)
    assert response["Look-Again"] == str(seconds)
    assert f'data-look-again="{seconds}"' in text_of(response)


# --- before there is data -----------------------------------------------------------------------------------------------


def test_before_the_first_snapshot_the_page_waits_for_it(owner):
    page = text_of(owner.get("/"))
    assert "첫 자료를 기다리고 있습니다" in page
    assert 'data-look-again="3"' in page
    part = text_of(owner.get("/", headers=PART))
    assert part.startswith('<div id="live" data-waiting')


def test_without_any_account_the_page_says_what_to_do(owner, settings):
    settings.KIS_ACCOUNTS = of_owner()
    page = text_of(owner.get("/"))
    assert "연결한 계좌가 없습니다." in page
    assert "KIS_REAL_APP_KEY" in page
    assert "doctor" in page


def test_new_account_without_anything_is_a_page_of_its_own(owner):
    snapshot(cash=0, run=None)
    page = text_of(owner.get("/"))
    assert "보유 종목 없음" in page
    assert "오늘 체결 없음" in page


# --- the button -----------------------------------------------------------------------------------------------------------


def test_button_wants_a_post_and_a_token_of_the_page(owner, django_user_model):
    assert owner.get("/sync/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(django_user_model.objects.get())
    assert strict.post("/sync/", {"account": "실전"}).status_code == 403


def test_viewer_may_not_make_the_broker_work(client, monkeypatch):
    usual()
    client.force_login(user_of(REAL))
    response = client.post("/sync/", {"account": "실전"}, headers=PART)
    assert "권한이 없습니다" in text_of(response)


def test_broker_that_cannot_be_reached_is_said_in_a_sentence(owner, settings):
    settings.KIS_ACCOUNTS["real"]["base_url"] = "http://127.0.0.1:9"
    response = owner.post("/sync/", {"account": "실전"}, headers=PART)
    said = text_of(response)
    assert "응답을 받지 못했습니다" in said
    assert 'class="warn"' in said
    assert "Traceback" not in said


def test_without_script_the_button_leads_back_to_the_page(owner, settings):
    settings.KIS_ACCOUNTS["real"]["base_url"] = "http://127.0.0.1:9"
    response = owner.post("/sync/", {"account": "실전"})
    assert (response.status_code, response["Location"]) == (302, "/?account=%EC%8B%A4%EC%A0%84")
    usual()
    assert "응답을 받지 못했습니다" in text_of(owner.get("/"))
    assert "응답을 받지 못했습니다" not in text_of(owner.get("/"))
