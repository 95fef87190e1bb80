"""Things that begin and end: told when they begin, and once more when they are over."""

from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert
from aegis.alerts.outbox import News, Whose
from aegis.alerts.view import View


def going_on(kind: Kind, whose: Whose | None = None) -> list[Alert]:
    """Return what has been told of a kind and is not over, the oldest first."""
    alerts = Alert.objects.going_on(kind)
    if whose:
        alerts = alerts.of(whose.number, is_paper=whose.is_paper)
    return list(alerts.order_by("pk"))


def close(alert: Alert, view: View) -> bool:
    """Note that something is over; false where somebody else has."""
    return Alert.objects.filter(pk=alert.pk, ended_at__isnull=True).update(ended_at=view.at) == 1


def over(alert: Alert, title: str, text: str = "", *, whose: Whose | None = None) -> News:
    """Return the news that something is over; it need not wake anybody."""
    return News(Kind(alert.kind), f"over:{alert.pk}", title, text, whose=whose, is_urgent=False)
