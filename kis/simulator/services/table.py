"""Which transactions exist on which host."""

from itertools import chain

from kis.client.codes import Mode
from kis.simulator.services import (
    assets,
    balance,
    buying_power,
    daily_chart,
    indices,
    minute_charts,
    multi_price,
    order_book,
    order_lists,
    orders,
    overseas,
    price,
    profit,
    reference,
    sellable,
    trades,
)
from kis.simulator.services.base import Answer, Call, Service, check_account

SERVICES = tuple(
    chain(
        balance.SERVICES,
        order_lists.SERVICES,
        buying_power.SERVICES,
        daily_chart.SERVICES,
        orders.SERVICES,
        assets.SERVICES,
        sellable.SERVICES,
        profit.SERVICES,
        overseas.SERVICES,
        price.SERVICES,
        trades.SERVICES,
        order_book.SERVICES,
        multi_price.SERVICES,
        minute_charts.SERVICES,
        indices.SERVICES,
        reference.SERVICES,
    )
)
BY_ID: dict[tuple[Mode, str], Service] = {
    (mode, tr_id): service for service in SERVICES for mode, tr_ids in service.ids.items() for tr_id in tr_ids
}
INQUIRY_PATHS = frozenset(service.path for service in SERVICES if service.method == "GET")


def find_service(mode: Mode, method: str, path: str, tr_id: str) -> Service | None:
    """Return the transaction an address and a TR id mean.

    The gateway goes by the TR id: an inquiry is answered on the path of another one too. Orders are not.
    """
    service = BY_ID.get((mode, tr_id))
    if service is None or service.method != method:
        return None
    return service if path == service.path or (method == "GET" and path in INQUIRY_PATHS) else None


def answer(service: Service, call: Call) -> Answer:
    """Check what the query server checks, then ask. Raises wire.Refused."""
    call.params.require(service.required)
    if service.of_account:
        check_account(call)
    return service.answer(call)
