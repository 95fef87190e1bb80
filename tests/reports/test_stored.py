"""Published files through the site: found in the storage by their row, whichever machine printed them."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from kis.client.codes import AccountNumber
from kis.grants import grant
from reports import publishing
from reports.access import SHOWN
from reports.models import PublishedReport
from reports.publishing import About, publish_dashboard
from reports.shelf import Place
from tests.factories import AT, snapshot
from tests.kis.owning import of_owner
from tests.reports.test_shelf import BUCKET, Bucket

pytestmark = pytest.mark.django_db
ADDRESS = "/dashboard.pdf"
MINE = AccountNumber("12345678", "01")
NAME = "Kis_Dashboard.pdf"


@pytest.fixture(autouse=True)
def bucket(settings, monkeypatch):
    """Let reports lie in a storage without paths, and be nothing but marks."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    settings.REPORT_SYNC_DIR = ""
    settings.STORAGES = {**settings.STORAGES, "reports": {"BACKEND": "tests.reports.test_shelf.Bucket"}}
    monkeypatch.setattr(publishing, "render_pdf", lambda page, amounts: page.encode())
    BUCKET.clear()


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def printed(page, *, minutes=0, account=MINE):
    at = AT + timedelta(minutes=minutes)
    about = About(account, is_paper=False, as_of=at, snapshot=None)
    sent = publish_dashboard(page, Place.named(NAME), about=about, at=at)
    return PublishedReport.objects.latest("pk"), sent


def test_last_report_of_an_account_is_handed_out(owner):
    snapshot(cash=1)
    printed("%PDF one")
    printed("%PDF two", minutes=10)
    response = owner.get(f"{ADDRESS}?report=last")
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response.getvalue() == b"%PDF two"
    assert "Kis_Dashboard_2025-06-16_143000.pdf" in unquote(response["Content-Disposition"])
    assert "no-store" in response["Cache-Control"]


def test_report_is_found_by_its_row_as_long_as_it_lies_there(owner):
    first, _ = printed("%PDF one")
    second, _ = printed("%PDF two", minutes=10)
    assert owner.get(f"{ADDRESS}?report={first.pk}").getvalue() == b"%PDF one"
    third, _ = printed("%PDF three", minutes=20)
    assert owner.get(f"{ADDRESS}?report={third.pk}").getvalue() == b"%PDF three"
    assert owner.get(f"{ADDRESS}?report={second.pk}").getvalue() == b"%PDF two"
    gone = owner.get(f"{ADDRESS}?report={first.pk}")
    assert gone.status_code == 404
    assert "남아 있지 않습니다" in gone.content.decode()


def test_report_that_was_sent_with_less_in_it_is_another_file(owner, settings, tmp_path, monkeypatch):
    settings.REPORT_SYNC_DIR = str(tmp_path)
    settings.REPORT_PRIVACY = "percent"
    monkeypatch.setattr(publishing, "shown", lambda page, privacy: (f"{page} {privacy}", None))
    row, sent = printed("%PDF")
    assert sent.arrived
    assert (tmp_path / NAME).read_bytes() == b"%PDF percent"
    assert row.privacy == "percent"
    assert owner.get(f"{ADDRESS}?report={row.pk}").getvalue() == b"%PDF percent"
    assert owner.get(f"{ADDRESS}?report={row.pk - 1}").getvalue() == b"%PDF full"


@pytest.mark.parametrize("wanted", ["0", "999999", "x", "-1", "9" * 30, "１"])
def test_report_that_is_none_is_said_on_a_page(owner, wanted):
    response = owner.get(f"{ADDRESS}?report={wanted}")
    assert response.status_code == 404
    assert "리포트의 기록이 없습니다" in response.content.decode()


def test_nobody_sees_the_report_of_another_account(client):
    theirs, _ = printed("%PDF theirs", account=AccountNumber("87654321", "01"))
    mine, _ = printed("%PDF mine", minutes=10)
    user = get_user_model().objects.create_user("viewer", is_staff=True)
    names = [name.partition(".")[2] for name in SHOWN]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    grant(user, MINE, is_paper=False, role="viewer")
    client.force_login(user)
    assert client.get(f"{ADDRESS}?report={mine.pk}").getvalue() == b"%PDF mine"
    assert client.get(f"{ADDRESS}?report={theirs.pk}").status_code == 404


def test_storage_that_does_not_answer_is_said_on_a_page(owner, monkeypatch):
    row, _ = printed("%PDF one")
    monkeypatch.setattr(Bucket, "broken", ("exists", NAME, ConnectionError("key=hunter2")))
    response = owner.get(f"{ADDRESS}?report={row.pk}")
    assert response.status_code == 503
    assert "PDF를 줄 수 없습니다" in response.content.decode()
    assert "hunter2" not in response.content.decode()


def test_admin_leads_to_the_file(owner):
    row, _ = printed("%PDF one")
    page = owner.get(reverse("admin:reports_publishedreport_changelist")).content.decode()
    assert f'href="{ADDRESS}?report={row.pk}"' in page
