"""Numbers with a unit, `10주` or `71,000원`: read to the letter or refused, never guessed."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from trading.words import Line, Word

Unit = Literal["주", "원"]
SHARES: Unit = "주"
WON: Unit = "원"
#: What an order can carry at most: shares, and won a share.
HIGHEST = 2**31 - 1

SINO = "영공일이삼사오육칠팔구십백천만억조"
NATIVE = "한|하나|두|둘|세|셋|석|네|넷|넉|다섯|여섯|일곱|여덟|아홉"
#: A number in words. A name may end like that, too; who has such a one leaves the name out.
NUMERALS = re.compile(rf"[0-9]*[{SINO}]+[주원]|(?:열|스물)?(?:{NATIVE})주|(?:열|스무|스물|서른)주")
#: Begins with a digit, perhaps behind a sign, ends with a unit, and holds no Hangul between them but numerals.
LIKE_AN_AMOUNT = re.compile(rf"\W*[0-9][^가-힣]*(?:[{SINO}][^가-힣]*)*[주원]")
#: An amount that ran into its neighbours: 삼성전자10주, 10주1000원, 10주씩.
RUN_TOGETHER = re.compile(r"[0-9][0-9,.]*[주원].*|.*[0-9][주원]")
DIGITS = re.compile(r"[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+")
#: More digits than this need not even be read.
MOST_DIGITS = len(str(HIGHEST))

FORMS: dict[Unit, str] = {
    SHARES: "수량은 10주처럼 숫자와 '주'로 적어 주세요.",
    WON: "가격은 71,000원처럼 숫자와 '원'으로 적어 주세요.",
}
TOO_SMALL: dict[Unit, str] = {
    SHARES: "수량은 1주 이상이어야 합니다.",
    WON: "가격은 1원 이상이어야 합니다. 시장가로 주문하려면 가격을 빼 주세요.",
}
BROKEN: dict[Unit, str] = {
    SHARES: "수량은 소수점 없이 1주 단위로 적어 주세요.",
    WON: "가격은 소수점 없이 1원 단위로 적어 주세요.",
}
TOO_LARGE: dict[Unit, str] = {
    SHARES: f"수량이 너무 큽니다. {HIGHEST:,}주를 넘을 수 없습니다.",
    WON: f"가격이 너무 큽니다. {HIGHEST:,}원을 넘을 수 없습니다.",
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of shares, or of won a share."""

    unit: Unit
    value: int


def is_like_an_amount(word: Word) -> bool:
    """Return whether a word is meant as an amount, be it a valid one or not."""
    return LIKE_AN_AMOUNT.fullmatch(word.text) is not None


def is_in_words(word: Word) -> bool:
    return NUMERALS.fullmatch(word.text) is not None


def read_amount(line: Line, word: Word) -> Amount:
    """Read a word that is like an amount. Raises CommandNotUnderstood."""
    unit = SHARES if word.text.endswith(SHARES) else WON
    number = word.text[:-1]
    if sentence := _objection(number, unit):
        raise line.wrong(word, sentence)
    return Amount(unit, int(number.replace(",", "")))


def read_number(text: str, unit: Unit) -> int:
    """Read a number from a field of a page, with or without its unit. Raises ValueError with a sentence for the owner."""
    number = "".join(unicodedata.normalize("NFKC", text).split()).removesuffix(unit)
    if sentence := _objection(number, unit):
        raise ValueError(sentence)
    return int(number.replace(",", ""))


def _objection(number: str, unit: Unit) -> str:
    """Return why a number cannot be taken, empty where it can."""
    if DIGITS.fullmatch(number):
        return _out_of_range(number.replace(",", ""), unit)
    if number.startswith("-"):
        return TOO_SMALL[unit]
    if "." in number:
        return BROKEN[unit]
    if not number.replace(",", "").isdecimal():
        return f"숫자로만 적어 주세요. {FORMS[unit]}"
    return "쉼표가 세 자리마다 찍혀 있지 않아 얼마인지 알 수 없습니다. 쉼표 없이 다시 적어 주세요."


def _out_of_range(digits: str, unit: Unit) -> str:
    if not digits.strip("0"):
        return TOO_SMALL[unit]
    if digits.startswith("0"):
        return f"숫자 앞의 0을 지워 주세요. {FORMS[unit]}"
    if len(digits) > MOST_DIGITS or int(digits) > HIGHEST:
        return TOO_LARGE[unit]
    return ""
