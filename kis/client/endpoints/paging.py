"""Inquiries of several pages: all of them or nothing."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from kis.client.codes import TR
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Reply, Row
from kis.client.session import Session

T = TypeVar("T")
#: A trade between two pages of one inquiry makes their totals differ; the whole inquiry is then asked again.
CONSISTENT_ATTEMPTS = 3


class PagesMoved(KisReplyChanged):
    """The account changed while its pages were read."""


def collect(
    session: Session,
    tr: TR,
    params: Mapping[str, str],
    *,
    rows: str,
    read: Callable[[Row], T],
    key: Callable[[T], Hashable],
) -> tuple[list[T], list[Reply]]:
    """Return the records of all pages, and the pages.

    Raises KisReplyChanged as soon as a record stands twice: a page was sent again in place of the next one.
    """
    records: dict[Hashable, T] = {}
    pages = []
    for page in session.pages(tr, params):
        pages.append(page)
        for row in page.rows(rows):
            record = read(row)
            if key(record) in records:
                raise row.changed(rows, "같은 줄이 두 번 왔습니다. 쪽이 되풀이되었을 수 있습니다")
            records[key(record)] = record
    return list(records.values()), pages


def steadily(ask: Callable[[], T]) -> T:
    """Ask again while the account moves under the pages. Raises PagesMoved when it never stands still."""
    for _ in range(CONSISTENT_ATTEMPTS - 1):
        try:
            return ask()
        except PagesMoved:
            continue
    return ask()


def same_on_all_pages(totals: list[int], *, field: str, tr_id: str) -> int:
    """Return the total that every page repeats. Raises PagesMoved when they differ."""
    if len(set(totals)) > 1:
        raise PagesMoved(
            field, tr_id=tr_id, problem="조회하는 동안 계좌가 계속 바뀌었습니다. 잠시 후 다시 시도해 주세요"
        )
    return totals[0]


def refuse_other_sum(
    what: str, *, ours: int, theirs: int, unit: str, field: str, tr_id: str, slack: int = 0
) -> None:
    """Raise KisReplyChanged when the rows do not add up to the broker's own total, give or take `slack`."""
    if abs(ours - theirs) > slack:
        raise KisReplyChanged(
            field,
            tr_id=tr_id,
            problem=(
                f"{what} 합계가 맞지 않습니다. 받은 줄은 {ours:,}{unit}, 증권사 합계는 {theirs:,}{unit}입니다. "
                "빠진 쪽이 있을 수 있습니다"
            ),
        )
