"""An examination on the terminal, or as JSON for machines."""

import json
from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console

from aegis.health.case import Case, Line, Status
from kis.korean import SEOUL, masked_account
from kis.terminal import DIM, INDENT, UP, WARN, headline, line, padded

STYLES = {Status.OK: "", Status.WARNING: WARN, Status.PROBLEM: f"bold {UP}", Status.SKIPPED: DIM}


def print_lines(console: Console, case: Case, lines: Sequence[Line]) -> None:
    """Print one line for each check and a closing one."""
    words = ["점검"]
    if case.connection is not None:
        account = case.environment.account
        words.insert(0, masked_account(account.number, account.product_code))
    headline(console, mode=case.mode, demo=case.demo, words=words, at=case.now())
    line(console)
    widths = [
        max(map(cell_len, column)) for column in ([s.value for s in Status], [item.name for item in lines])
    ]
    for item in lines:
        style = STYLES[item.status]
        line(
            console,
            INDENT,
            (padded(item.status.value, widths[0]), style),
            INDENT,
            padded(item.name, widths[1]),
            INDENT,
            (item.text, DIM if item.status is Status.SKIPPED else ""),
            (f"{INDENT}→ 해결: {item.remedy}", style) if item.remedy else "",
        )
        for detail in item.details:
            line(console, INDENT, " " * (sum(widths) + 2 * len(INDENT)), (detail, DIM))
    line(console)
    line(console, INDENT, summary(lines))


def summary(lines: Sequence[Line]) -> str:
    counts = Counter(item.status for item in lines)
    return " · ".join(f"{status.value} {counts[status]}" for status in Status if counts[status])


def as_json(case: Case, lines: Sequence[Line]) -> str:
    return json.dumps(
        {
            "mode": case.mode,
            "demo": case.demo,
            "at": case.now().astimezone(SEOUL).isoformat(timespec="seconds"),
            "ok": not any(item.status is Status.PROBLEM for item in lines),
            "checks": [
                {
                    "name": item.name,
                    "status": item.status.name.lower(),
                    "text": item.text,
                    "remedy": item.remedy,
                    "details": list(item.details),
                }
                for item in lines
            ],
        },
        ensure_ascii=False,
        indent=2,
    )
