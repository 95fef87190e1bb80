"""The outbox: every alert once to each destination, whatever dies or is down, and no address anywhere."""

import json
import signal
from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path
from types import SimpleNamespace

import pytest

from aegis.alerts import sending
from aegis.alerts.destinations import destinations
from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert, AlertDelivery
from aegis.alerts.outbox import News, one_at_a_time, write
from aegis.alerts.quiet import read_quiet
from aegis.alerts.sending import LEASE, MOST_ATTEMPTS, claim, send_due
from aegis.logs import mask
from tests.aegis.alerting import TEN, TOKEN, everything_stored, mail_host, service
from tests.kis.many import run_python

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def bot(settings):
    settings.AEGIS_DEMO = False
    with service() as running:
        settings.NOTIFY_URLS = (running.url,)
        yield running


@pytest.fixture
def two(settings, bot):
    with service() as other:
        settings.NOTIFY_URLS = (bot.url, other.url)
        yield bot, other


def tell(key="1", *, at=TEN, kind=Kind.FILL, **more):
    with one_at_a_time():
        return write(News(kind, key, more.pop("title", f"일 {key}"), more.pop("text", "내용"), **more), at=at)


def states():
    return sorted(AlertDelivery.objects.values_list("status", flat=True))


# --- once -------------------------------------------------------------------------------------------------------------


def test_alert_is_sent_once(bot):
    tell()
    assert [str(sent) for sent in send_due(at=TEN)] == ["웹훅: 알림 1건 보냄"]
    assert send_due(at=TEN + MINUTE) == []
    assert bot.texts == ["[AEGIS] 일 1\n내용\n10:00"]
    row = AlertDelivery.objects.get()
    assert (row.status, row.sent_at, row.attempts, row.error) == ("sent", TEN, 1, "")


def test_same_event_is_written_once(bot):
    assert tell() is not None
    assert tell() is None
    assert tell(kind=Kind.KILL) is not None
    send_due(at=TEN)
    assert Alert.objects.count() == 2


def test_without_destinations_alerts_are_kept_to_be_read_and_never_sent_later(settings):
    settings.NOTIFY_URLS = ()
    tell()
    with service() as late:
        settings.NOTIFY_URLS = (late.url,)
        assert send_due(at=TEN + MINUTE) == []
        assert late.messages == []
    assert Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_eight_processes_one_sends_each_alert_and_a_killed_one_is_told_of(bot, tmp_path):
    nobody = SimpleNamespace(real=SimpleNamespace(app_key="", app_secret="", account="", url=""))
    patient = f"{bot.url}?cto=4&rto=10"  # as long as the product lets a service take
    told = json.loads(
        run_python([Path(__file__).with_name("racing.py")], nobody, tmp_path, "real", NOTIFY_URLS=patient)
    )
    text = "\n".join(bot.texts)
    assert told["exits"] == [0] * 16 + [-signal.SIGKILL]
    assert text.count("<same>") == 1
    assert [text.count(f"<{number}>") for number in range(20)] == [1] * 20
    assert told["settled"] == ["sent"] * 21
    # Killed between the service and the database: sent once more, after the lease, and it says so.
    assert [("<killed>" in one, "다시 보냄" in one) for one in bot.texts[-2:]] == [
        (True, False),
        (True, True),
    ]
    assert (text.count("<killed>"), told["last"]) == (2, ["sent", 2])


def test_mail_keeps_its_lines_and_letters(settings):
    settings.AEGIS_DEMO = False
    with mail_host() as (url, mails):
        settings.NOTIFY_URLS = (url,)
        tell(title="체결 S&P500", text="첫 줄 <1주>\n둘째 줄")
        assert [str(sent) for sent in send_due(at=TEN)] == ["메일: 알림 1건 보냄"]
    [mail] = [message_from_string(text, policy=policy.default) for text in mails]
    assert mail["subject"] == "[AEGIS] 체결 S&P500"
    assert mail["to"] == "owner@example.com"
    html, plain = (mail.get_body([kind]).get_content() for kind in ("html", "plain"))
    assert "첫 줄 &lt;1주&gt;<br/>둘째 줄" in html.replace("&nbsp;", " ")
    assert "첫 줄 <1주>\n둘째 줄" in plain.replace("\r", "")


# --- trouble ----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


def test_alert_of_a_sender_that_was_killed_is_sent_again_and_says_so(bot):
    tell()

    def killed(*arguments, **message):
        raise Killed

    with pytest.raises(Killed):
        send_due(at=TEN, hand_over=killed)
    assert states() == ["sending"]
    assert send_due(at=TEN + LEASE) == []  # its claim still holds
    later = TEN + LEASE + MINUTE
    assert len(send_due(at=later)) == 1
    assert bot.texts == ["[AEGIS] 일 1\n(다시 보냄: 앞서 보낸 것이 도착했는지 알 수 없습니다)\n내용\n10:00"]
    assert states() == ["sent"]


def test_sender_that_comes_back_after_its_lease_changes_nothing(bot):
    tell()
    [destination] = destinations()
    slow = claim(destination, at=TEN)
    send_due(at=TEN + LEASE + MINUTE)
    sending.record(slow, error="늦음", at=TEN + LEASE + 2 * MINUTE)
    row = AlertDelivery.objects.get()
    assert (row.status, row.error, row.attempts) == ("sent", "", 2)


def test_alert_whose_senders_are_all_lost_ends_as_unknown(bot):
    tell()
    [destination] = destinations()
    at = TEN
    for _ in range(MOST_ATTEMPTS):
        assert len(claim(destination, at=at)) == 1
        at += LEASE + MINUTE
    assert send_due(at=at) == []
    row = AlertDelivery.objects.get()
    assert (row.status, bot.messages) == ("unknown", [])
    assert "멈춰" in row.error


def test_service_that_is_down_is_tried_again_and_the_other_gets_nothing_twice(two):
    down, up = two
    down.status = 500
    tell()
    assert [str(sent) for sent in send_due(at=TEN)] == [
        "웹훅 1: 알림 1건 못 보냄. 서비스가 받지 않았습니다 (응답 500).",
        "웹훅 2: 알림 1건 보냄",
    ]
    assert send_due(at=TEN + timedelta(seconds=30)) == []
    down.status = 200
    assert [str(sent) for sent in send_due(at=TEN + MINUTE)] == ["웹훅 1: 알림 1건 보냄"]
    assert (len(down.messages), len(up.messages)) == (2, 1)
    assert "다시 보냄" in down.texts[1]
    assert states() == ["sent", "sent"]


def test_service_that_stays_down_is_left_alone_with_its_reason(bot):
    bot.status = 503
    tell()
    at = TEN
    for _ in range(20):
        send_due(at=at)
        at += timedelta(minutes=10)
    row = AlertDelivery.objects.get()
    assert (row.status, row.attempts, len(bot.messages)) == ("failed", MOST_ATTEMPTS, MOST_ATTEMPTS)
    assert "503" in row.error


def test_host_that_is_not_there_is_a_reason(settings):
    with service() as gone:
        settings.NOTIFY_URLS = (gone.url,)
    tell()
    [sent] = send_due(at=TEN)
    assert sent.error == "연결하지 못했거나 답이 없습니다."
    assert AlertDelivery.objects.get().status == "waiting"


def test_what_waits_for_a_destination_that_is_gone_is_given_up_after_a_day(bot, settings):
    tell()
    settings.NOTIFY_URLS = ()
    send_due(at=TEN + timedelta(hours=23))
    assert states() == ["waiting"]
    send_due(at=TEN + timedelta(hours=25))
    assert states() == ["failed"]
    assert "NOTIFY_URLS" in AlertDelivery.objects.get().error


# --- together, and at night -------------------------------------------------------------------------------------------


def test_alerts_of_one_minute_are_one_message_the_urgent_ones_first(bot):
    tell("1")
    tell("2", at=TEN + timedelta(seconds=5))
    tell("3", kind=Kind.KILL, at=TEN + timedelta(seconds=9))
    assert len(send_due(at=TEN + MINUTE)) == 1
    [text] = bot.texts
    assert text.startswith(
        "[AEGIS] 알림 3건 (긴급 1건)\n● 10:00 일 3\n내용\n● 10:00 일 1\n내용\n● 10:00 일 2"
    )


def test_what_does_not_fit_into_one_message_goes_in_several(bot):
    for number in range(7):
        tell(f"<{number}>", text="나" * 1_000)
    assert [sent.alerts for sent in send_due(at=TEN)] == [2, 2, 2, 1]
    assert max(map(len, bot.texts)) < 3_000


def test_quiet_hours_keep_alerts_and_let_the_urgent_ones_pass(bot, settings):
    settings.NOTIFY_QUIET = read_quiet("22:00-07:00")
    night = TEN.replace(hour=23)
    tell("1", at=night)
    tell("2", at=night + timedelta(hours=4))
    tell("3", at=night + MINUTE, kind=Kind.UNKNOWN)
    send_due(at=night + timedelta(hours=5))
    assert len(bot.messages) == 1
    assert "일 3" in bot.texts[0]
    morning = (TEN + timedelta(days=1)).replace(hour=7)
    assert send_due(at=morning - MINUTE) == []
    assert len(send_due(at=morning)) == 1
    assert bot.texts[1].startswith("[AEGIS] 알림 2건\n● 11-20 23:00 일 1\n내용\n● 03:00 일 2")


def test_second_attempt_waits_for_the_morning_too(bot, settings):
    settings.NOTIFY_QUIET = read_quiet("22:00-07:00")
    bot.status = 500
    tell(at=TEN.replace(hour=21, minute=59, second=30))
    send_due(at=TEN.replace(hour=21, minute=59, second=40))
    assert AlertDelivery.objects.get().due_at == (TEN + timedelta(days=1)).replace(hour=7)


@pytest.mark.parametrize(
    ("hours", "moment", "day", "hour"),
    [
        ("22:00-07:00", (20, 21, 59), 20, 21),
        ("22:00-07:00", (20, 22, 0), 21, 7),
        ("22:00-07:00", (20, 0, 0), 20, 7),
        ("22:00-07:00", (20, 6, 59), 20, 7),
        ("22:00-07:00", (20, 7, 0), 20, 7),
        ("12:00-13:00", (20, 12, 30), 20, 13),
        ("12:00 ~ 13:00", (20, 13, 0), 20, 13),
        ("12:00-13:00", (20, 11, 59), 20, 11),
    ],
)
def test_quiet_hours_end_where_they_say(hours, moment, day, hour):
    at = TEN.replace(day=moment[0], hour=moment[1], minute=moment[2])
    after = read_quiet(hours).first_moment_after(at)
    assert (after.day, after.hour) == (day, hour)
    assert after == at or after.minute == 0


def test_kind_that_is_switched_off_is_noted_and_not_sent(bot, settings):
    settings.NOTIFY_OFF = frozenset({Kind.FILL})
    tell()
    assert send_due(at=TEN) == []
    assert Alert.objects.count() == 1


def test_demo_says_that_it_is_one(bot, settings):
    settings.AEGIS_DEMO = True
    tell()
    send_due(at=TEN)
    assert bot.texts[0].startswith("[AEGIS 데모] ")


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 404])
def test_no_address_is_in_tables_logs_or_errors(bot, caplog, capfd, status):
    caplog.set_level("DEBUG")
    bot.status = status
    tell()
    results = send_due(at=TEN)
    shown = "\n".join([everything_stored(), *map(str, results), repr(destinations()), *capfd.readouterr()])
    logged = [record.getMessage() for record in caplog.records if record.levelno > 10]
    assert TOKEN in bot.paths[0]
    for text in (shown, *logged):
        assert TOKEN not in text
        assert "json://" not in text
        assert str(bot.port) not in text


def test_logs_hide_what_somebody_else_says_of_an_address(bot):
    assert TOKEN not in mask(f"POST http://127.0.0.1:{bot.port}/hook/{TOKEN} failed, {bot.url}")
    assert "127.0.0.1" in mask(f"POST http://127.0.0.1:{bot.port}/hook/{TOKEN}")
