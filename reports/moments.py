"""Moments that the owner asks for."""

from datetime import datetime, time
from typing import Final

from django.utils.dateparse import parse_date, parse_datetime

from kis.korean import SEOUL

SENSIBLE_YEARS: Final = range(2000, 2101)


class MomentUnreadable(Exception):
    """This is no moment; the text is a sentence for the owner."""


def read_moment(text: str, *, name: str) -> datetime:
    """Read a moment in Seoul unless it names its own zone; a day alone means its end. Raises MomentUnreadable."""
    try:
        day_only = parse_date(text)
        moment = datetime.combine(day_only, time.max) if day_only else parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise MomentUnreadable(f"{name}를 읽을 수 없습니다: {text} (예: 2025-06-16T14:20:00)")
    if moment.year not in SENSIBLE_YEARS:
        raise MomentUnreadable(f"{name}의 연도를 확인해 주세요: {text}")
    return moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)
