"""The figures of `/metrics`: what the tables say at the moment somebody asks, so that any process gives the same answer.

No amounts and no account numbers. What counts up does so from midnight in Seoul on; to Prometheus that is a counter that
has been started anew. What nobody knows has no sample, and is never zero.
"""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, Literal

import django
from django.conf import settings
from django.db import connection
from django.db.models import Count, DurationField, ExpressionWrapper, F, Max, Min, Q, Sum
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule

from aegis.alerts.models import Alert, AlertDelivery
from aegis.backup.last import age
from aegis.schedules import OURS
from aegis.watching.ages import Books, books_of_accounts
from ai.models import Diagnosis
from kis.client.codes import AccountNumber, Mode
from kis.korean import SEOUL
from kis.market_clock import market_now
from kis.models import FeedLease, SyncRun
from reports.models import PublishedReport
from trading import kill_switch
from trading.models import PendingOrder
from trading.states import UNSETTLED, State

if TYPE_CHECKING:
    from prometheus_client import Metric

#: Older runs of a job say nothing about how it goes.
LATELY: Final = timedelta(days=7)
MODES: Final[tuple[Mode, Mode]] = ("real", "paper")
#: The step of a run that lays out and writes the PDF.
PRINT: Final = "print"
#: Numbers by the values of their labels.
Samples = dict[tuple[str | int, ...], float]


@dataclass(frozen=True, slots=True)
class Moments:
    """Now and the midnight before it, by the clock of this machine and by that of the market."""

    now: datetime
    market: datetime

    @property
    def midnight(self) -> datetime:
        return midnight_before(self.now)

    @property
    def market_midnight(self) -> datetime:
        return midnight_before(self.market)


def midnight_before(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(SEOUL).date(), time.min, SEOUL)


def exposition() -> tuple[bytes, str]:
    """Return the text for Prometheus and its content type."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415  # for those who ask only
    from prometheus_client.exposition import CONTENT_TYPE_LATEST  # noqa: PLC0415
    from prometheus_client.registry import Collector  # noqa: PLC0415

    found = list(metrics(timezone.now()))

    class Found(Collector):
        def collect(self) -> list["Metric"]:
            return found

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Found())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def metrics(now: datetime) -> "Iterator[Metric]":
    """Yield every figure there is, with a fixed number of queries for all of them."""
    moments = Moments(now, market_now() or now)
    books = books_of_accounts()
    yield build()
    yield from ages(books)
    yield from runs(moments)
    yield from last_runs(moments, books)
    yield from orders(now)
    yield from worker(moments)
    yield from reports(moments, books)
    yield from advice(moments)
    yield from alerts(now)
    feeds = FeedLease.objects.filter(lease_until__gt=now).count()
    yield gauge("feeds", "Realtime feeds of fills that some process listens to.", {(): feeds})
    yield from backup(now)
    yield gauge("database_size_bytes", "Size of the database.", {(): database_size()})


# --- shapes ----------------------------------------------------------------------------------------------------------


def gauge(name: str, text: str, samples: Mapping[Any, float], labels: Sequence[str] = ()) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

    family = GaugeMetricFamily(f"aegis_{name}", text, labels=labels)
    for values, number in samples.items():
        family.add_metric([str(value) for value in values], number)
    return family


def counter(name: str, text: str, samples: Mapping[Any, float], labels: Sequence[str] = ()) -> "Metric":
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415

    family = CounterMetricFamily(f"aegis_{name}", f"{text} Since midnight in Seoul.", labels=labels)
    for values, number in samples.items():
        family.add_metric([str(value) for value in values], number)
    return family


def mode_of(is_paper: bool) -> Mode:
    return MODES[is_paper]


# --- the figures -----------------------------------------------------------------------------------------------------


def build() -> "Metric":
    """Say what is running; the value is always 1."""
    values = (own_version(), platform.python_version(), django.get_version(), connection.vendor)
    names = ("version", "python", "django", "database", "demo")
    return gauge("build_info", "What is running.", {(*values, str(settings.AEGIS_DEMO).lower()): 1}, names)


def own_version() -> str:
    """Return the version of the project, which a clone says in its own file."""
    try:
        return version("aegis")
    except PackageNotFoundError:
        import tomllib  # noqa: PLC0415  # for those who ask only

        text = (settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"]["version"])


def ages(books: Sequence[Books]) -> "Iterator[Metric]":
    """Yield how old the books of each account are."""
    labels = ("mode", "account")
    yield gauge(
        "snapshot_timestamp_seconds",
        "When the newest snapshot of an account was taken, by the market's clock.",
        {(row.mode, row.index): row.as_of.timestamp() for row in books if row.as_of},
        labels,
    )
    yield gauge(
        "snapshot_age_seconds",
        "Age of the newest snapshot of an account.",
        {(row.mode, row.index): row.age.total_seconds() for row in books if row.age is not None},
        labels,
    )
    yield gauge(
        "snapshot_late",
        "Whether the timetable would have had a younger snapshot by now.",
        {(row.mode, row.index): row.is_late for row in books if row.is_late is not None},
        labels,
    )


def runs(moments: Moments) -> "Iterator[Metric]":
    """Yield what the runs of jobs came to today, and when each job was last done; one query."""
    from prometheus_client.core import SummaryMetricFamily  # noqa: PLC0415

    today = Q(started_at__gte=moments.market_midnight)
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    rows = list(
        SyncRun.objects.filter(started_at__gte=moments.market_midnight - LATELY)
        .order_by()
        .values("job", "is_paper", "status")
        .annotate(
            count=Count("pk", filter=today),
            seconds=Sum(took, filter=today),
            longest=Max(took, filter=today),
            requests=Sum("requests", filter=today, default=0),
            refused=Sum("rate_limited", filter=today, default=0),
            last=Max("finished_at"),
        )
    )
    labels = ("job", "mode", "status")
    key = {id(row): (row["job"], mode_of(row["is_paper"]), row["status"]) for row in rows}
    yield counter("runs", "Runs of jobs.", {key[id(row)]: row["count"] for row in rows}, labels)
    seconds = SummaryMetricFamily(
        "aegis_run_seconds", "How long runs took. Since midnight in Seoul.", labels=labels
    )
    for row in rows:
        if row["seconds"] is not None:
            seconds.add_metric(
                key[id(row)], count_value=row["count"], sum_value=row["seconds"].total_seconds()
            )
    yield seconds
    yield gauge(
        "run_longest_seconds",
        "The longest run of today.",
        {key[id(row)]: row["longest"].total_seconds() for row in rows if row["longest"] is not None},
        labels,
    )
    yield gauge(
        "run_last_timestamp_seconds",
        "When a run last ended so, within a week.",
        {key[id(row)]: row["last"].timestamp() for row in rows if row["last"]},
        labels,
    )
    columns: Sequence[tuple[str, str, Literal["requests", "refused"]]] = (
        ("broker_requests", "Calls to the broker.", "requests"),
        ("broker_rate_limited", "Calls that the broker refused as too many.", "refused"),
    )
    for name, text, column in columns:
        by_job: Samples = {}
        for row in rows:
            job = key[id(row)][:2]
            by_job[job] = by_job.get(job, 0) + row[column]
        yield counter(name, text, by_job, ("job", "mode"))


def last_runs(moments: Moments, books: Sequence[Books]) -> "Iterator[Metric]":
    """Yield what the last complete run of each job and account has found; one query."""
    whose = ("account_no", "product_code", "is_paper")
    newest = (
        SyncRun.objects.filter(
            started_at__gte=moments.market_midnight - LATELY, status=SyncRun.Status.COMPLETE
        )
        .order_by()
        .values("job", *whose)
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    index = {(row.number, row.mode): row.index for row in books}
    differences: Samples = {}
    printing: Samples = {}
    for row in (
        SyncRun.objects.filter(pk__in=newest)
        .order_by()
        .values("job", *whose, "differences", "checks", "steps")
    ):
        mode = mode_of(row["is_paper"])
        account = index.get((AccountNumber(row["account_no"], row["product_code"]), mode))
        if account is None:
            continue
        if row["checks"]:
            differences[mode, account, row["job"]] = row["differences"]
        for step in row["steps"]:
            if step["name"] == PRINT:
                printing[mode, account] = step["seconds"]
    yield gauge(
        "reconciliation_differences",
        "Items on which our books and the broker's differ, in the last run that compared them.",
        differences,
        ("mode", "account", "job"),
    )
    yield gauge(
        "pdf_render_seconds", "How long the last dashboard took to print.", printing, ("mode", "account")
    )


def orders(now: datetime) -> "Iterator[Metric]":
    """Yield how many orders stand where, and for how long their outcome is unknown; two queries."""
    rows = list(
        PendingOrder.objects.order_by()
        .values("is_paper", "status")
        .annotate(count=Count("pk"), oldest=Min("claimed_at"))
    )
    counts = {(mode_of(row["is_paper"]), row["status"]): row for row in rows}
    shown = {
        (mode, state.value): counts[mode, state.value]["count"] if (mode, state.value) in counts else 0
        for mode in MODES
        for state in State
    }
    yield gauge("orders", "Orders made here, by where they stand.", shown, ("mode", "status"))
    oldest = {
        (mode,): max(
            (
                (now - counts[mode, state]["oldest"]).total_seconds()
                for state in UNSETTLED
                if (mode, state) in counts and counts[mode, state]["oldest"]
            ),
            default=0.0,
        )
        for mode in MODES
    }
    yield gauge(
        "order_unknown_age_seconds",
        "For how long the outcome of the oldest order is not known; 0 where all are.",
        oldest,
        ("mode",),
    )
    yield gauge("kill_switch", "Whether orders are stopped.", {(): kill_switch.read().is_on})


def worker(moments: Moments) -> "Iterator[Metric]":
    """Yield how the worker keeps up; three queries."""
    now = moments.now
    waiting = {
        row["key"]: row
        for row in OrmQ.objects.order_by()
        .values("key")
        .annotate(
            waiting=Count("pk", filter=Q(lock__lte=now)),
            taken=Count("pk", filter=Q(lock__gt=now)),
            oldest=Min("lock", filter=Q(lock__lte=now)),
        )
    }
    for queue in settings.QUEUES:
        waiting.setdefault(queue, {"waiting": 0, "taken": 0, "oldest": None})
    lengths: Samples = {}
    for queue, row in waiting.items():
        lengths[queue, "waiting"], lengths[queue, "taken"] = row["waiting"], row["taken"]
    yield gauge(
        "queue_tasks", "Tasks that wait for a worker, and that one has taken.", lengths, ("queue", "state")
    )
    yield gauge(
        "queue_oldest_seconds",
        "For how long the oldest task has been waiting.",
        {
            (queue,): (now - row["oldest"]).total_seconds() if row["oldest"] else 0.0
            for queue, row in waiting.items()
        },
        ("queue",),
    )
    planned = Schedule.objects.filter(name__startswith=OURS).exclude(repeats=0).order_by()
    yield gauge(
        "schedule_late_seconds",
        "For how long the next tick of a job has been due.",
        {
            (name,): max((now - due).total_seconds(), 0.0)
            for name, due in planned.values_list("name", "next_run")
            if due
        },
        ("job",),
    )
    failed = Failure.objects.filter(stopped__gte=moments.midnight).order_by().values_list("func")
    yield counter(
        "task_failures",
        "Tasks that ended with an error.",
        {(func,): count for func, count in failed.annotate(count=Count("pk"))},
        ("task",),
    )


def reports(moments: Moments, books: Sequence[Books]) -> "Iterator[Metric]":
    """Yield how old the printed dashboards are, and what became of sending them; one query."""
    today = Q(published_at__gte=moments.midnight)
    rows = list(
        PublishedReport.objects.order_by()
        .values("account_no", "product_code", "is_paper", "status")
        .annotate(
            count=Count("pk", filter=today),
            seconds=Sum("seconds", filter=today, default=0.0),
            newest=Max("published_at"),
        )
    )
    index = {(row.number, row.mode): row.index for row in books}
    made: Samples = {}
    results: Samples = {}
    seconds: Samples = {}
    for row in rows:
        mode = mode_of(row["is_paper"])
        account = index.get((AccountNumber(row["account_no"], row["product_code"]), mode))
        if account is not None:
            made[mode, account] = max(made.get((mode, account), 0), row["newest"].timestamp())
        key = (mode, row["status"])
        results[key] = results.get(key, 0) + row["count"]
        seconds[key] = seconds.get(key, 0) + row["seconds"]
    labels = ("mode", "account")
    yield gauge("pdf_timestamp_seconds", "When the newest dashboard was printed.", made, labels)
    now = moments.now.timestamp()
    yield gauge(
        "pdf_age_seconds",
        "Age of the newest printed dashboard.",
        {key: max(now - at, 0) for key, at in made.items()},
        labels,
    )
    yield counter("published", "Files by what became of them.", results, ("mode", "result"))
    yield counter("publishing_seconds", "Time spent sending files.", seconds, ("mode", "result"))


def advice(moments: Moments) -> "Iterator[Metric]":
    """Yield what a model was asked today, and what it has used of its budget; one query."""
    rows = list(
        Diagnosis.objects.asked()
        .filter(asked_at__gte=moments.midnight)
        .order_by()
        .values("status", "reason")
        .annotate(count=Count("pk"), sent=Sum("tokens_in", default=0), received=Sum("tokens_out", default=0))
    )
    yield counter(
        "ai_requests",
        "Questions to a model, by how they ended.",
        {(row["status"], row["reason"]): row["count"] for row in rows},
        ("status", "reason"),
    )
    tokens: Samples = {
        ("in",): sum(row["sent"] for row in rows),
        ("out",): sum(row["received"] for row in rows),
    }
    yield counter("ai_tokens", "Tokens sent to a model and received.", tokens, ("direction",))
    yield gauge("ai_daily_tokens", "Tokens a day may use.", {(): settings.AI_DAILY_TOKENS})


def alerts(now: datetime) -> "Iterator[Metric]":
    """Yield what is to be told to the owner and has not been, and what is going on; two queries."""
    rows = {
        row["status"]: row
        for row in AlertDelivery.objects.order_by()
        .values("status")
        .annotate(count=Count("pk"), due=Min("due_at"))
    }
    shown: Samples = {
        (status,): rows[status]["count"] if status in rows else 0 for status in AlertDelivery.Status.values
    }
    yield gauge("alert_deliveries", "Alerts on their way to a destination, by status.", shown, ("status",))
    waiting = rows.get(AlertDelivery.Status.WAITING)
    yield gauge(
        "alert_late_seconds",
        "For how long the oldest alert that waits has been due.",
        {(): max((now - waiting["due"]).total_seconds(), 0.0) if waiting else 0.0},
    )
    going_on = Alert.objects.filter(is_lasting=True, ended_at__isnull=True).order_by().values_list("kind")
    yield gauge(
        "alerts_going_on",
        "Troubles that were told and are not over.",
        {(kind,): count for kind, count in going_on.annotate(count=Count("pk"))},
        ("kind",),
    )


def backup(now: datetime) -> "Iterator[Metric]":
    """Yield the age of the newest backup where this machine sees the folder; another one may."""
    try:
        old = age(now)
    except OSError:
        old = None
    samples = {} if old is None else {(): max(old.total_seconds(), 0.0)}
    yield gauge("backup_age_seconds", "Age of the newest backup in the folder of this machine.", samples)


def database_size() -> float:
    statement: Any = (
        "SELECT pg_database_size(current_database())"
        if connection.vendor == "postgresql"
        else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return float(cursor.fetchone()[0])
