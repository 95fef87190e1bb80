"""kis-agent (unohee): base_url and the websocket's address are arguments; checks the hours by the machine's clock."""

import asyncio
import os
from datetime import datetime, time
from pathlib import Path

from harness import STOCK, Run, check, equal

# Read on import; without it the token stays in the installed package and meets the next simulator.
os.environ["KIS_TOKEN_PATH"] = str(Path.home() / "token.json")

from kis_agent import Agent
from kis_agent.websocket import SubscriptionType, WSAgent

CLOSING, WEEKEND = time(15, 30), {5, 6}

run = Run()
host = run.host

with run.step("token"):
    agent = Agent(
        app_key=host.app_key,
        app_secret=host.app_secret,
        account_no=host.cano,
        account_code=host.product,
        base_url=host.url,
    )
    check("a token", agent.client.token)

with run.step("price"):
    equal("price", int(agent.get_stock_price(STOCK)["output"]["stck_prpr"]), run.price)

with run.step("balance"):
    reply = agent.get_account_balance()
    run.check_balance(reply["output1"], reply["output2"][0])

with run.step("daily chart"):
    run.check_daily(agent.inquire_daily_itemchartprice(STOCK, "20260901", run.today)["output2"])

with run.step("minute chart"):
    # Four pages around fixed hours, of which those in the future repeat the newest one.
    rows = agent.get_daily_minute_price(STOCK, run.today)["output2"]
    run.check_minutes(row for row in rows if row["stck_bsop_date"] == run.today)

with run.step("buying power"):
    reply = agent.get_cash_available(STOCK)["output"]
    run.check_power(
        reply["ord_psbl_cash"], reply["nrcvb_buy_amt"], quantity=reply["nrcvb_buy_qty"], price=run.price
    )

with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    reply = agent.order_stock_cash("buy", STOCK, "00", "3", str(run.below(10)))
    number = placed["number"] = reply["output"]["ODNO"]

with run.step("amend"), run.amended(number, quantity=3, price=run.below(8)) as placed:
    reply = agent.order_rvsecncl(number, 3, run.below(8), "00", "01")
    amended = placed["number"] = reply["output"]["ODNO"]

with run.step("cancel"), run.cancelled(amended):
    equal("answer", agent.order_rvsecncl(amended, 3, 0, "00", "02")["rt_cd"], "0")

with run.step("order history"):
    rows = agent.inquire_daily_ccld(run.today, run.today, pagination=True)["output1"]
    run.check_history(rows, amended, side="buy", quantity=3, price=run.below(8))


async def first_tick() -> list[str]:
    """Return the fields of the first tick."""
    heard: asyncio.Queue[list[str]] = asyncio.Queue()
    feed = WSAgent(agent.client.get_ws_approval_key(), url=host.ws)
    feed.subscribe(SubscriptionType.STOCK_TRADE, STOCK, handler=lambda data, _info: heard.put_nowait(data))
    connection = asyncio.create_task(feed.connect())
    for _ in range(50):
        check("connected", not connection.done())
        run.move_price()
        if not heard.empty():
            await feed.disconnect()
            return heard.get_nowait()
        await asyncio.sleep(0.2)
    raise TimeoutError("no tick within 10 s")


now = datetime.now()  # noqa: DTZ005  # the hours of Seoul, which run.py sets
if now.weekday() in WEEKEND or now.time() >= CLOSING:
    run.lacks("live price", "이 컴퓨터의 시각이 장 마감 뒤이면 스스로 연결하지 않습니다")
else:
    with run.step("live price"):
        fields = asyncio.run(first_tick())
        run.check_tick(code=fields[0], price=fields[2])
run.lacks("live fill", "건수 칸을 암호화 표시로 읽어 통보를 풀지 못합니다 (클라이언트 결함)")
