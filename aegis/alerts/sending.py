"""Send what waits in the outbox: claimed in the database, handed over once, and written down.

A claim is committed before anything is sent. Where the sender dies in between, nobody knows whether the message has
arrived: after `LEASE` it is sent again, saying so, as is one that a service did not take. An alert that is missed costs
the owner more than one that he reads twice, knowingly. After `MOST_ATTEMPTS` it is left alone: FAILED where the service
said no, UNKNOWN where the last sender was lost.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from aegis.alerts.destinations import Destination, destinations
from aegis.alerts.models import AlertDelivery
from aegis.alerts.outbox import due
from aegis.alerts.transport import deliver
from kis.korean import SEOUL

Status = AlertDelivery.Status
#: Longer than any service is waited for.
LEASE: Final = timedelta(minutes=5)
MOST_ATTEMPTS: Final = 5
#: Before the second attempt, the third, …
PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
#: Of one message: Telegram takes 4,096 letters, Slack shows about 3,000.
MOST_LETTERS: Final = 2_800
MOST_ALERTS: Final = 40
#: What waits for a destination that is not in the settings any more is given up.
KEPT_FOR_MISSING: Final = timedelta(days=1)
AGAIN: Final = "(다시 보냄: 앞서 보낸 것이 도착했는지 알 수 없습니다)"
LOST: Final = "보내던 프로그램이 멈춰 도착했는지 알 수 없습니다."
GONE: Final = "이 대상은 설정(NOTIFY_URLS)에 더 이상 없습니다."

Deliver = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message: how many alerts were in it, and why it did not arrive."""

    service: str
    alerts: int
    error: str = ""

    def __str__(self) -> str:
        return f"{self.service}: 알림 {self.alerts}건 " + (f"못 보냄. {self.error}" if self.error else "보냄")


def send_due(*, at: datetime, hand_over: Deliver = deliver) -> list[Sent]:
    """Send everything that is due, one message for all alerts of a destination as far as they fit into one."""
    give_up(at=at)
    return [
        sent for destination in destinations() for sent in send_to(destination, at=at, hand_over=hand_over)
    ]


def send_to(destination: Destination, *, at: datetime, hand_over: Deliver) -> Iterator[Sent]:
    """Send what is due at one destination; one that does not take a message is left alone until the next time."""
    while rows := claim(destination, at=at):
        title, text = message(rows, at=at)
        error = hand_over(destination.url, title=title, text=text)
        record(rows, error=error, at=at)
        yield Sent(destination.service, len(rows), error)
        if error:
            return


def ready(at: datetime) -> QuerySet[AlertDelivery]:
    """Return what may be claimed: what waits and is due, and what nobody came back from."""
    return AlertDelivery.objects.filter(
        Q(status=Status.WAITING, due_at__lte=at) | Q(status=Status.SENDING, claimed_at__lt=at - LEASE),
        attempts__lt=MOST_ATTEMPTS,
    )


def claim(destination: Destination, *, at: datetime) -> list[AlertDelivery]:
    """Make this process the one that sends the next message to a destination, durably; returns what goes into it."""
    mine = ready(at).filter(destination=destination.key)
    waiting = mine.select_related("alert").order_by("-alert__is_urgent", "alert__created_at", "pk")
    picked = fitting(list(waiting[:MOST_ALERTS]))
    if not picked:
        return []
    token = uuid.uuid4().hex
    with transaction.atomic(durable=True):
        mine.filter(pk__in=[row.pk for row in picked]).update(
            status=Status.SENDING, claimed_at=at, claim=token, attempts=F("attempts") + 1, error=""
        )
    claimed = AlertDelivery.objects.filter(claim=token).select_related("alert")
    return list(claimed.order_by("-alert__is_urgent", "alert__created_at", "pk"))


def fitting(rows: Sequence[AlertDelivery]) -> list[AlertDelivery]:
    """Return the first rows that fit into one message, at least one."""
    found: list[AlertDelivery] = []
    letters = 0
    for row in rows:
        letters += len(row.alert.title) + len(row.alert.text) + 20
        if found and letters > MOST_LETTERS:
            break
        found.append(row)
    return found


def message(rows: Sequence[AlertDelivery], *, at: datetime) -> tuple[str, str]:
    """Return title and text of the message of these alerts."""
    name = "AEGIS 데모" if settings.AEGIS_DEMO else "AEGIS"
    again = f"{AGAIN}\n" if any(row.attempts > 1 for row in rows) else ""
    if len(rows) == 1:
        alert = rows[0].alert
        return f"[{name}] {alert.title}", again + "\n".join(
            filter(None, [alert.text, moment(alert.created_at, at=at)])
        )
    urgent = sum(row.alert.is_urgent for row in rows)
    title = f"[{name}] 알림 {len(rows)}건" + (f" (긴급 {urgent}건)" if urgent else "")
    parts = [
        f"● {moment(row.alert.created_at, at=at)} {row.alert.title}"
        + (f"\n{row.alert.text}" if row.alert.text else "")
        for row in rows
    ]
    return title, again + "\n".join(parts)


def moment(when: datetime, *, at: datetime) -> str:
    """Write when an alert came up, with its day where that is not today."""
    local, today = when.astimezone(SEOUL), at.astimezone(SEOUL).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%m-%d %H:%M}"


def record(rows: Sequence[AlertDelivery], *, error: str, at: datetime) -> None:
    """Write down what became of a message, for the rows that are still ours."""
    mine = AlertDelivery.objects.filter(claim=rows[0].claim, status=Status.SENDING)
    if not error:
        mine.update(status=Status.SENT, sent_at=at, error="")
        return
    for row in rows:
        if row.attempts >= MOST_ATTEMPTS:
            mine.filter(pk=row.pk).update(status=Status.FAILED, error=error)
        else:
            later = due(at + PAUSES[row.attempts - 1], is_urgent=row.alert.is_urgent)
            mine.filter(pk=row.pk).update(status=Status.WAITING, due_at=later, error=error)


def give_up(*, at: datetime) -> None:
    """Leave alone what was lost too often, and what waits for a destination that is gone."""
    AlertDelivery.objects.filter(
        status=Status.SENDING, claimed_at__lt=at - LEASE, attempts__gte=MOST_ATTEMPTS
    ).update(status=Status.UNKNOWN, error=LOST)
    AlertDelivery.objects.filter(
        status__in=[Status.WAITING, Status.SENDING], due_at__lt=at - KEPT_FOR_MISSING
    ).exclude(destination__in=[destination.key for destination in destinations()]).update(
        status=Status.FAILED, error=GONE
    )
