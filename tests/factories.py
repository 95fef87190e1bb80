"""Rows of one snapshot whose sums agree, unless a test asks for a difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from kis.calendar import business_day_before
from kis.korean import SEOUL
from kis.models import (
    DailyPrice,
    IndexPrice,
    KisAccount,
    KisDailySummary,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    MinPrice,
    SyncRun,
)

AT = datetime(2025, 6, 16, 14, 20, tzinfo=SEOUL)
STEPS = [
    {"name": "fetch_balance", "label": "잔고", "count": "20종목", "seconds": 0.21, "tr_id": "TTTC8434R"},
    {"name": "fetch_executions", "label": "체결", "count": "7건", "seconds": 0.19, "tr_id": "TTTC0081R"},
    {"name": "save_holdings", "label": "보유", "count": "20종목", "seconds": 0.02, "tr_id": ""},
]


@dataclass(frozen=True, slots=True)
class Stock:
    """A stock to hold."""

    code: str = "005930"
    name: str = "삼성전자"
    price: int = 57_200
    average: float = 60_389.0
    quantity: int = 670
    change: float = -1.89
    locked: int = 0


def stocks(count: int) -> list[Stock]:
    """Return different stocks, gains and losses mixed."""
    return [
        Stock(
            code=f"{10_000 + index:06}",
            name=f"종목{index:03}",
            price=10_000 + 137 * index,
            average=10_000 + 137 * index - 900 + 61.5 * (index % 31),
            quantity=400 - index,
            change=round((index * 7 % 13 - 6) * 0.83, 2),
        )
        for index in range(count)
    ]


def snapshot(
    held: Sequence[Stock] = (),
    *,
    at: datetime = AT,
    cash: int = 10_633_778,
    is_paper: bool = False,
    with_closes: bool = True,
    run: SyncRun | None = None,
    **changes: Any,
) -> KisAccount:
    """Save an account snapshot with its holdings and two weeks of prices; `changes` overwrite account columns."""
    value = sum(stock.price * stock.quantity for stock in held)
    cost = sum(round(stock.average * stock.quantity) for stock in held)
    account = KisAccount.objects.create(
        **{
            "snapshot_at": at,
            "account_no": "50012345" if is_paper else "12345678",
            "product_code": "01",
            "is_paper": is_paper,
            "deposit": cash - 1_461_292 if held else cash,
            "d1_cash": cash + 282_837 if held else cash,
            "available": cash,
            "orderable_cash": cash - 1_917_260 if held else cash,
            "today_buy_amt": 0,
            "today_sell_amt": 0,
            "today_fee": 0,
            "stock_eval_amt": value,
            "total_eval_amt": value + cash,
            "total_profit_loss": value - cost,
            "total_buy_amt": cost,
            "net_assets": value + cash,
            "previous_assets": value + cash - 2_797_163 if held else value + cash,
            "sync_run": run,
            **changes,
        }
    )
    for stock in held:
        hold(account, stock)
    if with_closes:
        save_closes(held, until=at.astimezone(SEOUL).date())
    return account


def hold(account: KisAccount, stock: Stock) -> KisHolding:
    value, cost = stock.price * stock.quantity, round(stock.average * stock.quantity)
    return KisHolding.objects.create(
        kis_account=account,
        snapshot_at=account.snapshot_at,
        snapshot_date=account.snapshot_at.astimezone(SEOUL).date(),
        is_paper=account.is_paper,
        stock_code=stock.code,
        stock_name=stock.name,
        holding_qty=stock.quantity,
        ord_psbl_qty=stock.quantity - stock.locked,
        pchs_avg_pric=stock.average,
        pchs_amt=cost,
        prpr=stock.price,
        evlu_amt=value,
        evlu_pfls_amt=value - cost,
        evlu_pfls_rt=round((value - cost) / cost * 100, 2),
        fllt_rt=stock.change,
        today_buy_qty=0,
        today_sell_qty=0,
    )


def save_closes(held: Sequence[Stock], *, until: date, count: int = 10) -> None:
    """Save the business days before `until`, going up and down to the price of now."""
    days = [until]
    while len(days) <= count:
        days.append(business_day_before(days[-1]))
    rows = []
    for place, stock in enumerate(held):
        for back, day in enumerate(days[1:], start=1):
            close = max(stock.price + round(stock.price * 0.01 * ((back * 5 + place * 3) % 9 - 4)), 1)
            rows.append(
                DailyPrice(
                    stock_code=stock.code,
                    trade_date=day,
                    open=close,
                    high=close + 10,
                    low=max(close - 10, 1),
                    close=close,
                    volume=1_000,
                )
            )
    DailyPrice.objects.bulk_create(rows, ignore_conflicts=True)


def save_minutes(held: Sequence[Stock], *, at: datetime = AT, missing: Sequence[int] = ()) -> None:
    """Save the minutes from the opening up to the price of now; those `missing`, counted from the opening, have no row."""
    opened = datetime.combine(at.astimezone(SEOUL).date(), time(9), SEOUL)
    count = min(int((at - opened) / timedelta(minutes=1)), 380)
    rows = []
    for place, stock in enumerate(held):
        for minute in range(count):
            if minute in missing:
                continue
            left = (count - 1 - minute) / 380  # of the way from the opening to now
            swing = ((minute * 7 + place * 5) % 23 - 11) / 2_000 if minute < count - 1 else 0.0
            close = max(round(stock.price * (1 - stock.change / 100 * left + swing)), 1)
            rows.append(
                MinPrice(
                    stock_code=stock.code,
                    bar_at=opened + timedelta(minutes=minute),
                    open=close,
                    high=close + 1,
                    low=max(close - 1, 1),
                    close=close,
                    volume=1_000 + (minute * 37 + place) % 900,
                )
            )
    MinPrice.objects.bulk_create(rows, ignore_conflicts=True)


def closed_day(account: KisAccount, total: int, **changes: Any) -> KisDailySummary:
    """Save the summary of a day whose closing snapshot this is."""
    values = {
        "account_no": account.account_no,
        "product_code": account.product_code,
        "is_paper": account.is_paper,
        "summary_date": account.snapshot_at.astimezone(SEOUL).date(),
        "kis_account": account,
        "closed_at": account.snapshot_at,
        "total_amt": total,
        "stock_amt": account.stock_eval_amt,
        "cash_amt": account.available,
        "cost_amt": account.total_buy_amt,
        "unrealised_broker": account.total_profit_loss,
        "flow": 0,
        **changes,
    }
    known = {name for name in KisDailySummary.FIGURES if values.get(name) is not None}
    reasons = {
        name: "시험에서 정하지 않은 값입니다." for name in KisDailySummary.FIGURES if name not in known
    }
    return KisDailySummary.objects.create(**values, reasons=reasons)


def weeks_of(
    totals: Sequence[int | None], *, until: date, flows: Mapping[int, int] | None = None, **changes: Any
) -> list[KisDailySummary]:
    """Save closes of an account that holds cash alone, the last of them on the business day before `until`.

    None is a day that nobody looked at; `flows` are deposits by the place of their day.
    """
    days = [until]
    while len(days) <= len(totals):
        days.append(business_day_before(days[-1]))
    rows = []
    for place, (day, total) in enumerate(zip(reversed(days[1:]), totals, strict=True)):
        at = datetime.combine(day, time(15, 40), SEOUL)
        if total is None:
            reasons = dict.fromkeys(KisDailySummary.FIGURES, "마감 자료가 없습니다.")
            rows.append(
                KisDailySummary.objects.create(
                    account_no="12345678",
                    product_code="01",
                    is_paper=False,
                    summary_date=day,
                    closed_at=at,
                    reasons=reasons,
                )
            )
            continue
        close = snapshot(at=at, cash=total, with_closes=False)
        rows.append(closed_day(close, total, flow=(flows or {}).get(place, 0), **changes))
    return rows


def index_closes(levels: Sequence[Any], *, until: date, index: str = IndexPrice.Index.KOSPI) -> None:
    """Save closes of an index, the last of them on the business day before `until`."""
    day = until
    for level in reversed(levels):
        day = business_day_before(day)
        IndexPrice.objects.create(index_code=index, trade_date=day, close=Decimal(str(level)))


def fill(
    number: int, *, side: str = "BUY", name: str = "삼성전자", at: datetime = AT, **changes: Any
) -> KisExecution:
    """Save a fill of the day; `number` makes it a different order and sets its minute."""
    quantity, price = 10 + number, 57_100
    minute = 9 * 60 + 1 + number % 310
    return KisExecution.objects.create(
        **{
            "odno": f"{number:010}",
            "stock_code": "005930",
            "stock_name": name,
            "exec_type": side,
            "exec_qty": quantity,
            "exec_price": price,
            "exec_amt": quantity * price,
            "exec_dt": at.astimezone(SEOUL).date(),
            "exec_tmd": time(minute // 60, minute % 60),
            "commission": 80,
            "tax": 0 if side == "BUY" else 857,
            "cost_source": KisExecution.CostSource.ESTIMATED,
            "is_paper": False,
            "account_no": "12345678",
            "product_code": "01",
            "ord_gno_brno": "00950",
            **changes,
        }
    )


def report_fills(account: KisAccount) -> KisAccount:
    """Let the balance of a snapshot say of today's trades what the saved fills do; stocks that are not held were sold out."""
    fills = KisExecution.objects.filter(
        account_no=account.account_no,
        is_paper=account.is_paper,
        exec_dt=account.snapshot_at.astimezone(SEOUL).date(),
    )
    traded: dict[str, dict[str, int]] = {}
    names = {}
    for row in fills:
        of_stock = traded.setdefault(row.stock_code, {"BUY": 0, "SELL": 0})
        of_stock[row.exec_type] += row.exec_qty
        names[row.stock_code] = (row.stock_name, row.exec_price)
    for holding in account.holdings.all():
        of_stock = traded.pop(holding.stock_code, {"BUY": 0, "SELL": 0})
        holding.today_buy_qty, holding.today_sell_qty = of_stock["BUY"], of_stock["SELL"]
        holding.save(update_fields=["today_buy_qty", "today_sell_qty"])
    account.raw_json = {
        "sold_out": [
            {
                "pdno": code,
                "prdt_name": names[code][0],
                "prpr": str(names[code][1]),
                "bfdy_cprs_icdc": "0",
                "thdt_buyqty": str(of_stock["BUY"]),
                "thdt_sll_qty": str(of_stock["SELL"]),
            }
            for code, of_stock in traded.items()
        ]
    }
    account.today_buy_amt = sum(row.exec_amt for row in fills if row.exec_type == "BUY")
    account.today_sell_amt = sum(row.exec_amt for row in fills if row.exec_type == "SELL")
    account.save(update_fields=["raw_json", "today_buy_amt", "today_sell_amt"])
    return account


def order(account: KisAccount, number: int, **changes: Any) -> KisUnfilledOrder:
    """Save an order that waits at the exchange."""
    return KisUnfilledOrder.objects.create(
        **{
            "kis_account": account,
            "snapshot_at": account.snapshot_at,
            "snapshot_date": account.snapshot_at.astimezone(SEOUL).date(),
            "account_no": account.account_no,
            "is_paper": account.is_paper,
            "odno": f"{117_000 + number:010}",
            "ord_gno_brno": "00950",
            "stock_code": "005930",
            "stock_name": "삼성전자",
            "sll_buy_dvsn_cd": KisUnfilledOrder.SideCode.SELL,
            "ord_qty": 40,
            "ord_unpr": 62_000,
            "ord_tmd": "090600",
            "psbl_qty": 10,
            "tot_ccll_qty": 30,
            **changes,
        }
    )


def sync_run(*, at: datetime = AT, **changes: Any) -> SyncRun:
    return SyncRun.objects.create(
        **{
            "job": "sync_kis_data",
            "account_no": "12345678",
            "product_code": "01",
            "is_paper": False,
            "started_at": at - timedelta(seconds=3),
            "finished_at": at,
            "status": SyncRun.Status.COMPLETE,
            "steps": STEPS,
            **changes,
        }
    )
