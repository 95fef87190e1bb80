"""What every command of ours does with trouble: one Korean sentence on stderr and an exit code, never a traceback."""

import re
import sys
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError, ProgrammingError

from kis.client.errors import KisError

USAGE_CODE = 2
INTERRUPTED_CODE = 130
#: Argparse speaks English only; these are the mistakes an owner makes.
MISTAKES = (
    (re.compile(r"unrecognized arguments: (.+)"), "알 수 없는 옵션입니다: {0}"),
    (
        re.compile(r"argument ([^:]+): invalid choice: '?([^']*)'? \(choose from (.+)\)"),
        "{0}에 '{1}'을(를) 쓸 수 없습니다. 다음 가운데 하나여야 합니다: {2}",
    ),
    (re.compile(r"argument ([^:]+): expected .+"), "{0} 뒤에 값이 필요합니다"),
    (
        re.compile(r"argument ([^:]+): invalid \w+ value: '?([^']*)'?"),
        "{0}의 값 '{1}'을(를) 읽을 수 없습니다",
    ),
    (re.compile(r"the following arguments are required: (.+)"), "빠진 값이 있습니다: {0}"),
    (
        re.compile(r"argument ([^:]+): not allowed with argument (.+)"),
        "{0}와(과) {1}은(는) 함께 쓸 수 없습니다",
    ),
    (re.compile(r"argument ([^:]+): (.+)"), "{0}: {1}"),
)


def in_korean(message: str) -> str:
    """Translate a message of argparse; one that is not known keeps its own words."""
    for pattern, korean in MISTAKES:
        if match := pattern.fullmatch(message):
            return korean.format(*match.groups())
    return message


def explain_database(error: DatabaseError) -> str:
    """Say what to do about a database that cannot be used; its own text may hold addresses and is left out."""
    if isinstance(error, ProgrammingError) or "no such table" in str(error) or "no such column" in str(error):
        return "데이터베이스 표가 준비되지 않았습니다. 먼저 실행해 주세요: make setup"
    if "locked" in str(error):
        return "다른 작업이 데이터베이스를 쓰고 있습니다. 잠시 후 다시 시도해 주세요."
    return "데이터베이스에 연결하지 못했습니다. DATABASE_URL과 서버가 켜져 있는지 확인해 주세요."


class OwnerCommand(BaseCommand):
    """A command for the owner. Called from code it raises as usual; from the command line it explains and exits."""

    _called_from_command_line: bool  # set by Django

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:  # noqa: ANN401
        parser = super().create_parser(prog_name, subcommand, **kwargs)

        def error(message: str) -> NoReturn:
            if parser.called_from_command_line:
                self.leave(f"{in_korean(message)}. 도움말: {prog_name} {subcommand} --help", USAGE_CODE)
            raise CommandError(in_korean(message))

        parser.error = error  # type: ignore[method-assign]
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401
        if not self._called_from_command_line:
            return super().execute(*args, **options)
        try:
            return super().execute(*args, **options)
        except (CommandError, KisError, ImproperlyConfigured) as error:
            if options.get("traceback"):
                raise
            self.leave(str(error), getattr(error, "returncode", 1))
        except (OperationalError, ProgrammingError) as error:
            if options.get("traceback"):
                raise
            self.leave(explain_database(error), 1)
        except KeyboardInterrupt:
            self.leave("중단했습니다.", INTERRUPTED_CODE)

    def leave(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(self.style.ERROR(sentence))
        sys.exit(code)
