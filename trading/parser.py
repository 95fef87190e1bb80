"""Turn one line of Korean into a wish: what the owner wants to see or to have done."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from kis.client.records.orders import Side
from trading.amounts import (
    DIGITS,
    FORMS,
    RUN_TOGETHER,
    SHARES,
    WON,
    Amount,
    is_in_words,
    is_like_an_amount,
    read_amount,
)
from trading.words import Line, Word

#: As orders take it; screens write an A before the code of a stock, ETN have a Q that belongs to it.
CODE = re.compile(r"A?((?=.*[0-9])[0-9A-Z]{6})|(Q[0-9A-Z]{6})", re.IGNORECASE | re.ASCII)
CONFIRM_CODE = re.compile(r"[0-9A-Z]{4}", re.IGNORECASE | re.ASCII)
ORDER_NUMBER = re.compile(r"[0-9]{1,20}")
LONGEST_NAME = 50

ORDER_FORM = "{} 005930 삼성전자 10주 71,000원"
CODE_FORM = "종목코드는 005930처럼 여섯 자리를 종목명 앞에 띄어 적어 주세요."
NO_QUANTITY = f"수량이 없습니다. {FORMS[SHARES]}"
LEAVE_NAME_OUT = "종목명의 일부라면 종목명을 빼고 적어 주세요."


@dataclass(frozen=True, slots=True)
class ShowBalance:
    """잔고조회."""


@dataclass(frozen=True, slots=True)
class ShowPrice:
    """현재가; `name` is empty where none was typed."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ShowOrders:
    """주문내역."""


@dataclass(frozen=True, slots=True)
class OrderWish:
    """매수 or 매도: shares, and won a share or None at the market. `name` is empty where none was typed.

    The name is as typed but for blanks and width. It must be compared with all of the real one, never with its beginning:
    of `KODEX 200 주` only the missing 200 tells that a number was forgotten.
    """

    side: Side
    code: str
    name: str
    quantity: int
    price: int | None


@dataclass(frozen=True, slots=True)
class CancelWish:
    """취소; `number` is without the zeros that the broker puts before it."""

    code: str
    number: str


@dataclass(frozen=True, slots=True)
class ConfirmWish:
    """확인; the code in capitals, and never in a log."""

    code: str = field(repr=False)


Wish = ShowBalance | ShowPrice | ShowOrders | OrderWish | CancelWish | ConfirmWish


def parse(words: str) -> Wish:
    """Read what comes after `실전` or `모의`. Raises CommandNotUnderstood, and nothing else."""
    line = Line.read(words)
    if not line.words:
        raise line.missing(f"명령이 비어 있습니다. 쓸 수 있는 명령은 {', '.join(COMMANDS)}입니다.")
    reader = COMMANDS.get(line.words[0].text)
    if reader is None:
        raise line.wrong(line.words[0], _unknown(line.words[0].text))
    return reader(line)


def _unknown(command: str) -> str:
    """Return what may have been meant, compared letter by letter of Hangul: 매스 is but one away from 매수."""
    spelled = {unicodedata.normalize("NFD", name): name for name in COMMANDS}
    near = get_close_matches(unicodedata.normalize("NFD", command), spelled, n=1, cutoff=0.5)
    if near:
        return f"모르는 명령입니다. 혹시 '{spelled[near[0]]}'인가요?"
    return f"모르는 명령입니다. 쓸 수 있는 명령은 {', '.join(COMMANDS)}입니다."


# --- inquiries, cancel, confirm -------------------------------------------------------------------------------------


def _show_balance(line: Line) -> ShowBalance:
    _nothing_after(line, 1)
    return ShowBalance()


def _show_orders(line: Line) -> ShowOrders:
    _nothing_after(line, 1)
    return ShowOrders()


def _show_price(line: Line) -> ShowPrice:
    code = _code(line, form="현재가 005930 삼성전자")
    words = _with_units(line.words[2:])
    for word in words:
        if is_like_an_amount(word):
            raise line.wrong(word, "현재가에는 수량과 가격을 적지 않습니다. 이 자리를 지워 주세요.")
    return ShowPrice(code, _name(line, words))


def _cancel(line: Line) -> CancelWish:
    form = "취소 005930 117943"
    code = _code(line, form=form)
    if len(line.words) == 2:  # noqa: PLR2004  # the command and the code
        raise line.missing(f"주문번호가 없습니다. 예: {form}")
    number = line.words[2]
    if not ORDER_NUMBER.fullmatch(number.text) or not number.text.strip("0"):
        raise line.wrong(number, f"주문번호는 종목코드 다음에 숫자만 적어 주세요. 예: {form}")
    _nothing_after(line, 3)
    return CancelWish(code, number.text.lstrip("0"))


def _confirm(line: Line) -> ConfirmWish:
    sentence = "확인 코드는 주문할 때 화면에 나온 영문과 숫자 네 자리입니다. '확인' 다음에 적어 주세요."
    if len(line.words) == 1:
        raise line.missing(sentence)
    if not CONFIRM_CODE.fullmatch(line.words[1].text):
        raise line.wrong(line.words[1], sentence)
    _nothing_after(line, 2)
    return ConfirmWish(line.words[1].text.upper())


def _nothing_after(line: Line, count: int) -> None:
    if len(line.words) > count:
        command = line.words[0].text
        raise line.wrong(
            line.words[count], f"'{command}' 명령은 여기서 끝나야 합니다. 이 자리부터 지워 주세요."
        )


def _code(line: Line, *, form: str) -> str:
    """Return the code behind the command, in capitals."""
    if len(line.words) == 1:
        raise line.missing(f"종목코드가 없습니다. 예: {form}")
    match = CODE.fullmatch(line.words[1].text)
    if match is None:
        raise line.wrong(line.words[1], f"{CODE_FORM} 예: {form}")
    return (match[1] or match[2]).upper()


# --- orders ---------------------------------------------------------------------------------------------------------


def _buy(line: Line) -> OrderWish:
    return _order(line, Side.BUY)


def _sell(line: Line) -> OrderWish:
    return _order(line, Side.SELL)


def _order(line: Line, side: Side) -> OrderWish:
    form = ORDER_FORM.format(line.words[0].text)
    code = _code(line, form=form)
    words = _with_units(line.words[2:])
    count = next((place for place, word in enumerate(words) if is_like_an_amount(word)), len(words))
    name = _name(line, words[:count])
    amounts = _amounts(line, words[count:], form=form)
    if SHARES not in amounts:
        raise line.missing(f"{NO_QUANTITY} 예: {form}")
    price = amounts.get(WON)
    return OrderWish(side, code, name, amounts[SHARES].value, price.value if price else None)


def _with_units(words: Sequence[Word]) -> list[Word]:
    """Put a unit that stands alone to its number: `10 주` is one word."""
    joined: list[Word] = []
    for word in words:
        if word.text in FORMS and joined:
            together = joined[-1].joined(word)
            if is_like_an_amount(together) or is_in_words(together):
                joined[-1] = together
                continue
        joined.append(word)
    return joined


def _name(line: Line, words: Sequence[Word]) -> str:
    """Return the words of a name, one blank between them; refuse what may have been meant as an amount."""
    for word in words:
        if sentence := _no_name(word):
            raise line.wrong(word, sentence)
    name = " ".join(word.text for word in words)
    if words and not any(map(str.isalpha, name)):
        raise line.wrong(words[0], f"종목명이 숫자뿐입니다. {FORMS[SHARES]} {FORMS[WON]}")
    if len(name) > LONGEST_NAME:
        raise line.wrong(words[-1], f"종목명이 너무 깁니다. {LONGEST_NAME}자까지만 적어 주세요.")
    return name


def _no_name(word: Word) -> str:
    """Return why a word cannot be part of a name, empty where it can."""
    if word.text in FORMS:
        return f"'{word.text}' 앞에 숫자가 없습니다. {FORMS[SHARES if word.text == SHARES else WON]}"
    if is_in_words(word):
        return f"숫자로만 적어 주세요. {FORMS[SHARES]} {LEAVE_NAME_OUT}"
    if RUN_TOGETHER.fullmatch(word.text):
        return f"종목명, 수량, 가격을 서로 띄어 적어 주세요. {LEAVE_NAME_OUT}"
    if "," in word.text or not any(map(str.isalnum, word.text)):
        return f"이 자리를 읽을 수 없습니다. {FORMS[SHARES]} {LEAVE_NAME_OUT}"
    return ""


def _amounts(line: Line, words: Sequence[Word], *, form: str) -> dict[str, Amount]:
    """Read the amounts at the end of an order: each at most once, and nothing between or behind them."""
    amounts: dict[str, Amount] = {}
    for word in words:
        if not is_like_an_amount(word):
            raise line.wrong(word, f"{_no_amount(word)} 예: {form}")
        amount = read_amount(line, word)
        if amount.unit in amounts:
            what = "수량이" if amount.unit == SHARES else "가격이"
            raise line.wrong(word, f"{what} 두 번 적혀 있습니다. 하나만 남겨 주세요.")
        amounts[amount.unit] = amount
    return amounts


def _no_amount(word: Word) -> str:
    if word.text == "시장가":
        return "시장가 주문은 가격을 적지 않으면 됩니다. 이 자리를 지워 주세요."
    if DIGITS.fullmatch(word.text):
        return "이 숫자에 단위가 없습니다. 수량에는 '주', 가격에는 '원'을 붙여 주세요."
    return "이 자리를 읽을 수 없습니다. 종목명은 수량 앞에 적고, 수량과 가격 뒤에는 아무것도 적지 마세요."


COMMANDS: dict[str, Callable[[Line], Wish]] = {
    "잔고조회": _show_balance,
    "현재가": _show_price,
    "주문내역": _show_orders,
    "매수": _buy,
    "매도": _sell,
    "취소": _cancel,
    "확인": _confirm,
}
