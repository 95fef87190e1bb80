"""Build a backup in a temporary database and see that it is what it says."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from aegis.backup.archive import open_envelope
from aegis.backup.keys import opener_of
from aegis.backup.locked import KEYS_ARE
from aegis.backup.restoring import alone, check
from kis.commands import OwnerCommand
from kis.korean import SEOUL

WITH_KEYS = "암호화 키와 .env가 들어 있습니다."
WITHOUT_KEYS = (
    f"암호화 키와 .env는 들어 있지 않습니다. 다른 컴퓨터에 되살리려면 백업한 컴퓨터의 {KEYS_ARE}가 따로 있어야 등록한 계좌와 "
    "두 번째 인증을 풀 수 있습니다."
)
LOCKED_HERE = f"백업한 컴퓨터의 {KEYS_ARE}가 있어야 합니다."


class Command(OwnerCommand):
    help = (
        "백업을 임시 데이터베이스에 되살려 건수, 내용, 주문 이력을 비교하고 지웁니다. 지금의 장부는 바뀌지 않습니다. "
        "BACKUP_RECIPIENT로 잠근 백업은 --identity로 개인키 파일을 알려 줍니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="확인할 백업 파일")
        parser.add_argument("--identity", type=Path, help="age 개인키 파일")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        envelope = open_envelope(options["file"])
        opener = opener_of(envelope, options["identity"])
        with alone():
            built = check(envelope, opener)
        made = built.header.created_at.astimezone(SEOUL)
        self.stdout.write(
            f"{made:%Y-%m-%d %H:%M}의 백업(AEGIS {built.header.version})을 되살려 확인했습니다: "
            f"표 {len(built.header.tables)}개, 자료 {built.rows:,}건, 주문 이력 {built.events:,}건이 모두 같습니다."
        )
        self.stdout.write(WITH_KEYS if built.has_keys else WITHOUT_KEYS)
        if built.locked:
            self.stdout.write(
                f"이 컴퓨터의 키로는 풀 수 없습니다. {built.locked} "
                + ("되살린 뒤 함께 든 키를 옮기면 풀립니다." if built.has_keys else LOCKED_HERE)
            )
