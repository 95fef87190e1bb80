"""What an import looks like on the terminal."""

from collections.abc import Sequence

from rich.console import Console

from kis.korean import number
from kis.statements.explain import summary
from kis.statements.load import LoadResult, Outcome
from kis.statements.rows import KbRow, Problem
from kis.terminal import DIM, INDENT, WARN, line

#: Rows that a dry run shows of one file; the count says how many there are.
MOST_ROWS = 200


def print_result(console: Console, result: LoadResult) -> None:
    """Print what became of a file: rows taken, rows known, and every line that needs a look, with its reason."""
    words = [
        word for word in (result.kind, f"{result.as_of} 기준" if result.as_of else "", result.account) if word
    ]
    line(console, (result.name, "bold"), (f"  {' · '.join(words)}" if words else "", DIM))
    if result.outcome in {Outcome.REFUSED, Outcome.KNOWN, Outcome.WAITING}:
        line(console, INDENT, (result.reason, WARN if result.outcome is Outcome.REFUSED else DIM))
        return
    line(console, INDENT, counts(result))
    if result.outcome is Outcome.SHOWN:
        print_rows(console, result.new)
    for problem in result.problems:
        done = " (담음)" if problem.taken and problem.line else ""
        text = f"  {problem.text}" if problem.text else ""
        line(console, INDENT, (f"{place(problem)}{done}  {problem.reason}", WARN), (text, DIM))


def counts(result: LoadResult) -> str:
    """Return the counts of a file in words: `새 10행 · 이미 있던 2행 · 확인할 줄 1`."""
    new = "담을" if result.outcome is Outcome.SHOWN else "새"
    filled = f"(빈 값 채움 {number(result.completed)})" if result.completed else ""
    parts = [
        f"{new} {number(len(result.new))}행",
        f"이미 있던 {number(result.known)}행{filled}",
        f"확인할 줄 {number(len(result.problems))}",
    ]
    return " · ".join(parts)


def print_rows(console: Console, rows: Sequence[KbRow]) -> None:
    for row in rows[:MOST_ROWS]:
        line(console, INDENT, (f"{row.line}행  ", DIM), summary(row))
    if len(rows) > MOST_ROWS:
        line(console, INDENT, (f"그 밖에 {number(len(rows) - MOST_ROWS)}행", DIM))


def place(problem: Problem) -> str:
    """Name the line of a problem: `14행`, `거래내역 시트 14행`, or the whole file."""
    if not problem.line:
        return "파일"
    sheet = f"{problem.sheet} 시트 " if problem.sheet else ""
    return f"{sheet}{problem.line}행"
