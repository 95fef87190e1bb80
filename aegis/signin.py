"""Who knocks too often at the sign-in: every try is counted before a password is compared.

The rows are those of django-axes, which looks first and counts afterwards: of a thousand who come at once it would let
all look. Here a try is written down and committed first, and only those that find room are compared.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, Sum, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  # stands for nobody's address; nothing listens there
#: Whoever has one IPv6 address has all of its last half.
IPV6_HOME = 64


@dataclass(frozen=True, slots=True)
class Tier:
    """So many tries for the same columns, then a rest."""

    columns: tuple[str, ...]
    most: int
    rest: timedelta


#: A name from one address is soon shut out there; an address that tries many names, for longer. A name is never shut out
#: everywhere: anybody could keep its owner away.
TIERS = (
    Tier(("username", "ip_address"), most=5, rest=timedelta(minutes=15)),
    Tier(("ip_address",), most=20, rest=timedelta(hours=1)),
)
#: After it no tier looks at a try any more.
LONGEST_REST = max(tier.rest for tier in TIERS)


class CountFirst(AxesDatabaseHandler):  # type: ignore[misc]  # comes without types
    """Counts in one statement what will be compared, so that no more are compared than there is room for."""

    def is_allowed(self, request: Any, credentials: Any = None) -> bool:  # noqa: ANN401  # as axes calls it
        if self.is_locked(request, credentials):
            return False
        self.count(request, credentials)
        # Everybody has written his own try by now: whoever finds one too many is not among the first.
        return all(
            tries <= tier.most for tier, tries in self.tries(request, credentials, at=timezone.now()).items()
        )

    def is_locked(self, request: Any, credentials: Any = None) -> bool:  # noqa: ANN401
        return any(
            tries >= tier.most for tier, tries in self.tries(request, credentials, at=timezone.now()).items()
        )

    def get_failures(self, request: Any, credentials: Any = None) -> int:  # noqa: ANN401
        return max(self.tries(request, credentials, at=timezone.now()).values())

    def tries(self, request: Any, credentials: Any, *, at: datetime) -> dict[Tier, int]:  # noqa: ANN401
        return {
            tier: attempts_of(tier, request, credentials, at=at).aggregate(n=Sum("failures_since_start"))["n"]
            or 0
            for tier in TIERS
        }

    def count(self, request: Any, credentials: Any) -> None:  # noqa: ANN401
        """Write one more try down, as the first one where the last is long ago."""
        at = timezone.now()
        with transaction.atomic(durable=True):
            attempt, _ = AccessAttempt.objects.get_or_create(
                username=get_client_username(request, credentials),
                ip_address=request.axes_ip_address,
                user_agent=request.axes_user_agent.replace("\0", ""),
                defaults={"failures_since_start": 0, "path_info": request.axes_path_info.replace("\0", "")},
            )
            AccessAttempt.objects.filter(pk=attempt.pk).update(
                failures_since_start=Case(
                    When(attempt_time__lt=at - TIERS[0].rest, then=Value(1)),
                    default=F("failures_since_start") + 1,
                ),
                attempt_time=at,
            )

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **signal: Any) -> None:  # noqa: ANN401, ARG002
        """Shut the door where that was the last try; it has been counted already."""
        if request is not None and self.is_locked(request, credentials):
            request.axes_locked_out = True
            request.axes_credentials = credentials
            AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - LONGEST_REST).delete()

    def reset_user_attempts(self, request: Any, credentials: Any = None) -> int:  # noqa: ANN401
        """Forget the tries of whoever has signed in, and those alone: others of the same address stay counted."""
        deleted, _ = attempts_of(TIERS[0], request, credentials, at=None).delete()
        return int(deleted)


def attempts_of(
    tier: Tier,
    request: Any,  # noqa: ANN401  # with what axes has noted on it
    credentials: Any,  # noqa: ANN401
    *,
    at: datetime | None,
) -> QuerySet[AccessAttempt]:
    """Return the rows that a tier adds up, without those that are too old where there is a moment to tell."""
    values = {"username": get_client_username(request, credentials), "ip_address": request.axes_ip_address}
    rows: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(
        **{column: values[column] for column in tier.columns}
    )
    return rows if at is None else rows.filter(attempt_time__gte=at - tier.rest)


def minutes_left(request: Any, credentials: Any, *, at: datetime) -> int:  # noqa: ANN401  # as axes hands them on
    """Return in how many minutes the next try will be looked at."""
    ends = [at]
    for tier in TIERS:
        rows = attempts_of(tier, request, credentials, at=at)
        if (rows.aggregate(n=Sum("failures_since_start"))["n"] or 0) >= tier.most:
            ends.append(rows.latest("attempt_time").attempt_time + tier.rest)
    return max(-(-(max(ends) - at) // timedelta(minutes=1)), 1)


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any = None) -> HttpResponse:  # noqa: ANN401, ARG001  # as axes calls it
    """Say that nothing was compared, and when to come back."""
    minutes = minutes_left(request, credentials, at=timezone.now())
    answer = render(request, "locked_out.html", {"minutes": minutes}, status=429)
    answer["Retry-After"] = str(minutes * 60)
    return answer


def client_address(request: HttpRequest) -> str:
    """Return where a request comes from: the last address that a proxy of ours has seen, never what a client says."""
    seen = request.META.get("REMOTE_ADDR", "")
    if settings.AEGIS_HTTPS:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= settings.AEGIS_PROXY_COUNT:
            seen = hops[-settings.AEGIS_PROXY_COUNT]
    try:
        address = ip_address(seen)
    except ValueError:
        return UNKNOWN_ADDRESS
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, IPV6_HOME), strict=False).network_address)
    return str(address)
