"""The outbox in the admin: alerts to be read, with where each went; the owner's rules to be written."""

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis.alerts.kinds import LABELS, SWITCHABLE, Kind
from aegis.alerts.models import Alert, AlertDelivery, AlertRule
from kis.admin_base import ModelAdmin, ReadOnlyAdmin
from kis.admin_filters import AccountFilter

if TYPE_CHECKING:
    DeliveryInline = admin.TabularInline[AlertDelivery, Alert]
    RuleModelForm = forms.ModelForm[models.Model]
else:
    DeliveryInline = admin.TabularInline  # generic for the type checker only
    RuleModelForm = forms.ModelForm  # generic for the type checker only

CSS = {"all": ["kis/admin.css"]}
STOCK_CODE = re.compile(r"Q?[0-9A-Z]{6}")
NOT_SENT = "보내지 않음"
UNSETTLED = {AlertDelivery.Status.FAILED, AlertDelivery.Status.UNKNOWN}


@admin.display(description="종류", ordering="kind")
def kind(row: Any) -> str:
    return LABELS[Kind(row.kind)]


@admin.display(description="긴급", ordering="is_urgent")
def urgency(row: Any) -> SafeString | str:
    return format_html('<span class="state unsettled">{}</span>', "긴급") if row.is_urgent else ""


class KindFilter(admin.SimpleListFilter):
    """The kinds that are told; the marks of where looking began are not shown."""

    title = "종류"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.value, LABELS[one]) for one in SWITCHABLE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[models.Model]) -> QuerySet[models.Model]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.display(description="계좌", ordering="account_no")
def account(row: Any) -> str:
    return str(row.masked_no)


@admin.display(description="보내기")
def deliveries(row: Any) -> SafeString:
    """Say what became of an alert at each destination."""
    found = list(row.deliveries.all())
    if not found:
        return format_html('<span class="state">{}</span>', NOT_SENT)
    return format_html_join(
        " ",
        '<span class="state {}">{} {}</span>',
        (
            (
                "unsettled" if delivery.status in UNSETTLED else "",
                delivery.service,
                delivery.get_status_display(),
            )
            for delivery in found
        ),
    )


class AlertDeliveries(DeliveryInline):
    model = AlertDelivery
    fields = ("service", "status", "due_at", "claimed_at", "sent_at", "attempts", "error")
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = "보낸 곳"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("created_at", kind, urgency, "title", account, deliveries, "ended_at")
    list_filter = (KindFilter, AccountFilter, "is_urgent", "is_paper", "created_at")
    search_fields = ("title", "text")
    inlines = (AlertDeliveries,)

    class Media:
        css = CSS

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave out where alerts went for those who look at their account: that is the owner's own telephone."""
        shown = list(self.list_display)
        if not request.user.has_perm("alerts.view_alertdelivery"):
            shown.remove(deliveries)
        return shown

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["created_at", kind, urgency, account, "title", "text", "ended_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Model]:
        """Leave out what is noted and told to nobody: the marks of where looking began."""
        return super().get_queryset(request).exclude(kind=Kind.START).prefetch_related("deliveries")


class AlertRuleForm(RuleModelForm):
    """A rule as the owner writes it down."""

    class Meta:
        model = AlertRule
        fields = ("stock_code", "measure", "threshold", "enabled", "note")

    def clean_stock_code(self) -> str:
        code = str(self.cleaned_data["stock_code"]).strip().upper()
        if code and not STOCK_CODE.fullmatch(code):
            raise forms.ValidationError(
                "종목코드는 6자리(ETN은 Q로 시작하는 7자리)입니다. 모든 종목이면 비워 두세요."
            )
        return code

    def clean(self) -> dict[str, Any] | None:
        """Refuse a price for all stocks at once: no price means anything for all of them."""
        cleaned = super().clean()
        if str(self.cleaned_data.get("measure", "")).startswith("price_") and not self.cleaned_data.get(
            "stock_code", "-"
        ):
            raise forms.ValidationError("가격 기준에는 종목코드를 적어 주세요.")
        return cleaned


@admin.register(AlertRule)
class AlertRuleAdmin(ModelAdmin):
    form = AlertRuleForm
    list_display = ("what", "measure", "threshold", "enabled", "note", "changed_at")
    list_filter = ("measure", "enabled")
    search_fields = ("stock_code", "note")
    list_per_page = 50
    actions = None

    class Media:
        css = CSS

    @admin.display(description="종목", ordering="stock_code")
    def what(self, row: AlertRule) -> str:
        return row.stock_code or "모든 보유 종목"
