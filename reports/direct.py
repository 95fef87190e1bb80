"""From the broker to figures, past the books: what `--use-api` and the job of every ten minutes print."""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from kis.connect import Connection
from kis.direct import Direct, ask_broker
from kis.models import KisAccount, PriceGap
from reports.advising import advice_on
from reports.chart_queries import ChartRows, DayRow, MinuteRow
from reports.figures import Dashboard, dashboard_figures
from reports.queries import DashboardRows, rows_of
from reports.timetable import is_unscheduled, next_update


def dashboard_from_broker(connection: Connection) -> tuple[Dashboard, KisAccount]:
    """Compute the figures of an account as the broker tells it now, and return them with its unsaved row. Raises KisError.

    What only history can tell (the curve, the closes of two weeks) comes from the books.
    """
    direct = ask_broker(connection)
    now = connection.now()
    dashboard = dashboard_figures(
        rows_from(direct),
        generated_at=now,
        is_demo=settings.AEGIS_DEMO,
        advice=advice_on(direct.position, at=now),
        next_update=next_update(now),
        is_unscheduled=is_unscheduled(now),
    )
    return dashboard, direct.position.account


def rows_from(direct: Direct) -> DashboardRows:
    """Add to a position what the books know, and to that the prices that they did not have."""
    rows = rows_of(direct.position, at=direct.position.account.snapshot_at)
    return replace(rows, charts=with_prices(rows.charts, direct), gaps=still_open(rows.gaps, direct))


def with_prices(charts: ChartRows, direct: Direct) -> ChartRows:
    """Put fresh prices over stored ones."""
    days = {(row.code, row.on): row for row in charts.days}
    for code, bars in direct.days.items():
        for bar in bars:
            days[code, bar.day] = DayRow(code, bar.day, bar.open, bar.high, bar.low, bar.close, bar.volume)
    minutes = {(row.code, row.at): row for row in charts.minutes}
    for code, of_today in direct.minutes.items():
        for minute in of_today:
            minutes[code, minute.at] = MinuteRow(
                code, minute.at, minute.open, minute.high, minute.low, minute.close, minute.volume
            )
    return replace(
        charts,
        days=sorted(days.values(), key=lambda row: row.on),
        minutes=sorted(minutes.values(), key=lambda row: (row.code, row.at)),
    )


def still_open(gaps: Sequence[PriceGap], direct: Direct) -> list[PriceGap]:
    """Leave out holes of which a minute has come after all."""
    came = {(code, bar.at) for code, bars in direct.minutes.items() for bar in bars}
    return [
        gap
        for gap in gaps
        if not any(code == gap.stock_code and gap.first_at <= at <= gap.last_at for code, at in came)
    ]
