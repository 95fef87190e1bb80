"""Which prices the exchange takes: tick sizes, in won (kis-api.md section 12)."""

from bisect import bisect_right

from kis.portfolio.costs import Kind

#: Tick sizes below each bound and, last, above all of them; the same on KOSPI and KOSDAQ since 2023-01-25.
BOUNDS = (2_000, 5_000, 20_000, 50_000, 200_000, 500_000)
TICKS = (1, 5, 10, 50, 100, 500, 1_000)
#: ETF, ETN and ELW.
FUND_BOUNDS = (2_000,)
FUND_TICKS = (1, 5)


def tick_size(price: int, kind: Kind) -> int:
    """Return the step between valid prices at `price`."""
    if kind == "stock":
        return TICKS[bisect_right(BOUNDS, price)]
    return FUND_TICKS[bisect_right(FUND_BOUNDS, price)]


def nearest_prices(price: int, kind: Kind) -> tuple[int, int]:
    """Return the valid prices next to `price`, at or below and at or above; both are `price` if it is valid itself."""
    tick = tick_size(price, kind)
    below = price - price % tick
    # Every bound is a multiple of the ticks on both sides of it, so the step above never jumps over a valid price.
    return below, below if below == price else below + tick
