"""Print one dashboard: run as a program of its own, within limits, so that a print that goes wrong harms nobody else.

usage: python -m reports.printing_child MEGABYTES SECONDS    A pickled (dashboard, amounts) on standard input, from the
one who started it; on standard output one JSON line, and after it the PDF. It opens no database and knows no key.
"""

import json
import os
import pickle
import resource
import sys
from typing import BinaryIO

MEGABYTE = 1024 * 1024


def main(megabytes: str, seconds: str) -> int:
    """Print what is asked for; a trouble that has words of its own is an answer, too."""
    limit(int(megabytes), int(seconds))
    # Whatever a library prints would be taken for our answer.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import django  # noqa: PLC0415  # within the limits only

    django.setup()
    from reports.fonts import FontsUnavailable  # noqa: PLC0415
    from reports.pdf import render_pdf  # noqa: PLC0415

    try:
        pdf = render_pdf(*pickle.load(sys.stdin.buffer))  # noqa: S301  # the pipe of our own parent
    except FontsUnavailable as error:
        say(answer, trouble="fonts", words=str(error))
    except MemoryError:
        say(answer, trouble="memory")
    else:
        say(answer, size=len(pdf))
        answer.write(pdf)
    answer.flush()
    return 0


def limit(megabytes: int, seconds: int) -> None:
    """Take no more memory and processor than that, and leave no memory image behind: it would show the account."""
    for what, most in (
        (resource.RLIMIT_AS, megabytes * MEGABYTE),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (wanted, hard))


def say(answer: BinaryIO, **words: object) -> None:
    answer.write(json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
