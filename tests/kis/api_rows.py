"""Rows of every table that the API shows, and what asks it for them."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from ai.models import Diagnosis, HoldingNote
from kis.korean import SEOUL
from kis.models import (
    DailyPrice,
    KbHolding,
    KbStatement,
    KbTrade,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisUnfilledOrder,
    MinPrice,
    Stock,
    SyncRun,
)
from kis.portfolio.unknown import Unknown
from kis.reconciliation import Check
from tests.factories import AT, fill, order, snapshot, stocks, sync_run

ROUTES: dict[str, Any] = {
    "accounts": KisAccount,
    "holdings": KisHolding,
    "executions": KisExecution,
    "unfilled-orders": KisUnfilledOrder,
    "order-details": KisOrderDetail,
    "deposit-logs": KisDepositLog,
    "daily-summaries": KisDailySummary,
    "daily-prices": DailyPrice,
    "minute-prices": MinPrice,
    "sync-runs": SyncRun,
    "stocks": Stock,
    "diagnoses": Diagnosis,
    "kb-holdings": KbHolding,
    "kb-trades": KbTrade,
}
AGREEING = Check("보유 평가금액 합", 12_133_715, 12_133_715)
DIFFERING = Check("오늘 체결 수량", 10, 13, unit="주", row="삼성전자 005930")
MONDAY = date(2025, 6, 16)


@dataclass
class Api:
    """Asks as the browser of somebody would."""

    client: Client

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        response = self.get(path, **query)
        assert response.status_code == 200, response.content.decode()
        found: list[dict[str, Any]] = response.json()["results"]
        return found

    def pages(self, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """Follow `next` to the end."""
        response = self.get(path, **query)
        while True:
            assert response.status_code == 200, response.content.decode()
            yield response.json()["results"]
            if response.json()["next"] is None:
                return
            response = self.client.get(response.json()["next"])

    def table(self, path: str, **query: Any) -> list[dict[str, str]]:
        """Return the rows of the CSV."""
        text = self.csv(path, **query)
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def csv(self, path: str, **query: Any) -> str:
        response = self.get(path, format="csv", **query)
        assert response.status_code == 200, response.content.decode()
        content: bytes = response.getvalue()
        return content.decode("utf-8-sig")

    def error(self, path: str, status: int, /, **query: Any) -> dict[str, Any]:
        """Return the error of an answer that must be one."""
        response = self.get(path, **query)
        return error_of(response, status)


def error_of(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content.decode()
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "detail"}
    error: dict[str, Any] = body["error"]
    return error


def make_rows(count: int, *, at: datetime = AT, first: int = 0) -> KisAccount:
    """Save so many rows of each table, from number `first` on; the snapshot and its run are one each."""
    run = sync_run(at=at, checks=[AGREEING.as_json(), DIFFERING.as_json()], differences=1)
    account = snapshot(stocks(count), at=at, run=run, raw_json={"CANO": "12345678", "of": ["12345678-01"]})
    statement = KbStatement.objects.create(
        name="kb.csv", sha256=f"{first:064}", kind="both", imported_at=at, account_label="1234*****-01"
    )
    for number in range(first, first + count):
        fill(number)
        order(account, number)
        order_detail(number)
        day = MONDAY + timedelta(days=number)
        deposit_log(account, day)
        daily_summary(account, day)
        MinPrice.objects.create(
            stock_code="005930",
            bar_at=at + timedelta(minutes=number),
            volume=12_345,
            open=57_000,
            high=57_300,
            low=56_900,
            close=57_200 + number % 100,
        )
        Stock.objects.create(
            code=f"{number:06}",
            name=f"종목{number}",
            market="KOSPI",
            kind="stock",
            source="master",
            updated_at=at,
        )
        diagnosis(account, number)
        kb_holding(statement, number)
        kb_trade(statement, number)
    return account


def diagnosis(account: KisAccount, number: int, **changes: Any) -> Diagnosis:
    """Save a diagnosis of a snapshot with words about one stock; `number` makes it one of other content."""
    row = Diagnosis.objects.create(
        **{
            "kis_account": account,
            "account_no": account.account_no,
            "product_code": account.product_code,
            "is_paper": account.is_paper,
            "content_hash": f"{number:064}",
            "written_at": account.snapshot_at + timedelta(seconds=number),
            "asked_at": account.snapshot_at,
            "status": "complete",
            "model": "gemini-3.5-flash",
            "findings": [
                {
                    "rule": "stock_concentration",
                    "severity": "경고",
                    "title": "종목 편중",
                    "subject": "삼성전자 21.3%",
                    "limit": "한도 20%",
                    "sentence": "삼성전자는 총평가금액의 21.3%로 한도 20%를 넘습니다.",
                    "stock_code": "005930",
                    "numbers": {"weight_pct": "21.3"},
                }
            ],
            "weights": [{"code": "005930", "name": "삼성전자", "weight_pct": 21.3}],
            "points": [{"text": "삼성전자의 비중이 21.3%입니다.", "references": ["F1"]}],
            "request_json": {"contents": [{"role": "user"}]},
            "raw_json": {"candidates": []},
            **changes,
        }
    )
    HoldingNote.objects.create(
        diagnosis=row, stock_code="005930", stock_name="삼성전자", text="오늘 1.89% 내렸습니다."
    )
    return row


def order_detail(number: int, **changes: Any) -> KisOrderDetail:
    return KisOrderDetail.objects.create(
        **{
            "account_no": "12345678",
            "product_code": "01",
            "is_paper": False,
            "ord_dt": MONDAY,
            "ord_tmd": time(9, number % 60),
            "ord_gno_brno": "00950",
            "odno": f"{number:010}",
            "stock_code": "005930",
            "stock_name": "삼성전자",
            "side": "BUY",
            "ord_qty": 10,
            "ord_unpr": 57_000,
            "tot_ccld_qty": 3,
            "avg_prvs": Decimal("56999.3333"),
            "rmn_qty": 7,
            "status": "partial",
            "raw_json": {"told": [{"ACNT_NO": "1234567801"}]},
            **changes,
        }
    )


def deposit_log(account: KisAccount, day: date) -> KisDepositLog:
    return KisDepositLog.objects.create(
        account_no="12345678",
        product_code="01",
        is_paper=False,
        log_date=day,
        kis_account=account,
        previous_account=account,
        previous_date=day,
        d0_cash=900,
        d1_cash=1_000,
        d2_cash=1_100,
        previous_cash=1_000,
        change=100,
        buy_amt=50,
        sell_amt=100,
        fee=3,
        tax=2,
        flow=55,
    )


def daily_summary(account: KisAccount, day: date) -> KisDailySummary:
    row = KisDailySummary(
        account_no="12345678",
        product_code="01",
        is_paper=False,
        summary_date=day,
        kis_account=account,
        closed_at=account.snapshot_at,
    )
    for place, name in enumerate(KisDailySummary.FIGURES):
        row.put(name, 1_234_567 - 400_000 * place)
    row.put("day_return", Decimal("-1.23456789"))
    row.put("realised_fifo", Unknown("산 날을 알 수 없습니다."))
    row.save()
    return row


def kb_holding(statement: KbStatement, number: int, **changes: Any) -> KbHolding:
    return KbHolding.objects.create(
        **{
            "statement": statement,
            "account_label": statement.account_label,
            "as_of": MONDAY,
            "stock_code": f"{number:06}",
            "stock_name": f"종목{number}",
            "quantity": Decimal("10.5"),
            "average": Decimal("1000.25"),
            "cost": 10_502,
            "profit": -52,
            "value": 10_450,
            "meaning": f"holding {number}",
            "line": number + 2,
            **changes,
        }
    )


def kb_trade(statement: KbStatement, number: int, **changes: Any) -> KbTrade:
    return KbTrade.objects.create(
        **{
            "statement": statement,
            "account_label": statement.account_label,
            "trade_date": MONDAY,
            "kind": "buy",
            "label": "매수",
            "stock_code": "005930",
            "stock_name": "삼성전자",
            "quantity": Decimal(3),
            "price": Decimal(57_000),
            "amount": 171_000,
            "net": -171_025,
            "meaning": f"trade {number}",
            "line": number + 2,
            **changes,
        }
    )


def seoul(text: str) -> datetime:
    """Read a moment of the API, which is always written in Seoul's time."""
    moment = datetime.fromisoformat(text)
    assert moment.utcoffset() == datetime.now(SEOUL).utcoffset()
    return moment
