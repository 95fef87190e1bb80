"""Which stock is meant: code and name must belong together."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from kis.client.codes import TR
from kis.client.session import Session
from kis.models import Stock
from kis.sync.stocks import ask_one_by_one, sync_lists
from trading.errors import WrongStock


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed paper as orders name it; `kind` and `market` are those of `kis.models.Stock`."""

    code: str
    name: str
    market: str
    kind: str


def identify(session: Session, *, code: str, name: str, at: datetime) -> Listed:
    """Return the stock of a code, and refuse a name that is not its own.

    From the list of all stocks; one that it does not have is asked for, on paper by way of today's list. Raises
    WrongStock, showing the right one.
    """
    found = stored(code) or look_up(session, code, at=at)
    if found is None:
        raise WrongStock(f"{code}: 종목 목록에 없는 코드입니다. 종목코드를 확인해 주세요.")
    if name and folded(name) != folded(found.name):
        raise WrongStock(f"{code}의 종목명은 {found.name}입니다. {code_of(name)}".strip())
    return found


def look_up(session: Session, code: str, *, at: datetime) -> Listed | None:
    if session.environment.offers(TR.STOCK_INFO):
        ask_one_by_one(session, [code], at=at)
    else:
        sync_lists(session.environment, at=at)
    return stored(code)


def stored(code: str) -> Listed | None:
    row = Stock.objects.filter(code__in=[code, f"Q{code}"]).order_by("code").first()
    return Listed(row.code, row.name, row.market, row.kind) if row else None


def code_of(name: str) -> str:
    """Say which code has this name, where there is just one."""
    stocks = Stock.objects.values_list("code", "name").iterator()
    meant = [(code, full) for code, full in stocks if folded(full) == folded(name)]
    return f"{meant[0][1]}의 종목코드는 {meant[0][0]}입니다." if len(meant) == 1 else ""


def folded(name: str) -> str:
    """Compare names as they are read: composed, without spaces and capitals."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
