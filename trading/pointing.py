"""Point at the words of an order that the market or the list of stocks does not agree with."""

from collections.abc import Sequence
from itertools import pairwise

from kis.terminal import padded
from trading.amounts import WON, is_like_an_amount
from trading.errors import INDENT, OrderRefused, WrongStock, cells
from trading.limits import Gate
from trading.stocks import stored
from trading.words import Line, Word

#: What a gate measures; the others speak of the account or of the hour, at which no word can be pointed.
PRICE_GATES = {Gate.COLLAR, Gate.TICK, Gate.DAILY_LIMIT}
QUANTITY_GATES = {Gate.CASH, Gate.SELLABLE, Gate.ORDER_AMOUNT, Gate.DAY_AMOUNT}


def pointed(typed: str, error: WrongStock | OrderRefused) -> str:
    """Return an order as typed with carets below what an error is about; empty where it is about no word of it."""
    line = Line.read(typed)
    meant = meant_by(error, line)
    if not meant:
        return ""
    carets = ""
    for word in meant:
        carets = padded(carets, cells(typed[: word.start])) + "^" * cells(typed[word.start : word.end])
    return f"{INDENT}{typed}\n{INDENT}{carets}"


def meant_by(error: WrongStock | OrderRefused, line: Line) -> list[Word]:
    if isinstance(error, WrongStock):
        return words_of_the_stock(line)
    prices = [word for word in amounts(line) if word.text.endswith(WON)]
    quantities = [word for word in amounts(line) if not word.text.endswith(WON)]
    is_price, is_quantity = PRICE_GATES & set(error.gates), QUANTITY_GATES & set(error.gates)
    meant = [*(prices if is_price else []), *(quantities if is_quantity else [])]
    return sorted(meant, key=lambda word: word.start)


def words_of_the_stock(line: Line) -> list[Word]:
    """Return the code, and the name where it is the name that does not fit."""
    code, *rest = line.words[1:]
    first_amount = min((word.start for word in amounts(line)), default=len(line.typed))
    name = [word for word in rest if word.start < first_amount]
    if not name or stored(code.text.upper().removeprefix("A")) is None:
        return [code]
    return [code, Word(" ".join(word.text for word in name), name[0].start, name[-1].end)]


def amounts(line: Line) -> Sequence[Word]:
    """Return quantity and price, with a unit that was typed apart from its number."""
    words = list(line.words[2:])
    pairs = [one.joined(other) for one, other in pairwise(words) if len(other.text) == 1]
    return [word for word in [*words, *pairs] if is_like_an_amount(word)]
