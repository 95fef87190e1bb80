"""Where finished reports lie: the storage that the settings name under "reports", a folder unless they say otherwise.

A folder replaces a file in one step and keeps the one before. Any other storage of Django (S3 and its like, which know no
paths) gets by with open, save, exists and delete. Machines share no disk: whoever reads a report reads it through here.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from reports.publish import PublishFailed, previous_of, publish, reason

ALIAS: Final = "reports"
#: What a storage may raise is its own affair: the network's, its library's, the disk's.
TROUBLE: Final = (Exception,)


class ReportFolder(FileSystemStorage):
    """A folder of this computer: `settings.REPORT_DIR`, unless it is told another one."""

    def __init__(self, location: str = "") -> None:
        super().__init__(location=location or None)
        self.folder = location

    @property
    def base_location(self) -> str:
        return str(self.folder or settings.REPORT_DIR)

    @property
    def location(self) -> str:
        return str(Path(self.base_location).absolute())

    def replace(self, name: str, data: bytes, *, keep_previous: bool) -> None:
        """Write a file in one step. Raises PublishFailed."""
        publish(data, Path(self.path(name)), keep_previous=keep_previous)


@dataclass(frozen=True, slots=True)
class Place:
    """The name of a report in a storage."""

    name: str
    storage: Storage

    @classmethod
    def named(cls, name: str) -> "Place":
        """Return the usual place of a report."""
        return cls(name, storages[ALIAS])

    @classmethod
    def at(cls, path: Path) -> "Place":
        """Return the place of a file somewhere on this computer."""
        return cls(path.name, ReportFolder(location=str(path.parent)))

    def beside(self, folder: str) -> "Place":
        """Return the place of the same name in a folder within."""
        return Place(f"{folder}/{self.name}", self.storage)

    @property
    def previous(self) -> "Place":
        return Place(str(previous_of(Path(self.name))), self.storage)

    @property
    def file_name(self) -> str:
        return Path(self.name).name

    @property
    def path(self) -> Path | None:
        """Return where the file lies on this computer; None where its storage knows no such thing."""
        try:
            return Path(self.storage.path(self.name))
        except NotImplementedError:
            return None

    def __str__(self) -> str:
        return str(self.path or f"저장소의 {self.name}")

    def read(self) -> bytes | None:
        """Return what lies there; None where nothing does. Raises PublishFailed where nobody can tell."""
        try:
            if not self.storage.exists(self.name):
                return None
            with self.storage.open(self.name, "rb") as file:
                data: bytes = file.read()
                return data
        except FileNotFoundError:
            return None
        except TROUBLE as error:
            raise PublishFailed(f"{self} 파일을 읽을 수 없습니다({told(error)}).") from error

    def write(self, data: bytes, *, keep_previous: bool = True) -> None:
        """Put a report there, and keep the one before under its second name. Raises PublishFailed."""
        if isinstance(self.storage, ReportFolder):
            self.storage.replace(self.name, data, keep_previous=keep_previous)
            return
        before = self.read()
        try:
            if before is not None and keep_previous:
                self.previous.put(before)
            self.put(data)
        except TROUBLE as error:
            if before is not None:
                with suppress(*TROUBLE):
                    self.put(before)
            raise PublishFailed(
                f"{self} 파일을 쓸 수 없습니다({told(error)}). 저장소 설정과 남은 공간을 확인해 주세요."
            ) from error

    def put(self, data: bytes) -> None:
        """Write over what is there; a storage that would rather choose another name is made to keep this one."""
        if self.storage.exists(self.name) and self.storage.get_available_name(self.name) != self.name:
            self.storage.delete(self.name)
        saved = self.storage.save(self.name, ContentFile(data))
        if saved != self.name:
            self.storage.delete(saved)
            raise FileExistsError(f"saved as {saved}")

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """Yield the file as one of this computer, for programs that want one: itself, or a copy for the time."""
        if self.path is not None:
            yield self.path
            return
        data = self.read()
        if data is None:
            raise PublishFailed(f"{self} 파일이 없습니다.")
        try:
            folder: Any = tempfile.TemporaryDirectory(prefix="aegis-report-")
        except OSError as error:
            raise PublishFailed(f"보낼 파일을 잠시 둘 곳이 없습니다({reason(error)}).") from error
        with folder as name:
            copy = Path(name) / self.file_name
            try:
                copy.write_bytes(data)
            except OSError as error:
                raise PublishFailed(f"보낼 파일을 잠시 둘 곳이 없습니다({reason(error)}).") from error
            yield copy


def told(error: Exception) -> str:
    """Say in Korean what a storage complains of; its own words may hold addresses and keys, and are left out."""
    return reason(error) if isinstance(error, OSError) and error.errno else type(error).__name__
