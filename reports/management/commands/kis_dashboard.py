"""Print the dashboard of an account as a PDF."""

from argparse import ArgumentParser
from datetime import datetime, time
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from rich.console import Console

from kis.client.codes import AccountNumber, Mode
from kis.commands import OwnerCommand
from kis.connect import MODE_NAMES, connect, default_mode
from kis.korean import SEOUL, clock_time, day, number, percent, signed
from kis.terminal import INDENT, WARN, change_style, headline, line, padded
from reports.figures import Dashboard, dashboard_figures
from reports.fonts import FontsUnavailable
from reports.pdf import render_pdf
from reports.publish import PublishFailed, publish
from reports.queries import NoSnapshot, dashboard_rows

SENSIBLE_YEARS = range(2000, 2101)
FILE_NAME = "Kis_Dashboard.pdf"


class Command(OwnerCommand):
    help = "저장된 계좌 자료로 한눈에 보는 PDF를 만듭니다."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mode", help="실전(real) 또는 모의(paper)")
        parser.add_argument("--use-db", action="store_true", help="저장된 자료를 씁니다 (기본)")
        parser.add_argument("--sync", action="store_true", help="먼저 증권사에서 자료를 가져옵니다")
        parser.add_argument(
            "--as-of", help="이 시각 또는 그 전 마지막 자료로 만듭니다. 예: 2025-06-16T14:20:00"
        )
        parser.add_argument("--output", help=f"PDF를 쓸 파일 (기본: {settings.REPORT_DIR.name}/{FILE_NAME})")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        mode = read_mode(options["mode"])
        asked_for = read_moment(options["as_of"]) if options["as_of"] else None
        path = Path(options["output"] or settings.REPORT_DIR / FILE_NAME).expanduser().absolute()
        console = Console(file=cast("Any", self.stdout))
        try:
            if options["sync"]:
                sync(mode, console)
            dashboard = load(mode, asked_for)
            publish(render_pdf(dashboard), path)
        except (NoSnapshot, FontsUnavailable, PublishFailed) as error:
            raise CommandError(str(error)) from None
        print_summary(console, dashboard, path)


def read_mode(text: str | None) -> Mode:
    if text is None:
        return default_mode()
    if text not in MODE_NAMES:
        raise CommandError(f"--mode에는 real(실전) 또는 paper(모의)를 적어 주세요: {text}")
    return text


def read_moment(text: str) -> datetime:
    """Read a moment in Seoul unless it names its own zone; a day alone means its end."""
    try:
        day_only = parse_date(text)
        moment = datetime.combine(day_only, time.max) if day_only else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(f"--as-of를 읽을 수 없습니다: {text} (예: 2025-06-16T14:20:00)")
    if moment.year not in SENSIBLE_YEARS:
        raise CommandError(f"--as-of의 연도를 확인해 주세요: {text}")
    return moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)


def load(mode: Mode, asked_for: datetime | None) -> Dashboard:
    """Compute the figures; a snapshot of the simulator is as young as the simulator's clock says."""
    now = timezone.now()
    account = settings.KIS_ACCOUNTS[mode]["account_no"]
    rows = dashboard_rows(
        mode=mode,
        account=AccountNumber.parse(account) if account and not settings.AEGIS_DEMO else None,
        at=asked_for or (datetime.max.replace(tzinfo=SEOUL) if settings.AEGIS_DEMO else now),
        exact=asked_for is not None,
    )
    generated_at = rows.account.snapshot_at if settings.AEGIS_DEMO else now
    return dashboard_figures(
        rows, generated_at=generated_at, judged_at=asked_for, is_demo=settings.AEGIS_DEMO
    )


def sync(mode: Mode, console: Console) -> None:
    from kis.sync import sync_account  # noqa: PLC0415  # only when asked to talk to the broker
    from kis.sync.report import TerminalListener, print_result  # noqa: PLC0415

    with (
        connect(mode) as connection,
        TerminalListener(console, connection, demo=settings.AEGIS_DEMO) as listener,
    ):
        run = sync_account(connection, listener=listener)
    print_result(console, run)
    line(console)


def print_summary(console: Console, dashboard: Dashboard, path: Path) -> None:
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
        f"{dashboard.total.count}종목 · 체결 {len(dashboard.fills.rows)}건 · 미체결 {len(dashboard.open_orders.rows)}건",
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
    line(console, INDENT, padded("PDF", 12), str(path))
