"""The costs of a trade, from dated tables until the broker's own figure is known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from kis.client.records.orders import Side
from kis.portfolio.cash import settlement_day
from kis.portfolio.unknown import Unknown

Market = Literal["KOSPI", "KOSDAQ", "KONEX"]
Kind = Literal["stock", "ETF", "ETN", "ELW"]
#: As in `KisExecution.cost_source`: 추정 by our tables, 확정 by the broker.
Source = Literal["estimated", "actual"]
#: Parts of the amount, each from a day on, oldest first. The first one also holds for the days before it.
Rates = tuple[tuple[date, Decimal], ...]

#: Sale tax in percent of the proceeds by the day of SETTLEMENT; KOSPI is transaction tax and rural tax together.
SALE_TAX: tuple[tuple[date, dict[Market, Decimal]], ...] = (
    (date.min, {"KOSPI": Decimal("0.30"), "KOSDAQ": Decimal("0.30"), "KONEX": Decimal("0.30")}),
    (date(2019, 6, 3), {"KOSPI": Decimal("0.25"), "KOSDAQ": Decimal("0.25"), "KONEX": Decimal("0.10")}),
    (date(2021, 1, 1), {"KOSPI": Decimal("0.23"), "KOSDAQ": Decimal("0.23"), "KONEX": Decimal("0.10")}),
    (date(2023, 1, 1), {"KOSPI": Decimal("0.20"), "KOSDAQ": Decimal("0.20"), "KONEX": Decimal("0.10")}),
    (date(2024, 1, 1), {"KOSPI": Decimal("0.18"), "KOSDAQ": Decimal("0.18"), "KONEX": Decimal("0.10")}),
    (date(2025, 1, 1), {"KOSPI": Decimal("0.15"), "KOSDAQ": Decimal("0.15"), "KONEX": Decimal("0.10")}),
    (date(2026, 1, 1), {"KOSPI": Decimal("0.20"), "KOSDAQ": Decimal("0.20"), "KONEX": Decimal("0.10")}),
)
TAX_FREE = frozenset({"ETF", "ETN", "ELW"})
FUNDS = frozenset({"ETF", "ETN"})

RATE = re.compile(r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})\s*:\s*)?([0-9]+(?:\.[0-9]+)?)\s*%")
#: Orders over the telephone cost half a percent; more than this is a slip of the pen.
HIGHEST_PERCENT = 1


class RatesNotUnderstood(ValueError):
    """A setting with commission rates cannot be read; the text says in Korean which part."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Commission and sale tax, in won."""

    commission: int
    tax: int
    source: Source = "estimated"

    @property
    def total(self) -> int:
        return self.commission + self.tax

    def __sub__(self, before: "Costs") -> "Costs":
        """Return what a further fill has added to the costs of its order."""
        return Costs(self.commission - before.commission, self.tax - before.tax, self.source)


@dataclass(frozen=True, slots=True)
class CommissionPlan:
    """What the broker takes of each order, by the day of the trade. `minimum` is in won an order.

    `etf` (ETF and ETN) and `nxt` (orders sent to NXT) may be left empty where they cost the same; `etf` goes first.
    """

    name: str
    rates: Rates
    minimum: int = 0
    nxt: Rates = ()
    etf: Rates = ()

    def commission(self, amount: int, *, kind: Kind, trade_day: date, venue: str = "KRX") -> int:
        """Return the commission of an order of which `amount` won were traded; fractions of a won are dropped."""
        if not amount:
            return 0
        of_kind = self.etf if kind in FUNDS else ()
        of_venue = self.nxt if venue == "NXT" else ()
        rate = _rate_on(of_kind or of_venue or self.rates, trade_day)
        return max(int(amount * rate), self.minimum)


#: What an account has, real or paper, unless its owner agreed on something else with the broker.
BASIC_ONLINE = CommissionPlan("기본 온라인", rates=((date.min, Decimal("0.000140527")),))


def _rate_on(rates: Rates, day: date) -> Decimal:
    return next((rate for since, rate in reversed(rates) if since <= day), rates[0][1])


def parse_rates(text: str) -> Rates:
    """Read `0.0140527%`, or `2019-01-01:0.015%,2025-03-04:0.0140527%`; only the first may go without its day.

    Raises RatesNotUnderstood.
    """
    rates: list[tuple[date, Decimal]] = []
    for part in text.split(","):
        match = RATE.fullmatch(part.strip())
        if match is None:
            raise RatesNotUnderstood(
                f"수수료율을 읽을 수 없습니다: '{part.strip()}'. 0.0140527% 또는 2025-03-04:0.0140527% 모양이어야 합니다."
            )
        since, percent = _day(match[1]) if match[1] else date.min, Decimal(match[2])
        if percent > HIGHEST_PERCENT:
            raise RatesNotUnderstood(f"수수료율은 {HIGHEST_PERCENT}%를 넘을 수 없습니다: '{part.strip()}'.")
        if rates and since <= rates[-1][0]:
            raise RatesNotUnderstood(
                f"수수료율은 적용일이 이른 것부터 한 번씩 적어야 합니다: '{part.strip()}'."
            )
        rates.append((since, percent / 100))
    return tuple(rates)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RatesNotUnderstood(f"수수료율의 적용일이 없는 날짜입니다: '{text}'.") from None


def sale_tax(amount: int, *, market: Market, kind: Kind, trade_day: date) -> int:
    """Return the transaction tax on a sale of `amount` won; the day of settlement decides, fractions are dropped."""
    if kind in TAX_FREE:
        return 0
    settles_on = settlement_day(trade_day)
    percent = next(rates[market] for since, rates in reversed(SALE_TAX) if since <= settles_on)
    return int(amount * percent / 100)


def estimate(
    *,
    side: Side,
    market: Market,
    kind: Kind,
    amount: int,
    trade_day: date,
    plan: CommissionPlan,
    venue: str = "KRX",
) -> Costs:
    """Return the costs of an order of which `amount` won were traded in all.

    Fractions of a won are dropped once an order, so a further fill costs what it adds to the costs of the whole.
    """
    return Costs(
        commission=plan.commission(amount, kind=kind, trade_day=trade_day, venue=venue),
        tax=sale_tax(amount, market=market, kind=kind, trade_day=trade_day) if side is Side.SELL else 0,
    )


def settle(
    estimates: Sequence[Costs], *, broker_fee: int, broker_tax: int, source: Source = "actual"
) -> tuple[Costs, ...] | Unknown:
    """Spread the broker's fee and tax over the orders they are for, in proportion to the estimates.

    The sums are the broker's to the won, by largest remainder. Unknown where the estimates do not say whose it is.
    """
    if min(broker_fee, broker_tax) < 0:
        return Unknown("증권사의 수수료나 세금이 0원보다 적어 주문에 나눌 수 없습니다.")
    fees = _spread(broker_fee, [costs.commission for costs in estimates])
    taxes = _spread(broker_tax, [costs.tax for costs in estimates])
    if fees is None:
        return Unknown(f"증권사의 수수료 {broker_fee:,}원이 어느 주문의 것인지 알 수 없습니다.")
    if taxes is None:
        return Unknown(f"증권사의 세금 {broker_tax:,}원이 어느 주문의 것인지 알 수 없습니다.")
    return tuple(Costs(fee, tax, source) for fee, tax in zip(fees, taxes, strict=True))


def settle_day(
    estimates: Sequence[Costs], *, broker_costs: int, source: Source = "actual"
) -> tuple[Costs, ...] | Unknown:
    """Spread a figure of fee and tax in one (`thdt_tlex_amt`) over all orders of its day.

    The tax is law and stays as estimated; what differs is commission, which is agreed account by account. The broker
    calls the figure of a running day an estimate itself: pass `source` accordingly.
    """
    tax = sum(costs.tax for costs in estimates)
    if broker_costs < tax:
        return Unknown(f"증권사의 제비용 {broker_costs:,}원이 추정 세금 {tax:,}원보다 적습니다.")
    return settle(estimates, broker_fee=broker_costs - tax, broker_tax=tax, source=source)


def _spread(amount: int, weights: Sequence[int]) -> list[int] | None:
    """Split `amount` by weights, to the won; None where nothing says who should get it."""
    whole = sum(weights)
    if not whole:
        if len(weights) == 1:
            return [amount]
        return None if amount else [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: amount * weights[index] % whole, reverse=True
    )
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts
