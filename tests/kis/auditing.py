"""Compare the tables with the simulator's own ledger, read in its process and counted by hand."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from kis.calendar import business_days
from kis.korean import SEOUL
from kis.models import (
    DailyPrice,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisOrderDetail,
    KisTradeProfit,
    SyncRun,
)
from kis.simulator.ledger import Account, Statement, commission
from kis.simulator.orders import Order
from kis.simulator.realised import stock_days
from kis.simulator.server import Simulator
from kis.simulator.wire import BRANCH
from tests.kis.living import Life
from tests.kis.playing import Player, days_between, player_of

RECENT = timedelta(days=6)
#: Percent, as it is stored.
RETURN_ROUNDING = Decimal("1e-8")
SETTLED_AFTER = timedelta(days=7)
MOST_SHOWN = 6
#: Columns by name, by whatever names a row.
Rows = Mapping[Any, Mapping[str, Any]]


@dataclass(frozen=True)
class Evening:
    """What the ledger said when a day was closed; trades, costs and transfers are those since the evening before."""

    day: date
    statement: Statement
    bought: int
    sold: int
    fee: int
    tax: int
    flow: int

    @property
    def total(self) -> int:
        return self.statement.total


class Audit:
    """The books of one account next to the ledger. `rows` counts what was compared."""

    def __init__(self, simulator: Simulator, life: Life, *, seed: int) -> None:
        self.simulator = simulator
        self.exchange = simulator.exchange
        self.life = life
        self.seed = seed
        self.rows = 0
        self.opening: tuple[datetime, Statement] | None = None
        self.evenings: dict[date, Evening] = {}
        self.last_evening: datetime | None = None

    @property
    def account(self) -> Account:
        return self.exchange.accounts[self.life.mode]

    def mine(self, model) -> Any:
        return model.objects.of(self.life.account, is_paper=self.life.is_paper)

    def same(self, table: str, ours: Rows, ledger: Rows) -> None:
        """Assert that two sets of rows are the same; what is not is named with its day, table, row and column."""
        self.rows += len(ledger)
        odd = [
            f"{key} {name}: ours {ours.get(key, {}).get(name, 'missing')!r},"
            f" ledger {ledger.get(key, {}).get(name, 'missing')!r}"
            for key in sorted(ours.keys() | ledger.keys(), key=str)
            for name in (ledger.get(key) or ours[key])
            if key not in ours or key not in ledger or ours[key][name] != ledger[key][name]
        ]
        head = f"seed {self.seed}, {self.life.mode}, {self.simulator.now():%Y-%m-%d %H:%M:%S}, {table}"
        assert not odd, f"{head}: {len(odd)} differences\n" + "\n".join(odd[:MOST_SHOWN])

    # --- after every sync -------------------------------------------------------------------------------------------

    def look(self, run: SyncRun) -> KisAccount:
        """Compare a run that has just ended; the clock has stood still since it began."""
        checks = {check["name"]: check["difference"] for check in run.checks}
        ours = {"status": run.status, "differences": run.differences, "error": run.error, "checks": checks}
        green = {"status": "complete", "differences": 0, "error": "", "checks": dict.fromkeys(checks, 0)}
        self.same("kis_sync_run", {run.pk: ours}, {run.pk: green})
        snapshot = KisAccount.objects.get(sync_run=run)
        now = self.simulator.now()
        statement = self.exchange.statement(self.account, now)
        if self.opening is None:
            self.opening = now, statement
        self.same_account(snapshot, statement)
        self.same_holdings(snapshot, statement)
        self.same_open_orders(snapshot, now)
        return snapshot

    def same_account(self, snapshot: KisAccount, statement: Statement) -> None:
        today = statement.today
        power = self.exchange.buying_power(self.account, self.simulator.now())
        ledger = {
            "account_no": self.account.number[:8],
            "is_paper": self.life.is_paper,
            "deposit": statement.cash,
            "available": statement.cash_settled,
            "today_buy_amt": today.bought_amount,
            "today_sell_amt": today.sold_amount,
            "today_fee": today.costs,
            "stock_eval_amt": statement.value,
            "total_eval_amt": statement.total,
            "total_profit_loss": statement.value - statement.cost,
            "total_buy_amt": statement.cost,
            "d1_cash": statement.cash_next_day,
            "orderable_cash": power.amount,
            "net_assets": statement.total,
            "previous_assets": statement.previous_total,
            "snapshot_at": self.simulator.now(),
        }
        self.same("kis_account", {snapshot.pk: columns(snapshot, ledger)}, {snapshot.pk: ledger})

    def same_holdings(self, snapshot: KisAccount, statement: Statement) -> None:
        ledger = {
            held.listing.code: {
                "stock_name": held.listing.name,
                "holding_qty": held.lot.quantity,
                "ord_psbl_qty": held.orderable,
                "pchs_avg_pric": float(rounded(held.lot.average, 4)),
                "pchs_amt": held.lot.cost,
                "prpr": held.price,
                "evlu_amt": held.price * held.lot.quantity,
                "evlu_pfls_amt": held.price * held.lot.quantity - held.lot.cost,
                "evlu_pfls_rt": float(percent(held.value - held.lot.cost, held.lot.cost)),
                "fllt_rt": float(percent(held.price - held.base, held.base)),
                "is_paper": self.life.is_paper,
                "snapshot_at": snapshot.snapshot_at,
                "snapshot_date": self.simulator.now().date(),
                "today_buy_qty": held.today.bought_quantity,
                "today_sell_qty": held.today.sold_quantity,
            }
            for held in statement.holdings
            if held.lot.quantity
        }
        rows = {row.stock_code: columns(row, ledger.get(row.stock_code)) for row in snapshot.holdings.all()}
        self.same("kis_holding", rows, ledger)

    def same_open_orders(self, snapshot: KisAccount, now: datetime) -> None:
        ledger = {
            f"{order.number:010d}": {
                "stock_code": order.code,
                "sll_buy_dvsn_cd": "02" if order.side == "buy" else "01",
                "ord_qty": order.quantity,
                "ord_unpr": order.price,
                "ord_tmd": f"{order.placed_at:%H%M%S}",
                "psbl_qty": order.remaining,
                "tot_ccll_qty": order.filled,
                "is_paper": self.life.is_paper,
                "exchange": order.venue,
            }
            for order in self.exchange.open_orders(self.account, now)
        }
        rows = {row.odno: columns(row, ledger.get(row.odno)) for row in snapshot.unfilled_orders.all()}
        self.same("kis_unfilled_order", rows, ledger)

    # --- orders and fills ---------------------------------------------------------------------------------------------

    def orders_since(self, first: date) -> dict[tuple[date, str], Order]:
        return {
            (order.day, f"{order.number:010d}"): order for order in self.account.orders if order.day >= first
        }

    def same_fills(self, first: date = date.min) -> None:
        ledger = {
            key: {
                "stock_code": order.code,
                "exec_type": "BUY" if order.side == "buy" else "SELL",
                "exec_qty": order.filled,
                "exec_price": int(rounded(rounded(Decimal(order.amount) / order.filled, 4), 0)),
                "exec_amt": order.amount,
                "exec_tmd": order.placed_at.time(),
                "commission": commission(order.amount),
                "tax": self.exchange.costs(order, order.amount) - commission(order.amount),
                "ord_gno_brno": BRANCH[self.account.mode],
                "exchange": order.venue,
            }
            for key, order in self.orders_since(first).items()
            if order.filled
        }
        rows = self.mine(KisExecution).filter(exec_dt__gte=first)
        ours = {(row.exec_dt, row.odno): row for row in rows}
        self.same("kis_execution", {key: columns(row, ledger.get(key)) for key, row in ours.items()}, ledger)

    def same_orders(self, first: date = date.min) -> None:
        now = self.simulator.now()
        orders = self.orders_since(first)
        ledger = {
            key: {
                "stock_code": order.code,
                "ord_tmd": order.placed_at.time(),
                "orgn_odno": f"{order.origin:010d}" if order.origin else "",
                "side": "BUY" if order.side == "buy" else "SELL",
                "ord_dvsn_cd": order.kind,
                "exchange": order.venue,
                "ord_qty": order.quantity,
                "ord_unpr": order.price,
                "tot_ccld_qty": order.filled,
                "avg_prvs": rounded(Decimal(order.amount) / order.filled, 4) if order.filled else None,
                "rmn_qty": order.remaining,
                "cncl_cfrm_qty": order.cancelled,
                "rjct_qty": 0,
                "origin": "external",
                "status": state_of(order, [o for o in orders.values() if o.day == order.day], now=now),
            }
            for key, order in orders.items()
        }
        rows = {(row.ord_dt, row.odno): row for row in self.mine(KisOrderDetail).filter(ord_dt__gte=first)}
        self.same(
            "kis_order_detail", {key: columns(row, ledger.get(key)) for key, row in rows.items()}, ledger
        )

    def same_chains(self) -> None:
        """Compare what belongs together, from the first order of each chain."""
        ledger: dict[tuple[date, str], list[str]] = {}
        root_of: dict[tuple[date, int], int] = {}
        for order in self.account.orders:
            root = root_of.get((order.day, order.origin), order.origin) or order.number
            root_of[order.day, order.number] = root
            ledger.setdefault((order.day, f"{root:010d}"), []).append(f"{order.number:010d}")
        chains = {key: sorted(numbers) for key, numbers in ledger.items() if len(numbers) > 1}
        rows = self.mine(KisOrderDetail)
        ours = {
            (row.ord_dt, row.odno): sorted(link.odno for link in KisOrderDetail.objects.chain_of(row))
            for row in rows
            if (row.ord_dt, row.odno) in chains
        }
        self.same(
            "kis_order_detail chains",
            {key: {"orders": numbers} for key, numbers in ours.items()},
            {key: {"orders": numbers} for key, numbers in chains.items()},
        )

    # --- days -----------------------------------------------------------------------------------------------------------

    def evening(self, run: SyncRun, day: date) -> None:
        """Compare a run that has closed a day, and everything that follows from it."""
        self.look(run)
        now = self.simulator.now()
        assert self.opening is not None
        since = self.last_evening or self.opening[0]
        bought, sold, fee, tax = self.traded(since, now)
        transfers = [one.amount for one in self.account.transfers if since < one.at <= now]
        statement = self.exchange.statement(self.account, now)
        self.evenings[day] = Evening(day, statement, bought, sold, fee, tax, sum(transfers))
        self.last_evening = now
        self.same_fills(day - RECENT)
        self.same_orders(day - RECENT)
        self.same_logs(day - RECENT)
        self.same_summaries(day - RECENT)
        # A run fetches the prices of what is held first; of what was sold it may leave some to the next.
        self.same_prices(day - RECENT, day, self.held())

    def traded(self, since: datetime, until: datetime) -> tuple[int, int, int, int]:
        """Return won bought and sold, fee and tax of the fills after `since`: what they add to the costs of their orders."""
        bought = sold = fee = tax = 0
        for order in self.account.orders:
            before, after = order.as_seen(since).amount, order.as_seen(until).amount
            bought += after - before if order.side == "buy" else 0
            sold += after - before if order.side == "sell" else 0
            more = commission(after) - commission(before)
            fee += more
            tax += self.exchange.costs(order, after) - self.exchange.costs(order, before) - more
        return bought, sold, fee, tax

    def same_logs(self, first: date = date.min) -> None:
        ledger = {}
        assert self.opening is not None
        before = self.opening[1].cash_settled
        for day, evening in self.evenings.items():
            settled = evening.statement.cash_settled
            ledger[day] = {
                "d0_cash": evening.statement.cash,
                "d1_cash": evening.statement.cash_next_day,
                "d2_cash": settled,
                "previous_cash": before,
                "change": settled - before,
                "buy_amt": evening.bought,
                "sell_amt": evening.sold,
                "fee": evening.fee,
                "tax": evening.tax,
                "flow": evening.flow,
            }
            before = settled
        rows = {row.log_date: row for row in self.mine(KisDepositLog).filter(log_date__gte=first)}
        self.same(
            "kis_deposit_log",
            {day: columns(row, ledger.get(day)) for day, row in rows.items()},
            {day: row for day, row in ledger.items() if day >= first},
        )

    def same_summaries(self, first: date = date.min) -> None:
        ledger: dict[date, dict[str, Any]] = {}
        previous: Evening | None = None
        growth = Fraction(1)
        realised = self.realised_by_order()
        for day, evening in self.evenings.items():
            statement = evening.statement
            of_day = [order for order in self.account.orders if order.day == day and order.filled]
            fee = sum(commission(order.amount) for order in of_day)
            rate = None
            if previous is not None:
                start = previous.total + max(evening.flow, 0)
                rate = Fraction(evening.total - min(evening.flow, 0), start)
                growth *= rate
            ledger[day] = {
                "total_amt": evening.total,
                "stock_amt": statement.value,
                "cash_amt": statement.cash_settled,
                "cost_amt": statement.cost,
                "unrealised_broker": statement.value - statement.cost,
                "buy_amt": sum(order.amount for order in of_day if order.side == "buy"),
                "sell_amt": sum(order.amount for order in of_day if order.side == "sell"),
                "fee": fee,
                "tax": sum(self.exchange.costs(order, order.amount) for order in of_day) - fee,
                "flow": evening.flow,
                "day_profit": None if previous is None else evening.total - previous.total - evening.flow,
                "day_return": None if rate is None else in_percent(rate),
                "cumulative_return": in_percent(growth),
                "realised_average": realised.get(day, 0),
            }
            previous = evening
        rows = {row.summary_date: row for row in self.mine(KisDailySummary).filter(summary_date__gte=first)}
        self.same(
            "kis_daily_summary",
            {day: columns(row, ledger.get(day)) for day, row in rows.items()},
            {day: row for day, row in ledger.items() if day >= first},
        )

    def realised_by_order(self) -> dict[date, int]:
        """Return the profit of each day by moving average, the orders of a stock one after the other as they were placed."""
        lots = {code: (lot.quantity, lot.cost) for code, lot in self.account.opening.items()}
        splits = sorted(self.exchange.splits(), key=lambda split: split.day)
        profits: defaultdict[date, int] = defaultdict(int)
        filled = [order for order in self.account.orders if order.filled]
        for order in sorted(filled, key=lambda order: (order.placed_at, order.number)):
            while splits and splits[0].day <= order.day:
                split = splits.pop(0)
                quantity, cost = lots.get(split.code, (0, 0))
                lots[split.code] = (quantity * split.new // split.old, cost)
            quantity, cost = lots.get(order.code, (0, 0))
            costs = self.exchange.costs(order, order.amount)
            if order.side == "buy":
                lots[order.code] = (quantity + order.filled, cost + order.amount)
                profits[order.day] -= costs
            else:
                left = quantity - order.filled
                rest = round(Decimal(cost) * left / quantity)
                lots[order.code] = (left, rest)
                profits[order.day] += order.amount - (cost - rest) - costs
        return profits

    # --- prices ----------------------------------------------------------------------------------------------------------

    def held(self) -> set[str]:
        book = self.exchange.book(self.account)
        return {code for code, lot in book.lots.items() if lot.quantity}

    def same_prices(self, first: date, last: date, codes: set[str]) -> None:
        """Compare the bars of some stocks, prices before a split divided by hand."""
        market = self.exchange.market
        today = self.simulator.now().date()
        ledger = {}
        for code in codes:
            for bar in market.bars(code, first, last):
                ratio = Fraction(1)
                for split in self.exchange.splits():
                    if split.code == code and bar.day < split.day <= today:
                        ratio *= split.ratio
                ledger[code, bar.day] = {
                    "open": round(bar.open / ratio),
                    "high": round(bar.high / ratio),
                    "low": round(bar.low / ratio),
                    "close": round(bar.close / ratio),
                    "volume": int(bar.volume * ratio),
                }
        rows = DailyPrice.objects.filter(stock_code__in=codes, trade_date__range=(first, last))
        ours = {(row.stock_code, row.trade_date): row for row in rows}
        self.same("daily_price", {key: columns(row, ledger.get(key)) for key, row in ours.items()}, ledger)

    # --- the whole life ----------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Compare everything from the first day on, and what the broker said about profit when days were over."""
        days = list(self.evenings)
        self.same_days()
        self.same_fills()
        self.same_orders()
        self.same_chains()
        self.same_logs()
        self.same_summaries()
        traded = {order.code for order in self.account.orders if order.filled}
        self.same_prices(days[0], days[-1], self.held() | traded)
        self.same_trade_profits(days[-1])
        self.all_settled(days[-1] - SETTLED_AFTER)

    def same_days(self) -> None:
        """Assert that every day on which the exchange opened was closed."""
        ours = [day.isoformat() for day in self.evenings]
        ledger = [day.isoformat() for day in business_days(min(self.evenings), max(self.evenings))]
        self.same("days", {"closed": {"days": ours}}, {"closed": {"days": ledger}})

    def same_trade_profits(self, last: date) -> None:
        """Compare the days before `last`, whose trades were all over when the broker was asked."""
        found = stock_days(
            self.account, splits=self.exchange.splits(), costs=self.exchange.costs, until=self.simulator.now()
        )
        ledger = {
            key: {
                "buy_qty": part.sums.bought_quantity,
                "buy_amt": part.sums.bought_amount,
                "sell_qty": part.sums.sold_quantity,
                "sell_amt": part.sums.sold_amount,
                "fee": part.sums.commission,
                "tax": part.sums.sale_tax,
                "realised_broker": None if self.life.is_paper else part.sums.profit,
            }
            for key, part in found.items()
            if key[0] < last
        }
        rows = self.mine(KisTradeProfit).filter(trade_date__lt=last)
        ours = {(row.trade_date, row.stock_code): row for row in rows}
        self.same(
            "kis_trade_profit", {key: columns(row, ledger.get(key)) for key, row in ours.items()}, ledger
        )

    def all_settled(self, until: date) -> None:
        """Assert that nothing of older days is an estimate any more."""
        fills = self.mine(KisExecution).filter(exec_dt__lte=until)
        logs = self.mine(KisDepositLog).filter(log_date__lte=until)
        summaries = self.mine(KisDailySummary).filter(summary_date__lte=until)
        open_rows = {
            "kis_execution": fills.exclude(cost_source="actual"),
            "kis_deposit_log": logs.exclude(state="final"),
            "kis_daily_summary": summaries.exclude(state="final"),
        }
        for table, rows in open_rows.items():
            self.same(f"{table} settled", {str(row): {"estimated": True} for row in rows}, {})


def live(
    *,
    seed: int,
    first: date,
    last: date,
    split_after: date,
    ratio: int = 5,
    deeds_a_day: int = 14,
    told: Callable[[date], object] = bool,
) -> tuple[Player, dict[str, Audit]]:
    """Play a life from `first` to `last`, both open days, and compare everything on every day of it.

    A stock is split after the day `split_after`. `told` hears of each day that is over.
    """
    with player_of(seed=seed, begins=first, deeds_a_day=deeds_a_day) as player:
        audits = {mode: Audit(player.simulator, life, seed=seed) for mode, life in player.lives.items()}

        def look(life: Life) -> None:
            audits[life.mode].look(life.sync())

        for life in player.lives.values():
            look(life)
        for day, is_open in days_between(first, last):
            if is_open:
                player.session(day, look)
                player.close(day)
                for mode, life in player.lives.items():
                    audits[mode].evening(life.sync(), day)
                if day != last:
                    player.night(day)
            else:
                player.rest_day(day, look)
            if day == split_after:
                player.split(ratio)
            told(day)
        for audit in audits.values():
            audit.end()
    return player, audits


def columns(row: Any, like: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a row that the ledger speaks of."""
    return {name: getattr(row, name) for name in like} if like else {"row": str(row)}


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def percent(part: int, whole: int) -> Decimal:
    return rounded(Decimal(part) * 100 / whole, 2) if whole else Decimal(0)


def in_percent(rate: Fraction) -> Decimal:
    exact = (rate - 1) * 100
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(RETURN_ROUNDING)


def state_of(order: Order, of_day: Iterable[Order], *, now: datetime) -> str:
    """Return what the owner should read about an order, from what the exchange did with it."""
    if order.action == "cancel":
        return "cancelled"
    if order.remaining:
        if now.astimezone(SEOUL) >= order.lapses_at:
            return "lapsed"
        return "partial" if order.filled else "accepted"
    if order.filled == order.quantity:
        return "filled"
    changes = [other for other in of_day if other.origin == order.number and other.code == order.code]
    if not changes:
        return "cancelled"  # its rest was given up at once
    last = max(changes, key=lambda other: (other.placed_at, other.number))
    return "amended" if last.action == "amend" else "cancelled"
