"""Ask a model about the last snapshot of an account, or show what would be asked."""

from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from ai import asking
from ai.diagnosis import advise, diagnose, told
from ai.payload import Privacy
from ai.prompts import prompt_for
from ai.providers.configured import provider
from ai.records import read_points
from ai.report import print_advice, print_holding, print_question
from ai.rules import examine
from kis.accounts import Account
from kis.commands import AccountCommand
from kis.models import KisAccount
from kis.position import Position, position_of
from kis.terminal import headline, line


class Command(AccountCommand):
    help = (
        "마지막 자료를 규칙으로 점검하고, 키가 있으면 AI의 진단을 받습니다. "
        "증권사에는 묻지 않으며, 정해진 간격이 지나지 않았어도 묻습니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--holding", default="", help="이 종목코드 하나를 자세히 봅니다. 예: 005930")
        parser.add_argument(
            "--dry-run", action="store_true", help="보낼 내용을 글자 그대로 보여 주고 보내지 않습니다"
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        account = self.known_account(options)
        position = position_of(last_snapshot(account))
        focus = held_code(position, options["holding"]) if options["holding"] else ""
        # A snapshot of the simulator is as young as the simulator's clock says.
        at = position.account.snapshot_at if settings.AEGIS_DEMO else timezone.now()
        console = Console(file=cast("Any", self.stdout))
        headline(
            console,
            mode=account.mode,
            demo=settings.AEGIS_DEMO,
            words=[account.masked_no, "AI에 보낼 내용" if options["dry_run"] else "진단"],
            at=position.account.snapshot_at,
        )
        if options["dry_run"]:
            payload = told(position, examine(position, at=at, limits=settings.AI_LIMITS), focus=focus)
            print_question(
                console,
                prompt_for(payload.as_json(), purpose=asking.purpose_of(payload)),
                provider=settings.AI_PROVIDER,
                model=settings.GEMINI_MODEL,
                privacy=Privacy(settings.AI_PRIVACY),
                tokens=asking.tokens_to_ask(provider(), payload),
                spent=asking.tokens_of_day(at),
            )
            return
        diagnosis = diagnose(position, at=at, focus=focus, by_hand=True)
        if focus:
            name = next(row.stock_name for row in position.holdings if row.stock_code == focus)
            line(console, f"  {name} {focus}")
            print_holding(console, diagnosis, read_points(diagnosis.points))
        else:
            print_advice(console, advise(position, at=at))


def last_snapshot(account: Account) -> KisAccount:
    """Return the newest snapshot of an account. Raises CommandError where there is none."""
    snapshots = KisAccount.objects.of(account.number_or_reason(), is_paper=account.is_paper)
    snapshot = snapshots.newest_first().select_related("sync_run").first()
    if snapshot is None:
        raise CommandError(
            f"{account.label} 계좌 자료가 아직 없습니다. 먼저 실행해 주세요: manage.py sync_kis_data --mode {account.mode}"
        )
    return snapshot


def held_code(position: Position, text: str) -> str:
    """Return the code of a stock that is held. Raises CommandError for one that is not."""
    code = text.strip().upper()
    held = [row.stock_code for row in position.holdings]
    if code not in held:
        some = f" 보유 종목: {', '.join(held)}" if held else ""
        raise CommandError(f"보유하지 않은 종목입니다: {text.strip()}.{some}")
    return code
