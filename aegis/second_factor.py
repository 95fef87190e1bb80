"""The pages of the second factor: shown at sign-in to whoever has one, set up by whoever wants to order."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect, render, resolve_url
from django.urls import ResolverMatch, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from kis import second_factor
from kis.api.errors import error_body
from kis.encryption import SecretUnreadable
from kis.models import SecondFactor
from kis.second_factor import Enrolled
from trading.on_pages import ADMINISTRATOR

UNAUTHORIZED, FORBIDDEN, UNFIT = 401, 403, 422
#: What somebody may ask for who has typed a password and still owes the code.
HALFWAY = {"healthz", "font", "login", "logout", "show-second-factor"}
WRONG = "코드가 맞지 않습니다. 앱에 지금 보이는 여섯 자리를 적어 주세요. 한 번 쓴 코드는 다시 쓸 수 없습니다."


class WholeSignIn:
    """Let a session that was signed in by half, with the password alone, do nothing but show its second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Any,  # noqa: ANN401, ARG002  # Django's signature
        arguments: Any,  # noqa: ANN401, ARG002
        named: Any,  # noqa: ANN401, ARG002
    ) -> HttpResponseBase | None:
        match: ResolverMatch | None = request.resolver_match
        if match is not None and match.view_name in HALFWAY:
            return None
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not second_factor.owes_second_factor(
            request
        ):
            return None
        if request.path.startswith("/api/"):
            return JsonResponse(
                error_body("second_factor_required"),
                status=FORBIDDEN,
                json_dumps_params={"ensure_ascii": False},
            )
        if "HX-Request" in request.headers:
            return HttpResponse(status=UNAUTHORIZED)  # the page that asks says so itself
        return ask_for("show-second-factor", request.get_full_path() if request.method == "GET" else "")


def ask_for(page: str, after: str) -> HttpResponse:
    return redirect(f"{reverse(page)}?{urlencode({'next': after})}" if after else reverse(page))


def where_next(request: HttpRequest) -> str:
    """Return where somebody wanted to go, an address of ours or the first page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else resolve_url("dashboard")


# --- showing it ------------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the app, or a recovery code, and go on to where somebody wanted to go."""
    after = where_next(request)
    factor = second_factor.factor_of(request.user)
    if factor is None:  # taken away meanwhile, or never set up: nothing to show
        return HttpResponseRedirect(after)
    if second_factor.is_verified(request):
        return HttpResponseRedirect(after)
    trouble = ""
    if request.method == "POST":
        given = request.POST.get("recovery", "") or request.POST.get("code", "")
        trouble = compared(request, factor, given)
        if not trouble:
            warn_of_recovery_code(request, factor)
            return HttpResponseRedirect(after)
    context = {"next": after, "trouble": trouble}
    return render(request, "registration/second_factor.html", context, status=UNFIT if trouble else 200)


def compared(request: HttpRequest, factor: SecondFactor, given: str) -> str:
    """Compare a code; returns what is wrong, or nothing."""
    if seconds := second_factor.seconds_to_wait(factor):
        return (
            f"코드를 여러 번 틀렸습니다. {seconds}초 뒤에 다시 적어 주세요. 이번 코드는 비교하지 않았습니다."
        )
    try:
        return "" if second_factor.show_code(request, factor, given) else WRONG
    except SecretUnreadable as error:
        return f"{error} 또는 {ADMINISTRATOR} 지우면 새로 등록할 수 있습니다: manage.py remove_second_factor {request.user.get_username()}"


def warn_of_recovery_code(request: HttpRequest, factor: SecondFactor) -> None:
    if request.POST.get("recovery"):
        left = second_factor.recovery_codes_left(factor)
        messages.warning(
            request,
            f"복구 코드를 썼습니다. {left}개 남았습니다. 기기를 잃었다면 두 번째 인증을 새로 등록해 주세요.",
        )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retype(request: HttpRequest) -> HttpResponse:
    """Ask for the password of the site once more, before something that takes a fresh one."""
    after = where_next(request)
    wrong = False
    if request.method == "POST":
        if second_factor.retype_password(request, request.POST.get("password", ""), at=timezone.now()):
            return HttpResponseRedirect(after)
        wrong = True
    context = {"next": after, "wrong": wrong}
    return render(request, "registration/retype_password.html", context, status=UNFIT if wrong else 200)


# --- setting it up ---------------------------------------------------------------------------------------------------


def with_fresh_password(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask for the password again, and for the factor that is to be replaced: neither is changed from a stolen session."""

    def guarded(request: HttpRequest) -> HttpResponse:
        if second_factor.factor_of(request.user) and not second_factor.is_verified(request):
            return ask_for("show-second-factor", reverse("second-factor"))
        if not second_factor.is_fresh(request, at=timezone.now()):
            return ask_for("retype-password", reverse("second-factor"))
        return view(request)

    return guarded


@never_cache
@require_http_methods(["GET", "HEAD"])
@with_fresh_password
def overview(request: HttpRequest) -> HttpResponse:
    """Show how things stand: nothing, a factor that is being set up, or one that counts."""
    return shown(request)


@never_cache
@require_POST
@with_fresh_password
def start(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101  # strangers do not come here
    second_factor.start(request.user)
    return redirect("second-factor")


@never_cache
@require_POST
@with_fresh_password
def finish(request: HttpRequest) -> HttpResponse:
    """Let the new factor count once its app has shown a right code."""
    started = second_factor.started_of(request.user)
    if started is None:
        return redirect("second-factor")
    if seconds := second_factor.seconds_to_wait(started):
        return shown(request, trouble=f"코드를 여러 번 틀렸습니다. {seconds}초 뒤에 다시 적어 주세요.")
    try:
        enrolled = second_factor.finish(request, started, request.POST.get("code", ""))
    except SecretUnreadable:
        second_factor.start(started.user)
        return shown(request, trouble="비밀 값을 풀 수 없어 새로 만들었습니다. 앱에 다시 등록해 주세요.")
    return shown_once(request, enrolled) if enrolled else shown(request, trouble=WRONG)


@never_cache
@require_POST
@with_fresh_password
def renew_codes(request: HttpRequest) -> HttpResponse:
    factor = second_factor.factor_of(request.user)
    if factor is None:
        return redirect("second-factor")
    return shown_once(request, Enrolled(factor, second_factor.new_recovery_codes(factor)))


def shown_once(request: HttpRequest, enrolled: Enrolled) -> HttpResponse:
    """Show recovery codes in this answer alone: neither a message nor an address keeps them."""
    return render(request, "registration/recovery_codes.html", {"codes": enrolled.recovery_codes})


def shown(request: HttpRequest, *, trouble: str = "") -> HttpResponse:
    factor = second_factor.factor_of(request.user)
    context: dict[str, Any] = {"factor": factor, "trouble": trouble}
    if factor is not None:
        context["codes_left"] = second_factor.recovery_codes_left(factor)
    started = second_factor.started_of(request.user)
    if started is not None:
        try:
            address, secret = second_factor.address_of(started), started.secret
        except SecretUnreadable:
            context["started"] = None  # encrypted with a key that is gone: to be begun anew
        else:
            context |= {
                "started": started,
                "secret": second_factor.in_groups(secret),
                "picture": qr_code(address),
            }
    return render(request, "registration/set_up.html", context, status=UNFIT if trouble else 200)


def qr_code(address: str) -> str:
    """Return a picture as an address that can be written into a page: the policy of the site lets no other in."""
    import segno  # noqa: PLC0415  # only who sets up a factor needs it

    code = segno.make(address, error="m", micro=False)
    return str(code.svg_data_uri(scale=5, border=3, dark="#15181e", light="#fff"))
