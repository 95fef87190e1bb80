"""Where reports lie: a folder, or a storage that knows open, save, exists and delete and no path."""

import errno
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages

from aegis.env import env_json
from reports.publish import PublishFailed
from reports.shelf import Place, ReportFolder

#: What lies in the storages of a test, by name; another machine would see the same.
BUCKET: dict[str, bytes] = {}


class Bucket(Storage):
    """As much of a storage as S3-like ones have; `broken` fails on a verb and a name."""

    broken: tuple[str, str, Exception] | None = None

    def __init__(self, *, overwrites=True):
        self.overwrites = overwrites

    def _do(self, verb, name):
        if self.broken and self.broken[:2] == (verb, name):
            raise self.broken[2]

    def _open(self, name, mode="rb"):
        self._do("open", name)
        if name not in BUCKET:
            raise FileNotFoundError(name)
        return File(ContentFile(BUCKET[name]), name)

    def _save(self, name, content):
        self._do("save", name)
        BUCKET[name] = content.read()
        return name

    def exists(self, name):
        self._do("exists", name)
        return name in BUCKET

    def delete(self, name):
        self._do("delete", name)
        BUCKET.pop(name, None)

    def get_available_name(self, name, max_length=None):
        return name if self.overwrites else super().get_available_name(name, max_length)


@pytest.fixture(autouse=True)
def empty_bucket(monkeypatch):
    BUCKET.clear()
    monkeypatch.setattr(Bucket, "broken", None)


@pytest.fixture(params=[True, False], ids=["overwrites", "chooses names"])
def place(request):
    return Place("Kis_Dashboard.pdf", Bucket(overwrites=request.param))


def test_settings_name_the_folder_of_the_reports(settings, tmp_path):
    settings.REPORT_DIR = tmp_path / "Realtime"
    place = Place.named("Kis_Dashboard.pdf")
    assert isinstance(place.storage, ReportFolder)
    place.write(b"one")
    assert (tmp_path / "Realtime" / "Kis_Dashboard.pdf").read_bytes() == b"one"
    assert str(place) == str(tmp_path / "Realtime" / "Kis_Dashboard.pdf")
    assert place.read() == b"one"


def test_another_storage_is_taken_where_the_settings_name_one(settings):
    settings.STORAGES = {**settings.STORAGES, "reports": {"BACKEND": "tests.reports.test_shelf.Bucket"}}
    assert isinstance(storages["reports"], Bucket)
    Place.named("a.pdf").write(b"one")
    assert BUCKET == {"a.pdf": b"one"}


def test_report_and_the_one_before_lie_there_and_nothing_else(place):
    for data in (b"one", b"two", b"three"):
        place.write(data)
    assert BUCKET == {"Kis_Dashboard.pdf": b"three", "Kis_Dashboard.previous.pdf": b"two"}
    place.write(b"four", keep_previous=False)
    assert place.read() == b"four"
    assert place.previous.read() == b"two"
    assert "저장소의 Kis_Dashboard.pdf" in str(place)


def test_report_that_cannot_be_put_leaves_the_old_one(place, monkeypatch):
    place.write(b"one")
    full = OSError(errno.ENOSPC, "bucket arn:secret is full")
    monkeypatch.setattr(Bucket, "broken", ("save", "Kis_Dashboard.pdf", full))
    with pytest.raises(PublishFailed, match=r"쓸 수 없습니다\(남은 공간 없음\)") as caught:
        place.write(b"two")
    assert "secret" not in str(caught.value)
    monkeypatch.setattr(Bucket, "broken", None)
    assert b"one" in {place.read(), place.previous.read()}
    assert b"two" not in BUCKET.values()


def test_storage_that_overwrites_never_has_the_name_empty(monkeypatch):
    place = Place("a.pdf", Bucket())
    place.write(b"one")
    monkeypatch.setattr(Bucket, "broken", ("delete", "a.pdf", AssertionError("deleted")))
    place.write(b"two")
    assert place.read() == b"two"


def test_storage_that_does_not_answer_is_no_missing_report(place, monkeypatch):
    place.write(b"one")
    monkeypatch.setattr(Bucket, "broken", ("exists", "Kis_Dashboard.pdf", ConnectionError("key=hunter2")))
    with pytest.raises(PublishFailed, match="ConnectionError") as caught:
        place.read()
    assert "hunter2" not in str(caught.value)
    with pytest.raises(PublishFailed):
        place.write(b"two")


def test_nothing_there_is_nothing(place, tmp_path):
    assert place.read() is None
    assert Place.at(tmp_path / "nothing.pdf").read() is None


def test_program_that_wants_a_file_gets_a_copy_for_the_time(place, tmp_path):
    with pytest.raises(PublishFailed, match="파일이 없습니다"), place.on_disk():
        pass
    place.write(b"one")
    with place.on_disk() as file:
        assert (file.name, file.read_bytes()) == ("Kis_Dashboard.pdf", b"one")
    assert not file.parent.exists()
    own = Place.at(tmp_path / "own.pdf")
    own.write(b"one")
    with own.on_disk() as file:
        assert file == tmp_path / "own.pdf"


def test_copy_that_finds_no_room_is_a_reason(place, monkeypatch):
    place.write(b"one")

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PublishFailed, match="남은 공간 없음"), place.on_disk():
        pass


def test_options_are_an_object_and_never_repeated(monkeypatch):
    monkeypatch.setenv("X", '{"bucket_name": "mine"}')
    assert env_json("X") == {"bucket_name": "mine"}
    for wrong in ("[1]", '{"secret": hunter2'):
        monkeypatch.setenv("X", wrong)
        with pytest.raises(ImproperlyConfigured, match="JSON") as caught:
            env_json("X")
        assert "hunter2" not in str(caught.value)
