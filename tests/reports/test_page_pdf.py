"""The PDF from the page: the command's own, and a page that says what to do where there is none."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from reports.fonts import FontsUnavailable
from tests.factories import AT, snapshot, stocks, sync_run
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db
ADDRESS = "/dashboard.pdf"


@pytest.fixture(autouse=True)
def one_moment(settings, monkeypatch):
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT + timedelta(seconds=6))


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def test_it_is_the_file_that_the_command_writes(owner, tmp_path):
    snapshot(stocks(3), run=sync_run())
    response = owner.get(ADDRESS)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert (
        response["Content-Disposition"] == 'attachment; filename="Kis_Dashboard_real_2025-06-16_142000.pdf"'
    )
    assert "no-store" in response["Cache-Control"]
    path = tmp_path / "command.pdf"
    call_command("kis_dashboard", output=str(path), verbosity=0)
    assert response.content == path.read_bytes()


def test_earlier_moments_can_be_printed(owner):
    snapshot(stocks(1), run=sync_run())
    snapshot(cash=5, at=AT - timedelta(days=3), with_closes=False)
    assert "2025-06-13" in owner.get(f"{ADDRESS}?as_of=2025-06-14")["Content-Disposition"]


def test_nothing_to_print_is_said_on_a_page(owner):
    response = owner.get(ADDRESS)
    assert response.status_code == 404
    assert "PDF를 만들 자료가 없습니다" in response.content.decode()
    assert owner.get(f"{ADDRESS}?account=없음").status_code == 404
    assert "as_of" in owner.get(f"{ADDRESS}?as_of=x").content.decode()


def test_missing_fonts_are_said_on_a_page(owner, monkeypatch):
    snapshot(stocks(1), run=sync_run())

    def missing():
        raise FontsUnavailable("한글 글꼴 패키지를 찾을 수 없습니다. 먼저 실행해 주세요: make setup")

    monkeypatch.setattr("reports.fonts.ensure_fonts", missing)
    response = owner.get(ADDRESS)
    assert response.status_code == 503
    assert "make setup" in response.content.decode()


def test_strangers_get_no_file(client):
    snapshot(stocks(1), run=sync_run())
    assert client.get(ADDRESS)["Location"].startswith("/login/")
    client.force_login(get_user_model().objects.create_user("reader", is_staff=True))
    assert client.get(ADDRESS).status_code == 403
