"""Say what is in order, what is not, and what to do about it."""

from typing import Any, cast

from django.core.management.base import CommandError, CommandParser
from rich.console import Console

from aegis.health import examine_account
from aegis.health.case import Status
from aegis.health.report import as_json, print_lines
from kis.commands import AccountCommand


class Command(AccountCommand):
    help = "키, 증권사 연결, 시계, 토큰, 호출 한도, 데이터베이스, 글꼴, 폴더, 예약을 점검하고 고칠 방법을 알려 줍니다."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="프로그램이 읽을 수 있게 JSON으로 출력합니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        case, lines = examine_account(self.asked_mode(options), options["account"])
        if options["json"]:
            self.stdout.write(as_json(case, lines))
        else:
            print_lines(Console(file=cast("Any", self.stdout)), case, lines)
        problems = sum(item.status is Status.PROBLEM for item in lines)
        if problems:
            raise CommandError(f"문제가 {problems}건 있습니다. '→ 해결'을 따라 고친 뒤 다시 실행해 주세요.")
