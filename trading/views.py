"""The order pages: a form, a preview with its code, one confirmation, and what became of it.

Whatever is sent to a page answers with the way to another one: going back or refreshing repeats nothing. What orders and
refuses is `SafeExecutor`, as at the terminal.
"""

from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from kis.access import visible
from kis.accounts import Account
from kis.encryption import SecretUnreadable, decrypt, encrypt
from kis.known_secrets import remember
from trading import counter, kill_switch, password, reconcile, showing
from trading.access import for_readers, for_traders
from trading.confirmation import expire, withdraw
from trading.counter import Stopped, open_executor, told, tradable_accounts
from trading.desk import Desk
from trading.forms import PREFILLED, OrderForm
from trading.models import OrderEvent, PendingOrder
from trading.models.orders import MOST_TRIES
from trading.on_pages import on_pages
from trading.orders import Proposal
from trading.parser import CancelWish
from trading.safe_executor import SafeExecutor
from trading.states import State
from trading.telling import tell_soon

ROWS = 30
#: Where the sentences of an order that was stopped send the reader.
LOOK, SETTLE = "주문 목록", "이 주문의 화면"
WITHDRAWN = "사이트에서 그만두었습니다."
NOT_YOURS = (
    "다른 사람이나 다른 곳에서 낸 주문은 여기서 확인할 수 없습니다. 낸 사람이 낸 곳에서 확인해 주세요."
)
LIVE = {State.ACCEPTED, State.PARTIAL}


# --- looking ---------------------------------------------------------------------------------------------------------


@require_safe
@for_readers
def orders(request: HttpRequest) -> HttpResponse:
    """List the orders of the accounts that somebody may see, newest first."""
    page = Paginator(seen(request), ROWS).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "is_demo": settings.AEGIS_DEMO,
        "may_order": bool(tradable_accounts(request.user)),
        "switch": kill_switch.read(),
        "look_again": showing.LOOK_AGAIN if any(row.state in showing.NOT_OVER for row in page) else None,
        "query": request.GET.urlencode(),
    }
    is_part = "HX-Request" in request.headers
    return render(request, f"trading/{'_orders' if is_part else 'orders'}.html", context)


@require_safe
@for_readers
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an order: what waits for its code, what is certain about one that was sent, and what can be done."""
    shown = order_of(request, pk)
    if shown.state is State.PENDING:
        expire(shown, at=now())
    is_part = "HX-Request" in request.headers
    return render(request, f"trading/{'_order' if is_part else 'order'}.html", of_order(request, shown))


def of_order(request: HttpRequest, shown: PendingOrder) -> dict[str, Any]:
    events: list[OrderEvent] = list(shown.events.order_by("number"))
    account = counter.account_of(shown, request.user)
    may_order = account is not None and account in tradable_accounts(request.user)
    code = code_of(request, shown)
    at = now()
    return {
        "order": shown,
        "account": account,
        "is_demo": settings.AEGIS_DEMO,
        "mode_name": showing.mode_name(shown),
        "lines": showing.preview_lines(shown),
        "events": events,
        "filled": showing.filled_so_far(events),
        "sent_at": showing.sent_at(shown),
        "is_mine": shown.made_by_id == request.user.pk,
        "may_order": may_order,
        "may_cancel": may_order and shown.state in LIVE and not shown.is_cancel,
        "code": code,
        "tries_left": MOST_TRIES - shown.tries,
        "seconds_left": max(0, int((shown.expires_at - at).total_seconds())),
        "ask_broker_in": showing.next_look(shown, at=at) if may_order else None,
        "look_again": showing.LOOK_AGAIN if shown.state in showing.NOT_OVER else None,
        "switch": kill_switch.read(),
    }


def seen(request: HttpRequest) -> QuerySet[PendingOrder]:
    return visible(PendingOrder.objects.select_related("made_by"), request.user)


def order_of(request: HttpRequest, pk: int) -> PendingOrder:
    found = seen(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


# --- a new order -----------------------------------------------------------------------------------------------------


@for_traders()
def new(request: HttpRequest) -> HttpResponse:
    """Check an order and go to its preview; one that is refused stays in the form with every reason."""
    accounts = tradable_accounts(request.user)
    if request.method != "POST":
        filled = {name: request.GET[name] for name in PREFILLED if name in request.GET}
        form = OrderForm(accounts=accounts, initial={"account": accounts[0].label, "kind": "limit", **filled})
        return render_form(request, form)
    form = OrderForm(request.POST, accounts=accounts)
    if form.is_valid():
        try:
            return proposed(request, form.chosen, form.wish, form.cleaned_data["trading_password"])
        except Stopped as stopped:
            form.add_error(None, stopped.sentence)
    return render_form(request, form)


def render_form(request: HttpRequest, form: OrderForm) -> HttpResponse:
    context = {
        "form": form,
        "accounts": form.accounts,
        "is_demo": settings.AEGIS_DEMO,
        "switch": kill_switch.read(),
        "has_password": password.is_set(),
        "order_max_amount": settings.ORDER_MAX_AMOUNT,
        "day_max_amount": settings.ORDER_DAY_MAX_AMOUNT,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "trading/new.html", context, status=status)


def proposed(request: HttpRequest, account: Account, wish: Any, given: str) -> HttpResponse:  # noqa: ANN401  # either wish
    """Let an order wait for its code and go to its page. Raises Stopped."""
    with told(look=LOOK, settle=SETTLE), site_executor(request, account) as executor:
        proposal = executor.propose(wish, given_password=given)
    response = to_order(proposal.order)
    hand_over(response, proposal, user_pk=request.user.pk)
    return response


def site_executor(request: HttpRequest, account: Account) -> AbstractContextManager[SafeExecutor]:
    user = request.user
    assert isinstance(user, User)  # noqa: S101  # the door lets nobody else in
    return open_executor(account, user=user, source=PendingOrder.Source.SITE)


def to_order(shown: PendingOrder) -> HttpResponse:
    return redirect("order", pk=shown.pk)


# --- its code --------------------------------------------------------------------------------------------------------
# The page of a preview shows the code as the terminal does. No table has it: it travels encrypted, in a cookie that only
# the page of this order gets, and only for as long as the code lives.


def cookie_of(shown: PendingOrder) -> str:
    return f"aegis_code_{shown.pk}"


def hand_over(response: HttpResponse, proposal: Proposal, *, user_pk: int | None) -> None:
    shown = proposal.order
    response.set_cookie(
        cookie_of(shown),
        encrypt(f"{shown.pk}:{user_pk}:{proposal.code}"),
        max_age=settings.ORDER_CODE_TTL_SECONDS,
        path=reverse("order", kwargs={"pk": shown.pk}),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def code_of(request: HttpRequest, shown: PendingOrder) -> str:
    """Return the code of an order that waits for whoever proposed it; empty where this browser was not given it."""
    if shown.state is not State.PENDING or shown.made_by_id != request.user.pk:
        return ""
    try:
        pk, user, code = decrypt(request.COOKIES.get(cookie_of(shown), "")).split(":")
    except (SecretUnreadable, ValueError):
        return ""
    if (pk, user) != (str(shown.pk), str(request.user.pk)):
        return ""
    remember(code)
    return code


# --- what is done with an order --------------------------------------------------------------------------------------


@require_POST
@for_traders()
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Send an order that waits for this code: at most once, whatever is answered and however often it is asked for."""
    shown = order_of(request, pk)
    account = account_to_order_with(request, shown)
    if shown.made_by_id != request.user.pk:
        messages.warning(request, NOT_YOURS)
        return to_order(shown)
    try:
        with told(shown, look=LOOK, settle=SETTLE), site_executor(request, account) as executor:
            executor.confirm(
                request.POST.get("code", ""),
                given_password=request.POST.get("trading_password", ""),
                order=shown,
            )
    except Stopped as stopped:
        messages.warning(request, stopped.sentence)
    response = to_order(shown)
    tell_soon(shown)
    shown.refresh_from_db()
    if shown.state is not State.PENDING:
        response.delete_cookie(cookie_of(shown), path=reverse("order", kwargs={"pk": pk}), samesite="Strict")
    return response


@require_POST
@for_traders(fresh_password=False)
def give_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an order that waits for its code."""
    shown = order_of(request, pk)
    account_to_order_with(request, shown)
    at = now()
    try:
        with told(look=LOOK, settle=SETTLE):
            if not expire(shown, at=at):
                withdraw(shown, at=at, reason=WITHDRAWN)
    except Stopped as stopped:
        messages.warning(request, stopped.sentence)
    return to_order(shown)


@require_POST
@for_traders()
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose to cancel all that is left of an order at the broker, and go to the preview of that."""
    shown = order_of(request, pk)
    account = account_to_order_with(request, shown)
    if shown.state not in LIVE or shown.is_cancel:
        messages.warning(request, "취소할 수 있는 주문이 아닙니다.")
        return to_order(shown)
    wish = CancelWish(shown.stock_code, shown.odno.lstrip("0"))
    try:
        return proposed(request, account, wish, request.POST.get("trading_password", ""))
    except Stopped as stopped:
        messages.warning(request, stopped.sentence)
        return to_order(shown)


def account_to_order_with(request: HttpRequest, shown: PendingOrder) -> Account:
    """Return the account of an order. Raises PermissionDenied for one that may only be looked at."""
    account = counter.account_of(shown, request.user)
    if account is None or account not in tradable_accounts(request.user):
        raise PermissionDenied
    return account


# --- what became of it -----------------------------------------------------------------------------------------------


@require_POST
@for_traders(fresh_password=False)
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the broker what became of the orders of an account; nothing is sent."""
    shown = order_of(request, pk)
    account = account_to_order_with(request, shown)
    is_part = "HX-Request" in request.headers
    try:
        with told(look=LOOK, settle=SETTLE), site_executor(request, account) as executor:
            reconcile.reconcile(executor.desk)
    except Stopped as stopped:
        if not is_part:  # the page looks again by itself
            messages.warning(request, f"증권사에 확인하지 못했습니다. {on_pages(str(stopped.why))}")
    shown.refresh_from_db()
    if is_part:
        return render(request, "trading/_order.html", of_order(request, shown))
    return redirect("settle-order" if shown.state is State.UNKNOWN else "order", pk=pk)


@require_safe
@for_traders(fresh_password=False)
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Show which of the broker's orders one may be whose answer was lost."""
    shown = order_of(request, pk)
    account = account_to_order_with(request, shown)
    if shown.state is not State.UNKNOWN:
        return to_order(shown)
    context = {"order": shown, "is_demo": settings.AEGIS_DEMO, "mode_name": showing.mode_name(shown)}
    try:
        with told(look=LOOK, settle=SETTLE), site_executor(request, account) as executor:
            rows = reconcile.look_for(shown, desk=executor.desk)
    except Stopped as stopped:
        context["trouble"] = on_pages(str(stopped.why))
        return render(request, "trading/settle.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
    context |= {"candidates": list(showing.candidates(shown, rows)), "sent_at": showing.sent_at(shown)}
    return render(request, "trading/settle.html", context)


@require_POST
@for_traders()
def take_word(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Take the owner's word that an order of the broker's is this one, or that it is not."""
    shown = order_of(request, pk)
    account = account_to_order_with(request, shown)
    number, is_ours = request.POST.get("number", ""), request.POST.get("word") == "adopt"
    given = request.POST.get("trading_password", "")
    try:
        with told(shown, look=LOOK, settle=SETTLE), site_executor(request, account) as executor:
            take_down(
                shown,
                number,
                is_ours=is_ours,
                desk=executor.desk,
                by=request.user.get_username(),
                given=given,
            )
    except Stopped as stopped:
        messages.warning(request, f"{on_pages(str(stopped.why))} 아무것도 바꾸지 않았습니다.")
        return redirect("settle-order", pk=pk)
    told_so = "이 주문으로 적었습니다" if is_ours else "이 주문이 아니라고 적었습니다"
    messages.info(request, f"주문번호 {number}: {told_so}.")
    return look(request, pk)


def take_down(shown: PendingOrder, number: str, *, is_ours: bool, desk: Desk, by: str, given: str) -> None:
    """Write the owner's word down. Raises WrongPassword, CannotAdopt, KisError and the like."""
    remember(given)
    password.check(given, at=desk.wall())
    word = reconcile.adopt if is_ours else reconcile.disown
    word(shown, number, desk=desk, by=f"{by} (사이트)")
