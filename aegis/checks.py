"""What the site refuses to start with, and what it warns of."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, InterfaceError

from aegis.alerts.transport import can_be_understood
from trading import password

NOT_COLLECTED = "aegis.W003"


@register()
def real_trading_is_meant(**how: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001  # Django's signature
    """Refuse real orders with DEBUG, or with limits that nobody has chosen."""
    if not settings.REAL_TRADING_ENABLED or settings.AEGIS_DEMO:
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(
            Error(
                "DEBUG가 켜져 있으면 실전 주문을 켤 수 없습니다.",
                hint=".env에서 DEBUG를 지우거나 REAL_TRADING_ENABLED를 false로 바꿔 주세요.",
                id="aegis.E001",
            )
        )
    if settings.ORDER_LIMITS_MISSING:
        names = ", ".join(settings.ORDER_LIMITS_MISSING)
        found.append(
            Error(
                f"실전 주문을 켜려면 주문 한도를 직접 정해야 합니다: {names}",
                hint=".env에 원 금액을 적어 주세요. 예: ORDER_MAX_AMOUNT=5000000",
                id="aegis.E001",
            )
        )
    return found


@register(Tags.database)
def trading_password_is_set(
    *,
    databases: Sequence[str] | None = None,
    **how: Any,  # noqa: ANN401, ARG001  # Django's signature
) -> list[CheckMessage]:
    """Warn where real orders are on and nobody could confirm one; only where the databases are to be looked at."""
    if not databases or not settings.REAL_TRADING_ENABLED:
        return []
    try:
        if password.is_set():
            return []
    except (DatabaseError, InterfaceError):  # not set up yet
        return []
    return [
        checks.Warning(
            "거래 비밀번호가 없어 주문할 수 없습니다.",
            hint="정하기: manage.py set_trading_password",
            id="aegis.W001",
        )
    ]


@register()
def alerts_can_leave(**how: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001  # Django's signature
    """Warn of an address that no service knows; it is named by its place, for it may hold a token."""
    odd = [place for place, url in enumerate(settings.NOTIFY_URLS, start=1) if not can_be_understood(url)]
    return [
        checks.Warning(
            f"NOTIFY_URLS의 {place}번째 주소를 알아볼 수 없어 그곳에는 알리지 못합니다.",
            hint="docs/alerts.md의 예와 견주어 고쳐 주세요. 시험하기: manage.py notify_test",
            id="aegis.W003",
        )
        for place in odd
    ]


@register()
def others_come_over_tls(**how: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001  # Django's signature
    """Warn where passwords and figures would cross a network in the open."""
    if settings.IS_LOCAL or settings.AEGIS_HTTPS:
        return []
    return [
        checks.Warning(
            "다른 기기에 연 사이트가 HTTPS를 쓰지 않아 비밀번호와 금액이 그대로 오갑니다.",
            hint="TLS를 맡는 프록시(nginx 등) 뒤에 두고 .env에서 AEGIS_HTTPS=false를 지워 주세요.",
            id="aegis.W002",
        )
    ]


@register()
def static_files_are_collected(**how: Any) -> list[CheckMessage]:  # noqa: ANN401, ARG001  # Django's signature
    """Warn where pages would name files that are not there, or are of before; gunicorn does not begin then, jobs need none."""
    if settings.STATIC_ROOT is None or are_collected(Path(settings.STATIC_ROOT) / "staticfiles.json"):
        return []
    return [
        checks.Warning(
            "AEGIS_STATIC_DIR 폴더에 모아 둔 파일이 없거나 지금 판의 것이 아닙니다.",
            hint="모으기: manage.py collectstatic --noinput",
            id=NOT_COLLECTED,
        )
    ]


def are_collected(manifest: Path) -> bool:
    """Return whether our own files were collected after the last of them was changed; those of packages go with these."""
    try:
        known = json.loads(manifest.read_text(encoding="utf-8"))["paths"]
        at = manifest.stat().st_mtime
    except (OSError, ValueError, KeyError):
        return False
    ours = [config.name for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR]
    return all(
        name in known and Path(storage.path(name)).stat().st_mtime <= at
        for name, storage in AppDirectoriesFinder(app_names=ours).list([])
    )
