"""The master files: what is read from their fixed widths, what is not, and what is refused as a download."""

import io
import zipfile
from datetime import date

import pytest

from kis.client.errors import KisReplyChanged, KisUnreachable
from kis.client.master import (
    MAX_FILE_BYTES,
    fetch_indices,
    fetch_stocks,
    parse_indices,
    parse_stocks,
    unzip,
)
from kis.client.protocol import RawReply

# Built field by field from kis-api.md section 13; `|` only shows where the fields end.
FLAGS = {"KOSPI": " |N|N|5|Y|Y|Y|0|Y|Y|N|N|N|N|{spac}|N|N|{hot}|N|N|N|N|N|N|N|Y", "KOSDAQ": None, "KONEX": ""}
FLAGS["KOSDAQ"] = "N|Y|Y|0| |N|N|N|N|{spac}|N|N|{hot}|N|N|N|N|N|N|N|Y"
TRADING = (
    "{base}|00001|00001|{halted}|{liquidating}|{managed}|{warning}|{announced}|{unfaithful}|N|{ex}|00|00|{margin}|Y|090"
    "|{volume}|{face}|{listed}|{shares}|000000000778046685000|12|{ipo}|{preferred}| |{surging}|Y"
)
RESULTS = "003053729|001467252|001532682|11884|000031.39|20260630|{cap}"
TAILS = {
    "KOSPI": f"{{group}}|1|0027|0013|0000|{FLAGS['KOSPI']}|{TRADING}|Y|{RESULTS}|511|N|N|N",
    "KOSDAQ": f"{{group}}|1|1009|1028|0000|{FLAGS['KOSDAQ']}|{TRADING}|{RESULTS}|LD2|N|N|N",
    "KONEX": f"{{group}}|{TRADING}|{RESULTS}|N|N|N",
}
FIELDS = {
    "group": "ST",
    "spac": "N",
    "hot": "0",
    "base": "000071000",
    "halted": "N",
    "liquidating": "N",
    "managed": "N",
    "warning": "00",
    "announced": "N",
    "unfaithful": "N",
    "ex": "00",
    "margin": "020",
    "volume": "000022517076",
    "face": "000000000100",
    "listed": "19750611",
    "shares": "000000005846278",
    "ipo": "       ",
    "preferred": "0",
    "surging": "N",
    "cap": "004180089",
}


def line(code="005930", name="삼성전자", isin="KR7005930003", *, market="KOSPI", **fields):
    tail = TAILS[market].format(**FIELDS | fields).replace("|", "")
    padding = " " * (40 - len(name.encode("cp949")))
    return f"{code:<9}{isin}{name}{padding}{tail}".encode("cp949")


def read(*lines, market="KOSPI"):
    return parse_stocks(b"\n".join(lines) + b"\n", market)


@pytest.mark.parametrize(("market", "width"), [("KOSPI", 227), ("KOSDAQ", 221), ("KONEX", 184)])
def test_lines_of_the_test_are_as_wide_as_the_real_ones(market, width):
    assert len(line(market=market)) == 9 + 12 + 40 + width


@pytest.mark.parametrize("market", ["KOSPI", "KOSDAQ", "KONEX"])
def test_line_of_each_market(market):
    [found] = read(line(market=market), market=market).records
    assert (found.market, found.code, found.isin, found.name) == (
        market,
        "005930",
        "KR7005930003",
        "삼성전자",
    )
    assert (found.group, found.base_price, found.unit, found.previous_volume) == ("ST", 71_000, 1, 22_517_076)
    assert (found.face_value, found.listed_on, found.thousand_shares) == (100, date(1975, 6, 11), 5_846_278)
    assert (found.market_cap, found.margin_rate, found.fiscal_month) == (4_180_089, 20, 12)
    assert (found.warning, found.preferred, found.ex_rights, found.credit) == ("00", "0", "00", True)
    assert {found.halted, found.liquidating, found.managed, found.unfaithful, found.surging} == {False}
    assert found.raw.startswith("005930   KR7005930003삼성전자")
    sectors = {"KOSPI": ("0027", "0013", "0000"), "KOSDAQ": ("1009", "1028", "0000"), "KONEX": ("", "", "")}
    assert (found.sector_large, found.sector_medium, found.sector_small) == sectors[market]
    assert found.overheated == ("" if market == "KONEX" else "0")


@pytest.mark.parametrize("market", ["KOSPI", "KOSDAQ"])
def test_marks_are_read_from_their_own_columns(market):
    every = {
        "halted": "halted",
        "liquidating": "liquidating",
        "managed": "managed",
        "announced": "warning_announced",
        "unfaithful": "unfaithful",
        "surging": "surging",
        "spac": "spac",
    }
    for field, name in every.items():
        [found] = read(line(market=market, **{field: "Y"}), market=market).records
        assert [other for other in every.values() if getattr(found, other)] == [name]
    [found] = read(line(market=market, warning="03", hot="2", ex="02", preferred="1"), market=market).records
    assert (found.warning, found.overheated, found.ex_rights, found.preferred) == ("03", "2", "02", "1")


@pytest.mark.parametrize(
    ("code", "isin", "name", "group"),
    [
        ("0126Z0", "KR70126Z0007", "삼성에피스홀딩스", "ST"),
        ("Q500001", "KRG500000013", "신한 인버스 WTI원유 선물 ETN(H)", "EN"),
        ("F70100026", "KR5701000261", "한투글로벌넥스트웨이브1(A)", "BC"),
        ("480020", "KR7480020007", "ACE 미국빅테크7+데일리타겟커버드콜(합성)", "EF"),  # all 40 bytes
    ],
)
def test_codes_with_letters_and_names_of_any_length(code, isin, name, group):
    [found] = read(line(code, name, isin, group=group)).records
    assert (found.code, found.isin, found.name, found.group) == (code, isin, name, group)


def test_blanks_and_zeros_are_nothing():
    blank = {"base": " " * 9, "volume": " " * 12, "listed": " " * 8, "shares": " " * 15, "halted": " "}
    [found] = read(line(**blank, margin="   ")).records
    assert (found.base_price, found.previous_volume, found.listed_on, found.thousand_shares) == (None,) * 4
    assert (found.margin_rate, found.halted) == (None, False)
    [found] = read(line(listed="00000000")).records
    assert found.listed_on is None


def test_line_ends_of_either_kind_and_blank_lines_do_not_matter():
    data = line() + b"\r\n\r\n" + line("000660", "SK하이닉스", "KR7000660001") + b"\n   \n"
    found = parse_stocks(data, "KOSPI")
    assert ([record.code for record in found.records], found.problems) == (["005930", "000660"], ())


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (line()[1:], "글자"),  # one byte lost: the ISIN now ends in half a letter
        (line()[-227:], "짧습니다"),
        (b"005930", "짧습니다"),
        (line(base="00007100x"), "base_price"),
        (line(listed="19750631"), "listed_on"),
        (line(halted="1"), "halted"),
        (line(isin="KR70059300 3"), "읽을 수 없는"),
        (line(name=""), "읽을 수 없는"),
        (line().replace("삼".encode("cp949"), b"\xff\xff"), "글자"),
        (line(group="한"), "글자"),
        (line(), "앞에도"),
    ],
)
def test_line_that_cannot_be_read_is_told_with_its_number(broken, why):
    found = read(line(), b"", broken, line("000660", "SK하이닉스", "KR7000660001"))
    assert [record.code for record in found.records] == ["005930", "000660"]
    [problem] = found.problems
    assert problem.line == 3
    assert why in problem.why


def test_first_of_two_lines_with_one_code_stays():
    [found] = read(line(), line(name="다른 이름")).records
    assert found.name == "삼성전자"


def index_line(code, name):
    return f"{code}{name}".encode("cp949").ljust(45)


def test_indices_have_a_digit_before_their_code():
    data = b"\n".join(
        [
            index_line("00001", "종합"),
            index_line("11001", "KOSDAQ"),
            index_line("44605", "코스피200 코스닥150 고정비중 5:5레버리지"),
            b"x",
            index_line("00002", ""),
            b"\xb0\xa1\xb0\xa1",
        ]
    )
    found = parse_indices(data)
    assert [(record.division, record.code, record.name) for record in found.records] == [
        ("0", "0001", "종합"),
        ("1", "1001", "KOSDAQ"),
        ("4", "4605", "코스피200 코스닥150 고정비중 5:5레버리지"),
    ]
    assert [problem.line for problem in found.problems] == [4, 5, 6]


# --- the download


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


class Shelf:
    """Answers with one download and remembers who asked for it how."""

    def __init__(self, body, status=200):
        self.reply = RawReply(status=status, headers={}, body=body)
        self.sent = []

    def send(self, request, *, timeout_seconds):
        self.sent.append(request)
        return self.reply


def test_download_carries_no_keys():
    shelf = Shelf(zipped(("kosdaq_code.mst", line(market="KOSDAQ") + b"\n")))
    found = fetch_stocks(shelf, "KOSDAQ")
    assert [record.code for record in found.records] == ["005930"]
    [request] = shelf.sent
    assert request.url == "https://new.real.download.dws.co.kr/common/master/kosdaq_code.mst.zip"
    assert (request.method, request.headers, request.params, request.body) == ("GET", {}, {}, None)


def test_download_may_come_from_elsewhere():
    shelf = Shelf(zipped(("idxcode.mst", index_line("00001", "종합"))))
    [found] = fetch_indices(shelf, base_url="http://127.0.0.1:9443/").records
    assert found.code == "0001"
    assert shelf.sent[0].url == "http://127.0.0.1:9443/common/master/idxcode.mst.zip"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_answer_that_is_no_file_may_be_asked_again(status):
    with pytest.raises(KisUnreachable, match=str(status)):
        fetch_stocks(Shelf(b"", status), "KOSPI")


def test_file_without_a_readable_line_is_no_empty_market():
    shelf = Shelf(zipped(("kospi_code.mst", b"<html>\n")))
    with pytest.raises(KisReplyChanged, match="읽을 수 있는 줄이 없습니다"):
        fetch_stocks(shelf, "KOSPI")


WHOLE = zipped(("kospi_code.mst", b"abc" * 1000))


def damaged(at, value):
    data = bytearray(WHOLE)
    data[at] = value
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>Not Found</html>",
        WHOLE[:-30],
        WHOLE[30:],
        damaged(50, WHOLE[50] ^ 255),  # the content is not what its checksum says
        damaged(-5, 200),  # the directory lies before the beginning
    ],
)
def test_broken_download_may_be_asked_again(data):
    with pytest.raises(KisUnreachable, match="깨져"):
        unzip(data, name="kospi_code")


@pytest.mark.parametrize(
    "data",
    [
        zipped(),
        zipped(("other.mst", b"abc")),
        zipped(("../kospi_code.mst", b"abc")),
        zipped(("kospi_code.mst", b"abc"), ("more.txt", b"abc")),
        zipped(("kospi_code.mst", b"0" * (MAX_FILE_BYTES + 1))),
        WHOLE.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"),
    ],
    ids=["nothing", "another name", "another folder", "two", "too large", "encrypted"],
)
def test_download_of_something_else_is_refused(data):
    with pytest.raises(KisReplyChanged):
        unzip(data, name="kospi_code")


def test_file_of_the_largest_size_is_taken():
    content = b"0" * MAX_FILE_BYTES
    assert unzip(zipped(("kospi_code.mst", content)), name="kospi_code") == content
