"""finestock: one interface over seven brokers, whose KIS part asks for the unified market and for past minutes."""

import asyncio

import finestock
from harness import STOCK, Run, check, equal

run = Run()
host = run.host

with run.step("token"):
    api = finestock.APIFactory.create_api(
        finestock.APIProvider.KIS, mode="live" if host is run.real else "virtual"
    )
    api.set_oauth_info(host.app_key, host.app_secret)
    api.set_account_info(host.cano, host.product)
    check("a token", api.oauth())
    check("a token kept", api.get_access_token())

with run.step("price"):
    equal("price", int(api.get_price(STOCK).price), run.price)

with run.step("balance"):
    balance = api.get_balance()
    run.check_totals(deposit=balance.deposit)
    equal("shares", {hold.code: hold.qty for hold in balance.hold}, {STOCK: 12})

with run.step("daily chart"):
    bars = api.get_ohlcv(STOCK, "20260901", run.today)
    run.check_bars((bar.workday, bar.open, bar.high, bar.low, bar.close) for bar in bars)

if host is run.paper:
    run.lacks("minute chart", "지난 분봉 조회만 쓰고, 모의에는 그 조회가 없습니다")
else:
    with run.step("minute chart"):
        bars = api.get_ohlcv_min(STOCK, run.today, exchange=finestock.QuoteExchange.KRX)
        run.check_minute_bars((bar.time, bar.open, bar.high, bar.low, bar.close) for bar in bars)

run.lacks("buying power", "매수가능 조회가 없습니다")

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    bought = api.do_order(STOCK, finestock.ORDER_FLAG.BUY, run.below(10), 3).order
    placed["number"] = bought.order_num

with run.step("amend"), run.amended(bought.order_num, quantity=3, price=run.below(8)) as placed:
    amended = api.do_order_modify(bought.order_num, STOCK, run.below(8), 3, bought.krx_fwdg_ord_orgno)
    placed["number"] = amended.order_num

# It lists the orders that are still open.
if host is run.paper:
    run.lacks("order history", "미체결 조회뿐이고, 모의에는 그 조회가 없습니다")
else:
    with run.step("order history"):
        rows = [row for row in api.get_order_status(STOCK) if row.order_num == amended.order_num]
        equal("rows of the order", len(rows), 1)
        known = (finestock.ORDER_FLAG.BUY, 3, run.below(8))
        equal("row", (rows[0].order_flag, rows[0].qty, rows[0].price), known)

with run.step("cancel"), run.cancelled(amended.order_num):
    api.do_order_cancel(amended.order_num, STOCK, 3, amended.krx_fwdg_ord_orgno)


async def first_tick() -> list[str]:
    """Return the fields of the first tick; the library hands over its connection and parses nothing."""
    await api.connect()
    await api.recv_price(STOCK)
    while True:
        run.move_price()
        frame = await asyncio.wait_for(api.ws.recv(), 10)
        if frame.startswith("0|H0STCNT0|"):
            await api.ws.close()
            return frame.split("|")[3].split("^")


with run.step("live price"):
    fields = asyncio.run(first_tick())
    run.check_tick(code=fields[0], price=fields[2])

run.lacks("live fill", "통보를 등록만 하고 풀지 않습니다")
