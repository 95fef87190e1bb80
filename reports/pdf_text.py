"""Texts of a sheet as PDF text, in fonts that are added to the document."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from reports.sheet import LABEL_SIZE, Label, Run, baseline_of, rgb
from reports.typefaces import NOTDEF, Typeface, typeface

if TYPE_CHECKING:
    from pydyf import PDF, Dictionary

REGULAR, BOLD = 400, 700
BOLD_SPACING: Final = -0.02  # of the text size: bold figures are wider than others
MAP_ROWS: Final = 100  # a table of a map may have no more
THOUSAND: Final = 1000


class PrintedFont:
    """A weight of the font as one document uses it: letters get their numbers as they come."""

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.key = f"A{weight}"
        self.face: Typeface = typeface(weight)
        self.codes: dict[str, int] = {}
        self.glyphs: list[int] = [NOTDEF]

    def encode(self, text: str) -> tuple[str, float]:
        """Return the codes of a text in hexadecimal, and its width in parts of its size."""
        codes = [self._code(sign) for sign in text]
        return "".join(f"{code:04x}" for code in codes), self.face.width(self.glyphs[code] for code in codes)

    def _code(self, sign: str) -> int:
        code = self.codes.get(sign)
        if code is None:
            code = self.codes[sign] = len(self.glyphs)
            self.glyphs.append(self.face.glyphs.get(ord(sign), NOTDEF))
        return code


class Piece(NamedTuple):
    """A run as it is written: its codes, how wide it is, and how it looks."""

    codes: str
    width: float
    look: str


class TextWriter:
    """Writes texts of the sheets of one document. `drawable` makes a text one that the font can draw."""

    def __init__(self, drawable: Callable[[str], str]) -> None:
        self._drawable = drawable
        self._fonts: dict[int, PrintedFont] = {}
        self._look = ""

    def operators(self, labels: Sequence[Label]) -> str:
        """Return the texts as operators of a content stream whose y grows downwards."""
        if not labels:
            return ""
        lines = ["BT"]
        self._look = ""
        for label in labels:
            pieces = [self._piece(run) for run in label.runs]
            gaps = [run.gap for run in label.runs[1:]]
            length = sum(piece.width for piece in pieces) + sum(gaps)
            x = label.at[0] - {"start": 0.0, "middle": length / 2, "end": length}[label.anchor]
            y = baseline_of(label, LABEL_SIZE)
            for piece, gap in zip(pieces, [*gaps, 0.0], strict=True):
                lines += self._show(piece, x, y)
                x += piece.width + gap
        return "\n".join([*lines, "ET"])

    def _piece(self, run: Run) -> Piece:
        font = self._font(BOLD if run.is_bold else REGULAR)
        text, size = self._drawable(run.text), run.size or LABEL_SIZE
        codes, width = font.encode(text)
        spacing = BOLD_SPACING * size if run.is_bold else 0.0
        look = f"/{font.key} {size:.3f} Tf {spacing:.4f} Tc {rgb(run.color)} rg"
        return Piece(codes, width * size + spacing * len(text), look)

    def _show(self, piece: Piece, x: float, y: float) -> Iterator[str]:
        if piece.look != self._look:
            self._look = piece.look
            yield piece.look
        yield f"1 0 0 -1 {x:.3f} {y:.3f} Tm <{piece.codes}> Tj"

    def add_to(self, pdf: "PDF", resources: "Dictionary") -> None:
        """Add the fonts that were used to a document and to the resources of its pages."""
        if not self._fonts:
            return
        known = pdf.objects[int(resources["Font"].split()[0])]
        for weight in sorted(self._fonts):
            font = self._fonts[weight]
            known[font.key] = _font_dictionary(font, pdf)

    def _font(self, weight: int) -> PrintedFont:
        if weight not in self._fonts:
            self._fonts[weight] = PrintedFont(weight)
        return self._fonts[weight]


def _font_dictionary(font: PrintedFont, pdf: "PDF") -> bytes:
    """Add a font with the letters that were used; returns the reference to it."""
    from pydyf import Array, Dictionary, Stream, String  # noqa: PLC0415

    face = font.face
    name = f"/AEGIS{'B' if font.weight == BOLD else 'R'}+{face.name}"
    data = face.subset(font.glyphs)
    file = Stream([data], Dictionary({"Length1": len(data)}), compress=True)
    to_unicode = Stream([_unicode_map(font.codes.items())], compress=True)
    descriptor = Dictionary(
        {
            "Type": "/FontDescriptor",
            "FontName": name,
            "Flags": 4,
            "FontBBox": Array(face.box),
            "ItalicAngle": 0,
            "Ascent": face.ascent,
            "Descent": face.descent,
            "CapHeight": face.cap_height,
            "StemV": 80,
        }
    )
    for added in (file, to_unicode, descriptor):
        pdf.add_object(added)
    descriptor["FontFile2"] = file.reference
    widths = [round(face.metrics[glyph][0] * THOUSAND / face.units) for glyph in font.glyphs]
    child = Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/CIDFontType2",
            "BaseFont": name,
            "CIDSystemInfo": Dictionary(
                {"Registry": String("Adobe"), "Ordering": String("Identity"), "Supplement": 0}
            ),
            "CIDToGIDMap": "/Identity",
            "FontDescriptor": descriptor.reference,
            "W": Array([0, Array(widths)]),
        }
    )
    pdf.add_object(child)
    parent = Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/Type0",
            "BaseFont": name,
            "Encoding": "/Identity-H",
            "DescendantFonts": Array([child.reference]),
            "ToUnicode": to_unicode.reference,
        }
    )
    pdf.add_object(parent)
    reference: bytes = parent.reference
    return reference


def _unicode_map(codes: Iterable[tuple[str, int]]) -> bytes:
    """Return the map from codes to letters, by which a text can be searched and copied."""
    rows = [f"<{code:04x}> <{sign.encode('utf-16-be').hex()}>" for sign, code in codes]
    tables = [rows[start : start + MAP_ROWS] for start in range(0, len(rows), MAP_ROWS)]
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <ffff> endcodespacerange",
    ]
    for table in tables:
        lines += [f"{len(table)} beginbfchar", *table, "endbfchar"]
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")
