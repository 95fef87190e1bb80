"""Minute charts of the simulated broker: rows that add up to the day, never from the future, page by page."""

from datetime import datetime, timedelta

import pytest

from kis.simulator.hours import KST
from tests.kis.quoting import NUMBER, ask, at_time, check_fields, price, set_price

WHOLE_DAY = 380 + 1  # continuous trading, and the closing print
HEAD = {
    NUMBER: "prdy_vrss prdy_vrss_sign stck_prdy_clpr acml_vol acml_tr_pbmn stck_prpr",
}
ROW = {
    NUMBER: """stck_bsop_date stck_cntg_hour stck_prpr stck_oprc stck_hgpr stck_lwpr cntg_vol acml_tr_pbmn""",
}


def todays(caller, hour="000000", code="005930", *, earlier="N", board="J"):
    how = {"FID_ETC_CLS_CODE": "", "FID_INPUT_HOUR_1": hour, "FID_PW_DATA_INCU_YN": earlier}
    return ask(caller, "inquire-time-itemchartprice", "FHKST03010200", code, board=board, **how)


def past(caller, day, hour="153000", code="005930", *, earlier="N"):
    how = {
        "FID_INPUT_DATE_1": day,
        "FID_INPUT_HOUR_1": hour,
        "FID_PW_DATA_INCU_YN": earlier,
        "FID_FAKE_TICK_INCU_YN": "",
    }
    return ask(caller, "inquire-time-dailychartprice", "FHKST03010230", code, **how)


def rows(body):
    return body["output2"]


def whole_day(caller, day, code="005930"):
    """Page through a day as clients do: from the earliest row's time less a second."""
    found, hour = [], "153000"
    while page := rows(past(caller, day, hour, code)):
        found += page
        earliest = datetime.strptime(page[-1]["stck_cntg_hour"], "%H%M%S")  # noqa: DTZ007  # a time of day
        hour = f"{earliest - timedelta(seconds=1):%H%M%S}"
    return found


def times(found):
    return [row["stck_bsop_date"] + row["stck_cntg_hour"] for row in found]


def test_thirty_minutes_newest_first_with_the_one_now_forming(start_simulator, client_of):
    clock = datetime(2026, 11, 20, 10, 0, 30, tzinfo=KST)
    caller = client_of(start_simulator(clock=clock).real)
    body = todays(caller)
    found, output = rows(body), price(caller)
    assert times(found)[:2] == ["20261120100000", "20261120095900"]
    assert len(found) == 30
    assert times(found) == sorted(set(times(found)), reverse=True)
    head = dict(body["output1"])
    assert (head.pop("hts_kor_isnm"), head.pop("prdy_ctrt")) == ("삼성전자", output["prdy_ctrt"])
    check_fields(head, HEAD)
    for row in found:
        check_fields(row, ROW)
        low, high = int(row["stck_lwpr"]), int(row["stck_hgpr"])
        assert low <= min(int(row["stck_oprc"]), int(row["stck_prpr"]))
        assert high >= max(int(row["stck_oprc"]), int(row["stck_prpr"]))
    assert found[0]["stck_prpr"] == body["output1"]["stck_prpr"] == output["stck_prpr"]
    assert found[0]["acml_tr_pbmn"] == body["output1"]["acml_tr_pbmn"] == output["acml_tr_pbmn"]


def test_minutes_so_far_add_up_to_the_price_call(real):
    found = rows(past(real, "20261120"))
    output = price(real)
    assert times(found)[0] == "20261120100000"
    assert len(found) == 61
    assert sum(int(row["cntg_vol"]) for row in found) == int(output["acml_vol"])
    assert max(int(row["stck_hgpr"]) for row in found) == int(output["stck_hgpr"])
    assert min(int(row["stck_lwpr"]) for row in found) == int(output["stck_lwpr"])
    assert found[-1]["stck_oprc"] == output["stck_oprc"]


@pytest.mark.parametrize("code", ["005930", "006340", "069500", "028300"])
def test_pages_of_a_day_are_the_whole_day(real, code):
    found = whole_day(real, "20261118", code)
    [bar] = real.chart(code=code, start="20261118", end="20261118").json()["output2"]
    assert len(set(times(found))) == len(found) == WHOLE_DAY
    assert [row["stck_cntg_hour"] for row in (found[0], found[1], found[-1])] == [
        "153000",
        "151900",
        "090000",
    ]
    assert sum(int(row["cntg_vol"]) for row in found) == int(bar["acml_vol"])
    assert all(int(row["cntg_vol"]) >= 0 for row in found)
    assert max(int(row["stck_hgpr"]) for row in found) == int(bar["stck_hgpr"])
    assert min(int(row["stck_lwpr"]) for row in found) == int(bar["stck_lwpr"])
    assert (found[-1]["stck_oprc"], found[0]["stck_prpr"]) == (bar["stck_oprc"], bar["stck_clpr"])
    assert found[0]["acml_tr_pbmn"] == bar["acml_tr_pbmn"]


def test_closing_print_stands_alone(real):
    at_time(real, "2026-11-20T15:29:30+09:00")
    assert times(rows(todays(real)))[0] == "20261120151900"
    at_time(real, "2026-11-20T15:30:00+09:00")
    closing, before = rows(todays(real))[:2]
    assert closing["stck_cntg_hour"] == "153000"
    prices = {closing[name] for name in ("stck_prpr", "stck_oprc", "stck_hgpr", "stck_lwpr")}
    assert prices == {price(real)["stck_prpr"]}
    assert int(closing["cntg_vol"]) > int(before["cntg_vol"])
    at_time(real, "2026-11-20T17:00:00+09:00")
    assert rows(todays(real))[0] == closing


def test_minute_that_is_over_never_changes(real):
    early = {row["stck_cntg_hour"]: row for row in rows(todays(real, "095900"))}
    at_time(real, "2026-11-20T14:00:00+09:00")
    assert {row["stck_cntg_hour"]: row for row in rows(todays(real, "095900"))} == early
    at_time(real, "2026-11-23T10:00:00+09:00")
    later = {row["stck_cntg_hour"]: row for row in rows(past(real, "20261120", "095900"))}
    assert later.items() >= early.items()


@pytest.mark.parametrize("hour", ["000000", "235959", "100001", "", "now", "100000"])
def test_no_minute_comes_from_the_future(real, hour):
    assert rows(todays(real, hour)) == rows(todays(real, "000000"))
    assert times(rows(past(real, "20261120", hour)))[0] == "20261120100000"
    assert times(rows(past(real, "20261225", hour)))[0] == "20261120100000"


def test_rows_end_at_the_hour_asked_for(real):
    found = rows(todays(real, "093015"))
    assert times(found)[0] == "20261120093000"
    assert len(found) == 30
    assert len(rows(todays(real, "090459"))) == 5
    assert rows(todays(real, "085959")) == []


def test_earlier_days_fill_the_page_when_wanted(real):
    found = rows(todays(real, "090400", earlier="Y"))
    assert len(found) == 30
    assert times(found)[3:6] == ["20261120090100", "20261120090000", "20261119153000"]
    two_days = rows(past(real, "20261120", "090400", earlier="Y"))
    assert len(two_days) == 120
    assert two_days[:30] == found
    # A day without trading has no rows of its own.
    assert rows(past(real, "20261115")) == []
    assert times(rows(past(real, "20261115", earlier="Y")))[0] == "20261113153000"


def test_before_the_opening_there_are_no_minutes_but_yesterdays(real):
    at_time(real, "2026-11-23T08:30:00+09:00")
    body = todays(real)
    assert rows(body) == []
    assert body["output1"]["stck_prpr"] == body["output1"]["stck_prdy_clpr"]
    assert times(rows(todays(real, earlier="Y")))[0] == "20261120153000"


def test_closed_day_shows_the_minutes_of_the_last_trading_day(real):
    at_time(real, "2026-11-21T11:00:00+09:00")
    assert times(rows(todays(real)))[:2] == ["20261120153000", "20261120151900"]


def test_price_set_by_hand_is_in_the_minutes_from_then_on(real):
    before = rows(todays(real))
    pinned = int(price(real)["stck_prpr"]) + 3_000
    set_price(real, "005930", pinned)
    at_time(real, "2026-11-20T10:05:30+09:00")
    found = rows(todays(real))
    assert {row["stck_prpr"] for row in found[:5]} == {str(pinned)}
    assert found[0]["stck_lwpr"] == str(pinned)
    assert found[5]["stck_hgpr"] == str(pinned)
    assert found[6:30] == before[1:25]
    set_price(real, "005930", pinned + 500)
    assert (rows(todays(real))[0]["stck_prpr"], rows(todays(real))[0]["stck_lwpr"]) == (
        str(pinned + 500),
        str(pinned),
    )
    at_time(real, "2026-11-20T15:30:00+09:00")
    assert rows(todays(real))[0]["stck_prpr"] == price(real)["stck_prpr"] == str(pinned + 500)
    whole = whole_day(real, "20261120")
    assert sum(int(row["cntg_vol"]) for row in whole) == int(price(real)["acml_vol"])


def test_a_year_is_kept(real):
    assert len(rows(past(real, "20251121"))) == 120
    assert rows(past(real, "20251111")) == []
    assert rows(past(real, "20241118", earlier="Y")) == []


def test_unknown_stock_has_no_minutes_and_is_no_error(real):
    for body in (todays(real, code="999999"), past(real, "20261118", code="999999"), todays(real, board="U")):
        assert (body["output1"]["stck_prpr"], body["output2"]) == ("0", [])


def test_every_board_is_taken_and_paper_has_only_todays_minutes(real, paper):
    assert todays(real, board="UN") == todays(real, board="NX") == todays(real) == todays(paper)
    reply = paper.get("/uapi/domestic-stock/v1/quotations/inquire-time-dailychartprice", "FHKST03010230", {})
    assert reply.json()["rt_cd"] != "0"
