"""Daily prices of the stocks we hold, trade or wait for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from kis.calendar import business_day_before, is_business_day
from kis.client.endpoints.charts import daily_chart
from kis.client.errors import KisError, KisUnreachable
from kis.client.records.charts import DailyBar
from kis.client.session import Session
from kis.models import DailyPrice
from kis.sync.progress import Listener

#: Calendar days of one call: about 95 trading days, within the 100 bars a reply can hold.
BACKFILL_DAYS = 140
#: The day's bar counts as final from here on; before that it is still being made and is not stored.
FINAL_FROM = time(15, 40)


@dataclass(frozen=True, slots=True)
class PriceResult:
    """Stocks that are up to date, bars written, stocks asked for, and a sentence for each stock or bar that failed."""

    stocks: int
    bars: int
    asked: int
    problems: tuple[str, ...]


def last_final_day(at: datetime) -> date:
    """Return the latest trading day whose bar is final; `at` is in Korean time."""
    if is_business_day(at.date()) and at.time() >= FINAL_FROM:
        return at.date()
    return business_day_before(at.date())


def fetch_prices(session: Session, codes: Iterable[str], *, at: datetime, listener: Listener) -> PriceResult:
    """Bring the daily prices of the codes up to the last final day; a code that is up to date costs no call.

    A stock that fails leaves the others and the books alone. A broker that does not answer ends the step.
    """
    last = last_final_day(at)
    wanted = sorted(set(codes))
    current = set(
        DailyPrice.objects.filter(stock_code__in=wanted, trade_date=last).values_list("stock_code", flat=True)
    )
    missing = [code for code in wanted if code not in current]
    problems: list[str] = []
    failed = bars = 0
    for done, code in enumerate(missing, start=1):
        try:
            chart = daily_chart(session, code=code, first=last - timedelta(days=BACKFILL_DAYS), last=last)
        except KisUnreachable as error:
            problems.append(
                f"{code} 외 {len(missing) - done}종목: {error}" if done < len(missing) else f"{code}: {error}"
            )
            failed += len(missing) - done + 1
            break
        except KisError as error:
            problems.append(f"{code}: {error}")
            failed += 1
        else:
            bars += save_bars(code, chart.bars)
            if not chart.bars:
                problems.append(f"{code}: 일봉이 아직 없습니다")
                failed += 1
            problems += [f"{code}: {problem}" for problem in chart.problems]
        listener.advanced(label="일봉", done=done, total=len(missing))
    return PriceResult(len(wanted) - failed, bars, len(missing), tuple(problems))


def save_bars(code: str, chart: Iterable[DailyBar]) -> int:
    """Insert bars and correct known ones in one statement (adjusted prices change after a split)."""
    rows = [
        DailyPrice(
            stock_code=code,
            trade_date=bar.day,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
        )
        for bar in chart
    ]
    DailyPrice.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["stock_code", "trade_date"],
        update_fields=["open", "high", "low", "close", "volume"],
    )
    return len(rows)
