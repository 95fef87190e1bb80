"""What every command of ours does with trouble: one Korean sentence on stderr and an exit code, never a traceback."""

import errno
import re
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser, SystemCheckError
from django.db import DatabaseError, InterfaceError, OperationalError

from kis.accounts import MODE_NAMES, Account, find_account, known_accounts, meant_if_any
from kis.client.codes import Mode
from kis.client.errors import KisError
from kis.market_days import follow_market_days

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


#: What a database says, and what its owner can do; its own text may hold addresses and is left out.
DATABASE_TROUBLE = (
    (
        ("no such table", "no such column", "does not exist"),
        "데이터베이스 표가 준비되지 않았습니다. 먼저 실행해 주세요: make setup",
    ),
    (("locked",), "다른 작업이 데이터베이스를 쓰고 있습니다. 잠시 후 다시 시도해 주세요."),
    (
        ("not a database", "malformed"),
        "데이터베이스 파일이 손상되었습니다. 백업에서 되살리거나 파일을 옮긴 뒤 make setup을 실행해 주세요.",
    ),
    (
        ("readonly", "read-only", "unable to open"),
        "데이터베이스에 쓸 수 없습니다. 폴더와 파일의 권한을 확인해 주세요.",
    ),
    (("full", "disk i/o"), "디스크가 가득 찼거나 쓸 수 없습니다. 공간을 확보한 뒤 다시 시도해 주세요."),
)


def explain_database(error: DatabaseError | InterfaceError) -> str:
    """Say what to do about a database that cannot be used."""
    text = str(error).lower()
    for signs, sentence in DATABASE_TROUBLE:
        if any(sign in text for sign in signs):
            return sentence
    if isinstance(error, OperationalError | InterfaceError):
        return "데이터베이스에 연결하지 못했습니다. DATABASE_URL과 서버가 켜져 있는지 확인해 주세요."
    return "데이터베이스가 자료를 받아들이지 않아 저장하지 않았습니다. 마지막 자료는 그대로입니다."


def explain_file(error: OSError) -> str:
    """Say what is wrong with a file or folder."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"디스크가 가득 찼습니다. 공간을 확보한 뒤 다시 시도해 주세요{where}."
    return f"파일을 읽거나 쓸 수 없습니다. 권한을 확인해 주세요{where}."


#: What a failed system check says, and its hint, out of Django's own report.
CHECK_SAYS = re.compile(r"^\S*: \(\S+\) (.+)$|^\s+HINT: (.+)$", re.MULTILINE)


def explain_checks(error: SystemCheckError) -> str:
    """Return the sentences of the checks that failed, without the English around them."""
    return " ".join(said or hint for said, hint in CHECK_SAYS.findall(str(error))) or str(error)


def refuse_lost_values(parser: CommandParser) -> None:
    """Refuse `--account=--`: argparse takes the first `--` away wherever it stands, and what is left is an empty list."""
    parse = parser.parse_args

    def parse_args(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # as argparse has it
        found = parse(*arguments, **named)
        for action in parser._actions:  # noqa: SLF001  # argparse shows them no other way
            if action.option_strings and action.nargs is None and getattr(found, action.dest, None) == []:
                parser.error(f"argument {'/'.join(action.option_strings)}: expected one argument")
        return found

    parser.parse_args = parse_args  # type: ignore[method-assign]


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
        refuse_lost_values(parser)
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401
        if not self._called_from_command_line:
            return super().execute(*args, **options)
        try:
            return super().execute(*args, **options)
        except SystemCheckError as error:
            self.leave(explain_checks(error), 1)
        except (CommandError, KisError, ImproperlyConfigured) as error:
            if options.get("traceback"):
                raise
            self.leave(str(error), getattr(error, "returncode", 1))
        except (DatabaseError, InterfaceError) as error:
            if options.get("traceback"):
                raise
            self.leave(explain_database(error), 1)
        except OSError as error:
            if options.get("traceback"):
                raise
            self.leave(explain_file(error), 1)
        except KeyboardInterrupt:
            self.leave("중단했습니다.", INTERRUPTED_CODE)

    def leave(self, sentence: str, code: int) -> NoReturn:
        self.stderr.write(self.style.ERROR(sentence))
        sys.exit(code)


class AccountCommand(OwnerCommand):
    """A command about one account, which `--mode` and `--account` name; `mode` is set where the command's name says it."""

    mode: Mode | None = None
    #: What leaving `--account` out means.
    without_account = "하나뿐이면 생략"

    def add_arguments(self, parser: CommandParser) -> None:
        if self.mode is None:
            parser.add_argument("--mode", choices=list(MODE_NAMES), help="실전(real) 또는 모의(paper)")
        parser.add_argument(
            "--account",
            default="",
            help=f"계좌의 별칭 또는 번호(1234****-01, 12345678-01). {self.without_account}",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401
        follow_market_days()
        return super().execute(*args, **options)

    def account(self, options: Mapping[str, Any]) -> Account:
        """Return the account to connect to. Raises KisMisconfigured where none or several may be meant."""
        return find_account(self.asked_mode(options), options["account"])

    def known_account(self, options: Mapping[str, Any]) -> Account:
        """Return the account to look at in the books, also one that only they still know. Raises KisError."""
        accounts = known_accounts()
        mode, account = meant_if_any(accounts, self.asked_mode(options), options["account"])
        if account is not None:
            return account
        of_mode = [known for known in accounts if known.mode == mode and known.number is not None]
        if not of_mode:
            raise CommandError(
                "저장된 계좌 자료가 아직 없습니다. 먼저 실행해 주세요: manage.py sync_kis_data"
            )
        if len(of_mode) > 1:
            labels = ", ".join(known.label for known in of_mode)
            raise CommandError(f"--account에 하나를 적어 주세요: {labels}")
        return of_mode[0]

    def asked_mode(self, options: Mapping[str, Any]) -> Mode | None:
        return self.mode or options["mode"]
