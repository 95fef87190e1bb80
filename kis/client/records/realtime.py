"""What the websocket tells: trades of a stock, and what becomes of our orders."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum

from kis.client.codes import AccountNumber
from kis.client.errors import KisMisconfigured
from kis.client.protocol import Row
from kis.client.records.orders import Side

LONGEST_NAME = 50
EXCHANGES = {"1": "KRX", "2": "NXT", "3": "KRX", "4": "NXT"}


@dataclass(frozen=True, slots=True)
class PriceTick:
    """One trade of a stock, and its day so far, in won and shares. Times are Korean; rates in percent.

    `session` is 1 before, 2 regular, 3 after the regular hours, 5 at the close; empty until September 2026.
    """

    code: str
    traded_on: date
    at: time
    price: int
    change: int
    change_rate: Decimal
    open: int
    high: int
    low: int
    quantity: int
    total_quantity: int
    total_amount: int
    session: str

    @classmethod
    def from_row(cls, row: Row) -> "PriceTick":
        tick = cls(
            code=row.text("MKSC_SHRN_ISCD", longest=10),
            traded_on=row.day("BSOP_DATE"),
            at=row.clock("STCK_CNTG_HOUR"),
            price=row.quantity("STCK_PRPR"),
            change=row.integer("PRDY_VRSS"),
            change_rate=row.decimal("PRDY_CTRT"),
            open=row.quantity("STCK_OPRC"),
            high=row.quantity("STCK_HGPR"),
            low=row.quantity("STCK_LWPR"),
            quantity=row.integer("CNTG_VOL", low=0),
            total_quantity=row.integer("ACML_VOL", low=0),
            total_amount=row.integer("ACML_TR_PBMN", low=0),
            session=row.text("MARKET_CLS_CODE", required=False) if "MARKET_CLS_CODE" in row.data else "",
        )
        if not tick.price:
            raise row.changed("STCK_PRPR", "체결가가 0입니다")
        return tick


class NoticeKind(Enum):
    """What a notice tells. Only FILLED moves shares and money."""

    ACCEPTED = "접수"
    CONFIRMED = "확인"  # an amendment or a cancellation took effect
    GIVEN_UP = "취소(IOC·FOK)"  # what could not be traded at once
    REFUSED = "거부"
    FILLED = "체결"

    @classmethod
    def from_row(cls, row: Row) -> "NoticeKind":
        """Read the three marks. Raises KisReplyChanged for one that is not documented: it might hide a fill."""
        refused, traded = row.text("RFUS_YN"), row.text("CNTG_YN")
        if refused not in {"0", "1"}:
            raise row.changed("RFUS_YN", "승인인지 거부인지 알 수 없습니다")
        if traded == "2":
            return cls.FILLED
        if traded != "1":
            raise row.changed("CNTG_YN", "접수인지 체결인지 알 수 없습니다")
        if refused == "1":
            return cls.REFUSED
        kind = {"1": cls.ACCEPTED, "2": cls.CONFIRMED, "3": cls.GIVEN_UP}.get(row.text("ACPT_YN"))
        if kind is None:
            raise row.changed("ACPT_YN", "접수인지 확인인지 알 수 없습니다")
        return kind


class Amendment(Enum):
    """Whether a notice is about an order itself, or about a request to change another one."""

    NONE = "0"
    AMEND = "1"
    CANCEL = "2"


@dataclass(frozen=True, slots=True)
class FillNotice:
    """One notice about an order of the HTS ID, whoever placed it and for whichever of its accounts.

    `quantity` and `price` are of this fill alone where `kind` is FILLED, otherwise of the request; a fill comes in
    parts. `price` is 0 for a request at the market. `exchange` is empty until March 2025.
    """

    account: AccountNumber
    branch: str
    number: str
    origin: str
    amendment: Amendment
    kind: NoticeKind
    side: Side
    code: str
    name: str
    quantity: int
    price: int
    at: time
    ordered_quantity: int | None
    ordered_price: int | None
    exchange: str

    @classmethod
    def from_row(cls, row: Row) -> "FillNotice":
        kind, code = NoticeKind.from_row(row), row.text("STCK_SHRN_ISCD", longest=10)
        try:
            account = AccountNumber.parse(row.text("ACNT_NO", longest=20))
            amendment = Amendment(row.text("RCTF_CLS"))
        except KisMisconfigured:
            raise row.changed("ACNT_NO", "계좌번호를 읽을 수 없습니다") from None
        except ValueError:
            raise row.changed("RCTF_CLS", "정정인지 취소인지 알 수 없습니다") from None
        notice = cls(
            account=account,
            branch=row.text("BRNC_NO", longest=10),
            number=row.text("ODER_NO", longest=20),
            origin=row.text("OODER_NO", required=False, longest=20).strip("0") and row.text("OODER_NO"),
            amendment=amendment,
            kind=kind,
            side=Side.from_row(row, "SELN_BYOV_CLS"),
            code=code,
            name=row.text("CNTG_ISNM40", required=False)[:LONGEST_NAME] or code,
            quantity=row.quantity("CNTG_QTY"),
            price=_optional(row, "CNTG_UNPR") or 0,
            at=row.clock("STCK_CNTG_HOUR"),
            ordered_quantity=_optional(row, "ODER_QTY"),
            ordered_price=_optional(row, "ODER_PRC"),
            exchange=EXCHANGES.get(row.data.get("ORD_EXG_GB", ""), ""),
        )
        if kind is NoticeKind.FILLED and not notice.quantity:
            raise row.changed("CNTG_QTY", f"주문 {notice.number}의 체결수량이 0입니다")
        if kind is NoticeKind.FILLED and not notice.price:
            raise row.changed("CNTG_UNPR", f"주문 {notice.number}의 체결단가가 없습니다")
        return notice


def _optional(row: Row, name: str) -> int | None:
    """Return a price or quantity, or None where the broker left the field blank."""
    return row.quantity(name) if row.text(name, required=False) else None
