"""One examination: whom it is about, what a check says, and what happens when a check itself breaks."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from aegis.logs import mask
from kis.accounts import Account, Source
from kis.client.codes import Environment, Mode
from kis.client.errors import ADVICE, KisError, KisRefused, KisUnreachable
from kis.client.session import Session
from kis.commands import explain_database, explain_file
from kis.connect import Connection, connect

logger = logging.getLogger(__name__)

HIDDEN = "****"
#: What is shorter would blot out harmless words, and our own texts repeat no setting anyway.
SHORTEST_SECRET = 4


class Status(Enum):
    """How a check ended, in the word the owner reads."""

    OK = "정상"
    WARNING = "주의"
    PROBLEM = "문제"
    SKIPPED = "건너뜀"


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found: one sentence, what to do about it, and lines that go below."""

    status: Status
    text: str
    remedy: str = ""
    details: tuple[str, ...] = ()


def fine(text: str) -> Result:
    return Result(Status.OK, text)


def warning(text: str, remedy: str, details: Sequence[str] = ()) -> Result:
    return Result(Status.WARNING, text, remedy, tuple(details))


def problem(text: str, remedy: str) -> Result:
    return Result(Status.PROBLEM, text, remedy)


def skipped(text: str) -> Result:
    return Result(Status.SKIPPED, text)


@dataclass(frozen=True, slots=True)
class Case:
    """The account to examine and the way to its broker; without one, `trouble` says why.

    `account` is None where nothing is configured for the mode.
    """

    mode: Mode
    connection: Connection | None = None
    trouble: str = ""
    account: Account | None = None
    now: Callable[[], datetime] = timezone.now
    demo: bool = field(default_factory=lambda: bool(settings.AEGIS_DEMO))

    @property
    def is_stored(self) -> bool:
        """Return whether the keys are in the database and not in the environment."""
        return self.account is not None and self.account.source is Source.DATABASE

    def setting(self, name: str, field_name: str) -> str:
        """Return where the owner finds a value: the variable, or the field in the admin."""
        if self.account is not None and self.is_stored:
            return f"관리자 화면의 '{self.account.label}' 계좌의 {field_name}"
        return f"KIS_{self.mode.upper()}_{name}"

    @property
    def session(self) -> Session:
        """The session; only for checks that need the keys to be in order."""
        assert self.connection is not None  # noqa: S101  # the runner skips those checks otherwise
        return self.connection.session

    @property
    def environment(self) -> Environment:
        return self.session.environment

    def market_now(self) -> datetime:
        """Return the time of the market the books are about: the simulator's in demo mode."""
        return self.connection.now() if self.connection else self.now()

    def hide(self, text: str) -> str:
        """Mask whatever is secret here, wherever it came from."""
        text = mask(text)
        secrets = [settings.SECRET_KEY, *map(str.strip, settings.AEGIS_ENCRYPTION_KEY.split(","))]
        secrets += [str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()]
        if self.connection is not None:
            secrets += self.environment.secrets
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text


@contextlib.contextmanager
def open_case(mode: Mode, account: Account | None = None) -> Iterator[Case]:
    """Connect as every command does; whatever stands in the way becomes part of the case."""
    stack = contextlib.ExitStack()
    try:
        try:
            case = Case(mode, stack.enter_context(connect(mode, account or "")), account=account)
        except Exception as error:  # noqa: BLE001  # a doctor tells what is wrong, he does not fall ill himself
            case = Case(mode, trouble=explain(error).text, account=account)
        yield case
    finally:
        try:
            stack.close()
        except Exception as error:  # noqa: BLE001
            logger.warning("The connection could not be closed in order: %s", type(error).__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its name, and the names of those that must not have failed before it."""

    name: str
    run: Callable[[Case], Result]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """The result of one check as it is printed: nothing secret is in it."""

    name: str
    status: Status
    text: str
    remedy: str
    details: tuple[str, ...]


def not_reached(check: Check, ground: str) -> Line:
    """Return the line of a check whose ground is broken."""
    return Line(check.name, Status.SKIPPED, f"먼저 해결할 것: {ground}", "", ())


def examine_one(check: Check, case: Case) -> Line:
    """Run a check. Never raises."""
    try:
        result = check.run(case)
    except Exception as error:  # noqa: BLE001  # one broken check must not hide the others
        result = explain(error)
    return Line(
        check.name,
        result.status,
        case.hide(result.text),
        case.hide(result.remedy),
        tuple(map(case.hide, result.details)),
    )


def explain(error: Exception) -> Result:
    """Turn an error into a problem with its remedy."""
    if isinstance(error, KisRefused):
        text = f"증권사가 거절했습니다: {error.message} ({error.msg_cd}, {error.tr_id})"
        advice = ADVICE.get(error.msg_cd, error.advice)
        return problem(text, advice or "KIS Developers 공지에서 이 코드를 확인해 주세요.")
    if isinstance(error, KisUnreachable):
        return problem(
            f"증권사의 응답을 받지 못했습니다: {error.reason}",
            "잠시 후 다시 시도해 주세요. 계속되면 인터넷 연결과 증권사 점검 공지를 확인해 주세요.",
        )
    if isinstance(error, KisError):
        return problem(str(error), "설정을 고친 뒤 다시 실행해 주세요.")
    if isinstance(error, DatabaseError | InterfaceError):
        text = (
            explain_database(error) if isinstance(error, DatabaseError) else "데이터베이스 연결이 끊겼습니다."
        )
        return problem(text, "데이터베이스를 고친 뒤 다시 실행해 주세요.")
    if isinstance(error, OSError):
        return problem(explain_file(error), "폴더의 권한과 남은 공간을 확인해 주세요.")
    return problem(
        f"예상하지 못한 오류로 확인하지 못했습니다. ({type(error).__name__})",
        "같은 오류가 되풀이되면 이 줄을 개발자에게 알려 주세요.",
    )
