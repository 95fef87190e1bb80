"""Every gate: shut, open at its very edge, and shut where its fact is not known."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from kis.calendar import use_days
from kis.client.records.orders import Side
from kis.portfolio.costs import CommissionPlan
from tests.trading.drafting import FRIDAY, RULES, at, draft, facts
from trading.limits import Gate, Refusal, refusals, refusals_of_cancel, warnings

SELL = {"side": Side.SELL}
MARKET = {"price": 0}
MARKET_SELL = {"side": Side.SELL, "price": 0}


@pytest.fixture(autouse=True)
def estimate_only():
    """Let no test rely on days that another one has learnt."""
    use_days({})


PASSES = [
    ({}, {}),
    (SELL, {}),
    (MARKET, {}),
    (MARKET_SELL, {}),
    ({}, {"mode": "paper", "real_enabled": False}),
    ({}, {"now": at("08:30")}),
    ({}, {"now": at("15:29:59")}),
    (MARKET, {"now": at("09:00")}),
    (MARKET, {"now": at("15:19:59")}),
    ({}, {"clock_skew": timedelta(seconds=-5)}),
    ({}, {"price_at": FRIDAY - timedelta(seconds=30)}),
    ({}, {"price_at": FRIDAY + timedelta(seconds=5)}),
    ({"price": 75_000}, {}),
    ({"price": 68_000}, {}),
    ({"price": 35_005}, {"kind": "ETF", "last_price": 35_000, "lower_limit": 24_500}),
    ({"price": 92_300, "quantity": 1}, {"last_price": 92_300}),
    ({"price": 49_700}, {"last_price": 49_700}),
    ({}, {"cash": 710_099}),
    (SELL, {"sellable": 10}),
    (SELL, {"cash": None}),
    ({}, {"sellable": None}),
    ({}, {"amount_today": 19_290_000}),
    ({"quantity": 70, "price": 71_400}, {"cash": 10_000_000}),
    ({}, {"free_disk_bytes": 100_000_000}),
    (MARKET_SELL, {"upper_limit": None}),
]


@pytest.mark.parametrize(("wished", "known"), PASSES)
def test_order_passes(wished, known):
    assert refusals(draft(**wished), facts(**known), RULES) == []


REFUSED = [
    # order, facts, the gates, the beginning or a part of the first message
    ({}, {"is_halted_by_switch": True}, "kill_switch", "켜져 있습니다. 까닭을 확인한 뒤 manage.py kill_switch off"),
    ({}, {"is_halted_by_switch": None}, "kill_switch", "확인하지 못해"),
    ({}, {"real_enabled": False}, "real_trading", "REAL_TRADING_ENABLED=true를 넣으세요"),
    ({}, {"may_trade": False}, "permission", "권한이 없습니다"),
    ({}, {"now": at("08:29:59")}, "session", "2026-11-20(금) 08:30부터"),
    ({}, {"now": at("15:30")}, "session", "2026-11-23(월) 08:30부터"),
    ({}, {"now": at("10:00", day=datetime.fromisoformat("2026-11-21T00:00:00+09:00"))}, "session", "11-23(월)"),
    ({}, {"now": datetime.fromisoformat("2026-11-19T23:29:59+00:00")}, "session", "2026-11-20(금) 08:30부터"),
    (MARKET, {"now": at("08:59:59")}, "session", "09:00부터 15:20까지만"),
    (MARKET, {"now": at("15:20")}, "session", "지정가로 주문해 주세요"),
    ({}, {"is_halted": True}, "halted", "거래가 정지된"),
    ({}, {"is_halted": None}, "halted", "확인하지 못했습니다"),
    ({}, {"token_fresh": False}, "token", "토큰"),
    ({}, {"token_fresh": None}, "token", "토큰"),
    ({}, {"clock_skew": timedelta(seconds=6)}, "clock", "6초 빠릅니다"),
    ({}, {"clock_skew": timedelta(seconds=-300)}, "clock", "5분 느립니다"),
    ({}, {"clock_skew": None}, "clock", "확인하지 못했습니다"),
    ({}, {"price_at": FRIDAY - timedelta(seconds=31)}, "stale_price", "31초 전"),
    (MARKET, {"price_at": FRIDAY + timedelta(seconds=6)}, "stale_price", "지금보다 늦습니다"),
    ({}, {"price_at": None}, "stale_price", "현재가를 확인하지 못했습니다"),
    ({}, {"last_price": None}, "stale_price collar", "현재가를 확인하지 못했습니다"),
    ({}, {"last_price": 0}, "stale_price collar", "현재가를 확인하지 못했습니다"),
    (MARKET_SELL, {"last_price": None}, "stale_price order_amount day_amount", "현재가를 확인하지 못했습니다"),
    ({"price": 75_100}, {}, "collar", "현재가 71,500원에서 5% 넘게 벗어납니다. 68,000원부터 75,000원까지"),
    ({"price": 67_900}, {}, "collar", "68,000원부터 75,000원까지"),
    ({"price": 71_050}, {}, "tick", "71,050원은 호가 단위 100원에 맞지 않습니다. 71,000원이나 71,100원으로 주문하세요."),
    ({}, {"kind": None}, "collar tick cash", "종목 종류를 몰라"),
    ({"price": 92_400, "quantity": 1}, {"last_price": 92_300}, "daily_limit", "상한가 92,300원보다 높습니다. 오늘은 49,700원부터 92,300원"),
    ({"price": 49_650}, {"last_price": 49_700}, "daily_limit", "하한가 49,700원보다 낮습니다"),
    ({}, {"upper_limit": None}, "daily_limit", "확인하지 못했습니다"),
    ({}, {"lower_limit": None}, "daily_limit", "확인하지 못했습니다"),
    ({}, {"base_price": None}, "daily_limit", "확인하지 못했습니다"),
    ({}, {"lower_limit": 0}, "daily_limit", "확인하지 못했습니다"),
    ({}, {"base_price": 100_000}, "daily_limit", "확인하지 못했습니다"),
    (MARKET, {"upper_limit": None}, "cash order_amount day_amount", "확인하지 못했습니다"),
    ({}, {"cash": 710_098}, "cash", "수수료까지 710,099원이 필요한데 710,098원이 있습니다. 9주까지"),
    ({"quantity": 60}, {}, "cash", "59주까지 주문할 수 있습니다."),
    ({**MARKET, "quantity": 46}, {}, "cash", "상한가 92,300원으로 계산하므로 수수료까지 4,246,396원이 필요"),
    ({}, {"cash": 0}, "cash", "한 주도 주문할 수 없습니다"),
    ({}, {"cash": -1}, "cash", "한 주도 주문할 수 없습니다"),
    ({}, {"cash": None}, "cash", "확인하지 못했습니다"),
    (SELL, {"sellable": 9}, "sellable", "9주까지 팔 수 있습니다"),
    (SELL, {"sellable": 0}, "sellable", "팔 수 있는 수량이 없습니다"),
    (SELL, {"sellable": None}, "sellable", "확인하지 못했습니다"),
    ({"quantity": 71}, {"cash": 10_000_000}, "order_amount", "5,000,000원까지 주문할 수 있는데 이 주문은 5,041,000원입니다. 70주까지"),
    ({**MARKET_SELL, "quantity": 70}, {}, "order_amount", "69주까지"),
    ({}, {"amount_today": 19_290_001}, "day_amount", "오늘은 709,999원 남았습니다. 9주까지"),
    ({}, {"amount_today": 30_000_000}, "day_amount", "오늘은 0원 남았습니다. 한 주도"),
    ({}, {"amount_today": None}, "day_amount", "확인하지 못했습니다"),
    ({}, {"has_unsettled_order": True}, "unsettled", "같은 주문을 다시 내지 말고 manage.py reconcile_orders"),
    ({}, {"has_unsettled_order": None}, "unsettled", "확인하지 못했습니다"),
    ({}, {"free_disk_bytes": 99_999_999}, "disk", "100MB가 비어 있어야 하는데 99MB뿐입니다"),
    ({}, {"free_disk_bytes": None}, "disk", "확인하지 못했습니다"),
]  # fmt: skip


@pytest.mark.parametrize(("wished", "known", "gates", "message"), REFUSED)
def test_order_is_refused_at_the_gate_with_advice(wished, known, gates, message):
    found = refusals(draft(**wished), facts(**known), RULES)
    assert [refusal.gate for refusal in found] == gates.split()
    assert message in found[0].message


def test_all_reasons_come_in_the_order_of_the_gates():
    nothing = facts(
        now=at("20:00"),
        is_halted_by_switch=None,
        real_enabled=False,
        may_trade=False,
        has_unsettled_order=None,
        token_fresh=None,
        clock_skew=None,
        last_price=None,
        price_at=None,
        base_price=None,
        upper_limit=None,
        lower_limit=None,
        kind=None,
        is_halted=None,
        cash=None,
        sellable=None,
        amount_today=None,
        free_disk_bytes=None,
    )
    shut = {refusal.gate for refusal in refusals(draft(), nothing, RULES)}
    shut |= {refusal.gate for refusal in refusals(draft(**MARKET_SELL), nothing, RULES)}
    assert shut == set(Gate)
    assert [refusal.gate for refusal in refusals(draft(), nothing, RULES)] == [
        gate for gate in Gate if gate not in {Gate.SELLABLE, Gate.ORDER_AMOUNT}
    ]


def test_day_on_which_the_exchange_stays_closed_is_no_session():
    holiday = datetime.fromisoformat("2026-12-25T10:00:00+09:00")
    assert [refusal.gate for refusal in refusals(draft(), facts(now=holiday), RULES)] == ["session"]


def test_owner_who_pays_more_commission_needs_more_cash():
    dear = replace(RULES, plan=CommissionPlan("전화", rates=((date.min, Decimal("0.005")),)))
    assert refusals(draft(), facts(cash=713_550), dear) == []
    assert refusals(draft(), facts(cash=713_549), dear)[0].gate == Gate.CASH


@pytest.mark.parametrize("field", ["now", "price_at"])
def test_time_without_zone_is_an_error_of_the_caller(field):
    with pytest.raises(ValueError, match="naive"):
        facts(**{field: datetime(2026, 11, 20, 10, 2)})  # noqa: DTZ001  # that is the point


# --- cancellations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"is_halted_by_switch": True, "has_unsettled_order": True, "is_halted": True},
        {"is_halted_by_switch": None, "has_unsettled_order": None, "last_price": None, "cash": None},
        {"now": at("08:00")},
        {"now": at("19:59:59")},
    ],
)
def test_cancel_is_always_possible_while_a_venue_is_open(known):
    assert refusals_of_cancel(facts(**known), RULES) == []


def test_cancel_is_refused_where_it_could_not_be_sent_or_recorded():
    known = facts(
        now=at("20:00"),
        real_enabled=False,
        may_trade=False,
        token_fresh=None,
        clock_skew=None,
        free_disk_bytes=0,
    )
    found = refusals_of_cancel(known, RULES)
    assert [refusal.gate for refusal in found] == [
        "real_trading",
        "permission",
        "session",
        "token",
        "clock",
        "disk",
    ]
    assert found[2] == Refusal(
        Gate.SESSION, "지금은 취소를 받지 않는 시간입니다. 2026-11-23(월) 08:00부터 취소할 수 있습니다."
    )


# --- warnings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wished", "known", "said"),
    [
        ({}, {}, []),
        ({"price": 73_000}, {}, ["현재가 71,500원과 +2.10% 차이입니다. 불리한 가격이니 다시 확인해 주세요."]),
        (
            {"price": 73_000, **SELL},
            {},
            ["현재가 71,500원과 +2.10% 차이입니다. 바로 체결되지 않을 수 있습니다."],
        ),
        ({"price": 70_000}, {}, ["현재가 71,500원과 −2.10% 차이입니다. 바로 체결되지 않을 수 있습니다."]),
        (
            {"price": 70_000, **SELL},
            {},
            ["현재가 71,500원과 −2.10% 차이입니다. 불리한 가격이니 다시 확인해 주세요."],
        ),
        (MARKET, {}, ["시장가는 얼마에 체결될지 모릅니다. 상한가 92,300원까지 살 수 있습니다."]),
        (MARKET_SELL, {}, ["시장가는 얼마에 체결될지 모릅니다. 하한가 49,700원까지 팔릴 수 있습니다."]),
        (MARKET_SELL, {"upper_limit": None}, ["시장가는 얼마에 체결될지 모릅니다."]),
        ({}, {"cash": 1_420_198}, ["주문가능금액의 50.0%를 씁니다."]),
        ({}, {"cash": 1_420_199}, []),
        ({}, {"cash": None}, []),
        ({}, {"cash": -1}, []),
        (SELL, {"cash": 1}, []),
        ({}, {"now": at("08:45")}, ["장이 열리기 전이라 09:00 시가 단일가로 체결됩니다."]),
        ({}, {"now": at("15:09:59")}, []),
        ({}, {"now": at("15:10")}, ["10분 뒤인 15:20부터 종가 단일가로 넘어갑니다."]),
        ({}, {"now": at("15:19:15")}, ["45초 뒤인 15:20부터 종가 단일가로 넘어갑니다."]),
        (
            MARKET_SELL,
            {"now": at("15:19:15"), "lower_limit": None},
            [
                "시장가는 얼마에 체결될지 모릅니다.",
                "45초 뒤인 15:20부터 시장가 주문을 받지 않습니다.",
            ],
        ),
        (
            {},
            {"now": at("15:25")},
            ["종가 단일가 시간이라 15:30에 한 번에 체결되고, 남으면 취소됩니다."],
        ),
        ({}, {"now": at("18:00")}, []),
        ({}, {"last_price": None}, []),
    ],
)
def test_what_is_worth_saying_is_said(wished, known, said):
    assert warnings(draft(**wished), facts(**known), RULES) == said
