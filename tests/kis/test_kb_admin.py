"""KB Securities in the admin: rows to read, and a page that shows a file before it saves it."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kis.korean import SEOUL
from kis.models import KbHolding, KbStatement, KbTrade
from kis.statements import uploads
from kis.statements.lines import MAX_BYTES
from kis.statements.load import load_file
from tests.kis import kb_files
from tests.kis.kb_files import BOUGHT, HOLDINGS_HEADER, SAMSUNG, TRADES_HEADER, csv_file, sample

pytestmark = pytest.mark.django_db
TABLES = [KbStatement, KbHolding, KbTrade]
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=SEOUL)
UPLOAD = "/admin/kis/kbstatement/add/"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@pytest.fixture
def reader(client):
    """Sign in somebody who may look at KB files but not upload any."""
    user = get_user_model().objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_kbstatement"))
    client.force_login(user)
    return client


def page(model, name, *arguments):
    return reverse(f"admin:kis_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def make_books(count, *, first=0):
    """Load a balance and a history with so many rows, from accounts of their own."""
    account = f"123-456-{first + 100}-01"
    for number in range(count):
        held = [f"종목{number:03}", f"{number + 1:06}", *SAMSUNG[2:]]
        load_file(kb_files.holdings(held, title=[f"계좌 {account} 조회일자", "2026-11-20"]), now=NOW)
        load_file(kb_files.trades([*BOUGHT[:2], *held[:1], *BOUGHT[3:]], title=[f"계좌 {account}"]), now=NOW)


def upload(client, data, name="kb.csv", **fields):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data), **fields})


def save(client, shown):
    return client.post(UPLOAD, {"save": "담기", "plan": shown.context["result"].plan})


def waiting(tmp_path):
    return list((tmp_path / uploads.FOLDER).glob("*"))


@pytest.mark.parametrize("model", TABLES)
def test_list_and_row_are_shown_but_nothing_can_be_changed(owner, model):
    load_file(sample("holdings.csv"), now=NOW)
    load_file(sample("messy.csv"), now=NOW)
    row = model.objects.first()
    assert owner.get(page(model, "changelist")).status_code == 200
    assert owner.get(page(model, "change", row.pk)).status_code == 200
    assert owner.post(page(model, "change", row.pk), {}).status_code == 403
    assert owner.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [KbHolding, KbTrade])
def test_rows_are_never_added_by_hand(owner, model):
    assert owner.get(page(model, "add")).status_code == 403


@pytest.mark.parametrize("model", TABLES)
def test_nobody_sees_them_without_signing_in(client, model):
    response = client.get(page(model, "changelist"))
    assert (response.status_code, "login" in response.url) == (302, True)


@pytest.mark.parametrize("model", TABLES)
def test_list_takes_the_same_number_of_queries_for_more_rows(owner, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            owner.get(page(model, "changelist"))
        return len(captured)

    make_books(1)
    queries()  # the first page also fills Django's own caches
    few = queries()
    make_books(8, first=1)
    assert queries() == few


def test_amounts_are_written_as_everywhere_else(owner):
    load_file(sample("holdings.csv"), now=NOW)
    shown = owner.get(page(KbHolding, "changelist")).content.decode()
    for text in (
        ">1,000<",
        ">72,500<",
        ">35,120.5<",
        ">70,000,000<",
        ">−2,500,000<",
        "1234*****-01",
        "2026-11-20",
    ):
        assert text in shown


def test_problems_are_listed_on_the_page_of_their_file(owner):
    load_file(sample("messy.csv"), now=NOW)
    shown = owner.get(page(KbStatement, "change", KbStatement.objects.get().pk)).content.decode()
    assert (
        "<td>4행</td><td>담지 않음</td><td>수량 &#x27;12x&#x27;을(를) 읽을 수 없습니다: 수가 아닙니다.</td>"
        in shown
    )
    assert "<td>12행</td><td>담음</td>" in shown


def test_text_of_a_file_is_text_not_markup(owner):
    row = ["2026-11-03", "<script>alert(1)</script>", "<b>삼성전자</b>", *BOUGHT[3:]]
    shown = upload(owner, kb_files.trades(row, [*BOUGHT[:2], "<script>alert(2)</script>", *BOUGHT[3:]]))
    save(owner, shown)
    pages = shown.content
    pages += owner.get(page(KbStatement, "change", KbStatement.objects.get().pk)).content
    pages += owner.get(page(KbTrade, "changelist")).content
    assert b"<script>alert" not in pages
    assert b"<b>" not in pages


def test_holdings_can_be_narrowed_to_the_newest_of_each_account(owner):
    load_file(kb_files.holdings(SAMSUNG, title=["조회일자", "2026-11-18"]), now=NOW)
    load_file(kb_files.holdings(SAMSUNG, title=["조회일자", "2026-11-19"]), now=NOW)
    for query, count in (({}, 2), ({"newest": "1"}, 1), ({"q": "005930"}, 2), ({"q": "없음"}, 0)):
        assert owner.get(page(KbHolding, "changelist"), query).context["cl"].result_count == count


def test_trade_is_found_by_name_code_and_number(owner):
    load_file(sample("trades.csv"), now=NOW)
    for text, count in (("삼성", 4), ("005930", 4), ("배당", 1), ("2", 1)):
        assert owner.get(page(KbTrade, "changelist"), {"q": text}).context["cl"].result_count == count


def test_upload_shows_rows_and_problems_before_anything_is_saved(owner, tmp_path):
    shown = upload(owner, sample("messy.csv"))
    text = shown.content.decode()
    assert shown.status_code == 200
    assert "담을 5행 · 이미 있던 0행 · 확인할 줄 12" in text
    assert "예탁금이용료 입금" in text
    assert "−500,075" in text
    assert "외화" not in text
    assert text.count("담지 않음</td>") == 10
    assert not KbStatement.objects.exists()
    assert len(waiting(tmp_path)) == 1


def test_confirmed_upload_is_saved_and_leaves_nothing_behind(owner, tmp_path):
    shown = upload(owner, sample("holdings.csv"), name="잔고.csv")
    response = save(owner, shown)
    statement = KbStatement.objects.get()
    assert (response.status_code, response.url) == (302, page(KbStatement, "change", statement.pk))
    assert (statement.name, statement.rows) == ("잔고.csv", 5)
    assert waiting(tmp_path) == []
    assert "잔고.csv: 새 5행" in owner.get(response.url).content.decode()


def test_account_and_day_given_on_the_form_are_saved(owner):
    data = csv_file(HOLDINGS_HEADER, SAMSUNG)
    save(owner, upload(owner, data, account="ISA", as_of="2026-11-17"))
    held = KbHolding.objects.get()
    assert (held.account_label, str(held.as_of)) == ("ISA", "2026-11-17")


def test_upload_can_be_dropped(owner, tmp_path):
    upload(owner, sample("trades.csv"))
    response = owner.post(UPLOAD, {"drop": "담지 않기"})
    assert (response.status_code, response.url) == (302, page(KbStatement, "changelist"))
    assert (waiting(tmp_path), KbStatement.objects.exists()) == ([], False)


def test_only_the_last_upload_waits(owner, tmp_path):
    first = upload(owner, sample("trades.csv"))
    upload(owner, sample("holdings.csv"))
    assert len(waiting(tmp_path)) == 1
    again = save(owner, first)
    assert "장부가 바뀌어" in again.content.decode()
    assert not KbStatement.objects.exists()


def test_what_has_changed_since_it_was_shown_is_shown_again(owner):
    shown = upload(owner, sample("trades.csv"))
    load_file(sample("trades_two_lines.csv"), now=NOW)
    again = save(owner, shown)
    assert "장부가 바뀌어" in again.content.decode()
    assert KbStatement.objects.count() == 1
    assert save(owner, again).status_code == 302
    assert KbStatement.objects.count() == 2


def test_saving_without_a_plan_saves_nothing(owner):
    upload(owner, sample("trades.csv"))
    owner.post(UPLOAD, {"save": "담기"})
    assert not KbStatement.objects.exists()


def test_upload_that_has_gone_is_asked_for_again(owner, tmp_path):
    shown = upload(owner, sample("trades.csv"))
    waiting(tmp_path)[0].unlink()
    assert "다시 올려 주세요" in save(owner, shown).content.decode()
    owner.session.flush()


def test_files_nobody_came_back_for_are_swept_away(tmp_path, monkeypatch):
    old = uploads.keep(b"old")
    later = datetime.now(tz=SEOUL) + timedelta(hours=2)
    monkeypatch.setattr("kis.statements.uploads.time.time", later.timestamp)
    new = uploads.keep(b"new")
    assert (uploads.fetch(old), uploads.fetch(new)) == (None, b"new")
    assert uploads.fetch("../../etc/passwd") is None
    uploads.forget("../../etc/passwd")


def test_waiting_file_is_for_the_owner_of_the_site_alone(owner, tmp_path):
    upload(owner, sample("trades.csv"))
    (path,) = waiting(tmp_path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7", "PDF는 읽지 않습니다"),
        (b"name,price\n1,2\n", "KB증권 잔고나 거래내역 파일이 아닙니다"),
        (b"x" * (MAX_BYTES + 1), "파일이 너무 큽니다"),
    ],
)
def test_file_that_is_not_read_is_explained_and_not_kept(owner, tmp_path, data, words):
    assert words in upload(owner, data).content.decode()
    assert waiting(tmp_path) == []


def test_file_that_is_known_is_said_to_be(owner):
    load_file(sample("trades.csv"), now=NOW, name="a.csv")
    assert "이미 가져온 파일입니다" in upload(owner, sample("trades.csv")).content.decode()


def test_form_without_a_file_is_shown_again(owner):
    response = owner.post(UPLOAD, {"account": "ISA"})
    assert response.status_code == 200
    assert "file" in response.context["form"].errors


def test_body_that_is_too_large_is_refused_unread(owner):
    class Unread:
        def read(self, *_arguments):
            raise AssertionError("the body was read")

        readline = read

    response = owner.generic(
        "POST",
        UPLOAD,
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(MAX_BYTES + 100_000),
        **{"wsgi.input": Unread()},
    )
    assert response.status_code == 413
    assert "파일이 너무 큽니다" in response.content.decode()


def test_row_cannot_be_saved_as_a_new_one(owner):
    load_file(sample("holdings.csv"), now=NOW)
    row = KbStatement.objects.get()
    sent = owner.post(page(KbStatement, "change", row.pk), {"_saveasnew": "1", "name": "of my own"})
    assert sent.status_code == 403
    assert KbStatement.objects.get().name == row.name


def test_upload_needs_the_right_to_add(reader):
    assert reader.get(page(KbStatement, "changelist")).status_code == 200
    assert reader.get(UPLOAD).status_code == 403
    assert upload(reader, sample("trades.csv")).status_code == 403


def test_upload_needs_a_page_of_ours():
    owner = Client(enforce_csrf_checks=True)
    owner.force_login(get_user_model().objects.create_superuser("owner"))
    assert upload(owner, sample("trades.csv")).status_code == 403
    token = owner.get(UPLOAD).cookies["csrftoken"].value
    shown = upload(owner, csv_file(TRADES_HEADER, BOUGHT), csrfmiddlewaretoken=token)
    assert shown.status_code == 200
    assert owner.post(UPLOAD, {"save": "담기", "plan": shown.context["result"].plan}).status_code == 403
    assert not KbStatement.objects.exists()


def test_stranger_is_sent_to_sign_in(client):
    response = upload(client, sample("trades.csv"))
    assert (response.status_code, "login" in response.url) == (302, True)
