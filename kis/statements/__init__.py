"""Statements of other brokers: a file the owner exported becomes rows of the books, once."""
