"""Tokens for the API in the admin: everybody makes and ends his own, and sees a new one once."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from kis.models import ApiToken
from kis.tokens import DAYS, MOST_DAYS, create_token

if TYPE_CHECKING:
    TokenModelForm = forms.ModelForm[ApiToken]
    TokenAdmin = admin.ModelAdmin[ApiToken]
else:
    TokenModelForm, TokenAdmin = forms.ModelForm, admin.ModelAdmin  # generic for the type checker only


class ApiTokenForm(TokenModelForm):
    """What a new token is for, and for how long."""

    days = forms.IntegerField(label="며칠 동안", min_value=1, max_value=MOST_DAYS, initial=DAYS)

    class Meta:
        model = ApiToken
        fields = ("name",)


@admin.register(ApiToken)
class ApiTokenAdmin(TokenAdmin):
    """A token made here reads; one that orders is made at the terminal, by whoever has the machine."""

    form = ApiTokenForm
    fields = ("name", "days")
    list_display = ("name", "user", "scope", "created", "expiry", "used_at")
    list_select_related = ("user",)
    list_display_links = None
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """Show everybody his own, and superusers those of all, to be ended."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(user_id=request.user.pk)

    # --- who may do what -------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_staff(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_staff(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_staff(request)

    def is_staff(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    # --- pages -----------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)  # noqa: S101  # strangers do not come here
        row, text = create_token(
            request.user, name=obj.name, scope=ApiToken.Scope.READ, days=form.cleaned_data["days"]
        )
        obj.pk, obj.expiry, obj.user, obj.scope = row.pk, row.expiry, row.user, row.scope
        request.token_shown_once = text  # type: ignore[attr-defined]  # gone with the request

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, {"title": "API 토큰 만들기", **(extra_context or {})})

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: Any = None
    ) -> HttpResponse:
        """Show the token itself, in this answer alone: neither a message nor an address keeps it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "API 토큰",
            "token": obj,
            "text": request.token_shown_once,  # type: ignore[attr-defined]  # put there when it was made
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/kis/apitoken/made.html", context)
