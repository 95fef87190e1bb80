"""The watch at the ways out sees what it is there for."""

import logging

import pytest
import requests
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import path
from django_q.signing import SignedPackage

from ai.prompts import prompt_for
from ai.providers import Purpose
from kis.simulator.gateway import Credentials
from reports.sheet import Sheet
from tests.canaries import PASSWORDS

SECRET = Credentials.fixed("real").app_secret
TOKEN = f"aegis_{'0a' * 32}"

urlpatterns = [path("", lambda request: HttpResponse(f"<p>{SECRET}</p>"))]


@pytest.fixture
def got_out(the_watch):
    """Return how many secrets were seen on a way, which are forgiven here."""

    def count(way_out):
        seen = [line for line in the_watch.found if line.startswith(f"{way_out}:")]
        assert len(seen) == len(the_watch.found), the_watch.found
        assert not any(secret in line for line in seen for secret in (SECRET, TOKEN, *PASSWORDS))
        the_watch.found.clear()
        return len(seen)

    return count


@pytest.mark.django_db
@pytest.mark.parametrize(
    "secret", [SECRET, TOKEN, PASSWORDS[0], "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0b2tlbiJ9.sig"]
)
def test_a_table(got_out, secret):
    get_user_model().objects.filter(first_name=secret).first()
    assert got_out("table") == 1


@pytest.mark.urls("tests.aegis.test_canaries")
def test_an_answer(got_out, settings):
    settings.MIDDLEWARE = []
    Client().get("/")
    assert got_out("answer") == 1


def test_a_line_of_the_log(got_out):
    logging.getLogger("aegis.somewhere").warning("signed in with %s", PASSWORDS[1])
    assert got_out("log") == 1


def test_a_line_that_hides_it_is_none(got_out):
    logging.getLogger("aegis.somewhere").warning("asked with %s", TOKEN)
    assert got_out("log") == 0


def test_an_address(got_out):
    requests.Request("GET", "http://127.0.0.1/", params={"appsecret": SECRET}).prepare()
    assert got_out("address") == 1


def test_an_argument_of_a_task(got_out):
    SignedPackage.dumps({"func": "kis.tasks.refresh", "args": (), "kwargs": {"key": SECRET}})
    assert got_out("task") == 1


def test_a_terminal(got_out, capsys):
    print(PASSWORDS[0])  # noqa: T201  # what the watch must see
    capsys.readouterr()
    assert got_out("terminal") == 1


@pytest.mark.parametrize("secret", [SECRET, "1234567801", "50012345-01"])
def test_print(got_out, secret):
    Sheet().label((1.0, 1.0), f"계좌 {secret}", color="#000")
    assert got_out("print") == 1


def test_a_page_of_print(got_out):
    render_to_string("reports/print/_overview.html", {"cards": [{"html": SECRET}]})
    assert got_out("print") == 1


def test_a_number_that_holds_that_of_an_account_is_none(got_out):
    Sheet().label((1.0, 1.0), "112,345,678원 · 0112345678", color="#000")
    assert got_out("print") == 0


def test_a_prompt(got_out):
    prompt_for('{"account": "12345678-01"}', purpose=Purpose.PORTFOLIO)
    assert got_out("prompt") == 1
