"""The dashboard: numbers, charts, PDF."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = "보고서"
