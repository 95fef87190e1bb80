"""The backup of every day: made, built again to see that it can be, and only then counted as one."""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from aegis.backup.archive import open_envelope
from aegis.backup.errors import BackupError
from aegis.backup.keys import seal
from aegis.backup.last import backups, default_folder, file_name, prefix, remove_old
from aegis.backup.making import Wanted, make_backup
from aegis.backup.restoring import alone, check
from kis.korean import SEOUL

OFF = "BACKUP_DIR를 정하지 않아 백업하지 않았습니다."


def daily_backup(*, slot: datetime | None, now: datetime) -> str:
    """Make the backup of a day and say so, unless there is one since `slot` already. Raises BackupError, OSError."""
    if not settings.BACKUP_DIR:
        return OFF
    if not (settings.BACKUP_RECIPIENT or settings.BACKUP_PASSPHRASE):
        raise BackupError(
            "백업을 잠글 것이 없어 백업하지 않았습니다. .env에 BACKUP_RECIPIENT나 BACKUP_PASSPHRASE를 넣어 주세요."
        )
    folder = default_folder()
    with alone():
        newest = next(iter(backups(folder)), None)
        if slot is not None and newest is not None and newest.at >= slot:
            return f"{newest.at:%m-%d %H:%M}에 이미 백업했습니다."
        return save_checked(folder, now=now)


def save_checked(folder: Path, *, now: datetime) -> str:
    for begun in folder.glob(f".{prefix()}*.tar.*"):  # by one that was killed
        begun.unlink(missing_ok=True)
    closed = seal()
    made = make_backup(
        folder / file_name(now),
        seal=closed,
        wanted=Wanted(),
        at=now.astimezone(SEOUL),
        check=lambda path: check(open_envelope(path), closed.opener),
    )
    gone = remove_old(folder, keep=settings.BACKUP_KEEP)
    removed = f", 오래된 백업 {len(gone)}개 지움" if gone else ""
    return f"{made.path.name}: {made.rows:,}건, {megabytes(made.size)}, 되살려 확인함{removed}"


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f}MB"
