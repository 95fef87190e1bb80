"""Where finished reports are sent: a folder of this computer, or one that ssh leads to. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: What ssh takes for a user and a host; neither may look like an option.
USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
#: Signs that the shell of the other computer, or an old rsync there, would take for more than a name.
MEANT_FOR_A_SHELL: Final = re.compile(r"[\\'\"`$;|&<>*?\[\]{}()!#^\s]")
LONGEST_NAME: Final = 200  # bytes; rsync adds to it while it writes
UNPRINTABLE: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class TargetRefused(Exception):
    """REPORT_SYNC_DIR or a file name cannot be used; the text is a sentence that does not repeat what may be secret."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this computer, such as a mounted drive."""

    path: Path

    @property
    def shown(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder on another computer, by ssh."""

    user: str
    host: str
    path: str

    @property
    def login(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def shown(self) -> str:
        """Name it without the user, which is half of a login."""
        return f"{self.host}:{self.path}"


Target = LocalFolder | RemoteFolder


def target_of(text: str) -> Target:
    """Read REPORT_SYNC_DIR. Raises TargetRefused."""
    text = text.strip()
    if text.startswith("-") or not is_printable(text):
        raise TargetRefused(
            "REPORT_SYNC_DIR를 쓸 수 없습니다: '-'로 시작하거나 보이지 않는 글자가 들어 있습니다."
        )
    colon = after_host(text)
    if colon and text[colon:].startswith(
        (":", "//")
    ):  # a module of an rsync daemon, an address of another kind
        raise TargetRefused(
            "REPORT_SYNC_DIR에는 폴더(/home/…) 또는 ssh 주소(컴퓨터:폴더)만 쓸 수 있습니다. 다른 종류의 주소는 받지 않습니다."
        )
    if colon:
        return remote(text[: colon - 1], text[colon:])
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # nobody of that name
        raise TargetRefused("REPORT_SYNC_DIR의 '~' 뒤에 적은 사용자가 이 컴퓨터에 없습니다.") from None
    if not path.is_absolute():
        raise TargetRefused("REPORT_SYNC_DIR는 '/'나 '~'로 시작하는 전체 경로여야 합니다.")
    return LocalFolder(path)


def after_host(text: str) -> int:
    """Return where the path of another computer begins, 0 for a folder of this one: as in rsync, a colon before a slash."""
    head = text.split("/", 1)[0]
    literal_end = head.rfind("]")
    return head.find(":", max(literal_end, 0)) + 1


def remote(login: str, path: str) -> RemoteFolder:
    user, separator, host = login.rpartition("@")
    if "@" in path.split("/", 1)[0]:
        # user:password@host:folder reads as a folder "password@host:…" of a computer "user".
        raise TargetRefused(
            "REPORT_SYNC_DIR에 암호를 적지 말아 주세요. 암호 없이 로그인하는 ssh 키를 쓰고 '사용자@컴퓨터:폴더' 모양으로 적습니다."
        )
    if (separator and not USER.fullmatch(user)) or not HOST.fullmatch(host):
        raise TargetRefused(
            "REPORT_SYNC_DIR의 컴퓨터 이름을 읽을 수 없습니다. '컴퓨터:폴더' 또는 '사용자@컴퓨터:폴더' 모양이어야 합니다."
        )
    path = path or "."
    if path.startswith("-") or MEANT_FOR_A_SHELL.search(path):
        raise TargetRefused(
            "REPORT_SYNC_DIR의 폴더 이름에 빈칸이나 따옴표 같은 기호가 있습니다. 다른 컴퓨터의 폴더는 글자, 숫자와 ~ / . _ - + = , @ % 만 쓸 수 있습니다."
        )
    return RemoteFolder(user, host, path)


def checked_name(name: str) -> str:
    """Return a file name that is safe to hand to another program. Raises TargetRefused."""
    is_plain = name == Path(name).name and not name.startswith(("-", ".")) and is_printable(name)
    if not is_plain or not 0 < len(name.encode("utf-8", "replace")) <= LONGEST_NAME:
        raise TargetRefused(
            "파일 이름을 쓸 수 없습니다. '-'나 '.'로 시작하지 않고, '/'와 보이지 않는 글자가 없는 200바이트 이내의 이름이어야 합니다."
        )
    return name


def is_printable(text: str) -> bool:
    return not any(unicodedata.category(sign) in UNPRINTABLE for sign in text)
