"""From the broker into the books: fetch and validate everything, then write it as one snapshot."""

from kis.sync.run import sync_account

__all__ = ["sync_account"]
