"""Rows that belong to one account."""

from typing import Self, TypeVar

from django.db import models

from kis.client.codes import AccountNumber

Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows with `account_no`, `product_code` and `is_paper`, which only together name an account."""

    def of(self, account: AccountNumber, *, is_paper: bool) -> Self:
        return self.filter(account_no=account.number, product_code=account.product_code, is_paper=is_paper)
