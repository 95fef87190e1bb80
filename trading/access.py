"""Who may open the order pages, and what placing an order from a browser takes besides the permission."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.models import AbstractUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from kis import second_factor
from kis.pages import Somebody, View, for_those
from trading.counter import tradable_accounts
from trading.errors import NOT_SENT
from trading.forms import PREFILLED

SEE = "trading.view_pendingorder"
ASK_AGAIN = f"{NOT_SENT} 확인한 뒤 다시 눌러 주세요."


def may_see(user: Somebody) -> bool:
    return isinstance(user, AbstractUser) and user.is_active and user.is_staff and user.has_perm(SEE)


def for_readers(view: View) -> View:
    """Show a view to staff who may see orders; which of them, the view says."""
    return for_those(may_see, view, after="orders")


def for_traders(*, fresh_password: bool = True) -> Callable[[View], View]:
    """Let in who may order with an account, has shown a second factor and typed his password a short while ago.

    Whoever lacks the last two is asked for them and comes back to a page, never to what he was about to send.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
            if not tradable_accounts(request.user):
                return render(request, "trading/may_not.html", status=HTTPStatus.FORBIDDEN)
            if not second_factor.is_verified(request):
                has_one = second_factor.factor_of(request.user) is not None
                return asked_first(request, "show-second-factor" if has_one else "second-factor", named)
            if fresh_password and not second_factor.is_fresh(request, at=timezone.now()):
                return asked_first(request, "retype-password", named)
            return view(request, *arguments, **named)

        return for_readers(guarded)

    return decorate


def asked_first(request: HttpRequest, page: str, named: dict[str, object]) -> HttpResponse:
    """Send somebody to a page that asks him for something, with the way back."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    if request.method == "POST":
        messages.warning(request, ASK_AGAIN)
    return redirect(f"{reverse(page)}?{urlencode({'next': way_back(request, named)})}")


def way_back(request: HttpRequest, named: dict[str, object]) -> str:
    """Return the page to come back to: that of an order, or the form as it was filled in, but for its password."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    if "pk" in named:
        return reverse("order", kwargs=named)
    typed = {name: request.POST[name] for name in PREFILLED if request.POST.get(name)}
    return f"{reverse('new-order')}?{urlencode(typed)}"
