"""Turn the kill switch on or off, or say how it stands."""

import getpass
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from kis.korean import SEOUL
from trading import kill_switch
from trading.commands import TradingCommand, as_typed, check_at_terminal

OFF = "주문 중지를 끄려면 터미널에서 거래 비밀번호를 입력해야 합니다. 주문 중지는 그대로 켜져 있습니다."


class Command(TradingCommand):
    help = "모든 주문을 곧바로 멈추거나(on) 다시 허용합니다(off). 켤 때는 아무것도 묻지 않고, 취소는 언제나 보낼 수 있습니다."
    requires_system_checks: list[str] = []  # whatever else is wrong, orders can be stopped

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["on", "off", "status"], help="켜기, 끄기, 상태")
        parser.add_argument("--reason", default="", help="켜는 이유 (이력에 남습니다)")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        if options["what"] == "on":
            kill_switch.turn_on(options["reason"] or "소유자가 켰습니다.", at=timezone.now(), by=who())
        if options["what"] == "off" and kill_switch.read().is_on:
            check_at_terminal(OFF)
            kill_switch.turn_off(at=timezone.now(), by=who())
        self.say()

    def say(self) -> None:
        switch = kill_switch.read()
        if not switch.is_on:
            self.stdout.write("주문 중지: 꺼짐. 주문을 보낼 수 있습니다.")
            return
        since = f" {switch.since.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}부터." if switch.since else ""
        self.stdout.write(f"주문 중지: 켜짐.{since} {switch.reason}".rstrip())
        self.stdout.write(
            f"새 주문은 나가지 않고 취소는 보낼 수 있습니다. 끄기: {as_typed('kill_switch', 'off')}"
        )


def who() -> str:
    """Return who sits at this machine, for the history."""
    try:
        return f"{getpass.getuser()} (터미널)"
    except (KeyError, OSError):
        return "터미널"
