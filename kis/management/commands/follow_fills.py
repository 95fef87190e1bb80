"""Hear what becomes of the orders of an account, and keep its books up to date with it."""

import signal
from typing import Any, cast

from django.conf import settings
from rich.console import Console

from kis.client.records.orders import Side
from kis.client.records.realtime import Amendment, FillNotice, NoticeKind
from kis.commands import AccountCommand
from kis.connect import Connection, connect
from kis.feed_lease import FollowedElsewhere
from kis.korean import clock_time, masked_account, number
from kis.live import follow_fills, require_hts_id
from kis.terminal import BADGES, DIM, DOWN, INDENT, UP, headline, line

CHANGES = {Amendment.NONE: "", Amendment.AMEND: "정정 ", Amendment.CANCEL: "취소 "}
DEMO_ALONE = (
    "데모의 시뮬레이터는 이 명령 안에서만 움직입니다. 이 명령이 도는 동안 다른 데모 명령은 기다립니다.",
    "주문은 이 주소로 낼 수 있습니다: {url}",
)


class Command(AccountCommand):
    help = "체결통보를 실시간으로 받아 주문 장부에 적습니다. Ctrl+C로 끝냅니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        if self._called_from_command_line:
            signal.signal(
                signal.SIGTERM, signal.default_int_handler
            )  # a service manager stops us like Ctrl-C
        console = Console(file=cast("Any", self.stdout))
        account = self.account(options)
        try:
            with connect(account.mode, account) as connection:
                require_hts_id(account, connection.environment)
                self.greet(console, connection)
                follow_fills(connection, watcher=TerminalWatcher(console, connection))
        except FollowedElsewhere as elsewhere:
            self.stdout.write(str(elsewhere))  # it is being done: nothing to mend
        except KeyboardInterrupt:
            self.stdout.write("체결통보를 그만 받습니다.")

    def greet(self, console: Console, connection: Connection) -> None:
        environment = connection.environment
        account = masked_account(environment.account.number, environment.account.product_code)
        headline(
            console,
            mode=environment.mode,
            demo=settings.AEGIS_DEMO,
            words=[account, "체결통보"],
            at=connection.now(),
        )
        for text in DEMO_ALONE if settings.AEGIS_DEMO else ():
            line(console, INDENT, (text.format(url=environment.base_url), DIM))
        console.file.flush()


class TerminalWatcher:
    """Prints a line for each notice and for each change of the connection, at once."""

    def __init__(self, console: Console, connection: Connection) -> None:
        self.console = console
        self.connection = connection
        # Two followers may write to one terminal: `make run` starts one for each account.
        self.mode = BADGES[connection.environment.mode]

    def heard(self, notice: FillNotice) -> None:
        side, style = ("매수", UP) if notice.side is Side.BUY else ("매도", DOWN)
        line(
            self.console,
            self.mode,
            f" {notice.at:%H:%M:%S}  {CHANGES[notice.amendment]}{notice.kind.value}  ",
            (side, style),
            f"  {notice.name}({notice.code})  {number(notice.quantity)}주{price_of(notice)}",
            (f"  주문 {notice.number}", DIM),
        )
        self.console.file.flush()

    def told(self, sentence: str) -> None:
        line(self.console, self.mode, f" {clock_time(self.connection.now())}  {sentence}")
        self.console.file.flush()


def price_of(notice: FillNotice) -> str:
    """Return the price of a fill or a request; a cancellation has none."""
    if notice.price:
        return f"  {number(notice.price)}원"
    is_new = notice.kind is NoticeKind.ACCEPTED and notice.amendment is Amendment.NONE
    return "  시장가" if is_new else ""
