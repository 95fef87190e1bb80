"""pykis (pjueon): its DomainInfo takes any address; hash keys before orders, TR ids of 2022, pandas frames."""

from harness import STOCK, Run, check, equal
from pykis import Api, DomainInfo

run = Run()
host = run.host
keys = {"appkey": host.app_key, "appsecret": host.app_secret}
account = {"account_code": host.cano, "product_code": host.product}

with run.step("token"):
    api = Api(key_info=keys, domain_info=DomainInfo(url=host.url), account_info=account)
    api.create_token()
    check("a valid token", not api.need_authentication())

with run.step("price"):
    equal("price", api.get_kr_current_price(STOCK), run.price)
    check("price inside its limits", api.get_kr_min_price(STOCK) < run.price < api.get_kr_max_price(STOCK))

with run.step("balance"):
    frame = api.get_kr_stock_balance()
    held = {code: (int(row["보유수량"]), int(row["현재가"])) for code, row in frame.iterrows()}
    equal("positions", held, {STOCK: (12, run.price)})
    run.check_totals(deposit=api.get_kr_deposit())

with run.step("daily chart"):
    frame = api.get_kr_ohlcv(STOCK, "day")
    run.check_bars(
        (f"{day:%Y%m%d}", row["Open"], row["High"], row["Low"], row["Close"]) for day, row in frame.iterrows()
    )

run.lacks("minute chart", "분봉 조회가 없습니다")

with run.step("buying power"):
    run.check_power(api.get_kr_buyable_cash())

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    number = placed["number"] = api.buy_kr_stock(STOCK, 3, run.below(10))["ODNO"]

with run.step("amend"), run.amended(number, quantity=3, price=run.below(8)) as placed:
    amended = placed["number"] = api.revise_kr_order(number, run.below(8))["output"]["ODNO"]

with run.step("order history"):
    # It lists the orders that are still open.
    row = api.get_kr_orders().loc[amended]
    seen = (row["종목코드"], row["매수매도구분"], int(row["주문수량"]), int(row["주문가격"]))
    equal("row", seen, (STOCK, "매수", 3, run.below(8)))

with run.step("cancel"), run.cancelled(amended):
    api.cancel_kr_order(amended)

run.lacks("live price", "웹소켓이 없습니다")
run.lacks("live fill", "웹소켓이 없습니다")
