"""The modules of our apps, read once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from aegis.architecture.tables import APPS


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    lines: int
    #: Of its tree, the outer before the inner: walking through them again and again took longer than reading them.
    nodes: tuple[ast.AST, ...]


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of ours but migrations, by name."""
    return tuple(sorted(_modules(), key=lambda module: module.name))


def _modules() -> Iterator[Module]:
    root = Path(settings.BASE_DIR)
    for app in APPS:
        for path in (root / app).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if "migrations" in parts:
                continue
            text = path.read_text(encoding="utf-8")
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            lines = sum(1 for line in text.splitlines() if line.strip())
            yield Module(name, lines, tuple(ast.walk(ast.parse(text))))
