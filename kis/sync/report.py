"""What a sync looks like on the terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from kis.calendar import business_day_after
from kis.connect import Connection
from kis.korean import SEOUL, masked_account, number, short_day, signed
from kis.models import KisAccount, SyncRun
from kis.sync.progress import Step
from kis.terminal import DIM, INDENT, WARN, change_style, headline, line, padded

#: Fewer calls than this are over before a bar would help.
LONG = 5


class TerminalListener:
    """Prints a line for each finished step, and a progress bar while prices are fetched."""

    def __init__(self, console: Console, connection: Connection, *, demo: bool) -> None:
        self.console = console
        self.connection = connection
        self.demo = demo
        self.progress = Progress(
            TextColumn(INDENT + "{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def started(self, run_id: int) -> None:
        environment = self.connection.environment
        account = masked_account(environment.account.number, environment.account.product_code)
        headline(
            self.console,
            mode=environment.mode,
            demo=self.demo,
            words=[account, f"동기화 #{run_id}"],
            at=self.connection.now(),
        )
        line(self.console)

    def finished(self, step: Step) -> None:
        if self.task is not None:
            self.progress.stop()
            self.task = None
        line(
            self.console,
            INDENT,
            padded(step.name, 24),
            padded(step.label, 8),
            padded(step.count, 9, right=True),
            (INDENT * 2 + padded(step.tr_id, 14) + padded(f"{step.seconds:.2f}초", 8, right=True), DIM),
            INDENT * 2 + step.note if step.note else "",
        )

    def advanced(self, *, label: str, done: int, total: int) -> None:
        if total < LONG:
            return
        if self.task is None:
            self.progress.start()
            self.task = self.progress.add_task(label, total=total)
        self.progress.update(self.task, completed=done)


def print_result(console: Console, run: SyncRun) -> None:
    """Print reconciliation, totals and the closing line of a complete run."""
    snapshot = KisAccount.objects.get(sync_run=run)
    print_checks(console, run)
    print_totals(console, snapshot)
    for problem in run.error.splitlines():
        line(console, INDENT, (f"주의  {problem}", WARN))
    assert run.finished_at is not None  # noqa: S101  # a complete run has ended
    seconds = (run.finished_at - run.started_at).total_seconds()
    line(console)
    line(
        console,
        INDENT,
        f"완료 {seconds:.1f}초, 요청 {run.requests}회, 제한 거절 {run.rate_limited}회, 스냅샷 #{snapshot.pk}",
    )


def print_checks(console: Console, run: SyncRun) -> None:
    unlike = [check for check in run.checks if check["difference"]]
    line(console)
    title = ("대사 일치", "bold") if not unlike else (f"대사 차이 {len(unlike)}건", f"bold {WARN}")
    heads = "".join(
        padded(head, width, right=True) for head, width in (("우리 합계", 18), ("증권사", 18), ("차이", 14))
    )
    line(console, INDENT, (padded(title[0], 20), title[1]), (heads, DIM))
    for check in run.checks:
        won = "" if check["unit"] == "원" else check["unit"]
        style = WARN if check["difference"] else ""
        line(
            console,
            INDENT,
            padded(check["name"], 20),
            padded(number(check["ours"]) + won, 18, right=True),
            padded(number(check["broker"]) + won, 18, right=True),
            (
                padded(number(check["difference"]) + (won if check["difference"] else ""), 14, right=True),
                style,
            ),
            f"{INDENT}{check['row']}" if check["row"] else "",
        )
    if unlike:
        line(console)
        line(console, INDENT, "스냅샷을 저장했습니다. 모든 화면이 증권사 값과 차이를 함께 보여 줍니다.")


def print_totals(console: Console, snapshot: KisAccount) -> None:
    today = snapshot.snapshot_at.astimezone(SEOUL).date()
    rows = [
        ("총평가금액", number(snapshot.total_eval_amt), "bold"),
        ("평가손익", signed(snapshot.total_profit_loss), change_style(snapshot.total_profit_loss)),
        ("예수금 D+0", number(snapshot.deposit), ""),
        (f"       D+1  {short_day(business_day_after(today))}", number(snapshot.d1_cash), ""),
        (f"       D+2  {short_day(business_day_after(today, days=2))}", number(snapshot.available), ""),
        ("주문가능", number(snapshot.orderable_cash), ""),
    ]
    line(console)
    for label, text, style in rows:
        line(console, INDENT, padded(label, 24), (padded(text, 14, right=True), style), "원")
