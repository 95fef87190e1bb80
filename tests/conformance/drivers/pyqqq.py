"""pyqqq (quantit): converts every field to numbers and dates; asks for the orders of all exchanges at once."""

import datetime as dt

from harness import STOCK, Run, check, equal
from pyqqq.brokerage.kis.domestic_stock import KISDomesticStock
from pyqqq.brokerage.kis.oauth import KISAuth
from pyqqq.brokerage.kis.simple import KISSimpleDomesticStock
from pyqqq.datatypes import OrderSide, OrderType

run = Run()
host = run.host

with run.step("token"):
    auth = KISAuth(host.app_key, host.app_secret, paper_trading=False)
    check("a token", auth.get_token())
    simple = KISSimpleDomesticStock(auth, host.cano, host.product, hts_id=host.hts_id)
    api = KISDomesticStock(auth)

with run.step("price"):
    equal("price", simple.get_price(STOCK)["current_price"], run.price)

with run.step("balance"):
    run.check_totals(deposit=run.account()["deposit"], total=simple.get_account()["total_balance"])
    held = {each.asset_code: (each.quantity, each.current_price) for each in simple.get_positions()}
    equal("positions", held, {STOCK: (12, run.price)})

with run.step("daily chart"):
    rows = api.inquire_daily_itemchartprice(STOCK, dt.date(2026, 9, 1), run.now.date(), "D")["output2"]
    run.check_daily({**row, "stck_bsop_date": f"{row['stck_bsop_date']:%Y%m%d}"} for row in rows)

with run.step("minute chart"):
    # The simple class pages back from the machine's own time, so the hour is given here.
    rows = api.inquire_time_itemchartprice(STOCK, dt.time(9, 59), fid_pw_data_incu_yn="N")["output2"]
    run.check_minutes({**row, "stck_cntg_hour": f"{row['stck_cntg_hour']:%H%M%S}"} for row in rows)

with run.step("buying power"):
    power = simple.get_possible_quantity(STOCK, OrderType.LIMIT, run.price)
    run.check_power(power["investable_cash"], quantity=power["quantity"], price=run.price)

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    number = simple.create_order(STOCK, OrderSide.BUY, 3, OrderType.LIMIT, run.below(10))
    placed["number"] = number

with run.step("amend"), run.amended(number, quantity=3, price=run.below(8)) as placed:
    amended = simple.update_order(number, OrderType.LIMIT, run.below(8))
    placed["number"] = amended

with run.step("cancel"), run.cancelled(amended):
    simple.cancel_order(amended)

with run.step("order history"):
    rows = [row for row in simple.get_today_order_history(run.now.date()) if row.order_no == amended]
    equal("rows of the order", len(rows), 1)
    seen = (rows[0].asset_code, rows[0].side, rows[0].quantity, rows[0].price)
    equal("row", seen, (STOCK, OrderSide.BUY, 3, run.below(8)))

run.lacks("live price", "실시간 시세가 없습니다")
run.lacks("live fill", "주소를 바꿀 설정이 없고, 묶여 있는 websockets 12는 프록시를 모릅니다")
