"""What the simulated broker answers about prices: one stock, many, its trades, its order book, the indices."""

import re
from decimal import Decimal
from itertools import pairwise

import pytest

from kis.simulator.prices import tick_size
from tests.kis.quoting import (
    DAY,
    NUMBER,
    QUOTATIONS,
    RATE,
    ask,
    at_time,
    check_fields,
    many,
    price,
    set_price,
)

# Documented fields by the look of their values (kis-api.md section 8).
PRICE = {
    NUMBER: """stck_prpr prdy_vrss acml_tr_pbmn acml_vol stck_oprc stck_hgpr stck_lwpr stck_mxpr stck_llam stck_sdpr
        frgn_ntby_qty pgtr_ntby_qty pvt_scnd_dmrs_prc pvt_frst_dmrs_prc pvt_pont_val pvt_frst_dmsp_prc
        pvt_scnd_dmsp_prc dmrs_val dmsp_val cpfn rstc_wdth_prc stck_fcam stck_sspr aspr_unit hts_deal_qty_unit_val
        lstn_stcn hts_avls d250_hgpr d250_lwpr stck_dryy_hgpr stck_dryy_lwpr w52_hgpr w52_lwpr frgn_hldn_qty
        last_ssts_cntg_qty""",
    RATE: """marg_rate prdy_ctrt prdy_vrss_vol_rate wghn_avrg_stck_prc hts_frgn_ehrt per pbr eps bps vol_tnrt
        d250_hgpr_vrss_prpr_rate d250_lwpr_vrss_prpr_rate dryy_hgpr_vrss_prpr_rate dryy_lwpr_vrss_prpr_rate
        w52_hgpr_vrss_prpr_ctrt w52_lwpr_vrss_prpr_ctrt whol_loan_rmnd_rate apprch_rate""",
    DAY: """d250_hgpr_date d250_lwpr_date dryy_hgpr_date dryy_lwpr_date w52_hgpr_date w52_lwpr_date""",
    re.compile(r"[YN]"): """temp_stop_yn oprc_rang_cont_yn clpr_rang_cont_yn crdt_able_yn elw_pblc_yn ssts_yn
        vi_cls_code ovtm_vi_cls_code invt_caful_yn short_over_yn sltr_yn mang_issu_cls_code""",
    re.compile(r"\d\d"): "iscd_stat_cls_code grmn_rate_cls_code stac_month mrkt_warn_cls_code",
    re.compile(r"[1-5]"): "prdy_vrss_sign",
    re.compile(r".+"): "rprs_mrkt_kor_name bstp_kor_isnm stck_shrn_iscd fcam_cnnm cpfn_cnnm",
}
DAILY = {
    NUMBER: "stck_oprc stck_hgpr stck_lwpr stck_clpr acml_vol prdy_vrss frgn_ntby_qty",
    RATE: "prdy_vrss_vol_rate prdy_ctrt hts_frgn_ehrt acml_prtt_rate",
    DAY: "stck_bsop_date",
    re.compile(r"\d+"): "prdy_vrss_sign flng_cls_code",
}
MULTI = {
    NUMBER: """inter2_prpr inter2_prdy_vrss acml_vol inter2_oprc inter2_hgpr inter2_lwpr inter2_llam inter2_mxpr
        inter2_askp inter2_bidp seln_rsqn shnu_rsqn total_askp_rsqn total_bidp_rsqn acml_tr_pbmn inter2_prdy_clpr
        intr_antc_cntg_vrss intr_antc_vol inter2_sdpr""",
    RATE: "prdy_ctrt oprc_vrss_hgpr_rate intr_antc_cntg_prdy_ctrt",
    re.compile(
        r".*"
    ): """kospi_kosdaq_cls_name mrkt_trtm_cls_name hour_cls_code inter_shrn_iscd inter_kor_isnm
        prdy_vrss_sign intr_antc_cntg_vrss_sign""",
}


def ticks(caller, code="005930"):
    return ask(caller, "inquire-ccnl", "FHKST01010300", code)["output"]


def days(caller, period="D", code="005930"):
    how = {"FID_PERIOD_DIV_CODE": period, "FID_ORG_ADJ_PRC": "1"}
    return ask(caller, "inquire-daily-price", "FHKST01010400", code, **how)["output"]


def book(caller, code="005930"):
    body = ask(caller, "inquire-asking-price-exp-ccn", "FHKST01010200", code)
    return body["output1"], body["output2"]


def bars_of_a_year(caller, code):
    """All daily bars of 52 weeks from the chart, which shows a hundred at a time."""
    spans = [("20251121", "20260331"), ("20260401", "20260731"), ("20260801", "20261120")]
    return [
        row for start, end in spans for row in caller.chart(code=code, start=start, end=end).json()["output2"]
    ]


# --- one stock ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["005930", "069500", "196170", "0126Z0"])
def test_price_has_every_documented_field(real, code):
    check_fields(price(real, code), PRICE)


def test_some_stocks_come_without_the_name_of_their_sector(real):
    assert "bstp_kor_isnm" not in price(real, "033780")
    assert price(real, "005930")["bstp_kor_isnm"] == "반도체"


def test_new_high_and_new_low_are_told_when_they_happen(real):
    before = price(real)
    assert "new_hgpr_lwpr_cls_code" not in before
    set_price(real, "005930", int(before["w52_hgpr"]) + 100)
    risen = price(real)
    assert risen["new_hgpr_lwpr_cls_code"] == "신고가"
    assert (risen["w52_hgpr"], risen["w52_hgpr_date"]) == (risen["stck_prpr"], "20261120")
    set_price(real, "000660", int(price(real, "000660")["w52_lwpr"]) - 500)
    assert price(real, "000660")["new_hgpr_lwpr_cls_code"] == "신저가"


@pytest.mark.parametrize("code", ["005930", "247540"])
def test_highs_and_lows_are_those_of_the_chart(real, code):
    output, bars = price(real, code), bars_of_a_year(real, code)
    for prefix, since in (("w52", "20251121"), ("stck_dryy", "20260101")):
        part = [bar for bar in bars if bar["stck_bsop_date"] >= since]
        assert int(output[f"{prefix}_hgpr"]) == max(int(bar["stck_hgpr"]) for bar in part)
        assert int(output[f"{prefix}_lwpr"]) == min(int(bar["stck_lwpr"]) for bar in part)
    on_that_day = {bar["stck_bsop_date"]: bar for bar in bars}
    assert on_that_day[output["w52_hgpr_date"]]["stck_hgpr"] == output["w52_hgpr"]
    assert on_that_day[output["dryy_lwpr_date"]]["stck_lwpr"] == output["stck_dryy_lwpr"]
    distance = (Decimal(output["stck_prpr"]) / Decimal(output["w52_hgpr"]) - 1) * 100
    assert abs(distance - Decimal(output["w52_hgpr_vrss_prpr_ctrt"])) < Decimal("0.01")


def test_price_fits_to_the_chart_and_to_itself(real):
    output, head = price(real), real.chart().json()["output1"]
    same = "stck_prpr prdy_vrss prdy_vrss_sign prdy_ctrt acml_vol acml_tr_pbmn stck_oprc stck_hgpr stck_lwpr stck_mxpr"
    assert [output[name] for name in same.split()] == [head[name] for name in same.split()]
    assert int(output["stck_prpr"]) - int(output["stck_sdpr"]) == int(output["prdy_vrss"])
    assert int(output["stck_mxpr"]) - int(output["stck_sdpr"]) == int(output["rstc_wdth_prc"])
    assert int(output["hts_avls"]) == int(output["lstn_stcn"]) * int(output["stck_prpr"]) // 100_000_000
    assert int(output["aspr_unit"]) == tick_size(int(output["stck_prpr"]))
    per = Decimal(output["stck_prpr"]) / Decimal(output["eps"])
    assert abs(per - Decimal(output["per"])) < Decimal("0.01")


def test_pivots_come_from_the_day_before(real):
    bar, output = real.chart().json()["output2"][1], price(real)
    high, low, close = (int(bar[name]) for name in ("stck_hgpr", "stck_lwpr", "stck_clpr"))
    pivot = (high + low + close) // 3
    assert int(output["pvt_pont_val"]) == pivot
    assert int(output["pvt_frst_dmrs_prc"]) + low == int(output["pvt_frst_dmsp_prc"]) + high == 2 * pivot
    assert int(output["dmrs_val"]) - int(output["dmsp_val"]) == high - low


def test_limit_up_and_limit_down_have_signs_of_their_own(real):
    output = price(real)
    set_price(real, "005930", output["stck_mxpr"])
    assert price(real)["prdy_vrss_sign"] == "1"
    set_price(real, "005930", output["stck_llam"])
    assert price(real)["prdy_vrss_sign"] == "4"


@pytest.mark.parametrize(("code", "board"), [("999999", "J"), ("", "UN"), ("005930", "U")])
def test_unknown_stock_costs_nothing_and_is_no_error(real, code, board):
    output = price(real, code, board=board)
    assert output.pop("stck_prpr") == "0"
    assert set(output.values()) == {""}
    assert {"bstp_kor_isnm", "w52_hgpr", "acml_vol", "mrkt_warn_cls_code"} < output.keys()


def test_every_board_and_both_hosts_show_the_same_price(real, paper):
    assert price(real, board="J") == price(real, board="NX") == price(real, board="UN") == price(paper)


def test_before_the_opening_yesterdays_close_stands(real):
    at_time(real, "2026-11-20T15:30:00+09:00")
    close = price(real)["stck_prpr"]
    at_time(real, "2026-11-23T08:10:00+09:00")
    output = price(real)
    assert output["stck_prpr"] == output["stck_sdpr"] == close
    zeros = "stck_oprc stck_hgpr stck_lwpr acml_vol acml_tr_pbmn prdy_vrss"
    assert {output[name] for name in zeros.split()} == {"0"}
    assert (output["prdy_vrss_sign"], output["wghn_avrg_stck_prc"]) == ("3", "0.00")
    check_fields(output, PRICE)


def test_closed_day_shows_the_last_trading_day(real):
    at_time(real, "2026-11-20T15:30:00+09:00")
    friday = price(real)
    at_time(real, "2026-11-22T12:00:00+09:00")
    assert price(real) == friday


def test_missing_parameter_is_named(real):
    body = real.get(f"{QUOTATIONS}/inquire-price", "FHKST01010100", {"FID_COND_MRKT_DIV_CODE": "J"}).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2001")
    assert "FID_INPUT_ISCD" in body["msg1"]


# --- trades ---------------------------------------------------------------------------------------------------


def test_last_thirty_trades_lead_to_the_price(real):
    rows = ticks(real)
    assert len(rows) == 30
    times = [row["stck_cntg_hour"] for row in rows]
    assert times == sorted(set(times), reverse=True)
    assert times[0] <= "100000"
    output = price(real)
    first = {name: output[name] for name in ("stck_prpr", "prdy_vrss", "prdy_vrss_sign", "prdy_ctrt")}
    assert rows[0].items() >= first.items()
    assert rows[0].keys() == {*first, "stck_cntg_hour", "cntg_vol", "tday_rltv"}
    for row in rows:
        assert int(output["stck_lwpr"]) <= int(row["stck_prpr"]) <= int(output["stck_hgpr"])
        assert int(row["cntg_vol"]) > 0
        assert RATE.fullmatch(row["tday_rltv"])


def test_trades_of_the_first_minutes_are_those_there_were(real):
    at_time(real, "2026-11-23T09:01:00+09:00")
    assert [row["stck_cntg_hour"] for row in ticks(real)] == ["090100", "090040", "090020", "090000"]


def test_no_trades_before_the_opening_or_of_unknown_stocks(real):
    assert ticks(real, "999999") == days(real, code="999999") == []
    at_time(real, "2026-11-23T08:59:59+09:00")
    assert ticks(real) == []


def test_trades_follow_the_after_market_and_weekends_show_the_close(real):
    at_time(real, "2026-11-20T17:00:30+09:00")
    assert ticks(real)[0]["stck_cntg_hour"] == "170000"
    assert ticks(real)[0]["stck_prpr"] == price(real)["stck_prpr"]
    at_time(real, "2026-11-21T12:00:00+09:00")
    rows = ticks(real)
    assert [row["stck_cntg_hour"] for row in rows[:2]] == ["153000", "151940"]
    assert len(rows) == 30


def test_daily_prices_are_the_rows_of_the_chart(real):
    rows, bars = days(real), real.chart().json()["output2"]
    assert len(rows) == 30
    for row, bar in zip(rows, bars, strict=False):
        check_fields(row, DAILY)
        names = (
            "stck_bsop_date",
            "stck_oprc",
            "stck_hgpr",
            "stck_lwpr",
            "stck_clpr",
            "acml_vol",
            "prdy_vrss",
        )
        assert [row[name] for name in names] == [bar[name] for name in names]
    for newer, older in pairwise(rows):
        volumes = Decimal(newer["acml_vol"]), Decimal(older["acml_vol"])
        growth = (volumes[0] / volumes[1] - 1) * 100
        assert abs(growth - Decimal(newer["prdy_vrss_vol_rate"])) < Decimal("0.01")


@pytest.mark.parametrize(("period", "start"), [("W", "20260401"), ("M", "20240601")])
def test_weeks_and_months_are_joined_days(real, period, start):
    rows = days(real, period)
    assert len(rows) == 30
    bars = real.chart(start=start, period=period).json()["output2"]
    for row, bar in zip(rows[:20], bars, strict=False):
        names = ("stck_bsop_date", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr", "acml_vol")
        assert [row[name] for name in names] == [bar[name] for name in names]


# --- order book -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["005930", "006340", "069500"])
def test_book_stands_around_the_price(real, code):
    sides, trades = book(real, code)
    asks = [int(sides[f"askp{place}"]) for place in range(1, 11)]
    bids = [int(sides[f"bidp{place}"]) for place in range(1, 11)]
    assert asks == sorted(set(asks))
    assert bids == sorted(set(bids), reverse=True)
    assert bids[0] < asks[0]
    assert trades["stck_prpr"] in {sides["askp1"], sides["bidp1"]}
    output = price(real, code)
    assert int(output["stck_llam"]) <= bids[-1]
    assert asks[-1] <= int(output["stck_mxpr"])
    for side in ("askp", "bidp"):
        waiting = sum(int(sides[f"{side}_rsqn{place}"]) for place in range(1, 11))
        assert waiting == int(sides[f"total_{side}_rsqn"])
        assert all(NUMBER.fullmatch(sides[f"{side}_rsqn_icdc{place}"]) for place in range(1, 11))
    net = int(sides["total_bidp_rsqn"]) - int(sides["total_askp_rsqn"])
    assert int(sides["ntby_aspr_rsqn"]) == net
    assert len(sides) == 1 + 60 + 10
    assert (sides["aspr_acpt_hour"], sides["new_mkop_cls_code"]) == ("100000", "20")
    same = ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_sdpr", "stck_shrn_iscd", "vi_cls_code")
    assert [trades[name] for name in same] == [output[name] for name in same]
    assert len(trades) == 13


def test_book_at_the_limit_has_nobody_selling_above_it(real):
    set_price(real, "005930", price(real)["stck_mxpr"])
    sides, _ = book(real)
    assert all(sides[f"askp{place}"] == sides[f"askp_rsqn{place}"] == "0" for place in range(2, 11))
    assert int(sides["bidp1"]) > 0


def test_book_of_an_unknown_stock_has_no_first_offer(real):
    sides, trades = book(real, "999999")
    assert "askp1" not in sides
    assert (trades["stck_prpr"], trades["stck_shrn_iscd"]) == ("0", "")


def test_opening_auction_expects_what_it_will_trade(real):
    at_time(real, "2026-11-23T08:20:00+09:00")
    assert [book(real)[1][name] for name in ("antc_mkop_cls_code", "antc_cnpr", "antc_vol")] == [
        "311",
        "0",
        "0",
    ]
    at_time(real, "2026-11-23T08:59:59+09:00")
    sides, expected = book(real)
    assert (sides["new_mkop_cls_code"], expected["antc_mkop_cls_code"], expected["stck_oprc"]) == (
        "10",
        "311",
        "0",
    )
    row = many(real, ["005930"])[0]
    assert row["hour_cls_code"] == "B"
    assert (row["intr_antc_cntg_vrss"], row["intr_antc_vol"]) == (
        expected["antc_cntg_vrss"],
        expected["antc_vol"],
    )
    at_time(real, "2026-11-23T09:00:00+09:00")
    _, opened = book(real)
    assert opened["antc_mkop_cls_code"] == "112"
    assert opened["antc_cnpr"] == opened["stck_oprc"]
    assert abs(int(expected["antc_cnpr"]) - int(opened["stck_oprc"])) <= tick_size(int(opened["stck_oprc"]))
    assert 0 < int(expected["antc_vol"]) <= int(opened["antc_vol"]) == int(price(real)["acml_vol"])


def test_closing_auction_ends_at_the_close(real):
    at_time(real, "2026-11-20T15:29:59+09:00")
    _, expected = book(real)
    assert expected["antc_mkop_cls_code"] == "121"
    before = int(price(real)["acml_vol"])
    at_time(real, "2026-11-20T15:30:00+09:00")
    sides, closed = book(real)
    assert (sides["new_mkop_cls_code"], closed["antc_mkop_cls_code"]) == ("31", "112")
    assert closed["antc_cnpr"] == closed["stck_prpr"]
    assert abs(int(expected["antc_cnpr"]) - int(closed["stck_prpr"])) <= tick_size(int(closed["stck_prpr"]))
    assert int(closed["antc_vol"]) == int(price(real)["acml_vol"]) - before
    change = int(closed["antc_cnpr"]) - int(closed["stck_sdpr"])
    assert int(closed["antc_cntg_vrss"]) == change


# --- many stocks ----------------------------------------------------------------------------------------------


def test_thirty_stocks_in_one_call_show_what_each_shows_alone(simulator, real):
    codes = list(simulator.exchange.market.listings)[:30]
    rows = many(real, codes)
    assert [row["inter_shrn_iscd"] for row in rows] == codes
    for row in rows:
        check_fields(row, MULTI)
    row, alone, (sides, _) = rows[0], price(real), book(real)
    assert row["inter_kor_isnm"] == "삼성전자"
    assert (row["inter2_prpr"], row["inter2_prdy_vrss"]) == (alone["stck_prpr"], alone["prdy_vrss"])
    assert (row["inter2_hgpr"], row["inter2_sdpr"]) == (alone["stck_hgpr"], alone["stck_sdpr"])
    assert (row["inter2_askp"], row["shnu_rsqn"]) == (sides["askp1"], sides["bidp_rsqn1"])


def test_unknown_stocks_keep_their_place_and_empty_pairs_have_none(real):
    rows = many(real, ["999999", "", "000660"])
    assert [(row["inter_shrn_iscd"], row["inter2_prpr"] == "0") for row in rows] == [
        ("999999", True),
        ("000660", False),
    ]


@pytest.mark.parametrize(
    ("name", "tr_id"), [("intstock-multprice", "FHKST11300006"), ("inquire-index-price", "FHPUP02100000")]
)
def test_paper_has_neither_many_prices_nor_index_prices(paper, name, tr_id):
    body = paper.get(f"{QUOTATIONS}/{name}", tr_id, {}).json()
    assert (body["rt_cd"], body["msg_cd"]) != ("0", "MCA00000")
    assert "output" not in body


def test_year_of_a_stock_begins_anew(real):
    at_time(real, "2027-01-04T15:30:00+09:00")
    output = price(real)
    assert output["dryy_hgpr_date"] == output["dryy_lwpr_date"] == "20270104"
    assert output["stck_dryy_hgpr"] == output["stck_hgpr"]
