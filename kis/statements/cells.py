"""Read one cell of a statement: a number, a day, a stock code or an account number."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

#: What an export writes where it has nothing to say.
BLANK = frozenset({"", "-", "--", "---", ".", "N/A", "NULL", "NONE", "해당없음", "없음"})
HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\u3161\u1173", "-"))
INVISIBLE = str.maketrans(dict.fromkeys("\ufeff\u200b\u200c\u200d\u2060\u00ad", ""))
UNITS = re.compile(r"^[₩\\$]|(?:원|주|좌|건|%|KRW)$")
NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+")
SHORTENED = re.compile(r"[0-9.,]+E[+-]?[0-9]+")
ARROWS_DOWN, ARROWS_UP = "▼▽", "▲△"
LONGEST_NUMBER = 40

WEEKDAY = r"(?:\s*\(?[월화수목금토일](?:요일)?\)?)?"
CLOCK = r"(?:[ T]*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?)?"
WRITTEN_DAY = re.compile(
    rf"([0-9]{{4}})\s*[-./년]\s*([0-9]{{1,2}})\s*[-./월]\s*([0-9]{{1,2}})\s*[.일]?{WEEKDAY}{CLOCK}"
)
PLAIN_DAY = re.compile(rf"([0-9]{{4}})([0-9]{{2}})([0-9]{{2}}){CLOCK}")
SERIAL_DAY = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
EXCEL_DAY_ZERO = date(1899, 12, 30)
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2099, 12, 31)

SHORT_CODE = re.compile(r"[0-9A-Z]{6}")
LETTERED_CODE = re.compile(r"[AJ]([0-9A-Z]{6})")
ETN_CODE = re.compile(r"Q[0-9A-Z]{6}")
LOST_ZEROS = re.compile(r"([0-9]{1,5})(?:\.0+)?|([0-9]{6})\.0+")
ISIN = re.compile(r"[A-Z]{2}[0-9A-Z]{9}[0-9]")
#: ISINs of Korean stocks carry the short code at a fixed place.
STOCK_ISIN = re.compile(r"KR7([0-9A-Z]{6})")

ACCOUNT = re.compile(r"[0-9*]{2,}(?:[-\s]{0,2}[\[(]?[0-9*]{2,}[\])]?)*")
WRITTEN_ACCOUNT = re.compile(r"(?<![0-9-])[0-9]{3}-[0-9]{3}-[0-9]{3}(?:[- ]?\[?[0-9]{2}\]?)?(?![0-9-])")
FEWEST_ACCOUNT_SIGNS, MOST_ACCOUNT_SIGNS = 8, 14

#: Wider than any account and narrower than the columns of the books.
MOST_WON = 10**15
MOST_SHARES = 10**13
SHARE_STEP, PRICE_STEP = Decimal("0.000001"), Decimal("0.0001")
#: A spreadsheet computes with binary fractions; this much is their noise.
NOISE = Decimal("0.000001")


class Unreadable(ValueError):
    """A cell that cannot be read; the message says why in Korean, as the end of a sentence about the cell."""


def plain(text: str) -> str:
    """Return the cell without what spreadsheets and input methods add: full width, `="…"`, apostrophe, odd spaces."""
    text = unicodedata.normalize("NFKC", text).translate(INVISIBLE).strip()
    if text.startswith('="') and text.endswith('"') and len(text) > len('=""'):
        text = text[2:-1].strip()
    return text.removeprefix("'").strip()


def is_blank(text: str) -> bool:
    return plain(text).translate(HYPHENS).upper() in BLANK


def number(text: str, *, up_is_plus: bool = False) -> Decimal | None:
    """Read `1,234`, `(1,234)`, `△1,234`, `1,234-`, `１２３원`; None where the cell is blank.

    Bookkeepers write ▲ and △ for minus. A table that has ▼ as well means up and down, said by `up_is_plus`.
    Raises Unreadable.
    """
    if is_blank(text):
        return None
    body = plain(text).translate(HYPHENS)
    if body.startswith("="):
        raise Unreadable("수식은 읽지 않습니다. 값으로 저장해 주세요")
    body = "".join(body.split()).upper()
    if SHORTENED.fullmatch(body):
        raise Unreadable("엑셀이 줄여 쓴 수라 끝자리를 알 수 없습니다")
    unsigned, minus = without_sign(body, up_is_plus=up_is_plus)
    if len(unsigned) > LONGEST_NUMBER or not NUMBER.fullmatch(unsigned):
        raise Unreadable("수가 아닙니다")
    value = Decimal(unsigned.replace(",", ""))
    return -value if minus else value


def without_sign(body: str, *, up_is_plus: bool) -> tuple[str, bool]:
    """Split a number without spaces into its digits and whether it is negative. Raises Unreadable for two signs."""
    arrows = "".join(sign for sign in body if sign in ARROWS_UP + ARROWS_DOWN)
    body = body.strip(ARROWS_UP + ARROWS_DOWN)
    pointing_down = bool(arrows) and (arrows in ARROWS_DOWN or not up_is_plus)
    in_brackets = body.startswith("(") and body.endswith(")")
    body = UNITS.sub("", UNITS.sub("", body[1:-1] if in_brackets else body))
    written = body.startswith("-") + body.endswith("-")
    if in_brackets + written > 1 or len(arrows) > 1:
        raise Unreadable("부호가 둘입니다")
    if body.startswith("+") and not (in_brackets or written):
        body = body[1:]
    body = body.removeprefix("-").removesuffix("-")
    return UNITS.sub("", body), bool(pointing_down or in_brackets or written)


def won(text: str, *, up_is_plus: bool = False) -> int | None:
    """Read an amount in won, negative where it is written so. Raises Unreadable."""
    value = number(text, up_is_plus=up_is_plus)
    if value is None:
        return None
    whole = value.to_integral_value(ROUND_HALF_UP)
    if abs(value - whole) > NOISE:
        raise Unreadable("원 단위가 아닙니다. 외화 금액일 수 있습니다")
    if abs(whole) >= MOST_WON:
        raise Unreadable("너무 큰 금액입니다")
    return int(whole)


def won_without_sign(text: str) -> int | None:
    """Read an amount whose direction is known otherwise: some exports write money paid with a minus."""
    value = won(text)
    return None if value is None else abs(value)


def shares(text: str) -> Decimal | None:
    """Read a number of shares, fractions included. Raises Unreadable, for a negative one too."""
    return measured(text, step=SHARE_STEP)


def unit_price(text: str) -> Decimal | None:
    """Read the price of one share in won, rounded to a hundredth of a 전. Raises Unreadable."""
    return measured(text, step=PRICE_STEP)


def measured(text: str, *, step: Decimal) -> Decimal | None:
    value = number(text)
    if value is None:
        return None
    if value < 0:
        raise Unreadable("0보다 작습니다")
    if value >= MOST_SHARES:
        raise Unreadable("너무 큰 수입니다")
    return value.quantize(step, ROUND_HALF_UP)


def day(text: str) -> date | None:
    """Read `2026-11-20`, `2026.11.20`, `20261120`, `2026/11/20 09:01`, `2026년 11월 20일` or Excel's serial number.

    None where the cell is blank. Raises Unreadable, also for a day outside of 1980 to 2099.
    """
    if is_blank(text):
        return None
    body = plain(text)
    try:
        if match := WRITTEN_DAY.fullmatch(body) or PLAIN_DAY.fullmatch(body):
            year, month, of_month = map(int, match.groups())
            found = date(year, month, of_month)
        elif match := SERIAL_DAY.fullmatch(body):
            found = EXCEL_DAY_ZERO + timedelta(days=int(match[1]))
        else:
            raise Unreadable("날짜가 아닙니다")
    except (ValueError, OverflowError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("없는 날짜입니다") from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise Unreadable("없는 날짜입니다")
    return found


def stock_code(text: str) -> str:
    """Read `005930`, `A005930`, `5930` (zeros lost in Excel) or `KR7005930003` as `005930`; empty where blank.

    An ETN keeps its Q, as in the rest of the books, and the ISIN of anything but a Korean stock is kept as it is.
    Raises Unreadable.
    """
    if is_blank(text):
        return ""
    body = plain(text).upper()
    if not body.strip("0."):
        raise Unreadable("종목코드가 아닙니다")
    if match := LOST_ZEROS.fullmatch(body):
        return (match[1] or match[2]).zfill(6)
    if (SHORT_CODE.fullmatch(body) and not body.isalpha()) or ETN_CODE.fullmatch(body):
        return body
    if match := LETTERED_CODE.fullmatch(body):
        return match[1]
    if ISIN.fullmatch(body):
        if not has_right_check_digit(body):
            raise Unreadable("국제 표준코드의 검사 숫자가 맞지 않습니다")
        stock = STOCK_ISIN.match(body)
        return stock[1] if stock else body
    raise Unreadable("종목코드가 아닙니다")


def has_right_check_digit(isin: str) -> bool:
    """Compare the last digit of an ISIN with the others (Luhn, letters as two digits)."""
    digits = [int(digit) for sign in isin for digit in str(int(sign, 36))]
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled // 10 + doubled % 10
    return total % 10 == 0


def stock_name(text: str) -> str:
    """Return a name in composed Hangul and single spaces; empty where blank."""
    if is_blank(text):
        return ""
    return " ".join(unicodedata.normalize("NFC", text).translate(INVISIBLE).split())


def name_key(name: str) -> str:
    """Return what two spellings of a name have in common: no spaces, no width, no case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def account_number(text: str) -> str:
    """Return the account number in a text that follows the word 계좌, digits and stars only; empty where none is."""
    for match in ACCOUNT.finditer(plain(text)):
        signs = re.sub(r"[^0-9*]", "", match[0])
        if FEWEST_ACCOUNT_SIGNS <= len(signs) <= MOST_ACCOUNT_SIGNS:
            return signs
    return ""


def hide_accounts(text: str) -> str:
    """Return the text with account numbers made unreadable, for lines that are shown and kept."""
    return WRITTEN_ACCOUNT.sub(lambda match: match[0][:3] + "-***-***", text)
