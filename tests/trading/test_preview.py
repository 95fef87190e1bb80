"""The last look before money moves: the right figures, in columns that stand under each other."""

from datetime import timedelta

import pytest

from kis.client.codes import AccountNumber
from kis.client.records.orders import Side
from tests.trading.drafting import FRIDAY, RULES, at, draft, facts
from trading.errors import PreviewImpossible, cells
from trading.preview import lines, preview

ACCOUNT = AccountNumber("12345678", "01")


def shown(wished=None, known=None, market="KOSPI"):
    return preview(draft(**(wished or {})), facts(**(known or {})), RULES, account=ACCOUNT, market=market)


def text(wished=None, known=None):
    return "\n".join(lines(shown(wished, known)))


def test_limit_buy_is_shown_with_everything_that_counts():
    assert text() == (
        """\
실전  1234****-01   2026-11-20(금) 10:02:11 KST

  매수  삼성전자  005930 KOSPI

  수량                  10주
  가격              71,000원  지정가  현재가 71,500원(10:02:10, 1초 전)보다 0.70% 낮음
  금액             710,000원  수수료 99원 추정, 매수는 세금 없음

                      지금         체결 뒤
  주문가능       4,210,330     3,500,231원
  매도가능             520           530주

  검사      호가 단위 100원 맞음, 상·하한 49,700–92,300원 안
  한도      이번 710,000 / 5,000,000원, 오늘 710,000 / 20,000,000원"""
    )


def test_market_buy_says_what_is_only_reckoned():
    assert text({"price": 0, "quantity": 40}, {"now": at("15:19:15"), "amount_today": 1}) == (
        """\
실전  1234****-01   2026-11-20(금) 15:19:15 KST

  매수  삼성전자  005930 KOSPI

  수량                  40주
  가격              시장가    현재가 71,500원(15:19:14, 1초 전)
  금액           2,860,000원  예상  수수료 401원 추정, 매수는 세금 없음

                      지금         체결 뒤
  주문가능       4,210,330     1,349,929원
  매도가능             520           560주

  검사      상·하한 49,700–92,300원 안
  한도      이번 3,692,000 / 5,000,000원 (시장가는 상한가로 계산), 오늘 3,692,001 / 20,000,000원
  주의      시장가는 얼마에 체결될지 모릅니다. 상한가 92,300원까지 살 수 있습니다.
            주문가능금액의 87.7%를 씁니다.
            45초 뒤인 15:20부터 시장가 주문을 받지 않습니다."""
    )


def test_sale_brings_cash_after_commission_and_tax():
    # 730,000 won: commission 102.58, tax at 0.20 % 1,460.
    sale = shown({"side": Side.SELL, "price": 73_000})
    assert (sale.costs.commission, sale.costs.tax) == (102, 1_460)
    assert sale.cash_after == 4_210_330 + 730_000 - 102 - 1_460
    assert sale.held_after == 510
    assert "수수료 102원, 세금 1,460원 추정" in "\n".join(lines(sale))
    assert "보다 2.10% 높음" in "\n".join(lines(sale))


def test_sale_of_a_fund_has_no_tax():
    known = {"kind": "ETF", "last_price": 73_000}
    sale = text({"side": Side.SELL, "price": 73_000}, known)
    assert "추정, 세금 없음" in sale
    assert "현재가 73,000원(10:02:10, 1초 전)과 같음" in sale
    assert "호가 단위 5원 맞음" in sale


def test_what_is_not_known_is_a_dash_and_no_zero():
    unknown = shown({"side": Side.SELL}, {"cash": None, "sellable": None, "mode": "paper"})
    assert (unknown.cash_after, unknown.held_after) == (None, None)
    written = lines(unknown)
    assert written[0].startswith("모의  1234****-01")
    assert [line.split() for line in written if "가능" in line] == [
        ["주문가능", "–", "–"],
        ["매도가능", "–", "–"],
    ]


@pytest.mark.parametrize("name", ["LG", "TIGER 미국S&P500", "한주라이트메탈"])
def test_figures_end_in_the_same_column(name):
    written = lines(shown({"name": name, "quantity": 7}))
    ends = {
        cells(line[: line.index(unit) + 1])
        for line, unit in ((written[4], "주"), (written[5], "원"), (written[6], "원"))
    }
    assert len(ends) == 1


def test_account_is_masked():
    assert "12345678" not in text() + repr(shown())


def test_price_from_a_clock_ahead_of_ours_is_just_now():
    assert "0초 전" in text({}, {"price_at": FRIDAY + timedelta(seconds=3)})


@pytest.mark.parametrize(
    ("wished", "unknown"),
    [
        ({}, "last_price"),
        ({}, "price_at"),
        ({}, "kind"),
        ({}, "upper_limit"),
        ({"price": 0}, "upper_limit"),
        ({}, "amount_today"),
    ],
)
def test_nothing_is_shown_while_a_figure_is_missing(wished, unknown):
    with pytest.raises(PreviewImpossible, match="다시 주문해"):
        shown(wished, {unknown: None})
