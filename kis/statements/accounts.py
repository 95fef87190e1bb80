"""Tell accounts of KB Securities apart without keeping their numbers."""

import hashlib
import re
from dataclasses import dataclass

from kis.korean import masked_account
from kis.statements.cells import account_number, name_key

LONGEST_LABEL = 40
KEY_SIGNS = 16
#: The number before the two digits of the product.
NUMBER_SIGNS = 9


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is kept: a fingerprint to compare, and words to show. Both are empty for no account."""

    key: str = ""
    label: str = ""


def account_of(text: str) -> Account:
    """Return the account of a number (`123-456-789-01` → `1234*****-01`) or of a name the owner gave it (`ISA`)."""
    text = " ".join(text.split())
    number = account_number(text)
    if number and not re.search(r"[^0-9*\s()\[\]-]", text):
        label = number if "*" in number else masked_account(number[:NUMBER_SIGNS], number[NUMBER_SIGNS:])
        return Account(fingerprint("number", number), label)
    if not text:
        return Account()
    return Account(fingerprint("name", name_key(text)), text[:LONGEST_LABEL])


def fingerprint(kind: str, text: str) -> str:
    return hashlib.sha256(f"kb-account:{kind}:{text}".encode()).hexdigest()[:KEY_SIGNS]
