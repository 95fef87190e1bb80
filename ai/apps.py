"""The room of the adviser."""

from django.apps import AppConfig


class AiConfig(AppConfig):
    """Advice about an account; it can neither place an order nor change the books."""

    name = "ai"
    verbose_name = "AI 진단"
