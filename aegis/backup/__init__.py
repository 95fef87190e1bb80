"""Backups of the books: one encrypted file for either database, built again beside them before it is believed."""
