"""cluefin-openapi: pydantic models that insist on every documented field, and a websocket written by hand."""

import asyncio

from cluefin_openapi.kis import Auth, DomesticRealtimeQuote, HttpClient, SocketClient
from harness import STOCK, Run, check, equal
from pydantic import SecretStr, ValidationError

run = Run()
host = run.host
account = {"cano": host.cano, "acnt_prdt_cd": host.product}
auth = Auth(host.app_key, SecretStr(host.app_secret), env="prod", cache_dir=".")

with run.step("token"):
    client = HttpClient(auth.generate().access_token, host.app_key, host.app_secret, env="prod")

with run.step("price"):
    price = client.domestic_basic_quote.get_stock_current_price("J", STOCK).body.output
    equal("price", int(price.stck_prpr), run.price)
    book = client.domestic_basic_quote.get_stock_current_price_asking_expected_conclusion("J", STOCK).body
    check("best ask over best bid", int(book.output1.askp1) > int(book.output1.bidp1))

with run.step("balance"):
    body = client.domestic_account.get_stock_balance(
        "TTTC8434R", "", **account, inqr_dvsn="02", fund_sttl_icld_yn="N", prcs_dvsn="00"
    ).body
    run.check_balance([row.model_dump() for row in body.output1], body.output2[0].model_dump())

with run.step("daily chart"):
    body = client.domestic_basic_quote.get_stock_period_quote(
        "J", STOCK, "20260901", run.today, "D", "0"
    ).body
    run.check_daily(bar.model_dump() for bar in body.output2)

with run.step("minute chart"):
    body = client.domestic_basic_quote.get_stock_today_minute_chart("J", STOCK, "095900", "N", "").body
    run.check_minutes(bar.model_dump() for bar in body.output2)

with run.step("buying power"):
    power = client.domestic_account.get_buy_tradable_inquiry(
        "TTTC8908R",
        **account,
        pdno=STOCK,
        ord_unpr=str(run.price),
        ord_dvsn="00",
        cma_evlu_amt_icld_yn="N",
        ovrs_icld_yn="N",
    ).body.output
    run.check_power(power.ord_psbl_cash, power.nrcvb_buy_amt, quantity=power.nrcvb_buy_qty, price=run.price)

# Its orders arrive, but the models of the replies are those of the printed specification: `output` a list, the
# cancelled quantity misspelt. Neither is what the broker sends.
with run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    try:
        client.domestic_account.request_stock_quote_current(
            "TTTC0012U", **account, pdno=STOCK, ord_dvsn="00", ord_qty=3, ord_unpr=run.below(10)
        )
    except ValidationError:
        placed["number"] = max(order["odno"] for order in run.orders())
run.lacks("buy", "주문은 도착하지만 응답의 output을 배열로 읽다가 멈춥니다 (클라이언트 결함)")
run.lacks("amend", "응답의 output을 배열로 읽다가 멈춥니다 (클라이언트 결함)")
run.lacks("cancel", "응답의 output을 배열로 읽다가 멈춥니다 (클라이언트 결함)")
run.lacks("order history", "문서의 오기 cnc_cfrm_qty를 요구합니다 (클라이언트 결함)")


async def first_tick():
    """Return the first tick of a frame as the library's own model."""
    SocketClient.WS_URL_PROD = host.ws  # its constant: it opens the socket itself and knows no proxy
    async with SocketClient(auth.approve().approval_key, host.app_key, host.app_secret, env="prod") as socket:
        quotes = DomesticRealtimeQuote(socket)
        await quotes.subscribe_execution(STOCK)
        run.move_price()
        async for event in socket.events():
            if event.event_type == "error":
                raise event.error
            if event.event_type == "data":
                return quotes.parse_execution_data(event.data["values"])[0]
    raise ConnectionError("the socket closed without a tick")


with run.step("live price"):
    tick = asyncio.run(asyncio.wait_for(first_tick(), 15))
    run.check_tick(code=tick.mksc_shrn_iscd, price=tick.stck_prpr)

run.lacks("live fill", "체결통보를 다루지 않습니다")
