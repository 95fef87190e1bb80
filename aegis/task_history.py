"""What the worker remembers of its tasks: as many days as the page of the jobs may be turned back to them."""

from datetime import datetime, timedelta
from typing import Final

from django_q.models import Task

KEPT: Final = timedelta(days=14)


def forget_old(*, at: datetime) -> int:
    """Remove tasks that ended longer ago than that, failed ones, too, and return how many."""
    removed, _ = Task.objects.filter(stopped__lt=at - KEPT).delete()
    return int(removed)
