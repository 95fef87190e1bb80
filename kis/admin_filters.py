"""What narrows a list in the admin and is no column of it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from kis.access import visible_accounts
from kis.account_keys import text_of
from kis.accounts import Account
from kis.client.codes import AccountNumber
from kis.encryption import fingerprints
from kis.models.runs import SyncRunQuerySet

KEY_LENGTH = 16


class AccountFilter(admin.SimpleListFilter):
    """One account by its label; its number stays out of the address, and two that look alike masked stay apart."""

    title = "계좌"
    parameter_name = "account"
    #: What leads from a row to the one with the account's columns.
    way = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (key_of(account), name_of(account))
            for account in visible_accounts(request.user)
            if account.number
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        for account in visible_accounts(request.user):
            if account.number and key_of(account) == self.value():
                return queryset.filter(**self.columns(account.number, is_paper=account.is_paper))
        return queryset.none()

    def columns(self, number: AccountNumber, *, is_paper: bool) -> dict[str, Any]:
        return {
            f"{self.way}account_no": number.number,
            f"{self.way}product_code": number.product_code,
            f"{self.way}is_paper": is_paper,
        }


class SnapshotAccountFilter(AccountFilter):
    """The same for rows of a snapshot."""

    way = "kis_account__"


class AgreementFilter(admin.SimpleListFilter):
    """Runs by how their reconciliation came out; one that compared nothing does not count as agreeing."""

    title = "대사"
    parameter_name = "agreement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("differs", "차이 있음"), ("agrees", "일치"), ("none", "대사 없음")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        ways: dict[str | None, Callable[[Any], QuerySet[Any]]] = {
            "differs": SyncRunQuerySet.differing,
            "agrees": SyncRunQuerySet.agreeing,
            "none": SyncRunQuerySet.not_compared,
        }
        keep = ways.get(self.value())
        return keep(queryset) if keep else queryset


def key_of(account: Account) -> str:
    assert account.number is not None  # noqa: S101  # those without are not listed
    return fingerprints(f"{account.mode} {text_of(account.number)}")[0][:KEY_LENGTH]


def name_of(account: Account) -> str:
    return account.label if account.label == account.masked_no else f"{account.label} {account.masked_no}"
