"""Names of the wire: transaction (TR) ids, their paths, and the environment a call belongs to."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal
from urllib.parse import urlsplit

from kis.client.errors import KisMisconfigured, NotOffered

Mode = Literal["real", "paper"]
TrSet = Literal["current", "legacy"]

TRADING = "/uapi/domestic-stock/v1/trading"
QUOTATIONS = "/uapi/domestic-stock/v1/quotations"
ACCOUNT_NO = re.compile(r"(\d{8})-?(\d{2})")
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
APP_KEY_LENGTH = 36
APP_SECRET_LENGTH = 180


@dataclass(frozen=True, slots=True)
class TrIds:
    """The ids of one transaction; `paper` is empty where the paper host does not offer it."""

    path: str
    real: str
    paper: str
    real_legacy: str = ""
    paper_legacy: str = ""


class TR(Enum):
    """Transactions the product uses (kis-api.md section 5)."""

    BALANCE = TrIds(f"{TRADING}/inquire-balance", "TTTC8434R", "VTTC8434R")
    DAILY_ORDERS = TrIds(f"{TRADING}/inquire-daily-ccld", "TTTC0081R", "VTTC0081R", "TTTC8001R", "VTTC8001R")
    UNFILLED = TrIds(f"{TRADING}/inquire-psbl-rvsecncl", "TTTC0084R", "", "TTTC8036R")
    BUYING_POWER = TrIds(f"{TRADING}/inquire-psbl-order", "TTTC8908R", "VTTC8908R")
    DAILY_CHART = TrIds(f"{QUOTATIONS}/inquire-daily-itemchartprice", "FHKST03010100", "FHKST03010100")

    @property
    def path(self) -> str:
        return self.value.path

    def id_for(self, mode: Mode, tr_set: TrSet) -> str:
        """Return the id to send. Raises NotOffered where paper lacks the transaction."""
        ids = self.value
        if mode == "paper":
            tr_id = (tr_set == "legacy" and ids.paper_legacy) or ids.paper
        else:
            tr_id = (tr_set == "legacy" and ids.real_legacy) or ids.real
        if not tr_id:
            raise NotOffered(self.name)
        return tr_id


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """Eight digits (CANO) and the two-digit product code (ACNT_PRDT_CD)."""

    number: str
    product_code: str

    @classmethod
    def parse(cls, text: str) -> "AccountNumber":
        """Read `12345678-01`. Raises KisMisconfigured without repeating the text, which may be half a secret."""
        match = ACCOUNT_NO.fullmatch(text.strip())
        if match is None:
            raise KisMisconfigured("계좌번호는 12345678-01 모양이어야 합니다.")
        return cls(*match.groups())

    def params(self) -> dict[str, str]:
        return {"CANO": self.number, "ACNT_PRDT_CD": self.product_code}

    def __repr__(self) -> str:
        return f"AccountNumber({self.number[:4]}****-{self.product_code})"


@dataclass(frozen=True, slots=True)
class Environment:
    """Host, keys, account and TR ids that belong together; nothing of this is global."""

    mode: Mode
    base_url: str
    ws_url: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    account: AccountNumber
    tr_set: TrSet = "current"

    def __post_init__(self) -> None:
        """Refuse keys and hosts that cannot belong together before anything is sent."""
        if len(self.app_key) != APP_KEY_LENGTH or len(self.app_secret) != APP_SECRET_LENGTH:
            raise KisMisconfigured(
                f"앱키는 {APP_KEY_LENGTH}자, 앱시크릿은 {APP_SECRET_LENGTH}자여야 합니다. KIS Developers에서 다시 복사해 주세요."
            )
        address = urlsplit(self.base_url)
        is_local = address.scheme == "http" and address.hostname in LOCAL_HOSTS
        if not address.hostname or address.username or not (address.scheme == "https" or is_local):
            raise KisMisconfigured(
                "증권사 주소는 https여야 합니다. (이 컴퓨터의 시뮬레이터만 http를 쓸 수 있습니다)"
            )
        other = "openapivts." if self.mode == "real" else "//openapi."
        if other in self.base_url:
            name, wrong = ("실전", "모의") if self.mode == "real" else ("모의", "실전")
            raise KisMisconfigured(
                f"{name} 설정에 {wrong}투자 주소가 들어 있습니다. KIS_{self.mode.upper()}_BASE_URL을 확인해 주세요."
            )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated to anyone, longest first."""
        return self.app_secret, self.app_key, self.account.number

    @property
    def is_paper(self) -> bool:
        return self.mode == "paper"

    def tr_id(self, tr: TR) -> str:
        return tr.id_for(self.mode, self.tr_set)
