"""List the accounts that commands can be told to use."""

from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings
from django.db.models import Max
from rich.cells import cell_len
from rich.console import Console

from kis.accounts import MODE_NAMES, Account, known_accounts
from kis.client.codes import AccountNumber
from kis.commands import OwnerCommand
from kis.korean import MISSING, SEOUL
from kis.models import SyncRun
from kis.terminal import DIM, INDENT, WARN, line, padded

HEADS = ("별칭", "모드", "계좌", "출처", "마지막 동기화")
LastSyncs = dict[tuple[AccountNumber, bool], str]


class Command(OwnerCommand):
    help = "쓸 수 있는 계좌와 마지막 동기화를 보여 줍니다. 다른 명령의 --account에 별칭이나 번호를 적습니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        console = Console(file=cast("Any", self.stdout))
        accounts = known_accounts()
        if not accounts:
            self.stdout.write(
                "등록한 계좌가 없습니다. .env에 KIS_REAL_APP_KEY 등을 넣거나 관리자 화면의 '연결한 계좌'에 등록해 주세요."
            )
            return
        if settings.AEGIS_DEMO:
            line(console, INDENT, ("DEMO  시뮬레이터의 예시 계좌입니다.", WARN))
        synced = last_syncs()
        rows = [cells(account, synced) for account in accounts]
        widths = [max(map(cell_len, column)) for column in zip(HEADS, *rows, strict=True)]
        print_row(console, HEADS, widths, style=DIM)
        for account, texts in zip(accounts, rows, strict=True):
            print_row(console, texts, widths, style=DIM if account.unused else "", note=note(account))


def cells(account: Account, synced: LastSyncs) -> tuple[str, ...]:
    last = synced.get((account.number, account.is_paper), MISSING) if account.number else MISSING
    return account.label, MODE_NAMES[account.mode], account.masked_no, account.source.value, last


def note(account: Account) -> str:
    if account.unused:
        return f"{account.unused}."
    return "" if account.number else "계좌번호를 읽을 수 없습니다."


def print_row(
    console: Console, texts: Sequence[str], widths: Sequence[int], *, style: str = "", note: str = ""
) -> None:
    columns = [(INDENT + padded(text, width), style) for text, width in zip(texts, widths, strict=True)]
    line(console, *columns, (f"{INDENT}{note}" if note else "", WARN))


def last_syncs() -> LastSyncs:
    """Return when each account was last copied as a whole."""
    rows = (
        SyncRun.objects.copying()
        .filter(status=SyncRun.Status.COMPLETE)
        .order_by()
        .values_list("account_no", "product_code", "is_paper")
        .annotate(last=Max("finished_at"))
    )
    return {
        (AccountNumber(number, product_code), is_paper): f"{last.astimezone(SEOUL):%Y-%m-%d %H:%M}"
        for number, product_code, is_paper, last in rows
    }
