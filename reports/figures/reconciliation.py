"""Whether the books add up to what the broker says (대사)."""

from dataclasses import dataclass

from kis.models import KisAccount
from kis.reconciliation import Check, explained
from reports.figures.holdings import HoldingsTotal


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whether the books add up to what the broker says."""

    checks: tuple[Check, ...]
    our_total: int

    @property
    def differing(self) -> tuple[Check, ...]:
        """The comparisons that do not agree, the largest amount of money first."""
        unlike = (check for check in self.checks if check.difference)
        return tuple(sorted(unlike, key=lambda check: (check.unit != "원", -abs(check.difference))))


def reconciliation_of(account: KisAccount, total: HoldingsTotal) -> Reconciliation:
    """Compare the saved rows with the saved totals; what only the sync could compare is taken from its run."""
    our_total = total.value + account.available
    checks = [
        Check("보유 평가금액 합", total.value, account.stock_eval_amt),
        Check("매입금액 합", total.cost, account.total_buy_amt),
        Check("평가손익 합", total.profit, account.total_profit_loss),
        Check("평가 + D+2 현금", our_total, account.total_eval_amt),
    ]
    run = account.sync_run
    found = [Check.from_json(check) for check in (run.checks if run else [])]
    reasons = {check.name: check.row for check in found}
    checks = [explained(check, [reasons.get(check.name)]) for check in checks]
    names = {check.name for check in checks}
    return Reconciliation((*checks, *(check for check in found if check.name not in names)), our_total)
