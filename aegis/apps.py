"""Wiring of the site, installed for its commands and checks."""

from typing import Final

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig

#: Applications of others, in the words of the owner.
NAMES: Final = {
    "auth": "사용자와 그룹",
    "axes": "로그인 보호",
    "django_q": "예약과 작업",
    "otp_static": "두 번째 인증 예비 코드",
    "otp_totp": "두 번째 인증",
}


class AegisConfig(AppConfig):
    name = "aegis"
    verbose_name = "AEGIS"

    def ready(self) -> None:
        import aegis.checks  # noqa: F401, PLC0415  # registers them; needs the models

        for label, name in NAMES.items():
            if label in apps.app_configs:
                apps.app_configs[label].verbose_name = name


class AegisAdminConfig(AdminConfig):
    """Django's admin with the first page and the header of this site."""

    default_site = "aegis.admin_site.AegisAdminSite"
