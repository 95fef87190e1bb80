"""Tell what a transaction of KB Securities does from the words it is listed under."""

import re
from enum import IntEnum

from kis.statements.cells import plain
from kis.statements.rows import TradeKind


class Direction(IntEnum):
    """Which way money goes; UNKNOWN where the words do not say."""

    OUT = -1
    NONE = 0
    IN = 1
    UNKNOWN = 2


#: Read in this order, because `배당세금추징 출금` is a tax, no dividend, and `글로벌원마켓플러스외화매수 출금` no purchase.
RULES: tuple[tuple[re.Pattern[str], TradeKind | None], ...] = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        # What is undone is not in the line; shares that are only marked go nowhere. Both need a look.
        (r"취소|정정|매매제한|질권", None),
        (r"외화매수|외화매도|환전", TradeKind.EXCHANGE),
        (r"원천세|소득세|거래세|주민세|농특세|양도세|제세금|세금|추징", TradeKind.TAX),
        (r"입고$", TradeKind.SHARES_IN),
        (r"출고$", TradeKind.SHARES_OUT),
        (r"배당|분배금", TradeKind.DIVIDEND),
        (r"매수(?:\(.*\))?$", TradeKind.BUY),
        (r"매도(?:\(.*\))?$", TradeKind.SELL),
        (r"이용료|이자", TradeKind.INTEREST),
        (r"수수료|FEE", TradeKind.FEE),
        # Loans, bonds, offerings and other legs of something: neither the owner's deposit nor profit.
        (r"단수주|원금|대출|융자|상환|청약|환불|매각대금|매수대금|매도대금|RP|CMA", TradeKind.OTHER),
        (r"입금", TradeKind.DEPOSIT),
        (r"출금|송금", TradeKind.WITHDRAWAL),
        (r"(?:이체|대체)$", TradeKind.OTHER),  # which way, only its columns can say
    )
)
TRADED = frozenset({TradeKind.BUY, TradeKind.SELL})
OF_SHARES = TRADED | {TradeKind.SHARES_IN, TradeKind.SHARES_OUT}
USUAL = {
    TradeKind.BUY: Direction.OUT,
    TradeKind.SELL: Direction.IN,
    TradeKind.DEPOSIT: Direction.IN,
    TradeKind.WITHDRAWAL: Direction.OUT,
    TradeKind.DIVIDEND: Direction.IN,
    TradeKind.INTEREST: Direction.IN,
    TradeKind.TAX: Direction.OUT,
    TradeKind.FEE: Direction.OUT,
    TradeKind.SHARES_IN: Direction.NONE,
    TradeKind.SHARES_OUT: Direction.NONE,
}
RECEIVED = re.compile(r"입금$|환급|외화매도")
PAID = re.compile(r"(?:출금|송금)$|외화매수")


def kind_of(text: str) -> TradeKind | None:
    """Return what `주식장내매수`, `KOSDAQ매도`, `배당금 입금`, `타사대체 입고` … do; None for words nobody knows."""
    word = compact(text)
    return next((kind for pattern, kind in RULES if pattern.search(word)), None)


def direction_of(kind: TradeKind, text: str) -> Direction:
    """Say which way the money of a transaction goes."""
    word = compact(text)
    if kind in OF_SHARES:
        return USUAL[kind]
    if RECEIVED.search(word):
        return Direction.IN
    if PAID.search(word):
        return Direction.OUT
    return USUAL.get(kind, Direction.UNKNOWN)


def compact(text: str) -> str:
    return "".join(plain(text).upper().split())
