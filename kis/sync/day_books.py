"""The books of one account as the days are made of them: a snapshot for each close, and the trades in between."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property

from kis.calendar import ONE_DAY, hour_on, is_business_day
from kis.client.codes import AccountNumber
from kis.korean import SEOUL, day
from kis.models import KisAccount, KisDailySummary, KisDepositLog, KisExecution, KisHolding, PriceAdjustment
from kis.models.books import Side
from kis.portfolio.lots import Split
from kis.portfolio.unknown import Unknown
from kis.sync.checks import is_trading_day, sold_out

#: The closing auction is at 15:30; a snapshot of that very minute may still show the price before it.
CLOSED_FROM = time(15, 31)
#: How far back the inquiry of orders answers: trades of an older day that no sync has seen are lost.
REACH = timedelta(days=85)
#: Ratios of splits are kept to eight places; those of real ones are simple.
SIMPLE = 1_000
RATIO_ROUNDING = Fraction(1, 10**8)


@dataclass(frozen=True, slots=True)
class Held:
    """Shares of one stock in a snapshot, and how many of its day's trades were in it already. Won and shares."""

    name: str
    quantity: int = 0
    cost: int = 0
    value: int = 0
    bought: int = 0
    sold: int = 0

    @property
    def net(self) -> int:
        return self.bought - self.sold


NOTHING = Held("")
#: The columns of a holding, in the order of `Held`.
HELD_COLUMNS = ("stock_name", "holding_qty", "pchs_amt", "evlu_amt", "today_buy_qty", "today_sell_qty")


@dataclass(frozen=True, slots=True)
class Point:
    """A snapshot as a moment in the life of an account; `bought`, `sold` and `costs` are its day's so far, in won."""

    account: KisAccount
    day: date
    held: Mapping[str, Held]
    bought: int
    sold: int
    costs: int

    @classmethod
    def of(cls, account: KisAccount, holdings: Mapping[str, Held]) -> "Point":
        at = account.snapshot_at.astimezone(SEOUL)
        # In the night and on closed days the broker's "today" may still be the last session's.
        counts = is_trading_day(at)
        held = {code: one if counts else replace(one, bought=0, sold=0) for code, one in holdings.items()}
        for gone in sold_out(account) if counts else ():
            known = held.get(gone["pdno"], Held(gone["prdt_name"]))
            held[gone["pdno"]] = replace(
                known,
                bought=known.bought + int(gone["thdt_buyqty"]),
                sold=known.sold + int(gone["thdt_sll_qty"]),
            )
        return cls(
            account,
            at.date(),
            held,
            bought=account.today_buy_amt if counts else 0,
            sold=account.today_sell_amt if counts else 0,
            costs=account.today_fee if counts else 0,
        )

    def of_stock(self, code: str) -> Held:
        return self.held.get(code, NOTHING)


@dataclass
class DayBooks:
    """Everything the days of an account are made of, loaded once in a fixed number of queries.

    `opening` is the first snapshot there is; `closes` are the last snapshots after the close, by business day, oldest
    first; `fills` those of a day in the order of their time.
    """

    account: AccountNumber
    is_paper: bool
    opening: Point | None = None
    closes: dict[date, Point] = field(default_factory=dict)
    fills: dict[date, list[KisExecution]] = field(default_factory=dict)
    adjustments: dict[str, list[PriceAdjustment]] = field(default_factory=dict)
    seen: Sequence[date] = ()  # days of all snapshots that were looked at, oldest first

    # --- days -----------------------------------------------------------------------------------------------------

    def close_before(self, on: date) -> Point | None:
        return next((point for known, point in reversed(self.closes.items()) if known < on), None)

    def close_after(self, on: date) -> Point | None:
        return next((point for known, point in self.closes.items() if known > on), None)

    def compared_with(self, point: Point) -> Point | None:
        """Return the moment a close is compared with: the close before, or for the first one the first snapshot."""
        before = self.close_before(point.day) or self.opening
        return None if before is None or before.account.pk == point.account.pk else before

    # --- trades ---------------------------------------------------------------------------------------------------

    def fills_on(self, on: date) -> list[KisExecution]:
        return self.fills.get(on, [])

    @cached_property
    def fills_by_stock(self) -> dict[str, list[KisExecution]]:
        """Return all fills of each stock in the order of their time."""
        found: dict[str, list[KisExecution]] = {}
        for fills in self.fills.values():
            for fill in fills:
                found.setdefault(fill.stock_code, []).append(fill)
        return found

    def fills_unknown(self, on: date) -> Unknown | None:
        """Return why the trades of a day are not known, if they are not: nobody asked while the broker would tell."""
        later = bisect_right(self.seen, on)
        if on in self.closes or later == len(self.seen) or self.seen[later] - on <= REACH:
            return None
        return Unknown(f"{day(on)}의 체결은 조회 기간이 지나 받지 못했습니다.")

    @cached_property
    def points(self) -> list[Point]:
        """Return the opening and all closes, oldest first."""
        closes = list(self.closes.values())
        if self.opening is None or (closes and closes[0].account.pk == self.opening.account.pk):
            return closes
        return [self.opening, *closes]

    def splits(self, code: str, *, after: Point, until: Point) -> list[Split]:
        """Return the splits and mergers that may have happened between two moments, oldest first."""
        return [
            Split(min(max(found.day, after.day + ONE_DAY), until.day), *ratio_of(found))
            for found in self.adjustments.get(code, [])
            if found.day > after.day and found.after < until.day
        ]


def ratio_of(adjustment: PriceAdjustment) -> tuple[int, int]:
    """Return the shares after and before; 0.33333333 is one for three."""
    exact = Fraction(adjustment.ratio)
    simple = exact.limit_denominator(SIMPLE)
    near = simple if abs(simple - exact) <= RATIO_ROUNDING else exact
    return near.numerator, near.denominator


def covered(point: Point, code: str, fills: Sequence[KisExecution]) -> int | None:
    """Return how many of its day's fills in a stock a snapshot has, in the order of their time.

    None where that cannot be told: an order was half done, or overtaken by a later one.
    """
    held = point.of_stock(code)
    bought = sold = 0
    for count in range(len(fills) + 1):
        if (bought, sold) == (held.bought, held.sold):
            return count
        if count < len(fills):
            fill = fills[count]
            if fill.exec_type == Side.BUY:
                bought += fill.exec_qty
            else:
                sold += fill.exec_qty
    return None


# --- loading ---------------------------------------------------------------------------------------------------------


def load_books(account: AccountNumber, *, is_paper: bool, since: date | None = None) -> DayBooks:
    """Load the books of an account. Closes are looked for from `since` on; before it, the days themselves name theirs."""
    snapshots = KisAccount.objects.of(account, is_paper=is_paper).order_by("snapshot_at", "pk")
    moments = snapshots.values_list("pk", "snapshot_at")
    if since is not None:
        moments = moments.filter(snapshot_at__gte=midnight(since))
    seen = [(key, at.astimezone(SEOUL)) for key, at in moments]
    keys = {at.date(): key for key, at in seen if is_close(at)}
    if since is not None:
        stored = KisDailySummary.objects.of(account, is_paper=is_paper).with_close()
        keys |= dict(stored.filter(summary_date__lt=since).values_list("summary_date", "kis_account"))
    opening = opening_key(account, is_paper=is_paper)
    if opening is None:
        return DayBooks(account, is_paper)
    points = load_points({opening, *keys.values()})
    first = points[opening].day
    fills: dict[date, list[KisExecution]] = {}
    rows = KisExecution.objects.of(account, is_paper=is_paper).filter(exec_dt__gte=first)
    for fill in rows.defer("raw_json").order_by("exec_dt", "exec_tmd", "odno", "pk"):
        fills.setdefault(fill.exec_dt, []).append(fill)
    books = DayBooks(
        account,
        is_paper,
        opening=points[opening],
        closes={on: points[key] for on, key in sorted(keys.items())},
        fills=fills,
        seen=[at.date() for _, at in seen],
    )
    codes = {code for point in points.values() for code in point.held} | books.fills_by_stock.keys()
    for adjustment in PriceAdjustment.objects.filter(day__gt=first).order_by("day", "pk"):
        if adjustment.stock_code in codes:
            books.adjustments.setdefault(adjustment.stock_code, []).append(adjustment)
    return books


def midnight(on: date) -> datetime:
    """Return the moment a day begins in Korea."""
    return datetime.combine(on, time.min, SEOUL)


def is_close(at: datetime) -> bool:
    return is_business_day(at.date()) and at.time() >= hour_on(at.date(), CLOSED_FROM)


def opening_key(account: AccountNumber, *, is_paper: bool) -> int | None:
    """Return the snapshot everything is counted from: the one the first log kept, otherwise the first there is."""
    first = KisDepositLog.objects.of(account, is_paper=is_paper).order_by("log_date").first()
    if first is not None:
        return first.previous_account_id or first.kis_account_id
    snapshots = KisAccount.objects.of(account, is_paper=is_paper).order_by("snapshot_at", "pk")
    return snapshots.values_list("pk", flat=True).first()


def load_points(keys: Iterable[int]) -> dict[int, Point]:
    accounts = KisAccount.objects.in_bulk(list(keys))
    holdings: dict[int, dict[str, Held]] = {}
    rows = KisHolding.objects.filter(kis_account__in=accounts).order_by("stock_code")
    for key, code, *held in rows.values_list("kis_account", "stock_code", *HELD_COLUMNS):
        holdings.setdefault(key, {})[code] = Held(*held)
    return {key: Point.of(account, holdings.get(key, {})) for key, account in accounts.items()}
