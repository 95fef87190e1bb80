"""Sectors, reconciliation and inquiries, as their owner reads them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from kis.advice import Advice
from kis.models import Stock as ListedStock
from kis.reconciliation import Check
from reports.amounts import IN_WON, Amounts
from reports.books import Books, BooksPage, fitting
from reports.figures import Broken
from reports.figures.reconciliation import Reconciliation
from reports.figures.sectors import first_sectors
from reports.layout import pages_of
from reports.palette import PRINT
from reports.paper import END
from reports.sheet import Sheet
from tests.factories import AT, Stock, snapshot, stocks, sync_run
from tests.reports.conftest import figures_of
from tests.reports.shapes import shapes_of

pytestmark = pytest.mark.django_db
CHIPS = (
    Stock(quantity=670),
    Stock(code="000660", name="SK하이닉스", price=248_000, average=170_922, quantity=85),
)


def listed(code, sector="", kind="stock"):
    ListedStock.objects.create(
        code=code, name=code, market="KOSPI", kind=kind, sector=sector, source="master", updated_at=AT
    )


@pytest.fixture
def dashboard():
    """Two makers of chips, one bank, one fund, and a stock nobody knows the sector of."""
    for code in ("005930", "000660"):
        listed(code, "반도체")
    listed("105560", "금융")
    listed("069500", "기타", kind="ETF")
    held = [
        *CHIPS,
        Stock(code="105560", name="KB금융", price=107_800, average=73_128, quantity=90),
        Stock(code="069500", name="KODEX 200", price=35_000, average=30_000, quantity=10),
        Stock(code="0000Z0", name="새 종목", price=900_000, average=1_000_000, quantity=50),
    ]
    return figures_of(snapshot(held, run=sync_run()))


def written(dashboard, amounts=IN_WON, top=26.0):
    sheet = Sheet()
    Books(dashboard, amounts).write(sheet, top)
    return sheet


def texts(sheet):
    return [run.text for label in sheet.labels for run in label.runs]


def test_sectors_add_up_and_agree_with_the_composition(dashboard):
    assert [(line.name, line.count) for line in dashboard.sectors] == [
        ("반도체", 2),
        ("금융", 1),
        ("ETF", 1),
        ("업종 미상", 1),  # not the largest one, though it is worth most: it is no sector
    ]
    assert sum(line.value for line in dashboard.sectors) == dashboard.total.value
    assert sum(line.profit for line in dashboard.sectors) == dashboard.total.profit
    shown = {sector.name: sector.weight for sector in dashboard.composition.sectors}
    assert {line.name: line.weight for line in dashboard.sectors} == {
        name: weight for name, weight in shown.items() if name != "현금"
    }


def test_small_sectors_are_put_together_without_losing_a_won(dashboard):
    lines = first_sectors(dashboard.sectors, 2)
    assert [(line.name, line.count) for line in lines] == [("반도체", 2), ("그 밖 3개", 3)]
    assert sum(line.value for line in lines) == dashboard.total.value
    assert first_sectors(dashboard.sectors, 4) == dashboard.sectors


def test_limit_is_a_tick_and_what_breaks_it_amber(dashboard):
    def amber(limit):
        sheet = written(replace(dashboard, advice=Advice(sector_limit=Decimal(limit))))
        drawn = shapes_of(sheet.svg(210, 297))
        ticks = [shape for shape in drawn if shape.stroke == PRINT.ink and not shape.wide]
        return texts(sheet), sum(shape.fill == PRINT.warn_mark for shape in drawn), len(ticks)

    found, bars, ticks = amber(30)
    assert "한도 30%" in found
    assert "반도체 47.5%, 한도 30% 넘음" in found
    assert (bars, ticks) == (1, 2)  # neither a fund nor an unknown sector has a limit
    assert amber(60)[1] == 0


def test_without_an_adviser_there_is_no_limit(dashboard):
    assert not any("한도" in text for text in texts(written(dashboard)))


def test_books_that_agree_say_so(dashboard):
    found = texts(written(dashboard))
    assert "우리 합계와 증권사 값이 모두 일치" in found
    assert found.count("0") == 4
    assert "동기화 #" + str(dashboard.sync_run_id) in found
    assert "잔고 TTTC8434R 20종목 0.21초 · 체결 TTTC0081R 7건 0.19초" in found


def differing(dashboard):
    checks = (
        Check("보유 평가금액 합", 100_000, 100_000),
        Check("오늘 체결 수량", 327, 328, "주", "삼성전자 005930"),
        Check("평가 + D+2 현금", 1_000_000, 1_057_200),
    )
    return replace(dashboard, reconciliation=Reconciliation(checks, 1_000_000))


def test_difference_is_amber_with_its_reason(dashboard):
    sheet = written(differing(dashboard))
    found = {label.text: label.color for label in sheet.labels}
    assert found["차이 2건, 가장 큰 것 57,200"] == PRINT.warn
    assert found["57,200"] == found["1주"] == found["삼성전자 005930"] == PRINT.warn
    grounds = [shape for shape in shapes_of(sheet.svg(210, 297)) if shape.fill == PRINT.warn_fill]
    assert len(grounds) == 2


def test_masked_books_name_no_amount(dashboard):
    whole = dashboard.account.total
    found = " ".join(texts(written(differing(dashboard), Amounts(whole))))
    for line in dashboard.sectors:
        assert f"{line.value:,}" not in found
        assert f"{abs(line.profit):,}" not in found
    assert "57,200" not in found
    assert "327" not in found
    assert "005930" not in found


def test_comparisons_that_differ_come_first_where_not_all_have_room():
    checks = [Check(f"비교 {place}", 1, 1) for place in range(12)] + [Check("다름", 1, 3, row="삼성전자")]
    shown = fitting(checks)
    assert shown[0].name == "다름"
    assert len(shown) == 8


def test_comparisons_that_have_no_room_are_counted(dashboard):
    checks = tuple(Check(f"비교 {place}", 1, 1) for place in range(12))
    crowded = replace(dashboard, reconciliation=Reconciliation(checks, 1))
    assert "외 3건" in texts(written(crowded))


def test_broken_sectors_say_so_and_leave_the_rest(dashboard):
    found = texts(written(replace(dashboard, sectors=Broken("오류가 나서 이 칸만 비워 두었습니다."))))
    assert "오류가 나서 이 칸만 비워 두었습니다." in found
    assert "대사" in found


def test_snapshot_without_a_run_has_no_inquiries(dashboard):
    found = texts(written(replace(dashboard, sources=(), sync_run_id=None)))
    assert "이 스냅샷에는 동기화 기록이 없습니다." in found


@pytest.mark.parametrize("count", [1, 20, 22, 23, 50, 51, 120])
def test_books_stand_below_the_table_or_on_a_page_of_their_own(count):
    pages = pages_of(figures_of(snapshot(stocks(count), with_closes=False, run=sync_run())))
    below = [page for page in pages if page.kind == "holdings" and page.has_books]
    alone = [page for page in pages if isinstance(page, BooksPage)]
    assert len(below) + len(alone) == 1
    assert bool(below) is (count % 50 in range(1, 23))
    for page in (*below, *alone):
        assert "업종별 소계" in texts(page.sheet)
        assert max(label.at[1] for label in page.sheet.labels) < END


def test_what_the_table_had_no_room_for_is_said_beside_the_books():
    named = [Stock(code=f"{place:06}", name=f"아주 긴 이름의 상장지수펀드 {place}") for place in range(50)]
    pages = pages_of(figures_of(snapshot(named, with_closes=False)))
    (page,) = [page for page in pages if isinstance(page, BooksPage)]
    found = " ".join(texts(page.sheet))
    assert "수량 옆 괄호는 지금 매도할 수 있는 수량입니다." in found
    assert "000000 아주 긴 이름의 상장지수펀드 0" in found
