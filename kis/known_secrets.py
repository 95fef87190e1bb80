"""Secrets that this process has come to know, so that its logs can leave them out."""

import re
from functools import cache

from kis.client.codes import AccountNumber

#: What is shorter would blot out harmless words.
SHORTEST = 4
HIDDEN = "****"
_texts: set[str] = set()
_accounts: set[AccountNumber] = set()


def remember(*secrets: str) -> None:
    """Keep values that must not be repeated: what has been decrypted, typed or made here, and nowhere else."""
    _texts.update(secret for secret in secrets if len(secret) >= SHORTEST)


def remember_account(account: AccountNumber) -> None:
    _accounts.add(account)


def hide(text: str) -> str:
    """Mask every remembered value in a text, account numbers down to their first four digits."""
    for secret in sorted(_texts, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for account in _accounts:
        text = hide_account(text, account)
    return text


def hide_account(text: str, account: AccountNumber) -> str:
    """Mask an account number where it stands alone or before its product code."""
    return account_pattern(account).sub(account.number[:4] + HIDDEN, text)


@cache
def account_pattern(account: AccountNumber) -> re.Pattern[str]:
    return re.compile(rf"(?<!\d){account.number}(?={account.product_code}(?!\d)|(?!\d))")
