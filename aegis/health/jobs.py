"""Scheduled work: is it planned, does somebody do it, and how old are the books."""

import shlex
from datetime import datetime, time, timedelta

from django.core.management import get_commands
from django.db.models import Min
from django_q.models import OrmQ, Schedule, Task
from django_q.status import Stat

from aegis.health.case import Case, Result, fine, problem, skipped, warning
from kis.calendar import business_day_before, hour_on, is_business_day
from kis.korean import SEOUL
from kis.models import SyncRun

LATE = timedelta(minutes=10)
QUIET = timedelta(hours=2)
#: While the market trades, books older than this are old.
OLD = timedelta(minutes=60)
TRADING = time(9, 30), time(15, 30)


def schedules(case: Case) -> Result:
    """See whether the timetable is there and not behind."""
    if case.demo:
        return skipped("데모에서는 예약하지 않습니다.")
    planned = Schedule.objects.exclude(repeats=0)  # those with 0 have run their last time
    count = planned.count()
    if not count:
        how = (
            "manage.py sync_schedules"
            if "sync_schedules" in get_commands()
            else f"cron에 등록해 주세요: manage.py sync_kis_data --mode {case.mode}"
        )
        return warning("예약된 작업이 없습니다. 직접 실행할 때만 동기화합니다.", how)
    late = planned.filter(next_run__lt=case.now() - LATE).count()
    if late:
        return problem(
            f"예약 {count}개 가운데 {late}개가 시각이 지났는데 실행되지 않았습니다.",
            "작업자가 켜져 있는지 확인해 주세요: make run",
        )
    return fine(f"예약 {count}개가 제때 실행되고 있습니다.")


def worker(case: Case) -> Result:
    """See whether somebody takes the work.

    Heartbeats show only in a cache that processes share, so the traces of work count too.
    """
    beats = Stat.get_all()
    if beats:
        return fine(f"작업자 {len(beats)}개가 움직이고 있습니다.")
    oldest = OrmQ.objects.aggregate(oldest=Min("lock"))["oldest"]
    if oldest and oldest < case.now() - LATE:
        return problem(
            f"{ago(case.now() - oldest)} 전에 맡긴 작업을 아무도 가져가지 않았습니다.",
            "작업자를 켜 주세요: make run",
        )
    last = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
    if last and last > case.now() - QUIET:
        return fine(f"{ago(case.now() - last)} 전에 작업을 끝냈습니다.")
    if case.demo or not Schedule.objects.exists():
        return skipped("맡긴 작업이 없습니다.")
    return warning(f"{ago(QUIET)} 동안 끝난 작업이 없습니다.", "거래 시간이라면 작업자를 켜 주세요: make run")


def last_sync(case: Case) -> Result:
    """See whether the books are as young as the day allows, and whether the last run went well."""
    runs = SyncRun.objects.copying().of(case.environment.account, is_paper=case.environment.is_paper)
    chosen = f" --account {shlex.quote(case.account.label)}" if case.account and case.is_stored else ""
    again = f"manage.py sync_kis_data --mode {case.mode}{chosen}"
    done = runs.filter(status=SyncRun.Status.COMPLETE).first()
    last = runs.exclude(status=SyncRun.Status.RUNNING).first()
    if last and last.status != SyncRun.Status.COMPLETE:
        why = (last.error.splitlines() or [""])[0]
        return problem(
            f"마지막 동기화가 {last.get_status_display()}입니다: {why}", f"원인을 고친 뒤: {again}"
        )
    if done is None:
        return warning("아직 동기화한 적이 없습니다.", again)
    now = case.market_now().astimezone(SEOUL)
    at = (done.finished_at or done.started_at).astimezone(SEOUL)
    age = f"{ago(now - at)} 전({at:%m-%d %H:%M})"
    if at.date() < business_day_before(now.date()):
        return problem(f"마지막 동기화가 {age}입니다.", f"예약과 작업자를 확인하고: {again}")
    if is_trading(now) and now - at > OLD:
        return warning(f"장중인데 마지막 동기화가 {age}입니다.", f"예약과 작업자를 확인하고: {again}")
    return fine(f"마지막 동기화는 {age}이고 차이 {done.differences}건입니다.")


def is_trading(now: datetime) -> bool:
    since, until = (hour_on(now.date(), ordinary) for ordinary in TRADING)
    return is_business_day(now.date()) and since <= now.time() <= until


def ago(age: timedelta) -> str:
    """Write an age roughly: `3분`, `5시간`, `2일`."""
    minutes = max(int(age.total_seconds() // 60), 0)
    if minutes < 60:  # noqa: PLR2004  # minutes of an hour
        return f"{minutes}분"
    return f"{minutes // 60}시간" if minutes < 48 * 60 else f"{minutes // 1440}일"
