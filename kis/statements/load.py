"""Save a statement of KB Securities: each file once, each row once, by reference."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from django.db import connection, transaction

from kis.korean import SEOUL
from kis.models import KbStatement
from kis.statements import explain
from kis.statements.accounts import Account, account_of
from kis.statements.books import add, blanks_filled, books_for, codes_of, complete
from kis.statements.files import (
    StillWriting,
    day_in_name,
    files_in,
    modified_on,
    proper_name,
    read_named,
    read_settled,
    storable,
)
from kis.statements.kb import read_statement
from kis.statements.lines import Refused
from kis.statements.merge import Entry, Merged, holding_entry, merge, trade_entry
from kis.statements.rows import KbHoldingRow, KbRow, KbTradeRow, Problem, Statement

#: A file of rubbish must not become a row of the books that nobody can open; the count stays true.
MOST_PROBLEMS_KEPT = 2_000
NAMELESS = "계좌번호가 없는 파일이라 다른 계좌와 구분하지 못합니다. 계좌 이름을 정해 가져오면 구분됩니다."


class Outcome(StrEnum):
    """What became of a file."""

    SAVED = "담음"
    SHOWN = "담기 전"
    KNOWN = "이미 가져온 파일"
    REFUSED = "읽지 못함"
    WAITING = "쓰는 중"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a file brought, or would bring (SHOWN). `reason` is Korean and set where nothing was looked at."""

    name: str
    outcome: Outcome
    reason: str = ""
    kind: str = ""
    account: str = ""
    as_of: date | None = None
    new: tuple[KbRow, ...] = ()
    known: int = 0
    completed: int = 0
    problems: tuple[Problem, ...] = ()
    statement_id: int | None = None

    @property
    def holdings(self) -> tuple[KbHoldingRow, ...]:
        return tuple(row for row in self.new if isinstance(row, KbHoldingRow))

    @property
    def trades(self) -> tuple[KbTradeRow, ...]:
        return tuple(row for row in self.new if isinstance(row, KbTradeRow))

    @property
    def plan(self) -> str:
        """Return a fingerprint of what is shown, to save exactly that."""
        shown = repr(
            (self.kind, self.account, self.as_of, self.new, self.known, self.completed, self.problems)
        )
        return hashlib.sha256(shown.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Source:
    """A file in hand, and what its owner and its file system add to it."""

    name: str
    data: bytes
    now: datetime
    account: str = ""
    as_of: date | None = None
    modified: date | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def today(self) -> date:
        return self.now.astimezone(SEOUL).date()


def load_file(
    source: Path | bytes,
    *,
    now: datetime,
    name: str = "",
    account: str = "",
    as_of: date | None = None,
    save: bool = True,
    plan: str = "",
) -> LoadResult:
    """Take a file into the books, or with `save=False` say what it would bring.

    `now` is real time, also where a simulator plays another day: what is dated later is not taken. `account` names the
    account and `as_of` the day of a balance where the file itself does not. With the `plan` of an earlier result
    nothing but that is saved: if the books have changed since, the new result is only shown. Nothing is saved of a file
    that is no statement. Raises OSError for a path that cannot be read.
    """
    modified = None
    if isinstance(source, Path):
        name = name or source.name
        modified = modified_on(source)
        try:
            source = read_named(source)
        except Refused as error:
            return refused(proper_name(name), str(error))
    return take(
        Source(proper_name(name), source, now, storable(account), as_of, modified), save=save, plan=plan
    )


def load_folder(folder: Path, *, now: datetime, save: bool = True) -> list[LoadResult]:
    """Take every new file of the owner's folder; files stay where they are. Raises OSError for the folder itself."""
    return [load_settled(path, now=now, save=save) for path in files_in(folder)]


def load_settled(path: Path, *, now: datetime, save: bool) -> LoadResult:
    """Take one file of the folder, unless it is still being written."""
    name = proper_name(path.name)
    try:
        source = Source(name, read_settled(path, now=now), now, modified=modified_on(path))
    except StillWriting:
        return LoadResult(name, Outcome.WAITING, reason="아직 쓰는 중인 파일이라 다음에 읽습니다.")
    except Refused as error:
        return refused(name, str(error))
    except OSError:
        return refused(name, "파일을 읽을 수 없습니다. 권한을 확인해 주세요.")
    return take(source, save=save)


def refused(name: str, reason: str) -> LoadResult:
    return LoadResult(name, Outcome.REFUSED, reason=reason, problems=(Problem(0, "", reason),))


def take(source: Source, *, save: bool, plan: str = "") -> LoadResult:
    """Read a file and bring it into the books in one transaction."""
    if not source.account and (earlier := KbStatement.objects.filter(sha256=source.sha256).first()):
        return known_file(source, earlier)
    statement = read_statement(source.data)
    if not statement.is_statement:
        return refused(source.name, statement.problems[0].reason)
    account = whole_account(statement, given=source.account)
    statement, as_of = dated(statement, source)
    with transaction.atomic():
        if save:
            one_at_a_time()
        earlier = KbStatement.objects.filter(sha256=source.sha256, account_key=account.key).first()
        if earlier:
            return known_file(source, earlier)
        return bring(source, statement, account=account, as_of=as_of, save=save, plan=plan)


def one_at_a_time() -> None:
    """Wait for other processes that import, until the transaction ends; readers go on.

    Which rows are new is decided by comparing, so two files that share a row must not be compared at once. On SQLite
    a transaction of ours is the only one that writes from its first line on.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {KbStatement._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")  # noqa: SLF001


def known_file(source: Source, earlier: KbStatement) -> LoadResult:
    at = earlier.imported_at.astimezone(SEOUL)
    return LoadResult(
        source.name,
        Outcome.KNOWN,
        reason=f"이미 가져온 파일입니다({at:%Y-%m-%d %H:%M}, {earlier.name}).",
        kind=earlier.get_kind_display(),
        account=earlier.account_label,
        as_of=earlier.as_of,
        statement_id=earlier.pk,
    )


def whole_account(statement: Statement, *, given: str) -> Account:
    """Return the one account of a file: what it says itself, or what the owner says."""
    numbers = {row.account for row in statement.rows} or {statement.account}
    number = numbers.pop() if len(numbers) == 1 else statement.account
    return account_of(number or given)


def dated(statement: Statement, source: Source) -> tuple[Statement, date | None]:
    """Give a balance its day, and say so where it is not from the file."""
    if not statement.has_holdings:
        return statement, None
    if statement.as_of or all(row.as_of for row in statement.holdings):
        return statement, statement.as_of or max(
            (row.as_of for row in statement.holdings if row.as_of), default=None
        )
    if source.as_of:
        return statement, source.as_of
    found, where = day_in_name(source.name), "파일 이름의 날짜"
    if found is None:
        found, where = source.modified, "파일을 저장한 날짜"
    if found is None:
        found, where = source.today, "오늘 날짜"
    remark = Problem(0, "", f"잔고의 기준일이 파일에 없어 {where} {found}을(를) 썼습니다.", taken=True)
    return replace(statement, problems=(remark, *statement.problems)), found


def nameless(entries: Sequence[Entry]) -> list[Problem]:
    """Remark on rows of no account where there are accounts they could belong to."""
    if all(entry.account for entry in entries) or not KbStatement.objects.exclude(account_key="").exists():
        return []
    return [Problem(0, "", NAMELESS, taken=True)]


def bring(
    source: Source, statement: Statement, *, account: Account, as_of: date | None, save: bool, plan: str
) -> LoadResult:
    """Compare a statement with the books and, unless it is only to be shown, write what is new."""
    entries, labels, early = entries_of(statement, source, as_of=as_of)
    books = books_for(entries)
    merged = merge(entries, books.entries)
    fuller = [
        (other, changes)
        for entry, other in merged.known
        if other.pk and (changes := blanks_filled(entry, other))
    ]
    problems = tuple(
        sorted(
            (*statement.problems, *nameless(entries), *early, *met(merged)),
            key=lambda problem: (problem.sheet, problem.line),
        )
    )
    kind = kind_of(statement)
    result = LoadResult(
        name=source.name,
        outcome=Outcome.SHOWN,
        kind=kind.label,
        account=account.label,
        as_of=as_of,
        new=tuple(entry.row for entry in merged.new),
        known=len(merged.known),
        completed=len(fuller),
        problems=problems,
    )
    if not save or plan not in {"", result.plan}:
        return result
    saved = KbStatement.objects.create(
        name=source.name,
        sha256=source.sha256,
        account_key=account.key,
        account_label=account.label,
        kind=kind,
        as_of=as_of,
        imported_at=source.now,
        rows=len(merged.new),
        known_rows=result.known,
        completed_rows=result.completed,
        problem_count=len(problems),
        problems=[asdict(problem) for problem in problems[:MOST_PROBLEMS_KEPT]],
    )
    add(saved, merged.new, books=books, labels=labels)
    for other, changes in fuller:
        complete(other, changes)
    return replace(result, outcome=Outcome.SAVED, statement_id=saved.pk)


def entries_of(
    statement: Statement, source: Source, *, as_of: date | None
) -> tuple[list[Entry], dict[str, str], list[Problem]]:
    """Return the rows as entries, the words for their accounts, and the rows of days that have not come yet."""
    entries: list[Entry] = []
    labels: dict[str, str] = {}
    early: list[Problem] = []
    accounts: dict[str, Account] = {}
    codes = codes_of(row.name for row in statement.rows if row.name and not row.code)
    for read in statement.rows:
        row = replace(read, code=read.code or codes.get(read.name, ""))
        named = row.account or source.account
        if named not in accounts:
            accounts[named] = account_of(named)
        account = accounts[named]
        labels[account.key] = account.label
        if isinstance(row, KbHoldingRow):
            entry = holding_entry(row, account=account.key, on=row.as_of or as_of or source.today)
        else:
            entry = trade_entry(row, account=account.key)
        if entry.on > source.today:
            early.append(explain.problem(row, explain.FUTURE))
        else:
            entries.append(entry)
    return entries, labels, early


def met(merged: Merged) -> list[Problem]:
    """Describe the rows that are not taken because of others in the books."""
    return [
        *(explain.difference(entry, other, names) for entry, other, names in merged.differing),
        *(explain.problem(entry.row, explain.ELSEWHERE) for entry, _ in merged.elsewhere),
    ]


def kind_of(statement: Statement) -> KbStatement.Kind:
    if statement.has_holdings and statement.has_trades:
        return KbStatement.Kind.BOTH
    return KbStatement.Kind.HOLDINGS if statement.has_holdings else KbStatement.Kind.TRADES
