"""Put a finished report where people and rsync look for it, never half written."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

REASONS = {
    errno.EACCES: "권한 없음",
    errno.EPERM: "권한 없음",
    errno.EROFS: "읽기 전용",
    errno.ENOSPC: "남은 공간 없음",
    errno.EDQUOT: "할당된 공간 초과",
    errno.EISDIR: "폴더 이름임",
    errno.ENOTDIR: "경로에 파일이 있음",
    errno.ENOENT: "폴더를 만들 수 없음",
}


class PublishFailed(Exception):
    """The file could not be written; the text is a sentence for the owner. The old file is untouched."""


def reason(error: OSError) -> str:
    """Say in Korean why a file could not be written."""
    return REASONS.get(error.errno or 0, f"오류 {error.errno}")


def previous_of(path: Path) -> Path:
    """Return where the file before this one is kept: `Kis_Dashboard.previous.pdf`."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def publish(data: bytes, path: Path, *, keep_previous: bool = True) -> None:
    """Replace the file in one step and keep the one before. Raises PublishFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        finished = _written_beside(path, data)
        try:
            if keep_previous:
                _keep_previous(path)
            finished.replace(path)
        finally:
            finished.unlink(missing_ok=True)
        _settle(path.parent)
    except OSError as error:
        raise PublishFailed(
            f"{path} 파일을 쓸 수 없습니다({reason(error)}). 폴더 권한과 남은 공간을 확인하거나 --output으로 다른 곳을 정해 주세요."
        ) from error


def _written_beside(path: Path, data: bytes) -> Path:
    """Write to a hidden file in the same folder, so that the replacement cannot be a copy."""
    # mkstemp lets only the owner read it, which is right for an account.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _keep_previous(path: Path) -> None:
    """Keep the present file under its second name; at no moment is the first name without a file."""
    if not path.exists():
        return
    spare = path.with_name(f".{path.stem}.previous.tmp")
    spare.unlink(missing_ok=True)
    try:
        spare.hardlink_to(path)
    except OSError:  # a folder of a cloud drive may know no links
        shutil.copy2(path, spare)
    spare.replace(previous_of(path))


def _settle(folder: Path) -> None:
    """Make the new name survive a power cut, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
