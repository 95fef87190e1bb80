"""Delete what is older than the owner wants to keep."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from kis.accounts import known_accounts, named
from kis.commands import AccountCommand
from kis.korean import SEOUL, masked_account, number
from kis.models import WireFinding
from kis.retention import PAYLOAD_DAYS, Owner, Removal, known_owners, prune
from kis.terminal import BADGES, DIM, INDENT, line, padded

COLUMNS = (("표", 20), ("계좌", 20))
MOMENT_WIDTH = 19


class Command(AccountCommand):
    help = (
        "오래된 장중 스냅샷(하루의 마지막 것은 남깁니다), 분봉, 동기화 기록, 응답 원본을 지웁니다. "
        "체결, 주문, 입출금, 일별 요약은 지우지 않습니다. 기간은 .env의 KEEP_…_DAYS로 정합니다. "
        "--account나 --mode를 적지 않으면 모든 계좌를 정리하고, 적으면 그 계좌의 것만 정리합니다(분봉과 응답 원본은 남습니다)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dry-run", action="store_true", help="지우지 않고 무엇을 지울지만 보여 줍니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        dry_run = bool(options["dry_run"])
        removals = prune(timezone.now(), of=self.owners(options), dry_run=dry_run)
        console = Console(file=cast("Any", self.stdout))
        print_limits(console)
        if not removals:
            line(console, INDENT, "지울 것이 없습니다.")
            return
        print_removals(console, removals)
        total = number(sum(row.count for row in removals))
        ending = (
            f"모두 {total}건입니다. 미리 보기라 아무것도 지우지 않았습니다."
            if dry_run
            else f"모두 {total}건을 지웠습니다."
        )
        line(console)
        line(console, INDENT, ending)

    def owners(self, options: Mapping[str, Any]) -> list[Owner] | None:
        """Return the accounts that are named, also one that only the books still know; None for everything."""
        mode, name = self.asked_mode(options), options["account"].strip()
        if name:
            account = named(known_accounts(), mode, name)
            if account.number is None:
                raise CommandError(f"'{account.label}' 계좌의 계좌번호를 읽을 수 없습니다.")
            return [Owner(account.number, account.is_paper)]
        if mode:
            return [owner for owner in known_owners() if owner.is_paper == (mode == "paper")]
        return None


def print_limits(console: Console) -> None:
    limits = (
        ("장중 스냅샷", settings.KEEP_INTRADAY_DAYS),
        ("분봉", settings.KEEP_MINUTE_DAYS),
        ("동기화 기록", settings.KEEP_RUN_DAYS),
        ("응답 원본", PAYLOAD_DAYS),
    )
    line(console, INDENT, ("보관 기간  " + ", ".join(f"{name} {days}일" for name, days in limits), DIM))
    line(console)


def print_removals(console: Console, removals: Sequence[Removal]) -> None:
    heads = "".join(padded(head, width) for head, width in COLUMNS)
    moments = "".join(padded(head, MOMENT_WIDTH) for head in ("가장 오래된 것", "가장 새로운 것"))
    line(console, INDENT, (heads + padded("건수", 12, right=True) + INDENT * 2 + moments, DIM))
    for row in removals:
        line(
            console,
            INDENT,
            padded(table_name(row), COLUMNS[0][1]),
            padded(owner_name(row.owner), COLUMNS[1][1]),
            padded(number(row.count), 12, right=True),
            INDENT * 2,
            padded(moment(row.oldest), MOMENT_WIDTH),
            moment(row.newest),
        )


def table_name(row: Removal) -> str:
    name = str(row.model._meta.verbose_name)  # noqa: SLF001  # Django's own name for it
    return f"{name} 원본" if row.model is WireFinding else name


def owner_name(owner: Owner | None) -> str:
    if owner is None:
        return "모든 계좌"
    mode, _ = BADGES["paper" if owner.is_paper else "real"]
    return f"{mode} {masked_account(owner.account.number, owner.account.product_code)}"


def moment(at: datetime) -> str:
    return f"{at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
