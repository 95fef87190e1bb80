"""Where the texts of a sheet really stand, measured with the font they are printed in."""

from dataclasses import dataclass

from reports import fonts
from reports.pdf_text import BOLD_SPACING
from reports.sheet import LABEL_SIZE, Label, Run, Sheet
from reports.typefaces import typeface


@dataclass(frozen=True)
class Text:
    """A line of text with its edges in millimetres."""

    text: str
    left: float
    right: float
    middle: float
    size: float
    color: str

    def overlaps(self, other: "Text") -> bool:
        """Return whether two texts are printed over each other."""
        apart = abs(self.middle - other.middle) >= (self.size + other.size) / 2 * 0.8
        return not apart and self.left < other.right - 0.05 and other.left < self.right - 0.05


def texts_of(sheet: Sheet) -> list[Text]:
    fonts.ensure_fonts()
    return [_text(label) for label in sheet.labels]


def overlapping(sheet: Sheet) -> list[tuple[str, str]]:
    """Return the pairs of texts that are printed over each other."""
    texts = sorted(texts_of(sheet), key=lambda text: text.middle)
    found = []
    for place, text in enumerate(texts):
        for other in texts[place + 1 :]:
            if other.middle - text.middle > text.size + other.size:
                break
            if text.overlaps(other):
                found.append((text.text, other.text))
    return found


def _text(label: Label) -> Text:
    width = sum(_width(run) for run in label.runs) + sum(run.gap for run in label.runs[1:])
    x, y = label.at
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
    size = max(run.size or LABEL_SIZE for run in label.runs)
    return Text(label.text, left, left + width, y, size, label.color)


def _width(run: Run) -> float:
    face, size = typeface(700 if run.is_bold else 400), run.size or LABEL_SIZE
    spacing = BOLD_SPACING * size * len(run.text) if run.is_bold else 0.0
    return face.width(face.glyphs_of(run.text)) * size + spacing
