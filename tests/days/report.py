"""Write docs/sixty-days.md from what runs have said of themselves: `python tests/days/report.py sqlite.json …`."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sixty-days.md"
Run = dict[str, Any]
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
EQUAL = "days equal to the broker's books"
JOBS = {
    "aegis_1min_realtime": "job of the minute",
    "aegis_10min_kis_dashboard": "job of ten minutes",
    "aegis_30min_data_fetch": "job of the half hour",
}
#: What a reason is called in the table, where the play has a shorter word for it.
WORDS = {"busy": "the one before was still at it", "worker down": "no worker"}
INTRODUCTION = """\
# Sixty trading days at high speed

`make days` plays sixty trading days from 8 October 2026 on: the timetable's real jobs against the real simulator over
loopback HTTP, in a time that passes only when somebody waits, calls the broker or the next minute begins. Both rate limits
are on and count in that time. The jobs are fired in turn as a task of the worker, by the commands of cron, by both for the
same slot, and by django-q2's scheduler. `DAYS=5` plays fewer days, `EVERY=5` fires the jobs of the minute and of ten minutes
only in every fifth minute (on four of the sixty days every minute all the same); one coarse day is in the suite. The job of
ten minutes asks the broker and publishes each time; the PDF itself, which takes a second of this machine and none of that
time, is drawn anew on `--prints` days only. This page is written by the run.

What happens in these days: Chuseok's aftermath, Hangul day, Christmas, the last day of the year and New Year, a holiday that
only the broker knows (3 November), the exam of 19 November (10:00–16:30), a day that the owner's calendar cuts short (15
December, 12:30), the late opening of 4 January; the broker's maintenance, in the session and by night; the simulator gone
and back with its memory; our worker gone; workers killed -9 in the job of the minute; tokens revoked; the clock of the machine three
minutes ahead or behind and back; answers that are lost, cut short, garbled, repeated or refused; trades in the phone's app,
deposits, prices that jump; a paper account besides the real one for three days.

What is looked at on each day: one complete run per slot and never two, or the reason why not; totals, cash (D+0 to D+2) and
flow of the day against the simulator's books, won for won, and the deposit log from day to day; the age of the newest
snapshot each minute; that no call was refused for the rate (EGW00201), no message about an alert came twice, and nothing was
logged as an unexpected error. At the end: every minute bar and daily price of every day, however long nobody was there.
"""
CLOSING = """
A slot without a run is one nobody could run (no worker, a clock that jumped over it) or one that the broker did not answer;
it is not made up for in a burst. A worker that comes back makes up for the first tick it missed, with the data of that
minute, and goes on with the next. The next slot brings the books up to date, and minutes and daily prices are fetched later.
While the machine's clock is set back by three minutes, its newest snapshot may be as old as that.
"""


def rows(run: Run) -> Iterable[tuple[str, str]]:
    count, why = run["count"], run["why"]
    yield "trading days, closed days", f"{run['days']}, {count.get('closed days', 0)}"
    yield "minutes fired", "every one" if run["every"] == 1 else f"one of {run['every']}"
    yield "days with every minute fired", f"{count.get('days on which every minute was fired', 0)}"
    for job, name in JOBS.items():
        slots, runs = count[f"slots {job}"], count[f"runs {job}"]
        reasons = ", ".join(
            f"{WORDS.get(reason, reason)} {times}"
            for text, times in why.items()
            for name, _, reason in [text.partition(": ")]
            if name == job
        )
        yield f"{name}: slots, complete runs", f"{slots:,}, {runs:,}" + (f" ({reasons})" if reasons else "")
    yield "requests to the broker", f"{run['requests']:,}"
    yield "refused for the rate (EGW00201)", f"{run['refused']:,}"
    yield "tokens issued, revoked by others", f"{run['tokens']:,}, {count.get('tokens revoked', 0):,}"
    survived = {
        "faulty answers": "faults",
        "maintenance": "maintenance",
        "broker gone": "broker down",
        "simulator restarted": "simulator restarted",
        "worker gone": "worker down",
        "clock steps": "clock steps",
        "by night": "syncs by night refused",
    }
    troubles = [f"{name} {count[key]:,}" for name, key in survived.items() if count.get(key)]
    yield "troubles", ", ".join([*troubles, f"killed -9 {run['done'].get('workers killed', 0)}"])
    life = {"trades": "trades on the phone", "price moves": "price moves", "deposits": "deposits"}
    yield "the owner's life", ", ".join(f"{name} {count.get(key, 0):,}" for name, key in life.items())
    yield "days equal to the broker's books", f"{count[EQUAL]:,}"
    yield "minute bars, missing", f"{count['minute bars']:,}, {count.get('minute bars missing', 0):,}"
    told = "–"  # a run of before there were alerts
    if alerts := run.get("alerts"):
        received = (count["alert messages received"], count["alert messages received twice"])
        told = f"{alerts['told']:,}, {received[0]:,}, {received[1]:,}"
    yield "alerts, messages received, received twice", told
    yield "pages printed anew", f"{run['done'].get('pages printed', 0):,}"
    yield (
        "oldest data in the window, without and with trouble",
        f"{run['oldest']['quiet']:.0f} s, {run['oldest']['in trouble']:.0f} s",
    )
    yield "memory, first and last quarter", "{:.0f} MB, {:.0f} MB".format(*run["memory"])
    yield "open files, first and last quarter", "{:.0f}, {:.0f}".format(*run["files"])
    yield "problems", f"{len(run['problems'])}"
    yield "seconds", f"{run['seconds']:,}"


def page(runs: list[Run]) -> str:
    heads = [NAMES[run["database"]] for run in runs]
    columns = [dict(rows(run)) for run in runs]
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "---|" * len(runs)]
    lines += [f"| {name} | {' | '.join(column[name] for column in columns)} |" for name in columns[0]]
    return INTRODUCTION + "\n" + "\n".join(lines) + "\n" + CLOSING


def main() -> None:
    runs = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    DOCS.write_text(page(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
