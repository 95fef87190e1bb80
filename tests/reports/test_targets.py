"""What REPORT_SYNC_DIR may be, and what it must not become on the command line of another program."""

from pathlib import Path

import pytest

from reports.targets import LocalFolder, RemoteFolder, TargetRefused, checked_name, target_of


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/media/drive/AEGIS", LocalFolder(Path("/media/drive/AEGIS"))),
        ("  /srv/내 드라이브/ ", LocalFolder(Path("/srv/내 드라이브"))),
        ("/srv/a:b", LocalFolder(Path("/srv/a:b"))),
        ("nas:reports", RemoteFolder("", "nas", "reports")),
        ("me@nas.local:/volume1/리포트", RemoteFolder("me", "nas.local", "/volume1/리포트")),
        ("nas:", RemoteFolder("", "nas", ".")),
        ("me@[fd00::1]:~/reports", RemoteFolder("me", "[fd00::1]", "~/reports")),
    ],
)
def test_target_is_read_as_rsync_reads_it(text, target):
    assert target_of(text) == target


def test_target_in_the_home_folder_is_a_whole_path():
    assert target_of("~/Drive") == LocalFolder(Path.home() / "Drive")


def test_target_is_shown_without_the_login():
    assert target_of("me@nas:reports").shown == "nas:reports"
    assert target_of("me@nas:reports").login == "me@nas"


@pytest.mark.parametrize(
    "text",
    [
        "-e ssh",
        "--rsync-path=rm",
        "-oProxyCommand=touch x:folder",
        "me@-oProxyCommand=touch:folder",
        "-l@nas:folder",
        "relative/folder",
        "~nobody-of-that-name/folder",
        "rsync://nas/module",
        "https://drive.example/folder",
        "nas::module",
        "nas:-e",
        "nas:a;rm -rf ~",
        "nas:$(touch x)",
        "nas:`id`",
        "nas:a b",
        "nas:*",
        "na s:folder",
        "nas:folder\nother",
        "/srv/\u202efdp",
        "/srv/a\0b",
        ":folder",
        "@nas:folder",
    ],
)
def test_hostile_or_unreadable_target_is_refused_in_one_sentence(text):
    with pytest.raises(TargetRefused) as refused:
        target_of(text)
    assert "REPORT_SYNC_DIR" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_target_with_a_password_is_refused_without_repeating_it():
    with pytest.raises(TargetRefused, match="암호") as refused:
        target_of("me:hunter2@nas:folder")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["Kis_Dashboard.pdf", "Kis_Dashboard_연금 저축(2).pdf", "a" * 200])
def test_usual_names_are_taken(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "-e.pdf", "--delete", ".hidden", "..", "a/b.pdf", "../b.pdf"),
        *("a\nb.pdf", "a\0b.pdf", "a\u202eb.pdf", "a\u200bb.pdf"),
        "가" * 67,
    ],
)
def test_hostile_names_are_refused(name):
    with pytest.raises(TargetRefused, match="파일 이름"):
        checked_name(name)
