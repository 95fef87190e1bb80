"""vm-stock-kis: a fork of python-kis with an address setting; here on the paper host, with quotes from the real one."""

from harness import STOCK, Heard, Run, check, equal
from vmkis import KisAuth, VmKis
from vmkis.config import Endpoint

run = Run()
host = run.host

with run.step("token"):
    auths = [
        KisAuth(
            id=each.hts_id,
            account=each.account,
            appkey=each.app_key,
            secretkey=each.app_secret,
            paper=each is run.paper,
        )
        for each in (run.real, run.paper)
    ]
    addresses = {
        "live": Endpoint(base_url=run.real.url, ws_url=run.real.ws),
        "paper": Endpoint(base_url=run.paper.url, ws_url=run.paper.ws),
    }
    kis = VmKis(*auths, endpoints=addresses)
    check("two tokens", kis.token.token != kis.primary_token.token)

with run.step("price"):
    stock = kis.stock(STOCK)
    equal("price", int(stock.quote().price), run.price)

with run.step("balance"):
    balance = kis.account().balance()
    run.check_totals(deposit=balance.deposits["KRW"].amount, value=balance.stocks[0].amount)
    equal("shares", {row.symbol: int(row.qty) for row in balance.stocks}, {STOCK: 12})

with run.step("daily chart"):
    bars = stock.daily_chart(start=run.now.date().replace(month=9, day=1), end=run.now.date()).bars
    run.check_bars((f"{bar.time:%Y%m%d}", bar.open, bar.high, bar.low, bar.close) for bar in bars)

with run.step("minute chart"):
    bars = stock.day_chart().bars
    run.check_minute_bars((f"{bar.time:%H%M%S}", bar.open, bar.high, bar.low, bar.close) for bar in bars)

with run.step("buying power"):
    power = stock.orderable_amount(price=run.price)
    run.check_power(power.amount, quantity=power.qty, price=run.price)

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    bought = stock.buy(price=run.below(10), qty=3)
    placed["number"] = bought.number

run.lacks("amend", "모의 계좌의 정정은 스스로 거절합니다")

with run.step("cancel"), run.cancelled(bought.number):
    bought.cancel()

with run.step("order history"):
    orders = kis.account().daily_orders(start=run.now.date()).orders
    rows = [row for row in orders if row.number == bought.number]
    equal("rows of the order", len(rows), 1)
    seen = (rows[0].symbol, rows[0].type, int(rows[0].qty), int(rows[0].unit_price))
    equal("row", seen, (STOCK, "buy", 3, run.below(10)))

heard = Heard()

with run.step("live price"):
    ticket = stock.on("price", lambda _sender, event: heard.put(event.response))
    tick = heard.wait("a tick", again=run.move_price)
    run.check_tick(code=tick.symbol, price=tick.price)
    ticket.unsubscribe()

with run.step("live fill"):
    notices = kis.account().on("execution", lambda _sender, event: heard.put(event.response))
    order = stock.buy(price=run.below(10), qty=4)
    run.fill(order.number, 1)
    # Ticks may still be waiting in front; an accepted order has nothing executed.
    fill = heard.wait("a fill", lambda told: getattr(told, "executed_quantity", 0) and told)
    run.check_fill(fill.order_number.number, order.number, quantity=fill.executed_quantity, price=fill.price)
    notices.unsubscribe()
