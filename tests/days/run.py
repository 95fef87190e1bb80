# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Let many trading days pass at high speed: `make days`, `make days DAYS=5`. The table of a run is its last output."""

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIRST_DAY = date(2026, 10, 8)


def set_up(folder: Path, *, alerts_to: str) -> None:
    """Make Django ready with an empty database; nothing of the owner's is read."""
    os.environ |= {
        "AEGIS_VAR_DIR": str(folder),
        "AEGIS_CACHE_DIR": str(folder / "cache"),
        "AEGIS_FONT_DIR": str(ROOT / "var" / "fonts"),  # made once for all
        "AEGIS_ENV_FILE": os.devnull,
        "AEGIS_DEMO": "0",
        "NOTIFY_URLS": alerts_to,
        "SECRET_KEY": "only-for-this-test" * 3,
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
    }
    os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/days.sqlite3")
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    gc.collect()
    gc.freeze()


def odd_days() -> dict[date, Any]:
    """Return what nobody could estimate: a holiday that the government has made in autumn, and a day cut short."""
    from kis.calendar import Day, Hours

    return {
        date(2026, 11, 3): Day(opens=False, settles=False),
        date(2026, 12, 15): Day(opens=True, settles=True, hours=Hours(closes=clock_time(12, 30))),
    }


def run(args: argparse.Namespace, folder: Path, phone: Any) -> dict[str, Any]:
    from django.db import connection, connections

    from kis.korean import SEOUL
    from tests.days.broker import Broker
    from tests.days.clock import SharedClock
    from tests.days.story import Story
    from tests.days.world import World

    clock = SharedClock(datetime.combine(args.first, clock_time(7), SEOUL))
    broker = Broker(folder, clock, seed=args.seed, days=odd_days())
    connections.close_all()
    broker.start()
    began = time.monotonic()
    world = World(clock, broker, phone)
    try:
        with world.in_its_time():
            world.use_accounts("real")
            story = Story(world, seed=args.seed, every=args.every, prints=args.prints)
            # Ctrl-C: this day is the last one, and the table tells of those that were.
            signal.signal(signal.SIGINT, lambda *_: setattr(story, "is_enough", True))
            story.begin()
            seen = 0

            def told(day: date) -> None:
                nonlocal seen
                if not args.quiet:
                    show(story, day, time.monotonic() - began, problems=story.problems[seen:])
                seen = len(story.problems)

            story.play(args.days, told)
        seconds = time.monotonic() - began
        return result(story, vendor=connection.vendor, seconds=seconds)
    finally:
        broker.stop()


def show(story: Any, day: date, seconds: float, *, problems: Iterable[str]) -> None:
    rss, files = story.memory[-1]
    print(f"{day} {seconds:6.0f} s  {rss:.0f} MB, {files} files", *problems, sep="\n  ", flush=True)


def result(story: Any, *, vendor: str, seconds: float) -> dict[str, Any]:
    traffic = story.world.broker.traffic()
    quarter = max(len(story.memory) // 4, 1)
    first, last = story.memory[:quarter], story.memory[-quarter:]
    return {
        "database": vendor,
        "days": len(story.days),
        "every": story.usual,
        "seconds": round(seconds),
        "requests": sum(traffic["counts"].values()),
        "refused": traffic["rate_limited"],
        "tokens": traffic["tokens_issued"],
        "alerts": story.alerts(),
        "count": dict(sorted(story.count.items())),
        "done": dict(sorted(story.world.done.items())),
        "why": dict(sorted(story.why.items())),
        "oldest": {name: age.total_seconds() for name, age in story.oldest.items()},
        "memory": [mean(rss for rss, _ in first), mean(rss for rss, _ in last)],
        "files": [mean(files for _, files in first), mean(files for _, files in last)],
        "problems": story.problems,
    }


def mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return round(sum(numbers) / len(numbers), 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--every", type=int, default=1, help="fire the job of the minute only every so many minutes"
    )
    parser.add_argument("--prints", type=int, default=1, help="on how many days every page is printed anew")
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST_DAY)
    parser.add_argument("--save", type=Path, help="write the figures to a file, for tests/days/report.py")
    parser.add_argument("--quiet", action="store_true")
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tests.days.phone import Phone

    memory = Path("/dev/shm")  # noqa: S108  # a folder without a disk below, where there is one
    with tempfile.TemporaryDirectory(prefix="days-", dir=memory if memory.is_dir() else None) as name:
        phone = Phone()
        set_up(Path(name), alerts_to=phone.url)
        told = run(args, Path(name), phone)
    text = json.dumps(told, ensure_ascii=False, indent=1)
    print(text)
    if args.save:
        args.save.write_text(text, encoding="utf-8")
    return 1 if told["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
