"""Broker accounts in the admin: superusers write their keys, nobody reads them."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from kis.account_form import BrokerAccountForm
from kis.account_keys import CannotDelete, refuse_deletion_with_books, save_account
from kis.client.errors import KisError
from kis.connection_trial import try_connection
from kis.encryption import SecretUnreadable
from kis.grants import grant_if_nobody_manages
from kis.models import BrokerAccount

if TYPE_CHECKING:
    AccountAdmin = admin.ModelAdmin[BrokerAccount]
else:
    AccountAdmin = admin.ModelAdmin  # generic for the type checker only

DEMO = "데모에서는 계좌를 등록할 수 없습니다. .env에 AEGIS_DEMO=false를 적고 다시 시작해 주세요."


@admin.register(BrokerAccount)
class BrokerAccountAdmin(AccountAdmin):
    """Writable, but for superusers only; without default account and without bulk deletion."""

    form = BrokerAccountForm
    list_display = ("label", "mode", "masked_no", "enabled", "changed_at")
    list_filter = ("mode", "enabled")
    actions = ("try_connections",)
    readonly_fields = ("created_at", "changed_at")
    fieldsets = (
        (None, {"fields": ("label", "mode", "enabled")}),
        ("키와 계좌", {"fields": ("app_key", "app_secret", "account_no", "hts_id", "forget_hts_id")}),
        (
            "수수료와 주소",
            {"fields": ("commission", "base_url", "ws_url", "tr_set"), "classes": ("collapse",)},
        ),
        ("기록", {"fields": ("created_at", "changed_at")}),
    )

    @admin.display(description="계좌")
    def masked_no(self, row: BrokerAccount) -> str:
        try:
            return row.masked_no
        except SecretUnreadable:
            return "풀 수 없음"

    # --- who may do what -------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_superuser(request) and not settings.AEGIS_DEMO

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def is_superuser(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    # --- pages -----------------------------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out the deletion of many: each one is looked at."""
        return {name: how for name, how in super().get_actions(request).items() if name != "delete_selected"}

    def get_readonly_fields(self, request: HttpRequest, obj: BrokerAccount | None = None) -> list[str]:
        """Keep the mode of a stored account: its keys belong to it."""
        return [*self.readonly_fields, *(["mode"] if obj else [])]

    def get_fieldsets(self, request: HttpRequest, obj: BrokerAccount | None = None) -> list[Any]:
        """Leave out what a new account does not have."""
        absent = set() if obj else {"forget_hts_id", "created_at", "changed_at"}
        return [
            (title, {**options, "fields": kept})
            for title, options in self.fieldsets
            if (kept := [name for name in options["fields"] if name not in absent])
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if settings.AEGIS_DEMO and self.is_superuser(request):
            messages.warning(request, DEMO)
        return super().changelist_view(request, extra_context)

    # Keys typed into the form must not get into the report of an error either.
    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is not None and self.has_delete_permission(request, row):
            try:
                refuse_deletion_with_books(row)
            except CannotDelete as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(reverse("admin:kis_brokeraccount_change", args=[row.pk]))
        return super().delete_view(request, object_id, extra_context)

    def save_model(
        self, request: HttpRequest, obj: BrokerAccount, form: BrokerAccountForm, change: bool
    ) -> None:
        save_account(obj, form.secrets())
        assert isinstance(request.user, User)  # noqa: S101  # only superusers come here
        grant_if_nobody_manages(request.user, obj.number, is_paper=obj.is_paper)

    @admin.action(description="연결 시험 (토큰과 잔고 조회)", permissions=["change"])
    def try_connections(self, request: HttpRequest, rows: QuerySet[BrokerAccount]) -> None:
        for row in rows:
            try:
                text, level = try_connection(row), messages.SUCCESS
            except KisError as error:
                text, level = str(error), messages.ERROR
            self.message_user(request, f"{row.label}: {text}", level)
            self.log_change(request, row, f"연결 시험: {'성공' if level == messages.SUCCESS else '실패'}")
