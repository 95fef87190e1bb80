"""The variables of the environment: what `.env.example` says of each, and those that only the code knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

from reports.system.document import Setting

SAMPLE: Final = ".env.example"
READERS: Final = re.compile(r"env_(str|bool|list|choice|days|count|secret|url)")
HEADING: Final = re.compile(r"# -+ (.+?) -+$")
VARIABLE: Final = re.compile(r"#?([A-Z][A-Z0-9_]+)=(.*)$")
MODES: Final = ("REAL", "PAPER")
UNGROUPED: Final = "그 밖"


def documented_settings() -> tuple[Setting, ...]:
    """Return the variables in the order of the sample file, then those that it does not have."""
    found = {setting.name: setting for setting in sample_settings(Path(settings.BASE_DIR) / SAMPLE)}
    for name in read_names(Path(settings.BASE_DIR) / "aegis" / "settings.py"):
        found.setdefault(name, Setting(name, "", "", UNGROUPED))
    return tuple(found.values())


def sample_settings(path: Path) -> Iterator[Setting]:
    """Read variables with the comments above them; several in a row share theirs."""
    group, comment, is_fresh = UNGROUPED, "", True
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := HEADING.match(line):
            group, comment = heading[1], ""
        elif variable := VARIABLE.match(line):
            yield Setting(variable[1], variable[2], comment.strip(), group)
            is_fresh = False
        elif line.startswith("# "):
            comment = f"{'' if not is_fresh else comment} {line[2:]}"
            is_fresh = True
        else:
            comment, is_fresh = "", True


def read_names(path: Path) -> Iterator[str]:
    """Yield every name that the settings ask the environment for, also those put together from the mode."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and READERS.fullmatch(node.func.id):
            yield from names_of(node.args[0])


def names_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
        for mode in MODES:
            yield "".join(mode if part is None else str(part) for part in parts)
