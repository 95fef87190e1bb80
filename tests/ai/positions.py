"""Positions to be looked at, without a database: quiet ones unless a test asks for trouble."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from kis.calendar import business_day_before
from kis.korean import SEOUL
from kis.models import (
    KisAccount,
    KisDailySummary,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    Stock,
    SyncRun,
)
from kis.position import Position
from kis.reconciliation import Check

AT = datetime(2025, 6, 16, 14, 20, tzinfo=SEOUL)
#: What the account is worth unless a test says otherwise: a share of 1 % is a million won.
TOTAL = 100_000_000
AGREES = Check("보유 평가금액 합", 50_000_000, 50_000_000)


def held(code: str = "005930", name: str = "삼성전자", **changes: Any) -> KisHolding:
    """Return a holding of 10 % of the account that has earned 5 %."""
    return KisHolding(
        **{
            "snapshot_at": AT,
            "snapshot_date": AT.date(),
            "stock_code": code,
            "stock_name": name,
            "holding_qty": 100,
            "ord_psbl_qty": 100,
            "pchs_avg_pric": 95_238.0,
            "pchs_amt": 9_523_800,
            "prpr": 100_000,
            "evlu_amt": 10_000_000,
            "evlu_pfls_amt": 476_200,
            "evlu_pfls_rt": 5.0,
            "fllt_rt": 0.5,
            "is_paper": False,
            "today_buy_qty": 0,
            "today_sell_qty": 0,
            **changes,
        }
    )


def listed(code: str = "005930", name: str = "삼성전자", **changes: Any) -> Stock:
    return Stock(
        **{
            "code": code,
            "name": name,
            "market": Stock.Market.KOSPI,
            "kind": Stock.Kind.STOCK,
            "sector": "전기전자",
            "source": Stock.Source.MASTER,
            "updated_at": AT,
            **changes,
        }
    )


def waiting(**changes: Any) -> KisUnfilledOrder:
    """Return a sale placed ten minutes ago, a little above the price."""
    return KisUnfilledOrder(
        **{
            "snapshot_at": AT,
            "snapshot_date": AT.date(),
            "odno": "0000117943",
            "stock_code": "005930",
            "stock_name": "삼성전자",
            "sll_buy_dvsn_cd": KisUnfilledOrder.SideCode.SELL,
            "ord_qty": 40,
            "ord_unpr": 101_000,
            "ord_tmd": "141000",
            "psbl_qty": 10,
            "tot_ccll_qty": 30,
            "is_paper": False,
            "account_no": "12345678",
            "ord_gno_brno": "00950",
            **changes,
        }
    )


def filled(**changes: Any) -> KisExecution:
    return KisExecution(
        **{
            "odno": "0000110001",
            "stock_code": "005930",
            "stock_name": "삼성전자",
            "exec_type": "BUY",
            "exec_qty": 10,
            "exec_price": 99_000,
            "exec_amt": 990_000,
            "exec_dt": AT.date(),
            "exec_tmd": time(9, 30),
            "is_paper": False,
            "account_no": "12345678",
            "product_code": "01",
            "ord_gno_brno": "00950",
            **changes,
        }
    )


def closed(on: date, total: int | None = TOTAL, **changes: Any) -> KisDailySummary:
    """Return the close of a day without trades; without a total it is a hole in the books."""
    known = total is not None
    return KisDailySummary(
        **{
            "summary_date": on,
            "account_no": "12345678",
            "product_code": "01",
            "is_paper": False,
            "total_amt": total,
            "fee": 0 if known else None,
            "tax": 0 if known else None,
            "flow": 0 if known else None,
            "realised_broker": 0 if known else None,
            "realised_average": 0 if known else None,
            "day_return": Decimal(0) if known else None,
            "cumulative_return": Decimal(0) if known else None,
            "reasons": {}
            if known
            else dict.fromkeys(
                ("fee", "tax", "flow", "realised_broker", "realised_average", "day_return"),
                "마감 자료가 없습니다.",
            ),
            **changes,
        }
    )


def days_before(count: int) -> list[date]:
    """Return the last business days before the day of these tests, oldest first."""
    found = [business_day_before(AT.date())]
    while len(found) < count:
        found.insert(0, business_day_before(found[0]))
    return found


def quiet_days(count: int = 25) -> list[KisDailySummary]:
    return [closed(on) for on in days_before(count)]


def run(*checks: Check) -> SyncRun:
    stored = [check.as_json() for check in checks or (AGREES,)]
    return SyncRun(
        account_no="12345678",
        product_code="01",
        is_paper=False,
        checks=stored,
        differences=sum(bool(check.difference) for check in checks),
    )


def position(
    holdings: Sequence[KisHolding] | None = None,
    *,
    unfilled: Sequence[KisUnfilledOrder] = (),
    executions: Sequence[KisExecution] = (),
    summaries: Sequence[KisDailySummary] | None = None,
    stocks: Sequence[Stock] | None = None,
    targets: Mapping[str, Decimal | int] | None = None,
    **changes: Any,
) -> Position:
    """Return a position in which no rule finds anything; `changes` are columns of the account."""
    rows = [held()] if holdings is None else list(holdings)
    value = sum(row.evlu_amt for row in rows)
    account = KisAccount(
        **{
            "snapshot_at": AT,
            "account_no": "12345678",
            "product_code": "01",
            "is_paper": False,
            "deposit": TOTAL - value,
            "available": TOTAL - value,
            "d1_cash": TOTAL - value,
            "orderable_cash": TOTAL - value,
            "today_buy_amt": 0,
            "today_sell_amt": 0,
            "today_fee": 0,
            "stock_eval_amt": value,
            "total_eval_amt": TOTAL,
            "total_profit_loss": sum(row.evlu_pfls_amt for row in rows),
            "total_buy_amt": sum(row.pchs_amt for row in rows),
            "net_assets": TOTAL,
            "previous_assets": TOTAL,
            "sync_run": run(),
            **changes,
        }
    )
    known = (
        [listed(row.stock_code, row.stock_name, sector=f"업종 {row.stock_code}") for row in rows]
        if stocks is None
        else stocks
    )
    return Position(
        account=account,
        holdings=sorted(rows, key=lambda row: (-row.evlu_amt, row.stock_code)),
        unfilled=unfilled,
        executions=executions,
        summaries=quiet_days() if summaries is None else summaries,
        stocks={stock.code: stock for stock in known},
        targets={
            code: Decimal(target) for code, target in ({"005930": 10} if targets is None else targets).items()
        },
    )


def many(count: int) -> list[KisHolding]:
    """Return different holdings that share half of the account."""
    return [
        held(
            f"{10_000 + index:06}",
            f"종목{index:03}",
            evlu_amt=50_000_000 // count - index,
            evlu_pfls_rt=round((index * 7 % 41) - 11.37, 2),
            fllt_rt=round((index * 5 % 13) - 5.83, 2),
        )
        for index in range(count)
    ]
