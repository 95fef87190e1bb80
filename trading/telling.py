"""Have the owner told at once of an order whose outcome nobody knows; the job of every minute does so in any case."""

import logging
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from trading.models import PendingOrder
from trading.states import UNSETTLED

logger = logging.getLogger(__name__)

#: A worker that is behind by more is none, and what is put into its queue would only lie there.
LATE: Final = timedelta(minutes=2)


def tell_soon(order: PendingOrder) -> None:
    """Ask the worker to tell, where an order that was sent is still unknown and a worker is there.

    Never raises, and waits for no network: the order is over when this is called.
    """
    try:
        if PendingOrder.objects.filter(pk=order.pk, status__in=UNSETTLED).exists() and somebody_works():
            async_task(settings.TELLER, cluster=settings.QUEUES[0])
    except Exception as error:  # noqa: BLE001  # nothing that goes wrong here may look as if the order had
        logger.warning("The worker was not asked to tell of order %s: %s", order.pk, type(error).__name__)


def somebody_works() -> bool:
    job = Schedule.objects.filter(func=settings.TELLER, next_run__gt=timezone.now() - LATE)
    return bool(job.exclude(repeats=0).exists())
