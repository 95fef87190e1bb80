"""KB Securities (KB증권): the file of an export → rows and problems, pure.

Understood are the balance and the transaction history as its HTS H-able, its MTS and its web site export them: csv or
tab-separated text in cp949, UTF-8 or UTF-16, and xlsx. Columns are found by what their names mean, never by position:

- transactions, two lines each (HTS 거래내역조회): 거래일자, 거래종류, 수량, 거래금액, 정산금액, 거래세 등, 소득세 … above
  종목명, 단가, 수수료, 농특세/부가세, 지방소득세, 예수금 …; pension accounts have the same columns in another order;
- transactions, one line each: 거래일자, 거래번호, 적요명 or 거래구분, 종목명, 종목코드, 수량/좌수, 단가, 거래금액, 수수료,
  제세금, 정산금액 …;
- transactions of the web site: 거래일, 내용, 종목명, 수량, 단가, 입금/입고/매도, 출금/출고/매수, 예수금잔액(원);
- balances, one line or two lines a stock: 종목명, 종목코드, 보유수량 or 보유잔고, 매입단가 or 평균단가, 매입금액, 현재가,
  평가금액, 평가손익.

Lines above the header give the account and the day; 합계 and 소계 are not rows. Foreign currency is listed as a problem,
and so is every other line that cannot be read: nothing is guessed and nothing is left out without a word.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from kis.statements.cells import WRITTEN_ACCOUNT, Unreadable, account_number, day, plain
from kis.statements.columns import Meaning, Table, TableKind, find_table, is_of_sums, label
from kis.statements.holdings import read_holding
from kis.statements.lines import Line, Refused, Sheet, sheets_of
from kis.statements.records import Record, begins, records_of
from kis.statements.rows import KbHoldingRow, KbRow, Problem, Statement
from kis.statements.trades import read_trade

NO_STATEMENT = (
    "KB증권 잔고나 거래내역 파일이 아닙니다. 머리글에서 종목명과 함께 거래일자·거래구분·수량 또는 보유수량·매입금액 열을 "
    "찾지 못했습니다."
)
OF_SUMS = "실현손익 화면의 파일은 거래가 두 번 세어질 수 있어 읽지 않습니다. 거래내역 화면에서 내보내 주세요."
OTHER_SHEET = "이 시트에서는 잔고나 거래내역을 찾지 못해 읽지 않았습니다."
OTHER_BROKERS = (
    "한국투자증권", "키움증권", "미래에셋증권", "삼성증권", "NH투자증권", "신한투자증권", "하나증권", "대신증권", "메리츠증권",
    "토스증권", "카카오페이증권", "유안타증권", "한화투자증권", "교보증권", "LS증권", "DB금융투자", "현대차증권", "유진투자증권",
)  # fmt: skip
#: Not 계좌명, 계좌구분 and the like.
ACCOUNT_LABEL = re.compile(r".*계좌(?:번호)?\s*[:\])]?\s*([0-9*].*)?")
ACCOUNT_SIGNS = tuple("0123456789*")
#: A line over all rows; 소계 and 월계 are over some.
OF_ALL = re.compile(r"합계|총계")
#: The day a balance is of, best first; the day it was printed is better than none.
DAY_LABELS = tuple(
    re.compile(rf"(?:{words})(?:일자|일시|일|시각)") for words in ("기준|잔고|평가", "조회", "출력|작성|발행")
)
#: A period belongs to a transaction history; its days are not the day of a balance.
PERIOD = re.compile(r"~|부터|기간")
TITLE_DAY = re.compile(r"[0-9]{4}\s*[-./년]\s*[0-9]{1,2}\s*[-./월]\s*[0-9]{1,2}|[0-9]{8}")
SUMMED: Mapping[Meaning, Callable[[KbHoldingRow], int | None]] = {
    Meaning.COST: lambda row: row.cost,
    Meaning.VALUE: lambda row: row.value,
    Meaning.PROFIT: lambda row: row.profit,
}


def read_statement(data: bytes) -> Statement:
    """Read the bytes of a file. Never raises: a file that is no statement comes back as one problem."""
    try:
        return statement_of(sheets_of(data))
    except Refused as error:
        return Statement(problems=(Problem(0, "", str(error)),), is_statement=False)


def statement_of(sheets: Sequence[Sheet]) -> Statement:
    """Read all sheets. Raises Refused where none of them has a table of ours."""
    found = [(sheet, find_table(sheet.lines)) for sheet in sheets]
    tables = [(sheet, table) for sheet, table in found if table]
    # A balance may show realised profits beside its stocks.
    if any(is_of_sums(sheet.lines) for sheet, table in found if not table or table.kind is TableKind.TRADES):
        raise Refused(OF_SUMS)
    if not tables:
        raise Refused(NO_STATEMENT)
    rows: list[KbRow] = []
    problems: list[Problem] = []
    account, as_of = "", None
    for sheet, table in found:
        name = sheet.name if len(sheets) > 1 else ""
        if table is None:
            problems.append(Problem(1, "", OTHER_SHEET, sheet=sheet.name))
            continue
        title = title_lines(sheet, table)
        refuse_other_broker(title)
        account = title_account(title) or account
        as_of = title_day(title) or as_of
        read, trouble = read_table(
            Sheet(name, sheet.lines, delimited=sheet.delimited), table, account=account
        )
        rows.extend(read)
        problems.extend(trouble)
    return Statement(
        rows=tuple(rows),
        problems=tuple(problems),
        account=account,
        as_of=as_of,
        has_holdings=any(table.kind is TableKind.HOLDINGS for _, table in tables),
        has_trades=any(table.kind is TableKind.TRADES for _, table in tables),
    )


def read_table(sheet: Sheet, table: Table, *, account: str) -> tuple[list[KbRow], list[Problem]]:
    """Return the rows of a table and what is wrong with its other lines."""
    read: Callable[..., tuple[KbRow, list[str]]]
    read = read_holding if table.kind is TableKind.HOLDINGS else read_trade
    rows: list[KbRow] = []
    problems: list[Problem] = []
    for record in records_of(sheet, table):
        if record.is_total:
            if not any(not problem.taken for problem in problems):
                problems.extend(differences(record, rows))
            continue
        try:
            row, remarks = read_record(record, read, account=account)
        except Unreadable as error:
            problems.append(Problem(record.line, record.words, str(error), sheet=record.sheet))
            continue
        rows.append(row)
        problems.extend(
            Problem(record.line, record.words, remark, taken=True, sheet=record.sheet) for remark in remarks
        )
    return rows, problems


def read_record(
    record: Record, read: Callable[..., tuple[KbRow, list[str]]], *, account: str
) -> tuple[KbRow, list[str]]:
    if record.trouble:
        raise Unreadable(record.trouble)
    if not begins(record):
        raise Unreadable(
            f"{record.table.kind.value}의 줄이 아닙니다. {anchor_name(record.table)}이(가) 비어 있습니다."
        )
    return read(record, account=account)


def anchor_name(table: Table) -> str:
    return (Meaning.NAME if table.kind is TableKind.HOLDINGS else Meaning.DAY).value


def differences(total: Record, rows: Sequence[KbRow]) -> list[Problem]:
    """Compare the last line of a balance with the sum of its rows: a file that was cut or edited shows here."""
    held = [row for row in rows if isinstance(row, KbHoldingRow)]
    if not held or not OF_ALL.search(label(total.lines[0].text)):
        return []
    found = []
    for meaning, amount_of in SUMMED.items():
        amounts = [amount_of(row) for row in held]
        try:
            written = total.won(meaning)
        except Unreadable:
            continue
        known = [amount for amount in amounts if amount is not None]
        if written is None or len(known) < len(amounts) or written == sum(known):
            continue
        reason = (
            f"합계 줄의 {meaning.value} {written:,}원과 읽은 줄의 합 {sum(known):,}원이 "
            f"{abs(written - sum(known)):,}원 다릅니다."
        )
        found.append(Problem(total.line, total.words, reason, taken=True, sheet=total.sheet))
    return found


def title_lines(sheet: Sheet, table: Table) -> list[Line]:
    """Return the lines above the header."""
    return [line for line in sheet.lines[: table.start] if line.cells not in table.headers]


def refuse_other_broker(title: Sequence[Line]) -> None:
    """Raise Refused where the title names another broker: its holdings would be counted as KB's."""
    words = "".join(plain(cell) for line in title for cell in line.cells).replace(" ", "")
    if "KB증권" in words:
        return
    for broker in OTHER_BROKERS:
        if broker in words:
            raise Refused(f"KB증권이 아니라 {broker} 파일로 보입니다. KB증권에서 내보낸 파일만 읽습니다.")


def title_account(title: Sequence[Line]) -> str:
    """Return the account number above the header: after the word 계좌, or written like one."""
    for line in title:
        for place, cell in enumerate(line.cells):
            if not (match := ACCOUNT_LABEL.fullmatch(plain(cell))):
                continue
            for text in (match[1] or "", *line.cells[place + 1 : place + 3]):
                if plain(text).startswith(ACCOUNT_SIGNS) and (account := account_number(text)):
                    return account
    for line in title:
        for cell in line.cells:
            if match := WRITTEN_ACCOUNT.search(plain(cell)):
                return account_number(match[0])
    return ""


def title_day(title: Sequence[Line]) -> date | None:
    """Return the day above the header that a balance is of; None where there is none or only a period."""
    cells = [(line, place, plain(cell)) for line in title for place, cell in enumerate(line.cells)]
    for wanted in DAY_LABELS:
        for line, place, text in cells:
            if not wanted.search(label(text)):
                continue
            for candidate in (text, *line.cells[place + 1 : place + 3]):
                if PERIOD.search(candidate):
                    break
                if (match := TITLE_DAY.search(plain(candidate))) and (found := day_or_none(match[0])):
                    return found
    return None


def day_or_none(text: str) -> date | None:
    try:
        return day(text)
    except Unreadable:
        return None
