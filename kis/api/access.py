"""Who may look: staff who are signed in, or whose token is sent, and who may view the table."""

import re
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from kis.api.errors import BadToken
from kis.tokens import note_use

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads our settings, and with them this file

TOKEN = re.compile(rb"aegis_[0-9a-f]{64}")


class Session(SessionAuthentication):
    """The sign-in of the admin; who has none is told so with 401, not 403."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # DRF's signature
        return "Session"


class Token(TokenAuthentication):  # type: ignore[misc]  # comes without types
    """A token in the header; what cannot be one is refused before the database is asked."""

    def authenticate(self, request: Request) -> Any:  # noqa: ANN401  # a user and a token, as DRF wants them
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            raise BadToken from None

    def authenticate_credentials(self, token: bytes) -> Any:  # noqa: ANN401  # the same
        if not TOKEN.fullmatch(token):
            raise BadToken
        user, row = super().authenticate_credentials(token)
        note_use(row, at=timezone.now())
        return user, row


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
