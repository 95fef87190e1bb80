"""Names of the wire: transaction (TR) ids, their paths, and the environment a call belongs to."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from kis.client.errors import KisMisconfigured, NotOffered

Mode = Literal["real", "paper"]
TrSet = Literal["current", "legacy"]

TRADING = "/uapi/domestic-stock/v1/trading"
QUOTATIONS = "/uapi/domestic-stock/v1/quotations"
ACCOUNT_NO = re.compile(r"([0-9]{8})-?([0-9]{2})")
KEY = re.compile(r"[!-~]+")  # what a header can carry
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
#: Both hosts of the broker share one name here; the port tells them apart.
WS_HOST = "ops.koreainvestment.com"
WS_PORTS: dict[Mode, int] = {"real": 21000, "paper": 31000}
APP_KEY_LENGTH = 36
APP_SECRET_LENGTH = 180


@dataclass(frozen=True, slots=True)
class TrIds:
    """The ids of one transaction; `paper` is empty where the paper host does not offer it."""

    path: str
    real: str
    paper: str = ""
    real_legacy: str = ""
    paper_legacy: str = ""

    def id_for(self, mode: Mode, tr_set: TrSet) -> str:
        """Return the id to send; empty where the host lacks the transaction."""
        if mode == "paper":
            return (tr_set == "legacy" and self.paper_legacy) or self.paper
        return (tr_set == "legacy" and self.real_legacy) or self.real


class TR(Enum):
    """The inquiries the product uses (kis-api.md section 5); orders stand apart, in OrderTR."""

    BALANCE = TrIds(f"{TRADING}/inquire-balance", "TTTC8434R", "VTTC8434R")
    BALANCE_REALISED = TrIds(f"{TRADING}/inquire-balance-rlz-pl", "TTTC8494R")
    ACCOUNT_ASSETS = TrIds(f"{TRADING}/inquire-account-balance", "CTRP6548R")
    DAILY_ORDERS = TrIds(f"{TRADING}/inquire-daily-ccld", "TTTC0081R", "VTTC0081R", "TTTC8001R", "VTTC8001R")
    OLD_ORDERS = TrIds(f"{TRADING}/inquire-daily-ccld", "CTSC9215R", "VTSC9215R", "CTSC9115R", "VTSC9115R")
    UNFILLED = TrIds(f"{TRADING}/inquire-psbl-rvsecncl", "TTTC0084R", real_legacy="TTTC8036R")
    BUYING_POWER = TrIds(f"{TRADING}/inquire-psbl-order", "TTTC8908R", "VTTC8908R")
    SELLABLE = TrIds(f"{TRADING}/inquire-psbl-sell", "TTTC8408R")
    PERIOD_PROFIT = TrIds(f"{TRADING}/inquire-period-profit", "TTTC8708R")
    TRADE_PROFIT = TrIds(f"{TRADING}/inquire-period-trade-profit", "TTTC8715R")
    PRICE = TrIds(f"{QUOTATIONS}/inquire-price", "FHKST01010100", "FHKST01010100")
    ORDER_BOOK = TrIds(f"{QUOTATIONS}/inquire-asking-price-exp-ccn", "FHKST01010200", "FHKST01010200")
    DAILY_CHART = TrIds(f"{QUOTATIONS}/inquire-daily-itemchartprice", "FHKST03010100", "FHKST03010100")
    TODAY_MINUTES = TrIds(f"{QUOTATIONS}/inquire-time-itemchartprice", "FHKST03010200", "FHKST03010200")
    # Paper: the specification says no, another official table says yes (kis-api.md section 17).
    PAST_MINUTES = TrIds(f"{QUOTATIONS}/inquire-time-dailychartprice", "FHKST03010230")
    MULTI_PRICE = TrIds(f"{QUOTATIONS}/intstock-multprice", "FHKST11300006")
    INDEX_PRICE = TrIds(f"{QUOTATIONS}/inquire-index-price", "FHPUP02100000")
    INDEX_CHART = TrIds(f"{QUOTATIONS}/inquire-daily-indexchartprice", "FHKUP03500100", "FHKUP03500100")
    HOLIDAYS = TrIds(f"{QUOTATIONS}/chk-holiday", "CTCA0903R")
    STOCK_INFO = TrIds(f"{QUOTATIONS}/search-stock-info", "CTPF1002R")

    @property
    def path(self) -> str:
        return self.value.path


class OrderTR(Enum):
    """The transactions that move money. No inquiry path takes them, so that none of them is ever repeated."""

    BUY = TrIds(f"{TRADING}/order-cash", "TTTC0012U", "VTTC0012U", "TTTC0802U", "VTTC0802U")
    SELL = TrIds(f"{TRADING}/order-cash", "TTTC0011U", "VTTC0011U", "TTTC0801U", "VTTC0801U")
    AMEND_OR_CANCEL = TrIds(f"{TRADING}/order-rvsecncl", "TTTC0013U", "VTTC0013U", "TTTC0803U", "VTTC0803U")

    @property
    def path(self) -> str:
        return self.value.path


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


def address_of(url: str) -> SplitResult:
    """Return the parts of an address; where its brackets or its port are none, those of no address."""
    try:
        address = urlsplit(url)
        address.port  # noqa: B018  # raises for one that is none
    except ValueError:
        return urlsplit("")
    return address


@dataclass(frozen=True, slots=True)
class Environment:
    """Host, keys, account and TR ids that belong together; nothing of this is global.

    `hts_id` is only needed for execution notices; it is empty where they are not wanted.
    """

    mode: Mode
    base_url: str
    ws_url: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    account: AccountNumber
    tr_set: TrSet = "current"
    hts_id: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse keys and hosts that cannot belong together before anything is sent."""
        if len(self.app_key) != APP_KEY_LENGTH or len(self.app_secret) != APP_SECRET_LENGTH:
            raise KisMisconfigured(
                f"앱키는 {APP_KEY_LENGTH}자, 앱시크릿은 {APP_SECRET_LENGTH}자여야 합니다. KIS Developers에서 다시 복사해 주세요."
            )
        if not KEY.fullmatch(self.app_key + self.app_secret):
            raise KisMisconfigured(
                "앱키와 앱시크릿은 영문, 숫자, 기호로만 되어 있습니다. KIS Developers에서 다시 복사해 주세요."
            )
        address = address_of(self.base_url)
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
        self._check_ws_url()

    def _check_ws_url(self) -> None:
        """Refuse a websocket address in plain text, which the broker's own is by design, anywhere else but here."""
        address = address_of(self.ws_url)
        is_brokers = address.hostname == WS_HOST
        may_be_plain = is_brokers or address.hostname in LOCAL_HOSTS
        is_allowed = address.scheme == "wss" or (address.scheme == "ws" and may_be_plain)
        if not address.hostname or address.username or not is_allowed:
            raise KisMisconfigured(
                f"실시간 주소는 ws://{WS_HOST} 이거나 wss여야 합니다. KIS_{self.mode.upper()}_WS_URL을 확인해 주세요. "
                "(이 컴퓨터의 시뮬레이터는 ws를 쓸 수 있습니다)"
            )
        if is_brokers and address.port != WS_PORTS[self.mode]:
            raise KisMisconfigured(
                f"실시간 주소의 포트는 실전 {WS_PORTS['real']}, 모의 {WS_PORTS['paper']}이어야 합니다. "
                f"KIS_{self.mode.upper()}_WS_URL을 확인해 주세요."
            )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be repeated to anyone, longest first."""
        named = (self.app_secret, self.app_key, self.account.number, self.hts_id)
        return tuple(sorted(filter(None, named), key=len, reverse=True))

    @property
    def is_paper(self) -> bool:
        return self.mode == "paper"

    def offers(self, tr: TR | OrderTR) -> bool:
        """Return whether this host has the transaction at all."""
        ids: TrIds = tr.value
        return bool(ids.id_for(self.mode, self.tr_set))

    def tr_id(self, tr: TR | OrderTR) -> str:
        """Return the id to send. Raises NotOffered, before any network, where paper lacks the transaction."""
        ids: TrIds = tr.value
        tr_id = ids.id_for(self.mode, self.tr_set)
        if not tr_id:
            raise NotOffered(tr.name)
        return tr_id
