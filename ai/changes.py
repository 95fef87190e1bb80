"""What has changed between two diagnoses of an account: findings that came and went, and weights."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from ai.models import Diagnosis
from kis.korean import SEOUL

#: Percentage points; prices alone move a weight by less.
NOTABLE: Final = Decimal("0.1")
Key = tuple[str, str, str]
Stored = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in a line. `before` is its severity in the earlier diagnosis where that was another one."""

    severity: str
    title: str
    subject: str
    sentence: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """The share of a stock or of cash in percent; None where it was not held."""

    code: str
    name: str
    before: Decimal | None
    after: Decimal | None

    @property
    def difference(self) -> Decimal:
        return (self.after or Decimal(0)) - (self.before or Decimal(0))


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since the earlier diagnosis; weights that moved most come first."""

    since: datetime
    came: tuple[Told, ...]
    went: tuple[Told, ...]
    changed: tuple[Told, ...]
    weights: tuple[Weight, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "since": self.since.astimezone(SEOUL).isoformat(),
            "came": [asdict(one) for one in self.came],
            "went": [asdict(one) for one in self.went],
            "changed": [asdict(one) for one in self.changed],
            "weights": [
                {
                    "code": one.code,
                    "name": one.name,
                    "before": None if one.before is None else str(one.before),
                    "after": None if one.after is None else str(one.after),
                    "difference": str(one.difference),
                }
                for one in self.weights
            ],
        }


def since_the_day_before(diagnosis: Diagnosis) -> Changes | None:
    """Compare a diagnosis with the last one of an earlier day, in Korea; None where there is none. One query."""
    today = diagnosis.written_at.astimezone(SEOUL).date()
    mine = Diagnosis.objects.of(diagnosis.account, is_paper=diagnosis.is_paper).filter(focus="")
    before = mine.filter(written_at__lt=datetime.combine(today, time(), SEOUL))
    earlier = before.only("written_at", "findings", "weights").newest_first().first()
    return None if earlier is None else compare(earlier, diagnosis)


def compare(earlier: Diagnosis, later: Diagnosis) -> Changes:
    before, after = by_key(earlier.findings), by_key(later.findings)
    return Changes(
        since=earlier.written_at,
        came=tuple(told(finding) for key, finding in after.items() if key not in before),
        went=tuple(told(finding) for key, finding in before.items() if key not in after),
        changed=tuple(
            told(finding, before=before[key]["severity"])
            for key, finding in after.items()
            if key in before and before[key]["severity"] != finding["severity"]
        ),
        weights=tuple(moved(earlier.weights, later.weights)),
    )


def by_key(findings: Sequence[Stored]) -> dict[Key, Stored]:
    """Return findings by what they are about: the numbers in them move every day."""
    return {
        (finding["rule"], finding["stock_code"], finding["numbers"].get("sector", "")): finding
        for finding in findings
    }


def told(finding: Stored, *, before: str = "") -> Told:
    return Told(finding["severity"], finding["title"], finding["subject"], finding["sentence"], before)


def moved(before: Sequence[Stored], after: Sequence[Stored]) -> list[Weight]:
    old, new = shares(before), shares(after)
    names = {row["code"]: row["name"] for row in (*before, *after)}
    weights = [Weight(code, name, old.get(code), new.get(code)) for code, name in names.items()]
    notable = [
        one
        for one in weights
        if abs(one.difference) >= NOTABLE or (one.before is None) != (one.after is None)
    ]
    return sorted(notable, key=lambda one: (-abs(one.difference), one.code))


def shares(weights: Sequence[Stored]) -> dict[str, Decimal]:
    return {row["code"]: Decimal(str(row["weight_pct"])) for row in weights}
