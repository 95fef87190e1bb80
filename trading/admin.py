"""Orders in the admin: to be read; the kill switch can be turned on, and nothing else is done here."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis.admin import account, key_of_row, links, list_of, mode
from kis.admin_base import ReadOnlyAdmin, won
from kis.admin_filters import AccountFilter, ModeFilter
from kis.admin_totals import BY_MODE, Totals
from kis.known_secrets import hide_account
from trading import kill_switch
from trading.models import KillSwitch, OrderEvent, PendingOrder
from trading.on_pages import on_pages
from trading.states import NAMES, UNSETTLED
from trading.wording import WHAT, change_of, what_of

if TYPE_CHECKING:
    EventInline = admin.TabularInline[OrderEvent, PendingOrder]
else:
    EventInline = admin.TabularInline  # generic for the type checker only


@admin.display(description="상태", ordering="status")
def state(row: Any) -> SafeString:
    css_class = "unsettled" if row.state in UNSETTLED else ""
    return format_html('<span class="state {}">{}</span>', css_class, NAMES[row.state])


@admin.display(description="주문")
def words(row: Any) -> str:
    return str(row.words)


@admin.display(description="이유", ordering="reason")
def reason(row: Any) -> str:
    return on_pages(row.reason)


@admin.display(description="미리보기")
def preview(row: Any) -> SafeString:
    return format_html('<pre class="raw">{}</pre>', "\n".join(row.preview.get("lines", [])))


@admin.display(description="일", ordering="what")
def what(row: Any) -> str:
    return what_of(row)


@admin.display(description="상태 변화")
def change(row: Any) -> str:
    return change_of(row)


@admin.display(description="내용")
def detail(row: Any) -> SafeString:
    text = json.dumps(row.detail, ensure_ascii=False, indent=2) if row.detail else ""
    if row.order is not None:
        text = hide_account(text, row.order.account)
    return format_html('<pre class="raw">{}</pre>', text)


@admin.display(description="이어서")
def ways(row: Any) -> SafeString:
    """Lead to every step of an order, and to what the broker has of it."""
    found = [(f"{reverse('admin:trading_orderevent_changelist')}?{urlencode({'order': row.pk})}", "기록")]
    if row.odno:
        asked = {"account": key_of_row(row), "q": row.odno, "ord_dt": str(row.ord_dt)}
        found.append((list_of("kis_kisorderdetail", **asked), "증권사 주문"))
    return links(*found)


ways.is_picture = True  # type: ignore[attr-defined]  # not for files


class OrdersAdmin(ReadOnlyAdmin):
    """A table of the orders in the colours of the books; `shown` is what the page of a row has."""

    shown: tuple[Any, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.shown)


class WhatFilter(admin.SimpleListFilter):
    """Steps of one kind, by the words they are shown with."""

    title = "일"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(WHAT.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(what=self.value()) if self.value() else queryset


class Events(EventInline):
    """What happened to one order."""

    model = OrderEvent
    ordering = ("number",)
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["number", "at", what, change, detail]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        return super().get_queryset(request).select_related("order")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PendingOrder)
class PendingOrderAdmin(OrdersAdmin):
    """Neither the hash of a code nor a whole account number is shown."""

    list_display = (
        "made_at",
        mode,
        account,
        words,
        state,
        won("amount", "예상금액"),
        "odno",
        "source",
        reason,
        ways,
    )
    list_filter = ("status", ModeFilter, AccountFilter, "kind", "side", "source", "made_at")
    search_fields = ("stock_code", "stock_name", "odno")
    list_select_related = False
    date_hierarchy = "made_at"
    totals = Totals(("amount",), BY_MODE)
    inlines = (Events,)
    shown = (
        mode,
        account,
        words,
        state,
        reason,
        "odno",
        "ord_dt",
        won("amount", "예상금액"),
        preview,
        "source",
        "made_by",
        "made_at",
        "expires_at",
        "tries",
        "claimed_at",
        "market_at",
        "ended_at",
    )


@admin.register(OrderEvent)
class OrderEventAdmin(OrdersAdmin):
    list_display = ("number", "at", what, "order", change)
    list_filter = (WhatFilter, "at")
    list_select_related = ("order",)
    date_hierarchy = "at"
    shown = ("number", "at", "order", what, change, detail, "previous_digest", "digest")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("order")


@admin.register(KillSwitch)
class KillSwitchAdmin(OrdersAdmin):
    """The switch as it stands, and a button that turns it on; off it goes only with the trading password."""

    list_display = ("__str__", "reason", "changed_at")
    shown = ("is_on", "reason", "changed_at")

    def get_urls(self) -> list[URLPattern]:
        own = path("turn-on/", self.admin_site.admin_view(self.turn_on), name="trading_killswitch_turn_on")
        return [own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "switch": kill_switch.read()}
        )
        return shown

    def turn_on(self, request: HttpRequest) -> HttpResponse:
        """Stop all orders; asks for nothing but a button, so that it is quick."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        kill_switch.turn_on(
            "관리자 화면에서 켰습니다.", at=timezone.now(), by=f"{request.user.get_username()} (관리자 화면)"
        )
        messages.success(request, "주문 중지를 켰습니다. 새 주문은 나가지 않습니다.")
        return HttpResponseRedirect(reverse("admin:trading_killswitch_changelist"))
