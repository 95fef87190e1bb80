"""Bad values, by a seed: what breaks readers of texts, numbers, dates, JSON, headers and files."""

import gzip
import io
import json
import string
import unicodedata
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import quote

#: Shows where something sent comes back unescaped: as a tag of its own.
TAG = "x9z"
MARKUP = (
    f"<{TAG}>",
    f'"><{TAG} onload=1>',
    f"'><{TAG}>",
    f"</script><{TAG}>",
    f"</textarea></title><{TAG}>",
    f"--><{TAG}>",
    f"javascript:{TAG}",
)
NUMBERS = (
    *(
        "0",
        "-0",
        "-1",
        "1",
        "007",
        "1.5",
        "1e5",
        "1e309",
        "-1e309",
        "1e-400",
        "NaN",
        "nan",
        "Infinity",
        "-inf",
    ),
    *(str(2**31), str(-(2**31) - 1), str(2**63), str(-(2**63) - 1), str(2**64), "9" * 400, "9" * 5000),
    *("0x10", "0b1", "1_000", "1,000", "+5", "--5", "5-", " 5 ", "٣", "１２", "²", "Ⅻ", "½", "一"),
)
DAYS = (
    *(
        "2026-02-30",
        "2026-13-01",
        "0000-00-00",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "-1-01-01",
        "20261120",
    ),
    *(
        "2026-11-20T25:00:00",
        "2026-11-20T10:00:00+99:99",
        "0001-01-01T00:00:00+09:00",
        "9999-12-31T23:59:59-12:00",
    ),
    *("2026-11-20T10:00:00.123456789Z", "2026-W47-5", "11/20/2026", "어제", "2026-11-20 10:00", "1969-12-31"),
)
SIGNS = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\0",
        "a\0b",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ufffd",
        "\ufffe",
    ),
    *(
        "\ud800",
        "\udfff\ud800",
        "\U0010ffff",
        "\u202eabc",
        "\u2066x\u2069",
        "\u200b",
        "\u200d\u200d",
        "\u0301" * 60,
    ),
    *("👨‍👩‍👧‍👦", "💣" * 40, "ﷺ", "𝟓𝟗", "İı", "ß", "가" * 300, "ᄀ" * 50, "한글 이름", "ㄱㅏ"),
)
TRICKS = (
    *(
        "' OR '1'='1",
        "'; DROP TABLE kis_holding; --",
        '" OR ""="',
        "\\",
        "\\'",
        "%",
        "%s%n",
        "%00",
        "%zz",
        "_%",
    ),
    *(
        "{{7*7}}",
        "{% debug %}",
        "{0.__class__}",
        "${7*7}",
        "#{1}",
        "=1+1",
        "@SUM(A1)",
        "+cmd|' /C calc'!A0",
        "-2+3",
    ),
    *(
        "../../../../etc/passwd",
        "..\\..\\x",
        "/etc/passwd",
        "file:///etc/passwd",
        "//example.com/",
        "http://[",
    ),
    *(
        "null",
        "None",
        "undefined",
        "true",
        "false",
        "[]",
        "{}",
        "[object Object]",
        "__proto__",
        "__class__",
        "id",
    ),
    *(
        "(",
        "[",
        "*",
        "(a+)+$",
        "^.*$",
        "a" * 260,
        "a," * 500,
        ",",
        ";",
        "|",
        "&",
        "=",
        "?",
        "#",
        ":",
        "@",
        "-",
        "--",
    ),
    *(
        "12345678-01",
        "005930",
        "Q500001",
        "실전",
        "모의",
        "real",
        "paper",
        "삼성전자",
        "XT9W",
        "2026-11-20",
        "10",
    ),
)
ALL_TEXTS = (*MARKUP, *NUMBERS, *DAYS, *SIGNS, *TRICKS)
MEGABYTE = 1_000_000
FIGURES = (0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**400, 1.5, -0.0, 1e308, float("inf"), float("nan"))
NO_DOCUMENTS = (
    *(
        b"",
        b" ",
        b"null",
        b"0",
        b'"',
        b"NaN",
        b"[NaN]",
        b"{'a': 1}",
        b"1" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ),
)
BEGINNINGS = (b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04", b"%PDF-1.7\n", b"\x1f\x8b", b"\0")


class Hostile:
    """Makes the values of one throw; what it has thrown is in `about`, so that a finding can be told."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)  # the same every time, which is the point
        self.about = ""

    # --- choices -------------------------------------------------------------------------------------------------

    def one_of(self, *values: Any) -> Any:
        return self.random.choice(values)

    def of(self, values: Any) -> Any:
        return self.random.choice(list(values))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def count(self, most: int, least: int = 0) -> int:
        return self.random.randint(least, most)

    # --- texts ---------------------------------------------------------------------------------------------------

    def text(self, *near: str) -> str:
        """Return a bad text; `near` are good ones, which are now and then spoilt a little or left alone."""
        if near and self.chance(0.5):
            good = self.random.choice(near)
            return good if self.chance(0.3) else self.spoilt(good)
        kind = self.random.random()
        if kind < 0.75:
            return self.random.choice(ALL_TEXTS)
        if kind < 0.85:
            return self.random.choice(ALL_TEXTS) + self.random.choice(ALL_TEXTS)
        if kind < 0.995:
            return self.garbage(40)
        return self.random.choice(["a", "9", "가", "\0", "<", "["]) * self.count(MEGABYTE, 70_000)

    def garbage(self, longest: int) -> str:
        """Return signs from anywhere in Unicode, half a pair of surrogates now and then included."""
        ranges = (
            (32, 126),
            (0, 31),
            (0x80, 0x2FF),
            (0xAC00, 0xD7A3),
            (0x2000, 0x206F),
            (0xD800, 0xDFFF),
            (0x1F300, 0x1FAFF),
        )
        weights = (40, 4, 10, 20, 6, 1, 5)
        picked = self.random.choices(ranges, weights, k=self.count(longest, 1))
        return "".join(chr(self.random.randint(low, high)) for low, high in picked)

    def spoilt(self, text: str) -> str:
        """Return a text with a small thing wrong."""
        place = self.count(len(text))
        spoil: Callable[[], str] = self.one_of(
            lambda: text[:place],
            lambda: text[place:],
            lambda: text[:place] + self.random.choice(ALL_TEXTS) + text[place:],
            lambda: text + text,
            text.swapcase,
            lambda: unicodedata.normalize("NFD", text),
            lambda: f" {text}\n",
            lambda: "".join(self.random.sample(text, len(text))),
            lambda: text.translate({ord(digit): ord(digit) - 48 + 0xFF10 for digit in string.digits}),
            lambda: f"-{text}",
        )
        return spoil()

    def name(self) -> str:
        """Return a text that can stand in a header: Latin-1, without a line break."""
        text = self.text().encode("utf-8", "surrogatepass")[:4000].decode("latin-1")
        return "".join(sign for sign in text if sign not in "\r\n\0")

    # --- addresses -----------------------------------------------------------------------------------------------

    def quoted(self, text: str, *, safe: str = "") -> str:
        """Write a text for an address: as it should be, half of it, or as bytes that are no UTF-8."""
        whole = quote(text.encode("utf-8", "surrogatepass"), safe=safe)
        if self.chance(0.05):
            return whole + str(self.one_of("%", "%f", "%ff", "%c3", "%ed%a0%80", "%00", "%c0%ae"))
        return whole

    def query(self, pairs: list[tuple[str, str]]) -> str:
        """Write parameters behind the question mark."""
        joined = "&".join(f"{self.quoted(name)}={self.quoted(value)}" for name, value in pairs)
        if self.chance(0.03):
            joined += self.one_of("&", "&&&=", "&=", ";a=b", "&%=%", "&a[]=1&a[x]=2", "?x", "&" * 1500)
        return joined[:60_000]

    # --- JSON and bytes ------------------------------------------------------------------------------------------

    def value(self, *near: Any, deep: int = 3) -> Any:
        """Return a value of any type of JSON, and of those that are none."""
        kind = self.random.random()
        if near and kind < 0.3:
            return self.almost(self.random.choice(near))
        if kind < 0.65:
            return self.text()
        if kind < 0.8:
            return self.random.choice(FIGURES)
        if kind < 0.9 or not deep:
            return self.one_of(None, True, False, [], {}, "")
        inside = [self.value(deep=deep - 1) for _ in range(self.count(4))]
        return inside if self.chance(0.5) else {self.text(): part for part in inside}

    def almost(self, good: Any) -> Any:
        """Return a good value, or nearly."""
        if isinstance(good, int):
            return self.one_of(good, str(good), -good, good * 10**9, -good * 10**400, [good], bool(good))
        return self.text(good) if isinstance(good, str) else good

    def document(self, value: Any) -> bytes:
        """Write a value as JSON that may be none."""
        text = json.dumps(value, ensure_ascii=self.chance(0.5), default=str)
        data = text.encode("utf-8", "surrogatepass")
        if self.chance(0.75):
            return data
        spoil: Callable[[], bytes] = self.one_of(
            lambda: data[: self.count(len(data))],
            lambda: data.replace(b"{", b'{"a": 1, "a": 2, ', 1),
            lambda: data + self.random.choice([b",", b"}", b"\0", data, b"//", b" x"]),
            lambda: b"\xef\xbb\xbf" + data,
            lambda: b"[" * 60_000 + b"]" * self.random.choice([0, 60_000]),
            lambda: b'{"a":' * 50_000,
            lambda: self.random.choice(NO_DOCUMENTS),
            lambda: text.encode("utf-16", "surrogatepass"),
            lambda: b"\xff\xfe\x00" + data,
            lambda: gzip.compress(data),
            self.bomb,
        )
        return spoil()

    def bomb(self) -> bytes:
        return gzip.compress(b"\0" * (MEGABYTE * self.count(20, 5)))

    def junk(self, longest: int = 2000) -> bytes:
        return self.random.randbytes(self.count(longest))

    def damaged(self, data: bytes) -> bytes:
        """Return a file with something wrong: cut off, bits turned, a piece twice or missing, something else before it."""
        place, other = self.count(len(data)), self.count(len(data))
        first, last = min(place, other), max(place, other)
        sent = self.text()[:5000].encode("utf-8", "surrogatepass")
        damage: Callable[[], bytes] = self.one_of(
            lambda: data[:place],
            lambda: data[place:],
            lambda: self.turned(data),
            lambda: data[:first] + data[last:],
            lambda: data[:last] + data[first:last] + data[last:],
            lambda: data[:place] + self.junk(50) + data[place:],
            lambda: data[:place] + sent + data[place:],
            lambda: self.random.choice(BEGINNINGS) + data,
        )
        return damage()

    def turned(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.count(30, 1) if data else 0):
            changed[self.random.randrange(len(changed))] = self.random.randrange(256)
        return bytes(changed)

    def archive(self, parts: dict[str, bytes]) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name.replace("\0", "0").encode("utf-8", "replace").decode(), content)
        return file.getvalue()


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to everything in a document of JSON, the document itself left out."""
    found: list[tuple[Any, ...]] = [path] if path else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inside:
        found += places_in(part, (*path, name))
    return found


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        value = value[name]
    return value
