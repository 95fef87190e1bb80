"""The outbox of alerts, an app of its own for its tables and its place in the admin."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "aegis.alerts"
    label = "alerts"
    verbose_name = "알림"
