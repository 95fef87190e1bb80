"""How the charts walk back through their pages, and what they refuse to make up."""

from datetime import date, datetime, time, timedelta

import pytest

from kis.client.auth import SEOUL
from kis.client.endpoints.charts import index_chart, minute_chart, minutes_of_today
from kis.client.errors import KisReplyChanged, NotOffered, UnknownCode
from tests.kis.scripted import make_session, reply

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 10, 15, 30, tzinfo=SEOUL)


def minute(at, *, day=DAY, **changes):
    return {
        "stck_bsop_date": f"{day:%Y%m%d}",
        "stck_cntg_hour": at,
        "stck_prpr": "100",
        "stck_oprc": "100",
        "stck_hgpr": "110",
        "stck_lwpr": "90",
        "cntg_vol": "5",
        **changes,
    }


def minutes(newest, count, *, day=DAY):
    """Return rows from `newest` (HHMM) backwards."""
    start = datetime.combine(day, time(int(newest[:2]), int(newest[2:])))
    return [minute(f"{start - timedelta(minutes=back):%H%M%S}", day=day) for back in range(count)]


def page(*rows, price="100"):
    return reply({"rt_cd": "0", "output1": {"stck_prpr": price}, "output2": list(rows)})


def chart(*pages, day=DAY, now=NOW, **how):
    session, script, _ = make_session(*pages)
    found = minute_chart(session, code="005930", day=day, now=now, **how)
    return found, [request.params["FID_INPUT_HOUR_1"] for request in script.sent]


def times(found):
    return [f"{bar.at:%H%M}" for bar in found.bars]


def test_pages_of_thirty_go_back_to_the_opening():
    found, asked = chart(page(*minutes("1015", 30)), page(*minutes("0945", 30)), page(*minutes("0915", 16)))
    assert asked == ["101530", "094559", "091559"]
    assert len(found.bars) == 76
    assert (times(found)[0], times(found)[-1]) == ("0900", "1015")
    assert times(found) == sorted(set(times(found)))
    assert [bar.forming for bar in found.bars[-2:]] == [False, True]
    assert {bar.at.utcoffset() for bar in found.bars} == {timedelta(hours=9)}


def test_pages_stop_at_the_minute_asked_for():
    found, asked = chart(page(*minutes("1015", 30)), since=time(9, 50))
    assert (times(found)[0], len(asked)) == ("0950", 1)


def test_pages_that_end_with_the_opening_need_no_further_call():
    found, asked = chart(page(*minutes("0929", 30)), now=NOW.replace(hour=9, minute=29))
    assert (times(found)[0], len(asked)) == ("0900", 1)


def test_full_page_with_an_empty_row_is_not_the_last():
    found, asked = chart(page(*minutes("1015", 29), {}), page(*minutes("0946", 3)))
    assert (len(found.bars), len(asked)) == (32, 2)


def test_minutes_without_a_trade_stay_out():
    found, _ = chart(page(minute("101500"), minute("093000")))
    assert times(found) == ["0930", "1015"]


def test_future_filled_with_the_current_price_is_left_out():
    found, _ = chart(page(minute("101700"), minute("101600"), minute("101500"), minute("101400")))
    assert times(found) == ["1014", "1015"]


def test_day_before_ends_the_chart():
    yesterday = date(2026, 11, 19)
    found, asked = chart(page(minute("090000"), *minutes("1530", 29, day=yesterday)), since=time(8, 0))
    assert (times(found), len(asked)) == (["0900"], 1)


def test_minute_is_named_by_its_beginning():
    found, _ = chart(page(minute("101514")))
    assert [f"{bar.at:%H:%M:%S}" for bar in found.bars] == ["10:15:00"]


def test_day_without_a_trade_has_no_bars():
    assert chart(page(), day=date(2026, 11, 19))[0].bars == ()


def test_day_to_come_asks_for_nothing():
    found, asked = chart(page(), day=date(2026, 11, 23))
    assert (found.bars, asked) == ((), [])


def test_past_day_is_asked_for_to_its_end_and_120_a_page():
    day = date(2026, 11, 19)
    found, asked = chart(page(*minutes("1530", 120, day=day)), page(*minutes("1330", 10, day=day)), day=day)
    assert (len(found.bars), asked) == (130, ["200000", "133059"])
    assert not any(bar.forming for bar in found.bars)


def test_bar_that_cannot_be_leaves_the_others_alone():
    found, _ = chart(page(minute("101500"), minute("101400", stck_hgpr="95"), minute("101300", cntg_vol="")))
    assert times(found) == ["1015"]
    assert len(found.problems) == 2
    assert "10:14" in found.problems[0]


def test_chart_without_a_readable_bar_is_an_error():
    with pytest.raises(KisReplyChanged):
        chart(page(minute("101500", stck_lwpr="0"), minute("101400", stck_bsop_date="")))


def test_minute_that_stands_twice_is_refused():
    with pytest.raises(KisReplyChanged, match="10:15 분봉이 두 번"):
        chart(page(minute("101500"), minute("101530")))


def test_pages_that_do_not_go_back_are_refused():
    same = page(*minutes("1015", 30))
    with pytest.raises(KisReplyChanged, match="09:45까지"):
        chart(same, same)


@pytest.mark.parametrize("price", ["", "0"])
def test_minutes_of_an_unknown_code_are_an_error(price):
    with pytest.raises(UnknownCode, match="005930"):
        chart(page(price=price))


def test_paper_has_the_minutes_of_today_only():
    session, script, _ = make_session(page(minute("101500")), mode="paper")
    assert times(minutes_of_today(session, code="005930", day=DAY, now=NOW)) == ["1015"]
    with pytest.raises(NotOffered):
        minute_chart(session, code="005930", day=date(2026, 11, 19), now=NOW)
    assert len(script.sent) == 1


def index_day(day, **changes):
    return {
        "stck_bsop_date": f"{day:%Y%m%d}",
        "bstp_nmix_prpr": "100.00",
        "bstp_nmix_oprc": "100.10",
        "bstp_nmix_hgpr": "110.00",
        "bstp_nmix_lwpr": "90.00",
        "acml_vol": "5",
        **changes,
    }


def index_page(*rows, price="100.00"):
    return reply({"rt_cd": "0", "output1": {"bstp_nmix_prpr": price}, "output2": list(rows)})


def index_days(newest, count):
    return [index_day(newest - timedelta(days=back)) for back in range(count)]


def ask_index(*pages, first=date(2026, 9, 1)):
    session, script, _ = make_session(*pages)
    found = index_chart(session, code="0001", first=first, last=DAY)
    return found, [
        (request.params["FID_INPUT_DATE_1"], request.params["FID_INPUT_DATE_2"]) for request in script.sent
    ]


def test_index_pages_go_back_to_the_first_day():
    found, asked = ask_index(index_page(*index_days(DAY, 50)), index_page(*index_days(date(2026, 10, 1), 31)))
    assert asked == [("20260901", "20261120"), ("20260901", "20261001")]
    assert len(found.bars) == 81
    assert (found.bars[0].day, found.bars[-1].day) == (date(2026, 9, 1), DAY)


def test_index_page_that_reaches_the_first_day_is_the_last():
    found, asked = ask_index(index_page(*index_days(DAY, 100)))
    assert (len(asked), len(found.bars), found.bars[0].day) == (1, 81, date(2026, 9, 1))


def test_index_bar_that_cannot_be_leaves_the_others_alone():
    broken = index_day(date(2026, 11, 19), bstp_nmix_lwpr="100.05")
    found, _ = ask_index(index_page(index_day(DAY), broken))
    assert [bar.day for bar in found.bars] == [DAY]
    assert "2026-11-19" in found.problems[0]


@pytest.mark.parametrize(
    ("pages", "problem"),
    [
        ([index_page(index_day(DAY), index_day(DAY))], "두 번"),
        ([index_page(*index_days(DAY, 50))] * 2, "2026-10-01까지"),
        ([index_page(index_day(DAY, bstp_nmix_prpr=""))], "비어"),
    ],
)
def test_index_chart_that_cannot_be_is_refused(pages, problem):
    with pytest.raises(KisReplyChanged, match=problem):
        ask_index(*pages)


def test_chart_of_an_unknown_index_is_an_error():
    with pytest.raises(UnknownCode):
        ask_index(index_page(price="0.00"))


def test_index_without_a_day_in_the_range_has_no_bars():
    assert ask_index(index_page())[0].bars == ()
