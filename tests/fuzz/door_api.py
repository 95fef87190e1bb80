"""The API: every address with hostile conditions, bodies, headers and methods."""

from typing import Any

from aegis.api import router
from tests.fuzz.hostile import DAYS, Hostile, at, places_in
from tests.fuzz.visiting import METHODS, TYPES, Visitor, odd_headers

ORDER = {
    "account": "실전",
    "side": "BUY",
    "stock_code": "005930",
    "stock_name": "삼성전자",
    "quantity": 1,
    "price": 57_000,
    "trading_password": "tree-9-candle-river",
}
CONFIRMATION = {"code": "XT9W", "trading_password": "tree-9-candle-river"}
CANCELLATION = {"trading_password": "tree-9-candle-river"}
#: Whoever gives a wrong code may have ended the order that waited, and a dead broker leaves none behind.
ORDERS = "trading_order"
GOOD = (
    *(
        "실전",
        "모의",
        "1234****-01",
        "real",
        "paper",
        "005930",
        "2025-06-16",
        "true",
        "false",
        "1",
        "500",
        "json",
        "csv",
    ),
    *("-snapshot_at", "snapshot_at", "id", "BUY", "partial", "KOSPI", "agrees", "sync_kis_data", "buy"),
)


class Api:
    """Every address of the API."""

    name = "API"

    def __init__(self, visitors: dict[str, Visitor]) -> None:
        self.visitors = visitors
        self.views: list[tuple[str, list[str]]] = [
            (prefix, [*getattr(view, "parameters", {})]) for prefix, view, _ in router.registry
        ]
        self.views.append(("dashboard", ["account", "as_of"]))

    def path(self, hostile: Hostile, prefix: str) -> str:
        kind = hostile.random.random()
        if kind < 0.6:
            return f"/api/v1/{prefix}"
        if kind < 0.85:
            return f"/api/v1/{prefix}/{hostile.text('1', '2', '999999999999999999')[:300]}/"
        if kind < 0.95:
            return f"/api/v1/orders/{hostile.text('1', '2')[:300]}/{hostile.text('confirm', 'cancel')[:300]}"
        return str(
            hostile.one_of(
                "/api/schema/", "/api/v1/", "/api/", "/api/v1/orders//", f"/api/{hostile.text()[:300]}"
            )
        )

    def conditions(self, hostile: Hostile, known: list[str]) -> list[tuple[str, str]]:
        names = [*known, "ordering", "limit", "cursor", "format", "latest", "from", "to"]
        pairs = []
        for _ in range(hostile.one_of(0, 1, 1, 1, 2, 3)):
            name = hostile.text(*names) if hostile.chance(0.1) else hostile.of(names)
            pairs.append((name, hostile.of(DAYS) if hostile.chance(0.2) else hostile.text(*GOOD)))
        return pairs

    def throw(self, hostile: Hostile) -> bool:
        visitor: Visitor = hostile.of(self.visitors.values())
        prefix, known = hostile.of(self.views)
        path, method = self.path(hostile, prefix), hostile.of(METHODS)
        body = b""
        if method not in {"GET", "HEAD"}:
            body = hostile.document(hostile.value(ORDER))
        kind = hostile.of(TYPES) if hostile.chance(0.2) else "application/json"
        headers = odd_headers(hostile)
        if hostile.chance(0.05):
            headers["HTTP_AUTHORIZATION"] = hostile.one_of(
                "Bearer ", "Bearer", "Basic x", hostile.name(), f"Bearer {hostile.name()}"
            )
        response = visitor.ask(
            hostile,
            method,
            path,
            query=hostile.query(self.conditions(hostile, known)),
            body=body,
            content_type=kind,
            but=ORDERS if method == "POST" else "",
            **headers,
        )
        return bool(response.status_code >= 300)


class ApiOrders:
    """Orders, confirmations and cancellations with something wrong in them, by who may place some."""

    name = "API: orders"

    def __init__(self, visitors: dict[str, Visitor], waiting: int) -> None:
        self.visitors = visitors
        self.waiting = waiting

    def body(self, hostile: Hostile, good: dict[str, Any]) -> bytes:
        body: Any = dict(good)
        for _ in range(hostile.count(2)):
            path = hostile.of(places_in(body))
            inside = at(body, path[:-1])
            if hostile.chance(0.2):
                del inside[path[-1]]
            else:
                inside[path[-1]] = hostile.value(at(body, path))
            if not body:
                break
        if hostile.chance(0.1):
            body[hostile.text()] = hostile.value()
        if hostile.chance(0.05):
            body = hostile.one_of([body], hostile.value(), None, {"order": body})
        return hostile.document(body)

    def throw(self, hostile: Hostile) -> bool:
        visitor = self.visitors["trader"] if hostile.chance(0.8) else hostile.of(self.visitors.values())
        pk = hostile.text(str(self.waiting))[:100] if hostile.chance(0.2) else str(self.waiting)
        path, good = hostile.one_of(
            ("/api/v1/orders/", ORDER),
            (f"/api/v1/orders/{pk}/confirm/", CONFIRMATION),
            (f"/api/v1/orders/{pk}/cancel/", CANCELLATION),
        )
        response = visitor.ask(
            hostile,
            "POST",
            path,
            body=self.body(hostile, good),
            content_type="application/json" if hostile.chance(0.95) else hostile.of(TYPES),
            but=ORDERS,
            **odd_headers(hostile),
        )
        return bool(response.status_code >= 300)
