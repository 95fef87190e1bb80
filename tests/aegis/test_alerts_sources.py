"""What is told: from the books as they stand, each event once, with as much in it as the owner lets out."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Task

from aegis.alerts.collecting import collect, prune
from aegis.alerts.minute import tell
from aegis.alerts.models import Alert, AlertRule
from aegis.alerts.restored import withhold_restored
from aegis.alerts.sources import orders
from ai.models import Diagnosis
from kis.calendar import Day, Hours, use_days
from kis.models import KisExecution, KisOrderDetail, SyncRun
from reports.models import PublishedReport
from tests.aegis.alerting import TEN, everything_stored, minute, service, written
from tests.factories import Stock, closed_day, fill, hold, snapshot
from tests.kis.owning import of_owner
from tests.trading.conftest import make_order
from trading import kill_switch
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
ACCOUNT = {"account_no": "12345678", "product_code": "01", "is_paper": False}
#: As on the day of the college entrance exam.
LATE = Day(opens=True, settles=True, hours=Hours(time(10), time(16, 30)))
SAMSUNG = Stock(price=70_000, average=60_000.0, quantity=10, change=1.5)


@pytest.fixture(autouse=True)
def owner(settings):
    """Configure one account in real trading, and nobody to be told."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    settings.NOTIFY_URLS = ()


def begin(at=TEN - MINUTE):
    """Look once at an account that has been synced, so that what comes is new."""
    run(at)
    assert minute(at) == []


def run(at=TEN, *, job="aegis_1min_realtime", status="complete", checks=(), error=""):
    checks = [
        {"name": name, "ours": 100, "broker": 100 + apart, "unit": "원", "row": "", "difference": apart}
        for name, apart in dict(checks).items()
    ]
    return SyncRun.objects.create(
        job=job,
        started_at=at,
        finished_at=None if status == "running" else at,
        status=status,
        checks=checks,
        differences=sum(1 for check in checks if check["difference"]),
        error=error,
        **ACCOUNT,
    )


def text_of(title):
    return Alert.objects.get(title=title).text


# --- fills ------------------------------------------------------------------------------------------------------------


def test_what_the_first_sync_brought_is_told_to_nobody():
    assert minute(TEN - 2 * MINUTE) == []
    fill(1, at=TEN)  # in the middle of the first sync
    assert minute(TEN - MINUTE) == []
    run(TEN)
    fill(2, at=TEN)
    assert minute() == []
    fill(3, at=TEN)
    assert len(minute(TEN + MINUTE)) == 1


def test_each_growth_of_a_fill_is_told_once():
    begin()
    row = fill(1, at=TEN, exec_qty=3, exec_price=57_000, exec_amt=171_000)
    assert minute() == ["실전 1234****-01 매수 체결 삼성전자 3주"]
    assert minute(TEN + MINUTE) == []
    row.exec_qty, row.exec_amt, row.exec_price = 10, 571_500, 57_150
    row.save()
    assert minute(TEN + 2 * MINUTE) == ["실전 1234****-01 매수 체결 삼성전자 7주"]
    assert minute(TEN + 3 * MINUTE) == []
    assert text_of("실전 1234****-01 매수 체결 삼성전자 7주") == (
        "삼성전자 005930 매수 7주 × 57,214원 = 400,500원 (모두 10주, 평균 57,150원). 주문번호 1"
    )


def test_fill_that_comes_once_more_into_restored_books_says_so():
    begin()
    withhold_restored(at=TEN + MINUTE)
    fill(1, at=TEN)
    fill(2, at=TEN, exec_tmd=(TEN + 2 * MINUTE).time())
    assert len(minute(TEN + 3 * MINUTE)) == 2
    told, new = Alert.objects.filter(kind="fill").order_by("pk").values_list("text", flat=True)
    assert told.endswith("\n백업에서 되살리기 전에 낸 주문이라 이미 알렸을 수 있습니다.")
    assert "되살리기" not in new


def test_fill_of_friday_that_comes_to_light_on_monday_has_its_day():
    begin()
    fill(1, at=TEN)
    minute(TEN + timedelta(days=3))
    assert Alert.objects.get(kind="fill").text.startswith("11/20(금) 삼성전자")


def test_fills_of_an_account_that_is_new_are_not_news(settings):
    begin()
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01", paper="50012345-01")
    fill(1, at=TEN, is_paper=True, account_no="50012345")
    SyncRun.objects.filter(pk=run(TEN).pk).update(is_paper=True, account_no="50012345")
    assert minute() == []
    fill(2, at=TEN, is_paper=True, account_no="50012345")
    assert minute(TEN + MINUTE) == ["모의 5001****-01 매수 체결 삼성전자 12주"]


# --- orders -----------------------------------------------------------------------------------------------------------


def claimed(at=TEN, **changes):
    order = make_order(at=at, **changes)
    step(order, State.SENDING, at=at, what="claimed", values={"claimed_at": at, "market_at": at})
    return order


def test_unknown_order_is_told_within_a_minute_and_so_is_its_end():
    begin()
    order = claimed()
    step(order, State.UNKNOWN, at=TEN, what="answered", values={"reason": "답이 없었습니다."})
    [title] = minute(TEN + timedelta(seconds=50))
    assert title == "실전 1234****-01 결과를 모르는 주문"
    alert = Alert.objects.get(kind="unknown")
    assert alert.is_urgent
    assert "매수 삼성전자 005930 10주 50,000원\n답이 없었습니다." in alert.text
    assert "다시 주문하지 말고" in alert.text
    assert minute(TEN + 2 * MINUTE) == []
    values = {"odno": "0000000001", "branch": "00950", "ord_dt": TEN.date()}
    step(order, State.ACCEPTED, at=TEN, what="adopted", values=values)
    assert minute(TEN + 3 * MINUTE) == ["실전 1234****-01 모르던 주문의 결과를 확인함"]
    assert minute(TEN + 4 * MINUTE) == []
    assert Alert.objects.get(pk=alert.pk).ended_at == TEN + 3 * MINUTE


def test_order_whose_sender_died_is_told_before_anybody_settles_it():
    begin()
    order = claimed()
    assert minute(TEN + timedelta(seconds=20)) == []
    assert minute(TEN + timedelta(seconds=50)) == ["실전 1234****-01 결과를 모르는 주문"]
    assert "멈춘 것 같습니다" in Alert.objects.get(kind="unknown").text
    step(order, State.UNKNOWN, at=TEN + MINUTE, what="left_behind", values={"reason": "멈췄습니다."})
    assert minute(TEN + 2 * MINUTE) == []


def test_order_that_is_being_sent_is_waited_for_so_that_no_minute_is_lost():
    begin()
    order = claimed(at=TEN - timedelta(seconds=1))
    waited: list[float] = []

    tell(at=TEN, market_at=TEN, sleep=waited.append)  # the sender is dead already
    assert waited == [25.0]
    assert Alert.objects.get(kind="unknown").created_at == TEN + timedelta(seconds=25)
    tell(at=TEN + MINUTE, market_at=TEN + MINUTE, sleep=waited.append)
    step(order, State.UNKNOWN, at=TEN + MINUTE, what="left_behind")
    tell(at=TEN + 2 * MINUTE, market_at=TEN + MINUTE, sleep=waited.append)
    assert (len(waited), len(written("unknown"))) == (1, 1)


def test_order_whose_answer_came_while_it_was_waited_for_is_no_news():
    begin()
    order = claimed()
    values = {"odno": "0000000001", "branch": "00950", "ord_dt": TEN.date()}
    tell(
        at=TEN + timedelta(seconds=1),
        market_at=TEN,
        sleep=lambda seconds: step(order, State.ACCEPTED, at=TEN, what="answered", values=values),
    )
    assert written("unknown") == []


def test_unknown_order_of_before_the_first_look_is_told():
    order = claimed()
    step(order, State.UNKNOWN, at=TEN, what="answered")
    assert minute() == ["실전 1234****-01 결과를 모르는 주문"]


def test_refusal_and_wrong_codes_are_told():
    begin()
    refused, locked = claimed(), None
    step(refused, State.REJECTED, at=TEN, what="answered", detail={"reason": "주문가능금액이 부족합니다."})
    locked = make_order(at=TEN)
    step(locked, State.LOCKED, at=TEN, what="locked")
    assert minute(TEN + MINUTE) == [
        "실전 1234****-01 증권사가 주문을 거절함",
        "실전 1234****-01 확인 코드를 세 번 틀림",
    ]
    assert "주문가능금액이 부족합니다." in text_of("실전 1234****-01 증권사가 주문을 거절함")
    assert minute(TEN + 2 * MINUTE) == []


def test_refusal_of_before_the_first_look_is_old():
    step(claimed(at=TEN - timedelta(hours=1)), State.REJECTED, at=TEN - timedelta(hours=1), what="answered")
    assert minute() == []


def test_order_of_the_phone_app_that_the_exchange_refused_is_told():
    begin()
    KisOrderDetail.objects.create(
        ord_dt=TEN.date(),
        ord_tmd=TEN.time(),
        ord_gno_brno="00950",
        odno="0000000077",
        stock_code="005930",
        stock_name="삼성전자",
        side="SELL",
        ord_qty=5,
        ord_unpr=90_000,
        rmn_qty=0,
        rjct_qty=5,
        status="rejected",
        **ACCOUNT,
    )
    assert minute() == ["실전 1234****-01 거래소가 주문을 거절함"]
    assert minute(TEN + MINUTE) == []
    assert "매도 삼성전자 005930 5주 90,000원, 주문번호 77" in Alert.objects.get(kind="refused").text


def test_kill_switch_is_told_on_and_off_each_time():
    begin()
    kill_switch.turn_on("오늘 결과를 알 수 없는 주문이 2건입니다.", at=TEN, by="AEGIS")
    assert minute() == ["주문 중지가 켜짐"]
    assert "2건입니다." in text_of("주문 중지가 켜짐")
    assert minute(TEN + MINUTE) == []
    kill_switch.turn_off(at=TEN + MINUTE, by="owner")
    assert minute(TEN + 2 * MINUTE) == ["주문 중지가 꺼짐"]
    kill_switch.turn_on("다시", at=TEN + 3 * MINUTE, by="owner")
    assert minute(TEN + 4 * MINUTE) == ["주문 중지가 켜짐"]
    assert list(Alert.objects.filter(kind="kill").order_by("pk").values_list("is_urgent", flat=True)) == [
        True,
        False,
        True,
    ]


# --- the books and the jobs -------------------------------------------------------------------------------------------


def test_old_data_is_told_once_and_so_is_the_end_of_it():
    begin(TEN)
    assert minute(TEN + timedelta(minutes=14)) == []
    assert minute(TEN + timedelta(minutes=15)) == ["실전 1234****-01 자료가 오래됨"]
    assert "15분 전" in Alert.objects.get(kind="stale").text
    assert minute(TEN + timedelta(minutes=16)) == []
    run(TEN + timedelta(minutes=20))
    assert minute(TEN + timedelta(minutes=21)) == ["실전 1234****-01 자료가 다시 들어옴"]
    assert minute(TEN + timedelta(minutes=30)) == []


@pytest.mark.parametrize(
    "now",
    [
        TEN.replace(hour=8, minute=54),  # before the window
        TEN.replace(hour=9, minute=9),  # its opening is less than a quarter of an hour ago
        TEN.replace(hour=15, minute=32),  # after it
        TEN + timedelta(days=1),  # a Saturday
    ],
)
def test_data_is_not_old_while_nobody_has_to_renew_it(now):
    run(TEN - timedelta(days=1))
    assert minute(now) == []


@pytest.mark.parametrize(
    ("clock", "is_told"), [((9, 30), False), ((10, 9), False), ((10, 10), True), ((16, 30), True)]
)
def test_data_grows_old_in_the_hours_of_the_day(clock, is_told):
    use_days({TEN.date(): LATE})
    run(TEN - timedelta(days=1))
    told = minute(TEN.replace(hour=clock[0], minute=clock[1]))
    assert told == ["실전 1234****-01 자료가 오래됨"] * is_told


def test_data_that_stays_old_is_told_once_a_day():
    run(TEN - timedelta(days=1))
    titles = [title for hour in range(9, 16) for title in minute(TEN.replace(hour=hour, minute=20))]
    monday = TEN + timedelta(days=3)
    titles += [title for hour in range(9, 16) for title in minute(monday.replace(hour=hour, minute=20))]
    assert titles == ["실전 1234****-01 자료가 오래됨"] * 2


def test_account_that_was_never_synced_and_a_demo_at_rest_have_no_old_data():
    assert minute() == []
    run(TEN)
    late = TEN + timedelta(hours=3)
    assert [alert.title for alert in collect(at=late, market_at=None)] == []


def test_difference_is_told_when_it_appears_and_when_it_is_gone():
    begin()
    run(TEN, checks={"보유 평가금액 합": 0, "오늘 체결 수량": 0})
    assert minute(TEN) == []
    run(TEN + MINUTE, checks={"보유 평가금액 합": 12_300, "오늘 체결 수량": 0})
    assert minute(TEN + MINUTE) == ["실전 1234****-01 대사 차이"]
    assert text_of("실전 1234****-01 대사 차이") == (
        "보유 평가금액 합: 우리 100원, 증권사 12,400원 (차이 +12,300원)"
    )
    run(TEN + 2 * MINUTE, checks={"보유 평가금액 합": 500, "오늘 체결 수량": 0})
    assert minute(TEN + 2 * MINUTE) == []
    run(TEN + 3 * MINUTE, checks={"오늘 체결 수량": 0})  # not compared: nobody knows
    assert minute(TEN + 3 * MINUTE) == []
    run(TEN + 4 * MINUTE, checks={"보유 평가금액 합": 0})
    assert minute(TEN + 4 * MINUTE) == ["실전 1234****-01 대사 차이 해소"]
    run(TEN + 5 * MINUTE, checks={"보유 평가금액 합": 7})  # comes and goes: told once a day
    assert minute(TEN + 5 * MINUTE) == []


def test_job_that_fails_three_times_in_a_row_is_told_once_until_it_works():
    titles = []
    statuses = ["failed", "failed", "complete", "failed", "quarantined", "abandoned", "failed", "complete"]
    for place, status in enumerate(statuses):
        at = TEN + place * MINUTE
        run(at, status=status, error="증권사에 연결하지 못했습니다." if status != "complete" else "")
        titles.append(minute(at))
    assert titles == [
        [],
        [],
        [],
        [],
        [],
        ["실전 1234****-01 1분 갱신 작업이 3번 이어서 실패함"],
        [],
        ["실전 1234****-01 1분 갱신 작업이 다시 됨"],
    ]
    assert "연결하지 못했습니다." in Alert.objects.filter(kind="job").earliest("pk").text


def test_look_for_orders_that_fails_is_told_although_it_leaves_no_run():
    for place in range(3):
        at = TEN + place * MINUTE
        Task.objects.create(
            id=f"{place}",
            name=f"{place}",
            func="aegis.tasks.settle_orders",
            started=at,
            stopped=at,
            success=False,
        )
    assert minute(TEN + 3 * MINUTE) == ["1분 주문 확인 작업이 3번 이어서 실패함"]
    assert minute(TEN + 4 * MINUTE) == []


def test_backup_that_fails_is_told_at_once():
    Task.objects.create(id="b", name="b", func="aegis.tasks.back_up", started=TEN, stopped=TEN, success=False)
    assert minute(TEN + MINUTE) == ["하루 백업 작업이 실패함"]
    assert minute(TEN + 2 * MINUTE) == []
    later = TEN + timedelta(days=1)
    Task.objects.create(
        id="c", name="c", func="aegis.tasks.back_up", started=later, stopped=later, success=True
    )
    assert minute(later) == ["하루 백업 작업이 다시 됨"]


def report(at, status):
    PublishedReport.objects.create(
        published_at=at,
        file_name="Kis_Dashboard.pdf",
        as_of=at,
        size=1,
        sha256="0" * 64,
        target="backup:/reports",
        method="rsync",
        status=status,
        reason="연결이 거절되었습니다" if status == "failed" else "",
        **ACCOUNT,
    )


def test_report_that_does_not_arrive_is_told_once_until_one_does():
    report(TEN, "sent")
    begin(TEN)
    titles = []
    for place, status in enumerate(["failed", "failed", "sent", "failed"], start=1):
        report(TEN + place * MINUTE, status)
        titles += minute(TEN + place * MINUTE)
    assert titles == [
        "실전 1234****-01 리포트를 보내지 못함",
        "실전 1234****-01 리포트가 다시 보내짐",
        "실전 1234****-01 리포트를 보내지 못함",
    ]
    assert "연결이 거절되었습니다" in Alert.objects.filter(kind="publish").latest("pk").text


# --- the owner's rules ------------------------------------------------------------------------------------------------


def look_at(*, at, price=70_000, change=0.0, gain=10.0, name="삼성전자", code="005930"):
    """Take a snapshot with one stock at these values, look, and return what is new."""
    account = snapshot(at=at, with_closes=False)
    held = hold(
        account, Stock(code=code, name=name, price=price, average=60_000.0, quantity=10, change=change)
    )
    held.evlu_pfls_rt = gain
    held.save()
    return minute(at)


def days_of(*values, name):
    """Return how many alerts there are at each of these values, a minute apart."""
    return [len(look_at(at=TEN + place * MINUTE, **{name: value})) for place, value in enumerate(values)]


def rule(measure, threshold, code="", **more):
    return AlertRule.objects.create(measure=measure, threshold=Decimal(threshold), stock_code=code, **more)


def test_price_speaks_when_it_is_reached_and_not_every_minute():
    rule("price_up", 71_000, "005930", note="절반 팔기")
    assert days_of(70_900, 71_000, 71_200, 70_900, 71_000, name="price") == [0, 1, 0, 0, 0]
    alert = Alert.objects.get(kind="rule")
    assert alert.title == "실전 1234****-01 삼성전자 현재가가 71,000원 이상"
    assert alert.text.splitlines()[1:] == ["기준: 현재가가 이 값 이상 (원) 71,000", "메모: 절반 팔기"]


def test_price_that_only_trembles_around_its_threshold_stays_told_on_the_next_day():
    rule("price_down", 70_000, "005930")
    assert len(look_at(at=TEN, price=69_900)) == 1
    assert look_at(at=TEN + MINUTE, price=70_600) == []  # less than one percent away
    monday = TEN + timedelta(days=3)
    assert look_at(at=monday, price=69_800) == []
    assert look_at(at=monday + MINUTE, price=70_700) == []  # has come back
    assert look_at(at=monday + 2 * MINUTE, price=69_900) != []
    assert look_at(at=monday + 3 * MINUTE, price=71_000) == []
    assert look_at(at=monday + 4 * MINUTE, price=69_000) == []  # once a day


def test_change_of_a_day_begins_anew_with_the_day():
    rule("day_down", 5)
    assert days_of(-4.9, -5.0, -7.0, -1.0, -6.0, name="change") == [0, 1, 0, 0, 0]
    assert look_at(at=TEN + timedelta(days=3), change=-5.5) == ["실전 1234****-01 삼성전자 전일 대비 −5.50%"]


def test_return_that_stays_beyond_its_threshold_is_not_told_every_day():
    rule("return_up", 20)
    assert look_at(at=TEN, gain=20.0) == ["실전 1234****-01 삼성전자 평가손익률 +20.00%"]
    for day in (3, 4, 5):
        assert look_at(at=TEN + timedelta(days=day), gain=21.0) == []


def test_rule_that_was_changed_begins_anew():
    changed = rule("return_down", 10)
    assert len(look_at(at=TEN, gain=-12.0)) == 1
    AlertRule.objects.filter(pk=changed.pk).update(threshold=11)
    assert len(look_at(at=TEN + MINUTE, gain=-12.0)) == 1


def test_rules_are_silent_for_other_stocks_old_snapshots_and_when_switched_off():
    rule("price_up", 1, "000660")
    rule("day_up", 1, enabled=False)
    assert look_at(at=TEN, change=3.0) == []
    rule("day_up", 2)
    assert minute(TEN + timedelta(days=3)) == []
    assert written("rule") == []


# --- once a day -------------------------------------------------------------------------------------------------------


def diagnose(account, *severities):
    stored = [
        {
            "rule": f"rule-{place}",
            "severity": severity,
            "title": "종목 편중",
            "subject": "",
            "limit": "",
            "sentence": f"삼성전자가 {place + 21}.0%입니다.",
            "stock_code": "005930",
            "numbers": {},
        }
        for place, severity in enumerate(severities)
    ]
    Diagnosis.objects.create(
        kis_account=account,
        content_hash="0" * 64,
        written_at=account.snapshot_at,
        findings=stored,
        **ACCOUNT,
    )


def test_urgent_findings_are_told_once_a_day():
    begin()
    diagnose(snapshot(at=TEN, with_closes=False), "경고", "주의")
    assert minute() == ["실전 1234****-01 점검 경고: 종목 편중"]
    diagnose(snapshot(at=TEN + MINUTE, with_closes=False), "경고")
    assert minute(TEN + MINUTE) == []
    monday = TEN + timedelta(days=3)
    run(monday)
    assert minute(monday) == []
    diagnose(snapshot(at=monday, with_closes=False), "경고")
    assert len(minute(monday + MINUTE)) == 1


def test_day_that_closes_later_is_summed_up_later():
    begin()
    use_days({TEN.date(): LATE})
    account = snapshot([SAMSUNG], at=TEN.replace(hour=16, minute=31), with_closes=False)
    closed_day(account, account.total_eval_amt, day_return=Decimal("-0.42"))
    assert minute(TEN.replace(hour=16, minute=39)) == []
    assert minute(TEN.replace(hour=16, minute=40)) == ["실전 1234****-01 11/20(금) 하루 요약 −0.42%"]


def test_day_is_summed_up_once_after_the_close():
    begin()
    account = snapshot([SAMSUNG], at=TEN.replace(hour=15, minute=31), with_closes=False)
    hold(account, Stock(code="000660", name="SK하이닉스", price=100, average=90.0, quantity=1, change=-2.0))
    fill(1, at=TEN, exec_qty=3, exec_price=57_000, exec_amt=171_000)
    minute()
    closed_day(
        account,
        account.total_eval_amt,
        day_profit=-12_345,
        day_return=Decimal("-0.42"),
        cumulative_return=Decimal("3.1"),
        realised_broker=0,
        buy_amt=171_000,
        sell_amt=0,
        fee=24,
        tax=0,
    )
    assert minute(TEN.replace(hour=15, minute=39)) == []
    assert minute(TEN.replace(hour=15, minute=40)) == ["실전 1234****-01 11/20(금) 하루 요약 −0.42%"]
    assert minute(TEN.replace(hour=15, minute=41)) == []
    assert Alert.objects.get(kind="summary").text.splitlines() == [
        f"총평가 {account.total_eval_amt:,}원, 주식 700,000원, D+2 예수금 10,633,778원",
        "일 손익 −12,345원, 일 수익률 −0.42%, 누적 +3.10%",
        "실현손익 0원, 수수료 24원, 세금 0원 (추정)",
        "매수 171,000원, 매도 0원, 체결 1건, 미체결 0건, 보유 2종목",
        "· 매수 삼성전자 3주 × 57,000원",
        "상승 삼성전자 ▲+1.50%",
        "하락 SK하이닉스 ▼−2.00%",
    ]


@pytest.mark.parametrize(("restored_at", "says_so"), [(time(15, 39), False), (time(15, 41), True)])
def test_summary_that_the_books_before_may_have_told_says_so(restored_at, says_so):
    begin()
    account = snapshot([SAMSUNG], at=TEN.replace(hour=15, minute=31), with_closes=False)
    closed_day(account, account.total_eval_amt)
    withhold_restored(at=datetime.combine(TEN.date(), restored_at, TEN.tzinfo))
    minute(TEN.replace(hour=15, minute=45))
    last = Alert.objects.get(kind="summary").text.splitlines()[-1]
    assert (last == "백업에서 되살리기 전에 마감한 날이라 이미 알렸을 수 있습니다.") is says_so


def test_day_without_a_close_is_not_summed_up():
    begin()
    account = snapshot([SAMSUNG], at=TEN, with_closes=False)
    closed_day(account, account.total_eval_amt)
    assert minute(TEN.replace(hour=16)) == []


# --- what is let out --------------------------------------------------------------------------------------------------


def eventful():
    """Let one of nearly everything happen."""
    begin()
    fill(1, at=TEN, exec_qty=3, exec_price=57_000, exec_amt=171_000, odno="0000098765")
    order = claimed()
    step(order, State.UNKNOWN, at=TEN, what="answered", values={"reason": "171,000원의 답이 없었습니다."})
    run(TEN, checks={"보유 평가금액 합": 12_300})
    rule("day_up", 1, note="171,000원")
    account = snapshot([SAMSUNG], at=TEN.replace(hour=15, minute=31), with_closes=False)
    diagnose(account, "경고")
    closed_day(account, account.total_eval_amt, day_return=Decimal("0.5"))
    return minute(TEN.replace(hour=15, minute=45))


@pytest.mark.parametrize("privacy", ["full", "masked", "percent"])
def test_account_number_is_nowhere_in_what_is_sent(settings, privacy):
    settings.NOTIFY_PRIVACY = privacy
    with service() as bot:
        settings.NOTIFY_URLS = (bot.url,)
        titles = eventful()
        text = "\n".join(bot.texts)
    assert len(titles) >= 6
    assert "12345678" not in text
    assert ("1234" in text) == (privacy == "full")
    for amount in ("171,000", "57,000", "3주", "10주", "12,300", "700,000", "98765", "10,633,778"):
        assert (amount in text) == (privacy == "full"), amount
    assert "삼성전자" in text
    assert "+0.50%" in text
    assert ("현재가 70,000원" in text) == (privacy != "percent")


# --- all of it --------------------------------------------------------------------------------------------------------


def test_source_that_breaks_is_in_the_log_and_the_others_go_on(caplog):
    begin()
    fill(1, at=TEN)

    def broken(view):
        raise ZeroDivisionError

    fresh = collect(at=TEN, market_at=TEN, sources=(broken, orders.fills))
    assert len(fresh) == 1
    assert "A source of alerts failed: broken" in caplog.text


def test_quiet_minute_asks_few_questions_however_much_there_is():
    begin()
    counts = []
    for place in range(2):
        for number in range(20):
            fill(100 * place + number, at=TEN)
        minute(TEN + place * MINUTE)
        with CaptureQueriesContext(connection) as captured:
            minute(TEN + place * MINUTE)
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert KisExecution.objects.count() == 40


def test_old_alerts_go_and_what_goes_on_stays():
    begin()
    kill_switch.turn_on("시험", at=TEN, by="owner")
    fill(1, at=TEN)
    assert len(minute()) == 2
    prune(at=TEN + timedelta(days=91))
    assert written() == ["주문 중지가 켜짐"]
    SyncRun.objects.update(finished_at=TEN + timedelta(days=91))
    assert minute(TEN + timedelta(days=91)) == []


def test_nothing_of_the_account_is_in_what_logs_repeat(caplog):
    begin()
    fill(1, at=TEN)
    minute()
    assert "12345678-01" not in caplog.text
    assert everything_stored()


def test_command_of_the_minute_says_what_it_sent(settings, capsys, monkeypatch):
    call_command("aegis_1min_alerts")
    assert capsys.readouterr().out == "보낼 알림 없음\n"
    kill_switch.turn_on("시험", at=timezone.now(), by="owner")
    with service() as bot:
        settings.NOTIFY_URLS = (bot.url,)
        call_command("aegis_1min_alerts")
    assert capsys.readouterr().out == "웹훅: 알림 1건 보냄\n"
    assert "주문 중지가 켜짐" in bot.texts[0]
