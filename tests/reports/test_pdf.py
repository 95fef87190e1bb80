"""The PDF as its owner sees it: text, pages, fonts."""

import logging
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kis.korean import number, share, signed
from reports import fonts
from reports.pdf import render_html, render_pdf
from reports.printing import drawable
from tests.factories import AT, Stock, fill, report_fills, snapshot, sync_run
from tests.reports.conftest import fonts_of

#: The rows behind the printed pages come from the database that such tests are set up with.
pytestmark = pytest.mark.django_db


def squeezed(text):
    return re.sub(r"\s+", "", text)


def test_pdf_lists_every_holding_with_its_amounts(usual):
    table = usual.pages[1]
    for row in usual.dashboard.holdings:
        assert row.code in table
        assert number(row.value) in table
        assert signed(row.profit) in table
        assert squeezed(row.name) in squeezed(table)


def test_pdf_says_mode_account_and_time_on_every_page(usual):
    for place, text in enumerate(usual.pages, start=1):
        assert "실전" in text
        assert "1234****-01" in text
        assert "12345678" not in text
        assert "2025-06-16(월) 14:20:00 KST 기준" in text
        assert f"{place} / {len(usual.pages)}" in text
        assert f"스냅샷 #{usual.dashboard.snapshot_id} · 동기화 #{usual.dashboard.sync_run_id}" in text
        assert "TTTC8434R" in text


def test_pdf_totals_agree_between_the_pages(usual):
    total = usual.dashboard.total
    for text in usual.pages[:2]:
        assert signed(total.profit) in text
    assert number(total.value) in usual.pages[1]
    assert f"주식 {share(total.weight)}%" in usual.pages[0]
    assert f"{number(usual.dashboard.account.total)}원" in usual.pages[0]


def test_pdf_embeds_our_font_and_no_other(usual, crowded, empty):
    for rendered in (usual, crowded, empty):
        used = fonts_of(rendered.data)
        assert used
        assert all(is_embedded for _, is_embedded in used)
        assert {name.split("+")[1] for name, _ in used} <= {
            "Noto-Sans-KR",
            "Noto-Sans-KR-Medium",
            "Noto-Sans-KR-Bold",
        }


def test_pdf_text_has_only_signs_the_font_can_draw(usual):
    drawn = set(render_html(usual.dashboard))
    assert {sign for sign in drawn if ord(sign) not in fonts.supported_characters()} <= {"\n"}


def test_pdf_shows_markup_in_a_name_as_text(usual):
    html = render_html(usual.dashboard)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<script>" in usual.pages[1]


def test_pdf_marks_signs_that_no_font_has():
    supported = frozenset({ord("가"), ord("□")})
    assert drawable("가😀가", supported) == "가□가"
    assert drawable("가\u200b가", supported) == "가가"
    assert drawable("\u1100\u1161", supported) == "가"


def test_pdf_has_same_bytes_for_same_figures(empty):
    assert render_pdf(empty.dashboard) == empty.data


def test_pdf_renders_without_a_warning(usual, caplog):
    caplog.set_level(logging.WARNING)
    render_pdf(replace(usual.dashboard, holdings=usual.dashboard.holdings[:3]))
    assert caplog.records == []


def test_pdf_of_20_stocks_has_a_page_for_each_question(usual):
    assert len(usual.pages) == 4
    for page, title in zip(usual.pages, ("계좌 대시보드", "보유 종목", "2주 차트", "1분 차트"), strict=True):
        assert f"AEGIS {title}" in page


def test_pdf_puts_50_rows_on_a_page_and_repeats_the_head(crowded):
    assert len(crowded.pages) == 1 + 3 + 3 + 1  # no charts without prices
    assert [("평균단가" in page and "전일대비" in page) for page in crowded.pages[1:4]] == [True] * 3
    assert "합계 120종목" not in crowded.pages[2]
    assert "합계 120종목" in crowded.pages[3]
    assert all(f"종목{place:03}" in crowded.text for place in range(120))


def test_pdf_says_where_the_rest_of_a_long_list_is(crowded):
    assert "외 293건, 5쪽" in crowded.pages[0]
    assert "외 2건, 8쪽" in crowded.pages[0]
    listed = "".join(crowded.pages[4:7])
    assert all(number((10 + place) * 57_100) in listed for place in range(300))


def test_pdf_shows_a_difference(crowded, usual):
    assert "대사 차이 57,200원 · 평가 + D+2 현금" in crowded.pages[0]
    assert "증권사 값" in crowded.pages[0]
    assert f"우리 합계 {number(crowded.dashboard.reconciliation.our_total)}" in crowded.pages[0]
    assert "대사 일치" in usual.pages[0]
    assert "증권사 값이 모두 일치" in usual.pages[1]


def test_pdf_of_an_empty_paper_account_is_one_calm_page(empty):
    assert len(empty.pages) == 1
    text = empty.text
    assert "모의" in text
    assert "1억원" in text
    assert "보유 종목 없음" in text
    assert "오늘 체결 없음" in text
    assert "일별 주문 조회로 확인" in text
    assert "모의 미지원" in text
    assert "실전 계좌에서만" in text


def test_pdf_cash_table_names_the_settlement_days(usual):
    text = squeezed(usual.pages[0])
    assert "D+06/16(월)" in text
    assert "D+16/17(화)" in text
    assert "D+26/18(수)10,633,778" in text


def test_html_of_stale_data_says_its_age(render):
    rendered = render(lambda: snapshot([Stock()]), generated_at=AT + timedelta(minutes=47))
    assert "47분 지난 자료입니다." in rendered.text
    assert "생성 15:07:00" in rendered.text
    assert 'class="is-stale"' in render_html(rendered.dashboard)


def test_html_of_data_from_another_day_names_both_days(render):
    text = render(lambda: snapshot([Stock()]), generated_at=AT + timedelta(days=1)).text
    assert "1일 지난 자료입니다. 아래 값은 모두 2025-06-16(월) 14:20:00 기준입니다." in text
    assert "생성 2025-06-17(화) 14:20:00" in text


def test_pdf_names_failed_attempts(render, usual):
    def save():
        sync_run(at=AT + timedelta(minutes=5), status="failed", started_at=AT + timedelta(minutes=5))
        return snapshot([Stock()])

    assert "동기화 실패 14:25부터 1회" in render(save, generated_at=AT + timedelta(minutes=6)).text
    assert "동기화 실패" not in usual.text


def test_pdf_gives_the_brokers_estimate_where_no_fill_has_its_cost(render):
    def save():
        fill(1, commission=None, tax=None, cost_source="unknown")
        return report_fills(snapshot([Stock()], today_fee=12_337))

    assert "잔고의당일매매와일치628,100~12,337" in squeezed(render(save).text)


def test_pdf_of_demo_is_marked(render):
    rendered = render(lambda: snapshot([Stock()]), is_demo=True)
    for page in rendered.pages:
        assert "DEMO" in page
        assert "시뮬레이터 자료" in page


def test_pdf_survives_extremes(render):
    def save():
        held = [
            Stock(price=57_200, average=1_000.5, quantity=21_000_000, change=30.0),
            Stock(code="900110", name="㐀😀 이름", price=1, average=3.5, quantity=9_999_999, change=-30.0),
        ]
        return snapshot(
            held,
            cash=-1_000,
            orderable_cash=None,
            previous_assets=0,
            with_closes=False,
            run=sync_run(steps=[]),
        )

    rendered = render(save)
    assert "1조 2,012억원" in rendered.pages[0]
    assert "1,201,200,000,000" in rendered.pages[1]
    assert "▲+30.00%" in squeezed(rendered.pages[1])
    assert "▼−30.00%" in squeezed(rendered.pages[1])
    assert "□" in rendered.pages[1]
    assert "전일 자산 없음" in rendered.pages[0]
    assert "주문가능–" in squeezed(rendered.pages[0])
    assert len(fonts_of(rendered.data)) <= 5  # two of them are those of the table
