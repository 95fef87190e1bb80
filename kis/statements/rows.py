"""What is read from a statement of KB Securities: its rows, and the problems of the lines that are none."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class TradeKind(StrEnum):
    """What a line of the transaction history does; the file's own words stay beside it."""

    BUY = "buy"
    SELL = "sell"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    TAX = "tax"
    FEE = "fee"
    EXCHANGE = "exchange"
    SHARES_IN = "shares_in"
    SHARES_OUT = "shares_out"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class KbHoldingRow:
    """One stock of a balance. Amounts are won; what the file does not say is None, never zero.

    `as_of` is None where the file has no date of its own. `account` is the account number as written, or empty.
    """

    line: int
    as_of: date | None
    account: str
    code: str
    name: str
    quantity: Decimal
    average: Decimal | None = None
    cost: int | None = None
    price: Decimal | None = None
    value: int | None = None
    profit: int | None = None
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class KbTradeRow:
    """One transaction. Amounts are won: `amount`, `fee` and `tax` without direction, `net` is + for money received.

    `label` is the file's word for it (`주식장내매수`), `reference` its transaction number where the file has one.
    """

    line: int
    traded_on: date
    account: str
    kind: TradeKind
    label: str
    code: str
    name: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    amount: int | None = None
    fee: int | None = None
    tax: int | None = None
    net: int | None = None
    reference: str = ""
    sheet: str = ""


KbRow = KbHoldingRow | KbTradeRow


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that was not taken, or (`taken`) one that was and deserves a look; `reason` is Korean.

    Line 0 stands for the file as a whole.
    """

    line: int
    text: str
    reason: str
    taken: bool = False
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A file, read. `is_statement` is False where it is none at all; the only problem then says why.

    `account` and `as_of` are what the lines above the table say; empty and None where they say nothing.
    """

    rows: tuple[KbRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    account: str = ""
    as_of: date | None = None
    is_statement: bool = True
    has_holdings: bool = False
    has_trades: bool = False

    @property
    def holdings(self) -> tuple[KbHoldingRow, ...]:
        return tuple(row for row in self.rows if isinstance(row, KbHoldingRow))

    @property
    def trades(self) -> tuple[KbTradeRow, ...]:
        return tuple(row for row in self.rows if isinstance(row, KbTradeRow))
