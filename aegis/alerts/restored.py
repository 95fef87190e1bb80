"""What becomes of alerts when the books are those of a backup: what waited then may have been sent since, by the site of before."""

from datetime import datetime
from typing import Final

from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert, AlertDelivery

Status = AlertDelivery.Status
RESTORED_KEY: Final = f"{Kind.START}:restored"
WITHHELD: Final = "백업에서 되살린 알림이라 보내지 않았습니다. 백업한 뒤에 이미 보냈을 수 있습니다."


def withhold_restored(*, at: datetime) -> int:
    """Send nothing of what waited or was on its way when the backup was made; returns how many messages that are.

    Nobody knows any more which of them arrived: they stay in the outbox, to be read there. The moment is noted, so that
    what comes from the broker once more can say that it may have been told before.
    """
    Alert.objects.update_or_create(
        dedup_key=RESTORED_KEY,
        defaults={"kind": Kind.START, "title": "백업에서 되살림", "created_at": at},
    )
    return AlertDelivery.objects.filter(status__in=[Status.WAITING, Status.SENDING]).update(
        status=Status.WITHHELD, error=WITHHELD
    )
