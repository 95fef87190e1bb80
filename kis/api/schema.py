"""How the API describes itself: from the parameters and serializers that its views use, so that it cannot tell otherwise."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from kis.api.errors import MESSAGES
from kis.api.pages import LIMIT, LONGEST

JSON, CSV = "application/json", "text/csv"
#: What any request may be answered instead, by status.
TROUBLES = {
    400: "조회 조건이나 보낸 내용이 잘못됨",
    401: "로그인이나 토큰이 없거나 틀림",
    403: "권한이 없음",
    404: "그런 자료가 없음",
    405: "쓸 수 없는 방법",
    406: "줄 수 없는 형식",
    429: "요청이 너무 많음. Retry-After 뒤에 다시",
    500: "서버에서 처리하지 못함",
}
#: What a body that is sent may be answered besides.
TROUBLES_OF_BODIES = {
    409: "지금은 할 수 없음 (code를 보세요)",
    415: "JSON이 아님",
    422: "보낼 수 없는 주문 (code와 detail.reasons를 보세요)",
    423: "거래 비밀번호가 잠김",
    502: "증권사가 거절함",
    503: "증권사나 저장소에 닿지 못함",
}


class ErrorSerializer(serializers.Serializer[Any]):
    """What is wrong: a code that stays, a sentence in Korean, and what belongs to it."""

    code = serializers.CharField(help_text=f"바뀌지 않는 코드. 예: {', '.join(list(MESSAGES)[:4])}")
    message = serializers.CharField(help_text="한국어 문장. 바뀔 수 있음")
    detail = serializers.DictField(required=False, help_text="예: 잘못된 항목의 이름(field)")


class TroubleSerializer(serializers.Serializer[Any]):
    error = ErrorSerializer()


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "kis.api.access.Token"
    name = "토큰"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401, ARG002
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "관리 화면의 ‘API 토큰’(조회)이나 manage.py create_token으로 만든 토큰",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "kis.api.access.Session"
    name = "로그인"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ANN401, ARG002
        from django.conf import settings  # noqa: PLC0415  # known when the schema is asked for

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class TextField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "kis.api.fields.Text"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:  # noqa: ANN401  # as the library calls it
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**schema, "pattern": f"^{self.target.pattern}$"} if self.target.pattern else schema


class Body(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "kis.api.fields.Sent"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:  # noqa: ANN401  # as the library calls it
        schema = auto_schema._map_basic_serializer(self.target, direction)  # noqa: SLF001
        return {**schema, "additionalProperties": False}


class TimeOfDay(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A time in Seoul; what JSON schema calls a time has a zone."""

    target_class = "rest_framework.fields.TimeField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:  # noqa: ANN401, ARG002  # as it is called
        return {"type": "string", "pattern": r"^[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$"}


def without_our_notes(result: dict[str, Any], **how: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001  # a hook
    """Leave out what serializers say to those who write them."""
    for component in result["components"]["schemas"].values():
        component.pop("description", None)
    return result


class Schema(AutoSchema):
    """Describes a view of ours.

    A list takes the parameters that it reads, and answers with a page or with CSV. Any other view may say with
    `described` what it reads, and with `answers` what it gives.
    """

    def get_override_parameters(self) -> list[Any]:
        view = self.view
        if getattr(view, "action", "") == "list":
            return [*described(view.parameters), *of_every_list(view)]  # type: ignore[attr-defined]
        return described(getattr(view, "described", {})) if self.method == "GET" else []

    def get_response_serializers(self) -> Any:  # noqa: ANN401  # as the library takes it
        return {
            **self.answers(),
            **{(status, JSON): trouble(text) for status, text in self.troubles().items()},
        }

    def answers(self) -> dict[Any, Any]:
        view, action = self.view, getattr(self.view, "action", "")
        if action == "list":
            row = view.get_serializer_class()  # type: ignore[attr-defined]
            name = self.get_serializer_name(row(), "response")
            page = inline_serializer(
                f"{name}Page",
                {
                    "next": serializers.URLField(allow_null=True, help_text="다음 쪽의 주소. 없으면 null"),
                    "results": row(many=True),
                },
            )
            csv = OpenApiResponse({"type": "string"}, "조건에 맞는 모든 행")
            return {(200, JSON): page, (200, CSV): csv}
        if action == "retrieve":
            return {(200, JSON): view.get_serializer_class()(context={"alone": True})}  # type: ignore[attr-defined]
        return {
            (status, JSON): answer for status, answer in getattr(view, "answers", {}).get(action, {}).items()
        }

    def get_request_serializer(self) -> Any:  # noqa: ANN401  # as the library takes it
        return getattr(self.view, "bodies", {}).get(getattr(self.view, "action", ""))

    def troubles(self) -> dict[int, str]:
        return {**TROUBLES, **TROUBLES_OF_BODIES} if self.method == "POST" else TROUBLES

    def get_description(self) -> str:  # type: ignore[override]  # as the library has it
        about: Mapping[str, str] = getattr(self.view, "about", {})
        action = getattr(self.view, "action", "")
        if action in about:
            return about[action]
        what = self.view.model._meta.verbose_name  # type: ignore[attr-defined]  # noqa: SLF001  # Django's own name
        return f"{what} 하나를 원본까지" if action == "retrieve" else f"{what} 목록"

    def get_summary(self) -> str:
        """Return the first sentence, for the line of an operation."""
        return self.get_description().split(". ")[0]

    def get_auth(self) -> list[Any]:
        """Leave out the sign-in of a browser where only tokens count."""
        ways = super().get_auth()
        return [way for way in ways if SessionScheme.name not in way] if self.method == "POST" else ways

    # --- what the library would guess ----------------------------------------------------------------------------

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:  # noqa: ANN401  # as the library calls it
        """Tell a row alone, which shows everything, from a row of a list."""
        name = str(super().get_serializer_name(serializer, direction)).removesuffix("Serializer")
        is_whole = serializer.context.get("alone") and getattr(serializer, "LONG", ())
        return f"Whole{name}" if is_whole else name

    def _is_list_view(self, serializer: Any = None) -> bool:  # noqa: ANN401, ARG002
        """Leave a page as it is described: it is an object that has a list."""
        return False

    def _get_format_parameters(self) -> list[Any]:
        return []

    def get_tags(self) -> list[str]:
        return [str(getattr(self.view, "basename", "") or self.path.rstrip("/").rsplit("/", 1)[-1])]

    def get_operation_id(self) -> str:
        action = getattr(self.view, "action", "") or self.method.lower()
        return f"{self.get_tags()[0]}_{action}".replace("-", "_")


def trouble(text: str) -> OpenApiResponse:
    return OpenApiResponse(TroubleSerializer, text)


def described(parameters: Mapping[str, Any]) -> list[OpenApiParameter]:
    return [query(name, parameter.schema, parameter.about) for name, parameter in parameters.items()]


def query(name: str, schema: Mapping[str, Any], about: str) -> OpenApiParameter:
    return OpenApiParameter(name, type=dict(schema), location=OpenApiParameter.QUERY, description=about)


def of_every_list(view: Any) -> Iterable[OpenApiParameter]:  # noqa: ANN401  # a list of any table
    ways = [f"{sign}{name}" for name in view.orders for sign in ("", "-")]
    latest = [f"{sign}{name}" for name in view.orders_of_latest for sign in ("", "-")]
    about = f"기본 {view.default_order}" + (f". latest=true와 함께만: {', '.join(latest)}" if latest else "")
    yield query("ordering", {"type": "string", "enum": [*ways, *latest]}, about)
    yield query("cursor", {"type": "string", "minLength": 1}, "앞 쪽의 next에 있던 값")
    yield query(
        "limit", {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": LIMIT}, "한 쪽의 행 수"
    )
    yield query("format", {"type": "string", "enum": ["json", "csv"]}, "csv는 모든 행을 파일로 (쪽 없이)")
