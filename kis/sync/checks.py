"""Compare the books, as a snapshot has just been written into them, with the broker and with the snapshot before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal
from typing import Any

from kis.calendar import business_day_before, is_business_day
from kis.client.codes import Environment
from kis.client.records.balance import BalanceTotals
from kis.korean import SEOUL
from kis.models import KisAccount, KisExecution, PriceAdjustment, SyncRun
from kis.models.books import Side
from kis.portfolio.cash import Ladder
from kis.reconciliation import (
    Check,
    DayTrades,
    Shares,
    check_cash,
    check_costs,
    check_quantities,
)
from kis.sync.fetch import Picture

#: Before the first market of the day opens (NXT), nothing has been traded today.
FIRST_TRADES = clock_time(8, 0)
#: Ratios are kept to eight places: three shares made one are 0.33333333.
RATIO_ROUNDING = Decimal("0.00000001")


def is_trading_day(at: datetime) -> bool:
    """Return whether the broker's "today" is this day: on closed days and in the night it may be the last session's."""
    return is_business_day(at.date()) and at.time() >= FIRST_TRADES


def check_trades(picture: Picture, *, environment: Environment, suspects: str) -> list[Check]:
    """Cash and costs against the fills in the books, once there is a day to compare. `suspects` as in `check_cash`."""
    at = picture.fetched_at
    if not is_trading_day(at):
        return []
    today = at.date()
    yesterday = business_day_before(today)
    fills = KisExecution.objects.of(environment.account, is_paper=environment.is_paper).filter(
        exec_dt__in=[yesterday, today]
    )
    by_day: dict[date, list[KisExecution]] = {yesterday: [], today: []}
    for fill in fills.order_by("stock_code", "pk"):
        by_day[fill.exec_dt].append(fill)
    trades = day_trades(by_day[today])
    totals = picture.balance.totals
    return [
        *check_cash(
            ladder_of(totals, today),
            totals,
            yesterday=day_trades(by_day[yesterday]),
            today=trades,
            suspects=suspects,
        ),
        check_costs(totals, trades, setting=f"KIS_{environment.mode.upper()}_COMMISSION"),
    ]


def ladder_of(totals: BalanceTotals, day: date) -> Ladder:
    return Ladder(day, totals.d0_cash, totals.d1_cash, totals.d2_cash)


def day_trades(fills: Iterable[KisExecution]) -> DayTrades:
    fills = list(fills)
    guessed = [fill for fill in fills if fill.tax and fill.cost_basis == KisExecution.CostBasis.GUESSED]
    return DayTrades(
        bought=sum(fill.exec_amt for fill in fills if fill.exec_type == Side.BUY),
        sold=sum(fill.exec_amt for fill in fills if fill.exec_type == Side.SELL),
        costs=sum(fill.costs.total for fill in fills if fill.costs),
        orders=len(fills),
        guessed=tuple(dict.fromkeys((fill.stock_name, fill.stock_code) for fill in guessed)),
        guessed_tax=sum(fill.tax or 0 for fill in guessed),
    )


# --- shares -------------------------------------------------------------------------------------------------------


def snapshot_before(account: KisAccount) -> KisAccount | None:
    return (
        KisAccount.objects.of(account.account, is_paper=account.is_paper)
        .filter(snapshot_at__lt=account.snapshot_at)
        .newest_first()
        .first()
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """The shares of two snapshots by stock code, and what was traded in between: bought less sold, by code and day."""

    before: Mapping[str, int]
    traded: Mapping[str, Mapping[date, int]]
    now: Shares
    since: date
    until: date

    def net(self) -> dict[str, int]:
        return {code: sum(changes.values()) for code, changes in self.traded.items()}

    def check(self) -> Check:
        return check_quantities(self.before, self.net(), self.now)

    def apart(self) -> list[str]:
        """Return the stocks whose shares do not agree, of those that were known before: others cannot have been split."""
        net = self.net()
        return sorted(
            code
            for code in self.before.keys() | net.keys()
            if self.before.get(code, 0) + net.get(code, 0) != self.now.quantities.get(code, 0)
        )

    def with_splits(self) -> "Passage":
        """Return the passage with the shares before in new shares, where known splits or mergers explain them.

        Only there: a price is also adjusted for rights, which leave the shares alone.
        """
        known: dict[str, list[PriceAdjustment]] = {}
        rows = PriceAdjustment.objects.filter(
            stock_code__in=self.apart(), day__gt=self.since, after__lt=self.until
        )
        for adjustment in rows.order_by("day"):
            known.setdefault(adjustment.stock_code, []).append(adjustment)
        net, converted = self.net(), dict(self.before)
        for code, adjustments in known.items():
            now = self.now.quantities.get(code, 0)
            if after_splits(self.before.get(code, 0), self.traded.get(code, {}), adjustments) == now:
                converted[code] = now - net.get(code, 0)
        return replace(self, before=converted)


def after_splits(quantity: int, changes: Mapping[date, int], adjustments: Iterable[PriceAdjustment]) -> int:
    """Return the shares there should be; what was traded before the day of a split is in old shares as well.

    Fractions of a share are paid out in cash.
    """
    days = sorted(changes)
    for adjustment in adjustments:
        while days and days[0] < adjustment.day:
            quantity += changes[days.pop(0)]
        quantity = int(quantity * (adjustment.ratio + RATIO_ROUNDING))
    return quantity + sum(changes[day] for day in days)


def check_shares(account: KisAccount) -> list[Check]:
    """Shares of a snapshot against those of the one before and the fills in between; nothing for the first snapshot.

    A stock that does not agree is looked up among the known splits and mergers: what they explain is no difference.
    """
    passage = passage_to(account)
    if passage is None:
        return []
    check = passage.check()
    return [passage.with_splits().check() if check.difference else check]


def stocks_apart(account: KisAccount) -> list[str]:
    """Return the stocks whose shares neither fills nor known splits explain since the snapshot before."""
    passage = passage_to(account)
    return passage.with_splits().apart() if passage else []


def passage_to(account: KisAccount) -> Passage | None:
    """Return what led from the snapshot before to this one; None for the first snapshot."""
    before = snapshot_before(account)
    if before is None:
        return None
    held = list(account.holdings.all())
    now = Shares(
        {row.stock_code: row.holding_qty for row in held}, {row.stock_code: row.stock_name for row in held}
    )
    earlier = list(before.holdings.all())
    shares = {row.stock_code: row.holding_qty for row in earlier}
    since = before.snapshot_at.astimezone(SEOUL)
    fills = list(
        KisExecution.objects.of(account.account, is_paper=account.is_paper).filter(exec_dt__gte=since.date())
    )
    traded = signed(fills)
    # Some of the fills of that day were in the earlier snapshot already.
    for code, quantity in net_of_day(before, at=since).items():
        traded[code][since.date()] -= quantity
    names = {
        **{fill.stock_code: fill.stock_name for fill in fills},
        **{row.stock_code: row.stock_name for row in earlier},
        **now.names,
    }
    now = Shares(now.quantities, names)
    until = account.snapshot_at.astimezone(SEOUL).date()
    return Passage(shares, traded, now, since.date(), until)


def signed(fills: Iterable[KisExecution]) -> defaultdict[str, defaultdict[date, int]]:
    """Return shares bought less sold, by stock and day."""
    traded: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    for fill in fills:
        quantity = fill.exec_qty if fill.exec_type == Side.BUY else -fill.exec_qty
        traded[fill.stock_code][fill.exec_dt] += quantity
    return traded


def net_of_day(account: KisAccount, *, at: datetime) -> dict[str, int]:
    """Return what a snapshot had of its own day's trades, by stock, bought less sold; sold-out stocks included."""
    if not is_trading_day(at):
        return {}
    net = {row.stock_code: row.today_buy_qty - row.today_sell_qty for row in account.holdings.all()}
    for row in sold_out(account):
        quantity = int(row["thdt_buyqty"]) - int(row["thdt_sll_qty"])
        net[row["pdno"]] = net.get(row["pdno"], 0) + quantity
    return net


def sold_out(account: KisAccount) -> list[Mapping[str, Any]]:
    """Return the wire rows of stocks of which nothing was left; those in cash and on loan have one for each."""
    rows: Sequence[Mapping[str, Any]] = account.raw_json.get("sold_out", [])
    return [part for row in rows for part in row.get("rows", [row])]


# --- on the run -----------------------------------------------------------------------------------------------------


def put_checks(run: SyncRun, checks: Sequence[Check]) -> None:
    """Write comparisons into a run; those of the same name are replaced, the others stay."""
    names = {check.name for check in checks}
    kept = [Check.from_json(values) for values in run.checks if values["name"] not in names]
    whole = [*kept, *checks]
    run.checks = [check.as_json() for check in whole]
    run.differences = sum(1 for check in whole if check.difference)
    run.save(update_fields=["checks", "differences"])
