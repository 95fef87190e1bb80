"""Bring the orders of some days in line with the broker's list, without a snapshot of the account."""

from datetime import date

from django.db import transaction

from kis.connect import Connection
from kis.korean import SEOUL
from kis.sync.fetch import fetch_orders
from kis.sync.orders import OrderChanges, save_order_details, waiting_keys


def copy_orders(connection: Connection, *, first: date) -> OrderChanges:
    """Ask for the orders since `first` and store what is new in them. Raises KisError, and then nothing is changed."""
    environment = connection.environment
    lists = fetch_orders(connection.session, first=first, at=connection.now().astimezone(SEOUL))
    complete_at = connection.now().astimezone(SEOUL)
    with transaction.atomic():
        return save_order_details(
            lists.orders,
            account=environment.account,
            is_paper=environment.is_paper,
            at=complete_at,
            waiting=waiting_keys(lists.unfilled, is_paper=environment.is_paper),
        )
