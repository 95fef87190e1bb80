"""Read and write the rows of KB Securities in the books, as entries that can be compared."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from kis.models import KbHolding, KbStatement, KbTrade, Stock
from kis.statements.cells import name_key
from kis.statements.merge import Entry, code_key, holding_entry, trade_entry
from kis.statements.rows import KbHoldingRow, KbTradeRow, TradeKind

BATCH = 500
#: What a later export may add to a row that lacks it.
HOLDING_BLANKS = ("code", "name", "average", "cost", "price", "value", "profit")
TRADE_BLANKS = ("code", "name", "quantity", "price", "amount", "fee", "tax", "net", "reference")
COLUMNS = {"code": "stock_code", "name": "stock_name"}


@dataclass(slots=True)
class Books:
    """The rows a file may meet, and how many rows of each meaning there are."""

    entries: list[Entry] = field(default_factory=list)
    ordinals: Counter[tuple[str, str]] = field(default_factory=Counter)

    def number(self, entry: Entry) -> tuple[str, int]:
        """Return the meaning of a new row and its place among equal ones."""
        meaning = meaning_of(entry)
        self.ordinals[entry.account, meaning] += 1
        return meaning, self.ordinals[entry.account, meaning]


def codes_of(names: Iterable[str]) -> dict[str, str]:
    """Return the codes of stocks that the market knows by exactly these names; HTS exports write no codes."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = sorted(set(names))
    for start in range(0, len(wanted), BATCH):
        rows = Stock.objects.filter(name__in=wanted[start : start + BATCH])
        for name, code in rows.values_list("name", "code"):
            found[name].add(code)
    return {name: codes.pop() for name, codes in found.items() if len(codes) == 1}


def books_for(entries: Sequence[Entry]) -> Books:
    """Return what the books hold on the days and accounts of these rows."""
    books = Books()
    holdings = [entry for entry in entries if isinstance(entry.row, KbHoldingRow)]
    trades = [entry for entry in entries if isinstance(entry.row, KbTradeRow)]
    if holdings:
        days = {entry.on for entry in holdings}
        for holding in of_accounts(KbHolding.objects.filter(as_of__in=days), holdings):
            books.entries.append(known_holding(holding))
            count(books, holding)
    if trades:
        first, last = min(entry.on for entry in trades), max(entry.on for entry in trades)
        for trade in of_accounts(KbTrade.objects.filter(trade_date__range=(first, last)), trades):
            books.entries.append(known_trade(trade))
            count(books, trade)
    return books


def of_accounts(rows: "QuerySet[Any]", entries: Iterable[Entry]) -> "QuerySet[Any]":
    """Keep the rows of these accounts, and of no account at all; rows of no account may meet any."""
    keys = {entry.account for entry in entries}
    ordered = rows.order_by("ordinal", "pk")
    return ordered if "" in keys else ordered.filter(account_key__in={*keys, ""})


def count(books: Books, row: KbHolding | KbTrade) -> None:
    key = (row.account_key, row.meaning)
    books.ordinals[key] = max(books.ordinals[key], row.ordinal)


def known_holding(row: KbHolding) -> Entry:
    read = KbHoldingRow(
        line=row.line,
        as_of=row.as_of,
        account="",
        code=row.stock_code,
        name=row.stock_name,
        quantity=row.quantity,
        average=row.average,
        cost=row.cost,
        price=row.price,
        value=row.value,
        profit=row.profit,
    )
    return holding_entry(read, account=row.account_key, on=row.as_of, pk=row.pk)


def known_trade(row: KbTrade) -> Entry:
    read = KbTradeRow(
        line=row.line,
        traded_on=row.trade_date,
        account="",
        kind=TradeKind(row.kind),
        label=row.label,
        code=row.stock_code,
        name=row.stock_name,
        quantity=row.quantity,
        price=row.price,
        amount=row.amount,
        fee=row.fee,
        tax=row.tax,
        net=row.net,
        reference=row.reference,
    )
    return trade_entry(read, account=row.account_key, pk=row.pk)


def blanks_filled(entry: Entry, other: Entry) -> dict[str, object]:
    """Return what this row of a file knows and the row of the books it met does not, by column."""
    names = HOLDING_BLANKS if isinstance(entry.row, KbHoldingRow) else TRADE_BLANKS
    pairs = {name: (getattr(entry.row, name), getattr(other.row, name)) for name in names}
    return {
        COLUMNS.get(name, name): new
        for name, (new, old) in pairs.items()
        if old in (None, "") and new not in (None, "")
    }


def complete(entry: Entry, changes: Mapping[str, object]) -> None:
    """Fill what is blank in a row of the books."""
    model = KbHolding if isinstance(entry.row, KbHoldingRow) else KbTrade
    model._default_manager.filter(pk=entry.pk).update(**changes)  # noqa: SLF001  # Django's own name for it


def add(statement: KbStatement, entries: Iterable[Entry], *, books: Books, labels: Mapping[str, str]) -> None:
    """Write new rows of a file."""
    holdings: list[KbHolding] = []
    trades: list[KbTrade] = []
    for entry in entries:
        meaning, ordinal = books.number(entry)
        shared: dict[str, Any] = {
            "statement": statement,
            "account_key": entry.account,
            "account_label": labels[entry.account],
            "stock_code": entry.row.code,
            "stock_name": entry.row.name,
            "meaning": meaning,
            "ordinal": ordinal,
            "line": entry.row.line,
            "sheet": entry.row.sheet,
        }
        if isinstance(entry.row, KbHoldingRow):
            holdings.append(holding_of(entry.row, on=entry.on, shared=shared))
        else:
            trades.append(trade_of(entry.row, shared=shared))
    KbHolding.objects.bulk_create(holdings, batch_size=BATCH)
    KbTrade.objects.bulk_create(trades, batch_size=BATCH)


def holding_of(row: KbHoldingRow, *, on: date, shared: Mapping[str, Any]) -> KbHolding:
    return KbHolding(
        **shared,
        as_of=on,
        quantity=row.quantity,
        average=row.average,
        cost=row.cost,
        price=row.price,
        value=row.value,
        profit=row.profit,
    )


def trade_of(row: KbTradeRow, *, shared: Mapping[str, Any]) -> KbTrade:
    return KbTrade(
        **shared,
        trade_date=row.traded_on,
        kind=row.kind.value,
        label=row.label,
        quantity=row.quantity,
        price=row.price,
        amount=row.amount,
        fee=row.fee,
        tax=row.tax,
        net=row.net,
        reference=row.reference,
    )


def meaning_of(entry: Entry) -> str:
    """Return a fingerprint of what the row means, the same for every spelling of its numbers and name."""
    stock = code_key(entry.row.code) or name_key(entry.row.name)
    words = "|".join(written(part) for part in (*entry.group, stock))
    return hashlib.sha256(words.encode()).hexdigest()


def written(part: object) -> str:
    return f"{part.normalize():f}" if isinstance(part, Decimal) else str(part)
