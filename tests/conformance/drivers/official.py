"""The official samples of Korea Investment & Securities, examples_llm of open-trading-api, set up by their kis_devlp.yaml."""

import sys
import threading
from pathlib import Path

from harness import STOCK, Heard, Run, check, equal

run = Run()
host = run.host
is_real = host.mode == "real"
where = "real" if is_real else "demo"

samples = Path(run.given["official"]) / "examples_llm"
sys.path.insert(0, str(samples))
for folder in (samples / "domestic_stock").iterdir():
    if folder.is_dir():
        sys.path.append(str(folder))

config = Path.home() / "KIS" / "config"
config.mkdir(parents=True)
(config / "kis_devlp.yaml").write_text(
    f"""
my_app: "{run.real.app_key}"
my_sec: "{run.real.app_secret}"
paper_app: "{run.paper.app_key}"
paper_sec: "{run.paper.app_secret}"
my_htsid: "{host.hts_id}"
my_acct_stock: "{run.real.cano}"
my_acct_future: ""
my_paper_stock: "{run.paper.cano}"
my_paper_future: ""
my_prod: "{host.product}"
prod: "{run.real.url}"
ops: "{run.real.ws}"
vps: "{run.paper.url}"
vops: "{run.paper.ws}"
my_token: ""
my_agent: "Mozilla/5.0"
""",
    encoding="utf-8",
)

import kis_auth  # noqa: E402  # reads kis_devlp.yaml when it is imported
from ccnl_krx import ccnl_krx  # noqa: E402
from ccnl_notice import ccnl_notice  # noqa: E402
from inquire_balance import inquire_balance  # noqa: E402
from inquire_daily_ccld import inquire_daily_ccld  # noqa: E402
from inquire_daily_itemchartprice import inquire_daily_itemchartprice  # noqa: E402
from inquire_price import inquire_price  # noqa: E402
from inquire_psbl_order import inquire_psbl_order  # noqa: E402
from inquire_time_itemchartprice import inquire_time_itemchartprice  # noqa: E402
from order_cash import order_cash  # noqa: E402
from order_rvsecncl import order_rvsecncl  # noqa: E402

account = {"env_dv": where, "cano": host.cano, "acnt_prdt_cd": host.product}

with run.step("token"):
    kis_auth.auth(svr="prod" if is_real else "vps", product=host.product)
    equal("address", kis_auth.getTREnv().my_url, host.url)

with run.step("price"):
    equal("price", int(inquire_price(where, "J", STOCK)["stck_prpr"][0]), run.price)

with run.step("balance"):
    rows, totals = inquire_balance(
        **account,
        afhr_flpr_yn="N",
        inqr_dvsn="02",
        unpr_dvsn="01",
        fund_sttl_icld_yn="N",
        fncg_amt_auto_rdpt_yn="N",
        prcs_dvsn="00",
    )
    run.check_balance(rows.to_dict("records"), totals.to_dict("records")[0])

with run.step("daily chart"):
    head, bars = inquire_daily_itemchartprice(where, "J", STOCK, "20260901", run.today, "D", "1")
    equal("price above the chart", int(head["stck_prpr"][0]), run.price)
    run.check_daily(bars.to_dict("records"))

with run.step("minute chart"):
    head, bars = inquire_time_itemchartprice(where, "J", STOCK, "095900", "N")
    run.check_minutes(bars.to_dict("records"))

with run.step("buying power"):
    power = inquire_psbl_order(
        **account,
        pdno=STOCK,
        ord_unpr=str(run.price),
        ord_dvsn="00",
        cma_evlu_amt_icld_yn="N",
        ovrs_icld_yn="N",
    ).to_dict("records")[0]
    run.check_power(
        power["ord_psbl_cash"], power["nrcvb_buy_amt"], quantity=power["nrcvb_buy_qty"], price=run.price
    )


def order(side, quantity, price):
    frame = order_cash(
        **account,
        ord_dv=side,
        pdno=STOCK,
        ord_dvsn="00",
        ord_qty=str(quantity),
        ord_unpr=str(price),
        excg_id_dvsn_cd="KRX",
    )
    return frame.to_dict("records")[0]


def change(what, original, quantity, price, *, everything):
    frame = order_rvsecncl(
        **account,
        krx_fwdg_ord_orgno=original["KRX_FWDG_ORD_ORGNO"],
        orgn_odno=original["ODNO"],
        ord_dvsn="00",
        rvse_cncl_dvsn_cd=what,
        ord_qty=str(quantity),
        ord_unpr=str(price),
        qty_all_ord_yn=everything,
        excg_id_dvsn_cd="KRX",
    )
    return frame.to_dict("records")[0]


with run.step("buy"), run.new_order(side="buy", quantity=3, price=run.below(10)) as placed:
    bought = order("buy", 3, run.below(10))
    placed["number"] = bought["ODNO"]

with run.step("amend"), run.amended(bought["ODNO"], quantity=3, price=run.below(8)) as placed:
    amended = change("01", bought, 3, run.below(8), everything="Y")
    placed["number"] = amended["ODNO"]

with run.step("cancel"), run.cancelled(amended["ODNO"]):
    change("02", amended, 3, 0, everything="Y")

with run.step("order history"):
    rows, _ = inquire_daily_ccld(
        **account,
        pd_dv="inner",
        inqr_strt_dt=run.today,
        inqr_end_dt=run.today,
        sll_buy_dvsn_cd="00",
        pdno="",
        ccld_dvsn="00",
        inqr_dvsn="00",
        inqr_dvsn_3="00",
    )
    run.check_history(rows.to_dict("records"), amended["ODNO"], side="buy", quantity=3, price=run.below(8))

ticks, notices = Heard(), Heard()


def take(_ws, tr_id, frame, _info):
    (ticks if tr_id == "H0STCNT0" else notices).put(frame.to_dict("records")[0])


def listen():
    feed = kis_auth.KISWebSocket(api_url="/tryitout")
    feed.subscribe(request=ccnl_krx, data=[STOCK], kwargs={"env_dv": where})
    feed.subscribe(request=ccnl_notice, data=[host.hts_id], kwargs={"env_dv": where})
    feed.start(on_result=take)


with run.step("live price"):
    kis_auth.auth_ws(svr="prod" if is_real else "vps", product=host.product)
    threading.Thread(target=listen, daemon=True).start()
    tick = ticks.wait("a tick", again=run.move_price)
    run.check_tick(code=tick["MKSC_SHRN_ISCD"], price=tick["STCK_PRPR"])

with run.step("live fill"):
    number = order("buy", 4, run.below(10))["ODNO"]
    run.fill(number, 1)
    fill = notices.wait("a fill", lambda notice: notice["CNTG_YN"] == "2" and notice)
    check("the stock of the notice", fill["STCK_SHRN_ISCD"] == STOCK)
    run.check_fill(fill["ODER_NO"], number, quantity=fill["CNTG_QTY"], price=fill["CNTG_UNPR"])
