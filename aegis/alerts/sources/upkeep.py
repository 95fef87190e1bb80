"""The books and the jobs: data that grows old, differences to the broker, jobs that fail, reports that do not arrive."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django_q.models import Task

from aegis.alerts.kinds import Kind
from aegis.alerts.outbox import News, Whose
from aegis.alerts.sources.lasting import close, going_on, over
from aegis.alerts.view import View
from aegis.schedules import BACKUP, FETCH, ORDERS, PRINT, REFRESH, Job, window_of
from kis.calendar import is_business_day
from kis.korean import SEOUL, number, signed
from kis.models import SyncRun
from kis.reconciliation import Check, checks_of
from reports.models import PublishedReport

#: Where to look for why.
WHERE: Final = "관리 화면의 작업 시간표(/admin/jobs/), 사이트가 있는 기기의 터미널에서는 manage.py doctor"
#: Runs and reports of before are no news.
RECENT: Final = timedelta(days=1)


# --- old data -----------------------------------------------------------------------------------------------------------


def stale(view: View) -> Iterator[News]:
    """Yield accounts whose books have not been renewed for NOTIFY_STALE_MINUTES of the trading day."""
    if view.market_at is None:
        return
    for whose in view.in_use():
        yield from stale_account(whose, view, now=view.market_at.astimezone(SEOUL))


def stale_account(whose: Whose, view: View, *, now: datetime) -> Iterator[News]:
    last = last_complete(whose)
    if last is None:  # never synced: there is nothing that could be old
        return
    limit = timedelta(minutes=settings.NOTIFY_STALE_MINUTES)
    told = going_on(Kind.STALE, whose)
    since = max(last, datetime.combine(now.date(), window_of(REFRESH).on(now.date()).opens, SEOUL))
    if now - last < limit:
        for alert in told:
            if close(alert, view):
                yield over(alert, "자료가 다시 들어옴", f"마지막 동기화 {last:%H:%M}", whose=whose)
        return
    if not is_open(now) or now - since < limit:
        return
    today = f"{now:%Y-%m-%d}"
    if any(alert.detail["day"] == today for alert in told):
        return
    for alert in told:  # of another day: told once a day
        close(alert, view)
    minutes = (now - last) // timedelta(minutes=1)
    age = f"{minutes}분 전" if last.date() == now.date() else f"{last:%m-%d %H:%M}"
    yield News(
        Kind.STALE,
        f"{whose.key}:{since:%Y%m%d%H%M}",
        "자료가 오래됨",
        f"마지막 동기화가 {age}입니다. 작업자와 증권사 연결을 확인해 주세요: {WHERE}",
        whose=whose,
        detail={"day": today},
        is_lasting=True,
    )


def is_open(now: datetime) -> bool:
    window = window_of(REFRESH).on(now.date())
    return is_business_day(now.date()) and window.opens <= now.time() <= window.closes


def last_complete(whose: Whose) -> datetime | None:
    runs = SyncRun.objects.copying().of(whose.number, is_paper=whose.is_paper)
    ended = runs.filter(status=SyncRun.Status.COMPLETE).values_list("finished_at", flat=True).first()
    return ended.astimezone(SEOUL) if ended else None


# --- differences --------------------------------------------------------------------------------------------------------


def differences(view: View) -> Iterator[News]:
    """Yield what differs from the broker since the last look, and what agrees again."""
    for whose in view.in_use():
        runs = SyncRun.objects.copying().of(whose.number, is_paper=whose.is_paper)
        run = runs.filter(status=SyncRun.Status.COMPLETE).exclude(checks=[]).first()
        if run is not None and is_recent(run.started_at, view):
            yield from differences_of(run, whose, view)


def differences_of(run: SyncRun, whose: Whose, view: View) -> Iterator[News]:
    checks = {check.name: check for check in checks_of(run.checks)}
    told = {alert.detail["check"]: alert for alert in going_on(Kind.DIFFERENCE, whose)}
    for name, check in checks.items():
        if check.difference and name not in told:
            yield difference(check, whose, day=f"{run.started_at.astimezone(SEOUL):%Y%m%d}")
        elif not check.difference and name in told and close(told[name], view):
            yield over(told[name], "대사 차이 해소", f"{name}: 증권사와 일치합니다.", whose=whose)


def difference(check: Check, whose: Whose, *, day: str) -> News:
    """Say what differs; what comes and goes within a day is told once."""
    why = f"\n관련: {check.row}" if check.row else ""
    return News(
        Kind.DIFFERENCE,
        f"{whose.key}:{day}:{check.name}",
        "대사 차이",
        f"{check.name}: 우리 {number(check.ours)}{check.unit}, 증권사 {number(check.broker)}{check.unit} "
        f"(차이 {signed(check.difference)}{check.unit}){why}",
        bare=f"{check.name}: 증권사와 다릅니다. 금액은 화면에서 확인해 주세요.",
        whose=whose,
        detail={"check": check.name},
        is_lasting=True,
    )


# --- jobs ---------------------------------------------------------------------------------------------------------------


def jobs(view: View) -> Iterator[News]:
    """Yield jobs that failed NOTIFY_JOB_FAILURES times in a row, and those that work again."""
    for whose in view.in_use():
        for job in (FETCH, REFRESH, PRINT):
            runs = SyncRun.objects.of(whose.number, is_paper=whose.is_paper)
            runs = runs.filter(job__in=[job.name, job.kind])
            ended = runs.exclude(status=SyncRun.Status.RUNNING).defer("steps", "checks")
            last = list(ended[: settings.NOTIFY_JOB_FAILURES])
            if last and is_recent(last[0].started_at, view):
                failed = [run.status != SyncRun.Status.COMPLETE for run in last]
                why = next(iter(last[0].error.splitlines()), "")
                yield from job_news(job, failed, view, key=str(last[0].pk), why=why, whose=whose)
    # These leave no run. A backup that fails is told at once: the next one is a day away.
    for job, times in ((ORDERS, settings.NOTIFY_JOB_FAILURES), (BACKUP, 1)):
        tasks = list(Task.objects.filter(func=job.task).order_by("-stopped")[:times])
        if tasks and view.at - tasks[0].stopped < RECENT:
            failed = [not task.success for task in tasks]
            yield from job_news(job, failed, view, key=str(tasks[0].pk), times=times)


def job_news(
    job: Job,
    failed: Sequence[bool],
    view: View,
    *,
    key: str,
    why: str = "",
    whose: Whose | None = None,
    times: int = 0,
) -> Iterator[News]:
    """Say that a job has failed so many `times` in a row, those of the setting unless told otherwise, or works again."""
    times = times or settings.NOTIFY_JOB_FAILURES
    told = [alert for alert in going_on(Kind.JOB, whose) if alert.detail["job"] == job.name]
    if not failed[0]:
        for alert in told:
            if close(alert, view):
                yield over(alert, f"{job.label} 작업이 다시 됨", whose=whose)
    elif all(failed) and len(failed) == times and not told:
        often = f"{times}번 이어서 " if times > 1 else ""
        yield News(
            Kind.JOB,
            f"{whose.key if whose else ''}:{job.name}:{key}",
            f"{job.label} 작업이 {often}실패함",
            f"{why}\n점검: {WHERE}".strip(),
            bare=f"점검: {WHERE}",
            whose=whose,
            detail={"job": job.name},
            is_lasting=True,
        )


# --- reports ------------------------------------------------------------------------------------------------------------


def publishing(view: View) -> Iterator[News]:
    """Yield that reports do not arrive where they are sent, once until one does."""
    for whose in view.in_use():
        reports = PublishedReport.objects.of(whose.number, is_paper=whose.is_paper)
        last = reports.filter(status__in=[PublishedReport.Status.SENT, PublishedReport.Status.FAILED]).first()
        if last is None or not is_recent(last.published_at, view):
            continue
        told = going_on(Kind.PUBLISH, whose)
        if last.status == PublishedReport.Status.FAILED and not told:
            yield News(
                Kind.PUBLISH,
                f"{whose.key}:{last.pk}",
                "리포트를 보내지 못함",
                f"{last.file_name}: {last.reason}. PDF는 이 컴퓨터에 그대로 있습니다.",
                whose=whose,
                is_lasting=True,
            )
        elif last.status == PublishedReport.Status.SENT:
            for alert in told:
                if close(alert, view):
                    yield over(alert, "리포트가 다시 보내짐", last.file_name, whose=whose)


def is_recent(moment: datetime, view: View) -> bool:
    """Return whether a moment, by either clock, lies within the last day."""
    return any(abs(clock - moment) < RECENT for clock in (view.at, view.market_at) if clock)
