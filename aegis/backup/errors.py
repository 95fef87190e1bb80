"""What can stand in the way of a backup or of restoring one; texts are sentences for the owner."""

import errno

from kis.client.errors import KisError

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


class BackupError(KisError):
    """Nothing was changed; the text says why."""


class NotOurFile(BackupError):
    """The file is no backup of this product."""

    def __init__(self) -> None:
        super().__init__("AEGIS의 백업 파일이 아닙니다.")


class Damaged(BackupError):
    """The file was cut off or changed after it was written."""

    def __init__(self) -> None:
        super().__init__("백업 파일이 손상되었거나 끝까지 받아지지 않았습니다. 다른 백업을 써 주세요.")


class WrongKey(BackupError):
    """Passphrase or identity do not open the file."""


class NewerVersion(BackupError):
    """The file was written by a newer version of this product."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"더 새로운 AEGIS({version})의 백업입니다. 프로그램을 그 판으로 올린 뒤 다시 시도해 주세요."
        )


class NotEmpty(BackupError):
    """There is something in the database that restoring would replace."""


def no_room(error: OSError) -> BackupError:
    """Say why a file could not be written."""
    if error.errno in FULL:
        return BackupError("디스크가 가득 차 백업을 쓰지 못했습니다. 공간을 확보한 뒤 다시 시도해 주세요.")
    where = f" ({error.filename})" if error.filename else ""
    return BackupError(f"파일을 읽거나 쓸 수 없습니다. 폴더와 권한을 확인해 주세요{where}.")
