"""A part that fails stays a sentence in its own place; all others are there."""

import logging
import re
from dataclasses import replace
from typing import Any

import pytest

from kis.advice import Advice
from reports.advising import advice_on
from reports.figures import Broken, Dashboard
from reports.figures.broken import SENTENCE
from reports.pdf import render_html, render_pdf
from reports.queries import dashboard_rows
from tests.factories import AT, Stock, fill, index_closes, order, report_fills, snapshot, stocks, weeks_of
from tests.reports.conftest import figures_of, pages_of

pytestmark = pytest.mark.django_db

#: Where a part is computed, and the field of the dashboard it becomes.
COMPUTED = [
    ("reports.figures.dashboard.today_of", "today"),
    ("reports.figures.dashboard.trend_of", "trend"),
    ("reports.figures.dashboard.realised_of", "realised"),
    ("reports.figures.dashboard.composition_of", "composition"),
    ("reports.figures.dashboard.fills_of", "fills"),
    ("reports.figures.dashboard.open_orders_of", "open_orders"),
    ("reports.figures.dashboard.minutes_of", "minutes"),
]
#: What draws a part, and the title that stays above the sentence.
DRAWN = [
    ("reports.overview.total_card", "총평가금액"),
    ("reports.overview.today_card", "오늘 손익"),
    ("reports.overview.profit_card", "평가손익"),
    ("reports.overview.realised_card", "실현손익"),
    ("reports.overview.cash_card", "예수금"),
    ("reports.overview.trend_block", "자산 추이"),
    ("reports.overview.causes_block", "오늘 변동 원인"),
    ("reports.overview.composition_block", "구성"),
    ("reports.overview.fills_block", "오늘 체결"),
    ("reports.overview.orders_block", "미체결"),
    ("reports.overview.findings_block", "점검"),
    ("reports.overview.diagnosis_block", "AI 진단"),
    ("reports.overview.trend.asset_curve", "자산 추이"),
    ("reports.overview.causes.waterfall", "오늘 변동 원인"),
    ("reports.composition.donut", "구성"),
]
#: A word of each card and block that stands only there.
EVIDENCE = {
    "총평가금액": "주식 9",
    "오늘 손익": "KOSPI</span>",
    "평가손익": "매입 ",
    "실현손익": "비용·세금",
    "예수금": "주문가능",
    "자산 추이": "기간 수익률",
    "오늘 변동 원인": "오늘 매매 효과",
    "구성": "업종 비중",
    "오늘 체결": "잔고의 당일 매매와 일치",
    "미체결": "대기 금액",
    "점검": 'class="severity',
    "AI 진단": ">권유가<",
}
WITHOUT = {"today": ["오늘 손익", "오늘 변동 원인"], "trend": ["자산 추이"], "realised": ["실현손익"]}
WITHOUT |= {"composition": ["구성"], "fills": ["오늘 체결"], "open_orders": ["미체결"], "minutes": []}
WITHOUT |= {"advice": ["점검", "AI 진단"]}


@pytest.fixture
def account():
    weeks_of([100_000_000, 101_000_000], until=AT.date())
    index_closes([2_800, 2_900], until=AT.date())
    account = snapshot([*stocks(19), Stock()])
    fill(1)
    order(account, 1)
    return report_fills(account)


def figures(account) -> Dashboard:
    dashboard = figures_of(account)
    rows = dashboard_rows(mode="real", at=account.snapshot_at)
    return replace(dashboard, advice=advice_on(rows.position, at=account.snapshot_at))


def explode(*given, **options):
    raise ZeroDivisionError("secret 12345678 inside")


def assert_only_these_are_missing(html, titles):
    found = {title for title, word in EVIDENCE.items() if word not in html}
    assert found == set(titles)
    assert html.count('class="broken"') == len(titles)
    assert html.count(SENTENCE.split()[0]) == len(titles)
    for title in titles:
        assert re.search(rf">(<span class=\"letter\">.</span>)?{title}</div>", html)
    assert "ZeroDivisionError" not in html
    assert "Traceback" not in html
    assert "secret" not in html


def test_everything_is_there_when_nothing_fails(account):
    html = render_html(figures(account))
    assert_only_these_are_missing(html, [])


@pytest.mark.parametrize(("computes", "field"), COMPUTED, ids=[field for _, field in COMPUTED])
def test_part_that_cannot_be_computed_leaves_the_others(account, computes, field, monkeypatch, caplog):
    monkeypatch.setattr(computes, explode)
    dashboard = figures(account)
    assert getattr(dashboard, field) == Broken(SENTENCE)
    assert_only_these_are_missing(render_html(dashboard), WITHOUT[field])
    (record,) = [record for record in caplog.records if record.name == "reports.figures.broken"]
    assert "ZeroDivisionError" in (record.exc_text or "")  # the log has what the page has not
    assert record.levelno == logging.ERROR


@pytest.mark.parametrize(("draws", "title"), DRAWN, ids=[draws.rsplit(".", 1)[1] for draws, _ in DRAWN])
def test_part_that_cannot_be_drawn_leaves_the_others(account, draws, title, monkeypatch, caplog):
    dashboard = figures(account)
    monkeypatch.setattr(draws, explode)
    assert_only_these_are_missing(render_html(dashboard), [title])
    assert [record.name for record in caplog.records] == ["reports.figures.broken"]


def test_adviser_that_fails_leaves_the_page(account, settings, monkeypatch, caplog):
    monkeypatch.setattr("ai.diagnosis.advise", explode)
    dashboard = figures(account)
    assert dashboard.advice == Broken(SENTENCE)
    assert_only_these_are_missing(render_html(dashboard), WITHOUT["advice"])
    settings.ADVISER = "nobody.of.this.name"
    assert figures(account).advice == Broken(SENTENCE)


def test_page_with_every_part_broken_is_still_one_page(account):
    parts: dict[str, Any] = dict.fromkeys([*(field for _, field in COMPUTED), "advice"], Broken(SENTENCE))
    pages = pages_of(render_pdf(replace(figures(account), **parts)))
    assert pages[0].replace("\n", " ").count("비워 두었습니다") == 9
    assert "누락 분봉 알 수 없음" in pages[0]
    assert "평가손익" in pages[0]


def test_page_without_an_adviser_says_so(account):
    html = render_html(figures_of(account))
    assert "점검을 실행하지 않았습니다." in html
    assert "진단을 요청하지 않았습니다." in html


def test_adviser_with_nothing_to_say_says_nothing_wrong(account):
    html = render_html(replace(figures_of(account), advice=Advice()))
    assert "점검할 규칙이 없습니다." in html
    assert "아직" in html
