"""Read what the system consists of from the code that runs: nothing here is written down a second time."""

import tomllib
from pathlib import Path

from django.apps import apps
from django.conf import settings

from aegis.architecture.commands import commands
from aegis.architecture.flow import rooms
from aegis.architecture.orders import states
from aegis.architecture.settings_file import documented_settings
from aegis.architecture.tables import APPS, tables
from aegis.architecture.timetable import jobs
from aegis.architecture.transactions import hosts, transactions
from reports.system.document import SystemDocument


def system_document() -> SystemDocument:
    """Return everything the system document says."""
    return SystemDocument(
        version=version(),
        commands=commands(),
        settings=documented_settings(),
        tables=tables(),
        transactions=transactions(),
        hosts=hosts(),
        jobs=jobs(),
        states=states(),
        rooms=rooms(),
        app_names={
            name: str(apps.get_app_config(name).verbose_name) for name in APPS if apps.is_installed(name)
        },
    )


def version() -> str:
    text = (Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])
