"""Doors of pages: strangers are sent to the sign-in, who may not see a page is told so."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

Somebody = AbstractBaseUser | AnonymousUser
View = Callable[..., HttpResponseBase]


def for_those(may_see: Callable[[Somebody], bool], view: View, *, after: str = "dashboard") -> View:
    """Show a view to those who may see it; `after` is the page to go to where the address is none to come back to.

    A page that refreshes itself is only told that its reader is a stranger, or it would show the form in itself.
    """

    @login_not_required  # said below, in a way that suits a page that refreshes itself
    @wraps(view)
    def guarded(request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if "HX-Request" in request.headers:
                return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
            is_asked_for = request.method in {"GET", "HEAD"}
            return redirect_to_login(request.get_full_path() if is_asked_for else reverse(after))
        if not may_see(request.user):
            raise PermissionDenied
        return view(request, *arguments, **named)

    return guarded
