"""Who may look: staff who are signed in and may view the table."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractUser
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads our settings, and with them this file


class Session(SessionAuthentication):
    """The sign-in of the admin; who has none is told so with 401, not 403."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # DRF's signature
        return "Session"


class MayView(BasePermission):
    """Staff with the permission to view the model of the view, as in the admin; never the public."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user = request.user
        if not isinstance(user, AbstractUser) or not (user.is_active and user.is_staff):
            return False
        model = getattr(view, "model", None)
        if model is None:
            return True
        meta = model._meta  # noqa: SLF001  # Django's own name for it
        return user.has_perm(f"{meta.app_label}.view_{meta.model_name}")
