"""What the owner reads before the confirm code, in aligned lines for the terminal."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kis.client.codes import AccountNumber, Mode
from kis.client.records.orders import Side, UnfilledRecord
from kis.korean import MISSING, SEOUL, clock_time, day, masked_account, number, percent
from kis.portfolio.costs import Costs, Kind, Market, estimate
from kis.terminal import BADGES, INDENT, padded
from trading.drafts import CancelDraft, Draft
from trading.errors import PreviewImpossible
from trading.limits import Facts, Rules, reckoned_price, warnings
from trading.ticks import tick_size

#: Width of the columns, in cells.
LABEL, FIGURE, UNIT = 10, 14, 2


@dataclass(frozen=True, slots=True)
class Preview:
    """One order as it would be sent, and what it is reckoned to cost; won and shares.

    `amount` is at the limit price, for a market order at the last price. `counted` is what the limits count, for a market
    buy at the highest price of the day. `account` is masked. The cash after a sale is what can be ordered for at once.
    """

    draft: Draft
    mode: Mode
    account: str
    at: datetime
    market: Market
    kind: Kind
    amount: int
    counted: int
    costs: Costs
    cash: int | None
    held: int | None
    last_price: int
    price_at: datetime
    daily_range: tuple[int, int]
    amount_today: int
    order_max_amount: int
    day_max_amount: int
    warnings: tuple[str, ...]

    @property
    def cash_after(self) -> int | None:
        if self.cash is None:
            return None
        spent = self.amount + self.costs.total if self.draft.is_buy else self.costs.total - self.amount
        return self.cash - spent

    @property
    def held_after(self) -> int | None:
        if self.held is None:
            return None
        return self.held + self.draft.quantity if self.draft.is_buy else self.held - self.draft.quantity


def preview(draft: Draft, facts: Facts, rules: Rules, *, account: AccountNumber, market: Market) -> Preview:
    """Reckon what an order would come to.

    Raises PreviewImpossible where a figure is not known. An order that passed all gates has every one of them.
    """
    last, price_at, kind = facts.last_price, facts.price_at, facts.kind
    reckoned, daily_range, today = reckoned_price(draft, facts), facts.daily_range, facts.amount_today
    if (
        not last
        or price_at is None
        or kind is None
        or reckoned is None
        or daily_range is None
        or today is None
    ):
        raise PreviewImpossible("주문 내용을 계산할 값을 다 받지 못했습니다. 잠시 뒤 다시 주문해 주세요.")
    amount = (draft.price or last) * draft.quantity
    return Preview(
        draft=draft,
        mode=facts.mode,
        account=masked_account(account.number, account.product_code),
        at=facts.now,
        market=market,
        kind=kind,
        amount=amount,
        counted=reckoned * draft.quantity,
        costs=estimate(
            side=draft.side,
            market=market,
            kind=kind,
            amount=amount,
            trade_day=facts.now.astimezone(SEOUL).date(),
            plan=rules.plan,
        ),
        cash=facts.cash,
        held=facts.sellable,
        last_price=last,
        price_at=price_at,
        daily_range=daily_range,
        amount_today=today,
        order_max_amount=rules.order_max_amount,
        day_max_amount=rules.day_max_amount,
        warnings=tuple(warnings(draft, facts, rules)),
    )


def lines(shown: Preview) -> list[str]:
    """Return the lines above the confirm code, most important first; nothing in them is longer than it must be."""
    draft = shown.draft
    side = "매수" if draft.is_buy else "매도"
    local = shown.at.astimezone(SEOUL)
    return [
        f"{BADGES[shown.mode][0]}  {shown.account}   {day(local.date())} {clock_time(local)} KST",
        "",
        f"{INDENT}{side}  {draft.name}  {draft.code} {shown.market}",
        "",
        _figure("수량", draft.quantity, "주", ""),
        _price(shown),
        _figure("금액", shown.amount, "원", f"{'예상  ' if draft.is_market else ''}{_costs(shown)}"),
        "",
        _row("", "지금", "체결 뒤"),
        _row("주문가능", number(shown.cash), _with_unit(shown.cash_after, "원")),
        _row("매도가능", number(shown.held), _with_unit(shown.held_after, "주")),
        "",
        _text("검사", _checked(shown)),
        _text("한도", _limits(shown)),
        *[_text("주의" if place == 0 else "", warning) for place, warning in enumerate(shown.warnings)],
    ]


def cancel_lines(
    draft: CancelDraft, found: UnfilledRecord, *, facts: Facts, account: AccountNumber
) -> list[str]:
    """Return the lines above the confirm code of a cancellation: which order it is, and what is left of it."""
    local = facts.now.astimezone(SEOUL)
    masked = masked_account(account.number, account.product_code)
    side = "매수" if found.side is Side.BUY else "매도"
    price = f"{found.price:,}원" if found.price else "시장가"
    return [
        f"{BADGES[facts.mode][0]}  {masked}   {day(local.date())} {clock_time(local)} KST",
        "",
        f"{INDENT}취소  {draft.name}  {draft.code}",
        "",
        _text("주문번호", draft.number.lstrip("0")),
        _text(
            "원주문",
            f"{side} {found.quantity:,}주 {price}, {_wire_clock(found.ordered_at)} 접수, {draft.exchange}",
        ),
        _text("체결", f"{found.filled:,}주"),
        _text("취소", f"{found.changeable:,}주 (남은 수량 전부)"),
    ]


def _wire_clock(text: str) -> str:
    return f"{text[:2]}:{text[2:4]}:{text[4:]}"


def _price(shown: Preview) -> str:
    age = max(int((shown.at - shown.price_at).total_seconds()), 0)
    last = f"현재가 {shown.last_price:,}원({clock_time(shown.price_at)}, {age}초 전)"
    if shown.draft.is_market:
        return _line("가격", "시장가", "", last)
    return _figure("가격", shown.draft.price, "원", f"지정가  {last}{_distance(shown)}")


def _distance(shown: Preview) -> str:
    off = Decimal(shown.draft.price - shown.last_price) * 100 / shown.last_price
    if not off:
        return "과 같음"
    return f"보다 {percent(abs(off)).lstrip('+')} {'높음' if off > 0 else '낮음'}"


def _costs(shown: Preview) -> str:
    commission = f"수수료 {shown.costs.commission:,}원"
    if shown.draft.is_buy:
        return f"{commission} 추정, 매수는 세금 없음"
    if not shown.costs.tax:
        return f"{commission} 추정, 세금 없음"
    return f"{commission}, 세금 {shown.costs.tax:,}원 추정"


def _checked(shown: Preview) -> str:
    lower, upper = shown.daily_range
    within = f"상·하한 {lower:,}–{upper:,}원 안"
    if shown.draft.is_market:
        return within
    return f"호가 단위 {tick_size(shown.draft.price, shown.kind):,}원 맞음, {within}"


def _limits(shown: Preview) -> str:
    counted = " (시장가는 상한가로 계산)" if shown.counted != shown.amount else ""
    today = shown.amount_today + shown.counted
    return (
        f"이번 {shown.counted:,} / {shown.order_max_amount:,}원{counted}, "
        f"오늘 {today:,} / {shown.day_max_amount:,}원"
    )


# --- columns --------------------------------------------------------------------------------------------------------


def _figure(label: str, value: int, unit: str, note: str) -> str:
    return _line(label, f"{value:,}", unit, note)


def _line(label: str, figure: str, unit: str, note: str) -> str:
    """Write a label, a figure that ends in its column with the unit behind, and a note."""
    text = f"{INDENT}{padded(label, LABEL)}{padded(figure, FIGURE, right=True)}{padded(unit, UNIT)}"
    return f"{text}  {note}".rstrip()


def _row(label: str, now: str, after: str) -> str:
    columns = [
        padded(label, LABEL),
        padded(now, FIGURE, right=True),
        padded(after, FIGURE + UNIT, right=True),
    ]
    return f"{INDENT}{''.join(columns)}".rstrip()


def _with_unit(value: int | None, unit: str) -> str:
    return MISSING if value is None else f"{number(value)}{unit}"


def _text(label: str, text: str) -> str:
    return f"{INDENT}{padded(label, LABEL)}{text}"
