"""Who writes and who reads which table, from the modules that name its model."""

import ast
from collections.abc import Iterator
from typing import Final

from aegis.architecture.source import Module, modules
from aegis.architecture.tables import our_models, table_name
from reports.system.document import Room

#: Parts of the code by the beginning of their modules' names, in the order in which data goes through them; the longest
#: beginning counts.
ROOMS: Final = {
    "kis.client": "증권사와 통신",
    "kis.simulator": "시뮬레이터",
    "kis.sync": "동기화",
    "kis.live": "실시간 체결통보",
    "kis.statements": "KB증권 파일",
    "kis": "장부와 설정",
    "kis.portfolio": "수익률과 비용 계산",
    "trading": "주문",
    "kis.api": "API",
    "kis.admin": "관리자 화면",
    "reports": "보고서",
    "ai": "진단",
    "aegis": "작업과 점검",
    "aegis.alerts": "알림",
}
#: Whom outside a part of the code talks to, by what it imports for that.
SOURCES: Final = {
    "kis.client.endpoints": "KIS REST API",
    "kis.client.realtime": "KIS 실시간",
    "kis.client.master": "KIS 종목 마스터",
    "openpyxl": "KB증권 파일",
    "google": "Gemini",
    "apprise": "알림 서비스",
}
#: These are the way to the broker themselves.
ON_THE_WIRE: Final = {"kis.client", "kis.simulator"}
WRITES: Final = {
    *("create", "bulk_create", "update", "bulk_update", "update_or_create", "get_or_create"),
    *("delete", "save", "abulk_create"),
}


def rooms() -> tuple[Room, ...]:
    """Return the parts of the code with what they write and what they only read."""
    names = {model.__name__: table_name(model) for model in our_models()}
    written: dict[str, set[str]] = {room: set() for room in ROOMS}
    named: dict[str, set[str]] = {room: set() for room in ROOMS}
    talked_to: dict[str, set[str]] = {room: set() for room in ROOMS}
    sizes = {room: [0, 0] for room in ROOMS}
    for module in modules():
        room = room_of(module.name)
        sizes[room][0] += 1
        sizes[room][1] += module.lines
        talked_to[room] |= sources_of(module)
        if ".models" in module.name:  # where they are made is no use of them
            continue
        known = imported_models(module, names)
        named[room] |= set(known.values())
        written[room] |= {known[name] for name in written_models(module, set(known))}
    return tuple(
        Room(
            name=room,
            label=label,
            modules=sizes[room][0],
            lines=sizes[room][1],
            writes=frozenset(written[room]),
            reads=frozenset(named[room] - written[room]),
            sources=() if room in ON_THE_WIRE else tuple(sorted(talked_to[room])),
        )
        for room, label in ROOMS.items()
        if sizes[room][0]
    )


def room_of(module: str) -> str:
    # `kis.admin_days` and `kis.admin` are one room, `kis.livestock` would not be `kis.live`.
    return max(
        (room for room in ROOMS if module == room or module.startswith((f"{room}.", f"{room}_"))),
        key=len,
    )


def sources_of(module: Module) -> set[str]:
    names = {
        name
        for node in module.nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
    }
    return {
        source
        for way, source in SOURCES.items()
        for name in names
        if name == way or name.startswith(f"{way}.")
    }


def imported_models(module: Module, names: dict[str, str]) -> dict[str, str]:
    """Return the tables of the models that a module imports, by the name it uses for each."""
    found = {}
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.module and ".models" in f"{node.module}.":
            for alias in node.names:
                if alias.name in names:
                    found[alias.asname or alias.name] = names[alias.name]
    return found


def written_models(module: Module, known: set[str]) -> Iterator[str]:
    """Yield the models that a module makes rows of, changes or deletes.

    A row or a query keeps the model it began with: `row = Stock.objects.get(…)`, later `row.save()`.
    """
    begun: dict[str, str] = {name: name for name in known}
    for node in module.nodes:
        for target, value in bound(node):
            if (model := begun.get(root_of(value))) is not None:
                begun.setdefault(target, model)
    for node in module.nodes:
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in known:
            yield node.func.id  # a new row
        elif isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            yield from filter(None, [begun.get(root_of(node.func.value))])


def bound(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a statement binds, each with the expression it comes from."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
        yield node.target.id, node.iter
    elif isinstance(node, ast.NamedExpr):
        yield node.target.id, node.value


def root_of(node: ast.expr) -> str:
    """Return the name at the beginning of a chain: `Stock` of `Stock.objects.filter(…).first()`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""
    return node.id
