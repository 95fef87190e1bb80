"""Files of KB Securities: what is read, what is listed instead, and what is not opened at all."""

import io
import json
import random
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest

from kis.statements import cells
from kis.statements.kb import read_statement
from kis.statements.kinds import kind_of
from kis.statements.lines import MAX_BYTES, MAX_LINES
from kis.statements.rows import TradeKind
from tests.kis import kb_files
from tests.kis.kb_files import (
    BOUGHT,
    HOLDINGS_HEADER,
    SAMPLES,
    SAMSUNG,
    TRADES_HEADER,
    as_values,
    csv_file,
    sample,
)


def the_row(data):
    """Read a file of one row without problems."""
    statement = read_statement(data)
    assert statement.problems == ()
    (row,) = statement.rows
    return row


def refusal(data):
    """Return why a file is not read at all."""
    statement = read_statement(data)
    assert not statement.is_statement
    assert statement.rows == ()
    (problem,) = statement.problems
    assert (problem.line, problem.taken) == (0, False)
    return problem.reason


def reasons(data):
    return [(problem.line, problem.reason) for problem in read_statement(data).problems]


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.csv")))
def test_sample_is_read_as_written_beside_it(name):
    expected = json.loads((SAMPLES / f"{name}.expected.json").read_text(encoding="utf-8"))
    statement = read_statement(sample(f"{name}.csv"))
    rows = [as_values(row) for row in statement.rows]
    assert {row.pop("account", "") for row in rows} == {expected["account"]}
    assert rows == expected["rows"]
    assert [[p.line, p.reason, p.taken] for p in statement.problems] == expected["problems"]
    assert statement.account == expected["account"]
    assert (statement.as_of.isoformat() if statement.as_of else None) == expected["as_of"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_text_is_read_in_every_code_and_with_every_delimiter(encoding, delimiter):
    held = the_row(csv_file(HOLDINGS_HEADER, SAMSUNG, encoding=encoding, delimiter=delimiter))
    assert (held.name, held.quantity, held.profit) == ("삼성전자", 10, -25_000)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(ending):
    data = kb_files.text(HOLDINGS_HEADER, SAMSUNG, SAMSUNG).replace("\n", ending).encode()
    assert [row.line for row in read_statement(data).rows] == [2, 3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", 1234),
        ("１，２３４", 1234),
        ("(1,234)", -1234),
        ("△1,234", -1234),
        ("▲1,234", -1234),
        ("▼1,234", -1234),
        ("1,234-", -1234),
        ("−1,234", -1234),
        ("－１２３４", -1234),
        ("+1,234", 1234),
        ("₩1,234", 1234),
        ("-1,234원", -1234),
        ("1,234.00", 1234),
        (" 1 234 ", 1234),
        ("'1234", 1234),
        ('="1234"', 1234),
        ("0", 0),
        ("-", None),
        ("–", None),
        ("", None),
        ("  ", None),
        ("N/A", None),
    ],
)
def test_amount_is_read_however_it_is_written(text, value):
    assert cells.won(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "12x",
        "1,23,4",
        "1.2.3",
        "--5",
        "(-5)",
        "-5-",
        "▼▼5",
        "=A1",
        "1.5E+10",
        "#VALUE!",
        "٣",
        "1" * 50,
        "9" * 16,
    ],
)
def test_what_is_no_amount_is_never_read_as_one(text):
    with pytest.raises(cells.Unreadable):
        cells.won(text)


def test_amount_with_a_fraction_is_not_taken_for_won():
    with pytest.raises(cells.Unreadable, match="외화"):
        cells.won("542.63")


def test_arrow_up_is_plus_beside_an_arrow_down():
    rising, falling = [*SAMSUNG[:4], "", "", "", "▲500"], [*SAMSUNG[:4], "", "", "", "▼500"]
    statement = read_statement(kb_files.holdings(rising, falling))
    assert [row.profit for row in statement.rows] == [500, -500]


@pytest.mark.parametrize(("value", "profit"), [("750000", 25_000), ("700000", -25_000)])
def test_arrow_up_alone_means_what_value_and_cost_say(value, profit):
    row = [*SAMSUNG[:5], "", value, "▲25000"]
    assert the_row(kb_files.holdings(row)).profit == profit


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20", "2026.11.20", "2026.11.20.", "20261120", "2026/11/20", "2026/11/20(금)", "46346",
        "2026-11-20 09:01:33", "2026.11.20 15:30", "２０２６－１１－２０", "2026년 11월 20일", "'20261120",
    ],
)  # fmt: skip
def test_day_is_read_however_it_is_written(text):
    assert cells.day(text) == date(2026, 11, 20)


@pytest.mark.parametrize(
    "text", ["2026-13-01", "2026-02-30", "1926-11-20", "26-11-20", "11/20/2026", "12345", "어제"]
)
def test_what_is_no_day_is_never_read_as_one(text):
    with pytest.raises(cells.Unreadable):
        cells.day(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("005930", "005930"),
        ("A005930", "005930"),
        ("5930", "005930"),
        ("5930.0", "005930"),
        ("247540.0", "247540"),
        ("00680K", "00680K"),
        ("0080G0", "0080G0"),
        ("A0080G0", "0080G0"),
        ("Q570012", "Q570012"),
        ("J52M1B1", "52M1B1"),
        ("KR7005930003", "005930"),
        ("US0378331005", "US0378331005"),
        ('="005930"', "005930"),
        ("'005930", "005930"),
        ("００５９３０", "005930"),
        ("-", ""),
    ],
)
def test_code_is_read_however_it_is_written(text, code):
    assert cells.stock_code(text) == code


@pytest.mark.parametrize("text", ["KR7005930004", "AAPL", "0", "000000", "5930X9Z", "5.93E+03", "삼성전자"])
def test_what_is_no_code_is_never_read_as_one(text):
    with pytest.raises(cells.Unreadable):
        cells.stock_code(text)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("주식장내매수", TradeKind.BUY),
        ("KOSDAQ매도", TradeKind.SELL),
        ("매수(현금)", TradeKind.BUY),
        ("자기매도상환 매도", TradeKind.SELL),
        ("전자금융입금", TradeKind.DEPOSIT),
        ("전자금융송금 출금", TradeKind.WITHDRAWAL),
        ("배당금 입금", TradeKind.DIVIDEND),
        ("ETF분배금입금", TradeKind.DIVIDEND),
        ("배당주 입고", TradeKind.SHARES_IN),
        ("배당세금추징 출금", TradeKind.TAX),
        ("해외원천세 환급 입금", TradeKind.TAX),
        ("예탁금이용료 입금", TradeKind.INTEREST),
        ("타사대체 입고", TradeKind.SHARES_IN),
        ("액면분할 출고", TradeKind.SHARES_OUT),
        ("글로벌원마켓플러스외화매수 출금", TradeKind.EXCHANGE),
        ("ADR FEE 출금", TradeKind.FEE),
        ("단수주매각대금 입금", TradeKind.OTHER),
        ("주식장내매수취소", None),
        ("매매제한(출고포함)등록 출고", None),
        ("포인트전환", None),
        ("", None),
    ],
)
def test_words_of_a_transaction_are_understood_or_not_guessed(words, kind):
    assert kind_of(words) is kind


def test_columns_are_found_by_name_in_any_order_beside_any_others():
    header = ["No", "평가금액(원)", "비고", "보유 수량", "종목 코드", "평균단가", "종목명", "등락률"]
    row = the_row(csv_file(header, ["1", "700000", "메모", "10", "A005930", "72500", "삼성전자", "1.2%"]))
    assert as_values(row) == {
        "line": 2,
        "code": "005930",
        "name": "삼성전자",
        "quantity": "10",
        "average": "72500",
        "value": 700_000,
    }


def test_web_history_has_money_in_and_out_in_columns_of_their_own():
    header = [
        "거래일",
        "내용",
        "종목명",
        "수량",
        "단가",
        "입금/입고/매도",
        "출금/출고/매수",
        "예수금잔액(원)",
    ]
    statement = read_statement(
        kb_files.xlsx(
            [
                header,
                ["2026-11-02", "이체", "", "", "", "", "70,000", "0"],
                ["2026-11-03", "주식장내매수", "삼성전자", "10", "72,500", "", "725,120", "0"],
                ["2026-11-10", "주식장내매도", "삼성전자", "8", "74,300", "593,114", "", "0"],
                ["2026-11-12", "배당금 입금", "삼성전자", "", "", "3,060", "", "0"],
                ["2026-11-13", "배당금 입금", "삼성전자", "", "", "", "3,060", "0"],
                ["합계", "", "", "", "", "", "", ""],
            ]
        )
    )
    assert [(row.kind, row.net) for row in statement.trades] == [
        (TradeKind.OTHER, -70_000),
        (TradeKind.BUY, -725_120),
        (TradeKind.SELL, 593_114),
        (TradeKind.DIVIDEND, 3_060),
    ]
    assert [(p.line, p.reason) for p in statement.problems] == [
        (6, "거래구분과 입출금 칸의 방향이 다릅니다.")
    ]


def test_second_column_decides_only_what_the_first_leaves_open():
    header = ["거래일자", "거래구분", "적요", "종목명", "거래금액", "정산금액"]
    statement = read_statement(
        csv_file(
            header,
            ["2026-11-02", "이체", "은행이체 출금", "", "1000", "1000"],
            ["2026-11-02", "입금", "배당금", "삼성전자", "1000", "846"],
            ["2026-11-02", "출금", "적금 매수", "", "1000", "1000"],
        )
    )
    assert [(row.kind, row.net) for row in statement.trades] == [
        (TradeKind.WITHDRAWAL, -1000),
        (TradeKind.DIVIDEND, 846),
        (TradeKind.WITHDRAWAL, -1000),
    ]


def test_balance_of_two_lines_a_stock_with_gaps_between_columns():
    """Merged cells leave columns empty, and a table of totals stands above the stocks."""
    statement = read_statement(
        kb_files.xlsx(
            [
                ["계좌번호: 123-456-789-01 홍길동"],
                ["총매입금액", None, "총평가금액", None, "총평가손익"],
                [725000, None, 700000, None, -25000],
                [None],
                [
                    "종목명",
                    None,
                    "평가손익",
                    None,
                    "손익률",
                    "보유잔고",
                    None,
                    "평균단가",
                    "현재가",
                    "매입금액",
                ],
                [None, None, "평가금액", None, "투자비중", "매도가능", None, "수수료", "제세금", "신용금액"],
                ["삼성전자", None, -25000, None, -3.45, 10, None, 72500.0, 70000, 725000],
                [None, None, 700000, None, 100.0, 10, None, 105, 1260, None],
                ["NAVER", None, 5000, None, 2.5, 1, None, 200000.3333, 205000, 200000],
                ["합계", None, -20000],
            ]
        )
    )
    held = statement.holdings[0]
    assert (held.name, held.quantity, held.average, held.value) == (
        "삼성전자",
        Decimal(10),
        Decimal(72_500),
        700_000,
    )
    assert statement.account == "12345678901"
    assert [(p.line, p.reason) for p in statement.problems] == [(9, "두 줄로 된 기록의 아랫줄이 없습니다.")]


def test_cells_of_a_workbook_are_read_by_type():
    day = datetime(2026, 11, 3)  # noqa: DTZ001  # a spreadsheet knows no time zones
    bought = [day, "매수", "삼성전자", 10, 72500.5, 725005, 120, None, 725125]
    row = the_row(kb_files.xlsx([TRADES_HEADER, bought]))
    assert (row.traded_on, row.price, row.tax) == (date(2026, 11, 3), Decimal("72500.5"), None)


def test_formula_is_never_computed_but_listed():
    formula = [*BOUGHT[:5], "=D2*E2", *BOUGHT[6:]]
    assert reasons(kb_files.xlsx([TRADES_HEADER, BOUGHT, formula])) == [
        (3, "거래금액 '=D2*E2'을(를) 읽을 수 없습니다: 수식은 읽지 않습니다. 값으로 저장해 주세요.")
    ]


def test_every_sheet_is_read_and_one_without_a_table_is_named():
    statement = read_statement(
        kb_files.xlsx(
            [HOLDINGS_HEADER, SAMSUNG], [TRADES_HEADER, BOUGHT, [*BOUGHT[:3], "x", *BOUGHT[4:]]], [["메모"]]
        )
    )
    assert (len(statement.holdings), len(statement.trades)) == (1, 1)
    assert [(p.sheet, p.line) for p in statement.problems] == [("Sheet1", 3), ("Sheet2", 1)]


@pytest.mark.parametrize(
    ("title", "account"),
    [
        (["계좌번호 : 123-456-789 [01]"], "12345678901"),
        (["계좌", "", "123-456-789-01"], "12345678901"),
        (["123-456-789-01 홍길동"], "12345678901"),
        (["계좌번호: 123-***-789-01"], "123***78901"),
        (["조회기간 2026-11-01 ~ 2026-11-20"], ""),
        (["고객센터 1588-6611"], ""),
        (["계좌구분", "위탁", "조회일자 20261120"], ""),
        (["계좌명", "홍길동", "20261120"], ""),
        (["[위탁계좌] 123-456-789-01"], "12345678901"),
    ],
)
def test_account_is_found_above_the_table(title, account):
    assert read_statement(kb_files.trades(BOUGHT, title=title)).account == account


def test_name_alone_in_a_line_is_no_remark():
    assert reasons(csv_file(HOLDINGS_HEADER, SAMSUNG, ["NAVER"], ["정상적으로 조회되었습니다."])) == [
        (3, "수량이 비어 있습니다.")
    ]


@pytest.mark.parametrize(
    ("kind", "quantity", "price", "amount"),
    [("채권장내매수", "5000", "9800", "4900000"), ("매수", "1234567", "1050.25", "1296604")],
)
def test_bonds_and_funds_are_quoted_for_many(kind, quantity, price, amount):
    assert (
        the_row(
            kb_files.trades(["2026-11-03", kind, "국고채", quantity, price, amount, "0", "0", amount])
        ).kind
        is TradeKind.BUY
    )


@pytest.mark.parametrize(
    ("title", "as_of"),
    [
        (["출력일시: 2026-11-21", "조회기준일: 2026-11-20"], date(2026, 11, 20)),
        (["계좌개설일자 2010-01-04", "조회일자 2026-11-20"], date(2026, 11, 20)),
        (["계좌개설일자 2010-01-04"], None),
        (["조회일자: 2026-11-20"], date(2026, 11, 20)),
        (["출력일자:", "2026년11월20일"], date(2026, 11, 20)),
        (["기준일", "", "20261120"], date(2026, 11, 20)),
        (["조회기간: 2026-11-01 ~ 2026-11-20"], None),
        (["조회일자", "2026-11-01 ~ 2026-11-20"], None),
        (["잔고"], None),
    ],
)
def test_day_of_a_balance_is_found_above_the_table(title, as_of):
    assert read_statement(kb_files.holdings(SAMSUNG, title=title)).as_of == as_of


def test_holder_of_the_account_is_never_kept():
    statement = read_statement(sample("holdings.csv"))
    assert "홍길동" not in repr(statement)


def test_account_number_in_a_listed_line_is_hidden():
    row = ["2026-11-03", "모르는거래", "123-456-789-01 홍길동", *BOUGHT[3:]]
    (problem,) = read_statement(kb_files.trades(row)).problems
    assert "123-***-***" in problem.text
    assert "456" not in problem.text


def test_total_that_differs_from_the_rows_is_said_to_the_won():
    total = ["합계", "", "", "", "725000", "", "700001", "-25000"]
    (problem,) = read_statement(kb_files.holdings(SAMSUNG, total)).problems
    assert problem.taken
    assert problem.reason == "합계 줄의 평가금액 700,001원과 읽은 줄의 합 700,000원이 1원 다릅니다."


def test_header_repeated_on_the_next_page_is_no_row():
    data = csv_file(TRADES_HEADER, BOUGHT, TRADES_HEADER, BOUGHT)
    assert [row.line for row in read_statement(data).rows] == [2, 4]
    assert reasons(data) == []


def test_stray_quote_swallows_no_other_row():
    stray = [*BOUGHT[:2], '"삼성전자', *BOUGHT[3:]]
    statement = read_statement(csv_file(TRADES_HEADER, BOUGHT, stray, *[BOUGHT] * 9))
    assert [row.line for row in statement.rows] == [2, *range(4, 13)]
    assert [problem.line for problem in statement.problems] == [3]


def test_rows_joined_by_two_stray_quotes_are_listed_with_their_words():
    stray = [*BOUGHT[:2], '"삼성', *BOUGHT[3:]]
    statement = read_statement(csv_file(TRADES_HEADER, stray, BOUGHT, stray, BOUGHT))
    assert [row.line for row in statement.rows] == [5]
    assert [problem.line for problem in statement.problems] == [2]


def test_thousands_without_quotes_are_noticed():
    slipped = ["2026-11-03", "매수", "삼성전자", "10", "72,500", "725,000", "120", "0", "725,120"]
    ((line, reason),) = reasons(kb_files.trades(slipped))
    assert line == 3
    assert "쉼표" in reason


def test_name_cut_in_the_middle_of_a_letter_is_taken_with_a_remark():
    data = csv_file(TRADES_HEADER, BOUGHT, encoding="cp949").replace(
        "전자".encode("cp949"), "전자".encode("cp949")[:-1]
    )
    statement = read_statement(data)
    assert [row.name for row in statement.rows] == ["삼성전"]
    assert [(p.line, p.taken, p.reason) for p in statement.problems] == [
        (2, True, "종목명의 깨진 글자를 지우고 담았습니다.")
    ]


def test_statement_without_rows_is_a_statement():
    statement = read_statement(csv_file(TRADES_HEADER))
    assert (statement.is_statement, statement.has_trades, statement.rows, statement.problems) == (
        True,
        True,
        (),
        (),
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "빈 파일"),
        (b"\xef\xbb\xbf\r\n", "빈 파일"),
        (b"\0" * 100, "빈 파일"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "옛 xls"),
        (b"\x1f\x8b\x08\x00 archive", "압축"),
        (b"<html><table><tr><td>\xec\xa2\x85</td></tr></table></html>", "HTML"),
        (b"<?xml version='1.0'?><Workbook/>", "HTML"),
        (b"name,price\nabc,1\n", "KB증권 잔고나 거래내역 파일이 아닙니다"),
        (kb_files.trades(BOUGHT).replace(b"120", b"1\x0020"), "NUL"),
        (random.Random(7).randbytes(4000).replace(b"\0", b"x"), "깨져"),
        (b"PK\x03\x04" + b"x" * 100, "손상"),
        (b"," * 200 + b"\n", "KB증권 잔고나"),
        (csv_file(["a"] * 101, ["b"] * 101), "칸이 너무 많습니다"),
        (b"x\n" * (MAX_LINES + 1), "줄이 너무 많습니다"),
        (b"x" * (MAX_BYTES + 1), "너무 큽니다"),
        (kb_files.trades(["x" * 200_000]), "칸 하나가 너무 깁니다"),
        (csv_file(["거래일시", "적요", "보낸분", "출금액", "입금액", "잔액"], ["2026.11.02", "이체", "홍길동", "0", "1", "1"]), "KB증권 잔고나"),
        (csv_file(["종목번호", "종목명", "매매구분", "체결수량"], ["005930", "삼성전자", "매수", "10"]), "KB증권 잔고나"),
        (csv_file(["매매일자", "종목명", "매매구분", "체결수량", "체결단가", "실현손익"], ["2026-11-10", "삼성전자", "매도", "8", "74300", "1"]), "실현손익"),
        (kb_files.holdings(SAMSUNG, title=["한국투자증권 잔고"]), "한국투자증권"),
    ],
)  # fmt: skip
def test_what_is_no_statement_ends_in_one_sentence(data, words):
    assert words in refusal(data)


def test_balance_may_show_realised_profits():
    assert the_row(csv_file([*HOLDINGS_HEADER, "실현손익"], [*SAMSUNG, "0"])).quantity == 10


def test_name_of_another_broker_may_stand_in_the_title_of_a_kb_file():
    assert read_statement(kb_files.holdings(SAMSUNG, title=["KB증권", "입고: 키움증권"])).rows


def packed(changes=None, *, drop=(), **extra):
    """Return an honest xlsx with parts changed, left out or added."""
    source = zipfile.ZipFile(io.BytesIO(kb_files.xlsx([TRADES_HEADER, [*BOUGHT[:8], 725120]])))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            if name not in drop:
                content = source.read(name)
                archive.writestr(name, changes(name, content) if changes else content)
        for name, content in extra.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return file.getvalue()


def in_sheet(old, new):
    return lambda name, content: content.replace(old, new) if "worksheets" in name else content


SHEET_END = b"</sheetData>"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed(xl__vbaProject_dot_bin=b"macro"), "매크로"),
        (packed(drop=("xl/workbook.xml",)), "엑셀(xlsx) 파일이 아닙니다"),
        (packed(xl__zeros_dot_bin=b"\0" * 64 * 1024 * 1024), "너무 커지는"),
        (packed(in_sheet(SHEET_END, b"<row/>" * 3_000_000 + SHEET_END)), "너무 커지는"),
        (packed(in_sheet(SHEET_END, b"<row r='9'>" + b"<c/>" * 6_000 + b"</row>" + SHEET_END)), "칸이 너무 많습니다"),
        (packed(in_sheet(SHEET_END, b"<row r='9'><c r='XFD9' t='n'><v>1</v></c></row>" + SHEET_END)), "칸이 너무 많습니다"),
        (packed(lambda name, content: content + b"<x/>" * 60_000 if "styles" in name else content), "너무 커지는"),
        (packed(in_sheet(b"<worksheet", b"<!DOCTYPE x [<!ENTITY a 'ha'>]><worksheet")), "손상"),
        (packed(in_sheet(b'<row r="2"', b'<row r="1"')), "손상"),
        (packed(in_sheet(b"<v>", b"<v>x")), "손상"),
        (packed(in_sheet(SHEET_END, b"")), "손상"),
        (packed()[:-40], "손상"),
        (packed()[:400], "손상"),
    ],
)  # fmt: skip
def test_workbook_that_is_made_to_harm_is_not_opened(data, words):
    assert words in refusal(data)


def test_workbook_with_a_wrong_size_of_its_own_loses_no_cell():
    data = packed(
        lambda name, content: (
            content.replace(b'ref="A1:I2"', b'ref="A1"') if "worksheets" in name else content
        )
    )
    assert the_row(data).net == -725_120


def test_workbook_with_an_empty_last_row_is_read():
    data = packed(in_sheet(SHEET_END, b'<row r="1048576"/>' + SHEET_END))
    assert the_row(data).net == -725_120


@pytest.mark.parametrize("name", ["holdings.csv", "trades.csv", "trades_two_lines.csv", "messy.csv", "xlsx"])
def test_damaged_files_never_raise_and_never_invent_amounts(name):
    """Flip, drop and repeat bytes: whatever is still read has amounts a file of this size can hold."""
    chance = random.Random(20261120)
    whole = packed() if name == "xlsx" else sample(name)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        statement = read_statement(bytes(data))
        assert statement.is_statement or (len(statement.problems) == 1 and not statement.rows)
        for row in statement.trades:
            assert abs(row.net or 0) < cells.MOST_WON
