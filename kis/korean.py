"""How numbers, days and accounts are written for the owner (design.md section 12, ../shared/mock section 3)."""

import re
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

SEOUL = ZoneInfo("Asia/Seoul")
MINUS = "\u2212"
MISSING = "–"
WEEKDAYS = "월화수목금토일"


def masked_account(account_no: str, product_code: str = "") -> str:
    """`12345678`, `01` → `1234****-01`."""
    masked = account_no[:4] + "*" * max(len(account_no) - 4, 0)
    return f"{masked}-{product_code}" if product_code else masked


def number(value: int | None) -> str:
    """`-1234` → `−1,234`; unknown → `–`."""
    if value is None:
        return MISSING
    return f"{value:,}".replace("-", MINUS)


def signed(value: int | None) -> str:
    """`1234` → `+1,234`; zero has no sign."""
    if value is None:
        return MISSING
    return f"+{value:,}" if value > 0 else number(value)


def percent(value: Decimal | float | None) -> str:
    """`5.314` → `+5.31%`, always two decimals and a sign; zero has no sign."""
    if value is None:
        return MISSING
    rounded = Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if rounded == 0:
        return "0.00%"
    return f"{rounded:+}%".replace("-", MINUS)


def share(value: Decimal | float | None) -> str:
    """Write a part of a whole in percent, `21.34` → `21.3`: one decimal, no sign."""
    if value is None:
        return MISSING
    return str(Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP)).replace("-", MINUS)


def arrow(value: Decimal | float | None) -> str:
    """▲, ▼, or nothing: only for a change against the previous close."""
    if not value:
        return ""
    return "▲" if value > 0 else "▼"


def won_heading(value: int) -> list[tuple[str, str]]:
    """Heading amount in pairs of figure and unit, `179819278` → `[("1", "억"), ("7,981", "만원")]`.

    Cut off below 만, not rounded; above 1조 in 조 and 억; below 1만 in won.
    """
    sign = MINUS if value < 0 else ""
    cut = int((Decimal(abs(value)) / 10_000).to_integral_value(ROUND_DOWN))
    if not cut:
        return [(f"{sign}{abs(value):,}", "원")]
    units = [("조", cut // 100_000_000), ("억", cut // 10_000 % 10_000), ("만", cut % 10_000)]
    if units[0][1]:
        units = units[:2]
    parts = [(f"{amount:,}", unit) for unit, amount in units if amount]
    first, last = parts[0], parts[-1]
    parts[0] = (sign + first[0], first[1])
    return [*parts[:-1], (parts[-1][0], last[1] + "원")]


def heading_text(value: int) -> str:
    """`179819278` → `1억 7,981만원`."""
    return " ".join(figure + unit for figure, unit in won_heading(value))


def day(value: date) -> str:
    """`2025-06-16(월)`."""
    return f"{value:%Y-%m-%d}({WEEKDAYS[value.weekday()]})"


def short_day(value: date) -> str:
    """`6/16(월)`."""
    return f"{value.month}/{value.day}({WEEKDAYS[value.weekday()]})"


def clock_time(value: datetime) -> str:
    """`14:20:00` in Seoul; raises ValueError for a time without zone."""
    if value.tzinfo is None:
        raise ValueError("naive datetime")
    return f"{value.astimezone(SEOUL):%H:%M:%S}"


# --- particles ---------------------------------------------------------------------------------------------------------

#: Each pair after a final consonant and after a vowel.
PARTICLES = {"은": "는", "이": "가", "을": "를", "과": "와", "으로": "로", "이라": "라"}
FIRST_SYLLABLE, LAST_SYLLABLE, FINALS, RIEUL = 0xAC00, 0xD7A3, 28, 8
#: How figures are read: 영 일 이 삼 사 오 육 칠 팔 구.
CLOSED_FIGURES = "013678"
#: Letters are read by their names (엘, 엠, 엔, 알), words by their sound, in which a final r is silent.
CLOSED_LETTERS, CLOSED_ENDINGS = "LMNR", "LMN"
LONGEST_ABBREVIATION = 3
ENDS_WITH_RIEUL = {"1", "7", "8", "L", "R"}


def with_particle(word: str, particle: str) -> str:
    """`삼성전자`, `은` → `삼성전자는`; the particle is named by its form after a consonant (은 이 을 과 으로 이라)."""
    return f"{word}{particle if is_closed(word, before=particle) else PARTICLES[particle]}"


def is_closed(word: str, *, before: str = "은") -> bool:
    """Return whether a word, as it is read, ends with a consonant; ㄹ does not count before 로."""
    heard = [letter for letter in word if letter.isalnum()]
    if word.rstrip().endswith("%") or not heard:
        return False  # 퍼센트
    last = heard[-1].upper()
    if FIRST_SYLLABLE <= ord(last) <= LAST_SYLLABLE:
        final = (ord(last) - FIRST_SYLLABLE) % FINALS
        return bool(final) and not (before == "으로" and final == RIEUL)
    if before == "으로" and last in ENDS_WITH_RIEUL:
        return False
    if last.isdigit():
        return last in CLOSED_FIGURES
    latin = re.search(r"[A-Za-z]+$", "".join(heard))
    length = len(latin[0]) if latin else 0
    if length <= LONGEST_ABBREVIATION:
        return last in CLOSED_LETTERS
    return last in CLOSED_ENDINGS or "".join(heard[-2:]).upper() == "NG"
