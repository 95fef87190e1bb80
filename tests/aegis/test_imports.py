"""Who may import whom: the table of the house layout, read from the import lines."""

import ast
import re
from functools import cache
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
HEAVY = {
    "matplotlib",
    "weasyprint",
    "django_weasyprint",
    "google",
    "fontTools",
    "holidays",
    "numpy",
    "apprise",
}


def modules():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def tree_of(path):
    """Read a module, once for all the tests that look into it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path):
    """Return (module, is at the top of the file and runs at import) for every import line."""
    return tuple(import_lines(path))


def import_lines(path):
    tree = tree_of(path)
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


# --- who may send an order -----------------------------------------------------------------------------------------

#: Where the addresses and transactions of orders are written down; the simulator is the one who answers them.
KNOWS_ORDER_ADDRESSES = {"kis.client.codes"}
NAMES_ORDER_TR = {
    *("kis.client.codes", "kis.client.endpoints.orders", "kis.client.wire_fields"),
    "aegis.architecture.transactions",  # lists them in the system document
    "aegis.rehearsal.play",  # tells its own simulator which reply to lose
}
ORDER_ADDRESS = re.compile(r"order-(cash|credit|rvsecncl|resv)|/trading/order\b|[TV]TTC\d{4}U")
#: What other modules take from the module that posts orders; only one of them the function that does it.
ORDER_NAMES = {
    "trading.sending": {
        *("LIMIT", "MARKET", "Cancellation", "NewOrder", "OneCall", "Order", "OrderReceipt", "send_order"),
    },
    "trading.desk": {"OneCall"},
    "kis.sync.order_news": {"Amendment", "Cancellation", "NewOrder", "Order", "OrderReceipt"},
}
ORDERS = "kis.client.endpoints.orders"
#: What leads to an order that leaves, directly or through whatever it imports.
SENDS = {"trading.confirmation", "trading.orders", "trading.safe_executor", "trading.sending"}
#: Reconciliation writes what became of orders, and so do jobs; it must not be able to make one.
FROM_SENDING = {"trading.reconcile": {"SURELY_OVER", "write_outcome"}}

PATHS = dict(ALL)


def texts(path):
    """Return every text in a module but for the docstrings and comments."""
    tree = tree_of(path)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def names(path):
    """Return every name and attribute that is spelled in a module."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.split(".")[-1]


def taken_from(module, source):
    """Return what a module imports from another one; the module itself counts as everything."""
    found = {name for name, _ in imported(PATHS[module]) if inside(name, {source})}
    return {name.removeprefix(source).strip(".") for name in found} - {""}


def imports_all_of(module, source):
    """Return whether a module imports another one as a whole, and could reach for anything in it."""
    tree = tree_of(PATHS[module])
    parent, _, last = source.rpartition(".")
    return any(
        (isinstance(node, ast.Import) and any(alias.name == source for alias in node.names))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == parent
            and any(alias.name == last for alias in node.names)
        )
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize(("module", "path"), ALL, ids=[name for name, _ in ALL])
def test_orders_are_posted_by_one_module_and_called_by_one(module, path):
    if inside(module, {"kis.simulator"}):
        return
    if module not in KNOWS_ORDER_ADDRESSES:
        written = [text for text in texts(path) if ORDER_ADDRESS.search(text)]
        assert not written, f"{module} knows an order address: {written}"
    spelled = set(names(path))
    assert module in NAMES_ORDER_TR or "OrderTR" not in spelled, f"{module} names order transactions"
    if module != ORDERS:
        assert not imports_all_of(module, ORDERS), f"{module} could post anything"
        assert taken_from(module, ORDERS) <= ORDER_NAMES.get(module, set()), f"{module} reaches for orders"
        assert "order_request" not in spelled, f"{module} builds the post of an order"
        assert module == "trading.sending" or "send_order" not in spelled, f"{module} sends orders"


def reached_from(module, seen):
    """Add a module and whatever it imports of ours, at the top or inside functions, to those seen."""
    if module in seen:
        return
    seen.add(module)
    for name, _ in imported(PATHS[module]):
        found = name if name in PATHS else name.rpartition(".")[0]
        is_result_only = module in FROM_SENDING and found == "trading.sending"
        if found in PATHS and not is_result_only:
            reached_from(found, seen)


def is_background(module):
    return inside(module, {"ai", "reports", "aegis.alerts"}) or "tasks" in module.split(".")


BACKGROUND = [module for module, _ in ALL if is_background(module)]


@pytest.mark.parametrize("module", BACKGROUND)
def test_neither_reports_nor_advice_nor_tasks_reach_an_order(module):
    seen: set[str] = set()
    reached_from(module, seen)
    assert not seen & SENDS, f"{module} reaches {seen & SENDS}"


@pytest.mark.parametrize("module", FROM_SENDING)
def test_reconciliation_takes_results_from_sending_alone(module):
    assert not imports_all_of(module, "trading.sending")
    assert taken_from(module, "trading.sending") == FROM_SENDING[module]


def test_the_way_to_an_order_is_seen_by_these_tests():
    assert taken_from("trading.sending", ORDERS) == ORDER_NAMES["trading.sending"]
    assert any(ORDER_ADDRESS.search(text) for text in texts(PATHS["kis.client.codes"]))
    seen: set[str] = set()
    reached_from("trading.safe_executor", seen)
    assert seen >= {*SENDS, ORDERS}
