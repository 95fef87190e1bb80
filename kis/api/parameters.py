"""What may stand behind the question mark: how it is read, and what it asks of the rows."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.settings import api_settings

from kis.access import Somebody, visible_accounts
from kis.accounts import Account
from kis.api.errors import BadParameter, UnknownParameter
from kis.client.codes import ACCOUNT_NO
from kis.korean import SEOUL
from kis.models import KisAccount
from kis.models.owned import of_mode, owned_by

Rows = QuerySet[Any]
MODES = {"real": False, "paper": True}
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
STOCK_CODE = re.compile(r"[0-9A-Z]{6,12}")
WORD = re.compile(r"[A-Za-z0-9_]{1,40}")
UNMASKED = re.compile(r"[0-9 -]{8,}")
#: Outside of these years a date is a slip of the finger, and its midnight may be no date at all in UTC.
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2099, 12, 31)
TRUTHS = {"true": True, "false": False}
#: How parameters are described.
DAY_SCHEMA = {
    "type": "string",
    "format": "date",
    "pattern": "^(19[89][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
}
ACCOUNT_NAMES = "계좌의 별칭이나 가린 번호(1234****-01)"
MODE_NAMES_ABOUT = "real 실전, paper 모의"
FROM, TO = "이 날부터 (서울 날짜)", "이 날까지"


@dataclass(frozen=True, slots=True)
class Parameter:
    """`read` turns the text into a value, or raises ValueError with what would do; `narrow` keeps the rows asked for.

    What names an account is read among those that whoever asks may know of. `schema` and `about` describe it to
    programs (see `kis.api.schema`).
    """

    read: Callable[..., Any]
    narrow: Callable[[Rows, Any], Rows]
    names_account: bool = False
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string", "minLength": 1})
    about: str = ""


def given(query: QueryDict, known: Iterable[str]) -> dict[str, str]:
    """Return the parameters of an address. Raises UnknownParameter or BadParameter naming the first that is odd."""
    known = list(known)
    found = {}
    for name in query:
        if name not in known:
            raise UnknownParameter(shortened(name), known)
        values = query.getlist(name)
        if len(values) > 1:
            raise BadParameter(name, "한 번만 적어 주세요.")
        if not values[0]:
            raise BadParameter(name, "값이 비어 있습니다.")
        if name != api_settings.URL_FORMAT_OVERRIDE:
            found[name] = values[0]
    return found


def narrowed(
    rows: Rows, parameters: Mapping[str, Parameter], values: Mapping[str, str], *, user: Somebody
) -> Rows:
    """Return the rows that all conditions leave. Raises BadParameter."""
    read = {}
    for name, parameter in parameters.items():
        if name not in values:
            continue
        try:
            among = {"among": visible_accounts(user)} if parameter.names_account else {}
            read[name] = parameter.read(values[name], **among)
        except ValueError as error:
            raise BadParameter(name, str(error)) from None
    if "from" in read and "to" in read and read["from"] > read["to"]:
        raise BadParameter("from", "from이 to보다 늦습니다.")
    if (
        isinstance(owner := read.get("account"), Account)
        and read.get("mode", owner.is_paper) != owner.is_paper
    ):
        raise BadParameter("mode", f"{owner.label} 계좌의 모드는 {owner.mode}입니다.")
    for name, value in read.items():
        rows = parameters[name].narrow(rows, value)
    return rows


def shortened(text: str) -> str:
    return text if WORD.fullmatch(text) else "?"


# --- values ----------------------------------------------------------------------------------------------------------


def read_day(text: str) -> date:
    if not DAY.fullmatch(text):
        raise ValueError("날짜를 YYYY-MM-DD로 적어 주세요.")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("달력에 없는 날짜입니다.") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{FIRST_DAY}부터 {LAST_DAY}까지의 날짜를 적어 주세요.")
    return day


def enum_of(choices: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": [*choices]}


def read_code(text: str) -> str:
    if not STOCK_CODE.fullmatch(text):
        raise ValueError("종목코드를 숫자와 대문자 6자리로 적어 주세요.")
    return text


def one_of(choices: Mapping[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:  # noqa: ANN401  # whatever the choices stand for
        if text not in choices:
            raise ValueError(f"이 가운데 하나를 적어 주세요: {', '.join(choices)}")
        return choices[text]

    return read


def read_account(text: str, *, among: Iterable[Account]) -> Account:
    """Return the account of a label or a masked number; a whole number has no place in an address."""
    if ACCOUNT_NO.fullmatch(text):
        raise ValueError("계좌번호 대신 별칭이나 가린 번호(1234****-01)를 적어 주세요.")
    found = [account for account in among if account.number and account.is_called(text)]
    if not found:
        raise ValueError("이 별칭이나 번호의 계좌가 없습니다.")
    if len(found) > 1:
        raise ValueError(
            f"여러 계좌가 이 번호로 보입니다. 별칭을 적어 주세요: {', '.join(account.label for account in found)}"
        )
    return found[0]


# --- conditions ------------------------------------------------------------------------------------------------------


def account(way: str = "") -> Parameter:
    """Rows of one account; `way` leads from a row to the one with the account's columns."""

    def narrow(rows: Rows, wanted: Account) -> Rows:
        assert wanted.number is not None  # noqa: S101  # those without are not found
        return rows.filter(**owned_by(wanted.number, is_paper=wanted.is_paper, way=way))

    return Parameter(read_account, narrow, names_account=True, about=ACCOUNT_NAMES)


def account_label(column: str) -> Parameter:
    """Rows of an account of another broker by the words it is shown with."""

    def read(text: str) -> str:
        if UNMASKED.fullmatch(text):
            raise ValueError("계좌번호 대신 목록에 보이는 이름이나 가린 번호를 적어 주세요.")
        if not text.isprintable():
            raise ValueError("목록에 보이는 이름을 그대로 적어 주세요.")
        return text

    return Parameter(read, lambda rows, text: rows.filter(**{column: text}), about="목록에 보이는 계좌 이름")


def newest_of_account(column: str) -> Parameter:
    """Rows of the newest snapshot of one account; `column` has the number of the snapshot."""

    def narrow(rows: Rows, wanted: Account) -> Rows:
        assert wanted.number is not None  # noqa: S101  # those without are not found
        snapshots = KisAccount.objects.of(wanted.number, is_paper=wanted.is_paper).newest_first()
        return rows.filter(**{f"{column}__in": list(snapshots.values_list("pk", flat=True)[:1])})

    return Parameter(read_account, narrow, names_account=True, about=ACCOUNT_NAMES)


def mode_of_stock() -> Parameter:
    """Rows of a mode among those of a stock, said so that SQLite keeps to the index of the stock."""
    return Parameter(
        one_of(MODES),
        lambda rows, is_paper: rows.filter(is_paper=is_paper),
        schema=enum_of(MODES),
        about=MODE_NAMES_ABOUT,
    )


def mode() -> Parameter:
    return Parameter(
        one_of(MODES),
        lambda rows, is_paper: rows.filter(**of_mode(is_paper=is_paper)),
        schema=enum_of(MODES),
        about=MODE_NAMES_ABOUT,
    )


def code(column: str = "stock_code") -> Parameter:
    return Parameter(
        read_code,
        lambda rows, text: rows.filter(**{column: text}),
        schema={"type": "string", "pattern": f"^{STOCK_CODE.pattern}$"},
        about="종목코드",
    )


def choice(column: str, choices: Sequence[str]) -> Parameter:
    return Parameter(
        one_of({text: text for text in choices}),
        lambda rows, text: rows.filter(**{column: text}),
        schema=enum_of(choices),
    )


def word(column: str) -> Parameter:
    def read(text: str) -> str:
        if not WORD.fullmatch(text):
            raise ValueError("영문자, 숫자, 밑줄로 적어 주세요.")
        return text

    return Parameter(
        read,
        lambda rows, text: rows.filter(**{column: text}),
        schema={"type": "string", "pattern": f"^{WORD.pattern}$"},
    )


def days(column: str) -> dict[str, Parameter]:
    """Rows from one day up to another, both included."""
    return {
        "from": day_parameter(lambda rows, day: rows.filter(**{f"{column}__gte": day}), about=FROM),
        "to": day_parameter(lambda rows, day: rows.filter(**{f"{column}__lte": day}), about=TO),
    }


def moments(column: str) -> dict[str, Parameter]:
    """Rows of the days from one to another in Seoul, both included."""
    return {
        "from": day_parameter(lambda rows, day: rows.filter(**{f"{column}__gte": midnight(day)}), about=FROM),
        "to": day_parameter(
            lambda rows, day: rows.filter(**{f"{column}__lt": midnight(day + timedelta(days=1))}), about=TO
        ),
    }


def day_parameter(narrow: Callable[[Rows, Any], Rows], *, about: str) -> Parameter:
    return Parameter(read_day, narrow, schema=DAY_SCHEMA, about=about)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SEOUL)


def latest(column: str) -> Parameter:
    """Rows of the newest snapshot of each account; `column` has the number of the snapshot."""

    def narrow(rows: Rows, on: Any) -> Rows:  # noqa: ANN401  # a truth
        if not on:
            return rows
        return rows.filter(**{f"{column}__in": [row.pk for row in KisAccount.objects.newest_of_each()]})

    return Parameter(one_of(TRUTHS), narrow, schema=enum_of(TRUTHS), about="계좌마다 마지막 스냅샷만")


def subject(choices: Mapping[str, Callable[[Any], Rows]]) -> Parameter:
    """Rows of one of several kinds that more than a column tells apart."""
    return Parameter(one_of(choices), lambda rows, keep: keep(rows), schema=enum_of(choices))


def model_columns(model: type[Model], *names: str) -> dict[str, Parameter]:
    """Return a parameter for each column with choices, called like it."""
    found = {}
    for name in names:
        field = model._meta.get_field(name)  # noqa: SLF001  # Django's own name for it
        found[name] = choice(name, [value for value, _ in field.choices])  # type: ignore[union-attr]
    return found
