"""Take out of a dashboard what is nobody else's business, before anything is written or drawn of it. Pure.

Every amount in won becomes a part of a made-up total, numbers of shares and of orders are gone, and sentences that name
any are replaced: whatever a page does with such a dashboard, it cannot show what is not in it. Prices of the market stay.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any, Final

from kis.advice import Advice, Finding
from kis.reconciliation import Check
from reports.amounts import Amounts, names_amounts
from reports.figures import Dashboard
from reports.figures.stock_charts import StockCharts
from reports.looks import Privacy

HIDDEN_ACCOUNT: Final = "계좌 가림"
HIDDEN: Final = "금액 가림"
HIDDEN_SENTENCE: Final = "금액이 들어 있어 가렸습니다."
#: Numbers that say nothing of how much somebody has: counts, and prices of the market.
PUBLIC: Final = frozenset(
    {
        *("Dashboard.snapshot_id", "Dashboard.sync_run_id", "Failures.count"),
        *("Minutes.watched", "Minutes.held", "Minutes.missing", "Minutes.stocks"),
        *("HoldingFigures.rank", "HoldingFigures.price"),
        *("HoldingsTotal.count", "HoldingsTotal.winners", "HoldingsTotal.losers"),
        *("Cause.count", "Realised.missing", "Trend.count", "Sector.count"),
        *("SectorLine.count", "SectorLine.names"),
        *("Fill.price", "OpenOrder.price", "Advice.checked", "Advice.dropped"),
    }
)
#: Numbers of shares, which multiplied by a price are an amount.
SHARES: Final = frozenset(
    {
        *("HoldingFigures.quantity", "HoldingFigures.sellable"),
        *("HoldingFigures.open_buy", "HoldingFigures.open_sell"),
        *("Fills.filled", "Fills.reported", "Disagreement.filled", "Disagreement.reported"),
        *("Fill.quantity", "OpenOrder.remaining", "OpenOrder.quantity"),
    }
)
#: Texts by which the broker knows an order.
NAMES: Final = frozenset({"OpenOrder.number"})


def shown(dashboard: Dashboard, privacy: Privacy) -> tuple[Dashboard, Amounts]:
    """Return the dashboard that may be shown, and how its amounts are to be written."""
    if privacy is Privacy.FULL:
        return dashboard, Amounts()
    veil = Veil(dashboard.account.total)
    veiled: Dashboard = veil.over(dashboard)
    return (
        replace(veiled, account_no=HIDDEN_ACCOUNT),
        Amounts(veiled.account.total, is_bare=privacy is Privacy.PERCENT),
    )


class Veil:
    """Replaces amounts by parts of a total of another size; their proportions stay to the won."""

    def __init__(self, total: int) -> None:
        # Not smaller than the true one, so that a difference of one won does not vanish.
        self.factor = Fraction(10 ** len(str(total)), total) if total > 0 else Fraction(0)

    def over(self, value: Any) -> Any:  # noqa: ANN401  # figures of any kind, the same kind back
        if isinstance(value, bool | StockCharts):
            return value  # charts show prices of the market
        if isinstance(value, int):
            return self._won(value)
        if isinstance(value, tuple):
            return tuple(self.over(part) for part in value)
        return self._figures(value) if is_dataclass(value) else value

    def _figures(self, value: Any) -> Any:  # noqa: ANN401  # as above
        if isinstance(value, Check):
            return self._check(value)
        if isinstance(value, Advice):
            return advice_without_amounts(value)
        given = (field.name for field in fields(value) if field.init)  # the others follow from them
        return replace(value, **{name: self._field(value, name) for name in given})

    def _field(self, owner: Any, name: str) -> Any:  # noqa: ANN401  # as above
        value, key = getattr(owner, name), f"{type(owner).__name__}.{name}"
        if key in NAMES:
            return ""
        if key in PUBLIC:
            return value
        return 0 if key in SHARES else self.over(value)

    def _won(self, value: int) -> int:
        return round(value * self.factor)

    def _check(self, check: Check) -> Check:
        """Keep that there is a difference; of anything but won that is all there is to know."""
        if check.unit == "원":
            ours, difference = self._won(check.ours), self._won(check.difference)
        else:
            ours, difference = 0, (check.difference > 0) - (check.difference < 0)
        return replace(check, ours=ours, broker=ours + difference, row="", tolerance=0)


def advice_without_amounts(advice: Advice) -> Advice:
    """Leave out what names amounts; a finding stays, with its title, for it may be urgent."""
    return replace(
        advice,
        findings=tuple(finding_without_amounts(finding) for finding in advice.findings),
        unjudged={name: "" if names_amounts(why) else why for name, why in advice.unjudged.items()},
        points=tuple(point for point in advice.points if not names_amounts(point.text)),
        note="" if names_amounts(advice.note) else advice.note,
        holdings=without_amounts(advice.holdings),
    )


def finding_without_amounts(finding: Finding) -> Finding:
    bare = replace(finding, numbers={})
    if not any(names_amounts(text) for text in (finding.subject, finding.limit, finding.sentence)):
        return bare
    return replace(bare, subject=HIDDEN, limit="", sentence=HIDDEN_SENTENCE)


def without_amounts(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if not names_amounts(text)}
