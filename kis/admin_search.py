"""Search by code and name in a list that is too long to be read through."""

from typing import Any, Final

from django.db.models import Q, QuerySet

from kis.models import Stock

#: More names than that are no answer to a search.
MOST_NAMES: Final = 200


def codes_called(text: str) -> list[str]:
    """Return the codes that a word may mean: itself, and those of stocks whose name has it in it."""
    word = text.strip()
    found = Stock.objects.filter(Q(name__icontains=word) | Q(code=word.upper())).values_list(
        "code", flat=True
    )
    return [word.upper(), *found[:MOST_NAMES]]


def of_stocks(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Keep the rows of the stocks that a word may mean; the index of the codes leads to them."""
    return rows.filter(stock_code__in=codes_called(text))
