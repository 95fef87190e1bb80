"""Everything a model may know about a position, and nothing else; pure.

No account number, no order number, no key and no name of the owner is in it, at any level. What the broker calls a stock
is data: it is cleaned and cut, stands in cells of a table only, and is left out where it reads like a sentence.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final

from ai.names import is_name
from kis.advice import Finding
from kis.korean import SEOUL
from kis.models import KisExecution, KisHolding, KisUnfilledOrder, TargetWeight
from kis.position import Position

#: A change of what is told makes words about the earlier telling obsolete.
VERSION: Final = 1
LONGEST_NAME: Final = 40
CLOSES: Final = 10
MOST_HOLDINGS: Final = 100
MOST_ORDERS: Final = 20
TENTH: Final = Decimal("0.1")
HUNDREDTH: Final = Decimal("0.01")

Value = str | int | Decimal | None


class Privacy(StrEnum):
    """How much of the account is told to a model."""

    PERCENT = "percent"  # shares and rates only: no won and no quantity of the owner's
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that name their columns once, which costs a model the fewest tokens."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def as_data(self) -> dict[str, Any]:
        return {"columns": self.columns, "rows": [[plain(value) for value in row] for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Payload:
    """What is told. `stocks` are the names by code, as they stand in the tables; `focus` is the one stock asked about."""

    as_of: datetime
    privacy: Privacy
    account: Mapping[str, Value]
    tables: Mapping[str, Table]
    stocks: Mapping[str, str]
    focus: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON has it; tables without a row are left out."""
        data: dict[str, Any] = {
            "version": VERSION,
            "as_of": f"{self.as_of.astimezone(SEOUL):%Y-%m-%d %H:%M}",
            "account": {name: plain(value) for name, value in self.account.items() if value is not None},
        }
        data.update((name, table.as_data()) for name, table in self.tables.items() if table.rows)
        if self.focus:
            data["focus"] = self.focus
        if self.left_out:
            data["left_out"] = dict(self.left_out)
        return data

    def as_json(self) -> str:
        """Return it as one line, the same for the same position."""
        return written(self.as_data())

    def content_hash(self) -> str:
        """Name the content: the same as long as nothing but the time has changed."""
        data = self.as_data()
        del data["as_of"]
        return hashlib.sha256(written({**data, "privacy": self.privacy}).encode()).hexdigest()


def payload_of(
    position: Position, findings: Sequence[Finding], *, privacy: Privacy, focus: str = ""
) -> Payload:
    """Return what a model is told of a position; with `focus`, a stock code, only what concerns this stock."""
    full = privacy is Privacy.FULL
    holdings = [row for row in position.holdings if focus in {"", row.stock_code}]
    unfilled = [row for row in position.unfilled if focus in {"", row.stock_code}]
    fills = [row for row in position.executions if focus in {"", row.stock_code}]
    told = [
        (number, finding)
        for number, finding in enumerate(findings, start=1)
        if focus in {"", finding.stock_code}
    ]
    tables = {
        "holdings": holdings_table(position, holdings[:MOST_HOLDINGS], full=full),
        "targets": targets_table(position, focus),
        "unfilled": unfilled_table(position, unfilled[:MOST_ORDERS], full=full),
        "fills_today": fills_table(position, fills[:MOST_ORDERS], full=full),
        "closes": Table((), ()) if focus else closes_table(position),
        "findings": findings_table(told, codes_by_name(position), full=full),
    }
    counts = {
        "holdings": len(holdings) - MOST_HOLDINGS,
        "unfilled": len(unfilled) - MOST_ORDERS,
        "fills_today": len(fills) - MOST_ORDERS,
    }
    rows: list[KisHolding | KisUnfilledOrder | KisExecution] = [
        *fills[:MOST_ORDERS],
        *unfilled[:MOST_ORDERS],
        *holdings[:MOST_HOLDINGS],
    ]
    return Payload(
        as_of=position.account.snapshot_at,
        privacy=privacy,
        account=account_facts(position, full=full),
        tables=tables,
        stocks={row.stock_code: name_of(row.stock_name) for row in rows},
        focus=focus,
        left_out={name: count for name, count in counts.items() if count > 0},
    )


def account_facts(position: Position, *, full: bool) -> dict[str, Value]:
    account = position.account
    total = account.total_eval_amt
    previous = account.previous_assets
    change = account.net_assets - previous if previous > 0 else None
    facts: dict[str, Value] = {
        "kind": "paper" if account.is_paper else "real",
        "holdings": len(position.holdings),
        "unfilled_orders": len(position.unfilled),
        "cash_pct": percent(account.available, total),
        "stocks_pct": percent(account.stock_eval_amt, total),
        "profit_pct": percent(account.total_profit_loss, account.total_buy_amt, HUNDREDTH),
        "day_change_pct": None if change is None else percent(change, previous, HUNDREDTH),
    }
    if full:
        facts |= {
            "total_won": total,
            "stocks_won": account.stock_eval_amt,
            "cash_d0_won": account.deposit,
            "cash_d1_won": account.d1_cash,
            "cash_d2_won": account.available,
            "orderable_won": account.orderable_cash,
            "profit_won": account.total_profit_loss,
            "day_change_won": change,
            "costs_today_won": account.today_fee,
        }
    return facts


def holdings_table(position: Position, rows: Sequence[KisHolding], *, full: bool) -> Table:
    columns = ("code", "name", "sector", "weight_pct", "profit_pct", "day_change_pct")
    own = ("quantity", "average_won", "price_won", "value_won", "profit_won")

    def cells(row: KisHolding) -> tuple[Value, ...]:
        stock = position.stocks.get(row.stock_code)
        told = (
            row.stock_code,
            told_name(row.stock_name),
            told_name(stock.sector) if stock else None,
            percent(row.evlu_amt, position.account.total_eval_amt),
            rounded(row.evlu_pfls_rt, HUNDREDTH),
            rounded(row.fllt_rt, HUNDREDTH),
        )
        average = int(rounded(row.pchs_avg_pric, Decimal(1)))
        return (*told, row.holding_qty, average, row.prpr, row.evlu_amt, row.evlu_pfls_amt) if full else told

    return Table((*columns, *own) if full else columns, tuple(map(cells, rows)))


def targets_table(position: Position, focus: str) -> Table:
    wanted = sorted(position.targets.items())
    return Table(
        ("code", "target_pct"),
        tuple(
            ("cash" if code == TargetWeight.CASH else code, rounded(share, TENTH))
            for code, share in wanted
            if focus in {"", code}
        ),
    )


def unfilled_table(position: Position, rows: Sequence[KisUnfilledOrder], *, full: bool) -> Table:
    columns = ("code", "name", "side", "ordered_at", "against_price_pct")
    own = ("ordered_qty", "filled_qty", "order_price_won")
    prices = {row.stock_code: row.prpr for row in position.holdings}

    def cells(row: KisUnfilledOrder) -> tuple[Value, ...]:
        price = prices.get(row.stock_code)
        apart = percent(row.ord_unpr - price, price, HUNDREDTH) if price and row.ord_unpr else None
        told = (
            row.stock_code,
            told_name(row.stock_name),
            "sell" if row.sll_buy_dvsn_cd == KisUnfilledOrder.SideCode.SELL else "buy",
            f"{row.ord_tmd[:2]}:{row.ord_tmd[2:4]}",
            apart,
        )
        return (*told, row.ord_qty, row.tot_ccll_qty, row.ord_unpr or None) if full else told

    return Table((*columns, *own) if full else columns, tuple(map(cells, rows)))


def fills_table(position: Position, rows: Sequence[KisExecution], *, full: bool) -> Table:
    columns = ("code", "name", "side", "ordered_at", "share_of_total_pct")
    own = ("quantity", "price_won", "amount_won")

    def cells(row: KisExecution) -> tuple[Value, ...]:
        told = (
            row.stock_code,
            told_name(row.stock_name),
            "sell" if row.exec_type == "SELL" else "buy",
            f"{row.exec_tmd:%H:%M}",
            percent(row.exec_amt, position.account.total_eval_amt),
        )
        return (*told, row.exec_qty, row.exec_price, row.exec_amt) if full else told

    return Table((*columns, *own) if full else columns, tuple(map(cells, rows)))


def closes_table(position: Position) -> Table:
    """Return the last days that have a close; a return that is not known stays empty."""
    closed = [row for row in position.summaries if row.total_amt is not None][-CLOSES:]
    return Table(
        ("day", "day_return_pct", "cumulative_return_pct"),
        tuple(
            (
                f"{row.summary_date:%m-%d}",
                None if row.day_return is None else rounded(row.day_return, HUNDREDTH),
                None if row.cumulative_return is None else rounded(row.cumulative_return, HUNDREDTH),
            )
            for row in closed
        ),
    )


def findings_table(
    told: Sequence[tuple[int, Finding]], codes: Sequence[tuple[str, str]], *, full: bool
) -> Table:
    """Return what the rules have found; sentences that name won are for those who may know them.

    Stocks stand in them by code, as a model is to write them: `{005930}`.
    """
    return Table(
        ("id", "severity", "title", "text"),
        tuple(
            (
                f"F{number}",
                finding.severity.value,
                finding.title,
                with_codes(finding, codes) if full or not finding.amounts else None,
            )
            for number, finding in told
        ),
    )


def codes_by_name(position: Position) -> list[tuple[str, str]]:
    """Return (name, code) as the broker has them, the longest first: none may be found inside another one."""
    rows: list[KisHolding | KisUnfilledOrder | KisExecution] = [
        *position.holdings,
        *position.unfilled,
        *position.executions,
    ]
    names = {(row.stock_name, row.stock_code) for row in rows if row.stock_name.strip()}
    return sorted(names, key=lambda pair: (-len(pair[0]), pair))


def with_codes(finding: Finding, codes: Sequence[tuple[str, str]]) -> str | None:
    """`삼성전자는` → `{005930}는`: a name of the broker's never stands in a sentence of ours.

    A sentence whose stock has no name to be found by is not told.
    """
    own = finding.stock_code
    code_of = {name: code for name, code in codes if code != own} | {
        name: own for name, code in codes if code == own
    }
    names = "|".join(re.escape(name) for name, _ in codes)
    text = (
        re.sub(
            rf"(?<![가-힣A-Za-z0-9])(?:{names})", lambda match: f"{{{code_of[match[0]]}}}", finding.sentence
        )
        if codes
        else finding.sentence
    )
    return text if not own or f"{{{own}}}" in text else None


# --- values ------------------------------------------------------------------------------------------------------------


def name_of(text: str) -> str:
    """Return a name as one short line: no control, direction or invisible characters."""
    normal = unicodedata.normalize("NFC", text)
    visible = "".join(
        " " if letter.isspace() else letter
        for letter in normal
        if letter.isspace() or not unicodedata.category(letter).startswith("C")
    )
    return " ".join(visible.split())[:LONGEST_NAME].strip()


def told_name(text: str) -> str | None:
    """Return a name for a cell of a table; one that reads like anything else is not told, its code is."""
    name = name_of(text)
    return name if is_name(name) else None


def percent(part: int, whole: int, places: Decimal = TENTH) -> Decimal | None:
    """Return a share in percent; of nothing, or of less than nothing, there is none."""
    return rounded(Decimal(part) * 100 / whole, places) if whole > 0 else None


def rounded(value: Decimal | float, places: Decimal) -> Decimal:
    return Decimal(str(value)).quantize(places, ROUND_HALF_UP)


def plain(value: Value) -> str | int | float | None:
    """Return a value as JSON has it; 12.0 is written 12 and there is no −0."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def written(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# --- its size ----------------------------------------------------------------------------------------------------------

#: A prompt with fifty holdings stays below this, whatever the model's way of counting.
TOKEN_BUDGET: Final = 8_000
LETTERS_PER_TOKEN: Final = 3


def tokens_at_most(text: str) -> int:
    """Return more tokens than a model will count: a figure, a mark and a Hangul syllable are one each, Latin words fewer."""
    latin = sum(letter.isascii() and letter.isalpha() for letter in text)
    others = sum(not letter.isspace() for letter in text) - latin
    return others + -(-latin // LETTERS_PER_TOKEN)
