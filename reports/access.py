"""Who may open the pages: staff who may view what stands on them, as in the admin and the API; of their own accounts."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser, AbstractUser, AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from kis.access import access_of
from kis.accounts import Account

SHOWN: Final = (
    "kis.view_kisaccount",
    "kis.view_kisholding",
    "kis.view_kisexecution",
    "kis.view_kisunfilledorder",
)
View = Callable[..., HttpResponseBase]


def may_see(user: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(user, AbstractUser) and user.is_active and user.is_staff and user.has_perms(SHOWN)


def may_sync(user: AbstractBaseUser | AnonymousUser, account: Account) -> bool:
    """Return whether somebody may have the broker asked for an account, which costs its owner a few calls."""
    number = account.number
    return (
        number is not None
        and not account.unused
        and may_see(user)
        and access_of(user).syncs(number, is_paper=account.is_paper)
    )


def for_viewers(view: View) -> View:
    """Show a view to those who may see it.

    Strangers are sent to the sign-in; a page that refreshes itself is only told so, or it would show the form in itself.
    """

    @login_not_required  # said below, in a way that suits a page that refreshes itself
    @wraps(view)
    def guarded(request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if "HX-Request" in request.headers:
                return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
            after = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("dashboard")
            return redirect_to_login(after)
        if not may_see(request.user):
            raise PermissionDenied
        return view(request, *arguments, **named)

    return guarded
