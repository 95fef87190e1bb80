"""What every rule looks at, and how a finding is made; pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Final
from unicodedata import east_asian_width

from ai.limits import Limits
from kis.advice import Finding, Severity
from kis.models import KisHolding, Stock
from kis.portfolio.unknown import Unknown
from kis.position import Position

#: Where the mark of the limit stands on a bar, the same on all of them.
MARK: Final = Decimal("0.8")
TENTH, HUNDREDTH, THOUSANDTH = Decimal("0.1"), Decimal("0.01"), Decimal("0.001")
#: So many stocks get a finding of their own from one rule; the others share one.
NAMED: Final = 3
LISTED: Final = 5
#: As wide as the column of the printed page.
SUBJECT_CELLS: Final = 22

NO_HOLDINGS: Final = Unknown("보유 종목이 없습니다.")
FUNDS: Final = frozenset({Stock.Kind.ETF, Stock.Kind.ETN, Stock.Kind.FUND})


@dataclass(frozen=True)
class Scene:
    """A position, the moment it is looked at, and the limits. What more than one rule needs is worked out once."""

    position: Position
    at: datetime
    limits: Limits

    @cached_property
    def total(self) -> int | Unknown:
        """Return what the account is worth; shares of nothing cannot be told."""
        total = self.position.account.total_eval_amt
        return total if total > 0 else Unknown("총평가금액이 0원보다 많지 않아 비중을 낼 수 없습니다.")

    @cached_property
    def priced(self) -> list[KisHolding]:
        """Return the holdings whose price is known, the largest first."""
        return [row for row in self.position.holdings if row.prpr > 0]

    @cached_property
    def unpriced(self) -> list[KisHolding]:
        return [row for row in self.position.holdings if row.prpr <= 0]

    @cached_property
    def no_price(self) -> Unknown | None:
        """Return that some price is missing: what is not above a limit may be so with it."""
        if not self.unpriced:
            return None
        return Unknown(
            f"현재가를 받지 못한 종목이 있습니다: {listed(row.stock_name for row in self.unpriced)}"
        )

    def weight(self, amount: int) -> Decimal:
        """Return a share of the account in percent, rounded as it is shown: what is judged is what is read."""
        assert isinstance(self.total, int)  # noqa: S101  # asked before
        return (Decimal(amount) * 100 / self.total).quantize(TENTH, ROUND_HALF_UP)

    def is_fund(self, row: KisHolding) -> bool:
        """Return whether many stocks are in it; what is not known counts as a single stock."""
        stock = self.position.stocks.get(row.stock_code)
        return stock is not None and stock.kind in FUNDS


Verdict = Sequence[Finding] | Unknown


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its stable name and its title for the owner. Nothing found is an empty list; Unknown says why not judged."""

    name: str
    title: str
    look: Callable[[Scene], Verdict]


def found(
    severity: Severity,
    subject: str,
    sentence: str,
    numbers: Mapping[str, int | Decimal | str],
    *,
    limit: str = "",
    measured: tuple[Decimal, Decimal] | None = None,
    stock_code: str = "",
) -> Finding:
    """Return a finding; `measured` is the value and its limit, for the bar. The rule fills in its name and title."""
    share = None
    if measured is not None:
        share = min(max(abs(measured[0]) / measured[1] * MARK, Decimal(0)), Decimal(1)).quantize(THOUSANDTH)
    return Finding(
        rule="",
        severity=severity,
        title="",
        subject=subject,
        limit=limit,
        sentence=sentence,
        numbers=numbers,
        share=share,
        limit_share=None if share is None else MARK,
        stock_code=stock_code,
    )


def about(name: str, rest: str) -> str:
    """Return what a finding is about, for its column: a name gives way before the figure behind it does."""
    room = SUBJECT_CELLS - cells(rest) - 1
    if cells(name) > room:
        while cells(name) >= room:
            name = name[:-1]
        name = f"{name.rstrip()}…"
    return f"{name} {rest}"


def cells(text: str) -> int:
    """Return the width of a text where Hangul is two wide."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def unless(findings: Sequence[Finding], reason: Unknown | None) -> Verdict:
    """Return what was found; where nothing was, nobody can say so if something was not known."""
    return findings if findings or reason is None else reason


def listed(names: Iterable[str], unit: str = "종목") -> str:
    """Return a few names and how many more there are."""
    every = list(names)
    rest = f" 외 {len(every) - LISTED}{unit}" if len(every) > LISTED else ""
    return ", ".join(every[:LISTED]) + rest


def plainly(limit: Decimal) -> str:
    """`20.00` → `20`."""
    return f"{limit.normalize():,f}"
