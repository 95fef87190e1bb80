"""What the simulated broker says about days, stocks and products, and the master files it publishes."""

import io
import re
import zipfile
from datetime import date, timedelta

import pytest

from kis.simulator.market import Market
from kis.simulator.master import master_file
from tests.kis.quoting import DAY, QUOTATIONS, at_time, check_fields, price

FRIDAY = date(2026, 11, 20)
TEXT, FLAG, WHOLE = re.compile(r".*"), re.compile(r"[YN]"), re.compile(r"\d+")
NAMES = """prdt_name prdt_name120 prdt_abrv_name prdt_eng_name prdt_eng_name120 prdt_eng_abrv_name std_pdno
    prdt_type_cd"""
STOCK_INFO = {
    re.compile(r"00000[AQ].{6}|0+Q.{6}"): "pdno",
    re.compile(r".+"): f"{NAMES} mket_id_cd scty_grp_id_cd excg_dvsn_cd",
    WHOLE: """lstg_stqt lstg_cptl_amt cpta papr issu_pric etf_cu_qty sbst_pric thco_sbst_pric thdt_clpr bfdy_clpr
        etf_chas_erng_rt_dbnb setl_mmdd""",
    FLAG: """kospi200_item_yn oilf_fund_yn dpsi_aptm_erlm_yn tr_stop_yn admn_item_yn elec_scty_yn
        etf_etn_ivst_heed_item_yn cptt_trad_tr_psbl_yn nxt_tr_stop_yn""",
    DAY: "thco_sbst_pric_chng_dt clpr_chng_dt",
    TEXT: """scts_mket_lstg_dt scts_mket_lstg_abol_dt kosdaq_mket_lstg_dt kosdaq_mket_lstg_abol_dt
        frbd_mket_lstg_dt frbd_mket_lstg_abol_dt reits_kind_cd etf_dvsn_cd idx_bztp_lcls_cd idx_bztp_mcls_cd
        idx_bztp_scls_cd idx_bztp_lcls_cd_name idx_bztp_mcls_cd_name idx_bztp_scls_cd_name stck_kind_cd
        mfnd_opng_dt mfnd_end_dt dpsi_erlm_cncl_dt etf_txtn_type_cd etf_type_cd lstg_abol_dt nwst_odst_dvsn_cd
        std_idst_clsf_cd std_idst_clsf_cd_name ocr_no crfd_item_yn issu_istt_cd stln_int_rt_dvsn_cd
        frnr_psnl_lmt_rt lstg_rqsr_issu_istt_cd lstg_rqsr_item_cd trst_istt_issu_istt_cd""",
}
PRODUCT = {
    re.compile(r".+"): f"pdno shtn_pdno {NAMES}",
    TEXT: """prdt_sale_stat_cd prdt_risk_grad_cd prdt_clsf_cd prdt_clsf_name wrap_asst_type_cd ivst_prdt_type_cd
        ivst_prdt_type_cd_name sale_end_dt""",
    re.compile(r"\d{8}"): "sale_strt_dt frst_erlm_dt",
}
# Widths of the tails, field by field (kis-api.md section 13).
KOSPI_TAIL = [
    2,
    1,
    4,
    4,
    4,
    *[1] * 26,
    9,
    5,
    5,
    1,
    1,
    1,
    2,
    1,
    1,
    1,
    2,
    2,
    2,
    3,
    1,
    3,
    12,
    12,
    8,
    15,
    21,
    2,
    7,
]
KOSPI_TAIL += [1, 1, 1, 1, 1, 9, 9, 9, 5, 9, 8, 9, 3, 1, 1, 1]
KOSDAQ_TAIL = [
    2,
    1,
    4,
    4,
    4,
    *[1] * 21,
    9,
    5,
    5,
    1,
    1,
    1,
    2,
    1,
    1,
    1,
    2,
    2,
    2,
    3,
    1,
    3,
    12,
    12,
    8,
    15,
    21,
    2,
    7,
]
KOSDAQ_TAIL += [1, 1, 1, 1, 9, 9, 9, 5, 9, 8, 9, 3, 1, 1, 1]


def holidays(caller, day):
    params = {"BASS_DT": day, "CTX_AREA_NK": "", "CTX_AREA_FK": ""}
    return caller.get(f"{QUOTATIONS}/chk-holiday", "CTCA0903R", params)


def stock_info(caller, code="005930", kind="300"):
    params = {"PRDT_TYPE_CD": kind, "PDNO": code}
    return caller.get(f"{QUOTATIONS}/search-stock-info", "CTPF1002R", params).json()


def product(caller, code="005930", kind="300"):
    params = {"PRDT_TYPE_CD": kind, "PDNO": code}
    return caller.get(f"{QUOTATIONS}/search-info", "CTPF1604R", params).json()


def opened(packed):
    assert packed is not None
    return zipfile.ZipFile(io.BytesIO(packed))


def lines_of(packed, name):
    with opened(packed) as archive:
        assert archive.namelist() == [f"{name}.mst"]
        return archive.read(f"{name}.mst").split(b"\n")[:-1]


def fields_of(line, widths):
    """Cut a line as the published layout says: head from the left, tail from the right, both in bytes."""
    head, tail = line[: -sum(widths)], line[-sum(widths) :].decode("cp949")
    fields, place = [], 0
    for width in widths:
        fields.append(tail[place : place + width])
        place += width
    return head[:9].decode().strip(), head[9:21].decode(), head[21:].decode("cp949").strip(), fields


# --- days -----------------------------------------------------------------------------------------------------


def test_calendar_names_every_day_from_the_one_asked_for(real):
    reply = holidays(real, "20261220")
    body = reply.json()
    days = body["output"]
    assert [row["bass_dt"] for row in days] == [
        f"{date(2026, 12, 20) + timedelta(days=count):%Y%m%d}" for count in range(24)
    ]
    assert all(row.keys() == days[0].keys() for row in days)
    assert days[0] == {
        "bass_dt": "20261220",
        "wday_dvsn_cd": "01",
        "bzdy_yn": "N",
        "tr_day_yn": "N",
        "opnd_yn": "N",
        "sttl_day_yn": "N",
    }
    by_day = {row["bass_dt"]: row for row in days}
    assert by_day["20261225"]["opnd_yn"] == by_day["20261225"]["bzdy_yn"] == "N"
    assert (by_day["20261226"]["wday_dvsn_cd"], by_day["20261228"]["wday_dvsn_cd"]) == ("07", "02")
    assert by_day["20261228"]["opnd_yn"] == "Y"
    # The last day of the year: offices work, the exchange and its settlement rest.
    last = by_day["20261231"]
    assert (last["bzdy_yn"], last["opnd_yn"], last["sttl_day_yn"]) == ("Y", "N", "N")
    assert (body["rt_cd"], body["msg_cd"]) == ("0", "KIOK0500")
    assert len(body["msg1"].encode("cp949")) == 80
    assert (body["ctx_area_fk"], body["ctx_area_nk"]) == ("20261220".ljust(20), "20270112".ljust(20))
    # Continuing by cursor is of no use, so nobody is invited to.
    assert reply.headers["tr_cont"] == "D"


@pytest.mark.parametrize("text", ["", "2026", "20261340", "99991231", "tomorrow"])
def test_unreadable_day_is_refused(real, text):
    body = holidays(real, text).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2001")
    assert "BASS_DT" in body["msg1"]


@pytest.mark.parametrize(
    ("name", "tr_id"),
    [("chk-holiday", "CTCA0903R"), ("search-stock-info", "CTPF1002R"), ("search-info", "CTPF1604R")],
)
def test_paper_has_none_of_these(paper, name, tr_id):
    assert paper.get(f"{QUOTATIONS}/{name}", tr_id, {}).json()["rt_cd"] != "0"


# --- stocks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["005930", "0126Z0", "069500", "196170"])
def test_books_of_a_stock_have_every_documented_field(real, code):
    body = stock_info(real, code)
    check_fields(body["output"], STOCK_INFO)
    assert body["rt_cd"] == "0"
    assert len(body["msg1"].encode("cp949")) == 80
    assert body["output"]["pdno"] == f"00000A{code}"
    shown = price(real, code)
    assert body["output"]["lstg_stqt"] == shown["lstn_stcn"]
    assert (body["output"]["thdt_clpr"], body["output"]["bfdy_clpr"]) == (
        shown["stck_prpr"],
        shown["stck_sdpr"],
    )
    assert int(body["output"]["cpta"]) // 100_000_000 == int(shown["cpfn"])


def test_market_and_kind_of_a_stock(real):
    found = {code: stock_info(real, code)["output"] for code in ("005930", "069500", "196170")}
    kinds = [(row["mket_id_cd"], row["excg_dvsn_cd"], row["scty_grp_id_cd"]) for row in found.values()]
    assert kinds == [("STK", "02", "ST"), ("STK", "02", "EF"), ("KSQ", "03", "ST")]
    assert found["005930"]["std_pdno"] == "KR7005930003"
    assert (found["005930"]["kospi200_item_yn"], found["069500"]["kospi200_item_yn"]) == ("Y", "N")
    assert found["005930"]["scts_mket_lstg_dt"]
    assert (found["196170"]["scts_mket_lstg_dt"], bool(found["196170"]["kosdaq_mket_lstg_dt"])) == ("", True)


@pytest.mark.parametrize("form", ["A005930", "00000A005930"])
def test_longer_forms_of_a_code_mean_the_same_stock(real, form):
    assert stock_info(real, form) == stock_info(real)


def test_product_of_a_stock(real):
    body = product(real)
    check_fields(body["output"], PRODUCT)
    assert body["output"]["shtn_pdno"] == "005930"
    assert body["output"]["prdt_abrv_name"] == "삼성전자"
    assert body["rt_cd"] == "0"


@pytest.mark.parametrize(
    ("code", "kind"), [("999999", "300"), ("", "300"), ("005930", "512"), ("AAPL", "512")]
)
def test_nothing_found_is_a_refusal_of_its_own(real, code, kind):
    for body in (product(real, code, kind), stock_info(real, code, kind)):
        assert (body["rt_cd"], body["msg_cd"]) == ("7", "KIOK0560")
        assert "output" not in body


def test_books_of_a_stock_do_not_change_from_day_to_day(real):
    before = stock_info(real)["output"]
    at_time(real, "2026-12-21T10:00:00+09:00")
    after = stock_info(real)["output"]
    daily = {
        "thdt_clpr",
        "bfdy_clpr",
        "sbst_pric",
        "thco_sbst_pric",
        "thco_sbst_pric_chng_dt",
        "clpr_chng_dt",
    }
    assert {name for name in before if before[name] != after[name]} <= daily


# --- master files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "widths", "bytes_of_tail"), [("kospi_code", KOSPI_TAIL, 227), ("kosdaq_code", KOSDAQ_TAIL, 221)]
)
def test_master_lists_every_stock_of_its_market(simulator, real, name, widths, bytes_of_tail):
    market = simulator.exchange.market
    lines = lines_of(master_file(market, name, on=FRIDAY), name)
    assert sum(widths) == bytes_of_tail
    assert {len(line) for line in lines} == {9 + 12 + 40 + bytes_of_tail}
    found = {}
    for line in lines:
        code, isin, korean, fields = fields_of(line, widths)
        found[code] = korean
        shown = price(real, code)
        assert isin == stock_info(real, code)["output"]["std_pdno"]
        assert fields[0] == ("EF" if market.listings[code].is_fund else "ST")
        base = fields.index(f"{int(shown['stck_sdpr']):09}")
        assert widths[base] == 9
        assert f"{int(float(shown['marg_rate'])):03}" == fields[base + 13]
        assert f"{int(shown['lstn_stcn']) // 1000:015}" == fields[base + 19]
    listed = [item for item in market.listings.values() if name.startswith(item.market.lower())]
    assert found == {item.code: item.name for item in listed}


def test_master_reads_as_text_with_the_slices_of_the_published_parsers():
    # They cut characters, newline included; the tail has no Korean in it, so that works.
    for name, width in (("kospi_code", 228), ("kosdaq_code", 222)):
        with opened(master_file(Market(), name, on=FRIDAY)) as archive:
            text = io.TextIOWrapper(archive.open(f"{name}.mst"), encoding="cp949")
            for row in text:
                head, tail = row[: len(row) - width], row[-width:]
                assert re.fullmatch(r"KR[7G][0-9A-Z]{9}", head[9:21].rstrip())
                assert Market().listings[head[:9].rstrip()].name == head[21:].strip()
                assert tail[:2] in {"ST", "EF", "EN"}


def test_master_of_indices_names_the_three_there_are():
    lines = lines_of(master_file(Market(), "idxcode"), "idxcode")
    rows = [line.decode("cp949") for line in lines]
    assert [(row[1:5], row[5:].strip()) for row in rows] == [
        ("0001", "종합"),
        ("1001", "KOSDAQ"),
        ("2001", "KOSPI200"),
    ]
    assert {len(line) for line in lines} == {45}


def test_master_is_the_same_all_day_and_another_on_the_next():
    market = Market()
    assert master_file(market, "kospi_code", on=FRIDAY) == master_file(Market(), "kospi_code", on=FRIDAY)
    assert master_file(market, "kospi_code", on=FRIDAY) != master_file(
        market, "kospi_code", on=date(2026, 11, 23)
    )
    assert lines_of(master_file(market, "kosdaq_code"), "kosdaq_code")


def test_long_names_are_cut_between_letters():
    market = Market()
    market.add_listing("ZZZZ02", "가" * 19 + "a나다")
    [line] = [
        line
        for line in lines_of(master_file(market, "kospi_code", on=FRIDAY), "kospi_code")
        if b"ZZZZ02" in line
    ]
    assert fields_of(line, KOSPI_TAIL)[2] == "가" * 19 + "a"
    assert len(line) == 288


def test_other_files_are_not_published():
    assert master_file(Market(), "konex_code") is None
    assert master_file(Market(), "../secrets") is None
