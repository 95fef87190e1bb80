"""Print the system document: what the code consists of, drawn from the code."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from aegis.architecture import system_document
from kis.commands import OwnerCommand
from reports.fonts import FontsUnavailable
from reports.publish import PublishFailed, publish
from reports.system.pdf import render_system

FILE_NAME = "architecture.pdf"


class Command(OwnerCommand):
    help = "명령, 설정, 표, TR, 시간표, 주문 상태를 코드에서 읽어 시스템 문서 PDF를 만듭니다."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", help=f"PDF를 쓸 파일 (기본: reports/{FILE_NAME})")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        path = Path(options["output"] or settings.BASE_DIR / "reports" / FILE_NAME).expanduser().absolute()
        try:
            publish(render_system(system_document()), path)
        except (FontsUnavailable, PublishFailed) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"시스템 문서: {path}")
