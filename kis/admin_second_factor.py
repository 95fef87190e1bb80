"""Second factors in the admin: who has one and since when; they are set up on their own page and removed at the terminal."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from kis.admin_base import ReadOnlyAdmin
from kis.models import SecondFactor


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnlyAdmin):
    """Neither secrets nor hashes are shown, and nobody's is taken away here: a stolen session could do that."""

    list_display = ("user", "confirmed", "confirmed_at", "used_at", "throttling_failure_count")
    list_select_related = ("user",)
    search_fields = ("user__username",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["user", "confirmed", "created_at", "confirmed_at", "used_at", "throttling_failure_count"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_superuser(request)

    def is_superuser(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)
