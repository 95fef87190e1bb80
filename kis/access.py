"""Which accounts somebody may see, order with and manage; every list, page, file and order asks here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AbstractUser, AnonymousUser
from django.db.models import Model, Q, QuerySet

from kis.accounts import Account, known_accounts
from kis.client.codes import AccountNumber
from kis.models import AccountGrant
from kis.models.owned import owned_by

PLACE_ORDER = "trading.place_order"
Somebody = AbstractBaseUser | AnonymousUser | None
Owner = tuple[AccountNumber, bool]
Row = TypeVar("Row", bound=Model)
Role = AccountGrant.Role
TRADING, MANAGING = {Role.TRADER, Role.ADMIN}, {Role.ADMIN}
#: The columns that only together name an account.
COLUMNS = {"account_no", "product_code", "is_paper"}


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do: `roles` by account, and whether the rest may be seen as well."""

    sees_everything: bool = False
    may_place_orders: bool = False
    roles: Mapping[Owner, str] = field(default_factory=dict)

    def sees(self, account: AccountNumber, *, is_paper: bool) -> bool:
        return self.sees_everything or (account, is_paper) in self.roles

    def trades(self, account: AccountNumber, *, is_paper: bool) -> bool:
        """Return whether orders may be placed: with a grant for this very account and the permission, not by rank."""
        return self.may_place_orders and self.roles.get((account, is_paper)) in TRADING

    def syncs(self, account: AccountNumber, *, is_paper: bool) -> bool:
        """Return whether the broker may be asked for an account now: looking alone costs its owner nothing."""
        return self.sees_everything or self.roles.get((account, is_paper)) in TRADING

    def manages(self, account: AccountNumber, *, is_paper: bool) -> bool:
        return self.sees_everything or self.roles.get((account, is_paper)) in MANAGING

    def narrow(self, rows: QuerySet[Row], *, way: str = "") -> QuerySet[Row]:
        """Keep the rows of accounts that may be seen; `way` leads from a row to the one with the account's columns."""
        if self.sees_everything:
            return rows
        if not self.roles:
            return rows.none()
        return rows.filter(
            reduce(
                or_,
                (Q(**owned_by(number, is_paper=is_paper, way=way)) for number, is_paper in self.roles),
            )
        )


def access_of(user: Somebody) -> Access:
    """Return what a user may do now; one query. Whoever is not signed in, or shut out, may do nothing."""
    if not isinstance(user, AbstractUser) or not user.is_active:
        return Access()
    roles = {
        (grant.account, grant.is_paper): grant.role for grant in AccountGrant.objects.filter(user_id=user.pk)
    }
    return Access(sees_everything=user.is_superuser, may_place_orders=user.has_perm(PLACE_ORDER), roles=roles)


def sees_everything(user: Somebody) -> bool:
    return isinstance(user, AbstractUser) and user.is_active and user.is_superuser


def visible(rows: QuerySet[Row], user: Somebody) -> QuerySet[Row]:
    """Keep the rows that a user may see; rows of no account, like prices, are everybody's."""
    way = way_of(rows.model)
    if way is None or sees_everything(user):
        return rows
    return access_of(user).narrow(rows, way=way)


def visible_accounts(user: Somebody) -> list[Account]:
    """Return the accounts that a user may know of."""
    if sees_everything(user):
        return known_accounts()
    access = access_of(user)
    return [
        account
        for account in known_accounts()
        if account.number is not None and access.sees(account.number, is_paper=account.is_paper)
    ]


def may_trade(user: Somebody, account: AccountNumber, *, is_paper: bool) -> bool:
    return access_of(user).trades(account, is_paper=is_paper)


def way_of(model: type[Model]) -> str | None:
    """Return what leads from a row to the one with its account's columns, None for rows of no account.

    A model that is not told by its columns says so itself, with `ACCOUNT_WAY`.
    """
    said: Any = getattr(model, "ACCOUNT_WAY", None)
    if said is not None:
        return str(said)
    columns = {column.name for column in model._meta.get_fields()}  # noqa: SLF001  # Django's own name for it
    if columns >= COLUMNS:
        return ""
    return "kis_account__" if "kis_account" in columns else None
