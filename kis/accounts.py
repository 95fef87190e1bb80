"""The accounts the owner has configured, in the environment or in the database."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import cast

from django.conf import settings
from django.db import DatabaseError

from kis.account_keys import text_of
from kis.client.codes import ACCOUNT_NO, AccountNumber, Environment, Mode, TrSet
from kis.client.errors import KisMisconfigured
from kis.encryption import SecretUnreadable, fingerprints
from kis.korean import MISSING, masked_account
from kis.models import BrokerAccount, KisAccount

MODE_NAMES: dict[Mode, str] = {"real": "실전", "paper": "모의"}
#: The accounts of the environment are called like their mode; no account of the database may take these names.
ENVIRONMENT_LABELS = MODE_NAMES

UNDEFINED_TABLE = "42P01"  # PostgreSQL


class Source(Enum):
    """Where an account is configured, in the word the owner reads."""

    ENVIRONMENT = "환경변수"
    DATABASE = "데이터베이스"
    DEMO = "데모"
    BOOKS = "장부"


@dataclass(frozen=True, slots=True)
class Account:
    """An account that can be named. `number` is None where it cannot be read.

    `unused` says why nobody may connect to it; `environment` reads its keys and raises KisMisconfigured.
    """

    label: str
    mode: Mode
    source: Source
    number: AccountNumber | None
    environment: Callable[[], Environment] = field(repr=False, compare=False)
    unused: str = ""

    @property
    def is_paper(self) -> bool:
        return self.mode == "paper"

    @property
    def masked_no(self) -> str:
        if self.number is None:
            return MISSING
        return masked_account(self.number.number, self.number.product_code)

    def number_or_reason(self) -> AccountNumber:
        """Return the number. Raises KisMisconfigured saying why it cannot be read."""
        return self.number or self.environment().account

    def is_called(self, name: str) -> bool:
        """Return whether this is the account of a label, a full number or a masked one."""
        if same_label(name, self.label):
            return True
        if self.number is None:
            return False
        whole = ACCOUNT_NO.fullmatch(name)
        if whole:
            return AccountNumber(*whole.groups()) == self.number
        return name == self.masked_no


def same_label(one: str, other: str) -> bool:
    """Compare labels as they look: a Mac writes Hangul in parts, and nobody thinks of capitals."""
    return folded(one) == folded(other)


def folded(label: str) -> str:
    return unicodedata.normalize("NFC", label.strip()).casefold()


# --- all of them ---------------------------------------------------------------------------------------------------


def configured_accounts() -> list[Account]:
    """Return every account: those of the environment, then those of the database by label, disabled ones too."""
    if settings.AEGIS_DEMO:
        return demo_accounts()
    own = environment_accounts()
    return [*own, *stored_accounts(own)]


def environment_accounts() -> list[Account]:
    """Return the accounts of the environment, or those of the simulator in demo mode; without the database."""
    if settings.AEGIS_DEMO:
        return demo_accounts()
    return [of_environment(mode) for mode in MODE_NAMES if settings.KIS_ACCOUNTS[mode]["app_key"]]


def of_environment(mode: Mode) -> Account:
    try:
        number = AccountNumber.parse(settings.KIS_ACCOUNTS[mode]["account_no"])
    except KisMisconfigured:
        number = None
    return Account(
        ENVIRONMENT_LABELS[mode],
        mode,
        Source.ENVIRONMENT,
        number,
        environment=lambda: configured_environment(mode),
    )


def demo_accounts() -> list[Account]:
    """Return the accounts of the simulator; what their calls need is known while it runs."""
    from kis.demo import account_number  # noqa: PLC0415  # only demo mode may know the simulator

    return [
        replace(of_environment(mode), source=Source.DEMO, number=account_number(mode)) for mode in MODE_NAMES
    ]


def known_accounts() -> list[Account]:
    """Return the configured accounts, and those that only the books still know."""
    accounts = configured_accounts()
    configured = {(account.number, account.mode) for account in accounts}
    for row in KisAccount.objects.newest_of_each():
        mode: Mode = "paper" if row.is_paper else "real"
        if (row.account, mode) not in configured:
            accounts.append(of_books(row.account, mode))
    return accounts


def of_books(number: AccountNumber, mode: Mode) -> Account:
    label = masked_account(number.number, number.product_code)
    unused = "장부에만 남아 있는 계좌입니다"
    return Account(label, mode, Source.BOOKS, number, lambda: configured_environment(mode), unused=unused)


def stored_accounts(own: Iterable[Account]) -> list[Account]:
    """Return the accounts of the database; one that the environment has too is left to it."""
    taken = {
        (account.mode, fingerprint)
        for account in own
        if account.number
        for fingerprint in fingerprints(text_of(account.number))
    }
    return [
        of_row(row, is_taken=(cast("Mode", row.mode), row.account_fingerprint) in taken)
        for row in stored_rows()
    ]


def stored_rows() -> list[BrokerAccount]:
    """Return the rows; a database that has not been set up has none, so that mistakes in .env are told first."""
    try:
        return list(BrokerAccount.objects.all())
    except DatabaseError as error:
        if lacks_table(error):
            return []
        raise


def lacks_table(error: DatabaseError) -> bool:
    """Return whether the table is missing; a missing column or server is another trouble."""
    return "no such table" in str(error) or getattr(error.__cause__, "pgcode", "") == UNDEFINED_TABLE


def of_row(row: BrokerAccount, *, is_taken: bool = False) -> Account:
    try:
        number = row.number
    except SecretUnreadable:
        number = None
    unused = "환경변수에 있는 계좌입니다" if is_taken else ""
    return Account(
        row.label,
        cast("Mode", row.mode),
        Source.DATABASE,
        number,
        environment=lambda: stored_environment(row),
        unused=unused if row.enabled else "관리자 화면에서 꺼 두었습니다",
    )


# --- what their calls need -----------------------------------------------------------------------------------------


def configured_environment(mode: Mode) -> Environment:
    """Read host, keys and account of a mode from the settings. Raises KisMisconfigured naming what is missing."""
    account = settings.KIS_ACCOUNTS[mode]
    for name in ("app_key", "app_secret", "account_no"):
        if not account[name]:
            raise KisMisconfigured(
                f"{MODE_NAMES[mode]}투자 설정이 없습니다: .env에 KIS_{mode.upper()}_{name.upper()} 값을 넣어 주세요."
            )
    return Environment(
        mode=mode,
        base_url=account["base_url"],
        ws_url=account["ws_url"],
        app_key=account["app_key"],
        app_secret=account["app_secret"],
        account=AccountNumber.parse(account["account_no"]),
        tr_set=cast("TrSet", settings.KIS_TR_SET),
        hts_id=account.get("hts_id", ""),
    )


def stored_environment(row: BrokerAccount) -> Environment:
    """Read host, keys and account of a row. Raises KisMisconfigured naming the account that cannot be read."""
    mode = cast("Mode", row.mode)
    hosts = settings.KIS_ACCOUNTS[mode]
    try:
        return Environment(
            mode=mode,
            base_url=row.base_url or hosts["base_url"],
            ws_url=row.ws_url or hosts["ws_url"],
            app_key=row.app_key,
            app_secret=row.app_secret,
            account=row.number,
            tr_set=cast("TrSet", row.tr_set or settings.KIS_TR_SET),
            hts_id=row.hts_id,
        )
    except SecretUnreadable as error:
        raise KisMisconfigured(f"'{row.label}' 계좌: {error}") from None


# --- the one that is meant -----------------------------------------------------------------------------------------


def default_mode(accounts: Sequence[Account] | None = None) -> Mode:
    """Return real where it is configured or in demo mode, otherwise paper."""
    if settings.AEGIS_DEMO or settings.KIS_ACCOUNTS["real"]["app_key"]:
        return "real"
    known = configured_accounts() if accounts is None else accounts
    return "real" if any(account.mode == "real" and not account.unused for account in known) else "paper"


def find_account(mode: Mode | None, name: str = "") -> Account:
    """Return the account that is meant, to be connected to. Raises KisMisconfigured, never picks one of several."""
    return meant(configured_accounts(), mode, name)


def meant_if_any(
    accounts: Sequence[Account], mode: Mode | None, name: str = ""
) -> tuple[Mode, Account | None]:
    """Return mode and account that are meant, for those who only look: the account may be out of use.

    None where the mode has no account in use. Raises KisMisconfigured, never picks one of several.
    """
    if name.strip():
        account = named(accounts, mode, name.strip())
        return account.mode, account
    mode = mode or default_mode(accounts)
    if not any(account.mode == mode and not account.unused for account in accounts):
        return mode, None
    return mode, meant(accounts, mode)


def meant(accounts: Sequence[Account], mode: Mode | None, name: str = "") -> Account:
    """Return the account of this name, or without one the only usable one of the mode."""
    if name.strip():
        account = named(accounts, mode, name.strip())
        if account.unused:
            raise KisMisconfigured(f"'{account.label}' 계좌를 쓸 수 없습니다: {account.unused}.")
        return account
    mode = mode or default_mode(accounts)
    usable = [account for account in accounts if account.mode == mode and not account.unused]
    if not usable:
        raise KisMisconfigured(
            f"{MODE_NAMES[mode]}투자 설정이 없습니다: .env에 KIS_{mode.upper()}_APP_KEY 값을 넣거나 관리자 화면의 "
            "'연결한 계좌'에 등록해 주세요."
        )
    return only(usable, f"{MODE_NAMES[mode]} 계좌가 여러 개입니다.")


def named(accounts: Sequence[Account], mode: Mode | None, name: str) -> Account:
    """Return the account of this name, also one that is not in use."""
    found = [account for account in accounts if account.is_called(name)]
    of_mode = [account for account in found if mode in {None, account.mode}]
    if found and not of_mode:
        other = found[0]
        raise KisMisconfigured(
            f"'{other.label}'은(는) {MODE_NAMES[other.mode]} 계좌입니다. --mode {other.mode}로 실행하거나 --mode를 빼 주세요."
        )
    if not of_mode:
        raise KisMisconfigured(f"'{shown(name)}' 계좌가 없습니다. {choices(accounts)}")
    return only(of_mode, f"'{shown(name)}'에 맞는 계좌가 여러 개입니다.")


def only(accounts: Sequence[Account], trouble: str) -> Account:
    if len(accounts) == 1:
        return accounts[0]
    raise KisMisconfigured(f"{trouble} {choices(accounts)}")


def choices(accounts: Iterable[Account]) -> str:
    labels = [account.label for account in accounts if not account.unused]
    if not labels:
        return "등록한 계좌가 없습니다. manage.py accounts로 확인해 주세요."
    return f"--account에 하나를 적어 주세요: {', '.join(labels)}"


def shown(name: str) -> str:
    """Return what was typed without the half of it that may be an account number."""
    return re.sub(r"(\d{4})\d{4,}", r"\1****", name)
