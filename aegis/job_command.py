"""A job of the timetable as a command, for cron."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from aegis.schedules import Job, window_of
from aegis.watching.pings import told_outside
from kis.accounts import Account
from kis.commands import AccountCommand
from kis.data_fetch import Fetched, accounts_meant
from kis.market_days import use_market_days
from kis.slots import Window


class JobCommand(AccountCommand):
    """Runs the slot of now for all accounts, or with `--now` once without one. Tells each result as soon as it is known."""

    job: ClassVar[Job]
    without_account = "생략하면 모두"
    window: Window

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--now", action="store_true", help="시간표와 상관없이 지금 한 번 실행합니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        now = timezone.now()
        self.window = window_of(self.job)
        slot = None if options["now"] else self.window.slot_of(now)
        use_market_days()
        if slot is not None and (rest := self.reason_to_rest(slot, now=now)):
            self.stdout.write(f"{rest} 지금 실행하려면 --now")
            return
        accounts = accounts_meant(self.asked_mode(options), options["account"])
        with told_outside(self.job.name, slot=slot):
            failed = []
            for result in self.work(accounts, slot=slot, now=now):
                self.stdout.write(str(result))
                failed += [result.label] if result.failed else []
            if failed:
                raise CommandError(f"마치지 못한 것이 있습니다: {', '.join(failed)}. 이유는 위에 있습니다.")

    def reason_to_rest(self, slot: datetime, *, now: datetime) -> str:  # noqa: ARG002  # for those who know one
        """Return why there is nothing to do at all; empty where each account finds out for itself."""
        return ""

    @abstractmethod
    def work(self, accounts: Sequence[Account], *, slot: datetime | None, now: datetime) -> Iterable[Fetched]:
        """Do the job for each account, and say what became of it. `now` is real time."""
