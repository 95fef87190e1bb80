"""The file of a backup: a plain tar of three members that the usual tools open, and inside it an encrypted one.

`about.json` says what it is. `key.age` is the identity of the backup, closed with the passphrase; it is missing where there
is a recipient. `data.age` is a tar.gz, encrypted with age: `header.json`, `tables/NAME/000001.jsonl`, `files/…`, `keys/…`
and, when everything before it is there, `manifest.json`. By hand: `tar xf FILE && age -d key.age > key && age -d -i key
data.age | tar xz`.
"""

import contextlib
import hashlib
import io
import json
import os
import tarfile
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyrage
from pyrage import x25519

from aegis.backup.errors import BackupError, Damaged, NotOurFile, WrongKey, no_room
from aegis.backup.sealing import Seal

PRODUCT = "AEGIS backup"
FORMAT = 1
ABOUT, KEY, DATA = "about.json", "key.age", "data.age"
HEADER, MANIFEST = "header.json", "manifest.json"
#: What is known about books is small; whatever claims to be more is not ours.
MOST_BYTES = 64_000_000
LEVEL = 3
GZIP = 31  # window bits of zlib for the gzip format


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a backup, small enough to hold in memory."""

    name: str
    content: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return what it says. Raises Damaged."""
        try:
            values = json.loads(self.content)
        except (ValueError, RecursionError):
            raise Damaged from None
        if not isinstance(values, dict):
            raise Damaged
        return values


def json_member(name: str, values: object) -> Member:
    return Member(name, json.dumps(values, ensure_ascii=False, indent=1).encode())


def head_of(name: str, size: int, *, at: float = 0) -> bytes:
    """Return the 512 bytes in front of a member, whatever its size."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(at)
    return info.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


# --- writing --------------------------------------------------------------------------------------------------------


def tarred(members: Iterable[Member]) -> Iterator[bytes]:
    """Yield a tar.gz of members as they come, its manifest last: without it the file was not finished."""
    squeeze = zlib.compressobj(LEVEL, wbits=GZIP)
    digests: dict[str, str] = {}

    def packed(member: Member) -> bytes:
        content = member.content
        return head_of(member.name, len(content)) + content + padding(len(content))

    for member in members:
        digests[member.name] = hashlib.sha256(member.content).hexdigest()
        yield squeeze.compress(packed(member))
    yield squeeze.compress(packed(json_member(MANIFEST, {"members": digests})))
    yield squeeze.compress(b"\0" * tarfile.RECORDSIZE)
    yield squeeze.flush()


class Source:
    """Lets age read what is made meanwhile; an error in the making is kept, age would only tell its text."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self.rest = b""
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self.rest:
                self.rest = next(self.pieces)
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        given, self.rest = self.rest[:size], self.rest[size:]
        return given


class Sink:
    """Takes what age writes; what the disk says is kept."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def write_archive(
    path: Path, members: Iterable[Member], *, seal: Seal, about: dict[str, Any], at: float
) -> None:
    """Write a backup, readable for its owner only. Raises BackupError; what was begun is for the caller to take away."""
    said = json_member(
        ABOUT,
        {
            "product": PRODUCT,
            "format": FORMAT,
            **about,
            "opens_with": seal.kind,
            "key_sha256": hashlib.sha256(seal.wrapped).hexdigest(),
        },
    )
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb+") as file:
            for member in (said, *([Member(KEY, seal.wrapped)] if seal.wrapped else ())):
                size = len(member.content)
                file.write(head_of(member.name, size, at=at) + member.content + padding(size))
            write_data(file, tarred(members), seal=seal, at=at)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise no_room(error) from None


def write_data(file: IO[bytes], pieces: Iterator[bytes], *, seal: Seal, at: float) -> None:
    """Encrypt what is made meanwhile; how long it is, is written in front of it afterwards."""
    start = file.tell()
    file.write(head_of(DATA, 0, at=at))
    source, sink = Source(pieces), Sink(file)
    try:
        pyrage.encrypt_io(source, sink, list(seal.recipients))
    except (pyrage.EncryptError, OSError):
        if source.error is not None:
            raise source.error from None
        if sink.error is not None:
            raise sink.error from None
        raise
    size = file.tell() - start - tarfile.BLOCKSIZE
    file.write(padding(size) + b"\0" * (2 * tarfile.BLOCKSIZE))
    file.seek(start)
    file.write(head_of(DATA, size, at=at))


# --- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the outside of a backup tells without a key."""

    path: Path
    about: dict[str, Any]
    wrapped: bytes = field(repr=False)
    start: int
    size: int

    @property
    def needs_passphrase(self) -> bool:
        return bool(self.wrapped)


def open_envelope(path: Path) -> Envelope:
    """Look at a file from outside. Raises NotOurFile, Damaged, BackupError."""
    try:
        with path.open("rb") as file:
            return envelope_of(path, file)
    except FileNotFoundError:
        raise BackupError(f"백업 파일이 없습니다: {path}") from None
    except OSError as error:
        raise no_room(error) from None


def envelope_of(path: Path, file: IO[bytes]) -> Envelope:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=file, mode="r:") as outer:
            about = outer.next()
            if about is None or about.name != ABOUT or about.size > MOST_BYTES:
                raise NotOurFile
            values = Member(ABOUT, content_of(outer, about)).json()
            if values.get("product") != PRODUCT:
                raise NotOurFile
            if values.get("format") != FORMAT:
                raise BackupError(
                    "더 새로운 AEGIS의 백업입니다. 프로그램을 새 판으로 올린 뒤 다시 시도해 주세요."
                )
            info = outer.next()
            if info is not None and info.name == KEY and info.size <= MOST_BYTES:
                found[KEY] = content_of(outer, info)
                info = outer.next()
            if info is None or info.name != DATA:
                raise Damaged
            start, size = info.offset_data, info.size
    except tarfile.TarError:
        raise (Damaged if found or starts_like_ours(file) else NotOurFile) from None
    wrapped = found.get(KEY, b"")
    if hashlib.sha256(wrapped).hexdigest() != values.get("key_sha256") or size == 0:
        raise Damaged
    if path.stat().st_size < start + size:
        raise Damaged
    return Envelope(path, values, wrapped, start, size)


def starts_like_ours(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(len(ABOUT)) == ABOUT.encode()


def content_of(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    """Return the bytes of a member. Raises Damaged where they are not all there."""
    taken = tar.extractfile(info)
    content = taken.read() if taken is not None else b""
    if taken is None or len(content) != info.size:
        raise Damaged
    return content


class Section(io.RawIOBase):
    """The encrypted part of the file, as if it were a file of its own."""

    def __init__(self, file: IO[bytes], *, size: int) -> None:
        self.file = file
        self.left = size

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        data = self.file.read(wanted)
        self.left -= len(data)
        return data


@contextmanager
def members_of(envelope: Envelope, opener: x25519.Identity) -> Iterator[Iterator[Member]]:
    """Offer the members of a backup one after the other, decrypted as they are read; the manifest is checked at its end.

    Reading to the end proves that nothing is missing and nothing changed. Raises WrongKey, Damaged, also while reading.
    """
    out, into = os.pipe()
    trouble: list[BaseException] = []

    def decrypt() -> None:
        try:
            with os.fdopen(into, "wb") as pipe, envelope.path.open("rb") as file:
                file.seek(envelope.start)
                pyrage.decrypt_io(Section(file, size=envelope.size), pipe, [opener])
        except BrokenPipeError:
            pass  # nobody reads on
        except (pyrage.DecryptError, OSError) as error:
            trouble.append(error)

    worker = threading.Thread(target=decrypt, name="decrypting a backup")
    worker.start()
    pipe = os.fdopen(out, "rb")

    def to_the_end() -> Iterator[Member]:
        yield from read_members(pipe)
        while pipe.read(tarfile.RECORDSIZE):
            pass
        worker.join()
        if trouble:
            raise Damaged

    try:
        try:
            yield to_the_end()
        except Damaged:
            pipe.close()
            worker.join()
            if any(isinstance(error, pyrage.DecryptError) for error in trouble):
                raise WrongKey(
                    "이 백업을 여는 키가 아니거나 파일의 앞부분이 손상되었습니다."
                    if not envelope.needs_passphrase
                    else str(Damaged())
                ) from None
            raise
    finally:
        with contextlib.suppress(OSError):
            pipe.close()
        worker.join()


def read_members(pipe: IO[bytes]) -> Iterator[Member]:
    """Yield what comes out of the pipe, and hold it against the manifest at its end. Raises Damaged."""
    digests: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(fileobj=pipe, mode="r|gz") as inner:
            for info in inner:
                if info.size > MOST_BYTES or manifest is not None:
                    raise Damaged
                member = Member(info.name, content_of(inner, info))
                if info.name == MANIFEST:
                    manifest = member.json()
                else:
                    digests[info.name] = hashlib.sha256(member.content).hexdigest()
                    yield member
    except (tarfile.TarError, EOFError, zlib.error, OSError):
        raise Damaged from None
    if manifest is None or manifest.get("members") != digests:
        raise Damaged
