"""Run site, worker and followers together on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django_q.models import Schedule

from aegis.order_upkeep import settle_leftovers
from aegis.restarting import Restarted
from aegis.schedules import write_schedules
from kis.accounts import Account, configured_accounts
from kis.commands import OwnerCommand
from kis.live import followable

POLL_SECONDS = 0.2
STOP_SECONDS = 15


class Command(OwnerCommand):
    help = "사이트와 작업자를 함께 시작하고, HTS ID가 있는 계좌의 체결통보를 받습니다. Ctrl+C로 끝냅니다."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="127.0.0.1:8000", help="열 주소 (기본 127.0.0.1:8000)")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        stopping = Stopping()
        if trouble := settle_leftovers(at=timezone.now()):
            self.stdout.write(self.style.WARNING(trouble))
        address = options["address"]
        followed = accounts_to_follow()
        self.stdout.write(f"사이트: http://{address}/  (끝내려면 Ctrl+C)")
        if followed:
            self.stdout.write(f"체결통보: {', '.join(account.label for account in followed)}")
        if not settings.AEGIS_DEMO and not Schedule.objects.exclude(repeats=0).exists():
            self.stdout.write(
                "예약이 없어 화면이 저절로 새로워지지 않습니다. 예약하기: manage.py sync_schedules"
            )
        self.stdout.flush()
        children: dict[str, subprocess.Popen[bytes]] = {}
        followers = [Restarted(follower_of(account), start=start) for account in followed]
        first_data: list[subprocess.Popen[bytes]] = []
        try:
            with stopping.put_off():
                children["사이트"] = start("runserver", "--noreload", address)
                for queue in queues_here():
                    children[f"작업자({queue})"] = start("qcluster", Q_CLUSTER_NAME=queue)
            with market_of_demo(first_data, stopping=stopping) as look_after_market:
                while all(child.poll() is None for child in children.values()):
                    with stopping.put_off():
                        for follower in followers:
                            follower.look_after(now=time.monotonic())
                    look_after_market()
                    time.sleep(POLL_SECONDS)
            ended = ", ".join(name for name, child in children.items() if child.poll() is not None)
            raise CommandError(f"{ended} 프로세스가 멈춰 함께 끝냅니다. 바로 위의 내용을 확인해 주세요.")
        finally:
            followed_by = (follower.child for follower in followers if follower.child)
            with stopping.put_off():
                stop(*children.values(), *first_data, *followed_by)


class Stopping:
    """Ctrl-C, and a service manager that stops us like it: interrupts this process once, and not while it starts or ends a child.

    A child that nobody knows of yet would be left behind, and all of them if the end were cut short. Where Python loses
    the exception, as in callbacks, it is raised when the next child is looked after.
    """

    def __init__(self) -> None:
        self.is_told = self.is_put_off = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.tell)

    def tell(self, *_: object) -> None:
        was_told, self.is_told = self.is_told, True
        if not was_told and not self.is_put_off:
            raise KeyboardInterrupt

    @contextmanager
    def put_off(self) -> Iterator[None]:
        self.is_put_off = True
        try:
            yield
        finally:
            self.is_put_off = False
        if self.is_told:
            raise KeyboardInterrupt


@contextmanager
def market_of_demo(
    fetching: "list[subprocess.Popen[bytes]]", *, stopping: Stopping
) -> Iterator[Callable[[], None]]:
    """In demo mode keep one market going for everybody, fetch from it now and by the timetable.

    The site is there before: it shows that data is on the way. What is yielded looks after the market.
    """
    if not settings.AEGIS_DEMO:
        yield lambda: None
        return
    from kis.demo import serving_simulator  # noqa: PLC0415  # only demo mode may know the simulator

    write_schedules(now=timezone.now())
    with serving_simulator() as serving:
        with stopping.put_off():
            fetching.append(start("aegis_30min_data_fetch", "--now"))
        yield serving.look_after


def accounts_to_follow() -> list[Account]:
    """Return the accounts with an HTS ID. None in demo mode, whose simulator would then serve nobody but the follower."""
    return [] if settings.AEGIS_DEMO else followable(configured_accounts())


def follower_of(account: Account) -> tuple[str, ...]:
    return "follow_fills", f"--mode={account.mode}", f"--account={account.label}"


def queues_here() -> tuple[str, ...]:
    """Return the queues that this machine serves: all, unless the settings name one."""
    return settings.QUEUES if settings.AEGIS_CLUSTER == "all" else (settings.AEGIS_CLUSTER,)


def start(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a command of ours in a session of its own, so that Ctrl-C reaches only this process."""
    return subprocess.Popen(  # noqa: S603  # our own manage.py
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        env={**os.environ, **environment},
        start_new_session=True,
    )


def stop(*children: "subprocess.Popen[bytes]") -> None:
    """Ask every child to end, and end those that take longer than `STOP_SECONDS` with all that they have started."""
    for child in children:
        child.terminate()
    ends_at = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.wait(max(ends_at - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
