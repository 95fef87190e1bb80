"""Draw every state of the dashboard as PDF and PNG into a folder to look at: `make states`.

`make states STATES='stale hostile_names'` draws some of them.
"""

import argparse
import logging
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def set_up() -> None:
    """Let Django keep its books in memory, whatever the owner has configured."""
    sys.path[0] = str(ROOT)  # the folder of this script would hide modules of others
    os.environ.update(
        DJANGO_SETTINGS_MODULE="aegis.settings",
        DATABASE_URL="sqlite://:memory:",
        AEGIS_DEMO="false",
        AEGIS_ENV_FILE=str(ROOT / "none.env"),
    )
    import django  # noqa: PLC0415  # needs the environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  # needs Django

    call_command("migrate", verbosity=0)
    # What a state does on purpose is not news.
    logging.disable(logging.ERROR)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "states")
    parser.add_argument("--dpi", type=int, default=110)
    options = parser.parse_args()
    set_up()
    from tests.reports.reading import write_pictures  # noqa: PLC0415  # need Django
    from tests.reports.states import STATES, drawn  # noqa: PLC0415

    unknown = set(options.names) - STATES.keys()
    if unknown:
        print(f"없는 상태: {', '.join(sorted(unknown))} (있는 것: {', '.join(STATES)})")
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names or STATES:
        begun = time.perf_counter()
        pdf = drawn(STATES[name])
        (options.folder / f"{name}.pdf").write_bytes(pdf.data)
        pages = write_pictures(pdf.data, name, options.folder, dpi=options.dpi)
        print(
            f"{name:24} {len(pages):3}쪽 {len(pdf.data) / 1024:7.0f} KB {time.perf_counter() - begun:6.1f}초"
        )
    print(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
