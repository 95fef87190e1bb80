"""What the sources of alerts look at: two clocks, and the accounts."""

from dataclasses import dataclass
from datetime import date, datetime

from aegis.alerts.outbox import Whose
from kis.accounts import MODE_NAMES, Account
from kis.client.codes import AccountNumber
from kis.korean import SEOUL


@dataclass(frozen=True, slots=True)
class View:
    """`at` is real time, which alerts live by; `market_at` that of the market, None where nobody knows it (a demo at rest).

    `since` is when alerts were first looked for: what was over before is told to nobody. `restored_at` is when the books were
    last brought back from a backup: what happened before may have been told by those of then.
    """

    at: datetime
    market_at: datetime | None
    since: datetime
    accounts: tuple[Account, ...]
    restored_at: datetime | None = None

    @property
    def today(self) -> date | None:
        """The day at the market."""
        return self.market_at.astimezone(SEOUL).date() if self.market_at else None

    def is_of_before_restoring(self, moment: datetime) -> bool:
        """Return whether a moment at the market lies before the books were brought back."""
        if self.restored_at is None or self.market_at is None:
            return False
        return moment < self.restored_at + (self.market_at - self.at)

    def whose(self, account_no: str, product_code: str, *, is_paper: bool) -> Whose:
        """Return the account of a row, by the name the owner gave it."""
        number = AccountNumber(account_no, product_code)
        label = next(
            (
                account.label
                for account in self.accounts
                if account.number == number and account.is_paper == is_paper
            ),
            MODE_NAMES["paper" if is_paper else "real"],
        )
        return Whose(number, is_paper, label)

    def in_use(self) -> list[Whose]:
        """Return the accounts that jobs look after."""
        return [
            Whose(account.number, account.is_paper, account.label)
            for account in self.accounts
            if account.number is not None and not account.unused
        ]
