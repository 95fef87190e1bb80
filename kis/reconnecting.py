"""What a program that runs for long does about the database it may lose."""

from django.db import InterfaceError, OperationalError, connection

#: The database is locked or gone; the same may work in a moment.
AWAY = (OperationalError, InterfaceError)


def drop_dead_connection() -> None:
    """Close a connection that has failed or is too old, so that the next query opens another; not in a transaction."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
