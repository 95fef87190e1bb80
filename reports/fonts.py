"""Static Korean fonts for print, made once from the variable Noto Sans KR that comes as a package.

WeasyPrint can use the variable file, but then every PDF takes seconds longer. The three weights we print are cut from it
here and kept in `settings.FONT_DIR`; the system's own fonts are never used.
"""

import json
import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from reports.publish import reason

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

FAMILY: Final = "Noto Sans KR"
WEIGHTS: Final = {400: "Regular", 500: "Medium", 700: "Bold"}
LICENSE_FILE: Final = "OFL.txt"
STAMP_FILE: Final = "stamp.json"
RECIPE: Final = 1  # raise it when the way the files are made changes
PACKAGE: Final = "justmytype_intl_cjk"
FOLDER: Final = "fonts/ofl/notosanskr"
SYMBOLS: Final = "−▲▼△▽●○◆◇□■…⋯·–—‘’“”×÷→←↑↓₩€※~%‰①②③④⑤⑥⑦⑧⑨⑩"
WINDOWS_NAMES: Final = (3, 1, 0x409)


class FontsUnavailable(Exception):
    """The fonts are missing and could not be made; the text is a sentence for the owner."""


def font_path(weight: int) -> Path:
    """Return where the file of one weight lies; it may not have been built yet."""
    return Path(settings.FONT_DIR) / f"NotoSansKR-{WEIGHTS[weight]}.ttf"


def ensure_fonts() -> bool:
    """Build the fonts unless they are up to date; True if something was built. Raises FontsUnavailable."""
    folder = Path(settings.FONT_DIR)
    try:
        source = _source()
        made_of = _stamp(source)
        if _is_current(folder, made_of):
            return False
        folder.mkdir(parents=True, exist_ok=True)
        _build_all(source, folder)
        write(folder / LICENSE_FILE, source.with_name(LICENSE_FILE).read_bytes())
        write(folder / STAMP_FILE, json.dumps(made_of).encode())
    except (metadata.PackageNotFoundError, ModuleNotFoundError, FileNotFoundError):
        raise FontsUnavailable(
            "한글 글꼴 패키지(justmytype-intl-cjk)를 찾을 수 없습니다. 먼저 실행해 주세요: make setup"
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from error
    return True


def cannot_write(folder: Path, error: OSError) -> FontsUnavailable:
    return FontsUnavailable(
        f"{folder} 폴더에 글꼴을 저장할 수 없습니다({reason(error)}). 폴더 권한과 남은 공간을 확인해 주세요."
    )


def supported_characters() -> frozenset[int]:
    """Code points that the built fonts can draw."""
    path = font_path(400)
    return _characters(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _characters(path: str, _modified: int) -> frozenset[int]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415  # heavy, and only needed for print

    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def wanted_characters() -> set[int]:
    """Everything KIS can send (cp949), Latin-1, and the signs we draw."""
    wanted = {ord(sign) for sign in SYMBOLS} | set(range(0x20, 0x7F)) | set(range(0xA0, 0x100))
    for code in range(0x100, 0x10000):
        try:
            chr(code).encode("cp949")
        except UnicodeEncodeError:
            continue
        wanted.add(code)
    return wanted


def build_weight(source: str, weight: int, target: str) -> None:
    """Write one static weight; runs in a process of its own, so it takes plain values only."""
    from fontTools import subset  # noqa: PLC0415
    from fontTools.ttLib import TTFont  # noqa: PLC0415
    from fontTools.varLib import instancer  # noqa: PLC0415

    options = subset.Options()
    # Vertical setting and alternates are never printed; the accents of NFD Latin and the kerning are.
    options.layout_features = ["ccmp", "kern", "mark", "locl", "liga"]
    options.drop_tables = [*options.drop_tables, "BASE", "vhea", "vmtx", "VORG", "VVAR"]
    options.hinting = False
    options.notdef_outline = True
    font = TTFont(source, lazy=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted_characters())
    subsetter.subset(font)
    static = instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True)
    _rename(static, weight)
    with tempfile.NamedTemporaryFile(dir=Path(target).parent, suffix=".tmp", delete=False) as file:
        try:
            static.save(file)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _rename(font: "TTFont", weight: int) -> None:
    """Give the weight its own names, so that it is recognised in the list of fonts of a PDF."""
    style = WEIGHTS[weight]
    names = font["name"]
    names.names = [name for name in names.names if name.nameID in {0, 5, 7, 8, 9, 11, 13, 14}]
    family = FAMILY if weight in {400, 700} else f"{FAMILY} {style}"
    plain = style if weight in {400, 700} else "Regular"
    full = f"{FAMILY} {style}"
    for name_id, text in ((1, family), (2, plain), (3, f"{full}; {RECIPE}"), (4, full)):
        names.setName(text, name_id, *WINDOWS_NAMES)
    names.setName(f"NotoSansKR-{style}", 6, *WINDOWS_NAMES)
    font["OS/2"].usWeightClass = weight
    is_bold = weight == max(WEIGHTS)
    font["head"].macStyle = int(is_bold)
    font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0b1100001) | (0b100000 if is_bold else 0b1000000)
    # The time of the build would make the file, and with it the PDF, differ from one machine to the next.
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False


def _source() -> Path:
    return Path(str(resources.files(PACKAGE).joinpath(FOLDER, "NotoSansKR[wght].ttf")))


def stamp() -> dict[str, str | int]:
    """Return what the files are made of."""
    return _stamp(_source())


def _stamp(source: Path) -> dict[str, str | int]:
    version = metadata.version("justmytype-intl-cjk")
    return {"package": version, "source_bytes": source.stat().st_size, "recipe": RECIPE}


def _is_current(folder: Path, stamp: dict[str, str | int]) -> bool:
    try:
        written = json.loads((folder / STAMP_FILE).read_text())
    except (OSError, ValueError):
        return False
    return bool(written == stamp) and all(font_path(weight).is_file() for weight in WEIGHTS)


def _build_all(source: Path, folder: Path) -> None:
    jobs = [(str(source), weight, str(folder / font_path(weight).name)) for weight in WEIGHTS]
    if multiprocessing.current_process().daemon:  # a worker of the queue may not start processes of its own
        for job in jobs:
            build_weight(*job)
        return
    # Not fork: the caller may be a server with threads.
    with ProcessPoolExecutor(len(jobs), mp_context=multiprocessing.get_context("spawn")) as pool:
        for result in [pool.submit(build_weight, *job) for job in jobs]:
            result.result()


def write(path: Path, data: bytes) -> None:
    """Put a file in its place in one step."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    partial.write_bytes(data)
    partial.replace(path)
