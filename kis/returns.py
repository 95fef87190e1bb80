"""The returns of an account over a period, next to those of the market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kis.client.codes import AccountNumber
from kis.korean import day
from kis.models import IndexPrice, KisDailySummary
from kis.portfolio.money_weighted import MoneyWeighted, money_weighted
from kis.portfolio.returns import Comparison, DayReturn, DayValue, compare, time_weighted
from kis.portfolio.unknown import Unknown

ONE = Decimal(1)


class NoDays(Exception):
    """There is nothing to show for the period; the text is a sentence for the owner."""


@dataclass(frozen=True, slots=True)
class AgainstIndex:
    """A day next to an index. Rates are parts of one (0.01 is 1 %); `comparison` is cumulative over the period."""

    rate: Decimal | Unknown
    excess: Decimal | Unknown
    comparison: Comparison | Unknown


@dataclass(frozen=True, slots=True)
class ReturnDay:
    """One business day. Won; rates are parts of one, `cumulative` time-weighted since the period began."""

    day: date
    value: int | Unknown
    flow: int | Unknown
    profit: int | Unknown
    rate: Decimal | Unknown
    cumulative: Decimal | Unknown
    against: Mapping[IndexPrice.Index, AgainstIndex]
    is_final: bool


@dataclass(frozen=True, slots=True)
class Returns:
    """A period. `base` is the close it is counted from: the one before the first day, or the first day itself."""

    base: date
    days: tuple[ReturnDay, ...]
    money_weighted: MoneyWeighted | Unknown


def returns_of(
    account: AccountNumber, *, is_paper: bool, first: date | None = None, last: date | None = None
) -> Returns:
    """Return what the stored days of an account earned from `first` to `last`, both included; all of them by default.

    Raises NoDays where no day of the period has a close.
    """
    rows = KisDailySummary.objects.of(account, is_paper=is_paper).order_by("summary_date")
    if last is not None:
        rows = rows.filter(summary_date__lte=last)
    wanted = list(rows if first is None else rows.filter(summary_date__gte=first))
    closed = [row for row in wanted if row.total_amt is not None]
    if not closed:
        raise NoDays(
            "이 기간에 마감한 날이 없습니다. 장이 끝난 뒤 동기화하면 그날이 마감됩니다: manage.py sync_kis_data"
        )
    before = rows.with_close().filter(summary_date__lt=wanted[0].summary_date).last()
    value = before.total_amt if before else None
    values = [day_value(row) for row in closed]
    returns = time_weighted(values, before=value)
    closes = index_closes(before.summary_date if before else closed[0].summary_date, closed[-1].summary_date)
    against = {
        index: against_index(returns, closes[index], before=before.summary_date if before else None)
        for index in IndexPrice.Index
    }
    shown = {
        found.day: (found, {index: against[index][place] for index in against})
        for place, found in enumerate(returns)
    }
    return Returns(
        base=before.summary_date if before else closed[0].summary_date,
        days=tuple(return_day(row, shown) for row in wanted),
        money_weighted=money_weighted(values, before=value),
    )


def day_value(row: KisDailySummary) -> DayValue:
    assert row.total_amt is not None  # noqa: S101  # only days with a close come here
    return DayValue(row.summary_date, row.total_amt, row.won("flow"))


def return_day(
    row: KisDailySummary, shown: Mapping[date, tuple[DayReturn, Mapping[IndexPrice.Index, AgainstIndex]]]
) -> ReturnDay:
    """Put a stored day and its place in the period together; what the day itself cannot say stays unsaid."""
    if row.summary_date not in shown:
        why = Unknown(row.reasons["total_amt"])
        return ReturnDay(row.summary_date, why, why, why, why, why, {}, is_final=row.is_final)
    found, against = shown[row.summary_date]
    # Over a hole the stored day knows that what lies between the two closes is not one day's.
    rate = found.rate if row.day_return is not None else Unknown(row.reasons["day_return"])
    return ReturnDay(
        day=row.summary_date,
        value=row.won("total_amt"),
        flow=row.won("flow"),
        profit=row.won("day_profit"),
        rate=rate,
        cumulative=found.cumulative,
        against={
            index: one if not isinstance(rate, Unknown) else AgainstIndex(rate, rate, one.comparison)
            for index, one in against.items()
        },
        is_final=row.is_final,
    )


# --- indices -----------------------------------------------------------------------------------------------------------


def index_closes(first: date, last: date) -> dict[IndexPrice.Index, dict[date, Decimal]]:
    found: dict[IndexPrice.Index, dict[date, Decimal]] = {index: {} for index in IndexPrice.Index}
    for row in IndexPrice.objects.filter(trade_date__gte=first, trade_date__lte=last):
        found[IndexPrice.Index(row.index_code)][row.trade_date] = row.close
    return found


def against_index(
    returns: Sequence[DayReturn], closes: Mapping[date, Decimal], *, before: date | None
) -> list[AgainstIndex]:
    """Return each day next to an index; `before` is the day of the close that the first one is counted from."""
    compared = compare(returns, closes, before=closes.get(before) if before else None)
    found = []
    for ours, comparison in zip(returns, compared, strict=True):
        rate = index_rate(before, ours.day, closes)
        if isinstance(rate, Unknown):
            excess: Decimal | Unknown = rate
        else:
            excess = ours.rate if isinstance(ours.rate, Unknown) else ours.rate - rate
        found.append(AgainstIndex(rate, excess, comparison))
        before = ours.day
    return found


def index_rate(before: date | None, on: date, closes: Mapping[date, Decimal]) -> Decimal | Unknown:
    if before is None:
        return Unknown(f"{day(on)} 전날의 지수 종가와 견줄 수 없습니다.")
    missing = next((one for one in (before, on) if one not in closes), None)
    if missing is not None:
        return Unknown(f"{day(missing)}의 지수 종가가 없습니다.")
    return closes[on] / closes[before] - ONE
