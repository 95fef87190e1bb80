"""The job of every half hour, for cron: copy the accounts, and take the files of other brokers."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from aegis.order_upkeep import settle_all
from aegis.schedules import FETCH
from kis.commands import AccountCommand
from kis.data_fetch import accounts_meant, fetch
from kis.market_days import use_market_days


class Command(AccountCommand):
    help = "30분 작업: 설정한 모든 계좌를 동기화하고 KB_IMPORT_DIR의 파일을 담습니다. 거래일의 정해진 시간에만 움직입니다."

    without_account = "생략하면 모두"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--now", action="store_true", help="시간표와 상관없이 지금 한 번 실행합니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        now = timezone.now()
        slot = None if options["now"] else FETCH.window.slot_of(now)
        use_market_days()
        if slot is not None and (rest := FETCH.window.reason_to_rest(slot, now=now)):
            self.stdout.write(f"{rest} 지금 실행하려면 --now")
            return
        failed = []
        for result in fetch(accounts_meant(self.asked_mode(options), options["account"]), slot=slot, now=now):
            self.stdout.write(str(result))
            failed += [result.label] if result.failed else []
        settle_all()
        if failed:
            raise CommandError(f"마치지 못한 것이 있습니다: {', '.join(failed)}. 이유는 위에 있습니다.")
