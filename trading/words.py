"""The words of a command in one spelling, each with its place in the text as typed."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from trading.errors import DRAWN_INTO, CommandNotUnderstood

#: The longest name has 50 characters, of up to three letters each when decomposed.
LONGEST = 300
FULL_WIDTH = range(0xFF01, 0xFF5F)
TO_ASCII = 0xFEE0
#: Minus signs and dashes that word processors make of a hyphen.
HYPHENS = "\u2010\u2011\u2012\u2013\u2212"
#: Letters that nobody sees: fillers of Hangul, and a blank of Braille.
UNSEEN = "\u115f\u1160\u3164\uffa0\u2800"
DIGITS = "0123456789"

HIDDEN = "보이지 않는 글자가 섞여 있습니다. 이 자리를 지우고 다시 적어 주세요."
FOREIGN_DIGIT = "숫자는 0부터 9까지만 쓸 수 있습니다. 이 자리를 고쳐 적어 주세요."
TOO_LONG = f"명령이 너무 깁니다. {LONGEST}자까지만 적어 주세요."


@dataclass(frozen=True, slots=True)
class Word:
    """What stands between two blanks, composed, half-width. `start` and `end` count the text as typed."""

    text: str
    start: int
    end: int

    def joined(self, following: "Word") -> "Word":
        """Return both as one word, for a unit that was typed apart from its number."""
        return Word(self.text + following.text, self.start, following.end)


@dataclass(frozen=True, slots=True)
class Line:
    """A text as typed, and its words."""

    typed: str
    words: tuple[Word, ...]

    @classmethod
    def read(cls, typed: str) -> "Line":
        """Split at blanks of any kind.

        Raises CommandNotUnderstood for letters nobody sees, digits other than 0 to 9, and a text without end.
        """
        if len(typed) > LONGEST:
            raise CommandNotUnderstood(TOO_LONG, words=typed, at=LONGEST)
        words: list[Word] = []
        text, start = "", 0
        for place, letters in _letters(typed):
            if _is_blank(letters):
                words += [Word(text, start, place)] if text else []
                text = ""
                continue
            start = start if text else place
            text += letters
        words += [Word(text, start, len(typed))] if text else []
        return cls(typed, tuple(words))

    def wrong(self, word: Word, sentence: str) -> CommandNotUnderstood:
        """Return the error that points at a word."""
        return CommandNotUnderstood(sentence, words=self.typed, at=word.start, length=word.end - word.start)

    def missing(self, sentence: str) -> CommandNotUnderstood:
        """Return the error that points behind the last word."""
        at = self.words[-1].end if self.words else 0
        return CommandNotUnderstood(sentence, words=self.typed, at=at)


def _letters(typed: str) -> Iterator[tuple[int, str]]:
    """Yield each letter, composed and half-width, with its place. Raises CommandNotUnderstood."""
    start = 0
    for end in range(1, len(typed) + 1):
        if end < len(typed) and _belongs_to_the_letter_before(typed[end]):
            continue
        letters = "".join(map(_usual, unicodedata.normalize("NFC", typed[start:end])))
        for letter in letters:
            if sentence := _objection(letter):
                raise CommandNotUnderstood(sentence, words=typed, at=start, length=end - start)
        yield start, letters
        start = end


def _belongs_to_the_letter_before(character: str) -> bool:
    return ord(character) in DRAWN_INTO or unicodedata.combining(character) > 0


def _usual(character: str) -> str:
    if ord(character) in FULL_WIDTH:
        return chr(ord(character) - TO_ASCII)
    return "-" if character in HYPHENS else character


def _is_blank(letters: str) -> bool:
    return unicodedata.category(letters[0]) == "Zs"


def _objection(letter: str) -> str:
    """Return why a letter cannot be taken, empty where it can."""
    category = unicodedata.category(letter)
    if category[0] in "CM" or category in {"Zl", "Zp"} or letter in UNSEEN:
        return HIDDEN
    if category[0] == "N" and letter not in DIGITS:
        return FOREIGN_DIGIT
    return ""
