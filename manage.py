#!/usr/bin/env python
"""Command line of AEGIS."""

import os
import sys
import unicodedata
from difflib import get_close_matches

INTERRUPTED_CODE = 130


def main() -> None:
    """Run a Django command; `demo` always plays on the simulator, whatever keys are configured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
    sys.argv[1:2] = [
        unicodedata.normalize("NFC", name) for name in sys.argv[1:2]
    ]  # 실전 as a Mac may write it
    if sys.argv[1:2] == ["demo"]:
        os.environ["AEGIS_DEMO"] = "true"
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Korean shows signs
    try:
        import django  # noqa: PLC0415
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415  # after the environment
        from django.core.management import execute_from_command_line, get_commands  # noqa: PLC0415
    except ImportError:
        sys.exit("Django가 설치되어 있지 않습니다. 먼저 실행해 주세요: make setup")
    try:
        django.setup()
        asked = sys.argv[1] if len(sys.argv) > 1 else "help"
        if not asked.startswith("-") and asked != "help" and asked not in (known := get_commands()):
            near = get_close_matches(asked, known, n=1)
            hint = f" 혹시 {near[0]}인가요?" if near else ""
            sys.exit(f"'{asked}' 명령은 없습니다.{hint} 전체 목록: manage.py help")
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"설정을 읽을 수 없습니다: {error}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("중단했습니다.", file=sys.stderr)  # noqa: T201
        sys.exit(INTERRUPTED_CODE)
