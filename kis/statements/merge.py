"""Tell which rows of a file are new and which the books know already; pure.

The exports of one broker overlap: by period, by screen, and by which columns they have. A transaction is the same if it
has the same number on the same day, or else the same meaning (day, kind, stock, quantity, price or amount). Equal rows
of one file are different transactions, so the n-th of them is the n-th of them in every export.
"""

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kis.statements.cells import name_key
from kis.statements.kinds import OF_SHARES, TRADED
from kis.statements.rows import KbHoldingRow, KbRow, KbTradeRow

#: Stands for every account where one of the two files does not name its own.
ANYWHERE = None
Value = Decimal | int | str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a file, or of the books (`pk`), as far as it says which row it is.

    `group` is what equal rows share beside their stock; `values` are compared, None stands for "does not say".
    """

    row: KbRow
    account: str
    on: date
    group: tuple[Hashable, ...]
    values: Mapping[str, Value]
    reference: str = ""
    pk: int = 0

    @property
    def stocks(self) -> list[tuple[str, str]]:
        """Return under what the stock of this row can be looked up: code, name, or that there is none."""
        keys = [("code", code_key(self.row.code)), ("name", name_key(self.row.name))]
        return [key for key in keys if key[1]] or [("none", "")]

    def is_same_stock(self, other: "Entry") -> bool:
        """Say whether both name the same stock, or none."""
        ours, theirs = self.row, other.row
        if ours.code and theirs.code:
            return code_key(ours.code) == code_key(theirs.code)
        if ours.name and theirs.name:
            return name_key(ours.name) == name_key(theirs.name)
        return not (ours.code or ours.name or theirs.code or theirs.name)

    def is_other_stock(self, other: "Entry") -> bool:
        """Say whether both name a stock and not the same one; a code alone and a name alone tell nothing."""
        comparable = (self.row.code and other.row.code) or (self.row.name and other.row.name)
        return bool(comparable) and not self.is_same_stock(other)

    def unlike(self, other: "Entry") -> tuple[str, ...]:
        """Return the names of the values that both know and that differ."""
        return tuple(
            name
            for name, value in self.values.items()
            if value is not None and other.values[name] is not None and value != other.values[name]
        )


@dataclass(slots=True)
class Merged:
    """What becomes of the rows of a file; in pairs the file's row comes first, then the one it meets."""

    new: list[Entry] = field(default_factory=list)
    known: list[tuple[Entry, Entry]] = field(default_factory=list)
    #: Known by number or meaning, with other values.
    differing: list[tuple[Entry, Entry, tuple[str, ...]]] = field(default_factory=list)
    #: The same row stands in the books, and one of the two files does not say of which account it is.
    elsewhere: list[tuple[Entry, Entry]] = field(default_factory=list)


def merge(entries: Sequence[Entry], books: Iterable[Entry]) -> Merged:
    """Compare the rows of a file with the books."""
    return Merging(books).merge(entries)


class Merging:
    """One comparison. A row of the books answers for one row of the file only."""

    def __init__(self, books: Iterable[Entry]) -> None:
        self.by_number: dict[Hashable, Entry] = {}
        self.by_meaning: dict[Hashable, deque[Entry]] = defaultdict(deque)
        self.used: set[int] = set()
        self.result = Merged()
        for entry in books:
            self.remember_number(entry, entry)
            for stock in entry.stocks:
                self.by_meaning[entry.account, entry.group, stock].append(entry)
                self.by_meaning[ANYWHERE, entry.group, stock].append(entry)

    def merge(self, entries: Sequence[Entry]) -> Merged:
        rest = [entry for entry in entries if not self.take_by_number(entry)]
        # Exact matches first: another order of equal rows must not make differences of them.
        rest = [entry for entry in rest if not self.take_by_meaning(entry, exactly=True)]
        rest = [entry for entry in rest if not self.take_by_meaning(entry, exactly=False)]
        for entry in rest:
            if self.take_by_number(entry) or self.take_elsewhere(entry):
                continue
            self.remember_number(entry, entry)
            self.result.new.append(entry)
        return self.result

    def take_by_number(self, entry: Entry) -> bool:
        if not entry.reference:
            return False
        other = self.by_number.get((entry.account, entry.on, entry.reference))
        if other is None:
            return False
        self.pair(entry, other)
        return True

    def take_by_meaning(self, entry: Entry, *, exactly: bool) -> bool:
        if self.take_by_number(entry):  # a number that an earlier row of this file has brought
            return True
        for other in self.alike(entry, account=entry.account):
            if not (entry.reference and other.reference) and not (exactly and entry.unlike(other)):
                self.pair(entry, other)
                return True
        return False

    def take_elsewhere(self, entry: Entry) -> bool:
        for other in self.alike(entry, account=ANYWHERE):
            is_nameless = not (entry.account and other.account)
            if other.account != entry.account and is_nameless and not entry.unlike(other):
                self.used.add(id(other))
                self.result.elsewhere.append((entry, other))
                return True
        return False

    def alike(self, entry: Entry, *, account: str | None) -> Iterator[Entry]:
        """Yield the rows of the books with this meaning that have not answered for another row yet."""
        for stock in entry.stocks:
            others = self.by_meaning[account, entry.group, stock]
            while others and id(others[0]) in self.used:
                others.popleft()
            for other in others:
                if id(other) not in self.used and entry.is_same_stock(other):
                    yield other

    def remember_number(self, entry: Entry, other: Entry) -> None:
        if entry.reference:
            self.by_number.setdefault((entry.account, entry.on, entry.reference), other)

    def pair(self, entry: Entry, other: Entry) -> None:
        self.used.add(id(other))
        self.remember_number(entry, other)
        unlike = entry.unlike(other)
        if entry.is_other_stock(other):
            unlike = ("stock", *unlike)
        if unlike:
            self.result.differing.append((entry, other, unlike))
        else:
            self.result.known.append((entry, other))


def code_key(code: str) -> str:
    """Return a code without the Q of an ETN, which not every export writes."""
    return code.removeprefix("Q")


def holding_entry(row: KbHoldingRow, *, account: str, on: date, pk: int = 0) -> Entry:
    """Describe a row of a balance; `on` is its day, which the row itself may not know."""
    values: dict[str, Value] = {
        "quantity": row.quantity,
        "average": row.average,
        "cost": row.cost,
        "price": row.price,
        "value": row.value,
        "profit": row.profit,
    }
    return Entry(row=row, account=account, on=on, group=("holding", on), values=values, pk=pk)


def trade_entry(row: KbTradeRow, *, account: str, pk: int = 0) -> Entry:
    """Describe a transaction. The words for a purchase differ from screen to screen and are not compared."""
    values: dict[str, Value] = {
        "kind": row.kind.value,
        "label": None if row.kind in OF_SHARES else "".join(row.label.split()),
        "quantity": row.quantity,
        "price": row.price,
        "amount": row.amount,
        "fee": row.fee,
        "tax": row.tax,
        "net": row.net,
    }
    return Entry(
        row=row,
        account=account,
        on=row.traded_on,
        group=trade_group(row),
        values=values,
        reference=row.reference,
        pk=pk,
    )


def trade_group(row: KbTradeRow) -> tuple[Hashable, ...]:
    """Return what the same transaction has in every export: money by what moved, shares by quantity and price."""
    if row.kind not in OF_SHARES:
        return ("trade", row.traded_on, row.kind.value, row.net)
    if row.kind in TRADED:
        measure = row.price if row.price is not None else row.amount if row.amount is not None else row.net
        return ("trade", row.traded_on, row.kind.value, row.quantity, measure)
    return ("trade", row.traded_on, row.kind.value, row.quantity)
