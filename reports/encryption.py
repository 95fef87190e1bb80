"""A password for a PDF that leaves this computer."""

from io import BytesIO
from typing import Final

#: What AES-256 of PDF 2.0 takes, in UTF-8.
LONGEST_PASSWORD: Final = 127


class PasswordRefused(Exception):
    """This cannot be the password of a PDF; the text is a sentence for the owner."""


def checked_password(password: str) -> str:
    """Return a password that a PDF can have. Raises PasswordRefused."""
    if len(password.encode()) > LONGEST_PASSWORD:
        raise PasswordRefused(f"PDF 암호는 {LONGEST_PASSWORD}바이트(한글 약 40자)까지입니다.")
    if not password.isprintable():
        raise PasswordRefused("PDF 암호에는 보이지 않는 글자를 쓸 수 없습니다.")
    return password


def encrypted(pdf: bytes, password: str) -> bytes:
    """Return a PDF that opens with a password only (AES-256, its metadata as well).

    Its bytes are others every time: the keys are drawn anew, so that nobody can tell from two files whether they say the
    same.
    """
    import pikepdf  # noqa: PLC0415  # native, and only for files that leave

    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner=password, user=password, R=6, metadata=True))
    return out.getvalue()
