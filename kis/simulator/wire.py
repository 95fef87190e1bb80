"""How values look on the wire: strings, fixed decimals, paddings, cursors, envelopes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Generic, TypeVar

from kis.client.codes import Mode

Row = TypeVar("Row")
Json = dict[str, object]

MESSAGE_BYTES = 80
CURSOR_BYTES = 100
BRANCH: dict[Mode, str] = {"real": "06010", "paper": "00950"}


class Refused(Exception):
    """The simulated broker says no; carries what goes on the wire."""

    def __init__(self, msg_cd: str, msg1: str, *, rt_cd: str = "1", status: int = 200) -> None:
        super().__init__(msg_cd)
        self.status = status
        self.msg_cd = msg_cd
        self.body: Json = {"rt_cd": rt_cd, "msg_cd": msg_cd, "msg1": msg1}


def unknown_service() -> Refused:
    return Refused("OPSQ0002", "없는 서비스 코드 입니다.")


def missing_field(name: str) -> Refused:
    return Refused("OPSQ2001", f"ERROR : INPUT FIELD NOT FOUND [{name}]", rt_cd="2")


def invalid_field(name: str) -> Refused:
    return Refused("OPSQ2001", f"ERROR : INPUT INVALID FIELD [{name}]", rt_cd="2")


def wrong_account() -> Refused:
    return Refused("OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO", rt_cd="2")


def padded(text: str, width: int) -> str:
    """Fill up with spaces to `width` bytes of cp949, as the core system does."""
    return text + " " * max(width - len(text.encode("cp949", "replace")), 0)


def fixed(value: Decimal | int, places: int) -> str:
    """Write a decimal with exactly `places` digits after the point."""
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """Return a share in percent; of nothing, 0."""
    return Decimal(part) * 100 / Decimal(whole) if whole else Decimal(0)


def change_sign(change: int | Decimal, *, at_upper: bool = False, at_lower: bool = False) -> str:
    """Return the code of a change: 1 upper limit, 2 up, 3 even, 4 lower limit, 5 down."""
    if at_upper or at_lower:
        return "1" if at_upper else "4"
    return "2" if change > 0 else "5" if change < 0 else "3"


def envelope(mode: Mode, *, more: bool, last_message: tuple[str, str] | None = None) -> Json:
    """Return the head of a successful account inquiry."""
    if mode == "paper":
        code, text = "20310000", "모의투자 조회가 계속됩니다." if more else "모의투자 조회가 완료되었습니다."
    elif more:
        code, text = "KIOK0490", "조회가 계속됩니다..다음버튼을 Click 하십시오."
    else:
        code, text = last_message or ("KIOK0510", "조회가 완료되었습니다")
    return {"rt_cd": "0", "msg_cd": code, "msg1": padded(text, MESSAGE_BYTES)}


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one call and where the next one goes on; `resume` is empty on the last page."""

    rows: Sequence[Row]
    resume: str

    @property
    def more(self) -> bool:
        return bool(self.resume)


def cut_page(
    rows: Sequence[Row],
    *,
    key: Callable[[Row], str],
    cursor: str,
    size: int,
    descending: bool = False,
    disturb: Callable[[], str] = str,
) -> Page[Row]:
    """Return the page after `cursor`. The cursor names the last row seen, so rows do not shift between calls.

    `disturb` is asked once if there are more pages; "drop_page" skips a page, "repeat_page" serves this one again.
    """
    last_seen, _, serial = cursor.strip().partition("^")
    ordered = sorted(rows, key=key, reverse=descending)
    if last_seen:
        ordered = [row for row in ordered if (key(row) < last_seen if descending else key(row) > last_seen)]
    shown = ordered[:size]
    if len(ordered) <= size:
        return Page(shown, "")
    fault = disturb()
    count = int(serial) + 1 if serial.isdecimal() else 1
    if fault == "repeat_page":
        return Page(shown, f"{last_seen}^{count}")
    resume_row = ordered[min(2 * size, len(ordered)) - 1] if fault == "drop_page" else shown[-1]
    return Page(shown, f"{key(resume_row)}^{count}")


def cursors(conditions: str, resume: str) -> Json:
    """Return the two cursor fields: FK echoes the conditions, NK says where to go on."""
    return {
        "ctx_area_fk100": padded(conditions, CURSOR_BYTES),
        "ctx_area_nk100": padded(resume, CURSOR_BYTES),
    }


class Params:
    """Parameters of a request by upper-case name; clients mix both cases."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = {name.upper(): value for name, value in given.items()}

    def require(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._given:
                raise missing_field(name)

    def __getitem__(self, name: str) -> str:
        return self._given.get(name, "").strip()
