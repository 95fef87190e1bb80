"""Writing the report: whole or not at all."""

import os
from pathlib import Path

import pytest

from reports.publish import PublishFailed, previous_of, publish


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_publish_makes_the_folder_and_writes(tmp_path):
    path = tmp_path / "Realtime" / "Kis_Dashboard.pdf"
    publish(b"one", path)
    assert path.read_bytes() == b"one"
    assert names(path.parent) == ["Kis_Dashboard.pdf"]


def test_publish_keeps_the_file_before(tmp_path):
    path = tmp_path / "Kis_Dashboard.pdf"
    for data in (b"one", b"two", b"three"):
        publish(data, path)
    assert path.read_bytes() == b"three"
    assert previous_of(path).read_bytes() == b"two"
    assert names(tmp_path) == ["Kis_Dashboard.pdf", "Kis_Dashboard.previous.pdf"]


def test_publish_keeps_the_file_before_where_links_are_unknown(tmp_path, monkeypatch):
    def no_links(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    path = tmp_path / "a.pdf"
    publish(b"one", path)
    publish(b"two", path)
    assert previous_of(path).read_bytes() == b"one"


def test_publish_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.pdf"
    publish(b"one", path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PublishFailed, match=r"쓸 수 없습니다\(남은 공간 없음\)"):
        publish(b"two", path)
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["a.pdf"]


def test_publish_explains_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PublishFailed, match="폴더 권한"):
        publish(b"one", tmp_path / "file" / "a.pdf")
