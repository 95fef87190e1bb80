"""Composition with targets and sectors, and fills next to what the balance has seen."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from kis.models import Stock as MasterStock
from kis.models import TargetWeight
from reports.figures import Composition, Fills
from reports.overview.composition import off_target, sector_labels
from tests.factories import AT, Stock, fill, report_fills, snapshot, stocks
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db

HALVES = [
    Stock(price=6_000, quantity=1_000),
    Stock(code="000660", name="SK하이닉스", price=3_000, quantity=1_000),
]
CASH = 1_000_000


def composition_of(held=HALVES) -> Composition:
    found = figures_of(snapshot(held, cash=CASH)).composition
    assert isinstance(found, Composition)
    return found


def want(**percents):
    for code, percent in percents.items():
        TargetWeight.objects.create(
            account_no="12345678", stock_code=code.removeprefix("_"), percent=Decimal(percent)
        )


def master(code, sector="", kind=MasterStock.Kind.STOCK):
    MasterStock.objects.create(
        code=code, name=code, market="KOSPI", kind=kind, sector=sector, source="master", updated_at=AT
    )


# --- targets ---------------------------------------------------------------------------------------------------------


def test_differences_from_the_targets_say_where_the_money_is_to_go():
    want(_005930=50, _000660=40, CASH=10)
    slices = composition_of().slices
    assert [(part.weight, part.target, off_target(part)) for part in slices] == [
        (Decimal("60.0"), Decimal(50), "+10.0"),
        (Decimal("30.0"), Decimal(40), "−10.0"),
        (Decimal("10.0"), Decimal(10), "0.0"),
    ]


def test_target_of_a_stock_that_is_not_held_has_a_line():
    want(_005930=50, _035420=40, CASH=10)
    slices = composition_of().slices
    assert [(part.name, part.target) for part in slices] == [
        ("삼성전자", 50),
        ("SK하이닉스", None),
        ("아직 없는 종목", 40),
        ("현금 D+2", 10),
    ]
    assert [off_target(part) for part in slices[1:3]] == ["–", "−40.0"]


def test_rest_has_a_target_only_where_each_of_its_stocks_has_one():
    held = stocks(12)
    want(**{f"_{stock.code}": 2 for stock in held})
    rest = composition_of(held).slices[8]
    assert (rest.kind, rest.target) == ("rest", Decimal(8))


def test_rest_with_a_stock_that_has_no_target_has_none():
    held = stocks(12)
    want(**{f"_{stock.code}": 2 for stock in held[1:]})  # the first is the smallest, one of the rest
    assert composition_of(held).slices[8].target is None


def test_targets_of_the_whole_account_leave_nothing_to_the_others():
    held = stocks(12)
    want(_010011=90, CASH=10)
    parts = composition_of(held)
    assert (parts.slices[8].target, parts.has_targets) == (Decimal(0), True)


def test_without_targets_there_is_nothing_to_compare_with():
    parts = composition_of()
    assert not parts.has_targets
    assert [part.target for part in parts.slices] == [None, None, None]


# --- sectors -----------------------------------------------------------------------------------------------------------


def test_sectors_add_up_with_cash():
    master("005930", "반도체")
    master("000660", "반도체")
    assert [(part.name, part.weight) for part in composition_of().sectors] == [
        ("반도체", Decimal("90.0")),
        ("현금", Decimal("10.0")),
    ]


def test_fund_is_in_no_sector_and_an_unknown_stock_comes_last():
    master("000660", "반도체", kind=MasterStock.Kind.ETF)
    assert [part.name for part in composition_of().sectors] == ["ETF", "업종 미상", "현금"]


def test_small_sectors_are_one():
    held = stocks(12)
    for place, stock in enumerate(held):
        master(stock.code, f"업종{place}")
    sectors = composition_of(held).sectors
    assert [part.kind for part in sectors] == ["sector"] * 6 + ["rest", "cash"]
    assert (sectors[6].name, sectors[6].count) == ("그 밖 6개", 6)
    assert sum(part.weight for part in sectors) == 100


def test_names_below_the_sectors_never_touch():
    held = stocks(12)
    for place, stock in enumerate(held):
        master(stock.code, f"아주 긴 이름의 업종 {place}")
    labels = sector_labels(composition_of(held).sectors)
    assert len(labels) >= 3
    lefts = [left for left, _, _ in labels]
    assert lefts == sorted(lefts)
    assert all(after - before >= 8 for before, after in pairwise(lefts))
    assert "그 밖 6개" in [name for _, name, _ in labels]


# --- fills -------------------------------------------------------------------------------------------------------------


def fills_of(account) -> Fills:
    found = figures_of(account).fills
    assert isinstance(found, Fills)
    return found


def test_fills_agree_with_the_balance():
    fill(1)
    fill(2, side="SELL", stock_code="000660", name="SK하이닉스")
    fills = fills_of(report_fills(snapshot([Stock()])))
    assert (fills.filled, fills.reported, fills.disagreements) == (23, 23, ())


def test_fill_that_the_balance_has_not_seen_is_named():
    fill(1)
    account = report_fills(snapshot([Stock()]))
    fill(2)
    fills = fills_of(account)
    assert (fills.filled, fills.reported) == (23, 11)
    assert [(row.name, row.filled, row.reported) for row in fills.disagreements] == [("삼성전자", 23, 11)]


def test_sale_and_purchase_do_not_make_up_for_each_other():
    fill(1)
    account = report_fills(snapshot([Stock()]))
    holding = account.holdings.get()
    holding.today_buy_qty, holding.today_sell_qty = 0, 11
    holding.save()
    fills = fills_of(account)
    assert fills.filled == fills.reported == 11
    assert [row.name for row in fills.disagreements] == ["삼성전자"]


def test_trades_that_only_the_balance_knows_are_named_without_any_fill():
    account = snapshot([replace(HALVES[0])])
    account.holdings.update(today_buy_qty=5)
    fills = fills_of(account)
    assert (fills.rows, [row.reported for row in fills.disagreements]) == ((), [5])
