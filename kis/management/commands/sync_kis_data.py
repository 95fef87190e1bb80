"""Copy an account from the broker into the books."""

from argparse import ArgumentParser
from typing import Any, cast

from django.conf import settings
from rich.console import Console

from kis.client.codes import Mode
from kis.commands import OwnerCommand
from kis.connect import connect, default_mode
from kis.sync import sync_account
from kis.sync.report import TerminalListener, print_result


class Command(OwnerCommand):
    help = "KIS 계좌를 kis_* 테이블로 복사합니다."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mode", choices=["real", "paper"], help="실전(real) 또는 모의(paper)")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        mode = cast("Mode", options["mode"] or default_mode())
        console = Console(file=cast("Any", self.stdout))
        with (
            connect(mode) as connection,
            TerminalListener(console, connection, demo=settings.AEGIS_DEMO) as listener,
        ):
            run = sync_account(connection, listener=listener)
        print_result(console, run)
