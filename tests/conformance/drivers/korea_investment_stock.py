"""korea-investment-stock (kenshin579): quotations only; asks what kind of product a code is before its price."""

from harness import STOCK, Run, check, equal
from korea_investment_stock import KoreaInvestment

run = Run()
host = run.host

with run.step("token"):
    broker = KoreaInvestment(api_key=host.app_key, api_secret=host.app_secret, acc_no=host.account)
    check("a bearer token", broker.access_token.startswith("Bearer "))

with run.step("price"):
    equal("price", int(broker.fetch_price(STOCK)["output"]["stck_prpr"]), run.price)

with run.step("daily chart"):
    run.check_daily(broker.fetch_domestic_chart(STOCK, "D", "20260901", run.today)["output2"])

with run.step("minute chart"):
    run.check_minutes(broker.fetch_domestic_minute_chart(STOCK, "095900")["output2"])

for step in ("balance", "buying power", "buy", "amend", "cancel", "order history", "live price", "live fill"):
    run.lacks(step, "시세만 다룹니다")
