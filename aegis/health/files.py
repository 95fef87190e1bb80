"""Fonts and folders."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

from django.conf import settings

from aegis.health.case import Case, Result, fine, problem, skipped, warning
from kis.korean import SEOUL
from reports import fonts as reports_fonts
from reports.files import FILE_NAME
from reports.models import PublishedReport
from reports.publish import PublishFailed, reason
from reports.shelf import Place
from reports.targets import LocalFolder, TargetRefused, target_of

LITTLE_BYTES, NONE_BYTES = 1_000_000_000, 100_000_000
GIGABYTE = 1_000_000_000
TRUETYPE = b"\0\1\0\0"
SMALLEST_KOREAN_FONT = 500_000


def fonts(_case: Case) -> Result:
    """See whether the fonts are built and whole."""
    build = "manage.py build_fonts"
    missing = [weight for weight in reports_fonts.WEIGHTS if not reports_fonts.font_path(weight).is_file()]
    if missing:
        return warning(
            "PDF 글꼴이 아직 없습니다. 첫 PDF를 만들 때 저절로 만듭니다.", f"미리 만들려면: {build}"
        )
    if not all(is_font(reports_fonts.font_path(weight)) for weight in reports_fonts.WEIGHTS):
        return problem(
            "PDF 글꼴 파일이 손상되었습니다.", f"{settings.FONT_DIR} 폴더를 지우고 실행해 주세요: {build}"
        )
    weights = "·".join(map(str, reports_fonts.WEIGHTS))
    return fine(f"{reports_fonts.FAMILY} {weights}이 준비되어 있습니다.")


def is_font(path: Path) -> bool:
    """Whether a file begins like a TrueType font and is as large as one with Korean in it."""
    with path.open("rb") as file:
        return file.read(len(TRUETYPE)) == TRUETYPE and path.stat().st_size > SMALLEST_KOREAN_FONT


def own_folder(_case: Case) -> Result:
    return writable(settings.VAR_DIR, remedy="AEGIS_VAR_DIR")


def report_folder(_case: Case) -> Result:
    """See whether reports can be put where they belong; of a storage without a folder, whether it answers."""
    place = Place.named(FILE_NAME)
    if place.path is not None:
        return writable(place.path.parent, remedy="AEGIS_REPORT_DIR", made_on_demand=True)
    try:
        data = place.read()
    except PublishFailed as error:
        return problem(str(error), "AEGIS_REPORT_STORAGE와 그 옵션을 확인해 주세요.")
    return fine("리포트 저장소가 대답합니다. " + ("PDF가 있습니다." if data else "아직 PDF가 없습니다."))


def sync_folder(_case: Case) -> Result:
    """See whether reports can be sent: the folder, or what became of the last one where it is another computer's."""
    if not settings.REPORT_SYNC_DIR:
        return skipped("REPORT_SYNC_DIR를 정하지 않았습니다.")
    try:
        target = target_of(settings.REPORT_SYNC_DIR)
    except TargetRefused as refusal:
        return problem(str(refusal), "REPORT_SYNC_DIR를 고쳐 주세요.")
    if isinstance(target, LocalFolder):
        return writable(target.path, remedy="REPORT_SYNC_DIR")
    last = PublishedReport.objects.sent_to(target.shown).first()
    if last is None:
        return skipped("다른 컴퓨터의 폴더라서 리포트를 보낼 때 확인합니다.")
    when = f"{last.published_at.astimezone(SEOUL):%m-%d %H:%M}"
    if last.status == PublishedReport.Status.FAILED:
        return problem(
            f"{when} 리포트를 {target.shown}에 보내지 못했습니다({last.reason}).",
            "이유를 고친 뒤 다시 만들어 보세요: manage.py kis_dashboard",
        )
    return fine(f"{when} 리포트를 {target.shown}에 {last.get_status_display()}.")


def import_folder(_case: Case) -> Result:
    """See whether the folder of bank files can be read; nothing is written there."""
    target = str(getattr(settings, "KB_IMPORT_DIR", "") or "")
    if not target:
        return skipped("KB_IMPORT_DIR를 정하지 않았습니다.")
    folder = Path(target).expanduser()
    try:
        with os.scandir(folder) as entries:
            count = sum(1 for entry in entries if entry.is_file())
    except OSError as error:
        return problem(
            f"{folder} 폴더를 읽을 수 없습니다({why(error)}).", "폴더를 만들거나 KB_IMPORT_DIR를 고쳐 주세요."
        )
    return fine(f"{folder} 폴더를 읽을 수 있습니다. 파일 {count}개.")


def writable(folder: Path, *, remedy: str, made_on_demand: bool = False) -> Result:
    """See whether a file can be written there, and whether there is room for more."""
    place = folder
    while made_on_demand and not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        return problem(
            f"{folder} 폴더에 쓸 수 없습니다({why(error)}).",
            f"폴더를 만들고 권한을 주거나 {remedy}를 고쳐 주세요.",
        )
    room = f"남은 공간 {free / GIGABYTE:.1f}GB"
    if free < NONE_BYTES:
        return problem(f"{folder} 폴더에 {room}뿐입니다.", "필요 없는 파일을 지워 공간을 확보해 주세요.")
    if free < LITTLE_BYTES:
        return warning(f"{folder} 폴더에 {room}뿐입니다.", "곧 가득 찹니다. 필요 없는 파일을 지워 주세요.")
    return fine(f"{folder}, 쓰기 가능, {room}.")


def why(error: OSError) -> str:
    return "폴더 없음" if error.errno == errno.ENOENT else reason(error)
