"""Bring the books of a backup back."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from aegis.backup.archive import open_envelope
from aegis.backup.building import Header
from aegis.backup.keys import opener_of
from aegis.backup.locked import KEYS_ARE
from aegis.backup.restoring import Present, Restored, alone, restore
from kis.commands import OwnerCommand
from kis.korean import SEOUL

WORD = "교체"
NO_TERMINAL = "자료를 교체하려면 터미널에서 직접 확인해야 합니다. 바뀐 것은 없습니다."


class Command(OwnerCommand):
    help = (
        "백업을 되살립니다. 전부 되살리거나 아무것도 바꾸지 않습니다. 자료가 있는 데이터베이스는 --replace와 확인 입력이 "
        "있어야 교체합니다. 되살린 뒤에는 주문이 중지되어 있고, 확인을 기다리던 주문은 그만두며, 보내던 주문은 결과를 모르는 "
        "것으로 둡니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="되살릴 백업 파일")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="지금 데이터베이스의 자료를 버리고 교체합니다. 한 번 더 확인합니다",
        )
        parser.add_argument(
            "--identity", type=Path, help="BACKUP_RECIPIENT로 잠근 백업을 여는 age 개인키 파일"
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        envelope = open_envelope(options["file"])
        opener = opener_of(envelope, options["identity"])
        with alone():
            restored = restore(
                envelope,
                opener,
                may_replace=partial(self.may_replace, asked=options["replace"]),
                at=timezone.now(),
            )
        self.tell(restored)

    def may_replace(self, header: Header, now: Present, *, asked: bool) -> bool:
        """Ask for the word where the owner has said that he means it."""
        if not asked:
            raise CommandError(
                f"데이터베이스에 자료 {now.rows:,}건이 있습니다. 버리고 교체하려면 --replace를 붙여 주세요. 바뀐 것은 없습니다."
            )
        if not sys.stdin.isatty():
            raise CommandError(NO_TERMINAL)
        made = header.created_at.astimezone(SEOUL)
        self.stdout.write(
            f"지금 데이터베이스의 자료 {now.rows:,}건(표 {now.tables}개)을 모두 버리고 {made:%Y-%m-%d %H:%M}의 백업으로 교체합니다."
        )
        return input(f"계속하려면 '{WORD}'라고 입력해 주세요: ").strip() == WORD

    def tell(self, restored: Restored) -> None:
        """Say what was done and what is left to do."""
        built, settled = restored.built, restored.settled
        made = built.header.created_at.astimezone(SEOUL)
        self.stdout.write(
            f"{made:%Y-%m-%d %H:%M}의 백업을 되살렸습니다: 표 {len(built.header.tables)}개, 자료 {built.rows:,}건, "
            f"주문 이력 {built.events:,}건. 내용과 이력이 백업과 같습니다."
        )
        if settled.waiting:
            self.stdout.write(f"확인을 기다리던 주문 {settled.waiting}건은 그만두었습니다.")
        if settled.under_way:
            self.stdout.write(
                f"보내던 주문 {settled.under_way}건은 결과를 모릅니다. 확인해 주세요: manage.py reconcile_orders"
            )
        if restored.withheld:
            self.stdout.write(
                f"백업할 때 기다리던 알림 {restored.withheld}건은 이미 보냈을 수 있어 보내지 않습니다. 내용은 관리자 화면의 '알림'에 있습니다."
            )
        if restored.keys is not None:
            self.stdout.write(
                f"키는 {restored.keys} 폴더에 두었습니다. env의 값을 .env에, secret-key의 값을 var/secret-key(또는 SECRET_KEY)에 "
                "옮겨 다시 시작한 뒤 그 폴더를 지워 주세요."
            )
        if built.locked:
            self.stdout.write(f"지금 키로는 풀 수 없습니다. {built.locked}")
            if restored.keys is None:
                self.stdout.write(
                    f"백업한 컴퓨터의 {KEYS_ARE}를 옮기면 풀립니다. 키를 잃었다면, {built.locked.advice}"
                )
            else:
                self.stdout.write("위의 키를 옮기고 다시 시작하면 풀립니다.")
        self.stdout.write(
            "주문을 모두 중지해 두었습니다. 동기화하면 백업 뒤의 주문과 체결이 증권사에서 들어옵니다. 대사가 일치하고 "
            "주문내역이 맞는지 확인한 뒤 풀어 주세요: manage.py sync_kis_data, manage.py reconcile_orders, manage.py kill_switch off"
        )
