"""Where a rule begins to speak. The owner changes some with `AI_LIMITS=stock=25, loss=15`; pure, read with the settings."""

from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Final

MOST: Final = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Limits:
    """Percent of the whole account unless a line says otherwise. A comment tells whether the limit itself is still fine."""

    stock: Decimal = Decimal(20)  # one stock; up to it is fine, as with all shares
    fund: Decimal = Decimal(40)  # one ETF, ETN or fund, which has many stocks in it
    sector: Decimal = Decimal(30)  # all stocks of a sector together
    hhi: Decimal = Decimal(2000)  # sum of the squared percentages of single stocks
    cash: Decimal = Decimal(5)  # D+2 cash; from it on is fine
    target: Decimal = Decimal(5)  # percentage points from the owner's target
    drawdown: Decimal = Decimal(10)  # below the highest close; at the limit it is not fine any more
    deep_drawdown: Decimal = Decimal(20)
    volatility: Decimal = Decimal(30)  # a year, from daily returns
    loss: Decimal = Decimal(20)  # below the purchase price; at the limit it is not fine any more
    deep_loss: Decimal = Decimal(35)
    plunge: Decimal = Decimal(10)  # a stock in one day; at the limit it is not fine any more
    order_distance: Decimal = Decimal(5)  # an order's price from the last one
    order_minutes: Decimal = Decimal(300)  # minutes an order waits; from it on it is told
    costs: Decimal = Decimal(20)  # of the realised profit of the month before costs
    idle_costs: Decimal = Decimal("0.1")  # of the account, in a month without profit


def read_limits(text: str) -> Limits:
    """Return the limits with the owner's changes. Raises ValueError with a Korean sentence."""
    known = [limit.name for limit in fields(Limits)]
    changes: dict[str, Decimal] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, separator, value = (piece.strip() for piece in part.partition("="))
        if not separator or name not in known:
            raise ValueError(
                f"AI_LIMITS의 '{part}'을(를) 알 수 없습니다. '이름=값'을 쉼표로 잇고, 이름은 이 가운데 하나여야 합니다: "
                f"{', '.join(known)}"
            )
        try:
            limit = Decimal(value.removesuffix("%"))
        except InvalidOperation:
            limit = Decimal(-1)
        if not (limit.is_finite() and 0 < limit <= MOST):
            raise ValueError(f"AI_LIMITS의 {name} 값은 0보다 크고 {MOST} 이하인 숫자여야 합니다.")
        changes[name] = limit
    return replace(Limits(), **changes)
