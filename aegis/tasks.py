"""What the worker runs that more than one app has a part in, by dotted name; safe to run twice."""

from aegis.order_upkeep import settle_all
from kis import tasks


def fetch_data(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Do what `kis.tasks.fetch_data` does, then look what became of the orders; trouble with these is in the log."""
    try:
        return tasks.fetch_data(intended=intended, minutes=minutes, opens=opens, closes=closes)
    finally:
        settle_all()
