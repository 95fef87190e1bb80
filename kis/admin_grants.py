"""Who may do what with which account: superusers say so, with the account picked from a list."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from kis.accounts import MODE_NAMES, Account, known_accounts
from kis.admin_filters import key_of, name_of
from kis.grants import let_in
from kis.models import AccountGrant

if TYPE_CHECKING:
    GrantModelForm = forms.ModelForm[AccountGrant]
    GrantAdmin = admin.ModelAdmin[AccountGrant]
else:
    GrantModelForm, GrantAdmin = forms.ModelForm, admin.ModelAdmin  # generic for the type checker only


def choices() -> list[tuple[str, str]]:
    return [(key_of(account), words_of(account)) for account in known_accounts() if account.number]


def words_of(account: Account) -> str:
    mode = MODE_NAMES[account.mode]
    return name_of(account) if account.label == mode else f"{mode} {name_of(account)}"


class AccountGrantForm(GrantModelForm):
    """The account is chosen by its name, so that no number is typed or written into the page."""

    account = forms.ChoiceField(label="계좌", choices=choices)

    class Meta:
        model = AccountGrant
        fields = ("user", "role")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        meant = self.meant()
        if meant is not None and meant.number is not None:
            columns = {
                "account_no": meant.number.number,
                "product_code": meant.number.product_code,
                "is_paper": meant.is_paper,
            }
            if AccountGrant.objects.filter(user=self.cleaned_data.get("user"), **columns).exists():
                raise forms.ValidationError(
                    "이 사용자는 이 계좌의 권한이 이미 있습니다. 그 행을 고쳐 주세요."
                )
            for name, value in columns.items():
                setattr(self.instance, name, value)
        return cleaned

    def meant(self) -> Account | None:
        key = self.cleaned_data.get("account")
        accounts = [account for account in known_accounts() if account.number]
        return next((account for account in accounts if key_of(account) == key), None)


@admin.register(AccountGrant)
class AccountGrantAdmin(GrantAdmin):
    """Of a stored grant only the role can be changed: another account or user is another grant."""

    form = AccountGrantForm
    list_display = ("user", "mode", "masked_no", "role", "changed_at")
    list_filter = ("role", "is_paper")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    actions = None

    @admin.display(description="모드", ordering="is_paper")
    def mode(self, row: AccountGrant) -> str:
        return MODE_NAMES["paper" if row.is_paper else "real"]

    @admin.display(description="계좌", ordering="account_no")
    def masked_no(self, row: AccountGrant) -> str:
        return row.masked_no

    # --- who may do what -------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_superuser(request)

    def is_superuser(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    # --- pages -----------------------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["user", "mode", "masked_no", "role"] if obj else ["user", "account", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["user", "mode", "masked_no"] if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Leave the choice of the account to new grants."""
        if obj:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: AccountGrant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        let_in(obj.user, obj.role)
