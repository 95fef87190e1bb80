"""The day of a split, as the owner sees it: every run of it agrees, whatever is traded around it."""

from datetime import date, datetime

import pytest

from kis.korean import SEOUL
from kis.models import DailyPrice, KisHolding, PriceAdjustment
from tests.kis.living import SAMSUNG, life_of

pytestmark = pytest.mark.django_db

MON, TUE = date(2026, 11, 16), date(2026, 11, 17)


@pytest.fixture(params=["real", "paper"])
def life(request, start_simulator):
    simulator = start_simulator(clock=datetime(2026, 11, 16, 9, 10, tzinfo=SEOUL))
    with life_of(simulator, request.param) as life:
        life.broker.account(10_000_000, _005930=(30, 60_000), _000660=(5, 200_000))
        life.price(60_000)
        life.sync()
        life.evening(MON)
        yield life


def odd(run):
    return {check["name"]: check["row"] for check in run.checks if check["difference"]}


@pytest.mark.parametrize(("ratio", "held"), [(5, 150), ("1/3", 10)])
def test_first_look_in_the_session_knows_the_split_already(life, ratio, held):
    life.broker.post("split", {"code": SAMSUNG, "ratio": ratio})
    life.at(TUE, "10:00")
    assert odd(life.sync()) == {}
    assert KisHolding.objects.filter(stock_code=SAMSUNG).latest("pk").holding_qty == held
    [found] = PriceAdjustment.objects.all()
    assert (found.stock_code, found.after, found.day) == (SAMSUNG, MON, TUE)
    assert DailyPrice.objects.get(stock_code=SAMSUNG, trade_date=MON).close == round(60_000 * 30 / held)
    assert odd(life.evening(TUE)) == {}
    assert (life.log(TUE).flow, life.summary(TUE).flow) == (0, 0)


def test_all_is_sold_before_the_first_look(life):
    life.broker.post("split", {"code": SAMSUNG, "ratio": 5})
    life.at(TUE)
    life.sell(150, 12_000)
    assert odd(life.sync()) == {}
    assert odd(life.evening(TUE)) == {}


@pytest.mark.parametrize(("side", "held"), [("buy", (30 + 4) * 5), ("sell", (30 - 4) * 5)])
def test_what_was_traded_after_the_last_look_is_split_too(life, side, held):
    if life.is_paper:
        pytest.skip("paper has no evening")
    life.at(MON, "16:30")
    life.price(60_000)
    reply = life.caller.order(side, ORD_QTY="4", ORD_UNPR="60000", ORD_DVSN="41").json()
    assert reply["rt_cd"] == "0", reply
    life.broker.post("split", {"code": SAMSUNG, "ratio": 5})
    life.at(TUE, "10:00")
    assert odd(life.sync()) == {}
    assert KisHolding.objects.filter(stock_code=SAMSUNG).latest("pk").holding_qty == held
    assert odd(life.evening(TUE)) == {}
    assert life.summary(TUE).flow == 0


def test_shares_without_a_reason_are_still_a_difference(life):
    life.at(TUE, "10:00")
    life.broker.account(10_000_000, _005930=(150, 12_000), _000660=(5, 200_000))
    assert odd(life.sync()) == {"수량 변화 = 체결": f"삼성전자 {SAMSUNG}"}
