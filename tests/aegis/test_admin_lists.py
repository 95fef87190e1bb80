"""Every list of the admin, whatever tables there are: as quick for many rows as for few, and of one's own accounts alone."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from kis import admin_counting, admin_export
from kis.access import way_of
from kis.admin_base import ReadOnlyAdmin
from kis.grants import grant
from kis.models import DailyPrice, KisAccount, KisExecution, KisHolding, MinPrice, Stock, SyncRun
from tests.aegis.admin_rows import MINE, OTHER, make
from tests.factories import AT, fill, snapshot, stocks, sync_run
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db
LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)  # noqa: SLF001
#: Lists with rows of accounts.
OWNED = [
    model
    for model in LISTS
    if isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin) and way_of(model) is not None
]
FEW, MANY = 3, 60
SECRET = "남의비밀종목"


def label_of(model):
    return model._meta.label  # noqa: SLF001


@pytest.fixture(autouse=True)
def an_owner(settings):
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")


@pytest.fixture
def owner():
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@pytest.fixture
def viewer():
    user = get_user_model().objects.create_user("viewer")
    grant(user, MINE, is_paper=False, role="viewer")
    client = Client()
    client.force_login(user)
    return client


def address(model, name="changelist", *arguments):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def shown(client, model, **asked):
    response = client.get(address(model), asked)
    assert response.status_code == 200, (model, asked)
    return response


def table(response):
    """Return the rows of a CSV, the head first."""
    text = response.getvalue().decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def sheet_of(response) -> Any:
    return load_workbook(io.BytesIO(response.getvalue())).active


# --- speed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", LISTS, ids=label_of)
def test_list_takes_the_same_number_of_queries_for_many_rows(owner, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            shown(owner, model)
        return [query["sql"] for query in captured]

    make(model, FEW)
    queries()  # the first page also fills Django's own caches
    few = queries()
    make(model, MANY - FEW, first=FEW)
    many = queries()
    assert len(many) == len(few), "\n".join(many)


@pytest.fixture
def counts_to_ten(monkeypatch):
    """Let a list be too long from eleven rows on."""
    monkeypatch.setattr(admin_counting, "COUNTED", 10)


def test_long_list_is_counted_to_a_bound_and_says_so(owner, counts_to_ten):
    make(KisExecution, MANY)
    rows = shown(owner, KisExecution).context["cl"]
    assert (rows.result_count, rows.counted.is_exact) == (10, False)
    assert rows.counted.text in {"0만 건 이상", "약 0만 건"}
    assert "행이 너무 많아 합계를" in rows.below.note


def test_long_list_is_sorted_by_what_an_index_has_in_order_only(owner, counts_to_ten):
    make(KisExecution, MANY)
    model_admin = admin.site.get_model_admin(KisExecution)
    places = {
        getattr(column, "admin_order_field", column): place
        for place, column in enumerate(model_admin.list_display, 1)
    }
    by_amount = shown(owner, KisExecution, o=places["exec_amt"]).context["cl"]
    assert by_amount.queryset.query.order_by[0] == "-exec_dt"
    assert "이 열로는 정렬하지 않았습니다" in by_amount.notes[0]
    by_day = shown(owner, KisExecution, o=places["exec_dt"]).context["cl"]
    assert by_day.queryset.query.order_by[0] == "exec_dt"


def test_long_list_is_searched_by_the_codes_that_a_name_stands_for(owner, counts_to_ten):
    make(KisExecution, MANY)
    fill(900, name="새종목", stock_code="123450")
    Stock.objects.create(
        code="123450", name="새종목", market="KOSPI", kind="stock", source="master", updated_at=AT
    )
    assert shown(owner, KisExecution, q="새종목").context["cl"].result_count == 1
    assert shown(owner, KisExecution, q="123450").context["cl"].result_count == 1


@pytest.mark.parametrize("model", [KisHolding, KisExecution, MinPrice, DailyPrice, SyncRun], ids=label_of)
def test_dates_lead_down_without_looking_at_the_rows_between(owner, model):
    make(model, MANY)
    with CaptureQueriesContext(connection) as captured:
        page = shown(owner, model).content.decode()
    assert 'class="toplinks"' in page
    assert not [query["sql"] for query in captured if "DISTINCT" in query["sql"]]


def test_dates_lead_from_years_to_days(owner):
    for days in (0, 40, 400):
        fill(days, at=AT + timedelta(days=days))
    page = shown(owner, KisExecution)
    assert "2026년" in page.content.decode()
    page = shown(owner, KisExecution, exec_dt__year=2025)
    assert "6월" in page.content.decode()
    assert page.context["cl"].result_count == 2
    page = shown(owner, KisExecution, exec_dt__year=2025, exec_dt__month=6, exec_dt__day=16)
    assert page.context["cl"].result_count == 1
    for odd in ({"exec_dt__year": "x"}, {"exec_dt__year": 2025, "exec_dt__month": 13}):
        assert owner.get(address(KisExecution), odd).status_code in {200, 302}


# --- whose rows ------------------------------------------------------------------------------------------------------


def mark_as_secret(model):
    """Give the rows of the other account a name that nobody else may read."""
    names = {field.name for field in model._meta.concrete_fields}  # noqa: SLF001
    if "stock_name" in names and not label_of(model).startswith(("trading.", "ai.")):
        way = way_of(model)
        model._default_manager.filter(**{f"{way}account_no": OTHER.number}).update(stock_name=SECRET)  # noqa: SLF001


@pytest.mark.parametrize("model", OWNED, ids=label_of)
def test_nothing_of_another_account_is_in_list_totals_files_search_or_filters(owner, viewer, model):
    looking = Permission.objects.filter(codename__startswith="view_")
    get_user_model().objects.get(username="viewer").user_permissions.set(looking)
    make(model, FEW, of=MINE)
    make(model, FEW, of=OTHER, first=500)
    mark_as_secret(model)
    everything = shown(owner, model)
    assert everything.context["cl"].result_count >= 2 * FEW
    page = shown(viewer, model)
    own = page.context["cl"]
    assert own.result_count == everything.context["cl"].result_count // 2
    for line in own.below.lines:
        assert f"합계 {own.result_count}건" in line.words
    file = table(viewer.get(address(model), {"export": "csv"}))
    assert len(file) == own.result_count + 1
    ticked = [row.pk for row in everything.context["cl"].result_list]
    posted = {"action": "ticked_as_csv", "_selected_action": ticked, "select_across": 0, "index": 0}
    chosen = table(viewer.post(address(model), posted))
    assert len(chosen) == own.result_count + 1
    told = page.content.decode() + str(file) + str(chosen)
    if admin.site.get_model_admin(model).search_fields:
        found = shown(viewer, model, q="8765")
        told += re_query(found.content.decode())
        told += re_query(shown(viewer, model, q=SECRET).content.decode())
    for foreign in ("8765", "87654321", SECRET):
        assert foreign not in told, foreign


def re_query(page):
    """Return a page without the words that were searched for, which it repeats."""
    return page.replace('value="8765"', "").replace(f'value="{SECRET}"', "").replace("q=8765", "")


def test_account_among_others_shows_its_newest_snapshots_and_says_so(viewer, monkeypatch):
    for minute in range(4):
        snapshot(stocks(2), at=AT + timedelta(minutes=minute), with_closes=False)
        snapshot(stocks(2), at=AT + timedelta(minutes=minute), with_closes=False, account_no=OTHER.number)
    monkeypatch.setattr("kis.admin_lists.RowList.most_snapshots", 1)
    monkeypatch.setattr("kis.admin_lists.AskedRows.most_snapshots", 1)
    rows = shown(viewer, KisHolding).context["cl"]
    assert "최근 스냅샷 1개까지" in rows.notes[0]
    assert {row.snapshot_at for row in rows.result_list} <= {
        AT + timedelta(minutes=2),
        AT + timedelta(minutes=3),
    }
    refused = viewer.get(address(KisHolding), {"export": "csv"}, follow=True)
    assert "까지 내보낼 수 있습니다" in refused.content.decode()
    day = {"snapshot_at__year": 2025, "snapshot_at__month": 6, "snapshot_at__day": 15}
    assert shown(viewer, KisHolding, **day).context["cl"].result_count == 0


@pytest.mark.parametrize(("market", "count"), [("KOSPI", 2), ("KOSDAQ", 1), ("KONEX", 0)])
def test_rows_are_filtered_by_the_market_of_their_stock(owner, market, count):
    for number, where in enumerate(("KOSPI", "KOSPI", "KOSDAQ")):
        Stock.objects.create(
            code=f"{number:06}", name="x", market=where, kind="stock", source="master", updated_at=AT
        )
        fill(number, stock_code=f"{number:06}")
    assert shown(owner, KisExecution, market=market).context["cl"].result_count == count


def test_row_of_another_account_cannot_be_opened(viewer):
    account = snapshot(account_no=OTHER.number, product_code=OTHER.product_code)
    assert viewer.get(address(KisAccount, "change", account.pk)).status_code == 302  # as if there was none


# --- totals ----------------------------------------------------------------------------------------------------------


def cells_of(client, model, **asked):
    """Return the totals of a list as text, a line each."""
    rows = shown(client, model, **asked).context["cl"]
    return {
        line.words: [cell.split(">")[1].split("<")[0] for cell in line.cells if cell]
        for line in rows.below.lines
    }


def test_totals_are_of_the_filtered_rows_and_never_mix_modes_or_sides(owner):
    fill(1, commission=80, tax=0)
    fill(2, commission=70, tax=0)
    fill(3, side="SELL", commission=60, tax=857)
    fill(4, is_paper=True, account_no="50012345", commission=50, tax=0)
    bought = (11 + 12) * 57_100
    assert cells_of(owner, KisExecution) == {
        "실전 매수 합계 2건": [f"{bought:,}", "150", "0"],
        "실전 매도 합계 1건": [f"{13 * 57_100:,}", "60", "857"],
        "모의 매수 합계 1건": [f"{14 * 57_100:,}", "50", "0"],
    }
    assert list(cells_of(owner, KisExecution, exec_type__exact="SELL")) == ["실전 매도 합계 1건"]
    rows = shown(owner, KisExecution).context["cl"]
    columns = [getattr(column, "admin_order_field", column) for column in rows.list_display[1:]]
    for line in rows.below.lines:  # each sum under its column
        assert columns[line.reach] == "exec_amt"
        assert line.reach + len(line.cells) == len(columns)


def test_holdings_of_several_moments_are_not_added_up(owner):
    old = snapshot(stocks(2), with_closes=False)
    new = snapshot(stocks(3), at=AT + timedelta(minutes=30), with_closes=False)
    rows = shown(owner, KisHolding).context["cl"]
    assert "여러 시점의 스냅샷" in rows.below.note
    assert not rows.below.lines
    for asked in ("newest", str(new.pk)):
        assert cells_of(owner, KisHolding, snapshot=asked)["실전 합계 3건"][0] == f"{new.stock_eval_amt:,}"
    assert cells_of(owner, KisHolding, snapshot=str(old.pk))["실전 합계 2건"][0] == f"{old.stock_eval_amt:,}"


def test_totals_say_that_unknown_costs_are_left_out(owner):
    fill(1, commission=80, tax=0)
    fill(2, commission=None, tax=None, cost_source="unknown")
    rows = shown(owner, KisExecution).context["cl"]
    assert rows.below.note == "* 산출 불가인 행은 빼고 더했습니다."
    assert cells_of(owner, KisExecution)["실전 매수 합계 2건"][1] == "80*"


# --- files -----------------------------------------------------------------------------------------------------------


def test_file_has_the_rows_that_the_list_shows_with_numbers_as_numbers(owner):
    fill(1)
    fill(2, side="SELL")
    head, *rows = table(owner.get(address(KisExecution), {"export": "csv", "exec_type__exact": "SELL"}))
    assert len(rows) == 1
    row = dict(zip(head, rows[0], strict=True))
    assert (row["계좌"], row["모드"], row["구분"]) == ("1234****-01", "실전", "매도")
    assert (row["체결금액"], row["체결일"], row["종목코드"]) == (str(12 * 57_100), "2025-06-16", "005930")
    sheet = sheet_of(owner.get(address(KisExecution), {"export": "xlsx"}))
    first = dict(zip((cell.value for cell in sheet[1]), (cell.value for cell in sheet[2]), strict=True))
    assert first["체결금액"] == 12 * 57_100
    assert first["종목코드"] == "005930"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_is_never_a_formula_in_a_file(owner, start):
    fill(1, name=f"{start}cmd|calc")
    head, row = table(owner.get(address(KisExecution), {"export": "csv"}))
    assert row[head.index("종목명")].startswith(f"'{start}")
    sheet = sheet_of(owner.get(address(KisExecution), {"export": "xlsx"}))
    cell = next(cell for cell in sheet[2] if "cmd" in str(cell.value))
    assert (cell.data_type, str(cell.value)[0]) == ("s", "'")


def test_negative_amounts_stay_numbers(owner):
    snapshot(total_profit_loss=-5_000)
    head, row = table(owner.get(address(KisAccount), {"export": "csv"}))
    assert row[head.index("평가손익")] == "-5000"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_file_that_would_be_too_long_is_refused_with_a_sentence(owner, monkeypatch, form):
    make(KisExecution, FEW)
    monkeypatch.setattr(admin_export, "MOST", {"csv": 2, "xlsx": 2})
    response = owner.get(address(KisExecution), {"export": form, "exec_type__exact": "BUY"}, follow=True)
    assert response.redirect_chain[0][0].endswith("?exec_type__exact=BUY")
    assert "2행까지 내보낼 수 있습니다" in response.content.decode()


def test_unreadable_filter_leads_back_to_the_list_instead_of_a_file(owner):
    response = owner.get(address(KisExecution), {"export": "csv", "exec_dt__year": "x"})
    assert (response.status_code, response["Location"]) == (302, f"{address(KisExecution)}?e=1")


@pytest.mark.parametrize("year", ["1" * 5_000, "²⁰²⁶", "99999", "1"])
def test_year_or_month_that_is_none_leads_to_the_whole_list(owner, year):
    for conditions in ({"exec_dt__year": year}, {"exec_dt__year": "2026", "exec_dt__month": f"{year}000"}):
        response = owner.get(address(KisExecution), conditions)
        assert (response.status_code, response["Location"]) == (302, f"{address(KisExecution)}?e=1")


@pytest.mark.parametrize("model", [SyncRun, get_user_model()])
def test_range_of_one_value_leads_to_the_whole_list(owner, model):
    """Django takes one text for the two ends of a range: /admin/kis/syncrun/?requests__range=0 was an error of ours."""
    response = owner.get(address(model), {"id__range": "0"})
    assert (response.status_code, response["Location"]) == (302, f"{address(model)}?e=1")
    assert owner.get(response["Location"]).status_code == 200


# --- what rows show --------------------------------------------------------------------------------------------------


def test_row_has_a_line_of_the_closes_before_it_and_no_line_without_any(owner):
    snapshot(stocks(2))
    page = shown(owner, KisHolding).content.decode()
    assert page.count('<svg class="spark') == 2
    DailyPrice.objects.all().delete()
    assert '<svg class="spark' not in shown(owner, KisHolding).content.decode()


def test_account_leads_to_its_holdings_fills_and_orders(owner):
    account = snapshot(stocks(2))
    fill(1)
    page = shown(owner, KisAccount).content.decode()
    assert f"{address(KisHolding)}?snapshot={account.pk}" in page
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:]]
    fills = next(link for link in links if link.startswith(address(KisExecution)))
    assert owner.get(fills).context["cl"].result_count == 1


def test_raw_reply_is_readable_and_has_no_account_number_in_it(owner):
    other = {"CANO": "55556666", "list": [{"ACNT_NO": "77778888"}], "no": "12345678-01", "pdno": "005930"}
    account = snapshot(raw_json=other)
    page = owner.get(address(KisAccount, "change", account.pk)).content.decode()
    assert "&quot;CANO&quot;: &quot;5555****&quot;" in page
    assert "&quot;pdno&quot;: &quot;005930&quot;" in page
    assert not [number for number in ("55556666", "77778888", "12345678") if number in page]


def test_runs_are_filtered_by_the_job_in_korean(owner):
    sync_run()
    sync_run(job="refresh_by_hand")
    page = shown(owner, SyncRun, job="refresh_by_hand")
    assert page.context["cl"].result_count == 1
    assert "지금 동기화" in page.content.decode()
