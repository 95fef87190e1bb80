"""The live page, its PDF, and the files it is made of."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import content_disposition_header, quote_etag
from django.views.decorators.http import require_POST, require_safe

from kis.accounts import Account
from kis.client.errors import KisError
from kis.commands import explain_database
from kis.connect import connect
from kis.korean import SEOUL
from kis.refresh import AlreadyFresh, refresh_now
from reports import webfonts
from reports.access import for_viewers, may_sync
from reports.fonts import FontsUnavailable
from reports.live import Glance, NoAccount, accounts_to_show, choices, choose, glance_at, load
from reports.moments import MomentUnreadable, read_moment
from reports.page import page_context
from reports.printed import pdf_response
from reports.publish import PublishFailed
from reports.queries import NoSnapshot
from reports.snapshots import dashboard_to_print
from reports.stored import LAST, NotThere, file_of, report_asked_for

FOREVER = 365 * 24 * 60 * 60


@require_safe
@for_viewers
def dashboard(request: HttpRequest) -> HttpResponseBase:
    """Show an account; the page asks for the inner part of itself again, and gets nothing where nothing is new."""
    accounts = accounts_to_show(request.user)
    try:
        account = choose(accounts, request.GET.get("account", ""))
        as_of = moment_asked_for(request)
    except (NoAccount, MomentUnreadable) as error:
        return without_data(request, str(error), accounts=bool(accounts), status=404 if accounts else 200)
    is_part = "HX-Request" in request.headers
    glance = glance_at(account, as_of=as_of)
    tag = quote_etag(glance.etag)
    unchanged = get_conditional_response(request, etag=tag) if is_part else None
    response = unchanged or shown(request, account, glance, as_of=as_of, accounts=accounts, is_part=is_part)
    response["ETag"] = tag
    response["Look-Again"] = seconds_of(glance.look_again)
    patch_vary_headers(response, ["HX-Request"])
    return response


def shown(
    request: HttpRequest,
    account: Account,
    glance: Glance,
    *,
    as_of: datetime | None,
    accounts: Sequence[Account],
    is_part: bool,
) -> HttpResponse:
    context: dict[str, Any] = {
        "choices": choices(accounts, account),
        "account_name": account.label,
        "as_of": as_of,
        "glance": glance,
        "age_seconds": None if glance.age is None or as_of else int(glance.age.total_seconds()),
        "look_again": seconds_of(glance.look_again),
        "query": request.GET.urlencode(),
        "may_sync": as_of is None and may_sync(request.user, account),
    }
    try:
        context |= page_context(load(account, glance, as_of=as_of))
    except NoSnapshot:
        name = "_waiting" if is_part else "waiting"
        return render(request, f"reports/page/{name}.html", context)
    return render(request, f"reports/page/{'_live' if is_part else 'dashboard'}.html", context)


def seconds_of(wait: timedelta) -> int:
    return max(1, ceil(wait.total_seconds()))


def moment_asked_for(request: HttpRequest) -> datetime | None:
    text = request.GET.get("as_of", "")
    return read_moment(text, name="as_of") if text else None


def without_data(request: HttpRequest, reason: str, *, accounts: bool, status: int) -> HttpResponse:
    return render(
        request, "reports/page/nothing.html", {"reason": reason, "accounts": accounts}, status=status
    )


@require_safe
@for_viewers
def dashboard_pdf(request: HttpRequest) -> HttpResponseBase:
    """Hand out what the command prints of the same snapshot, or with `report` a file that has been published.

    Trouble is a page that says what to do.
    """
    try:
        return pdf_asked_for(request)
    except NoSnapshot:
        title, reason, status = "PDF를 만들 자료가 없습니다", "이 계좌의 그때 자료가 없습니다.", 404
    except NotThere as error:
        title, reason, status = "PDF가 없습니다", str(error), 404
    except (NoAccount, MomentUnreadable) as error:
        title, reason, status = "PDF를 만들 수 없습니다", str(error), 404
    except (FontsUnavailable, PublishFailed) as error:
        title, reason, status = "PDF를 줄 수 없습니다", str(error), 503
    return trouble(request, title, reason, status=status)


def pdf_asked_for(request: HttpRequest) -> HttpResponseBase:
    """Return the PDF of the address. Raises what its reader is to be told."""
    wanted = request.GET.get("report", "")
    if wanted and wanted != LAST:
        return published(request, wanted)
    account = choose(accounts_to_show(request.user), request.GET.get("account", ""))
    if wanted:
        return published(request, wanted, account)
    figures, _ = dashboard_to_print(
        mode=account.mode, account=account.number_or_reason(), asked_for=moment_asked_for(request)
    )
    return pdf_response(request, figures)


def published(request: HttpRequest, wanted: str, account: Account | None = None) -> HttpResponse:
    """Hand out a file that lies in the storage. Raises NotThere and PublishFailed."""
    row = report_asked_for(wanted, user=request.user, account=account)
    name = f"{Path(row.file_name).stem}_{row.as_of.astimezone(SEOUL):%Y-%m-%d_%H%M%S}.pdf"
    disposition = content_disposition_header(as_attachment=True, filename=name) or "attachment"
    return HttpResponse(
        file_of(row), content_type="application/pdf", headers={"Content-Disposition": disposition}
    )


def trouble(request: HttpRequest, title: str, reason: str, *, status: int) -> HttpResponse:
    context = {"title": title, "reason": reason, "status": status}
    return render(request, "reports/page/trouble.html", context, status=status)


@require_POST
@for_viewers
def sync(request: HttpRequest) -> HttpResponseBase:
    """Ask the broker now, and say in a sentence what became of it."""
    said, went_well = sync_account_of(request)
    if "HX-Request" not in request.headers:
        (messages.info if went_well else messages.warning)(request, said)
        return redirect(f"{reverse('dashboard')}?{urlencode({'account': request.POST.get('account', '')})}")
    response = render(request, "reports/page/_said.html", {"said": said, "is_trouble": not went_well})
    response["HX-Trigger"] = "aegis:look"
    return response


def sync_account_of(request: HttpRequest) -> tuple[str, bool]:
    try:
        account = choose(accounts_to_show(request.user), request.POST.get("account", ""))
        if not may_sync(request.user, account):
            return account.unused or "이 계좌를 동기화할 권한이 없습니다.", False
        with connect(account.mode, account) as connection:
            run = refresh_now(connection)
    except AlreadyFresh as error:
        return str(error), True
    except (NoAccount, KisError) as error:
        return str(error), False
    except (DatabaseError, InterfaceError) as error:
        return explain_database(error), False
    run.refresh_from_db(fields=["differences"])
    books = f"대사 차이 {run.differences}건" if run.differences else "대사 일치"
    return f"동기화했습니다. {books}.", not run.differences


@login_not_required
@require_safe
def font(request: HttpRequest, name: str) -> HttpResponseBase:  # noqa: ARG001  # Django's signature
    """Hand out the Korean font; names change with their content, so that browsers may keep them."""
    response: HttpResponseBase
    if name == f"faces.{webfonts.version()}.css":
        response = HttpResponse(webfonts.stylesheet(address="./"), content_type="text/css; charset=utf-8")
    else:
        path = webfonts.file_of(name)
        if path is None or not path.is_file():
            raise Http404
        kind = "font/woff" if path.suffix == ".woff" else "font/ttf"
        response = FileResponse(path.open("rb"), content_type=kind)
    patch_cache_control(response, public=True, immutable=True, max_age=FOREVER)
    return response
