"""Files that the site reads: statements of KB Securities, what is noted beside orders, and what a simulator remembers."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyrage import x25519

from aegis.backup.archive import HEADER, Member, members_of, open_envelope, write_archive
from aegis.backup.building import Header
from aegis.backup.errors import BackupError
from aegis.backup.sealing import seal_for_recipient
from kis import demo_host
from kis.simulator.errors import SimulatorError
from kis.simulator.exchange import Exchange
from kis.simulator.gateway import Credentials, Gateway
from kis.simulator.ledger import Account
from kis.simulator.market import Market, read_market
from kis.simulator.server import MODES, Simulator, SimulatorConfig
from kis.simulator.state import read_state, restore
from kis.statements.lines import text_of
from kis.statements.load import Outcome, load_file
from tests.fuzz.hostile import DAYS, Hostile, at, places_in
from tests.fuzz.throwing import KOREAN, Wrong, rows_of, taken_back
from tests.kis.conftest import TEN_ON_FRIDAY
from tests.kis.kb_files import BOUGHT, HOLDINGS_HEADER, SAMSUNG, TRADES_HEADER, sample, xlsx
from trading import hint, journal, kill_switch
from trading.order_command import waiting_account

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KB_TABLES = ("kb_statement", "kb_holding", "kb_trade")
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "cp949",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "utf-7",
    "johab",
)
SAMPLES = ("holdings.csv", "trades.csv", "messy.csv", "trades_two_lines.csv")
#: What a spreadsheet can hold that is no export.
PARTS = (
    *(
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/styles.xml",
        "xl/_rels/workbook.xml.rels",
    ),
    *("_rels/.rels", "docProps/app.xml", "xl/sharedStrings.xml"),
)
OTHERS = (
    *(
        b"",
        b"\0",
        b"\xef\xbb\xbf",
        b"PK\x03\x04",
        b"PK\x05\x06" + b"\0" * 18,
        b"%PDF-1.7\n%%EOF",
        b"GIF89a",
        b"Rar!\x1a\x07",
    ),
    *(
        b"<html><table><tr><td>\xec\x9e\x94\xea\xb3\xa0</td></tr></table></html>",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    ),
    *(
        b'"' * 5000,
        b"," * 200_000,
        b"\n" * 200_000,
        b"\r" * 1000,
        b"a" * 300_000,
        b"\xd0\xcf\x11\xe0" + b"\0" * 600,
    ),
)


def statement_file(hostile: Hostile) -> bytes:
    """Return what somebody may put in the folder for statements, or upload."""
    make: Callable[[], bytes] = hostile.one_of(
        lambda: hostile.random.choice([*OTHERS, hostile.junk(), hostile.bomb()]),
        *[lambda: hostile.damaged(sample(hostile.of(SAMPLES)))] * 2,
        lambda: text_of(sample(hostile.of(SAMPLES))).encode(hostile.of(ENCODINGS), "replace"),
        *[lambda: table(hostile)] * 3,
        lambda: workbook(hostile),
        lambda: hostile.damaged(workbook(hostile)),
        lambda: rewritten(hostile),
    )
    return make()


def table(hostile: Hostile) -> bytes:
    """Return a table whose cells are hostile, whose head has columns twice, missing or in another order."""
    head, row = hostile.one_of((HOLDINGS_HEADER, SAMSUNG), (TRADES_HEADER, BOUGHT))
    head = [hostile.text(name) if hostile.chance(0.05) else name for name in head]
    if hostile.chance(0.2):
        hostile.random.shuffle(head)
    lines = [
        hostile.one_of(
            ["조회일자", hostile.of(DAYS)], ["계좌번호", hostile.text("123-456-789-01")], [hostile.text()]
        ),
        head,
    ]
    lines += [
        [hostile.text(cell) if hostile.chance(0.3) else cell for cell in row] for _ in range(hostile.count(6))
    ]
    lines = [[cell.encode("utf-8", "replace").decode() for cell in line] for line in lines]
    encoding = hostile.of(ENCODINGS[:4])
    delimiter = hostile.one_of(",", ",", "\t", ";", "|")
    return "\n".join(delimiter.join(line) for line in lines).encode(encoding, "replace")


def workbook(hostile: Hostile) -> bytes:
    """Return a workbook with formulas, dates, errors and numbers that no export has."""
    cells: list[Any] = [
        *(
            "=1+1",
            '=HYPERLINK("http://x")',
            "=A1:B9",
            "#REF!",
            True,
            None,
            1e300,
            -1e300,
            10**15,
            0.1,
            "삼성전자",
        ),
        *(datetime(1900, 1, 1), datetime(9999, 12, 31), 2958466, -1),  # noqa: DTZ001  # as a workbook holds them
    ]
    head, row = hostile.one_of((HOLDINGS_HEADER, SAMSUNG), (TRADES_HEADER, BOUGHT))
    lines = [
        head,
        *(
            [hostile.of(cells) if hostile.chance(0.4) else cell for cell in row]
            for _ in range(hostile.count(4))
        ),
    ]
    return xlsx(lines, *[[["x"]]] * hostile.one_of(0, 0, 1, 25))


def rewritten(hostile: Hostile) -> bytes:
    """Return a zip with the parts of a workbook, one of them something else."""
    bombs = (
        b"<worksheet><sheetData>"
        + b"<row r='1'><c r='A1'><v>1</v></c></row>" * 20_000
        + b"</sheetData></worksheet>",
        b"<worksheet><dimension ref='A1:XFD1048576'/><sheetData><row r='1048576'><c r='XFD1048576'><v>1</v></c></row></sheetData></worksheet>",
        b"<!DOCTYPE x [<!ENTITY a '" + b"a" * 1000 + b"'>]><worksheet>&a;&a;</worksheet>",
        b"<" * 200_000,
        b"0" * 40_000_000,
        b"",
    )
    parts = {name: hostile.of(bombs) if hostile.chance(0.3) else b"<x/>" for name in PARTS}
    if hostile.chance(0.2):
        parts[
            hostile.one_of("../../evil", "xl/vbaProject.bin", "xl/worksheets/sheet1.xml/../x", "가" * 300)
        ] = b"x"
    return hostile.archive(parts)


class Statements:
    """Statements of KB Securities, shown or saved."""

    name = "files: KB Securities"

    def throw(self, hostile: Hostile) -> bool:
        data = statement_file(hostile)
        name = hostile.text("잔고_20261120.xlsx", "kb.csv")[:2000]
        account = "" if hostile.chance(0.6) else hostile.text("ISA", "123-456-789-01")[:2000]
        save = hostile.chance(0.4)
        hostile.about = f"{name!r} {account!r} {data[:200]!r}"
        with taken_back():
            before = rows_of(KB_TABLES)
            result = load_file(data, now=NOW, name=name, account=account, save=save)
            if result.outcome is not Outcome.SAVED and rows_of(KB_TABLES) != before:
                raise Wrong(f"{result.outcome} and yet written")
        if result.outcome is Outcome.REFUSED and not KOREAN.search(result.reason):
            raise Wrong(f"no Korean: {result.reason}")
        for problem in result.problems:
            if not KOREAN.search(problem.reason):
                raise Wrong(f"no Korean: {problem}")
        return result.outcome is Outcome.REFUSED


def spoilt_json(hostile: Hostile, good: Any) -> bytes:
    """Return a document with a few values changed or missing, or no document any more."""
    body = deepcopy(good)
    for _ in range(hostile.count(3)):
        places = places_in(body)
        if not places:
            break
        path = hostile.of(places)
        if hostile.chance(0.2):
            del at(body, path[:-1])[path[-1]]
        else:
            at(body, path[:-1])[path[-1]] = hostile.value(at(body, path))
    hostile.about = f"{json.dumps(body)[:300]}"
    data = hostile.document(body)
    return hostile.damaged(data) if hostile.chance(0.1) else data


class BesideOrders:
    """The hint, the journal and the file of the kill switch."""

    name = "files: beside orders"

    def __init__(self, order: Any) -> None:
        self.order = order
        self.hint = {
            "id": order.pk,
            "mode": "real",
            "account": "1234****-01",
            "order": "매수",
            "expires_at": "2026-11-20T10:03:00+09:00",
        }
        self.line = {
            "order": order.pk,
            "key": journal.key_of(order),
            "state": "accepted",
            "at": "2026-11-20T10:00:00+09:00",
            "reason": "",
            "branch": "06010",
            "number": "0000117943",
        }

    def throw(self, hostile: Hostile) -> bool:
        hint.file().parent.mkdir(parents=True, exist_ok=True)
        if hostile.chance(0.4):
            hint.file().write_bytes(spoilt_json(hostile, self.hint))
            found = hint.read()
            waiting_account("real")
            return found is None
        lines = [spoilt_json(hostile, self.line) for _ in range(hostile.count(3, 1))]
        journal.file().write_bytes(b"\n".join(lines))
        found_lines = list(journal.read())
        journal.last_of(self.order)
        kill_switch.read()
        return not found_lines


class SimulatorMemory:
    """The file that a simulator remembers its market and accounts by, and the note about a running one."""

    name = "files: simulator"

    def __init__(self, folder: Path) -> None:
        self.file = folder / "state.json"
        with Simulator(SimulatorConfig(clock=TEN_ON_FRIDAY, speed=0, state_file=self.file, limits=False)):
            pass
        self.good = json.loads(self.file.read_text(encoding="utf-8"))
        self.credentials = {mode: Credentials.fixed(mode, "") for mode in MODES}
        self.note = {
            "pid": 1,
            "market_dir": "",
            "clock": "2026-11-20T10:00:00+09:00",
            "real_clock": "2026-11-20T10:00:00+09:00",
            "speed": 1.0,
            "sides": {mode: {"url": "x", "ws": "x", "account": "12345678-01"} for mode in MODES},
        }

    def throw(self, hostile: Hostile) -> bool:
        if hostile.chance(0.15):
            demo_host.note_file().parent.mkdir(parents=True, exist_ok=True)
            demo_host.note_file().write_bytes(spoilt_json(hostile, self.note))
            return demo_host.running() is None
        self.file.write_bytes(spoilt_json(hostile, self.good))
        exchange = Exchange(Market(), [Account(mode, self.credentials[mode].account) for mode in MODES])
        gateways: Any = {
            mode: Gateway(self.credentials[mode], other_app_key="x", rate=None) for mode in MODES
        }
        try:
            state = read_state(self.file)
            if state is None:
                return True
            restore(state, self.file, exchange=exchange, gateways=gateways)
        except SimulatorError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        return False


class Backups:
    """Files that are to be restored: spoilt outside, or made by somebody with something else in them."""

    name = "files: backups"
    HEADER: dict[str, Any] = {
        "version": "0.1.0",
        "created_at": "2026-11-20T10:00:00+09:00",
        "demo": False,
        "migrations": {"kis": ["0001_books"]},
        "tables": [{"name": "kis_account", "columns": ["id"]}],
    }

    def __init__(self, folder: Path) -> None:
        self.file = folder / "books.aegis"
        self.owner = x25519.Identity.generate()
        self.good = self.made(json.dumps(self.HEADER).encode())

    def made(self, header: bytes, rows: bytes = b"[1]\n") -> bytes:
        self.file.unlink(missing_ok=True)
        members = [Member(HEADER, header), Member("tables/kis_account/000001.jsonl", rows)]
        write_archive(
            self.file, members, seal=seal_for_recipient(str(self.owner.to_public())), about={}, at=0
        )
        return self.file.read_bytes()

    def throw(self, hostile: Hostile) -> bool:
        if hostile.chance(0.6):
            self.file.write_bytes(hostile.damaged(self.good))
        else:
            self.made(spoilt_json(hostile, self.HEADER), hostile.junk())
        try:
            with members_of(open_envelope(self.file), self.owner) as members:
                Header.read(next(members, Member("", b"")))
                for _ in members:
                    pass
        except BackupError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        return False


class MarketFolders:
    """Real prices that a simulator is to replay."""

    name = "files: prices to replay"
    STOCKS = "code,name,market,sector\n005930,삼성전자,KOSPI,전기·전자\n000660,SK하이닉스,KOSPI,전기·전자\n"
    PRICES = (
        "code,date,open,high,low,close,volume\n005930,2026-11-18,71000,71500,70500,71200,1000\n"
        "005930,2026-11-19,71200,71900,71000,71500,1200\n000660,2026-11-19,0,0,0,240000,0\n"
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def throw(self, hostile: Hostile) -> bool:
        texts = {"stocks.csv": self.STOCKS, "krx_daily.csv": self.PRICES}
        spoilt: dict[str, Callable[[bytes], bytes]] = {
            "cell": lambda data: self.with_cell(hostile, data),
            "file": hostile.damaged,
        }
        name = hostile.of(texts)
        for file, text in texts.items():
            data = text.encode()
            if file == name:
                data = spoilt["cell" if hostile.chance(0.7) else "file"](data)
                hostile.about = f"{file}: {data[-300:]!r}"
            (self.folder / file).write_bytes(data)
        try:
            market = read_market(self.folder, seed=1)
            for code in list(market.listings)[:2]:
                market.quote(code, TEN_ON_FRIDAY)
        except SimulatorError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        return False

    def with_cell(self, hostile: Hostile, data: bytes) -> bytes:
        lines = [line.split(",") for line in data.decode().splitlines()]
        line = hostile.of(lines[1:])
        place = hostile.count(len(line) - 1)
        line[place] = hostile.one_of(hostile.of(DAYS), hostile.text(line[place]), hostile.text())
        return "\n".join(",".join(line) for line in lines).encode("utf-8", "surrogatepass")
