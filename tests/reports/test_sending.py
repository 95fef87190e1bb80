"""Sending a file: it arrives whole, or there is a reason; the file here is safe in any case."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from reports import copying, sending
from reports.sending import send
from reports.targets import LocalFolder, RemoteFolder

DATA = b"%PDF " + bytes(range(256)) * 4_000
NAS = RemoteFolder("me", "nas", "reports")
needs_rsync = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "Realtime" / "Kis_Dashboard.pdf"
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "Drive"
    path.mkdir()
    return path


@pytest.fixture(params=[False, pytest.param(True, marks=needs_rsync)], ids=["copy", "rsync"])
def way(request, monkeypatch):
    """Send once without rsync and once with it."""
    if not request.param:
        monkeypatch.setattr(shutil, "which", lambda name: None)
    return "rsync" if request.param else "copy"


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Return a function that puts a program in the place of rsync; it writes down its arguments and its surroundings."""

    def written(body):
        path = tmp_path / "rsync-stand-in"
        path.write_text(
            f"#!{sys.executable} -I\n"
            "import json, os, signal, sys, time\n"
            f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps([sys.argv[1:], dict(os.environ)]))\n"
            f"{body}\n"
        )
        path.chmod(0o700)
        monkeypatch.setattr(shutil, "which", lambda name: str(path))
        return lambda: json.loads((tmp_path / "seen").read_text())

    return written


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_arrives_whole_and_nothing_else_does(file, folder, way):
    delivery = send(file, LocalFolder(folder))
    assert (delivery.method, delivery.reason) == (way, "")
    assert (folder / file.name).read_bytes() == DATA
    assert names(folder) == [file.name]


def test_file_replaces_the_one_before(file, folder, way):
    (folder / file.name).write_bytes(b"x" * len(DATA))
    os.utime(folder / file.name, ns=(file.stat().st_mtime_ns,) * 2)  # looks the same from outside
    assert send(file, LocalFolder(folder)).arrived
    assert (folder / file.name).read_bytes() == DATA


def test_progress_is_told_up_to_the_last_byte(file, folder, way):
    told: list[int] = []
    send(file, LocalFolder(folder), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(DATA)


def test_folder_with_blanks_and_korean_is_an_ordinary_folder(file, tmp_path, way):
    folder = tmp_path / "내 드라이브; touch x"
    folder.mkdir()
    assert send(file, LocalFolder(folder)).arrived
    assert names(folder) == [file.name]


def test_new_folder_is_made_beside_others(file, folder, way):
    (folder / "사진").mkdir()
    assert send(file, LocalFolder(folder / "AEGIS")).arrived
    assert names(folder / "AEGIS") == [file.name]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("Drive/AEGIS", "드라이브가 연결되어 있지 않은 것 같습니다"),  # an empty mount point
        ("nothing/AEGIS", "폴더가 없음"),
        ("Realtime", "리포트 폴더 안"),
        ("Realtime/copy", "리포트 폴더 안"),
        ("Realtime/Kis_Dashboard.pdf", "리포트 폴더 안"),
    ],
)
def test_folder_that_is_not_the_right_one_is_left_alone(file, folder, way, place, reason):
    root = folder.parent
    before = sorted(root.rglob("*"))
    delivery = send(file, LocalFolder(root / place), forbidden=[file.parent])
    assert reason in delivery.reason
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    "drive", ["/mnt/aegis-no-drive", "/media/me/aegis-no-drive", "/Volumes/aegis-no-drive/x"]
)
def test_missing_folder_where_drives_appear_is_a_drive_that_is_not_there(file, way, drive):
    assert "드라이브가 연결되어" in send(file, LocalFolder(Path(drive))).reason
    assert not Path(drive).exists()


def test_link_into_the_report_folder_is_seen_through(file, tmp_path, way):
    (tmp_path / "link").symlink_to(file.parent)
    assert "리포트 폴더 안" in send(file, LocalFolder(tmp_path / "link"), forbidden=[file.parent]).reason


def test_drive_that_was_there_the_last_time_and_is_not_now(file, folder, way):
    first = send(file, LocalFolder(folder))
    assert Path(first.mount).is_mount()
    delivery = send(file, LocalFolder(folder), mount=str(folder))
    assert "지난번에는 따로 연결한 드라이브" in delivery.reason
    assert delivery.mount == str(folder)  # so that the next one is refused, too
    assert send(file, LocalFolder(folder), mount="/").arrived
    assert send(file, LocalFolder(folder), mount="/some/other/place").arrived


def test_file_in_the_place_of_the_folder(file, folder, way):
    (folder / "taken").write_text("")
    assert send(file, LocalFolder(folder / "taken")).reason == "경로에 파일이 있음"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written(file, folder, way):
    folder.chmod(0o500)
    assert send(file, LocalFolder(folder)).reason == "권한 없음"


def test_copy_of_a_full_disk_leaves_the_old_file_and_no_litter(file, folder, monkeypatch, capsys):
    (folder / file.name).write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    copying.main(["copy", str(file), str(folder), ""])
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"errno": 28}
    assert names(folder) == [file.name]
    assert (folder / file.name).read_bytes() == b"old"


@pytest.mark.parametrize("name", ["-e.pdf", ".hidden.pdf", "a\nb.pdf", "a\u202eb.pdf"])
def test_hostile_name_is_never_handed_on(tmp_path, folder, way, name):
    file = tmp_path / name
    file.write_bytes(DATA)
    assert "파일 이름" in send(file, LocalFolder(folder)).reason
    assert names(folder) == []


def test_name_with_shell_signs_is_a_name(tmp_path, folder, way):
    file = tmp_path / "a; touch x $(id) `id` 'b' host:c.pdf"
    file.write_bytes(DATA)
    assert send(file, LocalFolder(folder)).arrived
    assert names(folder) == [file.name]


# --- another computer ------------------------------------------------------------------------------------------------


def test_rsync_gets_words_and_no_shell_and_none_of_our_secrets(file, program, monkeypatch):
    monkeypatch.setenv("KIS_REAL_APP_SECRET", "secret")
    monkeypatch.setenv("RSYNC_RSH", "touch x")
    seen = program("print('      1,024,005 100%   10MB/s  0:00:00 (xfr#1)')")
    told: list[int] = []
    assert send(file, NAS, progress=told.append).arrived
    words, surroundings = seen()
    assert words[-3:] == ["--", str(file), "me@nas:reports/."]
    assert words[words.index("-e") + 1] == "ssh -o BatchMode=yes -o ConnectTimeout=15"
    assert not {"KIS_REAL_APP_SECRET", "RSYNC_RSH"} & set(surroundings)
    assert told == [1_024_005]


@pytest.mark.parametrize(
    ("code", "complaint", "reason"),
    [
        (255, "me@nas: Permission denied (publickey,password).", "ssh 로그인이 거절됨"),
        (255, "Host key verification failed.", "처음 보는 컴퓨터"),
        (255, "ssh: Could not resolve hostname nas: Name or service not known", "이름을 찾을 수 없음"),
        (255, "ssh: connect to host nas port 22: Connection refused", "ssh 접속을 받지 않음"),
        (255, "ssh: connect to host nas port 22: Connection timed out", "대답하지 않음"),
        (127, "bash: rsync: command not found", "그 컴퓨터에 rsync가 없음"),
        (11, 'rsync: mkstemp "/x/.a" failed: Permission denied (13)', "권한 없음"),
        (3, 'rsync: change_dir#3 "/x" failed: No such file or directory (2)', "폴더가 없음"),
        (11, "rsync: write failed: No space left on device (28)", "남은 공간 없음"),
        (11, "rsync: write failed: Disk quota exceeded (122)", "할당된 공간 초과"),
        (30, "rsync error: timeout in data send/receive", "시간 안에 끝나지 않음"),
        (99, "what nobody knows", "rsync 오류 99"),
    ],
)
def test_what_rsync_complains_of_is_said_in_korean(file, program, code, complaint, reason):
    program(f"sys.stderr.write({complaint!r}); sys.exit({code})")
    delivery = send(file, NAS)
    assert reason in delivery.reason
    assert complaint not in delivery.reason
    assert file.read_bytes() == DATA


def test_computer_that_never_answers_is_given_up(file, program, monkeypatch):
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(sending, "GRACE_SECONDS", 0.1)
    program("signal.signal(signal.SIGTERM, signal.SIG_IGN); print('.', flush=True); time.sleep(60)")
    delivery = send(file, NAS)
    assert delivery.reason == "시간 안에 끝나지 않음"
    assert delivery.seconds < 45


def test_drive_that_hangs_is_given_up(file, folder, way, monkeypatch, tmp_path):
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(sending, "GRACE_SECONDS", 0.1)
    hanging = tmp_path / "copying.py"
    hanging.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(sending, "__file__", str(tmp_path / "sending.py"))
    delivery = send(file, LocalFolder(folder))
    assert delivery.reason == "시간 안에 끝나지 않음"
    assert delivery.seconds < 45


def test_another_computer_needs_rsync_here(file, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt-get install rsync" in send(file, NAS).reason


def test_rsync_that_cannot_be_started(file, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / "no-rsync"))
    assert "실행할 수 없음" in send(file, NAS).reason
