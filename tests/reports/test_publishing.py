"""The table of published files: what was made, where it went, and why it did not."""

import hashlib
import logging
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pikepdf
import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aegis.logs import mask
from kis.client.codes import AccountNumber
from reports import publishing
from reports.looks import Look
from reports.models import PublishedReport
from reports.publish import PublishFailed, previous_of
from reports.publishing import About, publish_dashboard
from reports.sending import Delivery
from reports.shelf import Place
from tests.factories import AT

pytestmark = pytest.mark.django_db
ABOUT = About(AccountNumber("12345678", "01"), is_paper=False, as_of=AT, snapshot=81_234)
EMPTY = BytesIO()
with pikepdf.new() as new:
    new.add_blank_page()
    new.save(EMPTY)
ONE_PAGE = EMPTY.getvalue()
SIX_LATER = AT + timedelta(seconds=6)


@pytest.fixture
def path(settings, tmp_path):
    settings.REPORT_DIR = tmp_path / "Realtime"
    settings.REPORT_SYNC_DIR = ""
    return settings.REPORT_DIR / "Kis_Dashboard.pdf"


@pytest.fixture
def drive(settings, tmp_path, path):
    folder = tmp_path / "Drive"
    folder.mkdir()
    settings.REPORT_SYNC_DIR = str(folder)
    return folder


@pytest.fixture(autouse=True)
def marks(monkeypatch):
    """Print nothing but marks: what the PDF looks like is tested elsewhere."""
    monkeypatch.setattr(publishing, "render_pdf", lambda page, amounts: page.encode())


def publish(path, page="%PDF one", *, at=SIX_LATER, **options):
    return publish_dashboard(page, Place.at(path), about=ABOUT, at=at, **options)


def test_file_that_stays_here_is_on_record(path):
    assert publish(path) is None
    row = PublishedReport.objects.get()
    assert (row.file_name, row.published_at, row.as_of) == ("Kis_Dashboard.pdf", SIX_LATER, AT)
    assert (row.account_no, row.product_code, row.is_paper, row.snapshot) == ("12345678", "01", False, 81_234)
    assert (row.size, row.sha256) == (8, hashlib.sha256(b"%PDF one").hexdigest())
    assert (row.status, row.target, row.reason) == ("written", "", "")


def test_file_that_was_sent_is_on_record_with_its_way(path, drive):
    sent = publish(path)
    assert (drive / path.name).read_bytes() == path.read_bytes() == b"%PDF one"
    assert str(drive) in sent.told
    row = PublishedReport.objects.get()
    assert (row.status, row.target, row.sent_bytes, row.reason) == ("sent", str(drive), 8, "")
    assert row.method in {"rsync", "copy"}
    assert Path(row.mount).is_mount()
    assert row.seconds is not None


def test_what_leaves_has_a_password_and_what_stays_has_none(path, drive, settings, monkeypatch):
    monkeypatch.setattr(publishing, "render_pdf", lambda page, amounts: ONE_PAGE)
    settings.REPORT_PDF_PASSWORD = "열쇠 말"
    assert publish(path).arrived
    assert path.read_bytes() == ONE_PAGE
    sent = drive / path.name
    assert sent.read_bytes() == (path.parent / "outgoing" / path.name).read_bytes()
    with pikepdf.open(sent, password="열쇠 말") as document:
        assert len(document.pages) == 1
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(sent)
    rows = PublishedReport.objects.order_by("pk").values_list("status", "is_encrypted", "privacy")
    assert list(rows) == [("written", False, "full"), ("sent", True, "full")]


def test_password_that_was_asked_for_is_on_both(path, drive, settings, monkeypatch):
    monkeypatch.setattr(publishing, "render_pdf", lambda page, amounts: ONE_PAGE)
    settings.REPORT_PDF_PASSWORD = "another"
    assert publish(path, look=Look(password="mine")).arrived
    assert (drive / path.name).read_bytes() == path.read_bytes()
    with pikepdf.open(path, password="mine"):
        pass
    assert PublishedReport.objects.get().is_encrypted


def test_nothing_is_sent_where_its_password_cannot_be_used(path, drive, settings):
    settings.REPORT_PDF_PASSWORD = "가" * 43
    sent = publish(path)
    assert "PDF 암호는" in sent.told
    assert "가가" not in sent.told
    assert path.exists()
    assert list(drive.iterdir()) == []


def test_password_is_in_no_log(path, settings):
    look = Look(password="열쇠 말입니다")
    settings.REPORT_PDF_PASSWORD = "of the settings"
    assert mask("여기 열쇠 말입니다 그리고 of the settings") == "여기 **** 그리고 ****"
    assert "열쇠" not in repr(look)


def test_file_before_is_kept_here_and_replaced_there(path, drive):
    publish(path)
    publish(path, "%PDF two")
    assert previous_of(path).read_bytes() == b"%PDF one"
    assert (drive / path.name).read_bytes() == b"%PDF two"
    assert sorted(file.name for file in drive.iterdir()) == [path.name]


def test_failure_is_a_reason_and_the_file_is_here(path, settings, tmp_path):
    settings.REPORT_SYNC_DIR = str(tmp_path / "nothing" / "AEGIS")
    sent = publish(path)
    assert not sent.arrived
    assert "폴더가 없음" in sent.told
    assert "PDF는 이 컴퓨터에 그대로 있습니다" in sent.told
    assert path.read_bytes() == b"%PDF one"
    row = PublishedReport.objects.get()
    assert (row.status, row.sent_bytes) == ("failed", 0)
    assert "폴더가 없음" in row.reason


@pytest.mark.parametrize("target", ["-e ssh", "me:hunter2@nas:folder", "rsync://nas/x"])
def test_target_that_is_refused_is_a_reason_and_not_repeated(path, settings, target):
    settings.REPORT_SYNC_DIR = target
    sent = publish(path)
    assert "REPORT_SYNC_DIR" in sent.told
    row = PublishedReport.objects.get()
    assert (row.status, row.target) == ("failed", "REPORT_SYNC_DIR")
    assert "hunter2" not in f"{sent.told}{row.reason}{row.target}"


@pytest.mark.parametrize("place", [".", "below"])
def test_folder_of_the_reports_is_no_target(path, settings, place):
    settings.REPORT_SYNC_DIR = str(settings.REPORT_DIR / place)
    assert "리포트 폴더 안" in publish(path).told
    assert path.read_bytes() == b"%PDF one"


def test_file_with_a_place_of_its_own_stays_there(path, drive):
    assert publish(path, to_send=False) is None
    assert list(drive.iterdir()) == []


def test_file_that_cannot_be_written_is_neither_sent_nor_on_record(path, drive):
    path.parent.mkdir()
    path.parent.joinpath("x").write_text("")
    with pytest.raises(PublishFailed):
        publish(path.parent / "x" / "a.pdf")
    assert list(drive.iterdir()) == []
    assert not PublishedReport.objects.exists()


def test_row_says_how_much_has_gone_while_it_goes(path, drive, monkeypatch):
    seen = []

    def slow(file, target, *, mount, forbidden, progress):
        for sent_bytes in (3, 5):
            progress(sent_bytes)
            monkeypatch.setattr(publishing, "SECONDS_BETWEEN_NEWS", 0)
            seen.append(PublishedReport.objects.values_list("status", "target", "sent_bytes").get())
        return Delivery("rsync", 1.0, "컴퓨터가 대답하지 않음", mount)

    monkeypatch.setattr(publishing, "SECONDS_BETWEEN_NEWS", 0)
    monkeypatch.setattr(publishing, "send", slow)
    publish(path)
    assert seen == [("sending", str(drive), 3), ("sending", str(drive), 5)]
    assert PublishedReport.objects.get().sent_bytes == 5


def test_database_that_cannot_be_written_to_loses_no_file(path, drive, monkeypatch, caplog):
    def broken(*arguments, **options):
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr(PublishedReport, "save", broken)
    caplog.set_level(logging.WARNING, "reports.publishing")
    assert publish(path).arrived
    assert (drive / path.name).read_bytes() == b"%PDF one"
    assert "could not be recorded" in caplog.text
    assert not PublishedReport.objects.exists()


def test_sender_that_died_does_not_stay_on_its_way(path, drive):
    publish(path, at=AT - timedelta(hours=1))
    publish(path, at=AT - timedelta(seconds=10))
    PublishedReport.objects.update(status="sending")
    publish(path)
    last, young, old = PublishedReport.objects.all()
    assert (last.status, young.status, old.status) == ("sent", "sending", "failed")
    assert "멈춤" in old.reason


def test_drive_that_is_not_mounted_any_more_is_known_from_the_last_row(path, drive):
    publish(path)
    PublishedReport.objects.update(mount=str(drive))
    assert "드라이브를 연결하거나" in publish(path).told


def test_old_rows_go(path, settings):
    settings.KEEP_RUN_DAYS = 90
    publish(path, at=AT - timedelta(days=91))
    publish(path, at=AT - timedelta(days=89))
    publish(path)
    assert PublishedReport.objects.count() == 2


# --- the admin ------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(name, *arguments):
    return reverse(f"admin:reports_publishedreport_{name}", args=arguments)


def test_admin_shows_the_table_and_changes_nothing(owner, path, settings, tmp_path):
    settings.REPORT_SYNC_DIR = str(tmp_path / "nothing" / "<b>AEGIS</b>")
    publish(path)
    row = PublishedReport.objects.get()
    for address in (page("changelist"), page("change", row.pk)):
        shown = owner.get(address).content.decode()
        assert "12345678" not in shown
        assert "1234****-01" in shown
        assert "못 보냄" in shown
        assert "폴더가 없음" in shown
        assert "<b>AEGIS" not in shown
    assert owner.get(page("add")).status_code == 403
    assert owner.post(page("change", row.pk), {}).status_code == 403
    assert owner.post(page("delete", row.pk), {"post": "yes"}).status_code == 403


def test_admin_takes_the_same_number_of_queries_for_more_rows(owner, path):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(page("changelist")).status_code == 200
        return len(captured)

    publish(path)
    queries()
    few = queries()
    for minute in range(20):
        about = replace(ABOUT, snapshot=None)
        publish_dashboard(
            cast("Any", "x"), Place.at(path), about=about, at=SIX_LATER + timedelta(minutes=minute)
        )
    assert queries() == few
