"""mojito2 (sharebook-kr): hash keys before orders, old TR ids, a websocket in a process of its own."""

import sys

import mojito
from harness import STOCK, Heard, Run, check, equal

run = Run()
host = run.host

with run.step("token"):
    client = mojito.KoreaInvestment(
        api_key=host.app_key, api_secret=host.app_secret, acc_no=host.account, mock=host is run.paper
    )
    check("a bearer token", client.access_token.startswith("Bearer "))

with run.step("price"):
    equal("price", int(client.fetch_price(STOCK)["output"]["stck_prpr"]), run.price)
    symbols = client.fetch_symbols()
    equal("rows of the public list", list(symbols[symbols["단축코드"] == STOCK]["한글명"]), ["삼성전자"])

with run.step("balance"):
    reply = client.fetch_balance()
    run.check_balance(reply["output1"], reply["output2"][0])

with run.step("daily chart"):
    chart = client.fetch_ohlcv(STOCK, timeframe="D", start_day="20260901", end_day=run.today, adj_price=True)
    run.check_daily(chart["output2"])

with run.step("minute chart"):
    # It pages until it meets 09:01, so it is asked for the first half hour.
    run.check_minutes(client.fetch_today_1m_ohlcv(STOCK, to="092900")["output2"])

with run.step("buying power"):
    reply = client.check_buy_order(STOCK, run.price, "00")["output"]
    run.check_power(
        reply["ord_psbl_cash"], reply["nrcvb_buy_amt"], quantity=reply["nrcvb_buy_qty"], price=run.price
    )

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    reply = client.create_limit_buy_order(STOCK, run.below(10), 3)
    equal("answer", reply["rt_cd"], "0")
    placed["number"] = reply["output"]["ODNO"]
    branch = reply["output"]["KRX_FWDG_ORD_ORGNO"]

with run.step("amend"), run.amended(placed["number"], quantity=3, price=run.below(8)) as amended:
    reply = client.modify_order(branch, placed["number"], "00", run.below(8), 3, total=True)
    equal("answer", reply["rt_cd"], "0")
    amended["number"] = reply["output"]["ODNO"]

with run.step("cancel"), run.cancelled(amended["number"]):
    reply = client.cancel_order(branch, amended["number"], 3, total=True)
    equal("answer", reply["rt_cd"], "0")

if host is run.paper:
    run.lacks("order history", "미체결 조회뿐이고, 모의에는 그 조회가 없습니다")
    run.lacks("live price", "웹소켓은 실전 서버만 부릅니다")
    run.lacks("live fill", "웹소켓은 실전 서버만 부릅니다")
    sys.exit()

with run.step("order history"), run.new_order(side="sell", quantity=2, price=run.above(9)) as placed:
    # It knows only the orders that are still open.
    placed["number"] = client.create_limit_sell_order(STOCK, run.above(9), 2)["output"]["ODNO"]
    asked = {"CTX_AREA_FK100": "", "CTX_AREA_NK100": "", "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
    rows = client.fetch_open_order(asked)["output"]
    run.check_history(rows, placed["number"], side="sell", quantity=2, price=run.above(9))

feed = mojito.KoreaInvestmentWS(
    host.app_key, host.app_secret, ["H0STCNT0", "H0STASP0"], [STOCK], user_id=host.hts_id
)
heard = Heard(feed.queue)


def tick_of(message):
    kind, data = message
    return data if kind == "체결" else None


def fill_of(message):
    kind, data = message
    return data if kind == "체잔" and data["체결여부"] == "2" else None


feed.start()
try:
    with run.step("live price"):
        tick = heard.wait("a tick", tick_of, again=run.move_price)
        run.check_tick(code=tick["유가증권단축종목코드"], price=tick["주식현재가"])
    with run.step("live fill"):
        number = client.create_limit_buy_order(STOCK, run.below(10), 4)["output"]["ODNO"]
        run.fill(number, 1)
        fill = heard.wait("a fill", fill_of)
        run.check_fill(fill["주문번호"], number, quantity=fill["체결수량"], price=fill["체결단가"])
finally:
    feed.terminate()
