"""Replies that are not as documented: found, never repeated with their content, kept once, and never in the way."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.urls import reverse

from kis import connect as connecting
from kis.client.auth import MemoryTokenStore
from kis.client.codes import TR, AccountNumber, Environment, OrderTR
from kis.client.drift import MOST_FINDINGS, Finding, Kind, find_drift
from kis.client.errors import KisReplyChanged
from kis.client.session import Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from kis.client.wire_fields import FIELDS_BY_ID, REPLY_FIELDS
from kis.drift import LONGEST_RAW, MOST_KEPT, PERSONAL, DriftLog
from kis.models import WireFinding
from kis.simulator.services import table
from tests.kis.scripted import FINE, environment, error, make_session

MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def buying_power(**changes):
    """Return a reply as documented in section 6.6; a change to `...` takes the field away."""
    names = (
        "ord_psbl_cash ord_psbl_sbst ruse_psbl_amt fund_rpch_chgs psbl_qty_calc_unpr nrcvb_buy_amt nrcvb_buy_qty "
        "max_buy_amt max_buy_qty cma_evlu_amt ovrs_re_use_amt_wcrc ord_psbl_frcr_amt_wcrc"
    )
    output = dict.fromkeys(names.split(), "1250000") | changes
    output = {name: value for name, value in output.items() if value is not ...}
    return {"rt_cd": "0", "msg_cd": "KIOK0510", "msg1": "조회가 완료되었습니다".ljust(60), "output": output}


def bar(**changes):
    names = ["stck_clpr", "stck_oprc", "stck_hgpr", "stck_lwpr", "acml_vol", "acml_tr_pbmn", "prdy_vrss"]
    return {
        **dict.fromkeys(names, "57200"),
        "stck_bsop_date": "20261119",
        "flng_cls_code": "00",
        "prdy_vrss_sign": "5",
        "revl_issu_reas": "",
        "prtt_rate": "0.00",
        "mod_yn": "N",
        **changes,
    }


def chart(*bars):
    whole = (
        "prdy_vrss stck_prdy_clpr acml_vol acml_tr_pbmn stck_prpr prdy_vol stck_mxpr stck_llam stck_oprc stck_hgpr "
        "stck_lwpr stck_prdy_oprc stck_prdy_hgpr stck_prdy_lwpr askp bidp prdy_vrss_vol stck_fcam lstn_stcn cpfn hts_avls"
    )
    head = {
        **dict.fromkeys(whole.split(), "-1100"),
        **dict.fromkeys(["prdy_ctrt", "vol_tnrt", "per", "eps", "pbr"], "-1.89"),
        "prdy_vrss_sign": "5",
        "stck_shrn_iscd": "005930",
        "hts_kor_isnm": "삼성전자",
        "itewhol_loan_rmnd_ratem name": "0.05",
    }
    return {
        "rt_cd": "0",
        "msg_cd": "MCA00000",
        "msg1": "정상처리 되었습니다.",
        "output1": head,
        "output2": list(bars),
    }


def told(findings):
    return {(item.section, item.field, item.kind.value, item.example) for item in findings}


def test_every_inquiry_and_order_is_in_the_catalogue():
    assert set(REPLY_FIELDS) == {*TR, *OrderTR}
    ids = {name for tr in (*TR, *OrderTR) for name in (tr.value.real, tr.value.paper, tr.value.real_legacy)}
    assert ids - {""} <= FIELDS_BY_ID.keys()


@pytest.mark.parametrize(
    "body",
    [
        buying_power(),
        buying_power(nrcvb_buy_amt=""),
        buying_power(nrcvb_buy_amt="  -12 "),
        buying_power(nrcvb_buy_amt="0.00000000"),
        buying_power() | {"ctx_area_fk100": " " * 100, "ctx_area_nk100": " " * 100},
    ],
)
def test_reply_as_documented_and_its_harmless_variations_are_no_finding(body):
    assert find_drift("TTTC8908R", body) == ()


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (buying_power(fresh="78210"), ("output", "fresh", "unknown", "숫자 5자리")),
        (buying_power(fresh="홍길동"), ("output", "fresh", "unknown", "글자 3자")),
        (buying_power(fresh=""), ("output", "fresh", "unknown", "빈 값")),
        (buying_power(fresh=["12345678"]), ("output", "fresh", "unknown", "목록 1개")),
        (buying_power(fresh={"a": "1"}), ("output", "fresh", "unknown", "객체 1항목")),
        (buying_power(acnt12345678="1"), ("output", "acnt*", "unknown", "숫자 1자리")),
        (buying_power(max_buy_amt=...), ("output", "max_buy_amt", "missing", "없음")),
        (buying_power(max_buy_amt=1250000), ("output", "max_buy_amt", "retyped", "JSON 숫자 7자리")),
        (buying_power(max_buy_amt=1.25), ("output", "max_buy_amt", "retyped", "JSON 숫자 1자리, 소수 2자리")),
        (buying_power(max_buy_amt=None), ("output", "max_buy_amt", "retyped", "JSON null")),
        (buying_power(max_buy_amt=True), ("output", "max_buy_amt", "retyped", "JSON 참/거짓")),
        (buying_power(max_buy_amt="1,250,000"), ("output", "max_buy_amt", "retyped", "글자 9자")),
        (buying_power(max_buy_amt="-12.50"), ("output", "max_buy_amt", "retyped", "음수 2자리, 소수 2자리")),
        (buying_power(max_buy_amt="0012"), ("output", "max_buy_amt", "retyped", "숫자 4자리")),
        (buying_power() | {"rt_cd": 0}, ("", "rt_cd", "retyped", "JSON 숫자 1자리")),
        (buying_power() | {"output9": []}, ("", "output9", "unknown", "목록 0개")),
        (buying_power() | {"output": [{}]}, ("", "output", "retyped", "목록 1개")),
        (buying_power() | {"output": ""}, ("", "output", "retyped", "빈 값")),
    ],
)
def test_what_is_not_as_documented_is_found_by_its_form(body, finding):
    assert told(find_drift("TTTC8908R", body)) == {finding}


def test_missing_section_is_one_finding():
    body = {name: value for name, value in buying_power().items() if name != "output"}
    assert told(find_drift("TTTC8908R", body)) == {("", "output", "missing", "없음")}


@pytest.mark.parametrize("output2", [{}, [], [{}, {}], [{}, "x"]])
def test_totals_of_the_balance_are_a_list_of_one(output2):
    body = {"rt_cd": "0", "msg_cd": "", "msg1": "", "ctx_area_fk100": "", "ctx_area_nk100": "", "output1": []}
    found = find_drift("TTTC8434R", body | {"output2": output2})
    assert [(item.field, item.kind) for item in found] == [("output2", Kind.RETYPED)]


def test_one_finding_for_a_field_however_many_rows_have_it():
    bars = [bar(fresh="1", stck_clpr="삼만") for _ in range(100)]
    assert told(find_drift("FHKST03010100", chart(*bars))) == {
        ("output2", "fresh", "unknown", "숫자 1자리"),
        ("output2", "stck_clpr", "retyped", "글자 2자"),
    }


def test_names_are_compared_in_every_row_and_values_at_both_ends():
    bars = [bar() for _ in range(100)]
    bars[50] = bar(stck_clpr="?", fresh="1")
    assert told(find_drift("FHKST03010100", chart(*bars))) == {("output2", "fresh", "unknown", "숫자 1자리")}
    bars[50], bars[99] = bar(), bar(stck_clpr="?")
    (finding,) = find_drift("FHKST03010100", chart(*bars))
    assert (finding.field, finding.row) == ("stck_clpr", 99)


def test_empty_rows_lists_and_names_with_a_blank_are_harmless():
    assert find_drift("FHKST03010100", chart(bar(), {}, bar())) == ()
    assert find_drift("FHKST03010100", chart()) == ()


@pytest.mark.parametrize("name", ["bstp_kor_isnm", "new_hgpr_lwpr_cls_code", "apprch_rate"])
def test_field_that_some_stocks_lack_is_no_finding(name):
    fields = REPLY_FIELDS[TR.PRICE].sections[0]
    output = dict.fromkeys(fields.forms, "")
    del output[name]
    body = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "", "output": output}
    assert find_drift("FHKST01010100", body) == ()


@pytest.mark.parametrize(("tr_id", "found"), [("TTTC0081R", {"excg_id_dvsn_cd"}), ("TTTC8001R", set())])
def test_older_id_may_lack_the_newer_fields(tr_id, found):
    order = dict.fromkeys(REPLY_FIELDS[TR.DAILY_ORDERS].sections[0].forms, "")
    del order["excg_id_dvsn_cd"]
    totals = dict.fromkeys(REPLY_FIELDS[TR.DAILY_ORDERS].sections[1].forms, "0")
    head = {"rt_cd": "0", "msg_cd": "", "msg1": "", "ctx_area_fk100": "", "ctx_area_nk100": ""}
    findings = find_drift(tr_id, head | {"output1": [order], "output2": totals})
    assert {item.field for item in findings} == found


def test_order_reply_is_in_upper_case():
    output = {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": "0001569157", "ORD_TMD": "131438"}
    body = {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "주문 전송 완료 되었습니다.", "output": output}
    assert find_drift("TTTC0012U", body) == ()
    lower = {name.lower(): value for name, value in output.items()}
    assert len(find_drift("TTTC0012U", body | {"output": lower})) == 6


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("stck_bsop_date", "20261320", False),
        ("stck_bsop_date", "2026-11-20", False),
        ("prtt_rate", "1.5", False),
        ("prtt_rate", "0", True),
        ("mod_yn", "y", False),
        ("flng_cls_code", "0 0", False),
        ("acml_vol", "１２", False),
    ],
)
def test_forms_of_the_legend(name, text, fits):
    assert (find_drift("FHKST03010100", chart(bar(**{name: text}))) == ()) is fits


def test_reply_of_an_undocumented_id_has_no_findings():
    assert find_drift("HHDFS00000300", {"rt_cd": "0", "output": {"last": "1"}}) == ()


def test_altogether_different_reply_makes_no_endless_list():
    body = buying_power(**{f"n{number}": "1" for number in range(1000)})
    assert len(find_drift("TTTC8908R", body)) == MOST_FINDINGS


# --- the session ----------------------------------------------------------------------------------------------------


def test_session_tells_its_observer_and_hands_the_reply_on():
    session, _, _ = make_session(buying_power(fresh="1"))
    heard = []
    session.on_drift = lambda findings, body: heard.append((told(findings), body))
    reply = session.read(TR.BUYING_POWER, {})
    assert heard == [({("output", "fresh", "unknown", "숫자 1자리")}, reply.body)]


def test_session_tells_nothing_of_a_reply_as_documented_or_refused():
    session, _, _ = make_session(error("EGW00201"), buying_power())
    session.on_drift = lambda findings, body: pytest.fail("nothing to tell")
    session.read(TR.BUYING_POWER, {})


def test_failing_observer_never_breaks_a_read(caplog):
    def fail(findings, body):
        raise ValueError("12345678")

    session, _, _ = make_session(FINE)
    session.on_drift = fail
    assert session.read(TR.BUYING_POWER, {}).body == FINE
    assert ("ValueError" in caplog.text, "12345678" in caplog.text) == (True, False)


# --- recorded replies -----------------------------------------------------------------------------------------------

RECORDED = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).resolve().parents[1] / "data" / "kis").glob("*.json"))
}
ACCEPTED = {name: kept for name, kept in RECORDED.items() if kept["body"].get("rt_cd") == "0"}


@pytest.mark.parametrize("kept", ACCEPTED.values(), ids=ACCEPTED)
def test_recorded_reply_is_as_documented(kept):
    assert find_drift(kept["tr_id"], kept["body"]) == ()


@pytest.mark.parametrize("kept", ACCEPTED.values(), ids=ACCEPTED)
def test_every_renamed_field_of_a_recorded_reply_is_found(kept):
    for section in FIELDS_BY_ID[kept["tr_id"]].sections:
        recorded = kept["body"][section.name]
        row = dict(recorded if isinstance(recorded, dict) else next(iter(recorded), {}))
        for name in row:
            changed = {("fresh" if key == name else key): value for key, value in row.items()}
            other = changed if section.shape == "object" else [changed]
            found = find_drift(kept["tr_id"], kept["body"] | {section.name: other})
            expected = {("fresh", Kind.UNKNOWN)} | (
                {(name, Kind.MISSING)} if name in section.required else set()
            )
            assert {(item.field, item.kind) for item in found} == expected


# --- simulated replies ----------------------------------------------------------------------------------------------

#: Parameters of every inquiry at once; the broker ignores those it does not know.
ASKED = {
    "AFHR_FLPR_YN": "N",
    "OFL_YN": "",
    "INQR_DVSN": "02",
    "UNPR_DVSN": "01",
    "FUND_STTL_ICLD_YN": "N",
    "FNCG_AMT_AUTO_RDPT_YN": "N",
    "PRCS_DVSN": "00",
    "COST_ICLD_YN": "N",
    "BSPR_BF_DT_APLY_YN": "",
    "INQR_STRT_DT": "20260301",
    "INQR_END_DT": "20261120",
    "SLL_BUY_DVSN_CD": "00",
    "CCLD_DVSN": "00",
    "ORD_GNO_BRNO": "",
    "ODNO": "",
    "INQR_DVSN_1": "",
    "INQR_DVSN_2": "0",
    "INQR_DVSN_3": "00",
    "SORT_DVSN": "00",
    "CBLC_DVSN": "00",
    "PDNO": "",
    "PRDT_TYPE_CD": "300",
    "ORD_UNPR": "",
    "ORD_DVSN": "01",
    "CMA_EVLU_AMT_ICLD_YN": "N",
    "OVRS_ICLD_YN": "N",
    "FID_COND_MRKT_DIV_CODE": "J",
    "FID_INPUT_ISCD": "005930",
    "FID_COND_MRKT_DIV_CODE_1": "J",
    "FID_INPUT_ISCD_1": "005930",
    "FID_INPUT_DATE_1": "20261102",
    "FID_INPUT_DATE_2": "20261120",
    "FID_PERIOD_DIV_CODE": "D",
    "FID_ORG_ADJ_PRC": "0",
    "FID_ETC_CLS_CODE": "",
    "FID_INPUT_HOUR_1": "100000",
    "FID_PW_DATA_INCU_YN": "Y",
    "FID_FAKE_TICK_INCU_YN": "",
    "BASS_DT": "20261120",
    "CTX_AREA_FK": "",
    "CTX_AREA_NK": "",
}
CHANGED = {
    TR.UNFILLED: {"INQR_DVSN_1": "0"},
    TR.BUYING_POWER: {"PDNO": "005930"},
    TR.SELLABLE: {"PDNO": "005930"},
    TR.STOCK_INFO: {"PDNO": "005930"},
    TR.BALANCE_REALISED: {"INQR_DVSN": "00"},
    TR.PERIOD_PROFIT: {"INQR_DVSN": "00"},
    TR.PAST_MINUTES: {"FID_INPUT_DATE_1": "20261119"},
    TR.INDEX_PRICE: {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": "0001"},
    TR.INDEX_CHART: {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": "0001"},
}
TR_OF = {
    tr_id: tr
    for tr in TR
    for tr_id in (tr.value.real, tr.value.paper, tr.value.real_legacy, tr.value.paper_legacy)
    if tr_id
}
SERVED = sorted(
    (mode, tr_id)
    for service in table.SERVICES
    for mode, tr_ids in service.ids.items()
    for tr_id in tr_ids
    if tr_id in TR_OF
)


@pytest.mark.parametrize(("mode", "tr_id"), SERVED)
def test_reply_of_the_simulator_is_as_documented(simulator, client_of, mode, tr_id):
    caller, tr = client_of(getattr(simulator, mode)), TR_OF[tr_id]
    body = caller.get(tr.path, tr_id, {**ASKED, **caller.of_account(), **CHANGED.get(tr, {})}).json()
    assert (body["rt_cd"], find_drift(tr_id, body)) == ("0", ())


@pytest.fixture
def fault_at(simulator, client_of):
    return lambda kind, tr_id: client_of(simulator.real).fault(kind, tr=tr_id)


@pytest.fixture
def session_at(simulator):
    """Return a function that opens a session to one host; `heard` collects what its observer hears."""
    opened = []

    def start(mode="real", **how):
        side = getattr(simulator, mode)
        account = AccountNumber.parse(side.account)
        transport = HttpTransport()
        opened.append(transport)
        return Session(
            Environment(mode, side.url, side.ws, side.app_key, side.app_secret, account),
            transport=transport,
            tokens=MemoryTokenStore(),
            budget=Pacer(0),
            sleep=lambda seconds: None,
            **how,
        )

    yield start
    for transport in opened:
        transport.close()


@pytest.mark.parametrize(
    ("tr", "kind", "expected"),
    [
        (TR.BALANCE, "drop_field:prdt_name", {("output1", "prdt_name", "missing")}),
        (TR.BALANCE, "drop_field:output2", {("", "output2", "missing")}),
        (TR.BALANCE, "drop_field:ctx_area_nk100", {("", "ctx_area_nk100", "missing")}),
        (
            TR.BALANCE,
            "rename_field:hldg_qty:hold_qty",
            {("output1", "hldg_qty", "missing"), ("output1", "hold_qty", "unknown")},
        ),
        (
            TR.DAILY_ORDERS,
            "rename_field:tot_ccld_qty:tot_ccll_qty",
            {
                (section, *what)
                for section in ("output1", "output2")
                for what in (("tot_ccld_qty", "missing"), ("tot_ccll_qty", "unknown"))
            },
        ),
        (TR.DAILY_CHART, "drop_field:prtt_rate", {("output2", "prtt_rate", "missing")}),
        (
            TR.DAILY_CHART,
            "rename_field:output2:output3",
            {("", "output2", "missing"), ("", "output3", "unknown")},
        ),
        (
            TR.BUYING_POWER,
            "rename_field:rt_cd:rt_cd2",
            None,
        ),
    ],
)
def test_changed_field_is_heard_of_exactly(fault_at, session_at, tr, kind, expected):
    heard = []
    session = session_at(on_drift=lambda findings, body: heard.extend(findings))
    fault_at(kind, session.environment.tr_id(tr))
    params = {**ASKED, **session.environment.account.params(), "CTX_AREA_FK100": "", "CTX_AREA_NK100": ""}
    if expected is None:
        with pytest.raises(KisReplyChanged):  # not an accepted reply: nothing to compare
            session.read(tr, params)
    else:
        session.read(tr, params)
    assert {(item.section, item.field, item.kind.value) for item in heard} == (expected or set())
    assert {item.tr for item in heard} <= {session.environment.tr_id(tr)}


# --- what is kept ---------------------------------------------------------------------------------------------------


def observed(log, body, tr_id="TTTC8908R"):
    log.observe(find_drift(tr_id, body), body)


def drift_log(*, at=MORNING, **changes):
    return DriftLog(environment(**changes), now=lambda: at)


@pytest.mark.django_db
def test_finding_is_kept_once_with_its_times_and_the_newest_reply():
    log = drift_log()
    observed(log, buying_power(fresh="1"))
    observed(log, buying_power(fresh="12", max_buy_amt="7"))
    log.save()
    later = MORNING + timedelta(days=1)
    log = drift_log(at=later)
    observed(log, buying_power(fresh="123", max_buy_amt="8"))
    log.save()
    row = WireFinding.objects.get()
    assert (row.tr, row.place, row.kind, row.example) == (
        "TTTC8908R",
        "output.fresh",
        "unknown",
        "숫자 3자리",
    )
    assert (row.times, row.first_seen, row.last_seen) == (3, MORNING, later)
    assert row.raw_json["output"]["fresh"] == "123"
    assert row.raw_json["output"]["max_buy_amt"] == "8"
    assert str(row) == "TTTC8908R output.fresh 모르는 항목"


@pytest.mark.django_db
def test_clock_set_back_leaves_the_row_in_order():
    for at in (MORNING, MORNING - timedelta(hours=1)):
        log = drift_log(at=at)
        observed(log, buying_power(fresh="1"))
        log.save()
    row = WireFinding.objects.get()
    assert (row.times, row.last_seen) == (2, MORNING)


@pytest.mark.django_db
def test_hosts_fields_and_kinds_are_told_apart():
    for mode, tr_id in (("real", "TTTC8908R"), ("paper", "VTTC8908R")):
        log = drift_log(mode=mode)
        observed(log, buying_power(fresh="1", max_buy_amt=...), tr_id)
        observed(log, buying_power(max_buy_amt=7) | {"output9": {}}, tr_id)
        log.save()
    assert sorted(WireFinding.objects.values_list("is_paper", "section", "field", "kind")) == [
        (is_paper, *what)
        for is_paper in (False, True)
        for what in (
            ("", "output9", "unknown"),
            ("output", "fresh", "unknown"),
            ("output", "max_buy_amt", "missing"),
            ("output", "max_buy_amt", "retyped"),
        )
    ]


@pytest.mark.django_db
def test_account_and_person_are_never_kept():
    body = buying_power(
        fresh="김소유",
        acnt_name="lee",
        ACNT_PRDT_CD="01",
        linked_no="5001234501",
        note="account 12345678 of",
        deep={"a": {"b": {"c": {"d": "김소유"}}}},
        many=["김소유"],
        n12345678="1",
    ) | {
        "ctx_area_fk100": "12345678^01^N^",
        "msg1": "12345678-01 조회",
        "cust_name": "kim",
    }
    log = drift_log()
    observed(log, body)
    log.save()
    kept = [json.dumps(row.raw_json, ensure_ascii=False) + row.field for row in WireFinding.objects.all()]
    assert len(kept) == 9
    for secret in ("12345678", "50012345", "김소유", "lee", "kim", '"01"'):
        assert not any(secret in text for text in kept), secret
    assert all('"nrcvb_buy_amt": "1250000"' in text for text in kept)


def test_of_documented_fields_only_those_of_a_person_are_blanked():
    names = {
        name
        for reply in REPLY_FIELDS.values()
        for section in (reply.envelope, *reply.sections)
        for name in section.forms
        if PERSONAL.search(name)
    }
    assert names == {
        "ctx_area_fk",
        "ctx_area_nk",
        "ctx_area_fk100",
        "ctx_area_nk100",
        "ctac_tlno",
        "inqr_ip_addr",
        "ordr_empno",
    }


@pytest.mark.django_db
def test_kept_reply_shows_the_row_in_question_and_stays_small():
    bars = [bar(stck_bsop_date=f"2026{month:02}{day:02}") for month in range(1, 12) for day in range(1, 10)]
    bars[50]["fresh"] = "1"
    log = drift_log()
    observed(log, chart(*bars), "FHKST03010100")
    log.save()
    row = WireFinding.objects.get()
    assert [kept["stck_bsop_date"] for kept in row.raw_json["output2"]] == [
        one["stck_bsop_date"] for one in bars[50:53]
    ]
    assert row.raw_json["output2"][0]["fresh"] == "1"
    log = drift_log()
    observed(
        log,
        chart(bar(revl_issu_reas=1.5, hts="가" * 500)) | {f"big{n}": "가" * 90 for n in range(999)},
        "FHKST03010100",
    )
    log.save()
    cut = [row.raw_json["cut"] for row in WireFinding.objects.all() if "cut" in row.raw_json]
    assert {len(text) for text in cut} == {LONGEST_RAW}


@pytest.mark.django_db
def test_endless_new_names_are_cut_off():
    log = drift_log()
    for number in range(MOST_KEPT * 2):
        finding = Finding("TTTC8908R", "output", f"n{number}", Kind.UNKNOWN, "빈 값")
        log.observe([finding], buying_power())
    log.save()
    assert WireFinding.objects.count() == MOST_KEPT


@pytest.mark.django_db
def test_trouble_of_the_database_is_only_a_line_in_the_log(monkeypatch, caplog):
    def fail(**how):
        raise DatabaseError("no such table: 12345678")

    log = drift_log()
    observed(log, buying_power(fresh="1"))
    monkeypatch.setattr(WireFinding.objects, "get_or_create", fail)
    log.save()
    assert ("DatabaseError" in caplog.text, "12345678" in caplog.text) == (True, False)


def test_nothing_found_needs_no_database():
    log = drift_log()
    observed(log, buying_power())
    log.save()


@pytest.mark.django_db
def test_connection_keeps_what_its_session_finds(simulator, client_of, settings):
    side = simulator.real
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = settings.KIS_ACCOUNTS | {
        "real": settings.KIS_ACCOUNTS["real"]
        | {
            "app_key": side.app_key,
            "app_secret": side.app_secret,
            "account_no": side.account,
            "base_url": side.url,
            "ws_url": side.ws,
        }
    }
    client_of(side).fault("rename_field:nrcvb_buy_amt:nrcvb_amt", tr="TTTC8908R")
    with connecting.connect("real") as connection:
        connection.session.read(TR.BUYING_POWER, {**ASKED, **connection.environment.account.params()})
        assert not WireFinding.objects.exists()  # only when the session ends, outside of whatever it was for
    assert set(WireFinding.objects.values_list("field", "kind", "times")) == {
        ("nrcvb_buy_amt", "missing", 1),
        ("nrcvb_amt", "unknown", 1),
    }


@pytest.mark.django_db
def test_findings_are_shown_in_the_admin_and_cannot_be_changed(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    log = drift_log()
    observed(log, buying_power(fresh="<script>"))
    log.save()
    row = WireFinding.objects.get()
    address = reverse("admin:kis_wirefinding_change", args=[row.pk])
    listed = client.get(reverse("admin:kis_wirefinding_changelist"), {"q": "fresh"}).content.decode()
    shown = client.get(address).content.decode()
    assert ("output.fresh" in listed, "TTTC8908R" in listed, "nrcvb_buy_amt" in shown) == (True, True, True)
    assert "<script>" not in shown.split("raw", 1)[1].split("</pre>", 1)[0]
    assert client.post(address, {}).status_code == 403
    assert client.get(reverse("admin:kis_wirefinding_add")).status_code == 403
