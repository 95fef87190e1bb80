"""A split and a merger in the simulator: shares, prices, charts, and what stays as it was."""

from datetime import datetime
from fractions import Fraction

import pytest

from kis.simulator.hours import KST
from tests.kis.conftest import TRADING, Caller

SAMSUNG, KAKAO = "005930", "035720"
FRIDAY, MONDAY = "20261120", "20261123"


def ok(response):
    assert response.status_code == 200, response.text
    return response.json()


@pytest.fixture
def split(real, paper):
    """Return what splits Samsung on Friday and moves on to Monday; both accounts hold it."""

    def happen(ratio, *, clock="10:00", held=10):
        for side in (real, paper):
            ok(
                side.control(
                    "account", {"deposit": 10_000_000, "positions": [position(SAMSUNG, held, 61_003)]}
                )
            )
        told = ok(real.control("split", {"code": SAMSUNG, "ratio": ratio}))
        go(real, clock)
        return told

    return happen


def position(code, quantity, average):
    return {"code": code, "qty": quantity, "avg": average}


def go(side, clock, day="2026-11-23"):
    ok(side.control("clock", {"now": f"{day}T{clock}:00+09:00"}))


def held(side, code=SAMSUNG):
    is_paper = side.endpoint.account.startswith("5")
    reply = side.balance(tr_id="VTTC8434R" if is_paper else "TTTC8434R").json()
    return next(row for row in reply["output1"] if row["pdno"] == code), reply["output2"][0]


def bars(side, **how):
    return {
        row["stck_bsop_date"]: row
        for row in side.chart(start="20261116", end=MONDAY, **how).json()["output2"]
    }


@pytest.mark.parametrize("mode", ["real", "paper"])
def test_split_makes_more_shares_of_the_same_cost_in_both_accounts(split, client_of, simulator, mode):
    assert split(5) == {"code": SAMSUNG, "ratio": "5", "day": "2026-11-23"}
    row, _ = held(client_of(getattr(simulator, mode)))
    assert (row["hldg_qty"], row["ord_psbl_qty"]) == ("50", "50")
    assert (row["pchs_amt"], row["pchs_avg_pric"]) == ("610030", "12200.6000")


def test_split_waits_for_its_day(real):
    ok(real.control("account", {"deposit": 0, "positions": [position(SAMSUNG, 10, 61_003)]}))
    price = held(real)[0]["prpr"]
    ok(real.control("split", {"code": SAMSUNG, "ratio": 5}))
    row, _ = held(real)
    assert (row["hldg_qty"], row["prpr"]) == ("10", price)
    go(real, "23:59", "2026-11-22")
    assert held(real)[0]["hldg_qty"] == "10"
    go(real, "07:00")
    assert held(real)[0]["hldg_qty"] == "50"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-23T07:59", "2026-11-23"),
        ("2026-11-23T08:00", "2026-11-24"),
        ("2026-11-22T12:00", "2026-11-23"),
        ("2026-12-24T20:30", "2026-12-28"),
    ],
)
def test_day_of_a_split_is_the_next_one_whose_markets_are_closed(start_simulator, client_of, now, day):
    simulator = start_simulator(clock=datetime.fromisoformat(f"{now}+09:00").astimezone(KST))
    told = ok(client_of(simulator.real).control("split", {"code": SAMSUNG, "ratio": 5}))
    assert told["day"] == day


@pytest.mark.parametrize(
    ("ratio", "shares"), [(5, Fraction(5)), (0.1, Fraction(1, 10)), ("1/3", Fraction(1, 3))]
)
def test_prices_base_and_limits_are_in_new_shares(split, real, simulator, ratio, shares):
    before = bars(real)[FRIDAY]
    close = simulator.exchange.market.bar(SAMSUNG, datetime(2026, 11, 20, tzinfo=KST).date()).close
    split(ratio, held=30)
    row, totals = held(real)
    price, change = int(row["prpr"]), int(row["bfdy_cprs_icdc"])
    base = price - change
    assert 0 <= close / shares - base < 1000  # on a valid price
    assert abs(change / base) < 0.3
    head = real.chart().json()["output1"]
    assert int(head["stck_llam"]) == pytest.approx(base * 0.7, rel=0.03)
    assert int(head["stck_mxpr"]) == pytest.approx(base * 1.3, rel=0.03)
    assert int(totals["bfdy_tot_asst_evlu_amt"]) == 10_000_000 + base * int(30 * shares)
    assert int(before["stck_clpr"]) != base


def test_chart_is_adjusted_or_as_it_was_traded(split, real):
    before = bars(real)
    split(5)
    adjusted, raw = bars(real), bars(real, FID_ORG_ADJ_PRC="1")
    names = ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr")
    for day in ("20261116", "20261119"):
        assert raw[day] == before[day]
        assert [int(adjusted[day][name]) for name in names] == [
            round(int(before[day][name]) / 5) for name in names
        ]
        assert int(adjusted[day]["acml_vol"]) == int(before[day]["acml_vol"]) * 5
    assert adjusted[MONDAY] == raw[MONDAY] | {
        name: adjusted[MONDAY][name] for name in ("prdy_vrss", "prdy_vrss_sign")
    }
    assert abs(int(adjusted[MONDAY]["prdy_vrss"])) < int(adjusted[MONDAY]["stck_clpr"]) * 0.3


def test_fills_and_minutes_of_the_past_stay_as_they_were_traded(real, simulator):
    ok(real.control("account", {"deposit": 10_000_000}))
    ok(real.control("price", {"code": SAMSUNG, "price": 60_000}))
    number = ok(real.control("external-order", {"side": "buy", "code": SAMSUNG, "qty": 7}))["odno"]
    go(real, "20:30", "2026-11-20")
    minutes = past_minutes(real)
    ok(real.control("split", {"code": SAMSUNG, "ratio": 5}))
    go(real, "10:00")
    [order] = real.orders().json()["output1"]
    assert (order["odno"], order["tot_ccld_qty"], order["avg_prvs"]) == (number, "7", "60000")
    row, totals = held(real)
    assert (row["hldg_qty"], row["bfdy_buy_qty"], totals["bfdy_buy_amt"]) == ("35", "7", "420000")
    assert past_minutes(real) == minutes


def past_minutes(real):
    params = {
        "FID_COND_MRKT_DIV_CODE": "J",
        "FID_INPUT_ISCD": SAMSUNG,
        "FID_INPUT_DATE_1": FRIDAY,
        "FID_INPUT_HOUR_1": "110000",
        "FID_PW_DATA_INCU_YN": "N",
        "FID_FAKE_TICK_INCU_YN": "",
    }
    url = "/uapi/domestic-stock/v1/quotations/inquire-time-dailychartprice"
    return real.get(url, "FHKST03010230", params).json()["output2"]


def test_sale_after_a_split_realises_against_the_cost_of_new_shares(split, real):
    split(5)
    ok(real.control("price", {"code": SAMSUNG, "price": 13_000}))
    ok(real.control("external-order", {"side": "sell", "code": SAMSUNG, "qty": 20}))
    params = {
        **real.of_account(),
        "INQR_STRT_DT": MONDAY,
        "INQR_END_DT": MONDAY,
        "PDNO": "",
        "SORT_DVSN": "00",
        "CBLC_DVSN": "00",
    }
    [row] = real.get(f"{TRADING}/inquire-period-trade-profit", "TTTC8715R", params).json()["output1"]
    # 260,000 − 20 × 12,200.6, commission 36, tax 520
    assert (row["hldg_qty"], row["rlzt_pfls"]) == ("30", str(260_000 - 244_012 - 36 - 520))


def test_merger_pays_the_fraction_of_a_share_in_cash(split, real):
    split("1/4", held=10)
    row, totals = held(real)
    base = int(row["prpr"]) - int(row["bfdy_cprs_icdc"])
    # 10 are 2.5, and what four fifths of them cost
    assert (row["hldg_qty"], row["pchs_amt"]) == ("2", "488024")
    assert int(totals["dnca_tot_amt"]) == 10_000_000 + base // 2


def test_account_started_over_after_a_split_is_in_new_shares(split, real):
    split(5)
    ok(real.control("account", {"deposit": 0, "positions": [position(SAMSUNG, 10, 12_000)]}))
    assert held(real)[0]["hldg_qty"] == "10"


def test_index_does_not_jump(start_simulator, client_of):
    levels = []
    for ratio in (None, 5):
        real = client_of(start_simulator().real)
        if ratio:
            ok(real.control("split", {"code": SAMSUNG, "ratio": ratio}))
        go(real, "15:40")
        params = {
            "FID_COND_MRKT_DIV_CODE": "U",
            "FID_INPUT_ISCD": "0001",
            "FID_INPUT_DATE_1": "20261116",
            "FID_INPUT_DATE_2": MONDAY,
            "FID_PERIOD_DIV_CODE": "D",
        }
        url = "/uapi/domestic-stock/v1/quotations/inquire-daily-indexchartprice"
        rows = real.get(url, "FHKUP03500100", params).json()["output2"]
        levels.append([float(row["bstp_nmix_prpr"]) for row in rows])
    plain, after = levels
    assert plain[1:] == after[1:]
    assert after[0] == pytest.approx(plain[0], rel=0.001)  # prices of the day itself are on other ticks


@pytest.mark.parametrize(
    "body", [{"ratio": 1}, {"ratio": 0}, {"ratio": -5}, {"ratio": 101}, {"ratio": "halb"}, {}]
)
def test_ratio_that_is_none_is_refused(real, body):
    response = real.control("split", {"code": SAMSUNG, **body})
    assert response.status_code == 400
    assert "ratio" in response.json()["error"]


def test_unknown_stock_and_second_split_of_a_day_are_refused(real):
    assert "없는 종목코드" in real.control("split", {"code": "999999", "ratio": 5}).json()["error"]
    ok(real.control("split", {"code": SAMSUNG, "ratio": 5}))
    assert "이미" in real.control("split", {"code": SAMSUNG, "ratio": 2}).json()["error"]


def test_restart_remembers_splits_past_and_to_come(start_simulator, tmp_path, client_of):
    state_file = tmp_path / "state.json"
    first = start_simulator(state_file=state_file)
    real = client_of(first.real)
    ok(
        real.control(
            "account",
            {"deposit": 0, "positions": [position(SAMSUNG, 10, 60_000), position(KAKAO, 9, 50_000)]},
        )
    )
    ok(real.control("split", {"code": SAMSUNG, "ratio": 5}))
    go(real, "10:00")
    ok(
        real.control(
            "account",
            {"deposit": 0, "positions": [position(SAMSUNG, 10, 12_000), position(KAKAO, 9, 50_000)]},
        )
    )
    ok(real.control("split", {"code": KAKAO, "ratio": "1/3"}))
    before = (real.balance().json(), bars(real), real.control("state").json())
    first.stop()
    again = Caller(start_simulator(state_file=state_file).real, token=real.token)
    assert (again.balance().json(), bars(again), again.control("state").json()) == before
    go(again, "10:00", "2026-11-24")
    assert [held(again, code)[0]["hldg_qty"] for code in (SAMSUNG, KAKAO)] == ["10", "3"]
