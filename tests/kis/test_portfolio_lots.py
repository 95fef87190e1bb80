"""Positions by moving average and FIFO: tables worked out by hand, and the simulator's own books."""

from datetime import date, time, timedelta
from random import Random

import pytest

from kis.calendar import business_days
from kis.client.records.orders import Side
from kis.portfolio import cash
from kis.portfolio.costs import BASIC_ONLINE, Costs, Kind, Market, estimate
from kis.portfolio.lots import MIXED, Gain, Opening, Split, Trade, replay
from kis.portfolio.unknown import Unknown
from kis.simulator import market
from kis.simulator.hours import at
from kis.simulator.ledger import Account, Ledger, Lot
from kis.simulator.orders import Fill, Order
from kis.simulator.orders import Side as SimulatedSide
from kis.simulator.realised import stock_days

MONDAY = date(2026, 11, 16)
FREE = Costs(0, 0)


def day(number):
    return MONDAY + timedelta(days=number)


def buy(on, quantity, price, *, costs=FREE, minute=0):
    return Trade(day(on), time(10, minute), "0000000001", Side.BUY, quantity, quantity * price, costs)


def sell(on, quantity, price, *, costs=FREE, minute=0):
    return Trade(day(on), time(10, minute), "0000000001", Side.SELL, quantity, quantity * price, costs)


def gains(history):
    """Return (cost by moving average, cost by FIFO) of each sale."""
    return [(sale.average.cost, sale.fifo.cost) for sale in history.sales]


# Event, then what is held after it: shares, cost by moving average, cost by FIFO.
LIFE = [
    (buy(0, 10, 10_000), (10, 100_000, 100_000)),
    (buy(1, 10, 12_000), (20, 220_000, 220_000)),
    # 220,000 × 15/20; FIFO: five of the first ten are left at 10,000
    (sell(2, 5, 13_000, costs=Costs(9, 130)), (15, 165_000, 170_000)),
    # 165,000 × 8/15; FIFO: the other five and two at 12,000 go
    (sell(3, 7, 11_500, costs=Costs(11, 161)), (8, 88_000, 96_000)),
    # Eight shares become forty; they cost what they did
    (Split(day(4), new=5, old=1), (40, 88_000, 96_000)),
    # 88,000 × 27/40 = 59,400; 96,000 × 27/40 = 64,800
    (sell(4, 13, 2_500, costs=Costs(4, 65)), (27, 59_400, 64_800)),
    # FIFO keeps the 27 at 2,400 before the three at 3,001
    (buy(5, 3, 3_001), (30, 68_403, 73_803)),
    # 68,403 × 1/30 = 2,280.1
    (sell(6, 29, 3_100), (1, 2_280, 3_001)),
    (sell(7, 1, 2_000), (0, 0, 0)),
    # From nothing again: nothing of the old prices is left
    (buy(8, 3, 3_333), (3, 9_999, 9_999)),
    (buy(8, 1, 1, minute=5), (4, 10_000, 10_000)),
    # 10,000 × 3/4; FIFO: 9,999 × 2/3 = 6,666 and the 1
    (sell(9, 1, 4_000), (3, 7_500, 6_667)),
]
# Of each sale: proceeds, cost by moving average, cost by FIFO, costs.
LIFE_SALES = [
    (65_000, 55_000, 50_000, 139),
    (80_500, 77_000, 74_000, 172),
    (32_500, 28_600, 31_200, 69),
    (89_900, 66_123, 70_802, 0),
    (2_000, 2_280, 3_001, 0),
    (4_000, 2_500, 3_333, 0),
]


@pytest.mark.parametrize("count", range(1, len(LIFE) + 1))
def test_position_after_each_event(count):
    position = replay([event for event, _ in LIFE[:count]]).position
    assert (position.quantity, position.average_cost, position.fifo_cost) == LIFE[count - 1][1]


def test_gain_of_each_sale():
    sales = replay([event for event, _ in LIFE]).sales
    assert [(sale.average, sale.fifo) for sale in sales] == [
        (Gain(proceeds, average, costs), Gain(proceeds, fifo, costs))
        for proceeds, average, fifo, costs in LIFE_SALES
    ]


def test_realised_profit_before_and_after_costs():
    history = replay([event for event, _ in LIFE])
    # 10,000 + 3,500 + 3,900 + 23,777 − 280 + 1,500 = 42,397; FIFO 15,000 + 6,500 + 1,300 + 19,098 − 1,001 + 667 = 41,564
    assert history.realised(after_costs=False) == 42_397
    assert history.realised() == 42_397 - 380
    assert history.realised(method="fifo", after_costs=False) == 41_564
    assert history.realised(method="fifo") == 41_564 - 380
    assert history.realised(on=day(3)) == 3_500 - 172
    assert history.realised(on=day(0)) == 0


def test_order_of_the_list_does_not_matter():
    events = [event for event, _ in LIFE]
    shuffled = Random(4).sample(events, len(events))
    assert replay(shuffled) == replay(events)


def test_unrealised_profit_values_all_shares():
    position = replay([event for event, _ in LIFE]).position
    assert position.unrealised(3_000) == 9_000 - 7_500
    assert position.unrealised(3_000, method="fifo") == 9_000 - 6_667


def test_rest_is_rounded_as_the_balance_rounds_it():
    # 10,000 × 2/3 = 6,666.67; 6,667 × 1/2 = 3,333.5, to the even neighbour
    history = replay([buy(0, 2, 3_000), buy(1, 1, 4_000), sell(2, 1, 1), sell(3, 1, 1), sell(4, 1, 1)])
    assert [sale.average.cost for sale in history.sales] == [3_333, 3_333, 3_334]
    assert [sale.fifo.cost for sale in history.sales] == [3_000, 3_000, 4_000]


def test_trades_of_one_moment_run_by_order_number():
    second = Trade(day(0), time(10, 0), "0000000002", Side.SELL, 1, 5_000, FREE)
    assert gains(replay([second, buy(0, 1, 4_000)])) == [(4_000, 4_000)]


def test_purchases_of_the_day_count_in_the_brokers_figure():
    # The example of test_simulator_profit: ten at 50,000, five more at 55,000, six sold at 60,000.
    history = replay(
        [
            buy(4, 5, 55_000, costs=Costs(38, 0)),
            sell(4, 6, 60_000, costs=Costs(50, 720), minute=1),
            sell(7, 9, 58_500, costs=Costs(73, 1_053)),
        ],
        opening=Opening(10, 500_000),
    )
    assert history.realised(on=day(4)) == 49_230
    assert history.broker_profit(day(4)) == 49_192
    assert history.broker_profit(day(7)) == 60_374
    assert history.broker_profit(day(5)) == 0


def test_merger_sells_the_fraction_left_over():
    events = [buy(0, 15, 10_000), buy(1, 8, 20_000), Split(day(2), new=1, old=10, cash=45_000)]
    history = replay(events)
    # 23 shares become 2.3. 310,000 × 20/23 = 269,565.2; FIFO gives the three oldest away, at 10,000.
    assert history.sales[0].average == Gain(45_000, 40_435, 0)
    assert history.sales[0].fifo == Gain(45_000, 30_000, 0)
    assert (history.position.quantity, history.position.average_cost) == (2, 269_565)
    # 269,565 / 2 = 134,782.5, to the even neighbour; FIFO: ten of the twelve old shares left at 10,000.
    history = replay([*events, sell(3, 1, 160_000)])
    assert gains(history)[1] == (134_783, 100_000)
    assert history.position.fifo_cost == 20_000 + 160_000


def test_merger_may_leave_nothing_but_cash():
    history = replay([buy(0, 7, 1_000), Split(day(1), new=1, old=10, cash=6_000)])
    assert history.sales[0].average == history.sales[0].fifo == Gain(6_000, 7_000, 0)
    assert (history.position.quantity, history.position.average_cost, history.position.fifo_cost) == (0, 0, 0)


def test_bonus_issue_is_a_split():
    # Three new shares for every ten
    position = replay([buy(0, 20, 13_000), Split(day(1), new=13, old=10)]).position
    assert (position.quantity, position.average_cost, position.fifo_cost) == (26, 260_000, 260_000)


def test_two_splits_one_after_the_other():
    events = [buy(0, 3, 100), Split(day(1), new=7, old=3), Split(day(2), new=3, old=7), sell(3, 1, 200)]
    assert gains(replay(events)) == [(100, 100)]


def test_fraction_without_its_cash_is_unknown_and_still_gone():
    history = replay([buy(0, 15, 10_000), Split(day(1), new=1, old=10)])
    why = Unknown("2026-11-17(화) 주식 분할·병합: 단주의 대금을 아직 모릅니다.")
    assert (history.sales[0].average, history.sales[0].fifo) == (why, why)
    assert history.realised() == history.broker_profit(day(1)) == why
    assert (history.position.quantity, history.position.average_cost) == (1, 100_000)


def test_cash_without_a_fraction_is_unknown():
    history = replay([buy(0, 20, 10_000), Split(day(1), new=1, old=10, cash=500)])
    assert "단주가 없는데" in history.realised().reason


def test_split_of_a_stock_not_held_is_nothing():
    history = replay([Split(day(0), new=1, old=10, cash=500), buy(1, 1, 100)])
    assert (history.sales, history.position.quantity) == ((), 1)


def test_opening_has_an_average_but_no_fifo_until_it_is_used_up():
    opening = Opening(10, 100_000)
    events = [buy(0, 5, 12_000), sell(1, 4, 13_000), sell(2, 8, 13_000), sell(3, 1, 13_000)]
    # 160,000 × 11/15 = 117,333.3; × 3/11 = 31,999.9; × 2/3 = 21,333.3
    history = replay(events, opening=opening)
    assert [sale.average.cost for sale in history.sales] == [42_667, 85_333, 10_667]
    # The second sale takes the last six of the opening and two of the purchase.
    assert [sale.fifo for sale in history.sales] == [MIXED, MIXED, Gain(13_000, 12_000, 0)]
    assert (history.position.average_cost, history.position.fifo_cost) == (21_333, 24_000)
    assert history.realised(method="fifo") == MIXED
    assert history.realised(method="fifo", on=day(3)) == 1_000
    # Before any of it is sold, all of it has a cost; after, what is left has none.
    assert replay(events[:1], opening=opening).position.fifo_cost == 160_000
    half_gone = replay(events[:2], opening=opening).position
    assert half_gone.fifo_cost == half_gone.unrealised(13_000, method="fifo") == MIXED


def test_opening_sold_in_one_piece_has_a_fifo_cost():
    history = replay([buy(0, 5, 12_000), sell(1, 12, 13_000)], opening=Opening(10, 100_000))
    assert history.sales[0].fifo == Gain(156_000, 124_000, 0)


def test_more_sold_than_known_is_unknown_from_then_on():
    history = replay(
        [
            buy(0, 5, 10_000),
            sell(1, 2, 11_000),
            sell(2, 8, 11_000),
            buy(3, 10, 9_000),
            Split(day(4), new=5, old=1),
            sell(5, 1, 2_000),
        ]
    )
    why = Unknown(
        "2026-11-18(수)에 8주를 팔았으나 그때까지 알려진 주식은 3주여서, 그 매도부터는 원가를 알 수 없습니다."
    )
    assert history.sales[0].average == history.sales[0].fifo == Gain(22_000, 20_000, 0)
    assert [(sale.average, sale.fifo) for sale in history.sales[1:]] == [(why, why), (why, why)]
    position = history.position
    assert position.quantity == position.average_cost == position.fifo_cost == position.unrealised(1) == why
    assert history.realised(on=day(1)) == 2_000
    assert history.realised() == why


def test_shares_may_have_cost_nothing_and_bring_nothing():
    history = replay([sell(0, 1, 0)], opening=Opening(1, 0))
    assert gains(history) == [(0, 0)]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: buy(0, 0, 1_000),
        lambda: sell(0, 1, -1),
        lambda: Split(day(0), new=0, old=1),
        lambda: Split(day(0), new=1, old=0),
        lambda: Opening(0, 0),
        lambda: Opening(1, -1),
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="has shares"):
        wrong()


CODES: dict[str, tuple[Market, Kind]] = {
    "005930": ("KOSPI", "stock"),
    "247540": ("KOSDAQ", "stock"),
    "069500": ("KOSPI", "ETF"),
}
FIRST, LAST = date(2024, 12, 16), date(2025, 1, 15)  # over the change of the tax and the end of a year


def random_account(seed):
    """Play a month of orders, most of them filled in parts, from cash and an opening position."""
    random = Random(seed)
    account = Account("real", "12345678-01", opening_cash=50_000_000, opening={"005930": Lot(37, 2_000_001)})
    held = {"005930": 37}
    number = 0
    for on in business_days(FIRST, LAST):
        moment = at(on, time(9, 1))
        for _ in range(random.randrange(6)):
            code = random.choice(list(CODES))
            side: SimulatedSide = "sell" if held.get(code) and random.random() < 0.5 else "buy"
            quantity = random.randint(1, held[code]) if side == "sell" else random.randint(1, 90)
            number += 1
            fills, left = [], quantity
            while left:
                part = random.randint(1, left)
                left -= part
                moment += timedelta(seconds=random.randint(1, 600))
                fills.append(Fill(moment, part, random.randint(20_000, 90_000)))
            held[code] = held.get(code, 0) + (quantity if side == "buy" else -quantity)
            placed = at(on, time(9, 0))
            account.orders.append(
                Order("real", account.number, number, placed, side, code, quantity, 0, fills=fills)
            )
    return account


def as_trades(order):
    """Return the fills of an order as trades, each with what it adds to the costs of the order."""
    listed, kind = CODES[order.code]
    side = Side.BUY if order.side == "buy" else Side.SELL
    amount, charged = 0, FREE
    for fill in order.fills:
        amount += fill.quantity * fill.price
        costs = estimate(
            side=side, market=listed, kind=kind, amount=amount, trade_day=order.day, plan=BASIC_ONLINE
        )
        yield Trade(
            order.day,
            fill.at.time(),
            f"{order.number:010}",
            side,
            fill.quantity,
            fill.quantity * fill.price,
            costs - charged,
        )
        charged = costs


@pytest.mark.parametrize("seed", range(12))
def test_simulator_keeps_the_same_books(seed):
    account = random_account(seed)
    ledger = Ledger(market.Market(), [account])
    book = ledger.book(account)
    trades: dict[str, list[Trade]] = {code: [] for code in CODES}
    movements: list[cash.Movement] = []
    for order in account.orders:
        parts = list(as_trades(order))
        trades[order.code] += parts
        movements += [
            cash.of_trade(side=part.side, amount=part.amount, costs=part.costs.total, trade_day=part.day)
            for part in parts
        ]
    simulated_days = stock_days(account, splits=(), costs=ledger.costs, until=at(LAST, time(20, 0)))
    for code, played in trades.items():
        lot = account.opening.get(code)
        history = replay(played, opening=lot and Opening(lot.quantity, lot.cost))
        simulated = book.lots.get(code, Lot(0, 0))
        assert (history.position.quantity, history.position.average_cost) == (
            simulated.quantity,
            simulated.cost,
        )
        for on in business_days(FIRST, LAST):
            costs = sum(trade.costs.total for trade in played if trade.day == on)
            assert costs == book.stocks[on, code].costs
            simulated_day = simulated_days.get((on, code))
            profit = simulated_day.sums.profit if simulated_day else 0
            assert history.broker_profit(on) == profit
    for on in business_days(FIRST, LAST):
        until = [moved for moved in movements if moved.due <= cash.settlement_day(on)]
        ladder = cash.expected(account.opening_cash, until, today=on)
        statement = ledger.book(account, until=at(on, time(23, 59)))
        assert (ladder.d0, ladder.d2) == (statement.cash_on(on), statement.cash)
        assert ladder.d1 == statement.cash_on(ladder.days[1])


def test_fifo_and_average_end_at_the_same_profit():
    """Once all is sold the two methods have only told the same won apart differently."""
    for seed in range(12):
        for code in CODES:
            orders = [order for order in random_account(seed).orders if order.code == code]
            played = [part for order in orders for part in as_trades(order)]
            opening = [Trade(date(2024, 1, 2), time(9, 0), "", Side.BUY, 40, 2_000_000, FREE)]
            left = replay([*opening, *played]).position.quantity
            assert isinstance(left, int)
            last = Trade(date(2025, 2, 3), time(9, 0), "", Side.SELL, left, left * 50_000, FREE)
            history = replay([*opening, *played, last])
            assert history.realised() == history.realised(method="fifo")
            assert history.position.fifo_cost == history.position.average_cost == 0
