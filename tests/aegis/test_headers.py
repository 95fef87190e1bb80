"""What browsers are told on every answer, and what the site is like where it is opened to others."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.urls import reverse

from aegis import checks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def owner(client, db):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["/healthz", "/admin/login/", "/", "/nothing", "/api/v1/accounts", "/static/admin/css/base.css"],
)
def test_every_answer_tells_browsers_to_be_careful(client, address):
    response = client.get(address)
    response.close()
    headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    if not address.startswith("/static/"):
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert "no-store" in headers["Cache-Control"]


def test_icon_of_the_site_is_all_that_lies_beside_its_pages(client, settings):
    icon = client.get("/favicon.ico")
    assert (icon.status_code, icon.getvalue()[:4]) == (200, b"\0\0\1\0")
    assert icon["Content-Type"].startswith("image/")
    assert icon["X-Content-Type-Options"] == "nosniff"
    assert [file.name for file in settings.WHITENOISE_ROOT.iterdir()] == ["favicon.ico"]


@pytest.mark.django_db
def test_strangers_get_the_sign_in_page_instead_of_a_page(client):
    for address in ("/", "/admin/", "/admin/kis/kisaccount/"):
        response = client.get(address, follow=True)
        assert response.redirect_chain[-1][0].startswith(reverse("login"))
        assert "아이디" in response.content.decode()


#: What a policy without 'unsafe-inline' would stop.
INLINE = re.compile(
    r"<style|\sstyle=|<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")|\son\w+=|javascript:",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "address",
    [
        "/admin/",
        "/admin/kis/kisholding/",
        "/admin/kis/marketday/add/",
        "/admin/auth/user/",
        "/admin/trading/killswitch/",
        "/admin/password_change/",
    ],
)
def test_pages_hold_nothing_that_the_policy_stops(owner, address):
    text = owner.get(address).content.decode()
    assert not INLINE.search(text), INLINE.search(text)


def test_sign_in_page_holds_nothing_that_the_policy_stops(client, db):
    assert not INLINE.search(client.get("/login/").content.decode())


def test_nothing_there_is_said_in_korean(client, owner):
    response = client.get("/nothing")
    assert response.status_code == 404
    assert "찾으시는 화면이 없습니다" in response.content.decode()


@pytest.mark.django_db
def test_watchers_learn_only_that_the_site_is_alive(client, monkeypatch):
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"status": "ok"})
    assert client.post("/healthz").status_code == 405

    def gone(*_arguments, **_named):
        raise OperationalError("server at 10.0.0.5 is gone")

    monkeypatch.setattr(connection, "cursor", gone)
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})


# --- opened to others ------------------------------------------------------------------------------------------------


def managed(*arguments, **variables):
    """Run a command of ours with the settings of an owner, and nothing of this machine's."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**plain, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def production(tmp_path):
    return {
        "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
        "AEGIS_VAR_DIR": str(tmp_path / "var"),
        "ALLOWED_HOSTS": "aegis.example.com",
        "DATABASE_URL": f"sqlite:///{tmp_path}/books.sqlite3",
        "AEGIS_DEMO": "false",
    }


def test_site_opened_to_others_passes_the_deployment_checks(production):
    done = managed("check", "--deploy", "--fail-level", "INFO", **production)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_site_opened_to_others_speaks_only_tls_and_keeps_its_cookies_to_it(production):
    probe = (
        "from django.conf import settings as s; "
        "print(s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, "
        "s.CSRF_COOKIE_HTTPONLY, s.SECURE_HSTS_SECONDS >= 31536000, s.DEBUG)"
    )
    done = managed("shell", "--no-imports", "-c", probe, **production)
    assert done.stdout.split() == ["True"] * 6 + ["False"], done.stderr


def test_site_on_this_machine_alone_needs_no_tls(production):
    probe = "from django.conf import settings as s; print(s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE)"
    done = managed("shell", "--no-imports", "-c", probe, **{**production, "ALLOWED_HOSTS": "127.0.0.1"})
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_others_without_tls_are_warned_of(settings):
    settings.IS_LOCAL, settings.AEGIS_HTTPS = False, False
    [warning] = checks.others_come_over_tls()
    assert warning.id == "aegis.W002"
    settings.AEGIS_HTTPS = True
    assert checks.others_come_over_tls() == []


def test_watchers_are_not_sent_to_tls(client, settings, db):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/admin/").status_code == 301
