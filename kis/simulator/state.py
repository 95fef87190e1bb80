"""The simulator's memory in one JSON file, written so that a crash leaves the old one or the new one."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kis.client.codes import Mode
from kis.simulator.errors import CannotStart, OtherMarket
from kis.simulator.exchange import Exchange
from kis.simulator.gateway import Gateway, Token
from kis.simulator.ledger import Lot, Transfer
from kis.simulator.listings import Listing
from kis.simulator.orders import Fill, Order
from kis.simulator.splits import Split

VERSION = 1
OWNER_ONLY = 0o600


def write_state(path: Path, *, exchange: Exchange, gateways: Mapping[Mode, Gateway], now: datetime) -> None:
    """Replace the file in one step; it holds tokens, so only its owner may read it."""
    text = json.dumps(_dump(exchange, gateways, now), ensure_ascii=False)
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), OWNER_ONLY)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_state(path: Path) -> dict[str, Any] | None:
    """Return what the file holds, None if there is no file. Raises CannotStart and leaves the file alone."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise _unreadable(path) from None
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(path) from None
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise _unreadable(path)
    return state


def restore(
    state: dict[str, Any], path: Path, *, exchange: Exchange, gateways: Mapping[Mode, Gateway]
) -> datetime:
    """Put a state back and return its clock. Raises CannotStart if it belongs to another market or is damaged."""
    try:
        market = (state["market"], state["seed"])
        if market != (exchange.market.name, exchange.market.seed):
            raise OtherMarket(
                f"상태 파일이 다른 시세나 시드로 만들어졌습니다: {path}. 같은 --market-dir과 --seed로 시작하시거나 다른 파일을 지정해 주세요."
            )
        _restore_market(state, exchange)
        _restore_accounts(state, exchange)
        for mode, gateway in gateways.items():
            _restore_gateway(state["gateways"][mode], gateway)
        return datetime.fromisoformat(state["clock"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> CannotStart:
    return CannotStart(
        f"상태 파일을 읽을 수 없습니다: {path}. 파일은 그대로 두었습니다. 고치시거나 다른 --state 파일을 지정해 주세요."
    )


def _dump(exchange: Exchange, gateways: Mapping[Mode, Gateway], now: datetime) -> dict[str, object]:
    market = exchange.market
    return {
        "version": VERSION,
        "market": market.name,
        "seed": market.seed,
        "clock": now.isoformat(),
        "matched_until": exchange.matched_until.isoformat() if exchange.matched_until else None,
        "listings": [
            [listing.code, listing.name, listing.market, listing.sector, listing.base_price]
            for listing in market.added.values()
        ],
        "prices": [
            [code, day.isoformat(), [[since.isoformat(), price] for since, price in pinned]]
            for (code, day), pinned in market.overrides.items()
        ],
        # In force or not is decided by the clock.
        "splits": [
            [split.code, split.day.isoformat(), split.new, split.old]
            for split in [*exchange.splits(), *exchange.announced]
        ],
        "last_numbers": {
            mode: [day.isoformat(), last] for mode, (day, last) in exchange.last_numbers.items()
        },
        "accounts": {
            mode: {
                "opening_cash": account.opening_cash,
                "opened_at": account.opened_at.isoformat() if account.opened_at else None,
                "opening": {code: [lot.quantity, lot.cost] for code, lot in account.opening.items()},
                "orders": [_dump_order(order) for order in account.orders],
                "transfers": [[transfer.at.isoformat(), transfer.amount] for transfer in account.transfers],
            }
            for mode, account in exchange.accounts.items()
        },
        "gateways": {mode: _dump_gateway(gateway) for mode, gateway in gateways.items()},
    }


def _dump_order(order: Order) -> dict[str, object]:
    return {
        "number": order.number,
        "placed_at": order.placed_at.isoformat(),
        "side": order.side,
        "code": order.code,
        "quantity": order.quantity,
        "price": order.price,
        "kind": order.kind,
        "source": order.source,
        "origin": order.origin,
        "action": order.action,
        "venue": order.venue,
        "trigger": order.trigger,
        "asleep": order.asleep,
        "replaced": order.replaced,
        "cancelled": order.cancelled,
        "fills": [[fill.at.isoformat(), fill.quantity, fill.price] for fill in order.fills],
    }


def _dump_gateway(gateway: Gateway) -> dict[str, object]:
    traffic = gateway.traffic
    return {
        "tokens": _dump_tokens(gateway.tokens),
        "approvals": _dump_tokens(gateway.approvals),
        "last_token_call": gateway.last_token_call.isoformat() if gateway.last_token_call else None,
        "counts": dict(traffic.counts),
        "rate_limited": traffic.rate_limited,
        "tokens_issued": traffic.tokens_issued,
        "longest_burst": traffic.longest_burst,
    }


def _dump_tokens(tokens: Iterable[Token]) -> list[list[str]]:
    return [[token.text, token.issued_at.isoformat(), token.expires_at.isoformat()] for token in tokens]


def _restore_market(state: dict[str, Any], exchange: Exchange) -> None:
    market = exchange.market
    for code, name, market_name, sector, base_price in state["listings"]:
        market.restore_listing(Listing(code, name, market_name, sector, int(base_price)))
    for code, day, pinned in state["prices"]:
        market.overrides[code, date.fromisoformat(day)] = [
            (datetime.fromisoformat(since), int(price)) for since, price in pinned
        ]
    # A state written before shares could be split has none.
    exchange.announced = [
        Split(market.listings[code].code, date.fromisoformat(day), int(new), int(old))
        for code, day, new, old in state.get("splits", [])
    ]
    exchange.split_shares(datetime.fromisoformat(state["clock"]))


def _restore_accounts(state: dict[str, Any], exchange: Exchange) -> None:
    matched_until = state["matched_until"]
    exchange.matched_until = datetime.fromisoformat(matched_until) if matched_until else None
    for mode, account in exchange.accounts.items():
        saved = state["accounts"][mode]
        account.opening_cash = int(saved["opening_cash"])
        opened = saved.get("opened_at")
        account.opened_at = datetime.fromisoformat(opened) if opened else None
        account.opening = {
            code: Lot(int(quantity), int(cost)) for code, (quantity, cost) in saved["opening"].items()
        }
        account.orders = [_restore_order(order, mode, account.number) for order in saved["orders"]]
        # A state written before money could come and go has none.
        account.transfers = [
            Transfer(datetime.fromisoformat(moment), int(amount))
            for moment, amount in saved.get("transfers", [])
        ]
        if mode in state["last_numbers"]:
            day, last = state["last_numbers"][mode]
            exchange.last_numbers[mode] = (date.fromisoformat(day), int(last))
        for code in {*account.opening, *(order.code for order in account.orders)}:
            exchange.market.listings[code]  # a KeyError here means a damaged file
    exchange.revision += 1


def _restore_order(saved: dict[str, Any], mode: Mode, account: str) -> Order:
    return Order(
        mode=mode,
        account=account,
        number=int(saved["number"]),
        placed_at=datetime.fromisoformat(saved["placed_at"]),
        side=saved["side"],
        code=saved["code"],
        quantity=int(saved["quantity"]),
        price=int(saved["price"]),
        kind=saved["kind"],
        source=saved["source"],
        origin=int(saved["origin"]),
        # A state written before these rules existed knows nothing of them.
        action=saved.get("action", "order"),
        venue=saved.get("venue", "KRX"),
        trigger=int(saved.get("trigger", 0)),
        asleep=bool(saved.get("asleep", False)),
        replaced=int(saved.get("replaced", 0)),
        cancelled=int(saved["cancelled"]),
        fills=[
            Fill(datetime.fromisoformat(moment), int(quantity), int(price))
            for moment, quantity, price in saved["fills"]
        ],
    )


def _restore_gateway(saved: dict[str, Any], gateway: Gateway) -> None:
    gateway.tokens = _restore_tokens(saved["tokens"])
    # A state written before there was a websocket has none.
    gateway.approvals = _restore_tokens(saved.get("approvals", []))
    last = saved["last_token_call"]
    gateway.last_token_call = datetime.fromisoformat(last) if last else None
    gateway.traffic.counts.update(saved["counts"])
    gateway.traffic.rate_limited = int(saved["rate_limited"])
    gateway.traffic.tokens_issued = int(saved["tokens_issued"])
    gateway.traffic.longest_burst = int(saved["longest_burst"])


def _restore_tokens(saved: list[list[str]]) -> list[Token]:
    return [
        Token(text, datetime.fromisoformat(issued), datetime.fromisoformat(expires))
        for text, issued, expires in saved
    ]
