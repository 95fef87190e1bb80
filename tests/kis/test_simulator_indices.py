"""What the simulated broker answers about the indices: levels that move with their stocks and agree with each other."""

import re
from datetime import date, datetime
from decimal import Decimal

import pytest

from kis.simulator.hours import KST
from kis.simulator.indices import index_of
from kis.simulator.market import Market
from kis.simulator.splits import Split
from tests.kis.quoting import DAY, NUMBER, RATE, ask, at_time, check_fields, many, price, set_price

INDEX = {
    NUMBER: """acml_vol prdy_vol acml_tr_pbmn prdy_tr_pbmn ascn_issu_cnt uplm_issu_cnt stnr_issu_cnt down_issu_cnt
        lslm_issu_cnt total_askp_rsqn total_bidp_rsqn ntby_rsqn""",
    RATE: """bstp_nmix_prpr bstp_nmix_prdy_vrss bstp_nmix_prdy_ctrt bstp_nmix_oprc prdy_nmix_vrss_nmix_oprc
        bstp_nmix_oprc_prdy_ctrt bstp_nmix_hgpr prdy_nmix_vrss_nmix_hgpr bstp_nmix_hgpr_prdy_ctrt bstp_nmix_lwpr
        prdy_clpr_vrss_lwpr prdy_clpr_vrss_lwpr_rate dryy_bstp_nmix_hgpr dryy_hgpr_vrss_prpr_rate
        dryy_bstp_nmix_lwpr dryy_lwpr_vrss_prpr_rate seln_rsqn_rate shnu_rsqn_rate""",
    DAY: "dryy_bstp_nmix_hgpr_date dryy_bstp_nmix_lwpr_date",
    re.compile(r"[1-5]"): "prdy_vrss_sign oprc_vrss_prpr_sign hgpr_vrss_prpr_sign lwpr_vrss_prpr_sign",
}
INDEX_HEAD = {
    NUMBER: "acml_vol acml_tr_pbmn prdy_vol",
    RATE: """bstp_nmix_prdy_vrss bstp_nmix_prdy_ctrt prdy_nmix bstp_nmix_prpr bstp_nmix_oprc bstp_nmix_hgpr
        bstp_nmix_lwpr futs_prdy_oprc futs_prdy_hgpr futs_prdy_lwpr""",
    re.compile(r".+"): "prdy_vrss_sign hts_kor_isnm bstp_cls_code",
}


def index(caller, code="0001"):
    return ask(caller, "inquire-index-price", "FHPUP02100000", code, board="U")["output"]


def index_chart(caller, code="0001", period="D", start="20260101", end="20261231"):
    how = {"FID_INPUT_DATE_1": start, "FID_INPUT_DATE_2": end, "FID_PERIOD_DIV_CODE": period}
    body = ask(caller, "inquire-daily-indexchartprice", "FHKUP03500100", code, board="U", **how)
    return body["output1"], body["output2"]


@pytest.mark.parametrize(("code", "name"), [("0001", "종합"), ("1001", "KOSDAQ"), ("2001", "KOSPI200")])
def test_index_price_and_index_chart_tell_the_same(real, code, name):
    output = index(real, code)
    check_fields(output, INDEX)
    head, rows = index_chart(real, code)
    check_fields(head, INDEX_HEAD)
    assert (head["hts_kor_isnm"], head["bstp_cls_code"]) == (name, code)
    for field in ("bstp_nmix_prpr", "bstp_nmix_oprc", "bstp_nmix_hgpr", "bstp_nmix_lwpr", "acml_vol"):
        assert output[field] == head[field] == rows[0][field]
    assert rows[0]["stck_bsop_date"] == "20261120"
    change = Decimal(output["bstp_nmix_prpr"]) - Decimal(rows[1]["bstp_nmix_prpr"])
    assert Decimal(output["bstp_nmix_prdy_vrss"]) == change
    assert head["prdy_nmix"] == rows[1]["bstp_nmix_prpr"]
    assert head["futs_prdy_hgpr"] == rows[1]["bstp_nmix_hgpr"]
    assert output["prdy_vol"] == rows[1]["acml_vol"]


def test_index_chart_has_fifty_rows_newest_first(real, paper):
    _, rows = index_chart(real)
    dates = [row["stck_bsop_date"] for row in rows]
    assert len(dates) == 50
    assert dates == sorted(set(dates), reverse=True)
    bars = real.chart(start="20260101").json()["output2"]
    assert dates == [bar["stck_bsop_date"] for bar in bars[:50]]
    for row in rows:
        low, high = Decimal(row["bstp_nmix_lwpr"]), Decimal(row["bstp_nmix_hgpr"])
        assert low <= min(Decimal(row["bstp_nmix_oprc"]), Decimal(row["bstp_nmix_prpr"]))
        assert high >= max(Decimal(row["bstp_nmix_oprc"]), Decimal(row["bstp_nmix_prpr"]))
    _, earlier = index_chart(real, end="20260930", start="20260925")
    assert earlier == [row for row in rows if "20260925" <= row["stck_bsop_date"] <= "20260930"]
    assert index_chart(paper) == index_chart(real)


@pytest.mark.parametrize(("start", "end"), [("00000101", "99999999"), ("", "20261331"), ("0", "x")])
def test_dates_that_are_none_leave_the_range_open(real, start, end):
    assert index_chart(real, start=start, end=end) == index_chart(real, start="20230101")


def test_weeks_of_an_index_join_its_days(real):
    _, rows = index_chart(real, start="20261102")
    _, weeks = index_chart(real, start="20261102", period="W")
    assert [week["stck_bsop_date"] for week in weeks] == ["20261116", "20261109", "20261102"]
    assert weeks[0]["bstp_nmix_prpr"] == rows[0]["bstp_nmix_prpr"]
    assert sum(int(week["acml_vol"]) for week in weeks) == sum(int(row["acml_vol"]) for row in rows)
    highest = max(Decimal(row["bstp_nmix_hgpr"]) for row in rows)
    assert max(Decimal(week["bstp_nmix_hgpr"]) for week in weeks) == highest


def test_index_moves_with_its_stocks_and_not_with_others(real):
    before = {code: Decimal(index(real, code)["bstp_nmix_prpr"]) for code in ("0001", "1001", "2001")}
    set_price(real, "005930", price(real)["stck_mxpr"])
    after = {code: Decimal(index(real, code)["bstp_nmix_prpr"]) for code in before}
    assert after["0001"] > before["0001"]
    assert after["2001"] > before["2001"]
    assert after["1001"] == before["1001"]
    assert index(real)["uplm_issu_cnt"] == "1"
    # What was pinned is history tomorrow.
    at_time(real, "2026-11-20T15:30:00+09:00")
    close = index(real)["bstp_nmix_prpr"]
    at_time(real, "2026-11-20T18:00:00+09:00")
    assert index(real)["bstp_nmix_prpr"] == close
    at_time(real, "2026-11-23T08:00:00+09:00")
    morning = index(real)
    assert morning["bstp_nmix_prpr"] == index_chart(real)[1][0]["bstp_nmix_prpr"] == close
    assert {morning["bstp_nmix_oprc"], morning["bstp_nmix_hgpr"], morning["bstp_nmix_prdy_vrss"]} == {"0.00"}


def test_markets_share_the_past_that_nobody_has_touched_and_only_that():
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    plain, pinned, split = Market(), Market(), Market()
    before = list(index_of(plain, "0001").days_before(plain, monday))
    pinned.override_price("005930", 1_000, moment=datetime(2026, 11, 20, 10, tzinfo=KST))
    split.put_in_force(Split("005930", friday, 50, 1))
    for market in (pinned, split):
        assert index_of(market, "0001").days_before(market, friday) == before[:-1]
        [*past, last] = index_of(market, "0001").days_before(market, monday)
        assert past == before[:-1]
        assert last.day == friday
    assert index_of(pinned, "0001").days_before(pinned, monday)[-1].close < before[-1].close
    assert index_of(plain, "0001").days_before(plain, monday) == before


def test_every_member_rises_falls_or_stays(simulator, real):
    output = index(real, "1001")
    counts = [int(output[f"{way}_issu_cnt"]) for way in ("ascn", "stnr", "down")]
    kosdaq = [item for item in simulator.exchange.market.listings.values() if item.market == "KOSDAQ"]
    assert sum(counts) == len(kosdaq)
    rising = [row for row in many(real, [item.code for item in kosdaq]) if int(row["inter2_prdy_vrss"]) > 0]
    assert counts[0] == len(rising)


def test_stock_listed_later_does_not_rewrite_the_past_of_an_index(start_simulator, client_of):
    positions = [{"code": "ZZZZ01", "qty": 1, "avg": 1000}]
    plain, added = (client_of(start_simulator().real) for _ in range(2))
    assert added.control("account", {"deposit": 0, "positions": positions}).status_code == 200
    assert index_chart(added) == index_chart(plain)


@pytest.mark.parametrize(("code", "board"), [("9999", "U"), ("0001", "J"), ("005930", "U")])
def test_unknown_index_is_blank_and_no_error(real, code, board):
    output = ask(real, "inquire-index-price", "FHPUP02100000", code, board=board)["output"]
    assert output.pop("bstp_nmix_prpr") == "0"
    assert set(output.values()) == {""}
    head, rows = index_chart(real, "9999")
    assert (head["bstp_nmix_prpr"], rows) == ("0", [])


def test_recorded_market_without_a_kosdaq_has_no_index_of_it(tmp_path, start_simulator, client_of):
    (tmp_path / "stocks.csv").write_text(
        "code,name,market,sector\n005930,삼성전자,KOSPI,반도체\n", encoding="utf-8"
    )
    (tmp_path / "krx_daily.csv").write_text(
        "code,date,open,high,low,close,volume\n005930,2025-06-16,58000,58100,56900,57200,22200872\n"
        "005930,2025-06-17,57800,59800,57400,58450,16906454\n",
        encoding="utf-8",
    )
    clock = datetime(2025, 6, 17, 16, 0, tzinfo=KST)
    caller = client_of(start_simulator(market_dir=tmp_path, clock=clock).real)
    _, (today, first) = index_chart(caller, start="20250601", end="20250617")
    assert (first["stck_bsop_date"], first["bstp_nmix_prpr"]) == ("20250616", "2500.00")
    growth = Decimal(today["bstp_nmix_prpr"]) / Decimal(first["bstp_nmix_prpr"])
    assert abs(growth - Decimal(58_450) / 57_200) < Decimal("0.0001")
    assert index(caller, "1001")["bstp_nmix_prpr"] == "0"
    output = price(caller)
    assert (output["w52_hgpr"], output["w52_lwpr"], output["prdy_vrss"]) == ("59800", "56900", "1250")
