"""Write the keys of broker accounts, encrypted and findable."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import transaction

from kis.client.codes import AccountNumber, Mode
from kis.client.errors import KisMisconfigured
from kis.encryption import SecretUnreadable, decrypt, encrypt, fingerprints, renewed
from kis.known_secrets import remember, remember_account
from kis.models import AccessToken, BrokerAccount, SecondFactor
from kis.models.owned import OwnedQuerySet

#: What the owner sees and edits as it is.
PLAIN_COLUMNS = ("label", "base_url", "ws_url", "tr_set", "commission", "enabled", "changed_at")
SECRET_COLUMNS = ("app_key_encrypted", "app_secret_encrypted", "account_encrypted", "hts_id_encrypted")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the owner typed; None leaves what is stored as it is. An empty `hts_id` takes the stored one away."""

    app_key: str | None = field(default=None, repr=False)
    app_secret: str | None = field(default=None, repr=False)
    account: AccountNumber | None = None
    hts_id: str | None = field(default=None, repr=False)

    def columns(self) -> dict[str, str]:
        """Return what is typed as it is stored."""
        number = None if self.account is None else text_of(self.account)
        typed = dict(zip(SECRET_COLUMNS, (self.app_key, self.app_secret, number, self.hts_id), strict=True))
        found = {name: encrypt(secret) for name, secret in typed.items() if secret is not None}
        if number is not None:
            found["account_fingerprint"] = fingerprints(number)[0]
        return found


def save_account(row: BrokerAccount, secrets: Secrets) -> None:
    """Save a row together with new secrets; those it keeps are not written, a rotation may have renewed them."""
    remember(*filter(None, (secrets.app_key, secrets.app_secret, secrets.hts_id)))
    if secrets.account is not None:
        remember_account(secrets.account)
    columns = secrets.columns()
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=[*PLAIN_COLUMNS, *columns] if row.pk else None)


def text_of(account: AccountNumber) -> str:
    return f"{account.number}-{account.product_code}"


def stored_as(account: AccountNumber, mode: Mode) -> BrokerAccount | None:
    """Return the row of an account number, whichever of our keys its fingerprint was made with."""
    return BrokerAccount.objects.filter(
        mode=mode, account_fingerprint__in=fingerprints(text_of(account))
    ).first()


class CannotDelete(KisMisconfigured):
    """Something stored may belong to this account; the text is a sentence for the owner."""


def refuse_deletion_with_books(row: BrokerAccount) -> None:
    """Raise CannotDelete where rows of the books would lose the account they belong to."""
    try:
        number = row.number
    except SecretUnreadable:
        raise CannotDelete(
            f"'{row.label}' 계좌는 계좌번호를 풀 수 없어 장부가 있는지 알 수 없습니다. 계좌번호를 다시 넣어 주세요."
        ) from None
    if any(rows.of(number, is_paper=row.is_paper).exists() for rows in owned_rows()):
        raise CannotDelete(
            f"'{row.label}' 계좌는 장부에 자료가 있어 지울 수 없습니다. 쓰지 않으려면 '사용'을 꺼 주세요."
        )


def owned_rows() -> Iterator[OwnedQuerySet[Any]]:
    """Yield all rows of each table whose rows belong to an account."""
    for model in apps.get_models():
        rows = model._default_manager.all()  # noqa: SLF001  # Django's own name for it
        if isinstance(rows, OwnedQuerySet):
            yield rows


@dataclass(frozen=True, slots=True)
class Rotated:
    """What was encrypted anew, and whose secrets could not be read: labels of accounts, names of users."""

    accounts: int
    tokens: int
    factors: int
    unreadable: tuple[str, ...]
    unreadable_factors: tuple[str, ...]


def rotate_encryption() -> Rotated:
    """Encrypt everything stored with the first key, so that the others may be dropped. May be repeated.

    A token that cannot be read is left: the next one replaces it. One that is renewed meanwhile is new already.
    """
    unreadable = []
    with transaction.atomic():
        rows = list(BrokerAccount.objects.select_for_update().order_by("pk"))
        for row in rows:
            try:
                renew(row)
            except SecretUnreadable:
                unreadable.append(row.label)
    tokens = 0
    for token in AccessToken.objects.exclude(token_encrypted=""):
        try:
            fresh = renewed(token.token_encrypted)
        except SecretUnreadable:
            continue
        unchanged = AccessToken.objects.filter(pk=token.pk, token_encrypted=token.token_encrypted)
        tokens += unchanged.update(token_encrypted=fresh)
    factors, lost = renew_second_factors()
    return Rotated(len(rows) - len(unreadable), tokens, factors, tuple(unreadable), tuple(lost))


def renew_second_factors() -> tuple[int, list[str]]:
    """Encrypt the secrets of second factors anew; returns how many, and whose could not be read."""
    renewed_now, lost = 0, []
    for factor in SecondFactor.objects.select_related("user").order_by("pk"):
        try:
            fresh = renewed(factor.secret_encrypted)
        except SecretUnreadable:
            lost.append(factor.user.get_username())
            continue
        unchanged = SecondFactor.objects.filter(pk=factor.pk, secret_encrypted=factor.secret_encrypted)
        renewed_now += unchanged.update(secret_encrypted=fresh)
    return renewed_now, lost


def unreadable_accounts() -> list[str]:
    """Return the labels of the accounts whose secrets none of our keys reads."""
    found = []
    for row in BrokerAccount.objects.order_by("label"):
        try:
            decrypt(row.account_encrypted)
        except SecretUnreadable:
            found.append(row.label)
    return found


def unreadable_factors() -> list[str]:
    """Return the names of users whose second factor counts and whose secret none of our keys reads."""
    found = []
    for factor in SecondFactor.objects.filter(confirmed=True).select_related("user").order_by("pk"):
        try:
            decrypt(factor.secret_encrypted)
        except SecretUnreadable:
            found.append(factor.user.get_username())
    return found


def renew(row: BrokerAccount) -> None:
    """Encrypt the secrets of a row anew, all of them or none. Raises SecretUnreadable."""
    fresh = {name: renewed(getattr(row, name)) for name in SECRET_COLUMNS}
    fresh["account_fingerprint"] = fingerprints(text_of(row.number))[0]
    BrokerAccount.objects.filter(pk=row.pk).update(**fresh)
