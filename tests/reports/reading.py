"""Read a PDF as an eye does: words with their boxes in millimetres from the top left of the page."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pypdfium2

MM = 25.4 / 72
#: Letters further apart than this part of their height belong to different words.
GAP = 0.35
#: Boxes of letters are drawn to the hair; what overlaps by less than this touches.
TOUCH = 0.15


@dataclass(frozen=True)
class Word:
    """Letters that stand together on one line."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Word") -> float:
        """Return the smaller side of the part that both cover, 0 where there is none."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(min(wide, high), 0.0)

    def __str__(self) -> str:
        return f"{self.text!r} at {self.left:.1f}–{self.right:.1f} × {self.top:.1f}–{self.bottom:.1f}"


@dataclass(frozen=True)
class PageRead:
    """One page: its size in millimetres, its text as it can be selected, and its words."""

    width: float
    height: float
    text: str
    words: tuple[Word, ...]

    @cached_property
    def overlapping(self) -> list[tuple[Word, Word]]:
        """Return pairs of words that lie on each other."""
        found = []
        rows = sorted(self.words, key=lambda word: word.top)
        for place, word in enumerate(rows):
            for other in rows[place + 1 :]:
                if other.top >= word.bottom:
                    break
                if word.overlap(other) > TOUCH:
                    found.append((word, other))
        return found

    def outside(self, *, left: float, right: float, top: float = 0.0, bottom: float = 297.0) -> list[Word]:
        """Return the words that are not wholly inside these lines."""
        return [
            word
            for word in self.words
            if word.left < left - TOUCH
            or word.right > right + TOUCH
            or word.top < top - TOUCH
            or word.bottom > bottom + TOUCH
        ]


def read_pages(data: bytes) -> list[PageRead]:
    document = pypdfium2.PdfDocument(data)
    try:
        return [read_page(page) for page in document]
    finally:
        document.close()


def read_page(page: pypdfium2.PdfPage) -> PageRead:
    width, height = page.get_size()
    found = page.get_textpage()
    text = found.get_text_bounded().replace("\r\n", "\n")
    return PageRead(width * MM, height * MM, text, tuple(words_of(found, height=height)))


def words_of(text: pypdfium2.PdfTextPage, *, height: float) -> Iterator[Word]:
    signs = text.get_text_range()
    count = text.count_chars()
    letters = ""
    box: list[float] = []
    for place in range(count):
        sign = text.get_text_range(place, 1) if len(signs) != count else signs[place]
        if sign.isspace() or not sign or sign == "\x00":
            if letters:
                yield Word(letters, *box)
            letters, box = "", []
            continue
        low, base, high, peak = text.get_charbox(place, loose=False)
        left, top, right, bottom = low * MM, (height - peak) * MM, high * MM, (height - base) * MM
        if letters and not goes_on(box, left, top, bottom):
            yield Word(letters, *box)
            letters, box = "", []
        if letters:
            box = [min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom)]
        else:
            box = [left, top, right, bottom]
        letters += sign
    if letters:
        yield Word(letters, *box)


def goes_on(box: list[float], left: float, top: float, bottom: float) -> bool:
    """Return whether a letter stands right behind a word, on its line."""
    size = max(box[3] - box[1], bottom - top, 1.0)
    return -size < left - box[2] < GAP * size and min(box[3], bottom) - max(box[1], top) > -0.2 * size


def write_pictures(data: bytes, stem: str, folder, *, dpi: int = 110) -> list[str]:
    """Write each page as a PNG beside its PDF; return the names."""
    document = pypdfium2.PdfDocument(data)
    names = []
    try:
        for number, page in enumerate(document, start=1):
            name = f"{stem}-{number}.png"
            page.render(scale=dpi / 72).to_pil().save(folder / name)
            names.append(name)
    finally:
        document.close()
    return names
