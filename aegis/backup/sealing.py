"""Who can open a backup: whoever knows the passphrase, or holds the identity of the recipient it was made for.

age takes a passphrase for small texts only, so that of a backup opens an identity of its own (`key.age`), and this the rest.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pyrage
from pyrage import x25519

from aegis.backup.errors import BackupError, Damaged, WrongKey

SHORTEST = 12


@dataclass(frozen=True, slots=True)
class Seal:
    """What a backup is closed with. `wrapped` goes into the file, `opener` never does: it lives as long as the process."""

    recipients: tuple[x25519.Recipient, ...]
    opener: x25519.Identity = field(repr=False)
    wrapped: bytes = b""

    @property
    def kind(self) -> str:
        return "passphrase" if self.wrapped else "recipient"


def seal_with_passphrase(passphrase: str) -> Seal:
    """Close a backup with a passphrase. Raises BackupError for one that is too short."""
    if len(passphrase) < SHORTEST:
        raise BackupError(f"백업 암호는 {SHORTEST}자 이상이어야 합니다.")
    opener = x25519.Identity.generate()
    wrapped = pyrage.passphrase.encrypt(str(opener).encode(), passphrase)
    return Seal((opener.to_public(),), opener, wrapped)


def seal_for_recipient(public_key: str) -> Seal:
    """Close a backup for the holder of an age identity; this machine can look into it only while the process lives.

    Raises BackupError for what is no public key.
    """
    try:
        recipient = x25519.Recipient.from_str(public_key)
    except pyrage.RecipientError:
        raise BackupError("BACKUP_RECIPIENT가 age 공개키(age1…)가 아닙니다.") from None
    opener = x25519.Identity.generate()
    return Seal((recipient, opener.to_public()), opener)


def open_with_passphrase(wrapped: bytes, passphrase: str) -> x25519.Identity:
    """Return the identity that a passphrase opens. Raises WrongKey, Damaged."""
    try:
        text = pyrage.passphrase.decrypt(wrapped, passphrase)
    except pyrage.DecryptError:
        raise WrongKey("백업 암호가 다릅니다.") from None
    try:
        return x25519.Identity.from_str(text.decode())
    except (pyrage.IdentityError, UnicodeDecodeError):
        raise Damaged from None


def read_identity(path: Path) -> x25519.Identity:
    """Return the identity of a file as age-keygen writes it. Raises BackupError, OSError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        lines = []
    for line in lines:
        if line.startswith("AGE-SECRET-KEY-"):
            try:
                return x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError:
                break
    raise WrongKey(f"age 개인키(AGE-SECRET-KEY-…)가 들어 있는 파일이 아닙니다: {path.name}")
