"""The control plane under /_sim/: what happened at the simulator, and what should happen next."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from kis.calendar import is_business_day
from kis.client.codes import Mode
from kis.simulator.clock import Clock
from kis.simulator.errors import ControlRefused
from kis.simulator.exchange import Exchange
from kis.simulator.faults import Faults, parse_faults
from kis.simulator.gateway import Gateway
from kis.simulator.ledger import Account, Lot, Transfer
from kis.simulator.orders import Order, Side
from kis.simulator.splits import Split, session_to_come
from kis.simulator.wire import Json, fixed

MAX_WON = 10**15
MAX_QUANTITY = 10**9
MOST_SHARES = 100  # made of one, or one made of them
SIDES: dict[str, Side] = {
    "buy": "buy",
    "sell": "sell",
    "매수": "buy",
    "매도": "sell",
    "02": "buy",
    "01": "sell",
}


@dataclass(slots=True)
class Desk:
    """What the control plane of one port works on."""

    mode: Mode
    exchange: Exchange
    clock: Clock
    gateways: Mapping[Mode, Gateway]
    faults: Faults
    refuse_for: Callable[[float], None]  # closes the port for so many seconds

    @property
    def account(self) -> Account:
        return self.exchange.accounts[self.mode]


def parse_body(raw: bytes) -> object:
    """Read JSON. Raises ControlRefused."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ControlRefused("본문이 올바른 JSON이 아닙니다.") from None


def handle(desk: Desk, method: str, name: str, raw: bytes) -> object:
    """Carry out one control request. Raises ControlRefused, or LookupError for an unknown one."""
    action = ACTIONS[method, name]
    body = parse_body(raw) if method == "POST" else None
    with desk.exchange.lock:
        desk.exchange.advance(desk.clock.now())
        return action(desk, body)


# --- what is --------------------------------------------------------------------------------------------------


def show_state(desk: Desk, _body: object) -> Json:
    now = desk.clock.now()
    return {
        "clock": now.isoformat(),
        "market": desk.exchange.market.name,
        "accounts": [
            _show_account(desk.exchange, account, now) for account in desk.exchange.accounts.values()
        ],
    }


def _show_account(exchange: Exchange, account: Account, now: datetime) -> Json:
    statement = exchange.statement(account, now)
    return {
        "mode": account.mode,
        "account": account.number,
        "deposit": statement.cash,
        "cash": {"d0": statement.cash, "d1": statement.cash_next_day, "d2": statement.cash_settled},
        "value": statement.value,
        "total": statement.total,
        "positions": [
            {
                "code": holding.listing.code,
                "name": holding.listing.name,
                "qty": holding.lot.quantity,
                "avg": float(fixed(holding.lot.average, 4)),
                "cost": holding.lot.cost,
                "orderable": holding.orderable,
                "price": holding.price,
            }
            for holding in statement.holdings
            if holding.lot.quantity
        ],
    }


def show_orders(desk: Desk, _body: object) -> list[Json]:
    now = desk.clock.now()
    # A cancellation is a request about an order, not one more of them.
    taken = (order for order in desk.exchange.orders() if order.action != "cancel")
    orders = sorted(taken, key=lambda order: order.placed_at)
    return [show_order(order, now) for order in orders]


def show_order(order: Order, now: datetime) -> Json:
    return {
        "odno": f"{order.number:010d}",
        "at": order.placed_at.isoformat(),
        "mode": order.mode,
        "account": order.account,
        "side": order.side,
        "code": order.code,
        "qty": order.quantity,
        "price": order.price,
        "kind": order.kind,
        "source": order.source,
        "origin": f"{order.origin:010d}" if order.origin else "",
        "venue": order.venue,
        "filled": order.filled,
        "amount": order.amount,
        "cancelled": order.cancelled,
        "remaining": order.remaining,
        "open": order.is_open(now),
    }


def show_requests(desk: Desk, _body: object) -> Json:
    traffics = {mode: gateway.traffic for mode, gateway in desk.gateways.items()}
    counts: dict[str, int] = {}
    for traffic in traffics.values():
        for name, count in traffic.counts.items():
            counts[name] = counts.get(name, 0) + count
    return {
        "counts": counts,
        "by_mode": {mode: dict(traffic.counts) for mode, traffic in traffics.items()},
        "rate_limited": sum(traffic.rate_limited for traffic in traffics.values()),
        "tokens_issued": sum(traffic.tokens_issued for traffic in traffics.values()),
        "longest_burst": {
            desk.gateways[mode].credentials.app_key: traffic.longest_burst
            for mode, traffic in traffics.items()
        },
    }


# --- what should be ---------------------------------------------------------------------------------------------


def set_clock(desk: Desk, body: object) -> Json:
    text = _object(body).get("now")
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ControlRefused("now에는 2026-11-20T10:00:00+09:00 같은 시각을 적어 주세요.")
    desk.clock.set(moment)
    now = desk.clock.now()
    desk.exchange.advance(now)
    desk.exchange.revision += 1
    return {"clock": now.isoformat()}


def set_price(desk: Desk, body: object) -> Json:
    given = _object(body)
    code = _text(given, "code")
    price = _integer(given, "price", lowest=1, highest=MAX_WON)
    now = desk.clock.now()
    if not is_business_day(now.date()):
        raise ControlRefused("휴장일에는 가격을 바꿀 수 없습니다.")
    desk.exchange.market.override_price(code, price, moment=now)
    desk.exchange.meet_current_prices(now)
    desk.exchange.revision += 1
    return {"code": code, "price": price, "clock": now.isoformat()}


def split_shares(desk: Desk, body: object) -> Json:
    given = _object(body)
    code, ratio = _text(given, "code"), _ratio(given)
    day = session_to_come(desk.clock.now())
    desk.exchange.announce(Split(code, day, ratio.numerator, ratio.denominator))
    return {"code": code, "ratio": str(ratio), "day": day.isoformat()}


def _ratio(given: Mapping[str, object]) -> Fraction:
    value = given.get("ratio")
    try:
        # As text: what was written as 0.1 is a tenth.
        ratio = Fraction(str(value)) if isinstance(value, (int, float, str)) else Fraction(0)
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(0)
    if not (1 <= ratio.numerator <= MOST_SHARES and ratio.denominator <= MOST_SHARES) or ratio == 1:
        raise ControlRefused(
            'ratio에는 한 주가 몇 주가 되는지 적어 주세요. 분할은 5, 병합은 0.1이나 "1/3"처럼.'
        )
    return ratio


def fill_order(desk: Desk, body: object) -> Json:
    given = _object(body)
    number = _integer(given, "odno", lowest=1, highest=10**10)
    quantity = _integer(given, "qty", lowest=1, highest=MAX_QUANTITY)
    now = desk.clock.now()
    order = desk.exchange.fill_by_hand(desk.account, number=number, quantity=quantity, now=now)
    return show_order(order, now)


def set_account(desk: Desk, body: object) -> Json:
    given = _object(body)
    cash = _integer(given, "deposit", lowest=-MAX_WON, highest=MAX_WON)
    positions = given.get("positions", [])
    if not isinstance(positions, list):
        raise ControlRefused("positions는 목록이어야 합니다.")
    wanted = [_position(item) for item in positions]
    codes = [code for code, _, _ in wanted]
    if len(set(codes)) != len(codes):
        raise ControlRefused("positions에 같은 종목코드가 두 번 있습니다.")
    for code, name, _ in wanted:
        desk.exchange.market.add_listing(code, name)
    now = desk.clock.now()
    unpriced = next((code for code in codes if desk.exchange.market.quote(code, now) is None), None)
    if unpriced is not None:
        raise ControlRefused(f"이 시각에는 {unpriced} 종목의 시세가 없습니다.")
    lots = {code: lot for code, _, lot in wanted}
    desk.exchange.replace_account(desk.account, cash=cash, lots=lots, now=now)
    return _show_account(desk.exchange, desk.account, now)


def _position(item: object) -> tuple[str, str, Lot]:
    given = _object(item)
    quantity = _integer(given, "qty", lowest=1, highest=MAX_QUANTITY)
    try:
        average = Decimal(str(given.get("avg")))
    except InvalidOperation:
        average = Decimal("NaN")
    if not average.is_finite() or not 0 <= average <= MAX_WON:
        raise ControlRefused("avg는 0 이상의 숫자여야 합니다.")
    name = given.get("name", "")
    if not isinstance(name, str):
        raise ControlRefused("name은 글자여야 합니다.")
    return _text(given, "code"), name, Lot(quantity, round(average * quantity))


def transfer_cash(desk: Desk, body: object) -> Json:
    amount = _integer(_object(body), "amount", lowest=-MAX_WON, highest=MAX_WON)
    now = desk.clock.now()
    desk.exchange.record_transfer(desk.account, Transfer(now, amount))
    return _show_account(desk.exchange, desk.account, now)


def place_external_order(desk: Desk, body: object) -> Json:
    given = _object(body)
    side = SIDES.get(_text(given, "side").lower())
    if side is None:
        raise ControlRefused("side는 buy 또는 sell이어야 합니다.")
    now = desk.clock.now()
    order = desk.exchange.place(
        desk.account,
        side=side,
        code=_text(given, "code"),
        quantity=_integer(given, "qty", lowest=1, highest=MAX_QUANTITY),
        price=_integer(given, "price", lowest=0, highest=MAX_WON, default=0),
        now=now,
        source="phone",
    )
    return show_order(order, now)


def add_faults(desk: Desk, body: object) -> list[Json]:
    for fault in parse_faults(body):
        if fault.stage == "connect":
            # Whether a connection is refused is decided before anything is sent, so no transaction can be singled out.
            desk.refuse_for(fault.delay_seconds(default_ms=2_000) * fault.times)
        else:
            desk.faults.waiting.append(fault)
    return show_faults(desk, body)


def show_faults(desk: Desk, _body: object) -> list[Json]:
    return [fault.as_json() for fault in desk.faults.waiting]


def clear_faults(desk: Desk, _body: object) -> list[Json]:
    desk.faults.waiting.clear()
    return []


# --- reading ----------------------------------------------------------------------------------------------------


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ControlRefused("본문은 JSON 객체여야 합니다.")
    return value


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ControlRefused(f"{name}을(를) 글자로 적어 주세요.")
    return value.strip()


def _integer(
    given: Mapping[str, object], name: str, *, lowest: int, highest: int, default: int | None = None
) -> int:
    value = given.get(name, default)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= len(str(MAX_WON)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ControlRefused(f"{name}은(는) {lowest}에서 {highest} 사이의 정수여야 합니다.")
    return value


ACTIONS: dict[tuple[str, str], Callable[[Desk, object], object]] = {
    ("GET", "state"): show_state,
    ("GET", "orders"): show_orders,
    ("GET", "requests"): show_requests,
    ("GET", "faults"): show_faults,
    ("POST", "clock"): set_clock,
    ("POST", "price"): set_price,
    ("POST", "split"): split_shares,
    ("POST", "fill"): fill_order,
    ("POST", "account"): set_account,
    ("POST", "deposit"): transfer_cash,
    ("POST", "external-order"): place_external_order,
    ("POST", "faults"): add_faults,
    ("DELETE", "faults"): clear_faults,
}
