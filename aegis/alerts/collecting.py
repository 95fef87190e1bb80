"""Look through all sources for news, and put it into the outbox."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError

from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert
from aegis.alerts.outbox import News, one_at_a_time, write
from aegis.alerts.restored import RESTORED_KEY
from aegis.alerts.sources import daily, orders, thresholds, upkeep
from aegis.alerts.view import View
from kis.accounts import configured_accounts

logger = logging.getLogger(__name__)

Source = Callable[[View], Iterable[News]]
#: The most urgent ones first.
SOURCES: Final[tuple[Source, ...]] = (
    orders.unknown_orders,
    orders.switch,
    orders.fills,
    orders.refusals,
    orders.rejections,
    upkeep.differences,
    upkeep.stale,
    upkeep.jobs,
    upkeep.publishing,
    thresholds.thresholds,
    daily.findings,
    daily.summaries,
)
START_KEY: Final = f"{Kind.START}:alerts"
#: Alerts that are over are kept as long as runs are; the marks of the beginning for good.
BATCH: Final = 1_000


def collect(*, at: datetime, market_at: datetime | None, sources: Iterable[Source] = SOURCES) -> list[Alert]:
    """Write all news into the outbox and return it, what nobody is told left out; a source that fails is in the log, and the others go on."""
    view = look_around(at=at, market_at=market_at)
    written: list[Alert] = []
    for source in sources:
        try:
            with one_at_a_time():
                news = [(each, write(each, at=at)) for each in source(view)]
        except (InterfaceError, OperationalError):  # the database is gone: the next minute looks again
            raise
        except Exception:
            logger.exception("A source of alerts failed: %s", getattr(source, "__name__", source))
        else:
            written += [alert for each, alert in news if alert and not each.is_silent]
    return written


def look_around(*, at: datetime, market_at: datetime | None) -> View:
    with one_at_a_time():
        write(News(Kind.START, "alerts", "알림 시작", is_silent=True), at=at)
    marks = dict(
        Alert.objects.filter(dedup_key__in=[START_KEY, RESTORED_KEY]).values_list("dedup_key", "created_at")
    )
    return View(
        at=at,
        market_at=market_at,
        since=marks[START_KEY],
        accounts=tuple(configured_accounts()),
        restored_at=marks.get(RESTORED_KEY),
    )


def prune(*, at: datetime) -> int:
    """Delete alerts that are older than runs are kept, and neither going on nor the mark of a beginning."""
    old = Alert.objects.filter(created_at__lt=at - timedelta(days=settings.KEEP_RUN_DAYS)).exclude(
        kind=Kind.START
    )
    over = old.exclude(is_lasting=True, ended_at__isnull=True)
    keys = list(over.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return Alert.objects.filter(pk__in=keys).delete()[0] if keys else 0
