"""Let many seeds storm on all cores: `make storm SEEDS=10000`, `make storm-bugs`, one seed: `--trace 4711`.

Every seed is a line of a file, so that a run that was stopped goes on where it was.
"""

import argparse
import gc
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.storm.database import Fresh

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 20
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder without a disk below, where there is one
SEEDS_A_BUG = 3


def set_up() -> None:
    """Make Django ready with an empty database of this process alone; nothing of the owner's is read."""
    folder = tempfile.mkdtemp(prefix="storm-")
    os.environ |= {
        "AEGIS_VAR_DIR": folder,
        "AEGIS_ENV_FILE": os.devnull,
        "AEGIS_DEMO": "0",
        "DATABASE_URL": f"sqlite:///{folder}/storm.sqlite3",
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
    }
    sys.path.insert(0, str(ROOT))
    import django  # noqa: PLC0415  # what it reads has only now been set
    from django.db import connection  # noqa: PLC0415

    django.setup()
    logging.disable(logging.CRITICAL)
    connection.creation.create_test_db(verbosity=0, autoclobber=True)  # in memory
    gc.freeze()  # what is loaded stays


def folder() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None


def play_chunk(seeds: list[int]) -> list[dict[str, Any]]:
    from tests.storm.story import play  # noqa: PLC0415  # needs Django

    fresh = fresh_database()
    lines: list[dict[str, Any]] = []
    for seed in seeds:
        fresh.again()
        story = play(seed, folder=folder())
        found = [str(violation) for violation in story.violations]
        lines.append({"seed": seed, "digest": story.digest, "violations": found, "counts": story.counts})
    return lines


@cache
def fresh_database() -> "Fresh":
    """Return the way back to an empty database; one a process."""
    from tests.storm.database import Fresh  # noqa: PLC0415  # needs Django

    return Fresh()


# --- a long run ---------------------------------------------------------------------------------------------------


def storm(args: argparse.Namespace) -> int:
    done = read(args.file)
    wanted = [seed for seed in range(args.first, args.first + args.seeds) if seed not in done]
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    began, count = time.monotonic(), 0
    args.file.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        out = stack.enter_context(args.file.open("a", encoding="utf-8"))
        pool = stack.enter_context(
            multiprocessing.get_context("spawn").Pool(args.processes, initializer=set_up)
        )
        for lines in pool.imap_unordered(play_chunk, chunks):
            for line in lines:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                done[line["seed"]] = line
            out.flush()
            count += len(lines)
            wrong = sum(bool(line["violations"]) for line in done.values())
            seconds = time.monotonic() - began
            left = (len(wanted) - count) * seconds / count
            show(
                f"\r{count:,} / {len(wanted):,} seeds, {wrong} with violations, {seconds:,.0f} s, {left:,.0f} s to go "
            )
    show("\n")
    asked = {seed: line for seed, line in done.items() if args.first <= seed < args.first + args.seeds}
    return report(asked, seconds=time.monotonic() - began, played=count)


def read(file: Path) -> dict[int, dict[str, Any]]:
    if not file.exists():
        return {}
    lines = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.endswith("}"))
    return {line["seed"]: line for line in lines}


def report(lines: dict[int, dict[str, Any]], *, seconds: float, played: int) -> int:
    total: Counter[str] = Counter()
    for line in lines.values():
        total.update(line["counts"])
    for group, counts in grouped(total):
        show(f"{group}\n" + "".join(f"  {count:>9,}  {name}\n" for name, count in counts))
    wrong = {seed: line["violations"] for seed, line in sorted(lines.items()) if line["violations"]}
    for violations in list(wrong.values())[:20]:
        show(f"{violations[0]}\n")
    show(
        f"{len(lines):,} seeds, {len(wrong)} with violations; {played:,} of them in these {seconds:,.0f} s\n"
    )
    return 1 if wrong else 0


def grouped(total: Counter[str]) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    heads = {
        "order:": "orders posted",
        "list:": "lists spoilt",
        "read:": "other inquiries spoilt",
        "ends ": "intents end",
    }
    left = dict(total)
    for head, name in heads.items():
        found = {key.removeprefix(head).strip(): left.pop(key) for key in list(left) if key.startswith(head)}
        yield name, sorted(found.items())
    struck = {key: left.pop(key) for key in list(left) if " at " in key}
    yield "struck in between", sorted(struck.items())
    yield "acts and how they ended", sorted(left.items())


def show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


# --- planted bugs ---------------------------------------------------------------------------------------------------


def find_seeds(args: argparse.Namespace) -> int:
    """Look for the first seeds that notice each planted bug."""
    set_up()
    from tests.storm.bugs import BUGS  # noqa: PLC0415
    from tests.storm.story import play  # noqa: PLC0415

    fresh, missed = fresh_database(), 0
    for name, bug in BUGS.items():
        caught: list[int] = []
        for seed in range(args.first, args.first + args.seeds):
            fresh.again()
            story = play(seed, bug=bug.plant, folder=folder())
            if bug.rule in {violation.rule for violation in story.violations}:
                caught.append(seed)
            if len(caught) == SEEDS_A_BUG:
                break
        missed += not caught
        show(f"{name}: {bug.rule}, seeds {caught} of {seed - args.first + 1:,}\n")
    return 1 if missed else 0


def trace(args: argparse.Namespace) -> int:
    set_up()
    from tests.storm.story import play  # noqa: PLC0415

    fresh_database().again()
    story = play(args.trace, folder=folder())
    show("\n".join(story.trace) + f"\n{story.digest}\n")
    return 1 if story.violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--file", type=Path, default=ROOT / "var" / "storm" / f"{revision()}.jsonl")
    parser.add_argument("--bugs", action="store_true", help="find seeds for the planted bugs")
    parser.add_argument("--trace", type=int, help="play one seed and show all of it")
    args = parser.parse_args()
    if args.trace is not None:
        return trace(args)
    return find_seeds(args) if args.bugs else storm(args)


def revision() -> str:
    """Name the results after the code that brought them: those of other code do not count."""
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]  # the owner's own
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "results"


if __name__ == "__main__":
    sys.exit(main())
