"""Back up the books into one encrypted file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from aegis.backup.archive import open_envelope
from aegis.backup.daily import megabytes
from aegis.backup.keys import seal
from aegis.backup.last import default_folder, file_name
from aegis.backup.making import Wanted, make_backup
from aegis.backup.restoring import alone, check
from kis.commands import OwnerCommand

WITHOUT_KEYS = (
    "암호화 키와 .env는 들어 있지 않습니다. 새 컴퓨터에 되살리면 등록한 앱키와 계좌번호, 두 번째 인증을 풀 수 없으니 "
    "var/secret-key와 .env를 따로 보관하거나 --include-keys로 다시 백업해 주세요."
)
WITH_KEYS = "암호화 키와 .env가 들어 있습니다. 이 파일과 그것을 여는 암호(개인키)를 한곳에 두지 마세요."


class Command(OwnerCommand):
    help = (
        "장부, 주문 이력, 사용자, 예약을 한 시점 그대로 암호화한 파일 하나로 백업합니다. SQLite와 PostgreSQL 어느 쪽에서 만들어도 "
        "어느 쪽에나 되살릴 수 있습니다. 암호는 물어보며, .env의 BACKUP_PASSPHRASE나 BACKUP_RECIPIENT가 있으면 그것을 씁니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output", type=Path, help="만들 파일. 생략하면 BACKUP_DIR(없으면 var/backups) 아래의 새 파일"
        )
        parser.add_argument(
            "--include-keys",
            action="store_true",
            help="암호화 키, 비밀키와 .env도 넣습니다. 새 컴퓨터로 옮길 때 필요합니다",
        )
        parser.add_argument("--include-reports", action="store_true", help="만든 PDF도 넣습니다")
        parser.add_argument(
            "--verify", action="store_true", help="임시 데이터베이스에 되살려 내용과 주문 이력을 비교합니다"
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        now = timezone.now()
        path = (options["output"] or default_folder() / file_name(now)).expanduser().resolve()
        closed = seal()
        with alone():
            made = make_backup(
                path,
                seal=closed,
                wanted=Wanted(keys=options["include_keys"], reports=options["include_reports"]),
                at=now,
                check=(lambda begun: check(open_envelope(begun), closed.opener))
                if options["verify"]
                else None,
            )
        self.stdout.write(
            f"백업했습니다: {made.path} (표 {made.tables}개, 자료 {made.rows:,}건, {megabytes(made.size)})"
        )
        if options["verify"]:
            self.stdout.write(
                "임시 데이터베이스에 되살려 건수, 내용, 주문 이력이 모두 같은 것을 확인했습니다."
            )
        self.stdout.write(WITH_KEYS if options["include_keys"] else WITHOUT_KEYS)
