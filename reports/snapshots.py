"""From the books to figures for print: the same for the command and the page, so that both give the same bytes."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from kis.client.codes import AccountNumber, Mode
from kis.korean import SEOUL
from kis.models import KisAccount
from reports.advising import advice_on
from reports.figures import Dashboard, dashboard_figures
from reports.queries import dashboard_rows
from reports.timetable import is_unscheduled, next_update


def dashboard_to_print(
    *, mode: Mode, account: AccountNumber | None, asked_for: datetime | None
) -> tuple[Dashboard, KisAccount]:
    """Compute the figures of the last snapshot, or of the last one at a moment. Raises NoSnapshot.

    A snapshot of the simulator is as young as the simulator's clock says.
    """
    now = timezone.now()
    rows = dashboard_rows(
        mode=mode,
        account=account,
        at=asked_for or (datetime.max.replace(tzinfo=SEOUL) if settings.AEGIS_DEMO else now),
        exact=asked_for is not None,
    )
    generated_at = rows.account.snapshot_at if settings.AEGIS_DEMO else now
    dashboard = dashboard_figures(
        rows,
        generated_at=generated_at,
        judged_at=asked_for,
        is_demo=settings.AEGIS_DEMO,
        advice=advice_on(rows.position, at=asked_for or generated_at),
        next_update=None if asked_for else next_update(generated_at),
        is_unscheduled=asked_for is None and is_unscheduled(generated_at),
    )
    return dashboard, rows.account
