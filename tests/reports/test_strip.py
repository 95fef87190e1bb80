"""The line below the head: what it says, when it is amber, and what gives way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kis.models import KisAccount, PriceGap, SyncRun
from reports.strip import PAGE_WIDTH, strip_of
from tests.factories import AT, Stock, save_minutes, snapshot, sync_run
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db

CASH = 1_000_000
DIFFERENCE = {
    "name": "보유 평가금액 합",
    "ours": 1,
    "broker": 57_201,
    "unit": "원",
    "row": "삼성전자 005930",
    "difference": 57_200,
}


def told(dashboard, **options):
    return [
        " ".join(filter(None, (item.label, item.strong, item.value, item.note)))
        for item in strip_of(dashboard, **options).items
    ]


def calm(**options):
    """Return the figures of a day on which nothing has moved."""
    stock = Stock()
    save_minutes([stock])
    worth = stock.price * stock.quantity + CASH
    account = snapshot([stock], cash=CASH, previous_assets=worth, today_fee=12_337, with_closes=False)
    KisAccount.objects.filter(pk=account.pk).update(net_assets=worth - 12_337)
    return figures_of(account, **options)


def test_calm_day_is_grey():
    dashboard = replace(calm(), next_update=AT + timedelta(minutes=10))
    assert told(dashboard) == [
        "정규장 09:00–15:30",
        "대사 일치",
        "누락 분봉 0",
        "오늘 비용 ~12,337 추정",
        "생성 14:20:06",
        "다음 갱신 14:30",
    ]
    assert not strip_of(dashboard).is_troubled


def test_page_that_nobody_renews_says_so():
    dashboard = replace(calm(), is_unscheduled=True)
    assert told(dashboard)[-1] == "다음 갱신 예약 없음"
    assert not strip_of(dashboard).is_troubled
    demo = replace(dashboard, is_demo=True, generated_at=dashboard.as_of)
    assert strip_of(demo).fitting()[-1].value == "예약 없음"  # rather than the same time twice


def test_demo_comes_first():
    assert told(calm(is_demo=True))[0] == "시뮬레이터 자료 실제 계좌가 아닙니다"


def test_update_of_another_day_has_its_day():
    dashboard = replace(calm(), next_update=AT + timedelta(days=1))
    assert told(dashboard)[-1] == "다음 갱신 6/17(화) 14:20"


def test_stale_data_is_amber_and_says_how_old_it_is():
    sync_run(
        at=AT + timedelta(minutes=10), status=SyncRun.Status.FAILED, started_at=AT + timedelta(minutes=10)
    )
    dashboard = calm(generated_at=AT + timedelta(minutes=47))
    assert told(dashboard)[:2] == [
        "47분 지난 자료입니다. 아래 값은 모두 14:20:00 기준입니다.",
        "동기화 실패 14:30부터 1회",
    ]
    assert strip_of(dashboard).is_troubled
    assert not any(text.startswith(("생성", "오늘 비용")) for text in told(dashboard))
    later = replace(dashboard, next_update=AT + timedelta(minutes=50))
    assert told(later)[-1] == "다음 시도 15:10"


def test_difference_is_amber_and_named():
    dashboard = figures_of(snapshot([Stock()], run=sync_run(checks=[DIFFERENCE])))
    different = replace(
        dashboard.reconciliation.checks[0], broker=dashboard.reconciliation.checks[0].ours + 57_200
    )
    checks = (different, *dashboard.reconciliation.checks[1:])
    dashboard = replace(dashboard, reconciliation=replace(dashboard.reconciliation, checks=checks))
    assert "대사 차이 57,200원 · 보유 평가금액 합" in told(dashboard)
    assert "대사 차이 · 보유 평가금액 합" in told(dashboard, is_masked=True)
    assert strip_of(dashboard).is_troubled


def test_missing_minutes_are_amber_and_counted():
    at = AT.replace(hour=10, minute=30)
    for code, minutes in (("005930", 2), ("000660", 0)):
        PriceGap.objects.create(
            stock_code=code,
            what=PriceGap.What.MINUTE,
            first_at=at,
            last_at=at + timedelta(minutes=minutes),
            found_at=AT,
        )
    dashboard = figures_of(snapshot([Stock(), Stock(code="000660")]))
    assert "누락 분봉 4분 · 2종목" in told(dashboard)
    assert strip_of(dashboard).is_troubled


def test_minutes_that_nobody_fetched_are_not_called_complete():
    assert "누락 분봉 받기 전" in told(figures_of(snapshot([Stock()])))
    closed = figures_of(snapshot([Stock()], at=AT.replace(hour=16, minute=0)))
    assert not any(text.startswith("누락 분봉") for text in told(closed))


def test_unexplained_won_are_amber():
    dashboard = figures_of(snapshot([Stock()], previous_assets=1))
    assert strip_of(dashboard).is_troubled


def test_closed_day_names_the_day_of_its_costs():
    dashboard = figures_of(snapshot([Stock()], at=AT - timedelta(days=1), today_fee=5))
    assert told(dashboard)[0] == "휴장"
    assert "6/13(금) 비용 ~5 추정" in told(dashboard)


def test_masked_strip_has_no_won():
    masked = told(calm(), is_masked=True)
    assert masked[3] == "금액 가림 비율만 보입니다"
    assert not any("비용" in text for text in masked)


def test_what_matters_least_gives_way_first():
    strip = strip_of(replace(calm(is_demo=True), next_update=AT + timedelta(days=1)))
    assert len(strip.fitting()) < len(strip.items)
    fitting = [item.label or item.strong or item.value for item in strip.fitting(120)]
    assert fitting[:3] == ["시뮬레이터 자료", "정규장", "대사"]
    assert sum(item.width for item in strip.fitting()) < PAGE_WIDTH
    assert len(strip.fitting(1)) == 1
