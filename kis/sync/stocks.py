"""What stocks are: the broker's public lists once a day, and the single inquiry for what these do not know."""

from collections.abc import Collection, Iterable
from contextlib import closing
from datetime import date, datetime, time
from typing import get_args
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from kis.calendar import ONE_DAY
from kis.client.codes import TR, Environment
from kis.client.endpoints.stocks import stock_info
from kis.client.errors import KisError, KisUnreachable, NotOffered, UnknownCode
from kis.client.master import (
    BASE_URL,
    IndexRecord,
    Market,
    MasterFile,
    MasterRecord,
    fetch_indices,
    fetch_stocks,
)
from kis.client.records.stocks import StockInfo
from kis.client.session import Session
from kis.client.transport import HttpTransport
from kis.korean import SEOUL
from kis.models import Stock
from kis.sync.pool import ask_all

MARKETS: tuple[Market, ...] = get_args(Market)
#: Where the broker's own servers live; any other address is a stand-in for all of them.
BROKER_DOMAIN = "koreainvestment.com"
NOT_FOUND = 404
#: The single inquiry is for the exception; what is left over is asked in the next run.
MOST_INQUIRIES = 30
BATCH = 500
LONGEST_SECTOR = 60
#: kis-api.md section 13; a group that is not here is `other`.
KINDS = {
    "ST": Stock.Kind.STOCK,
    "EF": Stock.Kind.ETF,
    "FE": Stock.Kind.ETF,
    "EN": Stock.Kind.ETN,
    "EW": Stock.Kind.ELW,
    "RT": Stock.Kind.REIT,
    **dict.fromkeys(("MF", "SC", "IF", "BC"), Stock.Kind.FUND),
    "FS": Stock.Kind.FOREIGN,
    "DR": Stock.Kind.RECEIPT,
    **dict.fromkeys(("SW", "SR"), Stock.Kind.WARRANT),
}
NO_SECTOR = frozenset({"", "0000"})


def master_url(environment: Environment) -> str:
    """Return where the lists are: KIS_MASTER_URL, or the stand-in where there is one, or the public address."""
    if settings.KIS_MASTER_URL:
        return str(settings.KIS_MASTER_URL)
    host = urlsplit(environment.base_url).hostname or ""
    is_broker = host == BROKER_DOMAIN or host.endswith(f".{BROKER_DOMAIN}")
    return BASE_URL if is_broker else environment.base_url


def sync_lists(environment: Environment, *, at: datetime) -> tuple[int, list[str]]:
    """Refresh the stock master, each market once a day; returns rows written and sentences about trouble.

    A list that cannot be had or read leaves yesterday's rows, and the next run tries again.
    """
    base_url = master_url(environment)
    files: dict[Market, MasterFile[MasterRecord]] = {}
    names: dict[str, str] = {}
    problems: list[str] = []
    with closing(HttpTransport()) as transport:  # not the session's: no key and no account goes to this host
        for market in stale_markets(at.astimezone(SEOUL).date()):
            try:
                files[market] = fetch_stocks(transport, market, base_url=base_url)
            except KisError as error:
                if market == "KONEX" and isinstance(error, KisUnreachable) and error.status == NOT_FOUND:
                    continue  # the smallest market; a stand-in may do without it
                problems.append(f"{market} 종목 마스터: {error}")
                if is_nobody_there(error):
                    break
        if files:
            try:
                names = sector_names(fetch_indices(transport, base_url=base_url).records)
            except KisError as error:
                problems.append(f"업종 이름: {error}")
    for market, file in files.items():
        save_list(file.records, names, at=at)
        if file.problems:
            first = file.problems[0]
            lines = f"{len(file.problems)}줄을 읽지 못했습니다: {first.line}번째 줄, {first.why}"
            problems.append(f"{market} 종목 마스터의 {lines}")
    return sum(len(file.records) for file in files.values()), problems


def is_nobody_there(error: KisError) -> bool:
    """Return whether another try would only wait for as long again."""
    return isinstance(error, KisUnreachable) and error.never_sent


def stale_markets(today: date) -> list[Market]:
    """Return the markets whose list has not come on this very day.

    KONEX is not asked for by itself: where its list is not published, every run would ask.
    """
    midnight = datetime.combine(today, time.min, SEOUL)
    fresh = set(
        Stock.objects.filter(
            source=Stock.Source.MASTER, updated_at__gte=midnight, updated_at__lt=midnight + ONE_DAY
        )
        .order_by()
        .values_list("market", flat=True)
        .distinct()
    )
    stale = [market for market in MARKETS if market not in fresh]
    return [] if stale == ["KONEX"] else stale


def sector_names(indices: Iterable[IndexRecord]) -> dict[str, str]:
    """Return the names by the code that stocks carry; its first digit is the market that the list puts before it."""
    names: dict[str, str] = {}
    for index in indices:
        if index.code.startswith(index.division):
            names[index.code] = index.name
        else:
            names.setdefault(index.code, index.name)
    return names


@transaction.atomic
def save_list(records: Iterable[MasterRecord], names: dict[str, str], *, at: datetime) -> None:
    """Write the list of one market, all of it or nothing. What it does not know (NXT, some sectors) stays."""
    rows = [from_list(record, names, at=at) for record in records]
    fields = ["isin", "name", "market", "kind", "listed_on", "halted", "managed", "source", "updated_at"]
    save([row for row in rows if row.sector], [*fields, "sector"])
    save([row for row in rows if not row.sector], fields)


def save(rows: list[Stock], fields: list[str]) -> None:
    Stock.objects.bulk_create(
        rows, batch_size=BATCH, update_conflicts=True, unique_fields=["code"], update_fields=fields
    )


def from_list(record: MasterRecord, names: dict[str, str], *, at: datetime) -> Stock:
    sectors = (record.sector_small, record.sector_medium, record.sector_large)
    named = (names.get(code, "") for code in sectors if code not in NO_SECTOR)
    return Stock(
        code=record.code,
        isin=record.isin,
        name=record.name,
        market=record.market,
        kind=KINDS.get(record.group, Stock.Kind.OTHER),
        sector=next(filter(None, named), ""),
        listed_on=record.listed_on,
        halted=record.halted,
        managed=record.managed,
        source=Stock.Source.MASTER,
        updated_at=at,
    )


def ask_one_by_one(session: Session, codes: Collection[str], *, at: datetime) -> tuple[int, list[str]]:
    """Ask for stocks that no list has, and for those whose NXT trading nobody has told yet; the real host only.

    Returns how many were asked for, and sentences about trouble.
    """
    try:
        session.environment.tr_id(TR.STOCK_INFO)
    except NotOffered:
        return 0, []
    midnight = datetime.combine(at.astimezone(SEOUL).date(), time.min, SEOUL)
    settled = Stock.objects.filter(
        Q(source=Stock.Source.MASTER, nxt__isnull=False)
        | Q(source=Stock.Source.INQUIRY, updated_at__gte=midnight, updated_at__lt=midnight + ONE_DAY),
        code__in=codes,
    )
    unknown = sorted(set(codes) - set(settled.values_list("code", flat=True)))[:MOST_INQUIRIES]
    problems = []
    answers: list[StockInfo] = []
    not_known: list[str] = []
    with closing(ask_all(session, unknown, ask_about)) as outcomes:
        for outcome in outcomes:
            answers += outcome.results
            if isinstance(outcome.error, UnknownCode):
                not_known.append(outcome.job)
            if isinstance(outcome.error, KisError):
                problems.append(f"{outcome.job} 종목 조회: {outcome.error}")
            elif outcome.error is not None:
                raise outcome.error
    save_answers(answers, not_known, at=at)
    return len(unknown), problems


def ask_about(session: Session, code: str) -> list[StockInfo]:
    return [stock_info(session, code=code)]


@transaction.atomic
def save_answers(answers: Collection[StockInfo], not_known: Collection[str], *, at: datetime) -> None:
    """Write answers; of a stock that is on a list, only what the list does not tell."""
    listed = Stock.objects.filter(source=Stock.Source.MASTER)
    on_list = {stock.code: stock for stock in listed.filter(code__in=[info.code for info in answers])}
    for info in answers:
        if stock := on_list.get(info.code):
            stock.nxt = info.on_nxt
            stock.sector = stock.sector or sector_of(info)
    Stock.objects.bulk_update(on_list.values(), ["nxt", "sector"], batch_size=BATCH)
    # On a list, yet unknown to the inquiry: not asked for again every time.
    listed.filter(code__in=not_known).update(nxt=False)
    fields = ["isin", "name", "market", "kind", "sector", "listed_on", "halted", "managed", "nxt"]
    rows = [from_answer(info, at=at) for info in answers if info.code not in on_list]
    save(rows, [*fields, "source", "updated_at"])


def sector_of(info: StockInfo) -> str:
    return (info.sector_small or info.sector_medium)[:LONGEST_SECTOR]


def from_answer(info: StockInfo, *, at: datetime) -> Stock:
    return Stock(
        code=info.code,
        isin=info.isin,
        name=info.name,
        market=info.market if info.market in MARKETS else Stock.Market.OTHER,
        kind=KINDS.get(info.group, Stock.Kind.OTHER),
        sector=sector_of(info),
        listed_on=info.listed_on,
        halted=info.halted,
        managed=info.managed,
        nxt=info.on_nxt,
        source=Stock.Source.INQUIRY,
        updated_at=at,
    )
