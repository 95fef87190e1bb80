"""Print the dashboard of an account as a PDF."""

import getpass
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console

from kis.accounts import Account, known_accounts, meant_if_any
from kis.advice import asks_a_model, diagnose
from kis.client.codes import Mode
from kis.commands import AccountCommand
from kis.connect import connect
from kis.korean import MISSING, clock_time, day, number, percent, signed
from kis.models import SyncRun
from kis.terminal import INDENT, WARN, change_style, headline, line, padded
from reports.direct import dashboard_from_broker
from reports.encryption import PasswordRefused
from reports.figures import Broken, Dashboard, Fills, OpenOrders
from reports.files import FILE_NAME, file_name
from reports.fonts import FontsUnavailable
from reports.looks import Look, Privacy
from reports.moments import MomentUnreadable, read_moment
from reports.publish import PublishFailed
from reports.publishing import About, Sent, publish_dashboard
from reports.queries import NoSnapshot
from reports.shelf import Place
from reports.snapshots import dashboard_to_print


class Command(AccountCommand):
    help = "한눈에 보는 PDF를 만듭니다. 저장된 마지막 자료로, 또는 증권사에서 바로 조회해서(--use-api)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--use-db", action="store_true", help="저장된 자료를 씁니다 (기본)")
        source.add_argument(
            "--use-api",
            action="store_true",
            help="증권사에서 바로 조회합니다. 장부에는 아무것도 적지 않습니다",
        )
        parser.add_argument(
            "--sync", action="store_true", help="먼저 증권사에서 자료를 가져와 장부에 적습니다"
        )
        parser.add_argument(
            "--as-of", help="이 시각 또는 그 전 마지막 자료로 만듭니다. 예: 2025-06-16T14:20:00"
        )
        parser.add_argument(
            "--privacy",
            choices=Privacy.values,
            default=Privacy.FULL,
            help="전체(full), 금액과 수량을 가리고 지수와 비율로(masked), 비중과 수익률만(percent)",
        )
        parser.add_argument(
            "--password",
            action="store_true",
            help="PDF에 암호를 겁니다. REPORT_PDF_PASSWORD가 없으면 터미널에서 묻습니다",
        )
        parser.add_argument(
            "--output",
            help=f"PDF를 쓸 파일 (기본: {settings.REPORT_DIR.name}/{FILE_NAME}). 여기에 쓴 것은 REPORT_SYNC_DIR로 보내지 않습니다",
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        asked_for = moment_of(options["as_of"])
        if options["use_api"] and (asked_for or options["sync"]):
            raise CommandError(
                "--use-api는 지금의 계좌를 장부 없이 보여 주므로 --as-of, --sync와 함께 쓸 수 없습니다."
            )
        look = look_of(options)
        console = Console(file=cast("Any", self.stdout))
        mode, account = meant_if_any(known_accounts(), self.asked_mode(options), options["account"])
        if options["sync"] or options["use_api"]:
            account = self.account(options)
        place = place_of(options["output"], account)
        printed = False
        try:
            if options["sync"] and account:
                run, now = sync(account, console)
                if asks_a_model():
                    self.print_first(console, load(mode, account, asked_for), place, look)
                    printed = True
                if said := diagnose(run, at=now):
                    line(console, INDENT, said)
                line(console)
            if options["use_api"] and account:
                dashboard, about = ask(account)
            else:
                dashboard, about = load(mode, account, asked_for)
            sent = publish_dashboard(
                dashboard,
                place,
                about=about,
                at=timezone.now(),
                look=look,
                to_send=not options["output"],
                again=printed,
            )
        except (NoSnapshot, FontsUnavailable, PublishFailed) as error:
            raise CommandError(str(error)) from None
        print_summary(console, dashboard, place)
        if sent:
            print_sent(console, sent)

    def print_first(
        self, console: Console, printable: tuple[Dashboard, About], place: Place, look: Look
    ) -> None:
        """Write the file before a model is asked: whatever it does, the PDF is there."""
        dashboard, about = printable
        publish_dashboard(dashboard, place, about=about, at=timezone.now(), look=look, to_send=False)
        line(
            console,
            INDENT,
            f"PDF를 먼저 만들었습니다. AI의 답을 최대 {settings.AI_TIMEOUT_SECONDS}초 기다려 그 설명을 넣습니다.",
        )


def place_of(output: str | None, account: Account | None) -> Place:
    """Return the file that was asked for, or the usual place of the account's report."""
    return Place.at(Path(output).expanduser().absolute()) if output else Place.named(file_name(account))


def look_of(options: dict[str, Any]) -> Look:
    try:
        return Look(Privacy(options["privacy"]), asked_password() if options["password"] else "")
    except PasswordRefused as refusal:
        raise CommandError(str(refusal)) from None


def asked_password() -> str:
    """Return the password of the settings, or ask for one twice: a slip would lock its owner out."""
    if settings.REPORT_PDF_PASSWORD:
        return str(settings.REPORT_PDF_PASSWORD)
    if not sys.stdin.isatty():
        raise CommandError("PDF 암호를 물을 터미널이 없습니다. .env에 REPORT_PDF_PASSWORD를 정해 주세요.")
    first = getpass.getpass("PDF 암호 (입력해도 보이지 않습니다): ")
    if not first:
        raise CommandError("암호를 적지 않아 만들지 않았습니다.")
    if getpass.getpass("한 번 더: ") != first:
        raise CommandError("두 번 적은 암호가 달라 만들지 않았습니다.")
    return first


def moment_of(text: str | None) -> datetime | None:
    try:
        return read_moment(text, name="--as-of") if text else None
    except MomentUnreadable as error:
        raise CommandError(str(error)) from None


def load(mode: Mode, account: Account | None, asked_for: datetime | None) -> tuple[Dashboard, About]:
    """Compute the figures, and say what they are of."""
    number = account.number_or_reason() if account else None
    dashboard, snapshot = dashboard_to_print(mode=mode, account=number, asked_for=asked_for)
    return dashboard, About.of(snapshot)


def ask(account: Account) -> tuple[Dashboard, About]:
    """Compute the figures of what the broker says now, and say what they are of."""
    with connect(account.mode, account) as connection:
        dashboard, asked = dashboard_from_broker(connection)
    return dashboard, About.of(asked)


def sync(account: Account, console: Console) -> tuple[SyncRun, datetime]:
    """Copy an account; return the run, and what time it is at the broker."""
    from kis.sync import sync_account  # noqa: PLC0415  # only when asked to talk to the broker
    from kis.sync.market import copy_minutes  # noqa: PLC0415
    from kis.sync.report import TerminalListener, print_result  # noqa: PLC0415

    with (
        connect(account.mode, account) as connection,
        TerminalListener(console, connection, demo=settings.AEGIS_DEMO) as listener,
    ):
        run = sync_account(connection, listener=listener)
        copy_minutes(connection, run=run, listener=listener)
        now = connection.now()
    print_result(console, run)
    return run, now


def count_of(part: Fills | OpenOrders | Broken) -> str:
    return MISSING if isinstance(part, Broken) else f"{len(part.rows)}건"


def print_summary(console: Console, dashboard: Dashboard, place: Place) -> None:
    account = dashboard.account
    headline(
        console,
        mode=dashboard.mode,
        demo=dashboard.is_demo,
        words=[dashboard.account_no, "대시보드"],
        at=dashboard.as_of,
    )
    line(console, INDENT, padded("총평가금액", 12), (f"{number(account.total)}원", "bold"))
    line(
        console,
        INDENT,
        padded("평가손익", 12),
        (f"{signed(account.profit)}원  {percent(account.profit_pct)}", change_style(account.profit)),
    )
    line(
        console,
        INDENT,
        padded("보유", 12),
        f"{dashboard.total.count}종목 · 체결 {count_of(dashboard.fills)} · 미체결 {count_of(dashboard.open_orders)}",
        f" · {day(dashboard.as_of.date())} {clock_time(dashboard.as_of)} 기준",
    )
    differing = dashboard.reconciliation.differing
    if differing:
        worst = differing[0]
        line(
            console,
            INDENT,
            (padded("대사", 12) + f"차이 {number(worst.difference)}{worst.unit} · {worst.name}", WARN),
        )
    line(console, INDENT, padded("PDF", 12), str(place))


def print_sent(console: Console, sent: Sent) -> None:
    if sent.arrived:
        line(console, INDENT, padded("보냄", 12), sent.told)
    else:
        line(console, INDENT, (sent.told, WARN))
