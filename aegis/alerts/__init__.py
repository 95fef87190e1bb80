"""Tells the owner what has happened, wherever he is: an outbox of alerts, each sent once to each destination."""
