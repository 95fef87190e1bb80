"""Encryption of what the database keeps secret, with keys that can be changed."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from kis.client.errors import KisMisconfigured


class SecretUnreadable(KisMisconfigured):
    """What is stored was encrypted with a key that is none of ours."""

    def __init__(self) -> None:
        super().__init__(
            "저장된 비밀 값을 풀 수 없습니다. 암호화할 때 쓴 키를 AEGIS_ENCRYPTION_KEY에 쉼표로 덧붙여 주세요."
        )


def cipher() -> MultiFernet:
    """Return the cipher of stored secrets: the first key encrypts, all of them read.

    Raises KisMisconfigured for a key that is none.
    """
    try:
        return MultiFernet([Fernet(key) for key in keys()])
    except ValueError:
        raise KisMisconfigured(
            "AEGIS_ENCRYPTION_KEY가 올바른 암호화 키가 아닙니다. .env.example의 설명대로 다시 만들어 주세요."
        ) from None


def keys() -> list[str]:
    """Return AEGIS_ENCRYPTION_KEY, newest first.

    The last one is derived from SECRET_KEY: it encrypts where there is no other, and reads what was stored before.
    """
    given = [key.strip() for key in settings.AEGIS_ENCRYPTION_KEY.split(",")]
    digest = hashlib.blake2b(settings.SECRET_KEY.encode(), digest_size=32, person=b"aegis-tokens").digest()
    return [*filter(None, given), base64.urlsafe_b64encode(digest).decode()]


def encrypt(text: str) -> str:
    """Return a text as it may be stored; empty stays empty."""
    return cipher().encrypt(text.encode()).decode() if text else ""


def decrypt(stored: str) -> str:
    """Return the text behind a stored one. Raises SecretUnreadable."""
    if not stored:
        return ""
    try:
        return cipher().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def renewed(stored: str) -> str:
    """Return the same secret encrypted with the first key. Raises SecretUnreadable."""
    return encrypt(decrypt(stored))


def fingerprints(text: str) -> list[str]:
    """Return what a secret may be found by without decrypting it, one for each key, that of the first one first.

    Account numbers are few enough to be tried one by one; without the key their hashes tell nothing.
    """
    return [fingerprint(text, key) for key in keys()]


def fingerprint(text: str, key: str) -> str:
    secret = hashlib.blake2b(key.encode(), digest_size=32, person=b"aegis-lookup").digest()
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
