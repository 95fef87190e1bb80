"""The broker's replies with one thing wrong: refused in a sentence, or read as what they are; never as 0 or nothing."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from ai.answers import NotAnAnswer, read_answer
from kis.client import master
from kis.client.codes import AccountNumber
from kis.client.endpoints import account, calendar, charts, orders, profit, quotes, stocks
from kis.client.errors import KisError
from kis.client.protocol import RawReply
from kis.client.realtime_frames import PRICES_TR, SHORT_NOTICE_FIELDS, notice_rows, price_rows, read_frame
from kis.client.records.realtime import FillNotice, PriceTick
from kis.korean import SEOUL
from tests.fuzz.hostile import Hostile, at, places_in
from tests.fuzz.throwing import KOREAN, Wrong
from tests.kis.scripted import make_session
from tests.kis.test_recorded_replies import raw_reply

DAY, YESTERDAY = date(2026, 11, 20), date(2026, 11, 19)
NOW = datetime(2026, 11, 20, 10, 7, 30, tzinfo=SEOUL)
PAPER = {"mode": "paper", "account": AccountNumber.parse("50012345-01")}
#: How each recorded reply is asked for.
INQUIRIES: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "balance_real": (account.balance, {}),
    "balance_paper": (account.balance, PAPER),
    "balance_realised": (account.realised_balance, {}),
    "account_assets": (account.account_assets, {}),
    "daily_orders_real": (lambda session: account.daily_orders(session, first=YESTERDAY, last=DAY), {}),
    "old_orders": (
        lambda session: account.old_orders(session, first=date(2026, 5, 1), last=date(2026, 5, 31)),
        {},
    ),
    "unfilled_real": (lambda session: account.unfilled_orders(session, today=DAY), {}),
    "unfilled_paper": (lambda session: account.unfilled_orders(session, today=DAY), PAPER),
    "buying_power_real": (account.orderable_cash, {}),
    "sellable": (lambda session: account.sellable_quantity(session, code="005930"), {}),
    "period_profit": (lambda session: profit.period_profit(session, first=date(2026, 11, 1), last=DAY), {}),
    "price": (lambda session: quotes.price(session, code="005930"), {}),
    "order_book": (lambda session: quotes.order_book(session, code="005930"), {}),
    "prices": (lambda session: quotes.prices(session, codes=["005930", "999999", "Q500001"]), {}),
    "daily_chart": (
        lambda session: charts.daily_chart(session, code="005930", first=date(2026, 11, 16), last=DAY),
        {},
    ),
    "minutes_of_today": (
        lambda session: charts.minute_chart(session, code="005930", day=DAY, now=NOW),
        {},
    ),
    "index_price": (lambda session: quotes.index_price(session, code="0001"), {}),
    "index_chart_before_the_open": (
        lambda session: charts.index_chart(session, code="0001", first=date(2026, 11, 18), last=DAY),
        {},
    ),
    "opening_days": (lambda session: calendar.opening_days(session, date(2026, 12, 18)), {}),
    "stock_info": (lambda session: stocks.stock_info(session, code="005930"), {}),
}
#: What no reader takes for a text of the wire.
NO_TEXT: tuple[Any, ...] = (None, 0, 1, 1.5, True, False, [], {}, ["1"], {"a": "1"}, 10**30, float("nan"))
MISSING = object()
NUMBERLESS = (
    "",
    " ",
    "-",
    "N/A",
    "NaN",
    "Infinity",
    "0x1F",
    "1e5",
    "1,000",
    "１０",
    "٣",
    "--1",
    "1.2.3",
    "\0",
    "\ud800",
)
HUGE = (
    "9" * 18,
    "-" + "9" * 18,
    "9" * 40,
    str(2**31),
    str(2**63),
    "-1",
    "99999999",
    "00000000",
    "20261340",
    "250000",
    "246060",
)


def shown(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the figures and texts of a record with their places; raw rows are looked at by nobody."""
    if is_dataclass(value):
        parts = {item.name: getattr(value, item.name) for item in fields(value) if item.name != "raw"}
    elif isinstance(value, tuple | list):
        parts = {str(number): part for number, part in enumerate(value)}
    elif isinstance(value, dict):
        parts = value
    else:
        yield "", value
        return
    yield "count", len(parts)
    for name, part in parts.items():
        for place, found in shown(part):
            yield f"{name}.{place}", found


def no_text(hostile: Hostile) -> Any:
    """Return one of these for a reply alone: what is put into it later must not be in those of others."""
    return deepcopy(hostile.of(NO_TEXT))


class Replies:
    """Every kind of reply that an inquiry reads."""

    name = "broker: replies"

    def __init__(self) -> None:
        self.good = {name: self.ask(name, raw_reply(name)) for name in INQUIRIES}

    def ask(self, name: str, reply: RawReply) -> dict[str, Any]:
        inquiry, how = INQUIRIES[name]
        session, _, _ = make_session(reply, **how)
        return dict(shown(inquiry(session)))

    def throw(self, hostile: Hostile) -> bool:
        name = hostile.of(INQUIRIES)
        reply, what = self.spoilt(hostile, name)
        try:
            found = self.ask(name, reply)
        except KisError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        if what is not None:
            self.refuse_nothing(name, found, what)
        return False

    def spoilt(self, hostile: Hostile, name: str) -> tuple[RawReply, Any]:
        """Return a reply with one thing wrong, and what stands in place of a text; None where it is something else."""
        good = raw_reply(name)
        body: Any = json.loads(good.body)
        if hostile.chance(0.1):
            headers = {**good.headers, "tr_cont": hostile.one_of("", "F", "M", "X", "\x01", "D")}
            status = hostile.one_of(200, 200, 204, 301, 307, 400, 404, 500, 502, 503, 999)
            data = hostile.damaged(good.body) if hostile.chance(0.7) else hostile.document(body)
            hostile.about = f"{name}: {status} {data[:200]!r}"
            return RawReply(status, headers, data), None
        path = hostile.of([path for path in places_in(body) if isinstance(at(body, path), str)])
        inside = at(body, path[:-1])
        new: Any = hostile.one_of(
            no_text(hostile), MISSING, hostile.of(NUMBERLESS), hostile.of(HUGE), hostile.text()
        )
        hostile.about = f"{name}: {path} = {'(missing)' if new is MISSING else repr(new)[:200]}"
        if new is MISSING:
            del inside[path[-1]]
        else:
            inside[path[-1]] = new
        if hostile.chance(0.05):
            whole = hostile.of([path for path in places_in(body) if not isinstance(at(body, path), str)])
            at(body, whole[:-1])[whole[-1]] = no_text(hostile)
            return RawReply(good.status, good.headers, json.dumps(body).encode()), None
        return RawReply(good.status, good.headers, json.dumps(body).encode()), new

    def refuse_nothing(self, name: str, found: dict[str, Any], new: Any) -> None:
        """Raise Wrong where a figure that was there is zero or gone, and nobody sent that; words may be missing."""
        good = self.good[name]
        says_why = found.get("problems.count", 0) > good.get("problems.count", 0)
        if isinstance(new, str) and not new.strip(" 0-+."):
            return  # a zero or a blank is what was sent
        for place, was in good.items():
            now = found.get(place, MISSING)
            if now == was or says_why or isinstance(was, str):
                continue
            if place.startswith("listed_on") and found.get("market.") == new:
                continue  # each market has a field of its own for this day; which one an unknown market has, nobody knows
            if now is MISSING or (not now and was):
                raise Wrong(
                    f"{name} {place}: {was!r} became {'nothing' if now is MISSING else repr(now)} by {new!r}"
                )


RECEIPT = {
    "rt_cd": "0",
    "msg_cd": "APBK0013",
    "msg1": "주문 전송 완료 되었습니다.",
    "output": {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": "0000117943", "ORD_TMD": "100001"},
}


class Receipts:
    """Answers to an order: a number, a clear no, or nobody knows."""

    name = "broker: receipts"

    def throw(self, hostile: Hostile) -> bool:
        body: Any = json.loads(json.dumps(RECEIPT))
        for _ in range(hostile.count(2, 1)):
            path = hostile.of(places_in(body))
            at(body, path[:-1])[path[-1]] = hostile.one_of(
                no_text(hostile), hostile.text(str(at(body, path)))
            )
        data = hostile.document(body)
        status = hostile.one_of(200, 200, 200, 204, 302, 400, 500, 502)
        hostile.about = f"{status} {data[:300]!r}"
        try:
            receipt = orders.read_receipt(RawReply(status, {}, data), tr_id="TTTC0012U", secrets=("secret",))
        except KisError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        if not receipt.number.strip("0 "):
            raise Wrong(f"an order without a number: {receipt}")
        return False


PRICE = "005930^100005^71500^2^500^0.70^71400.00^71000^71800^70900^71500^71400^10^1234567^88000000000^100^200^100^110.5^1^1^1^0.52^80.5^090000^2^500^091000^5^-300^090100^2^600^20261120^20^N^100^200^1000^2000^0.02^1000000^90.1^0^^71000"
NOTICE = "owner^1234567801^0000117943^^02^0^00^0^005930^10^71500^100005^N^2^1^06010^10^홍길동^삼성전자^^^삼성전자^0"


class Frames:
    """What the websocket sends."""

    name = "broker: websocket"

    def throw(self, hostile: Hostile) -> bool:
        kind = hostile.count(2)
        hostile.about = ""
        try:
            if kind == 0:
                text = hostile.damaged(f"0|{PRICES_TR}|001|{PRICE}".encode()).decode("utf-8", "replace")
                hostile.about = text[:300]
                read_frame(text)
            else:
                good = (PRICE if kind == 1 else NOTICE).split("^")
                place = hostile.count(len(good) - 1)
                good[place] = hostile.one_of(hostile.of(NUMBERLESS), hostile.of(HUGE), hostile.text())
                payload = "^".join(good)
                hostile.about = f"field {place}: {good[place][:200]!r}"
                if kind == 1:
                    for row in price_rows(payload, count=hostile.one_of(1, 1, 1, 0, 2, 999)):
                        PriceTick.from_row(row)
                else:
                    assert len(NOTICE.split("^")) == len(SHORT_NOTICE_FIELDS)
                    for row in notice_rows(
                        payload, count=hostile.one_of(1, 1, 1, 0, 2, 999), tr_id="H0STCNI0"
                    ):
                        FillNotice.from_row(row)
        except KisError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        return False


class MasterFiles:
    """The public lists of stocks and indices."""

    name = "broker: lists of stocks"

    def __init__(self, lines: bytes) -> None:
        self.lines = lines

    def throw(self, hostile: Hostile) -> bool:
        content = hostile.damaged(self.lines)
        data = hostile.archive(
            {hostile.one_of("kospi_code.mst", "kospi_code.mst", hostile.text()[:100] or "x"): content}
        )
        data = hostile.damaged(data) if hostile.chance(0.3) else data
        hostile.about = f"{data[:100]!r}"
        try:
            found = master.refuse_empty(
                master.parse_stocks(master.unzip(data, name="kospi_code"), "KOSPI"), "kospi_code"
            )
        except KisError as error:
            if not KOREAN.search(str(error)):
                raise Wrong(f"no Korean: {error}") from None
            return True
        if not found.records:
            raise Wrong("an empty list")
        return bool(found.problems)


class ModelAnswers:
    """What a model answers about a position."""

    name = "model: answers"
    GOOD = {
        "points": [{"text": "삼성전자의 비중이 21.3%입니다.", "references": ["F1"]}],
        "holdings": [{"code": "005930", "text": "오늘 1.89% 내렸습니다."}],
    }

    def throw(self, hostile: Hostile) -> bool:
        body: Any = json.loads(json.dumps(self.GOOD))
        for _ in range(hostile.count(2)):
            path = hostile.of(places_in(body))
            at(body, path[:-1])[path[-1]] = hostile.value(at(body, path))
        text = hostile.document(body).decode("utf-8", "replace")
        hostile.about = text[:300]
        try:
            read_answer(text)
        except NotAnAnswer:
            return True
        return False
