"""Wiring of the site, installed for its commands."""

from django.apps import AppConfig


class AegisConfig(AppConfig):
    name = "aegis"
    verbose_name = "AEGIS"
