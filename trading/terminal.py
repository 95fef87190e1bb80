"""Orders on the terminal: the preview with its code, what happened one line after the other, and what to do now."""

import re
from collections.abc import Callable
from datetime import datetime

from rich.console import Console

from kis.client.codes import Mode
from kis.client.records.orders import OrderRecord, Side
from kis.korean import clock_time, masked_account
from kis.orders import wire_number
from kis.terminal import BADGES, DIM, DOWN, INDENT, UP, WARN, headline, line, padded
from trading.desk import Desk
from trading.models import PendingOrder
from trading.models.orders import MOST_TRIES
from trading.orders import Proposal
from trading.reconcile import Found, is_alike
from trading.states import NAMES, State

LABEL = 10
DEMO = ("DEMO", "bold black on #e3a23c")
SIDE_STYLES = {"매수": UP, "매도": DOWN}
#: How a preview begins a line whose first word is coloured.
FIRST_WORD = re.compile(r"(\s*)(매수|매도|주의)(\s.*)")
DO_NOT_REPEAT = "같은 주문을 다시 내지 마세요."


def print_proposal(console: Console, proposal: Proposal, *, mode: Mode, demo: bool, confirm: str) -> None:
    """Print what the owner has to read, and the code: here, once, and nowhere else."""
    first, *rest = proposal.lines
    name, style = BADGES[mode]
    badges: list[tuple[str, str] | str] = [DEMO, " "] if demo else []
    line(console, *badges, (f" {name} ", style), first.removeprefix(name))
    for text in rest:
        line(console, *coloured(text))
    until = f"{clock_time(proposal.order.expires_at)}{'(이 컴퓨터의 시계)' if demo else ''}"
    line(console)
    line(
        console,
        f"{INDENT}아직 보내지 않았습니다. 확인 코드는 ",
        (f" {proposal.code} ", "reverse bold"),
        f" 이고 {until}까지 {MOST_TRIES}번 입력할 수 있습니다.",
    )
    line(console, INDENT, padded("보내려면", LABEL), (f"{confirm} {proposal.code}", "bold"))


def coloured(text: str) -> list[tuple[str, str] | str]:
    """Return a line of the preview with its first word in the colour of what it says."""
    match = FIRST_WORD.fullmatch(text)
    if match is None:
        return [text]
    blank, word, rest = match.groups()
    return [blank, (word, SIDE_STYLES[word]), rest] if word in SIDE_STYLES else [blank, (word + rest, WARN)]


def print_head(console: Console, desk: Desk, *, demo: bool, about: str = "") -> None:
    account = masked_account(desk.environment.account.number, desk.environment.account.product_code)
    words = [account, about] if about else [account]
    headline(console, mode=desk.environment.mode, demo=demo, words=words, at=desk.market_now())
    line(console)


def print_step(
    console: Console, at: datetime, word: str, *parts: tuple[str, str] | str, style: str = ""
) -> None:
    """Print one thing that happened: when, what, and its particulars."""
    line(console, INDENT, (clock_time(at), DIM), INDENT, (padded(word, LABEL), style), *parts)


def print_sent(console: Console, order: PendingOrder) -> None:
    side, rest = order.words.split(" ", 1)
    at = order.market_at or order.made_at
    print_step(console, at, "보냄", (side, SIDE_STYLES.get(side, "")), f" {rest}")


def market_time(order: PendingOrder, at: datetime) -> datetime:
    """Return a moment of the wall clock as one of the market's, which differ where a simulator plays it."""
    return (order.market_at or at) + (at - (order.claimed_at or at))


def print_row(console: Console, order: PendingOrder, row: OrderRecord | None, *, at: datetime) -> None:
    """Print how far an order that the broker has taken is."""
    if row is None:
        print_step(console, at, "조회", ("증권사의 주문 목록에 아직 나오지 않습니다.", DIM))
    elif order.is_cancel:
        word = "취소됨" if order.state is State.CANCELLED else "취소 접수"
        print_step(console, at, word, f"원주문번호 {bare(order.origin_number)}")
    else:
        words = {0: "미체결", order.quantity: "체결"}
        price = f", 평균 {row.fill_price:,}원" if row.filled else ""
        word = words.get(row.filled, "일부체결") if order.state is not State.CANCELLED else "취소됨"
        print_step(console, at, word, f"{row.filled:,} / {order.quantity:,}주{price}")


def print_how(console: Console, *ways: tuple[str, str]) -> None:
    """Print commands to go on with, each behind what it is for."""
    for label, command in ways:
        line(console, INDENT, padded(label, LABEL), command)


def bare(number: str) -> str:
    """Return an order number as people write it."""
    return wire_number(number).lstrip("0")


# --- orders without an answer -----------------------------------------------------------------------------------------


def print_found(console: Console, found: Found, *, command: Callable[..., str]) -> None:
    """Print an order whose outcome is not known, what it may be at the broker, and how to say so."""
    order = found.order
    line(console, INDENT, (f"#{order.pk}", DIM), f" {order.words}  ", (NAMES[order.state], f"bold {WARN}"))
    if order.state is State.SENDING:
        line(
            console,
            INDENT * 2,
            "보내는 중이거나 보내다 멈췄습니다. 1분 뒤 저절로 정리합니다. ",
            DO_NOT_REPEAT,
        )
        return
    line(console, INDENT * 2, (order.reason or "결과를 확인하지 못했습니다.", DIM))
    if not found.candidates:
        line(
            console,
            INDENT * 2,
            "증권사의 주문 목록에 이 주문일 수 있는 것이 아직 없습니다. 늦게 나타날 수 있습니다.",
        )
        line(
            console,
            INDENT * 2,
            "장이 끝난 뒤(16:00) 5분 넘게 떨어진 두 번의 조회에도 없으면 '접수되지 않음'으로 정리합니다.",
        )
        return
    for row in found.candidates:
        print_candidate(console, order, row, command=command)


def print_candidate(
    console: Console, order: PendingOrder, row: OrderRecord, *, command: Callable[..., str]
) -> None:
    side = "매수" if row.side is Side.BUY else "매도"
    price = f"{row.price:,}원" if row.price else "시장가"
    what = f"원주문번호 {bare(row.origin)} 취소" if order.is_cancel else f"{side} {row.quantity:,}주 {price}"
    alike = ("수량과 가격이 같습니다", "bold") if is_alike(order, row) else ("수량이나 가격이 다릅니다", WARN)
    line(
        console,
        INDENT * 2,
        f"후보  {row.ordered_at:%H:%M:%S}  주문번호 {bare(row.number)}  {what}  체결 {row.filled:,}주  ",
        alike,
    )
    number, pk = bare(row.number), str(order.pk)
    for label, option in (("이 주문이 맞으면", "--adopt"), ("다른 주문이면", "--disown")):
        line(console, INDENT * 3, padded(label, 18), command(option, number, "--order", pk))
