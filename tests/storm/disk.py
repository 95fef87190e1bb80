"""The folder of hint, journal and kill switch, with a way to come in between and to be full."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import PosixPath
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from trading import hint, journal, kill_switch

Point = Callable[[str], None]


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def watched(point: Point) -> Iterator[None]:
    """Let `point` be called before every change of a file and after it; it may raise in the file system's place."""

    class WatchedPath(PosixPath):
        def replace(self, target: Any) -> Any:
            return changed("replace", super().replace, target)

        def unlink(self, missing_ok: bool = False) -> None:
            changed("unlink", super().unlink, missing_ok)

        def write_text(self, *what: Any, **how: Any) -> Any:
            return changed("write_text", super().write_text, *what, **how)

    def changed(name: str, change: Callable[..., Any], *what: Any, **how: Any) -> Any:
        point(f"disk {name}")
        done = change(*what, **how)
        point(f"disk {name} done")
        return done

    def write(handle: int, data: bytes) -> int:
        try:
            point("disk write")
        except BaseException:
            # Whatever stops a write may leave half of it behind.
            os.write(handle, data[: len(data) // 2])
            raise
        return os.write(handle, data)

    shim = SimpleNamespace(**{name: getattr(os, name) for name in dir(os) if not name.startswith("__")})
    shim.open = lambda *what: changed("open", os.open, *what)
    shim.write = write
    shim.fsync = lambda handle: point("disk fsync")  # the storm never cuts the power
    made = SimpleNamespace(mkstemp=lambda **how: changed("mkstemp", tempfile.mkstemp, **how))
    with ExitStack() as stack:
        for module in (hint, journal, kill_switch):
            stack.enter_context(patch.object(module, "Path", WatchedPath))
        for module, name, stand_in in (
            (journal, "os", shim),
            (hint, "tempfile", made),
        ):
            stack.enter_context(patch.object(module, name, stand_in))
        yield
