"""The account that answers are checked against: nine stocks, two open orders, two fills, and rules that found things."""

from datetime import time
from decimal import Decimal

from ai.limits import Limits
from ai.payload import Privacy, payload_of
from ai.rules import examine
from tests.ai.positions import AT, closed, days_before, filled, held, listed, position, waiting

#: code, name, sector, value, profit rate, profit, day change, price, average, quantity
ROWS = (
    ("005930", "삼성전자", "반도체", 38_400_000, 12.34, 4_218_000, 1.25, 76_800, 68_364.0, 500),
    ("000660", "SK하이닉스", "반도체", 27_060_000, 38.21, 7_481_040, 2.87, 225_500, 163_158.0, 120),
    ("069500", "KODEX 200", "", 21_540_000, 6.02, 1_223_400, 0.74, 35_900, 33_861.0, 600),
    ("034020", "두산에너빌리티", "기계·장비", 18_200_000, 64.33, 7_124_600, 3.12, 65_000, 39_555.0, 280),
    ("105560", "KB금융", "금융", 14_820_000, 21.9, 2_662_500, 0.95, 98_800, 81_050.0, 150),
    ("360750", "TIGER 미국S&P500", "", 12_200_000, 9.8, 1_089_000, -0.42, 24_400, 22_222.0, 500),
    ("035720", "카카오", "IT 서비스", 11_250_000, -23.47, -3_450_000, -1.83, 45_000, 58_800.0, 250),
    ("373220", "LG에너지솔루션", "전기·전자", 9_120_000, -31.25, -4_145_460, -5.31, 304_000, 442_182.0, 30),
    ("068270", "셀트리온", "제약", 8_310_000, -4.11, -356_150, 0.36, 166_200, 173_323.0, 50),
)
TOTAL = 179_819_278
RETURNS = ("0.31", "-1.12", "0.84", "0.05", "-2.31", "1.47", "0.62", "-0.18", "0.93", "0.28")


def holdings():
    return [
        held(
            code,
            name,
            evlu_amt=value,
            evlu_pfls_rt=rate,
            evlu_pfls_amt=profit,
            pchs_amt=value - profit,
            fllt_rt=change,
            prpr=price,
            pchs_avg_pric=average,
            holding_qty=quantity,
        )
        for code, name, _, value, rate, profit, change, price, average, quantity in ROWS
    ]


def account(rows=None, **changes):
    rows = holdings() if rows is None else rows
    value = sum(row.evlu_amt for row in rows)
    orders = {
        "unfilled": [
            waiting(
                odno="1",
                stock_code="035720",
                stock_name="카카오",
                ord_unpr=47_500,
                ord_tmd="090600",
                ord_qty=300,
                tot_ccll_qty=200,
            ),
            waiting(
                odno="2", sll_buy_dvsn_cd="02", ord_unpr=75_000, ord_tmd="131500", ord_qty=100, tot_ccll_qty=0
            ),
        ],
        "executions": [
            filled(
                odno="3",
                stock_code="034020",
                stock_name="두산에너빌리티",
                exec_type="SELL",
                exec_qty=20,
                exec_price=64_500,
                exec_amt=1_290_000,
                exec_tmd=time(13, 2),
            ),
            filled(odno="4", exec_qty=50, exec_price=76_100, exec_amt=3_805_000, exec_tmd=time(10, 41)),
        ],
    }
    closes = [
        closed(day, TOTAL, day_return=Decimal(rate), cumulative_return=Decimal("11.40") + index)
        for index, (day, rate) in enumerate(zip(days_before(10), RETURNS, strict=True))
    ]
    return position(
        rows,
        **{
            **orders,
            "summaries": closes,
            "stocks": [listed(code, name, sector=sector) for code, name, sector, *_ in ROWS],
            "targets": {"005930": 15, "000660": 15, "CASH": 10},
            "deposit": 21_300_000,
            "d1_cash": 20_100_500,
            "available": TOTAL - value,
            "orderable_cash": 11_401_278,
            "total_eval_amt": TOTAL,
            "net_assets": TOTAL,
            "previous_assets": 177_022_115,
            "today_fee": 3_412,
            **changes,
        },
    )


def payload(rows=None, *, privacy=Privacy.FULL, focus="", **changes):
    scene = account(rows, **changes)
    return payload_of(scene, examine(scene, at=AT, limits=Limits()).lasting, privacy=privacy, focus=focus)
