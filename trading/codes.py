"""Confirm codes: short, easy to read aloud, kept as a keyed hash that is bound to one order."""

import hashlib
import hmac
import secrets
import unicodedata

from django.conf import settings

#: Without 0, O, 1 and I, which look alike.
SYMBOLS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 4


def new_code() -> str:
    return "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))


def hash_of(code: str, *, pk: int, content: str) -> str:
    """Return what is stored of a code. Another order, or a changed one, has another hash for the same code."""
    key = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"aegis-code").digest()
    return hmac.new(key, f"{pk}|{content}|{code}".encode(), hashlib.sha256).hexdigest()


def is_same(code: str, stored: str, *, pk: int, content: str) -> bool:
    """Compare a code as it was typed in constant time; full-width and lower-case letters are meant well."""
    typed = unicodedata.normalize("NFKC", code).strip().upper()
    return hmac.compare_digest(hash_of(typed, pk=pk, content=content), stored)
