"""Take statements that the owner exported from KB Securities into the books."""

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from rich.console import Console

from kis.commands import OwnerCommand, explain_file
from kis.statements.cells import Unreadable, day
from kis.statements.load import LoadResult, Outcome, load_file, load_folder, refused
from kis.statements.report import print_result


class Command(OwnerCommand):
    help = "KB증권에서 내보낸 잔고와 거래내역 파일(csv, xlsx)을 장부에 담습니다. 파일을 적지 않으면 KB_IMPORT_DIR 폴더를 봅니다."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="파일", help="가져올 파일")
        parser.add_argument("--dry-run", action="store_true", help="담지 않고 무엇을 담을지만 보여 줍니다")
        parser.add_argument("--account", default="", help="파일에 계좌번호가 없을 때 쓸 계좌 이름. 예: ISA")
        parser.add_argument("--as-of", type=a_day, help="파일에 기준일이 없는 잔고의 날짜. 예: 2026-11-20")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        files = cast("list[Path]", options["files"])
        console = Console(file=cast("Any", self.stdout))
        seen: Counter[Outcome] = Counter()
        for result in self.of_files(files, options) if files else self.of_folder(options):
            print_result(console, result)
            seen[result.outcome] += 1
        if not seen:
            self.stdout.write("KB_IMPORT_DIR 폴더에 파일이 없습니다.")
        unread = seen[Outcome.REFUSED]
        # A stray file in the folder must not make every run of the job a failure.
        if files and unread:
            raise CommandError(f"파일 {unread}개를 읽지 못했습니다. 나머지는 처리했습니다.")

    def of_files(self, files: list[Path], options: dict[str, Any]) -> Iterator[LoadResult]:
        """Yield what each file brought as soon as it is in the books."""
        for file in files:
            if not file.exists():
                raise CommandError(f"파일이 없습니다: {file}")
            if not file.is_file():
                raise CommandError(f"파일이 아닙니다: {file}. 폴더를 보려면 KB_IMPORT_DIR에 적어 주세요.")
        for file in files:
            try:
                yield load_file(
                    file,
                    now=timezone.now(),
                    account=options["account"],
                    as_of=options["as_of"],
                    save=not options["dry_run"],
                )
            except OSError as error:
                yield refused(file.name, explain_file(error))

    def of_folder(self, options: dict[str, Any]) -> list[LoadResult]:
        if options["account"] or options["as_of"]:
            raise CommandError("--account와 --as-of는 파일을 적을 때만 쓸 수 있습니다.")
        if not settings.KB_IMPORT_DIR:
            raise CommandError("가져올 파일을 적거나 .env에 KB_IMPORT_DIR 폴더를 정해 주세요.")
        folder = Path(settings.KB_IMPORT_DIR).expanduser()
        if not folder.is_dir():
            raise CommandError(f"{folder} 폴더가 없습니다. 폴더를 만들거나 KB_IMPORT_DIR를 고쳐 주세요.")
        return load_folder(folder, now=timezone.now(), save=not options["dry_run"])


def a_day(text: str) -> date:
    """Read the day of an option."""
    try:
        found = day(text)
    except Unreadable:
        found = None
    if found is None:
        raise ArgumentTypeError("날짜는 2026-11-20처럼 적어 주세요")
    return found
