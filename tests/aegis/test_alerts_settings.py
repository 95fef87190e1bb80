"""Settings, admin, doctor and the test message: a mistake is told by its place, never by its address."""

import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aegis.alerts.addresses import read_addresses, service_names
from aegis.alerts.kinds import LABELS, Kind, read_off
from aegis.alerts.models import Alert, AlertDelivery, AlertRule
from aegis.alerts.outbox import News, one_at_a_time, write
from aegis.alerts.quiet import read_quiet
from aegis.alerts.sending import send_due
from aegis.checks import alerts_can_leave
from aegis.health.alerts import alerts
from aegis.health.case import Case
from tests.aegis.alerting import TEN, TOKEN, service
from tests.aegis.examining import OK, PROBLEM, SKIPPED, WARNING, assert_found

ROOT = Path(__file__).resolve().parents[2]


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("json://localhost/a", 1),
        ("tgram://1:a/2, slack://x/y/z", 2),
        ("mailtos://me:word@gmail.com?to=a@b.kr,c@d.kr,json://localhost", 2),
        ("json://localhost\tjson://localhost", 1),
        ("json://localhost/a json://localhost/b ,", 2),
    ],
)
def test_addresses_are_told_apart(text, count):
    assert len(read_addresses(text)) == count


@pytest.mark.parametrize(
    "text", [TOKEN, f"json://localhost, {TOKEN}", f"tgram:// {TOKEN}", f"://{TOKEN}", f"json:///{TOKEN}"]
)
def test_address_that_cannot_be_read_is_named_by_its_place(text):
    with pytest.raises(ValueError, match="번째 주소를 읽을 수 없습니다") as refused:
        read_addresses(text)
    assert TOKEN not in str(refused.value)


def test_services_have_names_that_say_nothing_of_their_addresses():
    urls = ["tgram://1:a/2", "slack://a", "tgram://3:b/4", "mailtos://x", "matrix://y"]
    assert service_names(urls) == ["텔레그램 1", "슬랙", "텔레그램 2", "메일", "matrix"]


@pytest.mark.parametrize("text", ["22-07", "25:00-07:00", "22:00", "22:00-22:00", "밤"])
def test_quiet_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="NOTIFY_QUIET"):
        read_quiet(text)


def test_kinds_are_switched_off_by_name():
    assert read_off("fill, summary") == {Kind.FILL, Kind.SUMMARY}
    assert read_off("") == frozenset()
    for text in ("fil", "start"):
        with pytest.raises(ValueError, match=r"NOTIFY_OFF의 .*fill, refused"):
            read_off(text)


def test_every_kind_has_a_name_and_a_line_in_the_guide():
    guide = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    assert LABELS.keys() == set(Kind)
    for kind in set(Kind) - {Kind.START}:
        assert f"| `{kind}` | {LABELS[kind]} |" in guide


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIFY_URLS", f"json://localhost {TOKEN}"),
        ("NOTIFY_QUIET", "22-7"),
        ("NOTIFY_OFF", "fill,x"),
        ("NOTIFY_PRIVACY", "none"),
    ],
)
def test_wrong_setting_stops_the_start_with_one_sentence(tmp_path, name, value):
    ran = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "notify_test"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **os.environ,
            "AEGIS_ENV_FILE": str(tmp_path / "none"),
            "AEGIS_VAR_DIR": str(tmp_path),
            name: value,
        },
    )
    assert ran.returncode != 0
    assert ran.stdout == ""
    [line] = ran.stderr.strip().splitlines()
    assert line.startswith(f"설정을 읽을 수 없습니다: {name}")
    assert TOKEN not in line


def test_address_that_no_service_knows_is_warned_of_at_the_start(settings):
    settings.NOTIFY_URLS = ("json://localhost/a", f"nonsense://{TOKEN}", f"tgram://{TOKEN}")
    found = alerts_can_leave()
    assert [warning.id for warning in found] == ["aegis.W003"] * 2
    assert "2번째" in found[0].msg
    assert TOKEN not in str(found)


# --- the test message -------------------------------------------------------------------------------------------------


def test_test_message_says_of_each_destination_whether_it_took_it(settings, capsys):
    settings.AEGIS_DEMO = False
    with service() as one, service() as other:
        settings.NOTIFY_URLS = (one.url, other.url)
        call_command("notify_test")
        assert capsys.readouterr().out == "웹훅 1: 보냈습니다.\n웹훅 2: 보냈습니다.\n"
        assert one.texts[0].startswith("[AEGIS] 시험 알림\n이 메시지가 보이면")
        other.status = 403
        with pytest.raises(CommandError, match="보내지 못한 대상이 있습니다: 웹훅 2"):
            call_command("notify_test")
    shown = capsys.readouterr().out
    assert "웹훅 1: 보냈습니다.\n웹훅 2: 서비스가 받지 않았습니다 (응답 403)." in shown
    assert TOKEN not in shown


def test_test_message_without_destinations_says_what_to_do(settings):
    settings.NOTIFY_URLS = ()
    with pytest.raises(CommandError, match="NOTIFY_URLS"):
        call_command("notify_test")


# --- the doctor -------------------------------------------------------------------------------------------------------


def tell(key="1", **more):
    with one_at_a_time():
        return write(News(Kind.FILL, key, f"일 {key}", **more), at=TEN)


def examined(at=TEN):
    return alerts(Case("real", now=lambda: at))


@pytest.mark.django_db
def test_doctor_says_whether_alerts_leave(settings):
    settings.NOTIFY_URLS = ()
    assert_found(examined(), SKIPPED, "NOTIFY_URLS")
    settings.NOTIFY_URLS = ("json://localhost", f"nonsense://{TOKEN}")
    assert_found(examined(), PROBLEM, "2번째", "docs/alerts.md")
    with service() as bot:
        settings.NOTIFY_URLS = (bot.url,)
        settings.NOTIFY_PRIVACY = "masked"
        settings.NOTIFY_QUIET = read_quiet("22:00-07:00")
        assert_found(examined(), OK, "웹훅에 금액과 수량 없이 알립니다. 쉬는 시간 22:00-07:00.")
        tell()
        assert_found(examined(TEN + timedelta(minutes=11)), PROBLEM, "1건", "aegis_1min_alerts")
        bot.status = 500
        for minutes in range(0, 200, 10):
            send_due(at=TEN + timedelta(minutes=minutes))
        assert_found(examined(TEN + timedelta(hours=3)), WARNING, "보내지 못한 알림이 1건", "notify_test")
        assert_found(examined(TEN + timedelta(days=3)), OK)


# --- the admin --------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(db):
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(client, path):
    return client.get(f"/admin/alerts/{path}").content.decode()


def test_list_shows_where_each_alert_went_without_a_query_for_each(owner, settings):
    with service() as bot:
        settings.NOTIFY_URLS = (bot.url,)
        tell()
        send_due(at=TEN)
        with CaptureQueriesContext(connection) as one:
            shown = page(owner, "alert/")
        assert "웹훅 보냄" in shown
        for number in range(2, 6):
            tell(str(number))
        with CaptureQueriesContext(connection) as several:
            shown = page(owner, "alert/")
    assert "웹훅 기다림" in shown
    assert len(one) == len(several)
    assert TOKEN not in shown
    alert = Alert.objects.earliest("pk")
    shown = page(owner, f"alert/{alert.pk}/change/")
    assert "보낸 곳" in shown
    assert 'name="_save"' not in shown
    assert TOKEN not in shown


def test_owner_writes_rules_and_a_price_for_all_stocks_is_refused(owner):
    values = {
        "stock_code": " 00593k ",
        "measure": "price_up",
        "threshold": "71000",
        "enabled": "on",
        "note": "",
    }
    assert owner.post("/admin/alerts/alertrule/add/", values).status_code == 302
    saved = AlertRule.objects.get()
    assert (saved.stock_code, saved.threshold) == ("00593K", Decimal(71_000))
    for wrong, sentence in (
        ({"stock_code": ""}, "가격 기준에는 종목코드를"),
        ({"stock_code": "5930"}, "종목코드는 6자리"),
        ({"threshold": "0"}, "0.01"),
        ({}, "같은 기준이 이미 있습니다."),
    ):
        response = owner.post("/admin/alerts/alertrule/add/", values | wrong)
        assert sentence in response.content.decode()
    assert "00593K" in page(owner, "alertrule/")
    assert AlertDelivery.objects.count() == 0
