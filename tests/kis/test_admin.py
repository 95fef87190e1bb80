"""The books in the admin: readable, never editable; how long they may be is tried in `tests/aegis/test_admin_lists.py`."""

import re
from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from kis.models import (
    AccessToken,
    DailyPrice,
    FeedLease,
    KisAccount,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    RateBudget,
    SyncRun,
)
from kis.reconciliation import Check
from tests.factories import AT, fill, order, snapshot, stocks, sync_run

pytestmark = pytest.mark.django_db
TABLES = [
    AccessToken,
    DailyPrice,
    FeedLease,
    KisAccount,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    RateBudget,
    SyncRun,
]


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(model, name, *arguments):
    return reverse(f"admin:kis_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def make_books(count, *, at=AT):
    """Save a snapshot with so many rows of everything."""
    account = snapshot(stocks(count), at=at, run=sync_run(at=at))
    for number in range(count):
        fill(number + at.minute * 1000)
        order(account, number)
    AccessToken.objects.get_or_create(key_id="f" * 64, token_encrypted="gAAAA-cipher")
    RateBudget.objects.get_or_create(key_id="f" * 64)
    FeedLease.objects.get_or_create(key_id="f" * 64, defaults={"lease_until": AT})


@pytest.mark.parametrize("model", TABLES)
def test_list_and_row_are_shown_but_nothing_can_be_changed(owner, model):
    make_books(2)
    row = model.objects.first()
    assert owner.get(page(model, "changelist")).status_code == 200
    assert owner.get(page(model, "change", row.pk)).status_code == 200
    assert owner.get(page(model, "add")).status_code == 403
    assert owner.post(page(model, "change", row.pk), {}).status_code == 403
    assert owner.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", TABLES)
def test_nobody_sees_the_books_without_signing_in(client, model):
    response = client.get(page(model, "changelist"))
    assert (response.status_code, "login" in response.url) == (302, True)


@pytest.mark.parametrize("model", [KisAccount, KisHolding, KisExecution, KisUnfilledOrder, SyncRun])
def test_account_number_is_masked_on_every_page(owner, model):
    make_books(2)
    row = model.objects.first()
    shown = owner.get(page(model, "changelist")).content + owner.get(page(model, "change", row.pk)).content
    assert b"12345678" not in shown
    assert model is KisHolding or b"1234****" in shown


def test_token_is_never_shown(owner):
    make_books(1)
    row = AccessToken.objects.get()
    shown = (
        owner.get(page(AccessToken, "changelist")).content
        + owner.get(page(AccessToken, "change", row.pk)).content
    )
    assert b"gAAAA-cipher" not in shown


def test_name_from_the_broker_is_text_not_markup(owner):
    make_books(1)
    KisHolding.objects.update(
        stock_name="<script>alert(1)</script>", raw_json={"prdt_name": "<script>alert(1)</script>"}
    )
    row = KisHolding.objects.get()
    shown = (
        owner.get(page(KisHolding, "changelist")).content
        + owner.get(page(KisHolding, "change", row.pk)).content
    )
    assert b"<script>alert" not in shown


def test_moments_are_written_in_seoul_and_amounts_with_separators(owner):
    make_books(2)
    account = KisAccount.objects.get()
    shown = owner.get(page(KisAccount, "change", account.pk)).content.decode()
    assert "2025-06-16 14:20:00" in shown
    assert f">{account.total_eval_amt:,}<" in shown
    assert str(account) == "1234****-01 2025-06-16 14:20"


def test_holding_is_found_by_code_and_by_name(owner):
    make_books(3)
    for text in ("010001", "종목001"):
        assert owner.get(page(KisHolding, "changelist"), {"q": text}).context["cl"].result_count == 1


# --- reconciliation of the runs --------------------------------------------------------------------------------------

DIFFERING = Check("오늘 체결 수량", 1_010, 1_013, unit="주", row="삼성전자 005930")
AGREEING = Check("매입금액 합", 11_129_908, 11_129_908)


@pytest.fixture
def runs():
    """Return a run that agrees, one that differs and one that compared nothing."""
    return {
        "일치": sync_run(checks=[AGREEING.as_json()]),
        "차이 1건": sync_run(checks=[AGREEING.as_json(), DIFFERING.as_json()], differences=1),
        "대사 없음": sync_run(status=SyncRun.Status.FAILED, error="증권사에 연결하지 못했습니다."),
    }


def test_list_of_runs_says_how_each_came_out(owner, runs):
    shown = owner.get(page(SyncRun, "changelist")).content.decode()
    assert '<span class="badge agrees">일치</span>' in shown
    assert '<span class="badge differs">차이 1건</span>' in shown
    assert '<span class="badge ">대사 없음</span>' in shown


@pytest.mark.parametrize(
    ("word", "badge"), [("agrees", "일치"), ("differs", "차이 1건"), ("none", "대사 없음")]
)
def test_runs_are_filtered_by_how_they_came_out(owner, runs, word, badge):
    shown = owner.get(page(SyncRun, "changelist"), {"agreement": word}).context["cl"].queryset
    assert [run.pk for run in shown] == [runs[badge].pk]


def test_run_shows_each_comparison_with_both_sides_and_the_row_to_blame(owner, runs):
    shown = owner.get(page(SyncRun, "change", runs["차이 1건"].pk)).content.decode()
    rows = [
        re.sub(r"<[^>]+>", "|", row).replace("||", "|")
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", shown, flags=re.DOTALL)
    ]
    texts = [[cell for cell in row.split("|") if cell.strip()] for row in rows]
    assert ["매입금액 합", "11,129,908원", "11,129,908원", "일치"] in texts
    assert ["오늘 체결 수량", "1,010주", "1,013주", "+3주", "삼성전자 005930"] in texts
    assert "&quot;ours&quot;" not in shown


def test_row_to_blame_is_text_not_markup(owner):
    run = sync_run(checks=[replace(DIFFERING, row="<script>alert(1)</script>").as_json()], differences=1)
    assert b"<script>alert" not in owner.get(page(SyncRun, "change", run.pk)).content
