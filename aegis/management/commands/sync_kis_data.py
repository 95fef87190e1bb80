"""Copy an account from the broker into the books, its orders included."""

from typing import Any, cast

from django.conf import settings
from rich.console import Console

from aegis.order_upkeep import settle_after_sync
from kis.advice import diagnose
from kis.commands import AccountCommand
from kis.connect import connect
from kis.sync import sync_account
from kis.sync.market import copy_minutes
from kis.sync.report import TerminalListener, print_result
from kis.terminal import INDENT, line


class Command(AccountCommand):
    help = "KIS 계좌를 kis_* 테이블로 복사합니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        account = self.account(options)
        console = Console(file=cast("Any", self.stdout))
        with (
            connect(account.mode, account) as connection,
            TerminalListener(console, connection, demo=settings.AEGIS_DEMO) as listener,
        ):
            run = sync_account(connection, listener=listener)
            copy_minutes(connection, run=run, listener=listener)
            print_result(console, run)
            settle_after_sync(console, connection)
            now = connection.now()
        if said := diagnose(run, at=now):
            line(console, INDENT, said)
