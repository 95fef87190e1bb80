"""The account's assets, its balance with today's profit, what can be sold, and nothing overseas."""

from decimal import Decimal
from functools import partial

import pytest

from tests.kis.conftest import TRADING

REAL_ONLY = {
    "CTRP6548R": "inquire-account-balance",
    "TTTC8494R": "inquire-balance-rlz-pl",
    "TTTC8408R": "inquire-psbl-sell",
    "TTTC8708R": "inquire-period-profit",
    "TTTC8715R": "inquire-period-trade-profit",
}
OVERSEAS = "/uapi/overseas-stock/v1/trading"


def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def total(rows, name):
    return sum(int(row[name]) for row in rows)


def assets(caller):
    params = {**caller.of_account(), "INQR_DVSN_1": "", "BSPR_BF_DT_APLY_YN": ""}
    return caller.get(f"{TRADING}/inquire-account-balance", "CTRP6548R", params)


def balance_with_profit(caller, *, cursor=("", ""), with_costs="N"):
    params = {
        **caller.of_account(cursor),
        "AFHR_FLPR_YN": "N",
        "OFL_YN": "",
        "INQR_DVSN": "00",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
        "COST_ICLD_YN": with_costs,
    }
    return caller.get(f"{TRADING}/inquire-balance-rlz-pl", "TTTC8494R", params)


def sellable(caller, code):
    params = {**caller.of_account(), "PDNO": code}
    return caller.get(f"{TRADING}/inquire-psbl-sell", "TTTC8408R", params)


def test_assets_are_twenty_rows_told_apart_by_their_place(real):
    reply = assets(real)
    body = reply.json()
    rows, sums = body["output1"], body["output2"]
    [balance] = real.balance().json()["output2"]
    assert (len(rows), body["msg_cd"], reply.headers["tr_cont"]) == (20, "KIOK0530", "D")
    stocks, deposit, whole = rows[0], rows[17], rows[19]
    assert stocks["evlu_amt"] == sums["evlu_amt_smtl"] == balance["scts_evlu_amt"]
    assert stocks["pchs_amt"] == sums["pchs_amt_smtl"] == balance["pchs_amt_smtl_amt"]
    assert stocks["evlu_pfls_amt"] == sums["evlu_pfls_amt_smtl"] == balance["evlu_pfls_smtl_amt"]
    assert deposit["evlu_amt"] == sums["tot_dncl_amt"] == balance["prvs_rcdl_excc_amt"]
    assert sums["dncl_amt"] == balance["dnca_tot_amt"]
    assert whole["evlu_amt"] == sums["tot_asst_amt"] == sums["nass_tot_amt"] == balance["tot_evlu_amt"]
    for name in ("pchs_amt", "evlu_amt", "evlu_pfls_amt", "real_nass_amt"):
        assert total(rows[:19], name) == int(whole[name])
    shares = sum((Decimal(row["whol_weit_rt"]) for row in rows[:19]), Decimal(0))
    assert round(shares, 1) == Decimal(whole["whol_weit_rt"]) == 100


def test_balance_with_profit_is_the_balance_less_three_fields(real):
    plain = real.balance().json()
    body = balance_with_profit(real).json()
    gone = {"item_mgna_rt_name", "grta_rt_name", "sbst_pric"}
    assert body["output1"] == [
        {name: value for name, value in row.items() if name not in gone} for row in plain["output1"]
    ]
    [sums] = body["output2"]
    assert {name: sums[name] for name in plain["output2"][0]} == plain["output2"][0]


def test_profit_realised_today_is_asked_for_with_or_without_costs(real):
    [gross] = balance_with_profit(real).json()["output2"]
    [net] = balance_with_profit(real, with_costs="Y").json()["output2"]
    assert int(gross["rlzt_pfls"]) - int(net["rlzt_pfls"]) == int(gross["thdt_tlex_amt"]) > 0
    assert gross["real_evlu_pfls"] == gross["evlu_pfls_smtl_amt"]
    costs_of_selling = int(gross["real_evlu_pfls"]) - int(net["real_evlu_pfls"])
    assert 0 < costs_of_selling < int(gross["scts_evlu_amt"]) * Decimal("0.00215")


def test_profit_realised_today_is_proceeds_less_average_cost(real):
    positions = [{"code": "005930", "qty": 10, "avg": 40_000}]
    real.control("account", {"deposit": 0, "positions": positions})
    assert balance_with_profit(real).json()["output2"][0]["rlzt_pfls"] == "0"
    real.control("external-order", {"side": "sell", "code": "005930", "qty": 4})
    [sums] = balance_with_profit(real).json()["output2"]
    sold = int(sums["thdt_sll_amt"])
    assert int(sums["rlzt_pfls"]) == sold - 4 * 40_000
    assert Decimal(sums["rlzt_erng_rt"]) == round(Decimal(sold - 160_000) * 100 / 160_000, 8)


def test_balance_with_profit_has_pages_of_fifty(real):
    positions = [{"code": f"{index:05d}A", "qty": 1, "avg": 1} for index in range(51)]
    real.control("account", {"deposit": 0, "positions": positions})
    pages = real.pages(partial(balance_with_profit, real), "output1")
    assert [len(page) for page in pages] == [50, 1]
    assert [row["pdno"] for page in pages for row in page] == [row["code"] for row in positions]


def test_sellable_says_of_each_stock_what_the_balance_says(real):
    for row in real.balance().json()["output1"]:
        body = sellable(real, row["pdno"]).json()
        output = body["output"]
        assert body["msg_cd"] == "KIOK0420"
        assert (output["cblc_qty"], output["now_pric"]) == (row["hldg_qty"], row["prpr"])
        same = ("pdno", "prdt_name", "ord_psbl_qty", "pchs_avg_pric", "pchs_amt", "evlu_amt")
        for name in (*same, "evlu_pfls_amt", "evlu_pfls_rt"):
            assert output[name] == row[name]
        assert int(output["buy_qty"]) - int(output["sll_qty"]) == int(output["cblc_qty"])


def test_open_sell_order_is_not_sellable_again(real):
    real.control("account", {"deposit": 0, "positions": [{"code": "005930", "qty": 10, "avg": 1}]})
    price = int(sellable(real, "005930").json()["output"]["now_pric"])
    order = {"side": "sell", "code": "005930", "qty": 3, "price": price // 1_000 * 1_000 + 5_000}
    assert real.control("external-order", order).json()["open"]
    assert sellable(real, "005930").json()["output"]["ord_psbl_qty"] == "7"


@pytest.mark.parametrize(("code", "name"), [("035720", "카카오"), ("999999", ""), ("", "")])
def test_stock_that_is_not_held_is_a_reply_of_zeros(real, code, name):
    real.control("account", {"deposit": 0, "positions": []})
    body = sellable(real, code).json()
    assert (body["rt_cd"], body["output"]["pdno"], body["output"]["prdt_name"]) == ("0", code, name)
    assert (body["output"]["cblc_qty"], body["output"]["ord_psbl_qty"]) == ("0", "0")


@pytest.mark.parametrize("tr_id", REAL_ONLY)
def test_paper_lacks_what_only_the_real_host_has(paper, tr_id):
    path = f"{TRADING}/{REAL_ONLY[tr_id]}"
    refused = paper.get(path, tr_id, paper.of_account())
    assert (refused.status_code, refused.json()["msg_cd"]) == (500, "EGW02006")
    unknown = paper.get(path, f"V{tr_id[1:]}", paper.of_account())
    assert (unknown.status_code, unknown.json()["msg_cd"]) == (200, "OPSQ0002")


@pytest.mark.parametrize(
    ("tr_id", "name"),
    [
        ("CTRP6548R", "INQR_DVSN_1"),
        ("TTTC8494R", "AFHR_FLPR_YN"),
        ("TTTC8408R", "PDNO"),
        ("TTTC8708R", "INQR_STRT_DT"),
        ("TTTC8715R", "INQR_STRT_DT"),
    ],
)
def test_missing_parameter_is_named(real, tr_id, name):
    body = real.get(f"{TRADING}/{REAL_ONLY[tr_id]}", tr_id, real.of_account()).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2001")
    assert name in body["msg1"]


@pytest.mark.parametrize("mode", ["real", "paper"])
@pytest.mark.parametrize(
    ("name", "real_id", "paper_id", "lists"),
    [
        ("inquire-balance", "TTTS3012R", "VTTS3012R", ["output1"]),
        ("inquire-present-balance", "CTRP6504R", "VTRP6504R", ["output1", "output2"]),
        ("inquire-ccnl", "TTTS3035R", "VTTS3035R", ["output"]),
        ("inquire-nccs", "TTTS3018R", "VTTS3018R", ["output"]),
        ("inquire-psamount", "TTTS3007R", "VTTS3007R", []),
    ],
)
def test_there_is_nothing_overseas(simulator, client_of, *, mode, name, real_id, paper_id, lists):
    caller = client_of(getattr(simulator, mode))
    number, product = caller.endpoint.account.split("-")
    reply = caller.get(
        f"{OVERSEAS}/{name}",
        real_id if mode == "real" else paper_id,
        {"CANO": number, "ACNT_PRDT_CD": product, "OVRS_EXCG_CD": "NASD", "TR_CRCY_CD": "USD"},
    )
    body = reply.json()
    assert (reply.status_code, body["rt_cd"], reply.headers["tr_cont"]) == (200, "0", "D")
    assert {key for key, value in body.items() if value == []} == set(lists)
    assert all(isinstance(leaf, str) for leaf in leaves(body))
    if "ctx_area_nk200" in body:
        assert body["ctx_area_fk200"].startswith(f"{number}!^01!^")
        assert (len(body["ctx_area_fk200"]), body["ctx_area_nk200"]) == (200, " " * 200)


@pytest.mark.parametrize("mode", ["real", "paper"])
def test_price_of_a_stock_abroad_is_nought(simulator, client_of, mode):
    caller = client_of(getattr(simulator, mode))
    params = {"AUTH": "", "EXCD": "NAS", "SYMB": "AAPL"}
    body = caller.get("/uapi/overseas-price/v1/quotations/price", "HHDFS00000300", params).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("0", "MCA00000")
    assert (body["output"]["rsym"], body["output"]["last"]) == ("DNASAAPL", "0.0000")


def test_overseas_inquiry_for_somebody_elses_account_is_refused(real):
    params = {"CANO": "87654321", "ACNT_PRDT_CD": "01"}
    assert real.get(f"{OVERSEAS}/inquire-balance", "TTTS3012R", params).json()["msg_cd"] == "OPSQ2000"


def test_every_leaf_is_text(real):
    replies = [assets(real), balance_with_profit(real), sellable(real, "005930")]
    for reply in replies:
        assert all(isinstance(leaf, str) for leaf in leaves(reply.json()))
        assert len(reply.json()["msg1"].encode("cp949")) == 80
