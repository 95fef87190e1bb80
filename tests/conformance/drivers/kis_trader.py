"""kis-trader (rg1203): insists on 47 live fields, reads every number as a Decimal, keeps orders under ids of its own."""

from harness import STOCK, Heard, Run, check, equal
from kis_trader import KISClient

run = Run()
host = run.host

with run.step("token"):
    kis = KISClient(
        app_key=host.app_key,
        app_secret=host.app_secret,
        account=host.account,
        environment=host.mode,
        hts_id=host.hts_id,
    )
    stock = kis.domestic.stock(STOCK)
    check("a stock", kis.transport is not None and stock.quote().symbol == STOCK)

with run.step("price"):
    equal("price", int(stock.quote().current_price), run.price)

with run.step("balance"):
    portfolio = kis.account.domestic.portfolio()
    summary = kis.account.domestic.balance()
    run.check_totals(
        deposit=summary.deposit, value=summary.securities_evaluation, total=summary.total_evaluation
    )
    held = {row.symbol: (int(row.quantity), int(row.current_price)) for row in portfolio.positions}
    equal("positions", held, {STOCK: (12, run.price)})

with run.step("daily chart"):
    bars = stock.bars("1d", start="20260901", end=run.today)
    run.check_bars((f"{bar.timestamp:%Y%m%d}", bar.open, bar.high, bar.low, bar.close) for bar in bars)

with run.step("minute chart"):
    # Minutes of a given day exist on the real host only.
    bars = stock.minute_bars_on(run.today) if host is run.real else stock.bars("1m")
    run.check_minute_bars((f"{bar.timestamp:%H%M%S}", bar.open, bar.high, bar.low, bar.close) for bar in bars)

with run.step("buying power"):
    power = stock.buyable(limit_price=run.price)
    run.check_power(power.orderable_cash, quantity=power.cash_buyable_quantity, price=run.price)

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    report = stock.buy(quantity=3, limit_price=run.below(10))
    placed["number"] = report.order_id

with run.step("amend"), run.amended(report.order_id, quantity=3, price=run.below(8)) as placed:
    amended = kis.orders.modify(report.client_order_id, limit_price=run.below(8))
    placed["number"] = amended.order_id

with run.step("cancel"), run.cancelled(amended.order_id):
    kis.orders.cancel(report.client_order_id)

with run.step("order history"):
    orders = kis.account.domestic.order_history(start=run.today, end=run.today).orders
    rows = [row for row in orders if row.order_id == amended.order_id]
    equal("rows of the order", len(rows), 1)
    seen = (rows[0].symbol, rows[0].side, int(rows[0].order_quantity), int(rows[0].order_price))
    equal("row", seen, (STOCK, "buy", 3, run.below(8)))

ticks, notices = Heard(), Heard()

with run.step("live price"):
    feed = kis.realtime()
    feed.domestic.stock(STOCK).trades(on=ticks.put)
    feed.domestic.execution_notices.stock(host.hts_id, on=notices.put)
    feed.start()
    tick = ticks.wait("a tick", again=run.move_price)
    run.check_tick(code=tick.symbol, price=tick.current_price)

with run.step("live fill"):
    report = stock.buy(quantity=4, limit_price=run.below(10))
    run.fill(report.order_id, 1)
    fill = notices.wait("a fill", lambda notice: notice.fill_status == "2" and notice)
    run.check_fill(fill.order_id, report.order_id, quantity=fill.filled_quantity, price=fill.filled_price)
    feed.stop()
