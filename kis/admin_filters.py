"""What narrows a list in the admin and is no column of it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from django.contrib import admin
from django.db import connection
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest

from kis.access import access_of, visible, visible_accounts
from kis.account_keys import text_of
from kis.accounts import Account
from kis.client.codes import AccountNumber
from kis.encryption import fingerprints
from kis.models import KisAccount, Stock
from kis.models.owned import of_mode
from kis.models.runs import PRINTING, SyncRunQuerySet

KEY_LENGTH = 16
#: One stock in so many is found by its index, what is more common as the list goes on.
RARE: Final = 10
CODES: Final = """
WITH RECURSIVE codes(code) AS (
    SELECT (SELECT stock_code FROM {table} ORDER BY stock_code LIMIT 1)
    UNION ALL
    SELECT (SELECT stock_code FROM {table} WHERE stock_code > codes.code ORDER BY stock_code LIMIT 1)
    FROM codes WHERE codes.code IS NOT NULL
)
SELECT code FROM codes WHERE code IS NOT NULL
"""
NEWEST: Final = "newest"
#: The jobs that have runs, in the words of the owner.
JOB_NAMES: Final = {
    "sync_kis_data": "전체 동기화",
    "aegis_1min_realtime": "1분 갱신",
    "refresh_by_hand": "지금 동기화",
    PRINTING: "10분 대시보드",
}


class AccountFilter(admin.SimpleListFilter):
    """One account by its label; its number stays out of the address, and two that look alike masked stay apart."""

    title = "계좌"
    parameter_name = "account"
    #: What leads from a row to the one with the account's columns.
    way = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key_of(account), name_of(account)) for account in accounts_of(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        for account in accounts_of(request):
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
    """The same for rows of a snapshot, whose list starts from the snapshots of the account (`SnapshotRowAdmin`)."""

    way = "kis_account__"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class SnapshotFilter(admin.SimpleListFilter):
    """The newest snapshot of each account, or the one that a link from its account has chosen."""

    title = "시점"
    parameter_name = "snapshot"
    #: The column with the number of the snapshot.
    column = "kis_account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name, "")
        one = [(chosen, f"스냅샷 #{chosen}")] if is_number(chosen) else []
        return [(NEWEST, "최신 스냅샷만"), *one]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(**{f"{self.column}__in": chosen_snapshots(request, value)})


class OwnSnapshotFilter(SnapshotFilter):
    """The same for the snapshots themselves."""

    column = "pk"


class ModeFilter(admin.SimpleListFilter):
    """Real or play money."""

    title = "모드"
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("real", "실전"), ("paper", "모의")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        is_paper = value == "paper"
        # Rows that are few already must not be looked for among all of their mode.
        few = getattr(request, "rows_are_few", False)
        return queryset.filter(is_paper=is_paper) if few else queryset.filter(**of_mode(is_paper=is_paper))


class MarketFilter(admin.SimpleListFilter):
    """Rows of stocks of a market, as the list of stocks has it today."""

    title = "시장"
    parameter_name = "market"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return Stock.Market.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        of_market = Stock.objects.filter(market=self.value())
        present = codes_in(queryset.model)
        if present is not None:
            meant = present & {*of_market.filter(code__in=present).values_list("code", flat=True)}
            if len(meant) * RARE <= len(present):
                return queryset.filter(stock_code__in=meant)
        # Asked row by row, so that the order of the list is kept and its first page is soon there.
        return queryset.filter(Exists(of_market.filter(code=OuterRef("stock_code"))))


class JobFilter(admin.SimpleListFilter):
    """Runs of a job, by its name in Korean."""

    title = "작업"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(JOB_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(job=self.value()) if self.value() else queryset


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


def codes_in(model: type[Model]) -> set[str] | None:
    """Return the stock codes of a table, from one straight to the next of its index; None where it has no such index."""
    options = model._meta  # noqa: SLF001  # Django's own name for it
    leading = {index.fields[0] for index in options.indexes if index.fields}
    leading |= {constraint.fields[0] for constraint in options.total_unique_constraints}
    if "stock_code" not in leading:
        return None
    with connection.cursor() as cursor:
        cursor.execute(CODES.format(table=connection.ops.quote_name(options.db_table)))
        return {code for (code,) in cursor.fetchall()}


def accounts_of(request: HttpRequest) -> list[Account]:
    """Return the accounts with a number that the user may know of; looked up once for a page."""
    known: list[Account] | None = getattr(request, "accounts_of_user", None)
    if known is None:
        known = [account for account in visible_accounts(request.user) if account.number]
        request.accounts_of_user = known  # type: ignore[attr-defined]  # gone with the request
    return known


def newest_snapshots(request: HttpRequest) -> list[int]:
    access = access_of(request.user)
    return [
        row.pk
        for row in KisAccount.objects.newest_of_each()
        if access.sees(row.account, is_paper=row.is_paper)
    ]


def chosen_snapshots(request: HttpRequest, value: str) -> list[int]:
    """Return the numbers of the snapshots that an address means, of those that the user may see; looked up once."""
    known: list[int] | None = getattr(request, "snapshots_chosen", None)
    if known is None:
        known = snapshots_meant(request, value)
        request.snapshots_chosen = known  # type: ignore[attr-defined]  # gone with the request
    return known


def snapshots_meant(request: HttpRequest, value: str) -> list[int]:
    if value == NEWEST:
        return newest_snapshots(request)
    if not is_number(value):
        return []
    return list(visible(KisAccount.objects.filter(pk=int(value)), request.user).values_list("pk", flat=True))


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18  # noqa: PLR2004  # of a row


def key_of(account: Account) -> str:
    assert account.number is not None  # noqa: S101  # those without are not listed
    return key_of_number(account.number, is_paper=account.is_paper)


def key_of_number(number: AccountNumber, *, is_paper: bool) -> str:
    """Return what stands for an account in an address."""
    return fingerprints(f"{'paper' if is_paper else 'real'} {text_of(number)}")[0][:KEY_LENGTH]


def name_of(account: Account) -> str:
    return account.label if account.label == account.masked_no else f"{account.label} {account.masked_no}"
