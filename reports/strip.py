"""The line below the head of every page: is it live, does it add up, and when is there something new. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kis.korean import clock_time, day, number, short_day
from reports.columns import BOLD, text_width
from reports.figures import Broken, Dashboard

LEAST_GAP: Final = 5.0
WORST_NAME: Final = 18  # letters
PAGE_WIDTH: Final = 186.0
INSET: Final = 2.0


@dataclass(frozen=True, slots=True)
class Item:
    """A grey label, its value (bold where it is `strong`), and a grey note. The higher its rank, the sooner it makes room."""

    label: str = ""
    strong: str = ""
    value: str = ""
    note: str = ""
    rank: int = 0
    dot: str = ""  # "open" or "closed": the session has a sign of its own

    @property
    def width(self) -> float:
        return (
            text_width(f"{self.label} {self.value} {self.note} ")
            + text_width(self.strong) * BOLD
            + (3.0 if self.dot else 0.0)
        )


@dataclass(frozen=True, slots=True)
class Strip:
    """What the line says; `is_troubled` makes it amber."""

    items: tuple[Item, ...]
    is_troubled: bool

    def fitting(self, width: float = PAGE_WIDTH) -> tuple[Item, ...]:
        """Return as many items as there is room for, without those that matter least."""
        items = list(self.items)
        room = width - (2 * INSET if self.is_troubled else 0.0)
        while len(items) > 1 and sum(item.width for item in items) + LEAST_GAP * (len(items) - 1) > room:
            items.remove(max(items, key=lambda item: item.rank))
        return tuple(items)


def strip_of(dashboard: Dashboard, *, is_masked: bool = False) -> Strip:
    items = [
        *_simulated(dashboard),
        *_direct(dashboard),
        _state(dashboard),
        *_failures(dashboard),
        _reconciled(dashboard, is_masked=is_masked),
        *_minutes(dashboard),
        *_private(is_masked=is_masked),
        *_costs(dashboard, is_masked=is_masked),
        *_made(dashboard),
        *_next(dashboard),
    ]
    return Strip(tuple(items), is_troubled(dashboard))


def is_troubled(dashboard: Dashboard) -> bool:
    """Whether anything of the data asks for a look before the figures are believed."""
    return bool(
        dashboard.stale_for is not None
        or dashboard.failures
        or dashboard.reconciliation.differing
        or isinstance(dashboard.minutes, Broken)
        or dashboard.minutes.missing
        or is_unexplained(dashboard)
    )


def is_unexplained(dashboard: Dashboard) -> bool:
    today = dashboard.today
    return today is not None and not isinstance(today, Broken) and today.unexplained != 0


def _simulated(dashboard: Dashboard) -> Sequence[Item]:
    return [Item(strong="시뮬레이터 자료", note="실제 계좌가 아닙니다")] if dashboard.is_demo else []


def _direct(dashboard: Dashboard) -> Sequence[Item]:
    return [Item(strong="증권사에서 바로 조회")] if dashboard.is_direct else []


def _state(dashboard: Dashboard) -> Item:
    if dashboard.stale_for is not None:
        as_of = clock_time(dashboard.as_of)
        if dashboard.generated_at.date() != dashboard.as_of.date():
            as_of = f"{day(dashboard.as_of.date())} {as_of}"
        return Item(
            strong=f"{age_words(dashboard)} 지난 자료입니다.", value=f"아래 값은 모두 {as_of} 기준입니다."
        )
    session = dashboard.session
    return Item(value=session.name, note=session.hours, dot="open" if session.is_open else "closed")


def age_words(dashboard: Dashboard) -> str:
    """`47분`, `5시간 14분`, `3일`."""
    assert dashboard.stale_for is not None  # noqa: S101  # only stale data has an age worth saying
    minutes = int(dashboard.stale_for.total_seconds()) // 60
    if dashboard.stale_for.days:
        return f"{dashboard.stale_for.days}일"
    return f"{minutes // 60}시간 {minutes % 60}분" if minutes >= 60 else f"{minutes}분"  # noqa: PLR2004


def _failures(dashboard: Dashboard) -> Sequence[Item]:
    failures = dashboard.failures
    if failures is None:
        return []
    return [Item(label="동기화 실패", value=f"{failures.since:%H:%M}부터 {failures.count}회")]


def _reconciled(dashboard: Dashboard, *, is_masked: bool) -> Item:
    differing = dashboard.reconciliation.differing
    if not differing:
        return Item(label="대사", value="일치")
    worst = differing[0]
    name = worst.row or worst.name
    more = f" 외 {len(differing) - 1}건" if len(differing) > 1 else ""
    size = "차이" if is_masked else f"차이 {number(worst.difference)}{worst.unit}"
    named = name if len(name) <= WORST_NAME else f"{name[: WORST_NAME - 1]}…"
    return Item(label="대사", strong=size, value=f"· {named}{more}")


def _minutes(dashboard: Dashboard) -> Sequence[Item]:
    """Say how many minutes are missing; before any have been fetched there is nothing to say."""
    minutes = dashboard.minutes
    if isinstance(minutes, Broken):
        return [Item(label="누락 분봉", value="알 수 없음")]
    if minutes.missing:
        return [Item(label="누락 분봉", strong=f"{minutes.missing:,}분", value=f"· {minutes.stocks}종목")]
    if not (minutes.held and (dashboard.session.is_open or minutes.watched)):
        return []
    return [Item(label="누락 분봉", value="0" if minutes.watched else "받기 전", rank=3)]


def _private(*, is_masked: bool) -> Sequence[Item]:
    return [Item(strong="금액 가림", note="비율만 보입니다", rank=1)] if is_masked else []


def _costs(dashboard: Dashboard, *, is_masked: bool) -> Sequence[Item]:
    if is_masked or dashboard.stale_for is not None:
        return []
    fee = dashboard.account.fee_today
    return [
        Item(label=f"{day_name(dashboard)} 비용", value=f"~{number(fee)} 추정" if fee else "없음", rank=4)
    ]


def day_name(dashboard: Dashboard) -> str:
    """`오늘`, or on a closed day the one that the figures are of."""
    return "오늘" if dashboard.day == dashboard.as_of.date() else short_day(dashboard.day)


def _made(dashboard: Dashboard) -> Sequence[Item]:
    """Say when the page was made; of stale data the head says so. What repeats the time of the data matters least."""
    if dashboard.stale_for is not None:
        return []
    repeats = dashboard.generated_at == dashboard.as_of
    return [Item(label="생성", value=generated(dashboard), rank=6 if repeats else 2)]


def generated(dashboard: Dashboard) -> str:
    """Return the time of creation, with its day where it is another one than the data's."""
    text = clock_time(dashboard.generated_at)
    if dashboard.generated_at.date() == dashboard.as_of.date():
        return text
    return f"{day(dashboard.generated_at.date())} {text}"


def _next(dashboard: Dashboard) -> Sequence[Item]:
    at = dashboard.next_update
    name = "다음 시도" if dashboard.stale_for is not None else "다음 갱신"
    if at is None:
        return [Item(label=name, value="예약 없음", rank=5)] if dashboard.is_unscheduled else []
    is_same_day = at.date() == dashboard.generated_at.date()
    return [
        Item(label=name, value=f"{at:%H:%M}" if is_same_day else f"{short_day(at.date())} {at:%H:%M}", rank=5)
    ]
