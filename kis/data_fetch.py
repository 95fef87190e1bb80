"""The full fetch of the timetable: every account from the broker, then the files of other brokers."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from kis.accounts import MODE_NAMES, Account, configured_accounts, find_account
from kis.advice import diagnose
from kis.client.codes import Mode
from kis.client.errors import KisError, KisMisconfigured
from kis.commands import explain_database, explain_file
from kis.connect import Connection, connect
from kis.models import SyncRun
from kis.reconnecting import drop_dead_connection
from kis.refresh import AlreadyFresh, refresh_slot
from kis.slots import Window
from kis.statements.load import LoadResult, Outcome, load_folder
from kis.sync import sync_account
from kis.sync.market import copy_minutes
from kis.sync.progress import Quiet
from kis.sync.run import sync_slot

logger = logging.getLogger(__name__)

SOMEBODY_ELSE = "다른 프로세스가 이 시각을 이미 맡았습니다."


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one account or of the files: a sentence for the owner."""

    label: str
    told: str
    failed: bool = False

    def __str__(self) -> str:
        return f"{self.label}: {self.told}"


class FetchFailed(KisError):
    """Some of a fetch could not be done; the text has a line for each part of it."""

    def __init__(self, results: Sequence[Fetched]) -> None:
        super().__init__("\n".join(str(result) for result in results))
        self.results = tuple(results)


def accounts_meant(mode: Mode | None, name: str = "") -> list[Account]:
    """Return the accounts in use, those of a mode, or the one of a name. Raises KisMisconfigured where there is none."""
    if name.strip():
        return [find_account(mode, name)]
    usable = [account for account in configured_accounts() if not account.unused]
    meant = [account for account in usable if mode in {None, account.mode}]
    if not meant:
        which = f"{MODE_NAMES[mode]} 계좌" if mode else "계좌"
        raise KisMisconfigured(
            f"설정한 {which}가 없습니다: .env에 앱키를 넣거나 관리자 화면의 '연결한 계좌'에 등록해 주세요."
        )
    return meant


def fetch(accounts: Sequence[Account], *, slot: datetime | None, now: datetime) -> Iterator[Fetched]:
    """Yield what became of each account, and of the files, as soon as it is known; no trouble stops the others.

    A slot that somebody else has run or is running is left to them; without a slot the accounts are copied now. `now` is
    real time.
    """
    for account in accounts:
        yield fetch_account(account, lambda connection: copy(connection, slot=slot))
    if settings.KB_IMPORT_DIR:
        yield from fetch_files(Path(settings.KB_IMPORT_DIR).expanduser(), now=now)


def refresh(accounts: Sequence[Account], *, window: Window, slot: datetime | None) -> Iterator[Fetched]:
    """Yield what became of each account in the job of every minute; the same rules as in `fetch`.

    Whether the job rests is for the market's clock to say: that of the simulator goes its own way.
    """
    for account in accounts:
        yield fetch_account(account, lambda connection: refreshed(connection, window=window, slot=slot))


def refreshed(connection: Connection, *, window: Window, slot: datetime | None) -> str:
    """Refresh one account, and say so. Raises KisError."""
    now = connection.now()
    tick = window.slot_of(now) if slot is None or settings.AEGIS_DEMO else slot
    if slot is not None and (rest := window.reason_to_rest(tick, now=now)):
        return rest
    try:
        run = refresh_slot(connection, slot=tick)
    except AlreadyFresh as error:
        return str(error)
    return told_of(run) if run else SOMEBODY_ELSE


def fetch_account(account: Account, work: Callable[[Connection], str]) -> Fetched:
    """Do some work for one account, and tell what became of it."""
    drop_dead_connection()
    try:
        with connect(account.mode, account) as connection:
            return Fetched(account.label, work(connection))
    except KisError as error:
        trouble = str(error)
    except (DatabaseError, InterfaceError) as error:
        trouble = explain_database(error)
    except Exception:
        # What nobody has thought of must not keep the other accounts from their slot; it is in the log.
        logger.exception("The fetch of an account failed")
        trouble = "예상하지 못한 오류로 멈췄습니다. 기록을 확인해 주세요."
    return Fetched(account.label, trouble, failed=True)


def copy(connection: Connection, *, slot: datetime | None) -> str:
    """Copy one account, and say so. Raises KisError."""
    run = sync_account(connection) if slot is None else sync_slot(connection, slot=slot)
    if run is None:
        return SOMEBODY_ELSE
    copy_minutes(connection, run=run, listener=Quiet())
    diagnose(run, at=connection.now())
    return told_of(run)


def told_of(run: SyncRun) -> str:
    """Say how a complete run ended: `동기화 #12 완료, 대사 일치`."""
    run.refresh_from_db(fields=["differences"])
    books = f"대사 차이 {run.differences}건" if run.differences else "대사 일치"
    notes = len(run.error.splitlines())
    return f"동기화 #{run.pk} 완료, {books}" + (f", 주의 {notes}건" if notes else "")


def fetch_files(folder: Path, *, now: datetime) -> Iterator[Fetched]:
    """Take what is new in the owner's folder; a stray file in it is told, and does not make the fetch a failure."""
    try:
        results = load_folder(folder, now=now)
    except FileNotFoundError:
        yield Fetched(
            "KB증권", "KB_IMPORT_DIR 폴더가 없습니다. 폴더를 만들거나 설정을 고쳐 주세요.", failed=True
        )
        return
    except OSError as error:
        yield Fetched("KB증권", explain_file(error), failed=True)
        return
    except (DatabaseError, InterfaceError) as error:
        yield Fetched("KB증권", explain_database(error), failed=True)
        return
    yield from (Fetched("KB증권", told_of_file(result)) for result in results if is_news(result))


def is_news(result: LoadResult) -> bool:
    return result.outcome is not Outcome.KNOWN


def told_of_file(result: LoadResult) -> str:
    if result.outcome is Outcome.SAVED:
        problems = f", 확인할 줄 {len(result.problems)}" if result.problems else ""
        return f"{result.name}, 새 {len(result.new)}행{problems}"
    return f"{result.name}, {result.reason}"
