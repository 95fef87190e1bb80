"""The Korean font of the live page: the printed weights cut into parts, of which a browser loads what a page needs.

Most machines that open the page have a Korean font, but no two the same one, and servers have none. The parts come from
the static files of `reports.fonts`; their names carry a version, so that they can be kept for good.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

from reports import fonts

#: The syllables of our own words and of the common names of stocks; all other common ones follow in parts of their own.
OURS: Final = (
    "가각간갈감갑값갔강같개객갱거건걸검것게겨격견결겹겼경계고곱곳공과관괄교구국권규균그근글금급기긴길김깁까깨꺼께꼭꼴꾸꿀꿈뀌뀐끄끊끔끝나난날남납났낮"
    "내낸낼냄냅너넉널넘넣네넥넷년노농높누눈눌뉜느는늘능늦니닉닌닐님닙다닥단닫달닭담답당대더던덟덧데델도돈돌동되된될됨됩두둘둠둡뒤드득든들듭등디딩따때"
    "떨또뛰뜻띄라락란람랍랑래램랫략량러럼럿레렉려력련렬렵령례로록롯료루류률르른를름릅리릭린릴림립릿마막만많말맞맡매맨맺머먼멈메며면멸명몇모목몰못무"
    "문묻물뮬므미민믿밀및밑바밖반받발밝방배백버번벌범법벗베변별병보복본볼봄봅봇봉부분불붙브비빈빌빠빨빼뿐사산살삼상새생샷서석섞선설섯성세셀셋션셨소속"
    "손솔송쇠수순숫쉬쉼스슨습승시식신실십썼쓰쓴쓸씁씨씩아안않알암압았앞애액앤앱야약양어억얼업없엇었에엑엔엘엠여역연열였영옆예옛오온올옮옴옵와완왔외"
    "요용우운울움웁워원월웠웹위유육율융으은을음응의이익인일읽임입있자작잔잘잠장재저적전절점접정제젠젤져졌조족존종좌주준줄줍중쥐즈증지직진질집짓징짜짧"
    "째쪽찍차참찼창찾채책처천철첫청체쳐초촌총최추축춘출춤췄취츠치칠침칭카칸칼커컴케켓켜켬켰코콤크큰클큽키타탁태터테텔템토톤톱통퇴투트특튼틀티틱틸파판"
    "팔패퍼펀펄페편평폐포폴표풀품퓨프플피픽필하학한할함합항해했행향험혀현형호혹홀홈홉홍화확환활회획횟효후휴흐히힌힣뀝웃잊착택겠닿렸켠펼헌훨흔닝딜롭롱뤄릉묶뱅빚섭쌍쎄엿윤잇쟁젝챔챙쿄킬텍톨틴팅펙핏헬휠휩"
)
RECIPE: Final = 1  # raise it when the way the parts are made changes
COMMON_PARTS: Final = 3
STAMP_FILE: Final = "web.json"
#: Where the whole font, of 4 MB, is worth loading: rare syllables, Chinese characters, forms of the East.
RARE: Final = "U+250-5FF,U+1100-11FF,U+2010-2BFF,U+3000-33FF,U+4E00-9FFF,U+AC00-D7A3,U+F900-FAFF,U+FF00-FFEF"


def ensure_web_fonts() -> bool:
    """Cut the parts unless they are there; True if something was made. Raises FontsUnavailable."""
    fonts.ensure_fonts()
    folder = Path(settings.FONT_DIR)
    names = set(part_names())
    if _stamped(folder) == version() and all((folder / name).is_file() for name in names):
        return False
    try:
        for old in folder.glob("*.woff"):
            if old.name not in names:
                old.unlink(missing_ok=True)
        for weight in fonts.WEIGHTS:
            for part, characters in parts().items():
                _cut(fonts.font_path(weight), characters, folder / part_name(weight, part))
        fonts.write(folder / STAMP_FILE, json.dumps({"version": version()}).encode())
    except OSError as error:
        raise fonts.cannot_write(folder, error) from error
    return True


def part_name(weight: int, part: str) -> str:
    return f"NotoSansKR-{weight}-{part}.{version()}.woff"


def part_names() -> Iterator[str]:
    return (part_name(weight, part) for weight in fonts.WEIGHTS for part in parts())


@cache
def version() -> str:
    """Return eight letters that change with the font and with how it is cut."""
    recipe = [RECIPE, COMMON_PARTS, fonts.stamp(), OURS, sorted(fonts.wanted_characters())]
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:8]


@cache
def parts() -> dict[str, tuple[int, ...]]:
    """Return the characters of each part: `ours`, then the other common syllables, cut up.

    What is in none of them comes from the whole font.
    """
    common = sorted(common_syllables() - {ord(sign) for sign in OURS})
    size = -(-len(common) // COMMON_PARTS)
    latin = (code for code in fonts.wanted_characters() if not is_east_asian(code))
    found = {"ours": (*latin, *(ord(sign) for sign in OURS))}
    for number, start in enumerate(range(0, len(common), size), 1):
        found[f"common{number}"] = tuple(common[start : start + size])
    return {part: tuple(sorted(codes)) for part, codes in found.items()}


def is_east_asian(code: int) -> bool:
    """Whether a character is more than the letters and signs that every page has."""
    return 0x250 <= code < 0x2000 or code >= 0x2680  # noqa: PLR2004  # blocks of Unicode


def common_syllables() -> set[int]:
    """Return the 2,350 syllables of KS X 1001."""
    return {
        ord(bytes((lead, trail)).decode("euc-kr"))
        for lead in range(0xB0, 0xC9)
        for trail in range(0xA1, 0xFF)
    }


def stylesheet(*, address: str) -> str:
    """Return the `@font-face` rules; `address` is the folder of the files.

    Of rules that claim a character the last one counts, and one that lacks it hands on to those before: so the whole font
    and the parts of common syllables need no more than a rough range each.
    """
    rules = []
    for weight in fonts.WEIGHTS:
        rules.append(_face(weight, f"{address}{whole_name(weight)}", "truetype", RARE))
        for part, codes in reversed(parts().items()):
            rough = f"U+{codes[0]:X}-{codes[-1]:X}" if part != "ours" else _ranges(codes)
            rules.append(_face(weight, f"{address}{part_name(weight, part)}", "woff", rough))
    return "\n".join(rules)


def whole_name(weight: int) -> str:
    return f"NotoSansKR-{weight}.{version()}.ttf"


def file_of(name: str) -> Path | None:
    """Return the file behind a name that `stylesheet` gives, None for any other name."""
    for weight in fonts.WEIGHTS:
        if name == whole_name(weight):
            return fonts.font_path(weight)
    return Path(settings.FONT_DIR) / name if name in set(part_names()) else None


def _face(weight: int, url: str, form: str, characters: str) -> str:
    return (
        f'@font-face{{font-family:"{fonts.FAMILY}";font-weight:{weight};font-display:swap;'
        f'src:url("{url}") format("{form}");unicode-range:{characters}}}'
    )


def _ranges(codes: Iterable[int]) -> str:
    """Write code points as CSS does: `U+20-7E,U+2212`."""
    spans: list[list[int]] = []
    for code in sorted(codes):
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return ",".join(f"U+{first:X}" if first == last else f"U+{first:X}-{last:X}" for first, last in spans)


def _cut(source: Path, characters: Collection[int], target: Path) -> None:
    from fontTools import subset  # noqa: PLC0415
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    options = subset.Options()
    options.layout_features = ["ccmp", "kern", "mark", "locl", "liga"]
    options.notdef_outline = True
    with TTFont(source, lazy=True) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=characters)
        subsetter.subset(font)
        font.flavor = "woff"
        font.recalcTimestamp = False
        partial = target.with_name(f"{target.name}.tmp")
        font.save(partial)
        partial.replace(target)


def _stamped(folder: Path) -> str:
    try:
        return str(json.loads((folder / STAMP_FILE).read_text())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
