"""Wiring of the site, installed for its commands and checks."""

from django.apps import AppConfig


class AegisConfig(AppConfig):
    name = "aegis"
    verbose_name = "AEGIS"

    def ready(self) -> None:
        import aegis.checks  # noqa: F401, PLC0415  # registers them; needs the models
