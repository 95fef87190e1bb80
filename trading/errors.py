"""What can go wrong between a sentence and an order; every text is for the owner."""

import unicodedata

#: How much of a long line is shown before and behind the mistake, in characters.
BEFORE, BEHIND = 60, 40
INDENT = "  "
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
