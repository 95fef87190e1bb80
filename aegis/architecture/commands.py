"""The commands, with the options that their own parsers take."""

import argparse
from typing import Final

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from aegis.architecture.tables import APPS
from reports.system.document import Command, Option

LONGEST_CHOICE: Final = 40


def commands() -> tuple[Command, ...]:
    """Return our commands by name; what Django brings along is not ours to describe."""
    ours = sorted((name, app) for name, app in get_commands().items() if app in APPS)
    return tuple(command(name, str(app)) for name, app in ours)


def command(name: str, app: str) -> Command:
    loaded = load_command_class(app, name)
    parser = loaded.create_parser("manage.py", name)
    common = {action.dest for action in BaseCommand().create_parser("manage.py", name)._actions}  # noqa: SLF001  # argparse shows them no other way
    own = [action for action in parser._actions if action.dest not in common]  # noqa: SLF001  # as above
    return Command(name, app, str(loaded.help), tuple(option(action) for action in own))


def option(action: argparse.Action) -> Option:
    """Write an option as it is typed: `--mode real|paper`, `--now`, `on|off|status`."""
    choices = "|".join(map(str, action.choices or ()))
    words = " ".join(action.metavar) if isinstance(action.metavar, tuple) else action.metavar
    value = choices if 0 < len(choices) <= LONGEST_CHOICE else str(words or action.dest).upper()
    if not action.option_strings:
        typed = choices or str(words or action.dest)
    else:
        name = max(action.option_strings, key=len)
        typed = name if action.nargs == 0 else f"{name} {value}"
    return Option(typed, "" if action.help in {None, argparse.SUPPRESS} else str(action.help) % vars(action))
