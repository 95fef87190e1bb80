"""Reasons to refuse an order before anything is sent; what is not known is a reason, too."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from kis.client.codes import Mode
from kis.korean import SEOUL, percent, share
from kis.portfolio.costs import BASIC_ONLINE, CommissionPlan, Kind
from trading.drafts import Draft
from trading.hours import (
    ANY_VENUE_OPENS,
    CLOSING,
    CONTINUOUS_END,
    OPENING,
    ORDERS_OPEN,
    hour_today,
    is_before_opening,
    is_closing_auction,
    next_time,
    takes_cancels,
    takes_limit_orders,
    takes_market_orders,
    time_to_closing_auction,
)
from trading.ticks import nearest_prices, tick_size

MEGABYTE = 1_000_000
#: What is worth a warning: percent off the last price, percent of the cash, time before the closing auction.
FAR_PERCENT = 2
LARGE_SHARE_PERCENT = 50
CLOSING_SOON = timedelta(minutes=10)


class Gate(StrEnum):
    """Names that stay: events, tests and documents rely on them. In the order in which they are passed."""

    KILL_SWITCH = "kill_switch"
    REAL_TRADING = "real_trading"
    PERMISSION = "permission"
    SESSION = "session"
    HALTED = "halted"
    TOKEN = "token"  # noqa: S105  # the name of a gate
    CLOCK = "clock"
    STALE_PRICE = "stale_price"
    COLLAR = "collar"
    TICK = "tick"
    DAILY_LIMIT = "daily_limit"
    CASH = "cash"
    SELLABLE = "sellable"
    ORDER_AMOUNT = "order_amount"
    DAY_AMOUNT = "day_amount"
    UNSETTLED = "unsettled"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at the moment of the check; None where it could not be learnt. Money in won.

    `clock_skew` is our clock minus the broker's. `price_at` is when the broker told us `last_price`. The limits of the
    day are the broker's own. `cash` is what can be bought for without owing anything (`nrcvb_buy_amt`). `amount_today` is
    what has been ordered today, bought and sold together. Raises ValueError for a time without zone.
    """

    now: datetime
    mode: Mode
    is_halted_by_switch: bool | None
    real_enabled: bool
    may_trade: bool
    has_unsettled_order: bool | None
    token_fresh: bool | None
    clock_skew: timedelta | None
    last_price: int | None
    price_at: datetime | None
    base_price: int | None
    upper_limit: int | None
    lower_limit: int | None
    kind: Kind | None
    is_halted: bool | None
    cash: int | None
    sellable: int | None
    amount_today: int | None
    free_disk_bytes: int | None

    def __post_init__(self) -> None:
        if self.now.tzinfo is None or (self.price_at is not None and self.price_at.tzinfo is None):
            raise ValueError("naive datetime")

    @property
    def price_age(self) -> timedelta | None:
        return None if self.price_at is None else self.now - self.price_at

    @property
    def daily_range(self) -> tuple[int, int] | None:
        """Lowest and highest price of the day; None where the broker's figures are missing or contradict each other."""
        lower, upper, base = self.lower_limit, self.upper_limit, self.base_price
        if lower is None or upper is None or base is None:
            return None
        return (lower, upper) if 0 < lower <= base <= upper else None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner allows: won an order and a day, percent off the last price, and how fresh everything must be."""

    order_max_amount: int
    day_max_amount: int
    collar_percent: Decimal
    price_max_age: timedelta
    clock_skew_max: timedelta
    least_disk_bytes: int
    plan: CommissionPlan = BASIC_ONLINE


@dataclass(frozen=True, slots=True)
class Refusal:
    """A gate that is shut, and one Korean sentence saying what to do."""

    gate: Gate
    message: str


def refusals(draft: Draft, facts: Facts, rules: Rules) -> list[Refusal]:
    """Return every reason not to send an order, in the order of the gates; empty only where all are known to be open."""
    return [
        Refusal(gate, message) for gate, check in GATES.items() if (message := check(draft, facts, rules))
    ]


def refusals_of_cancel(facts: Facts, rules: Rules) -> list[Refusal]:
    """Return every reason not to send a cancellation. The kill switch is none, nor an order without an answer."""
    checks = {
        Gate.REAL_TRADING: _real_trading(facts),
        Gate.PERMISSION: _permission(facts),
        Gate.SESSION: _cancel_session(facts),
        Gate.TOKEN: _token(facts),
        Gate.CLOCK: _clock(facts, rules),
        Gate.DISK: _disk(facts, rules),
    }
    return [Refusal(gate, message) for gate, message in checks.items() if message]


def reckoned_price(draft: Draft, facts: Facts) -> int | None:
    """Return what a share counts in cash and limits: a market buy at the highest price of the day, as the broker does."""
    if not draft.is_market:
        return draft.price
    if draft.is_buy:
        return facts.daily_range[1] if facts.daily_range else None
    return facts.last_price or None


def buying_cost(amount: int, *, kind: Kind, facts: Facts, rules: Rules) -> int:
    """Return the won that a purchase of `amount` takes, with its commission; there is no tax on buying."""
    trade_day = facts.now.astimezone(SEOUL).date()
    return amount + rules.plan.commission(amount, kind=kind, trade_day=trade_day)


# --- the account and its surroundings -------------------------------------------------------------------------------


def _kill_switch(facts: Facts) -> str:
    if facts.is_halted_by_switch is None:
        return "주문 중지가 켜져 있는지 확인하지 못해 보내지 않았습니다. manage.py kill_switch status로 확인해 주세요."
    if facts.is_halted_by_switch:
        return "주문 중지가 켜져 있습니다. 까닭을 확인한 뒤 manage.py kill_switch off로 꺼 주세요."
    return ""


def _real_trading(facts: Facts) -> str:
    if facts.mode == "real" and not facts.real_enabled:
        return "실전 주문이 꺼져 있습니다. .env에 REAL_TRADING_ENABLED=true를 넣으세요."
    return ""


def _permission(facts: Facts) -> str:
    return "" if facts.may_trade else "이 계좌로 주문할 권한이 없습니다. 관리자에게 권한을 요청해 주세요."


def _session(draft: Draft, facts: Facts) -> str:
    now = facts.now
    if not takes_limit_orders(now):
        return (
            f"지금은 주문을 받지 않는 시간입니다. {next_time(now, opens=ORDERS_OPEN)}부터 주문할 수 있습니다."
        )
    if draft.is_market and not takes_market_orders(now):
        return (
            f"시장가 주문은 {hour_today(now, OPENING):%H:%M}부터 {hour_today(now, CONTINUOUS_END):%H:%M}까지만 보냅니다. "
            "지금은 가격을 적어 지정가로 주문해 주세요."
        )
    return ""


def _cancel_session(facts: Facts) -> str:
    if takes_cancels(facts.now):
        return ""
    opens = next_time(facts.now, opens=ANY_VENUE_OPENS)
    return f"지금은 취소를 받지 않는 시간입니다. {opens}부터 취소할 수 있습니다."


def _halted(facts: Facts) -> str:
    if facts.is_halted is None:
        return "거래정지 종목인지 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    return "거래가 정지된 종목입니다. 정지가 풀린 뒤 주문해 주세요." if facts.is_halted else ""


def _token(facts: Facts) -> str:
    if facts.token_fresh:
        return ""
    return "증권사 접근 토큰이 유효한지 확인되지 않았습니다. 잔고조회를 한 번 한 뒤 다시 시도해 주세요."


def _clock(facts: Facts, rules: Rules) -> str:
    skew = facts.clock_skew
    if skew is None:
        return "증권사의 시각을 확인하지 못했습니다. 잠시 뒤 다시 시도해 주세요."
    if abs(skew) <= rules.clock_skew_max:
        return ""
    direction = "빠릅니다" if skew > timedelta() else "느립니다"
    return (
        f"이 컴퓨터의 시계가 증권사보다 {_seconds(abs(skew))} {direction}. 시계를 맞춘 뒤 다시 시도해 주세요."
    )


def _unsettled(facts: Facts) -> str:
    if facts.has_unsettled_order is None:
        return "결과를 모르는 주문이 있는지 확인하지 못했습니다. manage.py reconcile_orders를 실행해 주세요."
    if facts.has_unsettled_order:
        return "결과를 모르는 주문이 있어 새 주문을 막았습니다. 같은 주문을 다시 내지 말고 manage.py reconcile_orders를 실행해 주세요."
    return ""


def _disk(facts: Facts, rules: Rules) -> str:
    free, least = facts.free_disk_bytes, rules.least_disk_bytes
    if free is None:
        return "디스크에 기록할 자리가 있는지 확인하지 못했습니다. 디스크를 확인해 주세요."
    if free >= least:
        return ""
    return (
        f"디스크가 거의 찼습니다. 주문 기록을 남기려면 {-(-least // MEGABYTE):,}MB가 비어 있어야 하는데 "
        f"{free // MEGABYTE:,}MB뿐입니다. 자리를 비워 주세요."
    )


# --- prices ---------------------------------------------------------------------------------------------------------


def _stale_price(facts: Facts, rules: Rules) -> str:
    age = facts.price_age
    if not facts.last_price or age is None:
        return "현재가를 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    if age < -rules.clock_skew_max:
        return "현재가의 시각이 지금보다 늦습니다. 이 컴퓨터의 시계를 확인해 주세요."
    if age > rules.price_max_age:
        return f"현재가가 {_seconds(age)} 전의 것입니다. 다시 주문해 새 현재가를 확인해 주세요."
    return ""


def _collar(draft: Draft, facts: Facts, rules: Rules) -> str:
    if draft.is_market:
        return ""
    last, kind = facts.last_price, facts.kind
    if not last or kind is None:
        return "현재가나 종목 종류를 몰라 가격이 알맞은지 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    collar = rules.collar_percent
    if abs(draft.price - last) * 100 <= collar * last:
        return ""
    lowest = nearest_prices(int((last * (100 - collar) / 100).to_integral_value(ROUND_CEILING)), kind)[1]
    highest = nearest_prices(int((last * (100 + collar) / 100).to_integral_value(ROUND_FLOOR)), kind)[0]
    return (
        f"{draft.price:,}원은 현재가 {last:,}원에서 {collar.normalize():f}% 넘게 벗어납니다. "
        f"{lowest:,}원부터 {highest:,}원까지 주문할 수 있습니다."
    )


def _tick(draft: Draft, facts: Facts) -> str:
    if draft.is_market:
        return ""
    if facts.kind is None:
        return "종목 종류를 몰라 호가 단위를 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    below, above = nearest_prices(draft.price, facts.kind)
    if below == above:
        return ""
    return (
        f"{draft.price:,}원은 호가 단위 {tick_size(draft.price, facts.kind):,}원에 맞지 않습니다. "
        f"{below:,}원이나 {above:,}원으로 주문하세요."
    )


def _daily_limit(draft: Draft, facts: Facts) -> str:
    if draft.is_market:
        return ""
    if facts.daily_range is None:
        return "오늘의 상한가와 하한가를 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    lower, upper = facts.daily_range
    if lower <= draft.price <= upper:
        return ""
    end = f"상한가 {upper:,}원보다 높습니다" if draft.price > upper else f"하한가 {lower:,}원보다 낮습니다"
    return f"{draft.price:,}원은 {end}. 오늘은 {lower:,}원부터 {upper:,}원까지 주문할 수 있습니다."


# --- cash, shares and the owner's own limits ------------------------------------------------------------------------


def _cash(draft: Draft, facts: Facts, rules: Rules) -> str:
    if not draft.is_buy:
        return ""
    cash, price, kind = facts.cash, reckoned_price(draft, facts), facts.kind
    if cash is None or price is None or kind is None:
        return "주문가능금액이나 필요한 금액을 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."

    def cost(quantity: int) -> int:
        return buying_cost(price * quantity, kind=kind, facts=facts, rules=rules)

    if cost(draft.quantity) <= cash:
        return ""
    affordable = bisect_right(range(draft.quantity), cash, key=cost) - 1
    why = f"시장가 매수는 상한가 {price:,}원으로 계산하므로 " if draft.is_market else ""
    return (
        f"주문가능금액이 모자랍니다. {why}수수료까지 {cost(draft.quantity):,}원이 필요한데 {cash:,}원이 있습니다. "
        f"{_at_most(affordable)}"
    )


def _sellable(draft: Draft, facts: Facts) -> str:
    if draft.is_buy:
        return ""
    if facts.sellable is None:
        return "팔 수 있는 수량을 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    if draft.quantity <= facts.sellable:
        return ""
    if facts.sellable <= 0:
        return "팔 수 있는 수량이 없습니다. 잔고와 미체결 매도 주문을 확인해 주세요."
    return f"팔 수 있는 수량보다 많습니다. {facts.sellable:,}주까지 팔 수 있습니다."


def _order_amount(draft: Draft, facts: Facts, rules: Rules) -> str:
    price = reckoned_price(draft, facts)
    if price is None:
        return "주문 금액을 계산하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    amount, most = price * draft.quantity, rules.order_max_amount
    if amount <= most:
        return ""
    return (
        f"한 번에 {most:,}원까지 주문할 수 있는데 이 주문은 {amount:,}원입니다. {_at_most(most // price)} "
        "한도는 .env의 ORDER_MAX_AMOUNT입니다."
    )


def _day_amount(draft: Draft, facts: Facts, rules: Rules) -> str:
    price = reckoned_price(draft, facts)
    if price is None or facts.amount_today is None:
        return "오늘 주문한 금액을 확인하지 못했습니다. 잠시 뒤 다시 주문해 주세요."
    left = max(rules.day_max_amount - facts.amount_today, 0)
    if price * draft.quantity <= left:
        return ""
    return (
        f"하루에 {rules.day_max_amount:,}원까지 주문할 수 있는데 오늘은 {left:,}원 남았습니다. {_at_most(left // price)} "
        "한도는 .env의 ORDER_DAY_MAX_AMOUNT입니다."
    )


def _at_most(quantity: int) -> str:
    if quantity <= 0:
        return "한 주도 주문할 수 없습니다."
    return f"{quantity:,}주까지 주문할 수 있습니다."


# --- worth saying, no reason to refuse ------------------------------------------------------------------------------


def warnings(draft: Draft, facts: Facts, rules: Rules) -> list[str]:
    """Return what the owner should think about once more; each is one Korean sentence."""
    said = (
        _market_order(draft, facts),
        _far_from_last(draft, facts),
        _large_share(draft, facts, rules),
        _hour(draft, facts),
    )
    return [sentence for sentence in said if sentence]


def _market_order(draft: Draft, facts: Facts) -> str:
    if not draft.is_market:
        return ""
    if draft.is_buy and facts.daily_range:
        return f"시장가는 얼마에 체결될지 모릅니다. 상한가 {facts.daily_range[1]:,}원까지 살 수 있습니다."
    if facts.daily_range:
        return f"시장가는 얼마에 체결될지 모릅니다. 하한가 {facts.daily_range[0]:,}원까지 팔릴 수 있습니다."
    return "시장가는 얼마에 체결될지 모릅니다."


def _far_from_last(draft: Draft, facts: Facts) -> str:
    last = facts.last_price
    if draft.is_market or not last or abs(draft.price - last) * 100 < FAR_PERCENT * last:
        return ""
    off = percent(Decimal(draft.price - last) * 100 / last)
    if draft.is_buy == (draft.price > last):
        return f"현재가 {last:,}원과 {off} 차이입니다. 불리한 가격이니 다시 확인해 주세요."
    return f"현재가 {last:,}원과 {off} 차이입니다. 바로 체결되지 않을 수 있습니다."


def _large_share(draft: Draft, facts: Facts, rules: Rules) -> str:
    price = reckoned_price(draft, facts)
    if not draft.is_buy or price is None or facts.kind is None or not facts.cash or facts.cash < 0:
        return ""
    part = Decimal(100) * buying_cost(price * draft.quantity, kind=facts.kind, facts=facts, rules=rules)
    part /= facts.cash
    return f"주문가능금액의 {share(part)}%를 씁니다." if part >= LARGE_SHARE_PERCENT else ""


def _hour(draft: Draft, facts: Facts) -> str:
    if is_before_opening(facts.now):
        return f"장이 열리기 전이라 {hour_today(facts.now, OPENING):%H:%M} 시가 단일가로 체결됩니다."
    if is_closing_auction(facts.now):
        return f"종가 단일가 시간이라 {hour_today(facts.now, CLOSING):%H:%M}에 한 번에 체결되고, 남으면 취소됩니다."
    left = time_to_closing_auction(facts.now)
    if left is None or left > CLOSING_SOON:
        return ""
    then = "시장가 주문을 받지 않습니다" if draft.is_market else "종가 단일가로 넘어갑니다"
    return f"{_seconds(left)} 뒤인 15:20부터 {then}."


def _seconds(span: timedelta) -> str:
    """Write a span: seconds, from two minutes on minutes."""
    whole = int(span.total_seconds())
    return f"{whole}초" if whole < 120 else f"{whole // 60:,}분"  # noqa: PLR2004  # two minutes


GATES: dict[Gate, Callable[[Draft, Facts, Rules], str]] = {
    Gate.KILL_SWITCH: lambda _draft, facts, _rules: _kill_switch(facts),
    Gate.REAL_TRADING: lambda _draft, facts, _rules: _real_trading(facts),
    Gate.PERMISSION: lambda _draft, facts, _rules: _permission(facts),
    Gate.SESSION: lambda draft, facts, _rules: _session(draft, facts),
    Gate.HALTED: lambda _draft, facts, _rules: _halted(facts),
    Gate.TOKEN: lambda _draft, facts, _rules: _token(facts),
    Gate.CLOCK: lambda _draft, facts, rules: _clock(facts, rules),
    Gate.STALE_PRICE: lambda _draft, facts, rules: _stale_price(facts, rules),
    Gate.COLLAR: _collar,
    Gate.TICK: lambda draft, facts, _rules: _tick(draft, facts),
    Gate.DAILY_LIMIT: lambda draft, facts, _rules: _daily_limit(draft, facts),
    Gate.CASH: _cash,
    Gate.SELLABLE: lambda draft, facts, _rules: _sellable(draft, facts),
    Gate.ORDER_AMOUNT: _order_amount,
    Gate.DAY_AMOUNT: _day_amount,
    Gate.UNSETTLED: lambda _draft, facts, _rules: _unsettled(facts),
    Gate.DISK: lambda _draft, facts, rules: _disk(facts, rules),
}
