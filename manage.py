#!/usr/bin/env python
"""Command line of AEGIS."""

import os
import sys


def main() -> None:
    """Run a Django command; `demo` always plays on the simulator, whatever keys are configured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ["AEGIS_DEMO"] = "true"
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415  # after the environment
    except ImportError:
        sys.exit("Django가 설치되어 있지 않습니다. 먼저 실행해 주세요: make setup")
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"설정을 읽을 수 없습니다: {error}")


if __name__ == "__main__":
    main()
