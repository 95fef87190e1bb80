"""Each rule at, below and above its limit, with data missing, and in words that are Korean."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from ai.limits import Limits
from ai.rules import RULES, examine
from kis.advice import Severity
from kis.korean import SEOUL
from kis.models import Stock
from kis.reconciliation import Check
from tests.ai.positions import (
    AGREES,
    AT,
    TOTAL,
    closed,
    days_before,
    held,
    listed,
    many,
    position,
    quiet_days,
    run,
    waiting,
)

TITLES = {rule.name: rule.title for rule in RULES}


def look(scene, rule, *, at=AT, limits=None):
    """Return the findings of one rule, or the reason for not judging; nothing found is an empty list."""
    seen = examine(scene, at=at, limits=limits or Limits())
    found = [finding for finding in seen.findings if finding.rule == rule]
    title = TITLES[rule]
    assert [title in seen.passed, bool(found), title in seen.unjudged].count(True) == 1
    return seen.unjudged.get(title, found)


def told(scene, rule, **how):
    """Return severity, subject and sentence of each finding of a rule."""
    return [(finding.severity, finding.subject, finding.sentence) for finding in look(scene, rule, **how)]


def test_quiet_account_passes_every_rule():
    seen = examine(position(), at=AT, limits=Limits())
    assert seen.findings == ()
    assert seen.unjudged == {}
    assert list(seen.passed) == [rule.title for rule in RULES]


def test_most_urgent_comes_first_and_equals_keep_the_order_of_the_rules():
    scene = position(
        [held(evlu_amt=20_100_000, evlu_pfls_rt=-20.0)],
        unfilled=[waiting(ord_tmd="090000")],
        stocks=[listed(halted=True)],
        targets={},
    )
    seen = examine(scene, at=AT, limits=Limits())
    assert [(finding.severity, finding.rule) for finding in seen.findings] == [
        (Severity.WARNING, "halted"),
        (Severity.WARNING, "stock_concentration"),
        (Severity.CAUTION, "losers"),
        (Severity.INFO, "unfilled_long"),
    ]
    assert [finding.title for finding in seen.findings[:2]] == ["거래정지", "종목 편중"]


# --- shares ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (19_900_000, None),
        (20_000_000, None),
        (20_040_000, None),  # is shown as 20.0 %
        (20_100_000, "20.1"),
        (55_000_000, "55.0"),
    ],
)
def test_one_stock_may_be_up_to_the_limit(value, words):
    found = told(position([held(evlu_amt=value)]), "stock_concentration")
    expected = (
        Severity.WARNING,
        f"삼성전자 {words}%",
        f"삼성전자는 총평가금액의 {words}%로 한도 20%를 넘습니다.",
    )
    assert found == ([expected] if words else [])


def test_concentration_carries_what_it_rests_on_and_its_bar():
    [found] = look(position([held(evlu_amt=25_000_000)]), "stock_concentration")
    assert found.numbers == {"weight_pct": Decimal(25), "limit_pct": Decimal(20), "value": 25_000_000}
    assert (found.limit, found.stock_code) == ("한도 20%", "005930")
    assert (found.share, found.limit_share) == (Decimal(1), Decimal("0.8"))


def test_a_fund_has_a_limit_of_its_own():
    fund = listed(kind=Stock.Kind.ETF, sector="")
    assert told(position([held(evlu_amt=40_000_000)], stocks=[fund]), "stock_concentration") == []
    [found] = look(position([held(evlu_amt=40_100_000)], stocks=[fund]), "stock_concentration")
    assert found.limit == "한도 40%"


@pytest.mark.parametrize(("each", "words"), [(14_900_000, None), (15_000_000, None), (15_100_000, "30.2")])
def test_stocks_of_a_sector_count_together(each, words):
    rows = [held(evlu_amt=each), held("000660", "SK하이닉스", evlu_amt=each)]
    chips = [listed(sector="반도체"), listed("000660", "SK하이닉스", sector="반도체")]
    found = told(position(rows, stocks=chips), "sector_concentration")
    sentence = f"반도체 업종 2종목이 총평가금액의 {words}%로 한도 30%를 넘습니다."
    assert found == ([(Severity.WARNING, f"반도체 {words}%", sentence)] if words else [])


def test_a_stock_without_sector_may_belong_to_the_largest_one():
    rows = [held(evlu_amt=20_000_000), held("000660", "SK하이닉스", evlu_amt=10_100_000)]
    reason = look(position(rows, stocks=[listed()]), "sector_concentration")
    assert reason == "업종을 모르는 종목이 있습니다: SK하이닉스"
    rows[1].evlu_amt = 10_000_000
    assert look(position(rows, stocks=[listed()]), "sector_concentration") == []


def test_funds_belong_to_no_sector():
    rows = [held(evlu_amt=50_000_000)]
    assert look(position(rows, stocks=[listed(kind=Stock.Kind.ETF)]), "sector_concentration") == []


@pytest.mark.parametrize(
    ("value", "index"),
    [(44_000_000, None), (44_721_359, None), (45_000_000, "2,025")],  # √2000 = 44.72…
)
def test_concentration_index_of_single_stocks(value, index):
    found = told(position([held(evlu_amt=value)]), "hhi")
    words = f"집중도 지수(HHI)가 {index}로 기준 2,000보다 높습니다. 삼성전자가 총평가금액의 45.0%입니다."
    assert found == ([(Severity.CAUTION, f"HHI {index}", words)] if index else [])


def test_concentration_index_leaves_funds_out():
    assert look(position([held(evlu_amt=90_000_000)], stocks=[listed(kind=Stock.Kind.ETF)]), "hhi") == []


@pytest.mark.parametrize(
    ("cash", "words"), [(5_100_000, None), (5_000_000, None), (4_900_000, "4.9"), (0, "0.0")]
)
def test_cash_from_the_limit_on_is_fine(cash, words):
    found = told(position(available=cash), "cash_floor")
    sentence = f"D+2 현금이 총평가금액의 {words}%로 기준 5%보다 적습니다."
    assert found == ([(Severity.CAUTION, f"D+2 현금 {words}%", sentence)] if words else [])


def test_cash_that_is_owed_is_told_once():
    scene = position(available=-1)
    assert look(scene, "cash_floor") == []
    [(severity, subject, sentence)] = told(scene, "misu")
    assert (severity, subject) == (Severity.CAUTION, "부족 1원")
    assert "D+2 가수도정산금 6/18(수) −1원" in sentence


@pytest.mark.parametrize(("d1", "severity"), [(0, None), (-1, Severity.WARNING)])
def test_cash_short_on_the_next_day_is_urgent(d1, severity):
    found = look(position(d1_cash=d1), "misu")
    assert [one.severity for one in found] == ([severity] if severity else [])


@pytest.mark.parametrize(("orderable", "found"), [(10_000_000, []), (10_000_001, ["부족 1원"]), (None, [])])
def test_orders_for_more_than_the_cash_of_the_day_after_next(orderable, found):
    scene = position(available=10_000_000, orderable_cash=orderable)
    assert [one.subject for one in look(scene, "misu")] == found


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("5", None),
        ("15", None),
        ("4.9", "삼성전자는 10.0%로 목표 4.9%보다 5.1%p 많습니다."),
        ("15.1", "삼성전자는 10.0%로 목표 15.1%보다 5.1%p 적습니다."),
    ],
)
def test_drift_up_to_the_limit_is_fine(target, words):
    found = told(position(targets={"005930": Decimal(target)}), "drift")
    assert found == ([(Severity.CAUTION, "삼성전자 10.0%", words)] if words else [])


def test_drift_of_cash_and_of_a_stock_not_bought_yet():
    found = told(position(targets={"CASH": 80, "000660": 10}, available=90_000_000), "drift")
    assert found == [
        (Severity.CAUTION, "000660 0.0%", "000660은 0.0%로 목표 10%보다 10%p 적습니다."),
        (Severity.CAUTION, "현금 90.0%", "현금은 90.0%로 목표 80%보다 10%p 많습니다."),
    ]


def test_drift_names_the_farthest_and_sums_up_the_others():
    targets = {f"{10_000 + index:06}": 50 - index for index in range(5)}
    found = look(position(many(5), targets=targets), "drift")
    assert [one.subject for one in found] == [
        "종목000 10.0%",
        "종목001 10.0%",
        "종목002 10.0%",
        "그 밖 2종목",
    ]
    assert found[-1].sentence == "목표에서 5%p 넘게 벗어난 종목이 더 있습니다: 종목003, 종목004."


def test_without_targets_there_is_no_drift_to_judge():
    assert look(position(targets={}), "drift") == "목표 비중을 정하지 않았습니다."


# --- results -----------------------------------------------------------------------------------------------------------


def falling(last, top=100_000_000):
    """Return closes that rise to a top and end lower."""
    on = days_before(3)
    return [closed(on[0], 90_000_000), closed(on[1], top), closed(on[2], last)]


@pytest.mark.parametrize(
    ("last", "severity", "words"),
    [
        (90_100_000, None, ""),
        (90_004_000, Severity.CAUTION, "10.00"),  # is shown as 10.00 %
        (90_000_000, Severity.CAUTION, "10.00"),
        (80_100_000, Severity.CAUTION, "19.90"),
        (80_000_000, Severity.WARNING, "20.00"),
    ],
)
def test_fall_from_the_highest_close(last, severity, words):
    found = told(position(summaries=falling(last)), "drawdown")
    limit = 20 if severity is Severity.WARNING else 10
    sentence = f"6/13(금) 마감이 6/12(목) 최고점보다 {words}% 낮아 기준 {limit}%에 이르렀습니다(입출금 제외)."
    assert found == ([(severity, f"고점 대비 −{words}%", sentence)] if severity else [])


def test_fall_below_the_first_close_names_the_beginning():
    on = days_before(2)
    [(_, _, sentence)] = told(
        position(summaries=[closed(on[0], 100_000_000), closed(on[1], 85_000_000)]), "drawdown"
    )
    assert sentence.startswith("6/13(금) 마감이 기록의 첫날보다 15.00% 낮아")


def test_a_withdrawal_is_no_fall():
    on = days_before(2)
    scene = position(summaries=[closed(on[0]), closed(on[1], TOTAL // 2, flow=-TOTAL // 2)])
    assert look(scene, "drawdown") == []


def test_unknown_flow_leaves_the_fall_unjudged():
    on = days_before(3)
    lost = closed(on[1], flow=None, reasons={"flow": "그날의 체결을 모두 알지 못합니다."})
    assert (
        look(position(summaries=[closed(on[0]), lost, closed(on[2])]), "drawdown")
        == "그날의 체결을 모두 알지 못합니다."
    )


@pytest.mark.parametrize("count", [0, 1])
def test_first_days_have_no_fall_to_judge(count):
    scene = position(summaries=quiet_days(count) if count else [])
    assert look(scene, "drawdown") == "마감한 날이 둘은 있어야 낙폭을 냅니다."


def swinging(size, count=20):
    """Return days that gain and lose the same percentage in turn."""
    return [
        closed(on, day_return=Decimal(str(size)) * (1 if place % 2 else -1))
        for place, on in enumerate(days_before(count))
    ]


@pytest.mark.parametrize(("size", "words"), [("1.8", None), ("1.8419", None), ("1.9", "30.95")])
def test_swings_of_a_year(size, words):
    found = told(position(summaries=swinging(size)), "volatility")
    sentence = f"최근 20거래일의 변동성이 연 {words}%로 기준 30%보다 큽니다."
    assert found == ([(Severity.CAUTION, f"연 {words}%", sentence)] if words else [])


def test_swings_need_a_month_of_days_and_leave_holes_out():
    holes = [closed(on, None) for on in days_before(30)[:5]]
    reason = "일 수익률을 아는 날이 19일뿐입니다. 20일부터 변동성을 냅니다."
    assert look(position(summaries=[*holes, *swinging("9", 19)]), "volatility") == reason
    assert look(position(summaries=[*holes, *swinging("9", 20)]), "volatility") != reason


@pytest.mark.parametrize(
    ("rate", "severity", "words"),
    [
        (-19.99, None, ""),
        (-20.0, Severity.CAUTION, "삼성전자의 손익률이 −20.00%로 기준 −20%에 이르렀습니다."),
        (-34.99, Severity.CAUTION, "삼성전자의 손익률이 −34.99%로 기준 −20%에 이르렀습니다."),
        (-35.0, Severity.WARNING, "삼성전자의 손익률이 −35.00%로 기준 −35%에 이르렀습니다."),
    ],
)
def test_losers(rate, severity, words):
    found = told(position([held(evlu_pfls_rt=rate)]), "losers")
    assert [(one, sentence) for one, _, sentence in found] == ([(severity, words)] if severity else [])


def test_losers_that_cost_most_are_named_and_the_others_counted():
    rows = [
        held(
            f"{index:06}",
            f"종목{index}",
            evlu_amt=5_000_000,
            evlu_pfls_rt=-25.0 - index,
            evlu_pfls_amt=-900_000 + index,
        )
        for index in range(5)
    ]
    found = look(position(rows), "losers")
    assert [one.stock_code for one in found] == ["000000", "000001", "000002", ""]
    assert found[-1].sentence == (
        "매입가보다 20% 이상 내린 종목이 2개 더 있습니다. 가장 큰 손실률은 종목4 −29.00%입니다."
    )


@pytest.mark.parametrize(
    ("rate", "found"), [(-9.99, []), (-10.0, ["삼성전자 −10.00%"]), (-29.9, ["삼성전자 −29.90%"])]
)
def test_plunge_of_a_day(rate, found):
    assert [one.subject for one in look(position([held(fllt_rt=rate)]), "plunge")] == found


def trading(*, realised, fee, tax=0, on=date(2025, 6, 13), **changes):
    return closed(on, realised_broker=realised, fee=fee, tax=tax, **changes)


@pytest.mark.parametrize(
    ("realised", "fee", "words"),
    [
        (810_000, 190_000, None),
        (800_000, 200_000, None),
        (
            799_000,
            201_000,
            "6월 비용 201,000원은 비용을 빼기 전 실현이익 1,000,000원의 20.1%로 기준 20%를 넘습니다.",
        ),
    ],
)
def test_costs_against_the_profit_of_the_month(realised, fee, words):
    scene = position(summaries=[trading(realised=realised, fee=fee - 1000, tax=1000)])
    found = told(scene, "costs")
    assert found == ([(Severity.CAUTION, "실현이익의 20.1%", words)] if words else [])


@pytest.mark.parametrize(("fee", "found"), [(99_000, []), (100_000, []), (110_000, ["이익 없이 110,000원"])])
def test_costs_of_a_month_without_profit(fee, found):
    scene = position(summaries=[trading(realised=-500_000, fee=fee)])
    assert [one.subject for one in look(scene, "costs")] == found


def test_costs_of_other_months_do_not_count():
    scene = position(
        summaries=[trading(realised=0, fee=900_000, on=date(2025, 5, 30)), trading(realised=0, fee=0)]
    )
    assert look(scene, "costs") == []


def test_costs_take_our_profit_where_the_broker_has_none():
    day = trading(
        realised=None, fee=201_000, realised_average=799_000, reasons={"realised_broker": "모의 미지원"}
    )
    assert len(look(position(summaries=[day]), "costs")) == 1


def test_costs_are_not_judged_before_a_day_is_closed_or_known():
    first = datetime(2025, 6, 2, 10, 0, tzinfo=SEOUL)
    assert (
        look(position(snapshot_at=first, summaries=[closed(date(2025, 5, 30))]), "costs", at=first)
        == "이번 달에 마감한 날이 아직 없습니다."
    )
    hole = closed(date(2025, 6, 13), None)
    assert look(position(summaries=[hole]), "costs") == "마감 자료가 없습니다."


# --- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (104_900, None),
        (105_000, None),
        (105_100, "삼성전자 매도 주문의 가격이 현재가와 +5.10% 차이로 기준 5%를 넘습니다."),
        (95_000, None),
        (94_900, "삼성전자 매도 주문의 가격이 현재가와 −5.10% 차이로 기준 5%를 넘습니다."),
        (0, None),  # at the market's price
    ],
)
def test_orders_far_from_the_price(price, words):
    found = told(position(unfilled=[waiting(ord_unpr=price)]), "unfilled_far")
    assert [sentence for *_, sentence in found] == ([words] if words else [])


def test_price_of_a_stock_that_is_not_held_is_not_known():
    order = waiting(stock_code="000660", stock_name="SK하이닉스", sll_buy_dvsn_cd="02")
    reason = "현재가를 모르는 주문이 있습니다: SK하이닉스"
    assert look(position(unfilled=[order]), "unfilled_far") == reason
    found = look(position(unfilled=[order, waiting(ord_unpr=200_000)]), "unfilled_far")
    assert [one.subject for one in found] == ["삼성전자 +100.00%"]


@pytest.mark.parametrize(
    ("placed", "words"),
    [
        ("092100", None),
        ("092000", "삼성전자 매도 주문이 5시간 동안 체결되지 않았습니다."),
        ("090600", "삼성전자 매도 주문이 5시간 14분 동안 체결되지 않았습니다."),
    ],
)
def test_orders_that_wait_for_long(placed, words):
    found = look(position(unfilled=[waiting(ord_tmd=placed)]), "unfilled_long")
    assert [(one.severity, one.sentence) for one in found] == ([(Severity.INFO, words)] if words else [])


@pytest.mark.parametrize("text", ["", "9", "256000"])
def test_order_without_a_readable_time_is_not_judged(text):
    scene = position(unfilled=[waiting(ord_tmd=text)])
    assert look(scene, "unfilled_long") == "시각을 읽을 수 없는 주문이 있습니다."


def test_many_orders_share_a_finding():
    orders = [waiting(odno=f"{index:010}", ord_unpr=120_000, ord_tmd="090000") for index in range(5)]
    scene = position(unfilled=orders)
    for rule in ("unfilled_far", "unfilled_long"):
        assert [one.subject for one in look(scene, rule)][-1] == "그 밖 2건"


# --- trust -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "subject"), [(29, None), (30, None), (31, "31분 지난 자료"), (70, "1시간 10분 지난 자료")]
)
def test_data_grows_old_while_the_exchange_is_open(minutes, subject):
    found = told(position(), "stale", at=AT + timedelta(minutes=minutes))
    sentence = "6/16(월) 14:20:00 자료라 지금 값과 다를 수 있습니다. 다시 동기화해 주세요."
    assert found == ([(Severity.WARNING, subject, sentence)] if subject else [])


def test_data_of_the_close_is_good_all_night():
    close = AT.replace(hour=15, minute=31)
    scene = position(snapshot_at=close)
    assert look(scene, "stale", at=close + timedelta(hours=12)) == []
    [found] = look(scene, "stale", at=close + timedelta(days=2))
    assert found.subject == "2일 지난 자료"


def test_only_the_age_depends_on_the_moment():
    later = examine(position(), at=AT + timedelta(hours=1), limits=Limits())
    assert [finding.rule for finding in later.findings] == ["stale"]
    assert later.lasting == ()


def test_books_that_differ_from_the_brokers():
    checks = (
        Check("D+2 현금 흐름", 0, 900, row="오늘 매수금액"),
        Check("보유 평가금액 합", 50_000_000, 50_057_200, row="삼성전자 005930"),
        Check("오늘 체결 수량", 0, 1_000_000, unit="주"),
        AGREES,
    )
    [(severity, subject, sentence)] = told(position(sync_run=run(*checks)), "unreconciled")
    assert (severity, subject) == (Severity.WARNING, "보유 평가금액 합 57,200원")
    assert sentence == (
        "보유 평가금액 합이 증권사 값과 57,200원 다릅니다. 확인할 곳: 삼성전자 005930. 차이가 2건 더 있습니다."
    )


def test_difference_within_rounding_is_none():
    assert look(position(sync_run=run(Check("오늘 비용", 100, 102, tolerance=2))), "unreconciled") == []
    assert len(look(position(sync_run=run(Check("오늘 비용", 100, 103, tolerance=2))), "unreconciled")) == 1


def test_books_nobody_has_compared_are_not_judged():
    assert look(position(sync_run=None), "unreconciled") == "대사한 기록이 없습니다."


def test_a_holding_without_price_is_told_and_leaves_what_needs_it_unjudged():
    scene = position(
        [held(), held("000660", "SK하이닉스", prpr=0, evlu_amt=0, evlu_pfls_rt=-100.0)],
        targets={"000660": 10},
    )
    [(severity, _, sentence)] = told(scene, "unpriced")
    assert (severity, sentence) == (
        Severity.WARNING,
        "현재가를 받지 못해 평가할 수 없는 종목이 있습니다: SK하이닉스.",
    )
    reason = "현재가를 받지 못한 종목이 있습니다: SK하이닉스"
    for rule in ("stock_concentration", "sector_concentration", "hhi", "losers", "plunge", "drift"):
        assert look(scene, rule) == reason


@pytest.mark.parametrize(
    ("rule", "mark", "words"),
    [
        ("halted", {"halted": True}, "SK하이닉스가 거래가 정지되어 지금은 팔 수 없습니다."),
        ("managed", {"managed": True}, "SK하이닉스가 관리종목으로 지정되어 상장폐지 여부를 살펴야 합니다."),
    ],
)
def test_stocks_with_a_mark_of_the_exchange(rule, mark, words):
    rows = [held(), held("000660", "SK하이닉스")]
    plain = [listed(), listed("000660", "SK하이닉스")]
    assert look(position(rows, stocks=plain), rule) == []
    marked = [listed(), listed("000660", "SK하이닉스", **mark)]
    [(severity, subject, sentence)] = told(position(rows, stocks=marked), rule)
    assert (severity, subject, sentence) == (Severity.WARNING, "SK하이닉스", words)
    assert look(position(rows, stocks=[listed()]), rule) == "종목 정보가 없는 종목이 있습니다: SK하이닉스"


def test_long_name_gives_way_to_the_figure_behind_it():
    name = "KODEX 미국S&P500선물인버스2X레버리지(합성 H)"
    scene = position(
        [held(stock_name=name, evlu_amt=20_100_000, evlu_pfls_rt=-21.5)],
        unfilled=[waiting(stock_name="메리츠금융지주", ord_unpr=106_460)],
    )
    [weight], [loss], [order] = (
        look(scene, rule) for rule in ("stock_concentration", "losers", "unfilled_far")
    )
    assert weight.subject == "KODEX 미국S&P50… 20.1%"
    assert loss.subject == "KODEX 미국S&P… −21.50%"
    assert order.subject == "메리츠금융지주 +6.46%"
    assert name in weight.sentence


# --- nothing to look at ------------------------------------------------------------------------------------------------


def test_empty_account_on_its_first_day_invents_nothing():
    scene = position([], summaries=[], stocks=[], targets={}, previous_assets=0, sync_run=None)
    seen = examine(scene, at=AT, limits=Limits())
    assert seen.findings == ()
    nothing = "보유 종목이 없습니다."
    assert {title for title, reason in seen.unjudged.items() if reason == nothing} == {
        *("거래정지", "관리종목", "종목 편중", "업종 편중", "집중도", "손실 확대", "당일 급락"),
    }
    assert list(seen.passed) == [
        "자료 시각",
        "현재가 없음",
        "미수",
        "현금 부족",
        "미체결 가격",
        "미체결 장기",
    ]


@pytest.mark.parametrize("total", [0, -1])
def test_account_worth_nothing_has_no_shares(total):
    seen = examine(position(total_eval_amt=total), at=AT, limits=Limits())
    for title in ("종목 편중", "업종 편중", "집중도", "현금 부족", "목표 이탈"):
        assert seen.unjudged[title] == "총평가금액이 0원보다 많지 않아 비중을 낼 수 없습니다."


def test_limits_are_the_owners():
    scene = position([held(evlu_amt=20_100_000)])
    assert look(scene, "stock_concentration", limits=Limits(stock=Decimal("20.1"))) == []
    [found] = look(scene, "stock_concentration", limits=Limits(stock=Decimal("12.50")))
    assert found.limit == "한도 12.5%"


# --- words -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything():
    """Return the findings of an account with all the trouble there is, seen an hour too late."""
    rows = [
        held("000000", "대원전선", evlu_amt=45_100_000, evlu_pfls_rt=-36.0, fllt_rt=-12.0),
        held("000001", "NAVER", evlu_amt=20_100_000, evlu_pfls_rt=-21.0),
        held("000002", "이름 없는 회사", evlu_amt=0, prpr=0),
        *(held(f"00010{n}", f"LG{n}", evlu_amt=100_000, evlu_pfls_rt=-25.0, fllt_rt=-11.0) for n in range(8)),
    ]
    stocks = [
        listed("000000", "대원전선", sector="전기", halted=True),
        listed("000001", "NAVER", sector="전기", managed=True),
    ]
    on = days_before(25)
    days = [
        closed(day, 100_000_000 if place < 20 else 75_000_000, day_return=Decimal(4 if place % 2 else -4))
        for place, day in enumerate(on)
    ]
    days[-1].fee, days[-1].realised_broker = 300_000, 100_000
    orders = [
        waiting(odno=f"{n:010}", stock_code="000001", ord_unpr=130_000, ord_tmd="090000") for n in range(5)
    ]
    scene = position(
        rows,
        stocks=stocks,
        summaries=days,
        unfilled=orders,
        targets={"000000": 10, "CASH": 30, "000001": 80, "000101": 50, "000103": 60, "005930": 20},
        available=-2_000_000,
        sync_run=run(Check("오늘 비용", 100, 200, row="수수료율")),
    )
    return examine(scene, at=AT + timedelta(minutes=40), limits=Limits())


def test_every_rule_but_the_cash_floor_speaks_of_such_an_account(everything):
    silent = {rule.name for rule in RULES} - {finding.rule for finding in everything.findings}
    assert silent == {"cash_floor"}  # what is owed is told instead


def test_sentences_are_whole_korean_sentences(everything):
    for finding in everything.findings:
        for part in re.split(r"(?<=\.) ", finding.sentence):
            assert part.endswith("."), finding
        assert re.search(r"(니다|세요|니다\(입출금 제외\))\.$|확인할 곳: .+\.$|: .+\.$", finding.sentence), (
            finding
        )
        assert not re.search(r"은\(는\)|이\(가\)|을\(를\)|None|Decimal|nan|  ", finding.sentence), finding
        assert "-" not in finding.sentence, finding  # U+2212 stands for minus
        assert finding.title
        assert finding.subject
        assert len(finding.sentence) <= 200


def test_every_number_of_a_sentence_rests_on_one_given(everything):
    for finding in everything.findings:
        if finding.rule in {"stale", "unfilled_long", "drawdown", "misu", "unreconciled"}:
            continue  # times, days and the words of the books
        given = {plain_number(value) for value in (*finding.numbers.values(), finding.subject.split()[-1])}
        sentence = re.sub(r"LG\d|005930|외 \d종목|^\d월", "", finding.sentence)
        for text in re.findall(r"[\d,]*\d(?:\.\d+)?", sentence):
            assert plain_number(text) in given, (finding, text)


def plain_number(value):
    figure = re.search(r"[\d,]*\d(?:\.\d+)?", str(value))
    return Decimal(figure[0].replace(",", "")) if figure else value


def test_whole_won_are_ints_and_shares_decimals(everything):
    for finding in everything.findings:
        for name, value in finding.numbers.items():
            is_share = name.endswith("_pct") or name in {"hhi", "limit"}
            assert isinstance(value, Decimal if is_share and not isinstance(value, str) else int | str), (
                finding.rule,
                name,
            )


def test_bars_stay_within_their_width(everything):
    for finding in everything.findings:
        assert (finding.share is None) == (finding.limit_share is None)
        assert finding.share is None or 0 <= finding.share <= 1
