"""Tell what became of the shares of one stock: trades, splits, or something the books do not know."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from kis.client.records.orders import Side
from kis.korean import day, number
from kis.models import KisExecution
from kis.models.books import Side as ModelSide
from kis.portfolio.costs import Costs
from kis.portfolio.lots import History, Opening, Position, Sale, Split, Trade, replay
from kis.portfolio.unknown import Unknown
from kis.sync.day_books import DayBooks, Held, Point, covered

NO_COSTS = Costs(0, 0)
BEFORE_BOOKS = Unknown("첫 기록보다 먼저 판 주식이어서 원가를 알 수 없습니다.")
HALF_DONE = Unknown("마감 자료에 체결이 일부만 들어 있어 그때의 원가를 알 수 없습니다.")
Change = tuple[date, int]


def changes_of(fills: Iterable[KisExecution]) -> list[Change]:
    return [
        (fill.exec_dt, fill.exec_qty if fill.exec_type == ModelSide.BUY else -fill.exec_qty) for fill in fills
    ]


def expected(quantity: int, changes: Iterable[Change], splits: Sequence[Split]) -> int:
    """Return the shares there should be after trades and splits, both oldest first; a split goes before its day's trades."""
    waiting = list(splits)
    for on, change in changes:
        while waiting and waiting[0].day <= on:
            split = waiting.pop(0)
            quantity = quantity * split.new // split.old
        quantity += change
    for split in waiting:
        quantity = quantity * split.new // split.old
    return quantity


def explained_by(
    quantity: int, changes: Sequence[Change], splits: Sequence[Split], *, found: int
) -> Sequence[Split] | None:
    """Return the splits that lead to the shares found: none, or all of those known. None where nothing does.

    Prices are adjusted for rights issues as well, which leave the shares alone; hence none goes first.
    """
    if expected(quantity, changes, ()) == found:
        return ()
    return splits if splits and expected(quantity, changes, splits) == found else None


def as_trade(fill: KisExecution) -> Trade:
    return Trade(
        day=fill.exec_dt,
        at=fill.exec_tmd,
        number=f"{fill.odno} {fill.ord_gno_brno}",
        side=Side.BUY if fill.exec_type == ModelSide.BUY else Side.SELL,
        quantity=fill.exec_qty,
        amount=fill.exec_amt,
        costs=fill.costs or NO_COSTS,
    )


def opening_of(held: Held) -> Opening | None:
    return Opening(held.quantity, held.cost) if held.quantity else None


@dataclass
class Stretch:
    """Fills in a row (`start` to `end`, by their place), counted from a moment whose shares and cost are known.

    `lost` says why there was no such moment; what was sold then has a cost that nobody knows.
    """

    fills: Sequence[KisExecution]
    start: int
    end: int
    opening: Opening | None = None
    splits: list[Split] = field(default_factory=list)
    lost: Unknown | None = None

    def history(self, *, end: int, until: date) -> History:
        trades = [as_trade(fill) for fill in self.fills[self.start : end]]
        return replay(
            [*trades, *(split for split in self.splits if split.day <= until)], opening=self.opening
        )

    @cached_property
    def sales(self) -> tuple[Sale, ...]:
        if self.lost is None:
            return self.history(end=self.end, until=date.max).sales
        sold = (fill for fill in self.fills[self.start : self.end] if fill.exec_type == ModelSide.SELL)
        return tuple(Sale(as_trade(fill), self.lost, self.lost) for fill in sold)


@dataclass
class Story:
    """One stock of an account from the first snapshot on.

    Where the shares of a snapshot are not those that the trades lead to, a new stretch starts from it.
    """

    fills: Sequence[KisExecution]
    stretches: list[Stretch]
    included: dict[int, int | None]  # how many of the fills a snapshot has, by its key

    def sales_on(self, on: date) -> list[Sale]:
        """Return the sales of a day in their order, and a fraction of a share that a split on it left over."""
        return [sale for stretch in self.stretches for sale in stretch.sales if sale.day == on]

    def position_at(self, point: Point) -> Position | Unknown:
        """Return shares and cost by our two counts in a snapshot, or why they cannot be said."""
        count = self.included[point.account.pk]
        if count is None:
            return HALF_DONE
        stretch = next(
            stretch for stretch in reversed(self.stretches) if stretch.start <= count and stretch.lost is None
        )
        return stretch.history(end=count, until=point.day).position


def story_of(code: str, books: DayBooks) -> Story:
    """Follow a stock from snapshot to snapshot."""
    fills = books.fills_by_stock.get(code, [])
    days = [fill.exec_dt for fill in fills]
    story = Story(fills, [], {})
    current: Stretch | None = None
    last: tuple[Point, int] | None = None  # the latest snapshot that could be read, and its count
    for point in books.points:
        begin, end = bisect_left(days, point.day), bisect_right(days, point.day)
        of_day = covered(point, code, fills[begin:end])
        count = story.included[point.account.pk] = None if of_day is None else begin + of_day
        if count is None:
            continue
        held = point.of_stock(code)
        if current is None or last is None:
            story.stretches += [Stretch(fills, 0, count, lost=BEFORE_BOOKS)] if count else []
            current = Stretch(fills, count, count, opening_of(held))
        else:
            before, start = last
            changes = changes_of(fills[start:count])
            quantity = before.of_stock(code).quantity
            splits = books.splits(code, after=before, until=point)
            found = explained_by(quantity, changes, splits, found=held.quantity)
            if found is None:
                current.end = start
                ours = expected(quantity, changes, ())
                lost = Stretch(fills, start, count, lost=other_shares(before, point, ours, held.quantity))
                story.stretches += [current, lost]
                current = Stretch(fills, count, count, opening_of(held))
            else:
                current.splits += found
        last = point, count
    if current is None:
        current = Stretch(fills, 0, 0, lost=BEFORE_BOOKS)
    current.end = len(fills)
    story.stretches.append(current)
    return story


def other_shares(before: Point, after: Point, ours: int, broker: int) -> Unknown:
    return Unknown(
        f"{day(before.day)}부터 {day(after.day)}까지의 체결로는 {number(ours)}주인데 증권사 잔고는 {number(broker)}주여서, "
        "그 사이에 판 주식의 원가를 알 수 없습니다."
    )
