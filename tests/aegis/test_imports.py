"""Who may import whom: the table of the house layout, read from the import lines."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("aegis", "kis", "trading", "reports", "ai")
#: Which of our own packages a package may import. The longest matching name counts.
ALLOWED = {
    "kis.client": {"kis.client"},
    # Business days are pure and the same for everyone; a second list of holidays would only drift apart.
    "kis.simulator": {"kis.client", "kis.simulator", "kis.calendar"},
    # Pure numbers: they know how long a settlement takes and which side a trade is on, and no database.
    "kis.portfolio": {"kis.portfolio", "kis.calendar", "kis.client.records", "kis.korean"},
    "kis": {"kis"},
    "trading": {"kis", "trading"},
    "ai": {"kis", "ai"},
    "reports": {"kis", "reports", "trading.models", "ai.models"},
    "aegis": set(APPS),
}
#: Outside packages a room must stay free of.
FORBIDDEN = {
    "kis.client": {"django", "rest_framework", "django_q"},
    "kis.simulator": {"django", "rest_framework", "django_q"},
    "kis.portfolio": {"django", "rest_framework", "django_q", "requests"},
}
#: Only these modules of `kis` may know the simulator.
KNOWS_SIMULATOR = {"kis.demo", "kis.management.commands.kis_simulator"}
#: Heavy libraries are imported inside the function that uses them.
HEAVY = {"matplotlib", "weasyprint", "django_weasyprint", "google", "fontTools", "holidays", "numpy"}


def modules():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(path):
    """Return (module, is at the top of the file and runs at import) for every import line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module, id(node) in top
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in top


def inside(name, packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def room_of(module):
    return max((room for room in ALLOWED if inside(module, {room})), key=len)


ALL = list(modules())


def test_the_table_sees_the_house():
    assert {"kis.client.session", "kis.sync.run", "reports.figures", "aegis.settings"} <= {
        name for name, _ in ALL
    }


@pytest.mark.parametrize(("module", "path"), ALL, ids=[name for name, _ in ALL])
def test_module_imports_only_what_its_room_may(module, path):
    room = room_of(module)
    for name, at_top in imported(path):
        ours = name.split(".")[0] in APPS
        if ours and not any(inside(allowed, {name}) for allowed in ALLOWED[room]):
            assert inside(name, ALLOWED[room]), f"{module} may not import {name}"
        assert not inside(name, FORBIDDEN.get(room, set())), f"{module} may not import {name}"
        if room == "kis" and inside(name, {"kis.simulator"}):
            assert module in KNOWS_SIMULATOR, f"{module} may not know the simulator"
        if at_top:
            assert not inside(name, HEAVY), f"{module} imports {name} at start-up"
