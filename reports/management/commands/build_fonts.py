"""Make the Korean fonts that the PDF is printed with, and their parts for the live page."""

from time import monotonic
from typing import Any

from django.core.management.base import CommandError

from kis.commands import OwnerCommand
from reports.fonts import FAMILY, WEIGHTS, FontsUnavailable, ensure_fonts
from reports.webfonts import ensure_web_fonts


class Command(OwnerCommand):
    help = "PDF와 화면에 쓰는 한글 글꼴을 준비합니다. 이미 있으면 아무것도 하지 않습니다."
    requires_system_checks = []

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        started = monotonic()
        try:
            built = ensure_fonts() | ensure_web_fonts()
        except FontsUnavailable as error:
            raise CommandError(str(error)) from error
        if built:
            weights = "·".join(str(weight) for weight in WEIGHTS)
            self.stdout.write(f"글꼴을 만들었습니다: {FAMILY} {weights} ({monotonic() - started:.1f}초)")
        elif options["verbosity"] > 1:
            self.stdout.write(f"글꼴이 준비되어 있습니다: {FAMILY}")
