"""An order before it is one: what no order can be is refused here."""

import re
from dataclasses import dataclass
from typing import Literal

from kis.client.records.orders import Side
from trading.amounts import HIGHEST
from trading.errors import DraftImpossible

Exchange = Literal["KRX", "NXT", "SOR"]
#: As orders take it: 005930, 0126Z0, Q500001 for an ETN.
CODE = re.compile(r"[0-9A-Z]{6}|Q[0-9A-Z]{6}")
NUMBER = re.compile(r"[0-9]{1,20}")
MARKET = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """Buy or sell `quantity` shares at `price` won each, 0 for whatever the market gives.

    Raises DraftImpossible for what no order can be: Python callers get the same sentences as the command line.
    """

    side: Side
    code: str
    name: str
    quantity: int
    price: int

    def __post_init__(self) -> None:
        if not CODE.fullmatch(self.code):
            raise DraftImpossible("종목코드는 005930처럼 숫자와 영문 대문자 여섯 자리여야 합니다.")
        if not _is_whole(self.quantity, least=1):
            raise DraftImpossible(f"수량은 1주에서 {HIGHEST:,}주 사이의 정수여야 합니다.")
        if not _is_whole(self.price, least=MARKET):
            raise DraftImpossible(f"가격은 1원에서 {HIGHEST:,}원 사이의 정수여야 합니다. 시장가는 0입니다.")

    @property
    def is_market(self) -> bool:
        return self.price == MARKET

    @property
    def is_buy(self) -> bool:
        return self.side is Side.BUY


@dataclass(frozen=True, slots=True)
class CancelDraft:
    """Take all that is left of an open order back. `branch` and `number` are the broker's, as it wrote them."""

    code: str
    name: str
    branch: str
    number: str
    exchange: Exchange

    def __post_init__(self) -> None:
        if not CODE.fullmatch(self.code):
            raise DraftImpossible("종목코드는 005930처럼 숫자와 영문 대문자 여섯 자리여야 합니다.")
        if not NUMBER.fullmatch(self.number) or not self.number.strip("0"):
            raise DraftImpossible("취소할 주문의 주문번호는 숫자여야 합니다.")


def _is_whole(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= HIGHEST
