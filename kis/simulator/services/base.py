"""What every transaction of the simulator is made of: the call, its answer, its row in the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kis.client.codes import TR, Mode, OrderTR, TrIds
from kis.simulator import wire
from kis.simulator.exchange import Exchange
from kis.simulator.ledger import Account

ACCOUNT = ("CANO", "ACNT_PRDT_CD")
CURSORS = ("CTX_AREA_FK100", "CTX_AREA_NK100")


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction as it arrived, and the broker it is put to; the exchange is locked while it is answered."""

    mode: Mode
    tr_id: str
    params: wire.Params  # query of a GET, body of a POST
    exchange: Exchange
    now: datetime
    hidden_for: timedelta = timedelta(0)  # trades younger than this are not reflected yet
    disturb: Callable[[], str] = str  # asked when a reply has more pages, see wire.cut_page

    @property
    def account(self) -> Account:
        return self.exchange.accounts[self.mode]

    @property
    def until(self) -> datetime:
        return self.now - self.hidden_for


@dataclass(frozen=True, slots=True)
class Answer:
    """Body of a reply, and whether more pages follow."""

    body: wire.Json
    more: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One transaction: its path, its ids per host, the parameters it insists on."""

    path: str
    ids: Mapping[Mode, tuple[str, ...]]
    required: tuple[str, ...]
    answer: Callable[[Call], Answer]
    of_account: bool = True
    method: Literal["GET", "POST"] = "GET"


def ids_of(transaction: TR | OrderTR) -> dict[Mode, tuple[str, ...]]:
    """Return the ids of a transaction on each host, current and legacy."""
    ids: TrIds = transaction.value
    return {
        "real": tuple(filter(None, (ids.real, ids.real_legacy))),
        "paper": tuple(filter(None, (ids.paper, ids.paper_legacy))),
    }


def check_account(call: Call) -> None:
    """Refuse an account that does not belong to the app key."""
    if f"{call.params['CANO']}-{call.params['ACNT_PRDT_CD']}" != call.account.number:
        raise wire.wrong_account()
