"""kis-wrapper (tonykim): httpx, orders without custtype, cancels by number alone with the whole quantity and N."""

from harness import STOCK, Run, check, equal

from kis import KIS, domestic, get_token

run = Run()
host = run.host
env = "prod" if host is run.real else "paper"
kis = KIS(app_key=host.app_key, app_secret=host.app_secret, account=host.account, env=env)

with run.step("token"):
    check("a token", get_token(host.app_key, host.app_secret, env))

with run.step("price"):
    equal("price", int(domestic.price(kis, STOCK)["stck_prpr"]), run.price)
    run.pause()
    book = domestic.orderbook(kis, STOCK)
    check("best ask over best bid", int(book["output1"]["askp1"]) > int(book["output1"]["bidp1"]))

with run.step("balance"):
    reply = domestic.balance(kis)
    run.check_balance(reply["output1"], reply["output2"][0])

with run.step("daily chart"):
    run.check_daily(domestic.daily(kis, STOCK))

run.lacks("minute chart", "분봉 조회가 없습니다")
run.lacks("buying power", "매수가능 조회가 없습니다")

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    number = placed["number"] = domestic.buy(kis, STOCK, 3, run.below(10))["ODNO"]

with run.step("amend"), run.amended(number, quantity=3, price=run.below(8)) as placed:
    amended = placed["number"] = domestic.modify(kis, number, 3, run.below(8))["ODNO"]

# Its list of the day looks for `output`, which that reply does not have; the open orders it can read.
if host is run.paper:
    run.lacks("order history", "미체결 조회만 읽을 수 있고, 모의에는 그 조회가 없습니다")
else:
    with run.step("order history"):
        run.check_history(domestic.pending_orders(kis), amended, side="buy", quantity=3, price=run.below(8))

with run.step("cancel"), run.cancelled(amended):
    domestic.cancel(kis, amended, 3)

run.lacks("live price", "등록할 때 접속키를 보내지 않아 서버가 거절합니다 (클라이언트 결함)")
run.lacks("live fill", "등록할 때 접속키를 보내지 않아 서버가 거절합니다 (클라이언트 결함)")
