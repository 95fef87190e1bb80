"""Find out what an order has to be measured by, from the broker, the books and this machine."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum

from kis.client.codes import TR
from kis.client.endpoints.account import balance, orderable_cash, sellable_quantity
from kis.client.endpoints.quotes import price
from kis.client.records.quotes import PriceRecord
from kis.client.session import Session
from kis.portfolio.costs import Kind
from kis.sync.costs import KINDS, commission_plan
from trading import kill_switch
from trading.days import day_around
from trading.desk import Desk
from trading.drafts import CancelDraft, Draft
from trading.limits import Facts, Rules
from trading.models import PendingOrder
from trading.stocks import stored

PRICE_MAX_AGE = timedelta(seconds=30)
CLOCK_SKEW_MAX = timedelta(seconds=5)
LEAST_DISK_BYTES = 50_000_000


def rules_of(desk: Desk) -> Rules:
    """Return what the owner allows. Raises KisMisconfigured for a commission that cannot be read."""
    return Rules(
        order_max_amount=settings.ORDER_MAX_AMOUNT,
        day_max_amount=settings.ORDER_DAY_MAX_AMOUNT,
        collar_percent=Decimal(settings.ORDER_PRICE_COLLAR_PERCENT),
        price_max_age=PRICE_MAX_AGE,
        clock_skew_max=CLOCK_SKEW_MAX,
        least_disk_bytes=LEAST_DISK_BYTES,
        plan=commission_plan(desk.environment),
    )


def gather(draft: Draft, *, desk: Desk, may_trade: bool, but_for: PendingOrder | None = None) -> Facts:
    """Ask for everything anew. `but_for` is the order that is being confirmed: it does not stand in its own way.

    Raises KisError where the broker does not say what is needed.
    """
    session = desk.connection.session
    asked_at = desk.market_now()
    now_priced = price(session, code=draft.code)
    return facts(
        desk,
        may_trade=may_trade,
        but_for=but_for,
        stock=stored_kind(draft.code),
        priced=(now_priced, asked_at),
        cash=orderable_cash(session),
        sellable=sellable(session, draft.code),
    )


def gather_for_cancel(draft: CancelDraft, *, desk: Desk, may_trade: bool) -> Facts:
    """Find out what a cancellation has to be measured by; prices and money do not matter to it."""
    return facts(desk, may_trade=may_trade, stock=stored_kind(draft.code))


def facts(
    desk: Desk,
    *,
    may_trade: bool,
    stock: Kind | None,
    but_for: PendingOrder | None = None,
    priced: tuple[PriceRecord, datetime] | None = None,
    cash: int | None = None,
    sellable: int | None = None,
) -> Facts:
    environment, session = desk.environment, desk.connection.session
    mine = PendingOrder.objects.of(environment.account, is_paper=environment.is_paper)
    first, after = day_around(desk.wall())
    today = mine.sent().filter(claimed_at__gte=first, claimed_at__lt=after, kind=PendingOrder.Kind.ORDER)
    others = mine.unsettled().filter(kind=PendingOrder.Kind.ORDER)
    if but_for is not None:
        others = others.exclude(pk=but_for.pk)
    record, price_at = priced or (None, None)
    return Facts(
        now=desk.market_now(),
        mode=environment.mode,
        is_halted_by_switch=kill_switch.read().is_on,
        real_enabled=settings.REAL_TRADING_ENABLED or settings.AEGIS_DEMO,
        may_trade=may_trade,
        has_unsettled_order=others.exists(),
        token_fresh=session.token().is_fresh(session.wall_clock()),
        clock_skew=desk.skew(environment),
        last_price=record.price if record else None,
        price_at=price_at,
        base_price=record.base if record else None,
        upper_limit=record.upper if record else None,
        lower_limit=record.lower if record else None,
        kind=stock,
        is_halted=record.halted if record else None,
        cash=cash,
        sellable=sellable,
        amount_today=today.aggregate(sum=Sum("amount"))["sum"] or 0,
        free_disk_bytes=desk.free_bytes(),
    )


def stored_kind(code: str) -> Kind | None:
    stock = stored(code)
    return KINDS.get(stock.kind) if stock else None


def sellable(session: Session, code: str) -> int:
    """Return the shares of a stock that can be sold now; paper lacks the inquiry, its balance says the same."""
    if session.environment.offers(TR.SELLABLE):
        return sellable_quantity(session, code=code).sellable
    return sum(row.sellable for row in balance(session).rows if row.code == code)
