"""Rows that belong to one account."""

from typing import Any, Self, TypeVar

from django.db import models

from kis.client.codes import AccountNumber

Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows with `account_no`, `product_code` and `is_paper`, which only together name an account."""

    def of(self, account: AccountNumber, *, is_paper: bool) -> Self:
        return self.filter(**owned_by(account, is_paper=is_paper))


def owned_by(account: AccountNumber, *, is_paper: bool, way: str = "") -> dict[str, Any]:
    """Return the condition for rows of an account; `way` leads from a row to the one with these columns."""
    return {
        f"{way}account_no": account.number,
        f"{way}product_code": account.product_code,
        **of_mode(is_paper=is_paper, way=way),
    }


def of_mode(*, is_paper: bool, way: str = "") -> dict[str, Any]:
    """Return the condition for rows of a mode.

    Django writes `= false` as `NOT column`, which ends the use of an index on SQLite: it would sort all rows of an account.
    """
    return {f"{way}is_paper__in": [is_paper]}
