"""Passphrase and public key of backups, from the environment or from whoever sits at the terminal; never from an argument."""

import getpass
import sys
from pathlib import Path

from django.conf import settings
from pyrage import x25519

from aegis.backup.archive import Envelope
from aegis.backup.errors import BackupError
from aegis.backup.sealing import (
    Seal,
    open_with_passphrase,
    read_identity,
    seal_for_recipient,
    seal_with_passphrase,
)

NO_KEY = "백업을 잠글 것이 없습니다. .env에 BACKUP_RECIPIENT(age 공개키)나 BACKUP_PASSPHRASE를 넣거나 터미널에서 실행해 주세요."
NOBODY = "백업 암호를 물어볼 터미널이 없습니다. .env에 BACKUP_PASSPHRASE를 넣거나 터미널에서 실행해 주세요."


def seal() -> Seal:
    """Return what a new backup is closed with: the public key if there is one, else the passphrase. Raises BackupError."""
    if settings.BACKUP_RECIPIENT:
        return seal_for_recipient(settings.BACKUP_RECIPIENT)
    return seal_with_passphrase(settings.BACKUP_PASSPHRASE or new_passphrase())


def opener_of(envelope: Envelope, identity: Path | None) -> x25519.Identity:
    """Return what opens a backup. Raises BackupError, WrongKey, OSError."""
    if identity is not None:
        return read_identity(identity)
    if not envelope.needs_passphrase:
        raise BackupError("공개키로 잠근 백업입니다. 그 개인키 파일을 알려 주세요: --identity 파일")
    prompt = "백업 암호 (입력해도 보이지 않습니다): "
    return open_with_passphrase(envelope.wrapped, settings.BACKUP_PASSPHRASE or asked(prompt, refusal=NOBODY))


def new_passphrase() -> str:
    first = asked("새 백업 암호 (입력해도 보이지 않습니다): ")
    if asked("한 번 더: ") != first:
        raise BackupError("두 암호가 서로 다릅니다. 백업하지 않았습니다.")
    return first


def asked(prompt: str, *, refusal: str = NO_KEY) -> str:
    """Ask for a passphrase where somebody sits. Raises BackupError."""
    if not sys.stdin.isatty():
        raise BackupError(refusal)
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise BackupError("암호를 입력하지 않았습니다.") from None
