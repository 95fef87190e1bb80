"""The admin of the site: stock, with a first page that says how things stand, a button to sync, and the day of the jobs."""

from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from aegis import asked_sync
from aegis.admin_cards import first_page
from aegis.job_lanes import day_asked_for, job_day
from kis.access import access_of, sees_everything
from kis.accounts import MODE_NAMES, Account, configured_accounts
from kis.admin_filters import accounts_of, key_of
from kis.client.errors import KisError
from kis.commands import explain_database
from reports.access import may_see, may_sync

#: Which applications come first.
RANKS: Final = {label: rank for rank, label in enumerate(("kis", "trading", "ai", "reports"))}
#: And which of their tables: as money goes, from the account to what moved it, and then the market.
TABLES: Final = (
    *("KisAccount", "KisHolding", "KisUnfilledOrder", "KisExecution", "KisOrderDetail"),
    *("KisDailySummary", "KisDepositLog", "KisTradeProfit", "TargetWeight", "SyncRun"),
    *("Stock", "DailyPrice", "MinPrice", "IndexPrice", "MarketDay"),
    *("KbHolding", "KbTrade", "KbStatement", "PendingOrder", "OrderEvent"),
)
TABLE_RANKS: Final = {name: rank for rank, name in enumerate(TABLES)}


@dataclass(frozen=True, slots=True)
class Mode:
    """What kind of money a site is about."""

    name: str
    css_class: str


class AegisAdminSite(AdminSite):
    site_header = site_title = "AEGIS"
    index_title = "장부"
    enable_nav_sidebar = False  # the lists need the room

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "modes": modes_of(request)}

    def get_urls(self) -> list[Any]:
        own = [
            path("sync/", self.admin_view(self.sync), name="sync"),
            path("sync/progress/", self.admin_view(self.sync_progress), name="sync-progress"),
            path("jobs/", self.admin_view(self.jobs), name="jobs"),
        ]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # Django's signature
        """Leave out of a list what asks for a range: Django takes one text for its two ends, and fails in the query."""

        @wraps(view)
        def without_ranges(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            if any(name.endswith("__range") for name in request.GET):
                return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")
            return view(request, *arguments, **named)

        return super().admin_view(without_ranges, cacheable)

    # --- the first page ------------------------------------------------------------------------------------------

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show how things stand above the tables; where that cannot be said, the tables are there all the same."""
        try:
            page, trouble = first_page(request), ""
        except (DatabaseError, InterfaceError) as error:
            page, trouble = None, explain_database(error)
        except KisError as error:
            page, trouble = None, str(error)
        said = {"page": page, "trouble": trouble, "may_see": may_see(request.user)}
        return super().index(request, {**said, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """List the books first, and the wiring last."""
        found = super().get_app_list(request, app_label)
        for app in found:
            app["models"].sort(
                key=lambda model: (TABLE_RANKS.get(model["object_name"], len(TABLE_RANKS)), model["name"])
            )
        return sorted(found, key=lambda app: (RANKS.get(app["app_label"], len(RANKS)), app["name"]))

    # --- pages of its own ----------------------------------------------------------------------------------------

    def sync(self, request: HttpRequest) -> HttpResponse:
        """Have an account synced now: by the worker where there is one, else here. Trouble of any kind is a sentence."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_see(request.user):
            raise PermissionDenied
        account = account_called(request, request.POST.get("account", ""))
        if account is None:
            messages.warning(request, asked_sync.GONE)
        elif not may_sync(request.user, account):
            messages.warning(request, account.unused or asked_sync.MAY_NOT)
        elif "here" not in request.POST and asked_sync.somebody_works(at=timezone.now()):
            asked = {"account": key_of(account), "task": asked_sync.ask(account, by=request.user)}
            return HttpResponseRedirect(f"{reverse('admin:sync-progress')}?{urlencode(asked)}")
        else:
            done = asked_sync.sync_now(account)
            (messages.warning if done.failed else messages.success)(request, done.sentence)
        return to_accounts()

    def sync_progress(self, request: HttpRequest) -> HttpResponse:
        """Show how far a sync is that was left to the worker; the page looks again by itself until it is over."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not may_see(request.user):
            raise PermissionDenied
        account = account_called(request, request.GET.get("account", ""))
        found = account and asked_sync.progress_of(request.GET.get("task", ""), account, at=timezone.now())
        if not found:
            messages.warning(
                request, "이 동기화의 결과를 찾을 수 없습니다. 아래에서 마지막 동기화를 확인해 주세요."
            )
            return to_accounts()
        context = {**self.each_context(request), "title": "지금 동기화", "progress": found}
        return TemplateResponse(request, "admin/sync.html", context)

    def jobs(self, request: HttpRequest) -> HttpResponse:
        """Show a day of the jobs."""
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not (may_see(request.user) and request.user.has_perm("kis.view_syncrun")):
            raise PermissionDenied
        try:
            day = day_asked_for(request.GET.get("day", ""))
            page = job_day(request, day)
        except (ValueError, OverflowError):
            messages.warning(request, "날짜를 2026-11-20처럼 적어 주세요.")
            return HttpResponseRedirect(reverse("admin:jobs"))
        context = {**self.each_context(request), "title": "작업 시간표", "page": page}
        return TemplateResponse(request, "admin/jobs.html", context)


def account_called(request: HttpRequest, key: str) -> Account | None:
    """Return the account of an address, of those that somebody may know of."""
    return next((known for known in accounts_of(request) if known.number and key_of(known) == key), None)


def to_accounts() -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('admin:index')}#accounts")


def modes_of(request: HttpRequest) -> list[Mode]:
    """Return the badges of the header: what the accounts of a user are, before anything else is read."""
    if settings.AEGIS_DEMO:
        return [Mode("DEMO", "demo")]
    if sees_everything(request.user):
        modes = {account.mode for account in configured_accounts() if not account.unused}
    else:
        modes = {"paper" if is_paper else "real" for _, is_paper in access_of(request.user).roles}
    return [Mode(name, mode) for mode, name in MODE_NAMES.items() if mode in modes]
