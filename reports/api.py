"""The figures of the dashboard as JSON: what page and PDF show, under `/api/v1/dashboard`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any, Final

from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from kis.accounts import Account
from kis.api import parameters
from kis.api.errors import BadParameter
from kis.api.parameters import MODES, Parameter, given, one_of, read_account
from kis.api.views import Private
from kis.models import KisAccount
from kis.portfolio.unknown import Unknown
from reports.access import may_see
from reports.figures import Broken
from reports.live import NoAccount, accounts_to_show, choose, glance_at, load
from reports.moments import MomentUnreadable, read_moment
from reports.queries import NoSnapshot

#: How many decimals are shown; what is neither a share nor a rate keeps those it has, up to four.
SHARES: Final = Decimal("0.1")
RATES: Final = Decimal("0.01")
OTHERS: Final = Decimal("0.0001")


class DashboardView(Private):
    """Everything that one dashboard says, of the last snapshot or of the last one at `as_of`."""

    model = KisAccount
    #: For the schema.
    about = {
        "": "대시보드 하나의 모든 숫자. 마지막 스냅샷의 것, 또는 as_of에 있던 것. 화면과 PDF의 숫자와 같습니다."
    }
    described = {
        "account": parameters.account(),
        "mode": parameters.mode(),
        "as_of": Parameter(
            read_moment, lambda rows, _moment: rows, about="이 시각의 대시보드. 예: 2025-06-16 14:20"
        ),
    }
    answers = {"": {200: {"type": "object"}}}

    def get(self, request: Request) -> Response:
        values = given(request.query_params, ["account", "mode", "as_of", api_settings.URL_FORMAT_OVERRIDE])
        if not may_see(request.user):
            self.permission_denied(request)
        try:
            as_of = read_moment(values["as_of"], name="as_of") if "as_of" in values else None
        except MomentUnreadable as error:
            raise BadParameter("as_of", str(error)) from None
        account = account_of(request, values)
        glance = glance_at(account, as_of=as_of)
        tag = quote_etag(glance.etag)
        if unchanged := get_conditional_response(request, etag=tag):
            response = Response(status=unchanged.status_code)
        else:
            try:
                dashboard = load(account, glance, as_of=as_of)
            except NoSnapshot:
                raise NotFound from None
            response = Response({"name": account.label, **as_json(dashboard)})
        response["ETag"] = tag
        patch_vary_headers(response, ["Cookie", "Authorization"])
        return response


def account_of(request: Request, values: Mapping[str, str]) -> Account:
    """Return the account that is meant, by its name or as the first of a mode. Raises BadParameter or NotFound."""
    accounts = accounts_to_show(request.user)
    try:
        if "account" in values:
            accounts = [read_account(values["account"], among=accounts)]
        if "mode" in values:
            is_paper = one_of(MODES)(values["mode"])
            named = accounts if "account" in values else []
            accounts = [account for account in accounts if account.is_paper == is_paper]
            if named and not accounts:
                raise BadParameter("mode", f"{named[0].label} 계좌의 모드는 {named[0].mode}입니다.")
    except ValueError as error:
        raise BadParameter("account" if "account" in values else "mode", str(error)) from None
    try:
        return choose(accounts, "")
    except NoAccount:
        raise NotFound from None


def as_json(value: object, name: str = "") -> Any:  # noqa: ANN401  # whatever JSON can hold
    """Write figures as JSON: won and counts as numbers, rates and shares as text with the decimals that are shown.

    A moment has its zone, an age is in seconds, and what is unknown is null. A part that could not be made is an `error`.
    """
    if isinstance(value, Unknown):
        return None
    if isinstance(value, Broken):
        return {"error": value.sentence}
    if is_dataclass(value):
        return {field.name: as_json(getattr(value, field.name), field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item, str(key)) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(item, name) for item in value]
    return _plain(value, name)


def _plain(value: object, name: str) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return _decimal(value, name)
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return value


def _decimal(value: Decimal, name: str) -> str:
    if name.endswith("_pct"):
        return str(value.quantize(RATES, ROUND_HALF_UP))
    if name.endswith("weight"):
        return str(value.quantize(SHARES, ROUND_HALF_UP))
    exponent = value.as_tuple().exponent
    is_long = isinstance(exponent, int) and exponent < OTHERS.as_tuple().exponent  # type: ignore[operator]
    return str(value.quantize(OTHERS, ROUND_HALF_UP) if is_long else value)
