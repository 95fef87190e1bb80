"""What commands about orders share: the trading password at the terminal, and one sentence for whatever stands in the way."""

import getpass
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from rich.console import Console

from kis.commands import AccountCommand, OwnerCommand
from trading import password
from trading.errors import TradingError, WrongPassword

PROMPT = "거래 비밀번호 (입력해도 보이지 않습니다): "
NO_TERMINAL = "주문과 확인은 터미널에서 직접 입력해야 합니다. 주문은 보내지 않았습니다."
#: What a shell takes as it is; its own quoting would put quotes around Hangul, too.
PLAIN = re.compile(r"[\w.-]+")
#: The outcome of an order is not known.
UNKNOWN_CODE = 3


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of the orders into the one sentence that a command ends with."""
    try:
        yield
    except TradingError as error:
        raise CommandError(str(error)) from None


def is_at_terminal() -> bool:
    """Return whether somebody sits there: what is typed is not from a file, and what is shown does not go into one."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(prompt: str = PROMPT) -> str:
    """Ask for a password; it is not shown."""
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise CommandError("비밀번호를 입력하지 않았습니다.") from None


def ask_at_terminal(refusal: str = NO_TERMINAL) -> str:
    """Ask for the trading password where somebody sits. Raises CommandError otherwise, and where none would do."""
    if not is_at_terminal():
        raise CommandError(refusal)
    with explained():
        password.refuse_if_locked(at=timezone.now())
    return ask()


def check_at_terminal(refusal: str) -> None:
    """Ask for the trading password and compare it. Raises CommandError."""
    given = ask_at_terminal(refusal)
    with explained():
        password.check(given, at=timezone.now())


def check_for_inquiry() -> None:
    """Compare the trading password, that of the environment where there is one: an inquiry may come from cron."""
    given = settings.AEGIS_TRADING_PASSWORD
    with explained():
        password.refuse_if_locked(at=timezone.now())
        if not given and not sys.stdin.isatty():
            raise CommandError(
                "거래 비밀번호를 물어볼 터미널이 없습니다. cron에서는 .env에 AEGIS_TRADING_PASSWORD를 넣어 주세요. "
                "조회에만 쓰입니다."
            )
        try:
            password.check(given or ask(), at=timezone.now())
        except WrongPassword as error:
            where = " .env의 AEGIS_TRADING_PASSWORD를 고쳐 주세요." if given else ""
            raise CommandError(f"{error}{where}") from None


def as_typed(*words: str) -> str:
    """Return how to call a command of ours, in a form that works where the owner is now."""
    here = Path(sys.executable)
    on_path = shutil.which("python")
    if on_path and Path(on_path) == here:
        python = "python"
    else:
        python = str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)
    return " ".join([python, "manage.py", *words])


class TradingCommand(OwnerCommand):
    """A command about orders in general."""

    @property
    def console(self) -> Console:
        return Console(file=cast("Any", self.stdout))


class AccountTradingCommand(TradingCommand, AccountCommand):
    """A command about the orders of one account."""

    def of_account(self, options: Mapping[str, Any]) -> str:
        """Return the option that names the account, as it has to be typed again."""
        name = str(options["account"])
        if not name:
            return ""
        return f" --account {name if PLAIN.fullmatch(name) else shlex.quote(name)}"
