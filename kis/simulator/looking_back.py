"""Inquiries into the past of the ledger: what the broker would have answered at a moment, without a socket."""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from kis.client.codes import Mode
from kis.client.protocol import RawReply, Request
from kis.simulator import wire
from kis.simulator.exchange import Exchange
from kis.simulator.services import table
from kis.simulator.services.base import Call


def as_it_was(exchange: Exchange, moment: datetime) -> Exchange:
    """Return a copy of the exchange that knows nothing of what was ordered, traded or transferred after a moment."""
    accounts = [
        replace(
            account,
            orders=[order.as_seen(moment) for order in account.orders if order.placed_at <= moment],
            transfers=[transfer for transfer in account.transfers if transfer.at <= moment],
        )
        for account in exchange.accounts.values()
    ]
    return Exchange(exchange.market, accounts)


@dataclass(frozen=True, slots=True)
class PastTransport:
    """Puts the requests of a client to the exchange as it was at `moment`; keys and rates are not looked at."""

    mode: Mode
    exchange: Exchange
    moment: datetime

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        del timeout_seconds
        more = False
        try:
            path = "/" + request.url.split("/", 3)[3]
            service = table.find_service(self.mode, request.method, path, request.tr_id)
            if service is None:
                raise wire.unknown_service()
            call = Call(self.mode, request.tr_id, wire.Params(request.params), self.exchange, self.moment)
            answer = table.answer(service, call)
            status, body, more = 200, answer.body, answer.more
        except wire.Refused as refused:
            status, body = refused.status, refused.body
        headers = {"tr_id": request.tr_id, "tr_cont": "M" if more else "D"}
        return RawReply(status, headers, json.dumps(body).encode())
