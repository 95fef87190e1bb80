"""The terminal: lines of Korean that are no orders, commands with options they cannot have, and settings nobody can use."""

import io
import os
import re
import runpy
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import get_commands, load_command_class
from django.db import DatabaseError, InterfaceError
from django.db.utils import ConnectionHandler
from django.test import override_settings

import manage
from kis.accounts import configured_accounts
from kis.client.errors import KisError
from tests.fuzz.hostile import Hostile
from tests.fuzz.throwing import KOREAN, ROOT, Wrong, taken_back
from trading.errors import CommandNotUnderstood
from trading.parser import parse

LINES = (
    *(
        "잔고조회",
        "현재가 005930 삼성전자",
        "주문내역",
        "매수 005930 삼성전자 10주 71,000원",
        "매도 005930 삼성전자 10주",
    ),
    *(
        "취소 005930 117943",
        "확인 XT9W",
        "매수 0126Z0 삼성에피스홀딩스 3주",
        "매도 Q500001 신한 레버리지 1주 9,995원",
    ),
)
#: Commands that are carried out here; the others would serve, print or look at this machine, and are only read.
CARRIED_OUT = (
    *(
        "accounts",
        "create_token",
        "import_kb",
        "prune",
        "returns",
        "kis_balance",
        "real_balance",
        "sync_kis_data",
    ),
    *(
        "aegis_1min_orders",
        "aegis_30min_data_fetch",
        "diagnose",
        "reconcile_orders",
        "kill_switch",
        "trade",
        "실전",
        "모의",
    ),
    *("set_trading_password", "verify_audit", "rotate_encryption", "sync_schedules", "create_owner"),
)
OURS = ("aegis", "kis", "trading", "reports", "ai")
#: Options of Django's own that change this very process.
NOT_OURS = {"--settings", "--pythonpath", "--traceback", "--force-color"}
SELDOM = {"--help", "--version", "--verbosity", "--no-color", "--skip-checks"}
WORDS = (
    "real",
    "paper",
    "실전",
    "12345678-01",
    "1234****-01",
    "2026-11-20",
    "10",
    "read",
    "on",
    "off",
    "status",
    "005930",
    "owner",
)


class Lines:
    """What somebody types behind 실전 or 모의."""

    name = "terminal: lines"

    def throw(self, hostile: Hostile) -> bool:
        words = hostile.text(*LINES).split(" ") if hostile.chance(0.7) else hostile.of(LINES).split(" ")
        for _ in range(hostile.count(2)):
            place = hostile.count(len(words))
            words[place : place + hostile.count(1)] = [hostile.text(*words)]
        typed = " ".join(words)
        hostile.about = typed[:400]
        try:
            parse(typed)
        except CommandNotUnderstood as error:
            for text in (str(error), error.pointed() if typed.strip() else str(error)):
                if text is not error.pointed() and not KOREAN.search(str(error)):
                    raise Wrong(f"no Korean: {text!r}") from None
            return True
        return False


def as_argument(text: str) -> str:
    """Return a text as a shell can hand it on: without NUL, with odd bytes as Python writes them."""
    return "".join("\udcff" if "\ud800" <= sign <= "\udfff" else sign for sign in text if sign != "\0")[
        :50_000
    ]


class Commands:
    """Every command of ours with hostile options."""

    name = "terminal: commands"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known = sorted(name for name, app in get_commands().items() if app in OURS)

    def throw(self, hostile: Hostile) -> bool:
        if hostile.chance(0.05):
            return self.unknown(hostile)
        name = hostile.of(CARRIED_OUT) if hostile.chance(0.7) else hostile.of(self.known)
        command: Any = load_command_class(get_commands()[name], name)
        out, err = io.StringIO(), io.StringIO()
        command.stdout._out, command.stderr._out = out, err  # noqa: SLF001  # as the constructor does
        command._called_from_command_line = True  # noqa: SLF001  # errors end in a sentence then
        code: object = 0
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            taken_back(),
            mock.patch("sys.stdin", hostile_terminal(hostile)),
        ):
            try:
                parser = command.create_parser("manage.py", name)
                typed = self.arguments(hostile, parser)
                hostile.about = f"{name} {typed}"[:600]
                options = vars(parser.parse_args(typed))
                if name in CARRIED_OUT:
                    command.execute(*options.pop("args", ()), **options)
            except SystemExit as ended:
                code = ended.code
        said = err.getvalue()
        if "Traceback" in said + out.getvalue():
            raise Wrong(f"a traceback: {said[-500:]}")
        if code and not KOREAN.search(said):
            raise Wrong(f"no Korean: {said[-300:]!r}")
        if not code and "Error" in said:
            raise Wrong(f"an error that ends well: {said[-300:]!r}")
        return bool(code)

    def arguments(self, hostile: Hostile, parser: Any) -> list[str]:
        typed: list[str] = []
        for action in parser._actions:  # noqa: SLF001  # there is no other list of them
            options = set(action.option_strings)
            share = 0.02 if options & SELDOM else 0.4 if options else 0.95
            if options & NOT_OURS or not hostile.chance(share):
                continue
            near = [str(choice) for choice in action.choices or ()] or [*WORDS, str(self.folder)]
            value = as_argument(hostile.of(near) if hostile.chance(0.4) else hostile.text(*near))
            if action.option_strings:
                option = action.option_strings[-1]
                takes_none = action.nargs == 0
                typed += [option] if takes_none else hostile.one_of([option, value], [f"{option}={value}"])
            else:
                typed += hostile.one_of(
                    [value], [as_argument(word) for word in hostile.of(LINES).split()], [value, value]
                )
        if hostile.chance(0.1):
            typed.insert(
                hostile.count(len(typed)), as_argument(hostile.text("--help", "--version", "--all", "-x"))
            )
        return typed

    def unknown(self, hostile: Hostile) -> bool:
        name = as_argument(hostile.text(*self.known))
        if name in get_commands() or name.startswith("-") or name == "help":
            return True
        hostile.about = f"manage.py {name[:300]!r}"
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with mock.patch.object(sys, "argv", ["manage.py", name]), redirect_stdout(out), redirect_stderr(err):
            try:
                manage.main()
            except SystemExit as ended:
                if not KOREAN.search(str(ended.code)):
                    raise Wrong(f"no Korean: {ended.code!r}") from None
                return True
        raise Wrong("a command that is none")


def hostile_terminal(hostile: Hostile) -> Any:  # a standard input
    is_attended = hostile.chance(0.5)
    return SimpleNamespace(isatty=lambda: is_attended, readline=lambda: "", read=lambda: "", fileno=lambda: 0)


#: Settings that name a place on this machine, and what they may name here.
PLACES = {
    "AEGIS_VAR_DIR",
    "AEGIS_CACHE_DIR",
    "AEGIS_REPORT_DIR",
    "AEGIS_FONT_DIR",
    "KB_IMPORT_DIR",
    "AEGIS_SIM_MARKET_DIR",
}
DATABASES = (
    *(
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///{}/x.sqlite3",
        "sqlite:///{}",
        "sqlite:////dev/null",
        "sqlite:///{}/no/x",
    ),
    *(
        "postgres://a:b@127.0.0.1:1/x",
        "postgres://127.0.0.1:99999/x",
        "postgres://%2Ftmp/x",
        "postgres://127.0.0.1:1/",
    ),
    *(
        "postgres://a:b@127.0.0.1:1/x?sslmode=nonsense",
        "postgres://127.0.0.1:1/x?foo=bar",
        "mysql://127.0.0.1/x",
        "x",
        "://",
    ),
    *(
        "postgres://a:%zz@127.0.0.1:1/x",
        "postgres://[::1/x",
        "sqlite:///{}/x?timeout=abc",
        "postgres://127.0.0.1:1/x?connect_timeout=1",
    ),
)


class Settings:
    """A `.env` file, and what is made of it when the site starts."""

    name = "terminal: settings"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "hostile.env"
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        self.names = sorted(set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)))

    def throw(self, hostile: Hostile) -> bool:
        lines = [f"AEGIS_VAR_DIR={self.folder}/var"]
        for _ in range(hostile.one_of(1, 1, 2, 4)):
            name = hostile.of(self.names)
            lines.append(f"{name}={self.value(hostile, name)}")
        if hostile.chance(0.1):
            lines.append(hostile.text(*lines))
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
        if hostile.chance(0.1):
            data = hostile.one_of(
                hostile.damaged(data),
                "\n".join(lines).encode("utf-16", "replace"),
                data.replace(b"\n", b"\r"),
            )
        if str(self.folder).encode() not in data[:400]:
            data = f"AEGIS_VAR_DIR={self.folder}/var\n".encode() + data
        self.file.write_bytes(data)
        hostile.about = repr(data[:400])
        try:
            with self.fresh():
                read = runpy.run_path(str(ROOT / "aegis" / "settings.py"))
            self.use(read)
        except (ImproperlyConfigured, KisError) as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        except (DatabaseError, InterfaceError):
            return True  # `kis.commands.explain_database` has the sentence
        return False

    def value(self, hostile: Hostile, name: str) -> str:
        if name == "DATABASE_URL":
            return str(
                hostile.one_of(
                    hostile.of(DATABASES).format(self.folder), hostile.spoilt("sqlite:///x.sqlite3")
                )
            )
        if name in PLACES:
            return f"{self.folder}/{hostile.text('x')[:300]}"
        return hostile.text(
            "true", "127.0.0.1", "5", "12345678-01", "real", "0.015", "2025-01-01 0.01", "http://127.0.0.1:1"
        )

    @contextmanager
    def fresh(self) -> Any:  # as a generator
        """Let the settings be read as at a start: from the file, and not by a test."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        kept |= {"AEGIS_ENV_FILE": str(self.file)}
        with mock.patch.dict(os.environ, kept, clear=True), mock.patch.dict(sys.modules):
            del sys.modules["pytest"]
            yield

    def use(self, read: dict[str, Any]) -> None:
        """Do with the settings what a start does: check them, look for the accounts, and open the database."""
        ours = {
            name: read[name]
            for name in ("KIS_ACCOUNTS", "KIS_COMMISSIONS", "KIS_MASTER_URL", "AEGIS_DEMO", "ALLOWED_HOSTS")
        }
        with override_settings(
            **ours, AEGIS_HTTPS=read["AEGIS_HTTPS"], REPORT_SYNC_DIR=read["REPORT_SYNC_DIR"]
        ):
            run_checks()
            for account in configured_accounts():
                if not account.unused:
                    account.number_or_reason()
        database = ConnectionHandler({"default": read["DATABASES"]["default"]})["default"]
        try:
            database.ensure_connection()
        finally:
            database.close()
