"""Our font as text of a PDF: how wide words are, and a file of the letters that were used.

Pages of many figures write their text themselves: the PDF renderer takes 0.2 ms for a line of text and a millisecond for
a box to put it in, which for 200 stocks is most of the time of the whole report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import pack, unpack_from
from typing import Any, Final

from reports import fonts

TABLES: Final = ("head", "hhea", "maxp")
NOTDEF: Final = 0
REGULAR: Final = 400


@dataclass(frozen=True, slots=True)
class Typeface:
    """One weight of the font. Glyphs are numbers of the file; its outlines are simple, none is made of others."""

    name: str
    units: int
    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]
    glyphs: dict[int, int]  # by code point
    metrics: Sequence[tuple[int, int]]  # advance and left bearing
    offsets: Sequence[int]
    outlines: bytes
    tables: dict[str, bytes]

    def glyphs_of(self, text: str) -> list[int]:
        return [self.glyphs.get(ord(sign), NOTDEF) for sign in text]

    def width(self, glyphs: Iterable[int]) -> float:
        """Return the width of glyphs set in a row, as parts of the text size."""
        return sum(self.metrics[glyph][0] for glyph in glyphs) / self.units

    def subset(self, glyphs: Sequence[int]) -> bytes:
        """Return a TrueType file of these glyphs in this order; the first has to be the one for "no such letter"."""
        outlines, offsets = bytearray(), [0]
        for glyph in glyphs:
            outlines += self.outlines[self.offsets[glyph] : self.offsets[glyph + 1]]
            outlines += bytes(-len(outlines) % 4)
            offsets.append(len(outlines))
        count = len(glyphs)
        head, hhea, maxp = (self.tables[name] for name in TABLES)
        return _file(
            {
                "glyf": bytes(outlines),
                "head": head[:8] + bytes(4) + head[12:50] + pack(">hh", 1, 0),  # long offsets
                "hhea": hhea[:34] + pack(">H", count),
                "hmtx": b"".join(pack(">Hh", *self.metrics[glyph]) for glyph in glyphs),
                "loca": pack(f">{count + 1}L", *offsets),
                "maxp": maxp[:4] + pack(">H", count) + maxp[6:],
            }
        )


def typeface(weight: int) -> Typeface:
    """Return a weight of our font; it has to be built already."""
    path, name = fonts.font_path(weight), fonts.FAMILY.replace(" ", "-")
    if weight != REGULAR:
        name = f"{name}-{fonts.WEIGHTS[weight]}"
    return _read(str(path), path.stat().st_mtime_ns, name)


@lru_cache(maxsize=len(fonts.WEIGHTS))
def _read(path: str, _modified: int, name: str) -> Typeface:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  # heavy, and only needed for print

    with TTFont(path, lazy=True) as font:
        order: dict[str, int] = font.getReverseGlyphMap()
        metrics = font["hmtx"].metrics
        head, lines, system = font["head"], font["hhea"], font["OS/2"]
        scale = 1000 / head.unitsPerEm
        return Typeface(
            name=name,
            units=head.unitsPerEm,
            ascent=round(lines.ascent * scale),
            descent=round(lines.descent * scale),
            cap_height=round(getattr(system, "sCapHeight", 0) * scale),
            box=tuple(round(edge * scale) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)),
            glyphs={code: order[glyph] for code, glyph in font.getBestCmap().items()},
            metrics=[metrics[glyph] for glyph in font.getGlyphOrder()],
            offsets=_offsets(font),
            outlines=font.reader["glyf"],
            tables={table: font.reader[table] for table in TABLES},
        )


def _offsets(font: Any) -> list[int]:  # noqa: ANN401  # no types in fontTools
    data: bytes = font.reader["loca"]
    if font["head"].indexToLocFormat:
        return list(unpack_from(f">{len(data) // 4}L", data))
    return [offset * 2 for offset in unpack_from(f">{len(data) // 2}H", data)]


def _file(tables: dict[str, bytes]) -> bytes:
    """Put tables together; their names have to be in order."""
    power = len(tables).bit_length() - 1
    directory = [
        pack(">LHHHH", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    ]
    bodies, at = [], 12 + 16 * len(tables)
    for name, data in tables.items():
        body = data + bytes(-len(data) % 4)
        check = sum(unpack_from(f">{len(body) // 4}L", body)) & 0xFFFFFFFF
        directory.append(pack(">4sLLL", name.encode(), check, at, len(data)))
        bodies.append(body)
        at += len(body)
    return b"".join([*directory, *bodies])
