"""What can go wrong between a sentence and an order; every text is for the owner."""

import unicodedata
from collections.abc import Sequence

#: How much of a long line is shown before and behind the mistake, in characters.
BEFORE, BEHIND = 60, 40
INDENT = "  "
NOT_SENT = "주문은 보내지 않았습니다."
REPLACED = "\ufffd"
#: Vowels and final consonants of decomposed Hangul, drawn into the cells of the consonant before them.
DRAWN_INTO = range(0x1160, 0x1200)


class TradingError(Exception):
    """Base of all errors of the orders; `str()` is one Korean sentence for the owner."""


class CommandNotUnderstood(TradingError):
    """A command that cannot be read with certainty.

    `at` is where in the text as typed, counted in characters from 0; `length` how many of them are meant. The sentence
    never repeats what was typed, which may be a confirm code: only `pointed` does, for the terminal of who typed it.
    """

    def __init__(self, sentence: str, *, words: str, at: int, length: int = 1) -> None:
        super().__init__(sentence)
        self.words = words
        self.at = at
        self.length = length

    def pointed(self) -> str:
        """Return the line as typed and, below, carets under the mistake; what a terminal would obey is replaced."""
        start, end = max(self.at - BEFORE, 0), self.at + BEHIND
        before = ("…" if start else "") + _shown(self.words[start : self.at])
        meant = self.words[self.at : min(self.at + self.length, end)]
        behind = self.words[self.at + len(meant) : end]
        carets = "^" * max(cells(_shown(meant)), 1)
        more = "…" if end < len(self.words) else ""
        return f"{INDENT}{before}{_shown(meant)}{_shown(behind)}{more}\n{INDENT}{' ' * cells(before)}{carets}"


class DraftImpossible(TradingError):
    """What was asked for cannot be an order at all, whatever the market does."""


class PreviewImpossible(TradingError):
    """A figure that the owner must see before the confirm code is not known."""


def _shown(words: str) -> str:
    return "".join(map(_visible, words))


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes: two for Hangul, none for marks drawn into the cell before."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or ord(character) in DRAWN_INTO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _visible(character: str) -> str:
    """Return what can be printed: no control or direction marks, no halves of characters, nothing without width."""
    category = unicodedata.category(character)
    if category == "Zs":
        return " " * _cells_of(character)
    is_hidden = category[0] in "CZ" or (category[0] == "M" and not unicodedata.combining(character))
    return REPLACED if is_hidden else character


# --- orders -------------------------------------------------------------------------------------------------------


class NotFromWorker(TradingError):
    """An order was about to leave from a background worker."""

    def __init__(self) -> None:
        super().__init__(f"예약 작업에서는 주문을 낼 수 없습니다. {NOT_SENT}")


class OrderRefused(TradingError):
    """Gates that an order does not pass, by name (see `trading.limits.Gate`), each with its sentence; nothing was sent."""

    def __init__(self, reasons: Sequence[str], *, gates: Sequence[str] = ()) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)
        self.gates = tuple(gates)


class NothingToConfirm(TradingError):
    """No order of this account waits for its code."""

    def __init__(self) -> None:
        super().__init__(
            "확인을 기다리는 주문이 없습니다. 시간이 지났거나 이미 처리된 주문입니다. 이번에는 아무것도 보내지 않았습니다. "
            "다시 주문하기 전에 주문내역을 확인해 주세요."
        )


class TooEarly(TradingError):
    """The code came sooner than anybody can have read the preview."""

    def __init__(self) -> None:
        super().__init__(f"미리보기를 읽고 잠시 뒤에 다시 확인해 주세요. {NOT_SENT}")


class NotConfirmed(TradingError):
    """Password or code was wrong; which of them is not said. `left` is how often they may still be tried."""

    def __init__(self, left: int) -> None:
        again = (
            f"{left}번 더 입력할 수 있습니다."
            if left
            else "이 주문은 잠겼습니다. 주문하려면 처음부터 다시 입력해 주세요."
        )
        super().__init__(f"거래 비밀번호나 확인 코드가 다릅니다. {again} {NOT_SENT}")
        self.left = left


class WrongPassword(TradingError):
    """The trading password was wrong where no code is asked for."""

    def __init__(self) -> None:
        super().__init__("거래 비밀번호가 다릅니다.")


class PasswordLocked(TradingError):
    """Too many wrong passwords; `minutes` until the next try."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"거래 비밀번호를 여러 번 틀려 잠겼습니다. {minutes}분 뒤에 다시 시도해 주세요.")
        self.minutes = minutes


class PasswordMissing(TradingError):
    """No trading password has been set."""

    def __init__(self) -> None:
        super().__init__("거래 비밀번호가 없습니다. 먼저 정해 주세요: manage.py set_trading_password")


class PasswordUnfit(TradingError):
    """A new trading password is too weak; the text says why."""


class AlreadyTaken(TradingError):
    """Somebody else has confirmed, withdrawn or locked this order a moment ago."""

    def __init__(self) -> None:
        super().__init__("다른 곳에서 이미 처리한 주문입니다. 주문내역을 확인해 주세요.")


class OtherAccount(TradingError):
    """An order met the connection of another account or mode."""

    def __init__(self) -> None:
        super().__init__(f"이 주문의 계좌가 아닙니다. {NOT_SENT}")


class Unsettled(TradingError):
    """The account has an order whose outcome is not known yet; a new one could be a second one."""

    def __init__(self) -> None:
        super().__init__(
            f"결과를 확인하지 못한 주문이 있어 새 주문을 막았습니다. {NOT_SENT} 먼저 확인해 주세요: manage.py reconcile_orders"
        )


class CannotAdopt(TradingError):
    """An order of the broker cannot be taken for one of ours; the text says why."""


class UnknownOrder(TradingError):
    """There is no such order at the broker; the text says what was looked for."""


class WrongStock(TradingError):
    """Code and name do not belong together, or the code is unknown; the text shows the right one."""
