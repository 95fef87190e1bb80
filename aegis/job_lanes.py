"""A day of the jobs: which slots there were, how each of them went, and when there will be another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import fmean
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.http import HttpRequest
from django_q.models import Schedule, Task

from aegis.backup.last import last_backup
from aegis.schedules import BACKUP, TIMETABLE, Job, planned, read_window
from kis.access import visible
from kis.admin_filters import JOB_NAMES, accounts_of, key_of, name_of
from kis.admin_lists import FIRST_YEAR, LAST_YEAR
from kis.calendar import is_business_day
from kis.client.codes import AccountNumber
from kis.known_secrets import hide
from kis.korean import SEOUL, masked_account
from kis.korean import day as day_text
from kis.market_clock import market_now
from kis.models import SyncRun
from kis.refresh import BY_HAND
from kis.slots import Window
from kis.sync.run import JOB as COPYING

LABELS: Final = {job.name: job.label for job in TIMETABLE}
HANDMADE: Final = "직접 실행"
#: Bars that can be told from each other are links of their own.
MOST_LINKS: Final = 60
FIRST_HOUR, LAST_HOUR = 8, 17
MOST_TROUBLES: Final = 50
REASON_LENGTH: Final = 300
#: Of a schedule that has run its last time, or was switched off by the owner.
SWITCHED_OFF: Final = 0
TROUBLED: Final = {SyncRun.Status.FAILED, SyncRun.Status.QUARANTINED, SyncRun.Status.ABANDONED}


@dataclass(frozen=True, slots=True)
class Bar:
    """A slot or a run: where it begins on the axis and how wide it is, in minutes, and what became of it."""

    left: float
    width: float
    state: str
    title: str = ""
    run_id: int | None = None

    @property
    def wide(self) -> float:
        """Return the width with a gap to the next one."""
        return max(self.width - min(self.width * 0.15, 1.0), 0.4)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What the worker did for a slot of a job without runs."""

    started: datetime
    stopped: datetime
    success: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """The slots of one account, and how long they took in words."""

    name: str
    bars: tuple[Bar, ...]
    done: int
    failed: int
    missed: int
    running: int
    took: str = ""
    link: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        return urlencode(self.link)

    @property
    def has_links(self) -> bool:
        return sum(1 for bar in self.bars if bar.run_id) <= MOST_LINKS

    @property
    def linked(self) -> list[Bar]:
        return [bar for bar in self.bars if bar.run_id] if self.has_links else []

    @property
    def shapes(self) -> list[tuple[str, str]]:
        """Return what is drawn as a whole: a class, and the path of all bars that have it."""
        paths: dict[str, list[str]] = {}
        for bar in self.bars:
            if not (self.has_links and bar.run_id):
                paths.setdefault(bar.state, []).append(f"M{bar.left:g} 2h{bar.wide:g}v16h-{bar.wide:g}z")
        return [(state, "".join(parts)) for state, parts in paths.items()]


@dataclass(frozen=True, slots=True)
class JobLanes:
    """A job with its lanes. `facts` says when it runs, when it last did, and when it will."""

    name: str
    command: str
    facts: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A run that went wrong, and why."""

    at: datetime
    job: str
    account: str
    status: str
    reason: str
    run_id: int | None


@dataclass(frozen=True, slots=True)
class JobDay:
    """The page: one axis for all lanes, from the first hour to the last."""

    day: date
    is_business_day: bool
    first_hour: int
    last_hour: int
    now_at: float | None
    jobs: tuple[JobLanes, ...]
    troubles: tuple[Trouble, ...]
    more_troubles: int

    @property
    def width(self) -> int:
        return (self.last_hour - self.first_hour) * 60

    @property
    def hours(self) -> list[str]:
        return [f"{hour:02}" for hour in range(self.first_hour, self.last_hour)]

    @property
    def title(self) -> str:
        return day_text(self.day)

    @property
    def before(self) -> date:
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date:
        return self.day + timedelta(days=1)


def day_asked_for(text: str) -> date:
    """Return the day of an address, today at the market without one. Raises ValueError."""
    if text:
        day = date.fromisoformat(text)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError(text)
        return day
    newest = SyncRun.objects.order_by("-started_at").values_list("started_at", flat=True).first()
    return (market_now() or newest or datetime.now(SEOUL)).astimezone(SEOUL).date()


def job_day(request: HttpRequest, day: date) -> JobDay:
    """Return the day as a user may see it; the same number of queries however many runs there were."""
    opened = datetime.combine(day, time.min, SEOUL)
    span = (opened, opened + timedelta(days=1))
    runs = list(
        visible(SyncRun.objects.filter(started_at__gte=span[0], started_at__lt=span[1]), request.user)
        .order_by("started_at", "pk")
        .defer("steps", "checks")
    )
    names = {
        (account.number, account.is_paper): (name_of(account), key_of(account))
        for account in accounts_of(request)
    }
    now = market_now()
    drawn = planned()
    schedules = {row.name: row for row in Schedule.objects.filter(name__in=[job.name for job in drawn])}
    tasks = tasks_of(drawn, span)
    axis = axis_of(runs, [task for job in drawn if not job.every_day for task in tasks.get(job.name, ())])
    picture = Picture(day, axis[0], now, names)
    jobs = [
        JobLanes(
            job.label,
            job.name,
            facts_of(job, schedules.get(job.name), now),
            tuple(
                picture.lanes(job, runs, schedule=schedules.get(job.name))
                if job.kind
                else picture.ticks(tasks.get(job.name, ()), last_hour=axis[1])
            ),
        )
        for job in drawn
    ]
    by_hand = [run for run in runs if run.job == BY_HAND or (run.job == COPYING and run.slot is None)]
    if by_hand:
        jobs.append(JobLanes(HANDMADE, "지금 동기화와 터미널", "", tuple(picture.runs(by_hand))))
    troubles = [
        *(picture.trouble(run) for run in runs if run.status in TROUBLED),
        *failures(request.user, span),
    ]
    troubles.sort(key=lambda trouble: trouble.at, reverse=True)
    return JobDay(
        day,
        is_business_day(day),
        *axis,
        picture.place(now) if now and span[0] <= now < span[1] else None,
        tuple(jobs),
        tuple(troubles[:MOST_TROUBLES]),
        max(len(troubles) - MOST_TROUBLES, 0),
    )


def facts_of(job: Job, schedule: Any, now: datetime | None) -> str:  # noqa: ANN401  # django-q2 comes without types
    """Say when a job runs, and when it will next."""
    usual = f"매일 {often(job)}" if job.every_day else f"{window_of(job, schedule)} {often(job)}"
    kept = last_backup() if job is BACKUP else None
    last = f"마지막 백업 {kept.at:%m-%d %H:%M}" if kept else ""
    return " · ".join(filter(None, (usual, last, coming_of(job, schedule, now))))


def often(job: Job) -> str:
    return f"{job.window.opens:%H:%M}" if job.window.every == timedelta(days=1) else f"{job.minutes}분마다"


def window_of(job: Job, schedule: Any) -> Window:  # noqa: ANN401  # as above
    """Return when a job runs: as the owner has it in the schedule, or as we would."""
    try:
        return read_window(schedule.kwargs, job) if schedule else job.window
    except ValueError:
        return job.window


def coming_of(job: Job, schedule: Any, now: datetime | None) -> str:  # noqa: ANN401  # as above
    """Say when a job runs next, as its schedule stands in the table of the worker."""
    if schedule is None:
        return "예약 없음"
    if schedule.repeats == SWITCHED_OFF:
        return "예약이 꺼져 있음"
    if now is None:
        return ""
    window = window_of(job, schedule)
    coming = window.slot_of(now) + window.every if job.every_day else window.next_slot(now)
    return f"다음 {coming.astimezone(SEOUL):%m-%d %H:%M}"


def tasks_of(jobs: Iterable[Job], span: tuple[datetime, datetime]) -> dict[str, list[Ticked]]:
    """Return what the worker did for the jobs that leave no runs; of no account, so for everybody."""
    names = [job.name for job in jobs if not job.kind]
    found = Task.objects.filter(group__in=names, started__gte=span[0], started__lt=span[1])
    ticked: dict[str, list[Ticked]] = {}
    for group, *rest in found.order_by("started").values_list("group", "started", "stopped", "success"):
        ticked.setdefault(group, []).append(Ticked(*rest))
    return ticked


def failures(user: AbstractUser | AnonymousUser, span: tuple[datetime, datetime]) -> Iterator[Trouble]:
    """Yield what failed in the worker, for those who may look at it: its words may be of any account."""
    if not user.has_perm("django_q.view_failure"):
        return
    found = Task.objects.filter(success=False, started__gte=span[0], started__lt=span[1]).order_by("-started")
    for row in found.only("group", "func", "started", "result")[:MOST_TROUBLES]:
        words = (str(row.result or "").splitlines() or [""])[0]
        yield Trouble(
            row.started,
            LABELS.get(row.group, str(row.group or row.func)),
            "작업자",
            "실패",
            hide(words)[:REASON_LENGTH] or "이유 없음",
            None,
        )


def axis_of(runs: Sequence[SyncRun], tasks: Sequence[Ticked]) -> tuple[int, int]:
    """Return the first and the last hour that something happened in, and those of the session at least."""
    hours = [
        at.astimezone(SEOUL).hour
        for at in (*(run.started_at for run in runs), *(one.started for one in tasks))
    ]
    return min([FIRST_HOUR, *hours]), min(max([LAST_HOUR, *(hour + 1 for hour in hours)]), 24)


@dataclass(frozen=True, slots=True)
class Picture:
    """Puts the runs of a day on the axis."""

    day: date
    first_hour: int
    now: datetime | None
    names: Mapping[Any, tuple[str, str]]

    def place(self, at: datetime) -> float:
        begins = datetime.combine(self.day, time(self.first_hour), SEOUL)
        return round((at - begins) / timedelta(minutes=1), 2)

    def lanes(self, job: Job, runs: Iterable[SyncRun], *, schedule: Schedule | None) -> Iterator[Lane]:
        """Yield a lane for each account that has runs of a job; slots that nobody ran stay to be seen."""
        mine = [run for run in runs if run.job == job.kind and run.slot is not None]
        is_planned = schedule is not None and schedule.repeats != SWITCHED_OFF
        is_due = is_business_day(self.day) and (mine or is_planned)
        slots = window_of(job, schedule).slots_of(self.day) if is_due else []
        for owner, of_owner in by_owner(mine, self.names if is_planned and slots else ()).items():
            of_slot = {run.slot: run for run in of_owner}
            bars = [self.bar(slot, of_slot.pop(slot, None), job) for slot in slots]
            bars += [self.bar(run.slot, run, job) for run in of_slot.values() if run.slot]
            yield self.lane(owner, bars, job.kind, took=times_text(map(duration, of_owner)))

    def bar(self, slot: datetime, run: SyncRun | None, job: Job) -> Bar:
        left, width = self.place(slot), float(job.minutes)
        if run is None:
            is_past = self.now is not None and slot + job.window.every < self.now
            return Bar(left, width, "missed" if is_past else "due", f"{slot.astimezone(SEOUL):%H:%M}")
        return Bar(left, width, state_of(run), title_of(run), run.pk)

    def runs(self, runs: Iterable[SyncRun]) -> Iterator[Lane]:
        """Yield a lane for each account with runs that have no slot, as long as they took."""
        for owner, of_owner in by_owner(runs, ()).items():
            bars = []
            for run in of_owner:
                width = max((duration(run) or timedelta()) / timedelta(minutes=1), 3.0)
                bars.append(Bar(self.place(run.started_at), width, state_of(run), title_of(run), run.pk))
            yield self.lane(owner, bars, "", took=times_text(map(duration, of_owner)))

    def ticks(self, tasks: Sequence[Ticked], *, last_hour: int) -> Iterator[Lane]:
        """Yield a lane of tasks. Those of the night are counted, and lie outside of the axis."""
        bars = [
            Bar(self.place(one.started), 1.0, "done" if one.success else "failed")
            for one in tasks
            if self.first_hour <= one.started.astimezone(SEOUL).hour < last_hour
        ]
        done = sum(one.success for one in tasks)
        if tasks:
            words = times_text(one.stopped - one.started for one in tasks)
            yield Lane("작업자", tuple(bars), done, len(tasks) - done, missed=0, running=0, took=words)

    def lane(self, owner: Any, bars: Sequence[Bar], kind: str, *, took: str) -> Lane:  # noqa: ANN401  # number and mode
        number, is_paper = owner
        name, key = self.names.get(owner, (masked_account(number.number, number.product_code), ""))
        link = {"account": key, "job": kind, "started_at__year": str(self.day.year)}
        link |= {"started_at__month": str(self.day.month), "started_at__day": str(self.day.day)}
        mode = "모의" if is_paper else "실전"
        title = name if name.startswith(mode) else f"{mode} {name}"
        states = [bar.state for bar in bars]
        counts = {state: states.count(state) for state in ("done", "failed", "missed", "running")}
        link = {word: value for word, value in link.items() if value}
        return Lane(title, tuple(bars), took=took, link=link, **counts)

    def trouble(self, run: SyncRun) -> Trouble:
        number = AccountNumber(run.account_no, run.product_code)
        name, _ = self.names.get(
            (number, run.is_paper), (masked_account(run.account_no, run.product_code), "")
        )
        return Trouble(
            run.slot or run.started_at,
            JOB_NAMES.get(run.job, run.job),
            name,
            run.get_status_display(),
            run.error[:REASON_LENGTH] or "이유가 적혀 있지 않습니다.",
            run.pk,
        )


def by_owner(runs: Iterable[SyncRun], at_least: Iterable[Any]) -> dict[Any, list[SyncRun]]:
    found: dict[Any, list[SyncRun]] = {owner: [] for owner in at_least}
    for run in runs:
        found.setdefault((AccountNumber(run.account_no, run.product_code), run.is_paper), []).append(run)
    return found


def duration(run: SyncRun) -> timedelta | None:
    return run.finished_at - run.started_at if run.finished_at else None


def times_text(times: Iterable[timedelta | None]) -> str:
    """Say how long runs took that have ended, blank where none has."""
    seconds = [each.total_seconds() for each in times if each is not None]
    if not seconds:
        return ""
    if len(seconds) == 1:
        return f"{seconds[0]:.1f}초"
    return f"평균 {fmean(seconds):.1f}초, 최장 {max(seconds):.1f}초"


def state_of(run: SyncRun) -> str:
    if run.status in TROUBLED:
        return "failed"
    return "running" if run.status == SyncRun.Status.RUNNING else "done"


def title_of(run: SyncRun) -> str:
    at = (run.slot or run.started_at).astimezone(SEOUL)
    seconds = times_text([duration(run)])
    return " ".join(filter(None, (f"{at:%H:%M}", run.get_status_display(), seconds)))
