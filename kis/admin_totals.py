"""The totals below a list of the admin: of the rows that are asked for, in one query."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Aggregate, Count, Q, QuerySet, Sum
from django.utils.safestring import SafeString

from kis.admin_counting import Count as Counted
from kis.korean import number

#: Real and play money are never added up together.
BY_MODE: Final = (("실전", Q(is_paper=False)), ("모의", Q(is_paper=True)))
TOO_MANY: Final = "행이 너무 많아 합계를 내지 않았습니다. 날짜나 계좌, 종목으로 좁히면 합계가 나옵니다."
MIXED: Final = "여러 시점의 스냅샷이 섞여 있어 더하지 않았습니다. 오른쪽 '시점'에서 최신 스냅샷을 고르면 합계가 나옵니다."
PARTLY: Final = "* 산출 불가인 행은 빼고 더했습니다."
ALL_ROWS: Final = (("", Q()),)


@dataclass(frozen=True, slots=True)
class Totals:
    """Which columns are added up, in lines of their own where rows must not be mixed.

    `snapshot` is the column with the snapshot of a row: the same shares at two moments are not twice as many.
    """

    columns: tuple[str, ...]
    lines: tuple[tuple[str, Q], ...] = ALL_ROWS
    snapshot: str = ""

    def aggregates(self) -> Iterator[tuple[str, Aggregate]]:
        for place, (_, rows) in enumerate(self.lines):
            yield f"rows_{place}", Count("pk", filter=rows)
            for name in self.columns:
                yield f"sum_{place}_{name}", Sum(name, filter=rows)
                yield f"known_{place}_{name}", Count(name, filter=rows)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of totals: how many columns its words reach over, and what stands in each of the others."""

    words: str
    reach: int
    cells: tuple[SafeString | str, ...]


@dataclass(frozen=True, slots=True)
class Below:
    """What stands below a list: lines, and why there are none or what is missing in them."""

    lines: tuple[Line, ...] = ()
    note: str = ""


def totals_of(
    rows: QuerySet[Any], counted: Counted, totals: Totals, *, columns: Sequence[Any], is_one_moment: bool
) -> Below:
    """Add up the rows of a list; `is_one_moment` says that each account is there with one snapshot at most."""
    if not counted.is_exact:
        return Below(note=TOO_MANY)
    if not counted.rows:
        return Below()
    rows, is_mixed = rows.order_by(), False
    if totals.snapshot and not is_one_moment:
        # A hundred thousand rows need not be added up to learn that they must not be.
        some = {totals.snapshot: rows.values_list(totals.snapshot, flat=True)[:1].get()}
        is_mixed = rows.exclude(**some).exists()
        rows = rows.filter(**some)
    found = rows.aggregate(**dict(totals.aggregates()))
    if is_mixed:
        return Below(note=MIXED)
    present = [place for place in range(len(totals.lines)) if found[f"rows_{place}"]]
    lines = tuple(line_of(found, place, totals, columns) for place in present)
    partly = any(
        found[f"known_{place}_{name}"] < found[f"rows_{place}"]
        for place in present
        for name in totals.columns
    )
    return Below(lines, note=PARTLY if partly else "")


def line_of(found: dict[str, Any], place: int, totals: Totals, columns: Sequence[Any]) -> Line:
    """Write one line under the columns of the list, with the words before the first sum."""
    ordered = [getattr(column, "admin_order_field", column) for column in columns]
    reach = min((ordered.index(name) for name in totals.columns if name in ordered), default=len(ordered))
    count = found[f"rows_{place}"]
    cells: list[SafeString | str] = []
    for column, name in zip(columns[reach:], ordered[reach:], strict=True):
        if name not in totals.columns:
            cells.append("")
            continue
        is_whole = found[f"known_{place}_{name}"] == count
        cells.append(column.write(found[f"sum_{place}_{name}"], mark="" if is_whole else "*"))
    return Line(f"{totals.lines[place][0]} 합계 {number(count)}건".strip(), reach, tuple(cells))
