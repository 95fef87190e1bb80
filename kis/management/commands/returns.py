"""Print the returns of an account, day by day, next to the market's."""

from datetime import date
from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date
from rich.console import Console

from kis.commands import AccountCommand
from kis.returns import NoDays, returns_of
from kis.returns_table import print_money_weighted, print_returns
from kis.terminal import headline


class Command(AccountCommand):
    help = (
        "계좌의 일별 손익과 시간가중 수익률을 코스피, 코스닥과 견주어 보여 줍니다. "
        "저장된 마감 자료만 쓰고 증권사에 묻지 않습니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="first", help="첫날 (2026-11-16). 없으면 기록의 처음부터")
        parser.add_argument("--to", dest="last", help="마지막 날. 없으면 기록의 끝까지")
        parser.add_argument(
            "--money-weighted", action="store_true", help="금액가중 수익률(IRR)도 보여 줍니다"
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        first, last = read_day(options["first"], "--from"), read_day(options["last"], "--to")
        if first and last and first > last:
            raise CommandError(f"--from {first}이 --to {last}보다 늦습니다.")
        account = self.known_account(options)
        number = account.number_or_reason()
        try:
            returns = returns_of(number, is_paper=account.is_paper, first=first, last=last)
        except NoDays as error:
            raise CommandError(str(error)) from None
        console = Console(file=cast("Any", self.stdout))
        words = [account.masked_no, "수익률"]
        headline(console, mode=account.mode, demo=settings.AEGIS_DEMO, words=words, at=timezone.now())
        print_returns(console, returns)
        if options["money_weighted"]:
            print_money_weighted(console, returns)


def read_day(text: str | None, option: str) -> date | None:
    """Read a day as it is typed. Raises CommandError for one that is none."""
    if not text:
        return None
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{option}에는 2026-11-16 같은 날짜를 적어 주세요: {text}")
    return found
