"""The broker, together with the books we keep about it."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class KisConfig(AppConfig):
    name = "kis"
    verbose_name = "한국투자증권"

    def ready(self) -> None:
        from kis import second_factor  # noqa: PLC0415  # needs the models

        user_logged_in.connect(second_factor.note_sign_in, dispatch_uid="kis.second-factor")
