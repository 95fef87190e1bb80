"""The broker's public list of all stocks, one fixed-width cp949 file a market (kis-api.md section 13)."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, Literal, TypeVar

from kis.client.errors import KisReplyChanged, KisUnreachable
from kis.client.protocol import OK, Request
from kis.client.transport import Transport

Market = Literal["KOSPI", "KOSDAQ", "KONEX"]
Widths = tuple[tuple[str, int], ...]
Record = TypeVar("Record")

BASE_URL = "https://new.real.download.dws.co.kr"
FILES: Mapping[Market, str] = {"KOSPI": "kospi_code", "KOSDAQ": "kosdaq_code", "KONEX": "konex_code"}
INDEX_FILE = "idxcode"
FETCH_TIMEOUT_SECONDS = 30.0
#: The largest file, KOSPI, is about 1 MB and an eighth of that zipped.
MAX_FILE_BYTES = 20_000_000

CODE = re.compile(r"[0-9A-Z]{6,9}")
ISIN = re.compile(r"[A-Z]{2}[0-9A-Z]{10}")
NUMBER = re.compile(r"[0-9]+")
CODE_BYTES, ISIN_BYTES = 9, 12
#: One digit for the market, four for the index.
INDEX_CODE = re.compile(r"([0-9])([0-9A-Z]{4})")
INDEX_CODE_BYTES, INDEX_BYTES = 5, 45

# The tail of a line, field by field. A name of "" is a stretch that nobody here reads. The three markets differ in what
# stands before the base price, and in three fields after it.
SECTORS: Widths = (("size", 1), ("sector_large", 4), ("sector_medium", 4), ("sector_small", 4))
KOSPI_MARKS: Widths = (("", 14), ("spac", 1), ("", 2), ("overheated", 1), ("", 8))
KOSDAQ_MARKS: Widths = (("", 9), ("spac", 1), ("", 2), ("overheated", 1), ("", 8))
TRADING: Widths = (
    ("base_price", 9),
    ("unit", 5),
    ("", 5),
    ("halted", 1),
    ("liquidating", 1),
    ("managed", 1),
    ("warning", 2),
    ("warning_announced", 1),
    ("unfaithful", 1),
    ("", 1),
    ("ex_rights", 2),
    ("", 4),
    ("margin_rate", 3),
    ("credit", 1),
    ("", 3),
    ("previous_volume", 12),
    ("face_value", 12),
    ("listed_on", 8),
    ("thousand_shares", 15),
    ("", 21),
    ("fiscal_month", 2),
    ("", 7),
    ("preferred", 1),
    ("", 1),
    ("surging", 1),
    ("", 1),
)
RESULTS: Widths = (("", 49), ("market_cap", 9))
LOANS: Widths = (("", 3),)
TAILS: Mapping[Market, Widths] = {
    "KOSPI": (("group", 2), *SECTORS, *KOSPI_MARKS, *TRADING, ("", 1), *RESULTS, ("", 3), *LOANS),
    "KOSDAQ": (("group", 2), *SECTORS, *KOSDAQ_MARKS, *TRADING, *RESULTS, ("", 3), *LOANS),
    "KONEX": (("group", 2), *TRADING, *RESULTS, *LOANS),
}


@dataclass(frozen=True, slots=True)
class MasterRecord:
    """One listed paper. Prices in won; `market_cap` in 억원; None where the file has a blank.

    `code` is as orders take it: 005930, Q500001 for an ETN, F70100026 for a fund. `group` is ST 주권, EF ETF, EN ETN, EW
    ELW, RT 리츠, BC 수익증권, FS 외국주권 and so on. `warning` is 00 none, 01 투자주의, 02 투자경고, 03 투자위험; `overheated`
    0 none, 1 announced, 2 in force, 3 extended; `preferred` 0 for common shares. Sectors are index codes, blank on KONEX.
    """

    market: Market
    code: str
    isin: str
    name: str
    group: str
    sector_large: str
    sector_medium: str
    sector_small: str
    base_price: int | None
    unit: int | None
    previous_volume: int | None
    face_value: int | None
    listed_on: date | None
    thousand_shares: int | None
    market_cap: int | None
    margin_rate: int | None
    fiscal_month: int | None
    warning: str
    warning_announced: bool
    overheated: str
    preferred: str
    ex_rights: str
    halted: bool
    liquidating: bool
    managed: bool
    unfaithful: bool
    surging: bool
    spac: bool
    credit: bool
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """One index; `code` is what the index inquiries take, `division` the digit the file puts before it."""

    division: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class MasterProblem:
    """A line that could not be read, counted from 1, and why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class MasterFile(Generic[Record]):
    """What a file holds: the records that could be read and the lines that could not."""

    records: tuple[Record, ...]
    problems: tuple[MasterProblem, ...]


class Unreadable(ValueError):
    """A line is not as documented; its text is the reason in Korean."""


def parse_stocks(data: bytes, market: Market) -> MasterFile[MasterRecord]:
    """Read a stock file as downloaded, in bytes: Korean names make bytes and characters differ."""
    return parse(data, lambda line: read_stock(line, market), key=lambda record: record.code)


def parse_indices(data: bytes) -> MasterFile[IndexRecord]:
    """Read the file of indices."""
    return parse(data, read_index, key=lambda record: record.division + record.code)


def parse(
    data: bytes, read: Callable[[bytes], Record], *, key: Callable[[Record], str]
) -> MasterFile[Record]:
    records: dict[str, Record] = {}
    problems = []
    for number, line in lines_of(data):
        why = ""
        try:
            record = read(line)
        except UnicodeDecodeError:
            why = "글자를 읽을 수 없습니다"
        except Unreadable as error:
            why = str(error)
        else:
            if key(record) in records:
                why = "같은 코드가 앞에도 있습니다"
            records.setdefault(key(record), record)
        if why:
            problems.append(MasterProblem(number, line.decode("cp949", "replace"), why))
    return MasterFile(tuple(records.values()), tuple(problems))


def lines_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers, from 1, without line ends; blank ones are left out."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, line.rstrip(b"\r")


def read_stock(line: bytes, market: Market) -> MasterRecord:
    """Read a line from the right, where the widths are fixed. Raises Unreadable or UnicodeDecodeError."""
    widths = TAILS[market]
    tail_bytes = sum(width for _, width in widths)
    head, tail = line[:-tail_bytes], line[-tail_bytes:].decode("ascii")
    if len(head) <= CODE_BYTES + ISIN_BYTES:
        raise Unreadable("줄이 너무 짧습니다")
    code, isin = head[:CODE_BYTES].decode("ascii").rstrip(), head[CODE_BYTES:][:ISIN_BYTES].decode("ascii")
    name = head[CODE_BYTES + ISIN_BYTES :].decode("cp949").strip()
    if not CODE.fullmatch(code) or not ISIN.fullmatch(isin) or not name:
        raise Unreadable("종목코드, 표준코드, 종목명 가운데 읽을 수 없는 것이 있습니다")
    texts = cut(tail, widths)
    return MasterRecord(
        market=market,
        code=code,
        isin=isin,
        name=name,
        group=texts["group"],
        sector_large=texts.get("sector_large", ""),
        sector_medium=texts.get("sector_medium", ""),
        sector_small=texts.get("sector_small", ""),
        base_price=number(texts, "base_price"),
        unit=number(texts, "unit"),
        previous_volume=number(texts, "previous_volume"),
        face_value=number(texts, "face_value"),
        listed_on=day(texts, "listed_on"),
        thousand_shares=number(texts, "thousand_shares"),
        market_cap=number(texts, "market_cap"),
        margin_rate=number(texts, "margin_rate"),
        fiscal_month=number(texts, "fiscal_month"),
        warning=texts["warning"],
        warning_announced=mark(texts, "warning_announced"),
        overheated=texts.get("overheated", ""),
        preferred=texts["preferred"],
        ex_rights=texts["ex_rights"],
        halted=mark(texts, "halted"),
        liquidating=mark(texts, "liquidating"),
        managed=mark(texts, "managed"),
        unfaithful=mark(texts, "unfaithful"),
        surging=mark(texts, "surging"),
        spac=mark(texts, "spac"),
        credit=mark(texts, "credit"),
        raw=line.decode("cp949"),
    )


def cut(tail: str, widths: Widths) -> dict[str, str]:
    """Return the named fields of a tail, without their padding."""
    texts, at = {}, 0
    for name, width in widths:
        texts[name] = tail[at : at + width].strip()
        at += width
    return texts


def number(texts: Mapping[str, str], name: str) -> int | None:
    """Return a number padded with zeros, or None for a blank."""
    text = texts[name]
    if text and not NUMBER.fullmatch(text):
        raise Unreadable(f"숫자를 읽을 수 없습니다 ({name}: {text})")
    return int(text) if text else None


def day(texts: Mapping[str, str], name: str) -> date | None:
    """Return a date, or None for a blank or zeros."""
    value = number(texts, name)
    try:
        return date(value // 10_000, value // 100 % 100, value % 100) if value else None
    except ValueError:
        raise Unreadable(f"날짜를 읽을 수 없습니다 ({name}: {texts[name]})") from None


def mark(texts: Mapping[str, str], name: str) -> bool:
    """Return whether a mark is set: Y, against N or blank; a market may not have it at all."""
    text = texts.get(name, "")
    if text not in {"Y", "N", ""}:
        raise Unreadable(f"Y도 N도 아닙니다 ({name}: {text})")
    return text == "Y"


def read_index(line: bytes) -> IndexRecord:
    """Read a line of the index file. Raises Unreadable or UnicodeDecodeError."""
    match = INDEX_CODE.fullmatch(line[:INDEX_CODE_BYTES].decode("ascii"))
    name = line[INDEX_CODE_BYTES:INDEX_BYTES].decode("cp949").strip()
    if match is None or not name:
        raise Unreadable("지수코드나 지수명을 읽을 수 없습니다")
    return IndexRecord(match[1], match[2], name)


def unzip(data: bytes, *, name: str) -> bytes:
    """Return the one file inside a downloaded zip; `name` is that of the file without its ending.

    Raises KisUnreachable for a download that is no zip or a broken one, and KisReplyChanged for a zip that holds something
    else, or far more than it ever did.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].filename != f"{name}.mst" or members[0].flag_bits & 1:
                raise KisReplyChanged("zip", tr_id=name, problem="종목 마스터 압축 파일의 내용이 다릅니다")
            with archive.open(members[0]) as file:
                content = file.read(MAX_FILE_BYTES + 1)
    # A damaged directory also shows as a name that is no text, or a place before the beginning: ValueError.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise KisUnreachable("종목 마스터 압축 파일이 깨져 있습니다", tr_id=name) from None
    if len(content) > MAX_FILE_BYTES:
        raise KisReplyChanged("zip", tr_id=name, problem="종목 마스터 파일이 너무 큽니다")
    return content


def fetch(transport: Transport, name: str, *, base_url: str = BASE_URL) -> bytes:
    """Download a file and unzip it. No keys are sent to this host. Raises KisUnreachable or KisReplyChanged."""
    request = Request(
        method="GET", url=f"{base_url.rstrip('/')}/common/master/{name}.mst.zip", tr_id=name, headers={}
    )
    raw = transport.send(request, timeout_seconds=FETCH_TIMEOUT_SECONDS)
    if raw.status != OK:
        raise KisUnreachable(f"HTTP {raw.status} 응답", tr_id=name, status=raw.status)
    return unzip(raw.body, name=name)


def fetch_stocks(
    transport: Transport, market: Market, *, base_url: str = BASE_URL
) -> MasterFile[MasterRecord]:
    """Download the list of a market, refreshed daily. Raises KisUnreachable, and KisReplyChanged if no line can be read."""
    return refuse_empty(
        parse_stocks(fetch(transport, FILES[market], base_url=base_url), market), FILES[market]
    )


def fetch_indices(transport: Transport, *, base_url: str = BASE_URL) -> MasterFile[IndexRecord]:
    """Download the list of indices, as `fetch_stocks`."""
    return refuse_empty(parse_indices(fetch(transport, INDEX_FILE, base_url=base_url)), INDEX_FILE)


def refuse_empty(file: MasterFile[Record], name: str) -> MasterFile[Record]:
    """Raise KisReplyChanged when nothing could be read: an empty list would look like a market without stocks."""
    if not file.records:
        raise KisReplyChanged("mst", tr_id=name, problem="종목 마스터에서 읽을 수 있는 줄이 없습니다")
    return file
