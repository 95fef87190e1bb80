"""The system document as PDF; the same code gives the same bytes."""

import hashlib
import posixpath
from itertools import groupby
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from reports import fonts
from reports.palette import PRINT
from reports.printing import faces, print_html
from reports.system.document import SystemDocument
from reports.system.pictures import flow_picture, relations_picture, states_picture, timetable_picture

#: The day the fonts in the file say they are from: the document has no day of its own, only the code has.
EPOCH: Final = 1_735_657_200


def render_system(document: SystemDocument) -> bytes:
    """Return the printable document. Raises FontsUnavailable."""
    mark = fingerprint(document)
    html = render_to_string("reports/system/document.html", context(document, mark))
    return print_html(html, identifier=f"aegis-system-{mark}", epoch=EPOCH)


def fingerprint(document: SystemDocument) -> str:
    """Return a short mark that changes with anything the document says."""
    return hashlib.sha256(repr(sorted_sets(document)).encode()).hexdigest()[:12]


def sorted_sets(document: SystemDocument) -> Any:  # noqa: ANN401  # only to be written down
    """Return what the document says with its sets in order: a set is written in another order each time."""
    rooms = [
        (
            room.name,
            room.label,
            room.modules,
            room.lines,
            sorted(room.writes),
            sorted(room.reads),
            room.sources,
        )
        for room in document.rooms
    ]
    rest = (document.commands, document.settings, document.tables, document.transactions, document.hosts)
    return (document.version, rooms, rest, document.jobs, document.states, sorted(document.app_names.items()))


def context(document: SystemDocument, mark: str) -> dict[str, Any]:
    paths = [transaction.path for transaction in document.transactions if transaction.path]
    prefix = f"{posixpath.commonpath(paths)}/"
    used = {column.target for table in document.tables for column in table.relations}
    return {
        "d": document,
        "p": PRINT,
        "mark": mark,
        "font_family": fonts.FAMILY,
        "faces": faces(),
        "pictures": {
            "flow": SafeString(flow_picture(document)),
            "relations": SafeString(relations_picture(document)),
            "states": SafeString(states_picture(document.states)),
            "timetable": SafeString(timetable_picture(document.jobs)),
        },
        "path_prefix": prefix,
        "transactions": [(tr, tr.path.removeprefix(prefix) or "실시간") for tr in document.transactions],
        "apart": [table for table in document.tables if not table.relations and table.name not in used],
        "tables": [
            (document.app_names[app], list(tables))
            for app, tables in groupby(document.tables, lambda table: table.app)
        ],
        "commands": [
            (document.app_names[app], list(commands))
            for app, commands in groupby(
                sorted(document.commands, key=lambda command: (command.app, command.name)),
                lambda command: command.app,
            )
        ],
        "settings": [
            (group, list(settings))
            for group, settings in groupby(document.settings, lambda setting: setting.group)
        ],
        "columns": sum(len(table.columns) for table in document.tables),
        "relations": sum(len(table.relations) for table in document.tables),
        "labels": {state.name: state.label for state in document.states},
        "lines": sum(room.lines for room in document.rooms),
    }
