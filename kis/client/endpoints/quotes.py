"""Prices of stocks and indices (kis-api.md section 8)."""

from collections.abc import Iterable

from kis.client.codes import TR
from kis.client.errors import UnknownCode
from kis.client.protocol import Row
from kis.client.records.fields import is_nothing
from kis.client.records.quotes import IndexPrice, MultiPrice, OrderBook, PriceRecord
from kis.client.session import Session

CODES_A_CALL = 30


def refuse_unknown(row: Row, code: str, *names: str) -> None:
    """Raise UnknownCode when all these prices are blank or zero: so the broker answers for a code it does not know."""
    if all(is_nothing(row, name) for name in names):
        raise UnknownCode(code)


def is_other(row: Row, name: str, code: str) -> bool:
    """Return whether a reply names another stock; an ETN is asked for as Q500001 and may come back as 500001."""
    named = str(row.data.get(name) or "").strip()
    return bool(named) and not code.endswith(named)


def price(session: Session, *, code: str) -> PriceRecord:
    """Return the price of a stock on the KRX now. Raises UnknownCode where the wire says 0 and success.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-quotations2#L_07802512-4f49-4486-91b4-1050b6f5dc9d
    """
    row = session.read(TR.PRICE, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": code}).one("output")
    if is_other(row, "stck_shrn_iscd", code):
        raise row.changed("stck_shrn_iscd", f"{code} 대신 다른 종목의 현재가가 왔습니다")
    refuse_unknown(row, code, "stck_prpr", "stck_sdpr")
    return PriceRecord.from_row(row, code)


def prices(session: Session, *, codes: Iterable[str]) -> dict[str, MultiPrice]:
    """Return the prices of any number of stocks by code, 30 a call; a code the broker does not know is left out.

    The real host only: raises NotOffered before anything is sent, and the caller asks `price` one by one instead.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/quotations/intstock-multprice
    """
    session.environment.tr_id(TR.MULTI_PRICE)
    asked = list(dict.fromkeys(codes))
    found: dict[str, MultiPrice] = {}
    for start in range(0, len(asked), CODES_A_CALL):
        found |= prices_once(session, asked[start : start + CODES_A_CALL])
    return found


def prices_once(session: Session, codes: list[str]) -> dict[str, MultiPrice]:
    params: dict[str, str] = {}
    for place, code in enumerate(codes, start=1):
        params |= {f"FID_COND_MRKT_DIV_CODE_{place}": "J", f"FID_INPUT_ISCD_{place}": code}
    found: dict[str, MultiPrice] = {}
    for row in session.read(TR.MULTI_PRICE, params).rows("output"):
        named = row.text("inter_shrn_iscd", required=False, longest=10)
        if not named or is_nothing(row, "inter2_prpr"):
            continue
        asked = [code for code in codes if code in {named, f"Q{named}"}]
        if not asked or asked[0] in found:
            raise row.changed("inter_shrn_iscd", f"묻지 않은 종목이거나 두 번 온 종목입니다: {named}")
        found[asked[0]] = MultiPrice.from_row(row, asked[0])
    return found


def order_book(session: Session, *, code: str) -> OrderBook:
    """Ten levels a side, and the price a call auction would find now. Raises UnknownCode.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-quotations2#L_af3d3794-92c0-4f3b-8041-4ca4ddcda5de
    """
    reply = session.read(TR.ORDER_BOOK, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": code})
    expected = reply.one("output2")
    if is_other(expected, "stck_shrn_iscd", code):
        raise expected.changed("stck_shrn_iscd", f"{code} 대신 다른 종목의 호가가 왔습니다")
    refuse_unknown(expected, code, "stck_prpr", "stck_sdpr")
    return OrderBook.from_rows(reply.one("output1"), expected, code)


def index_price(session: Session, *, code: str) -> IndexPrice:
    """Return an index now: 0001 KOSPI, 1001 KOSDAQ, 2001 KOSPI200; the real host only. Raises UnknownCode.

    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/quotations/inquire-index-price
    """
    params = {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": code}
    row = session.read(TR.INDEX_PRICE, params).one("output")
    refuse_unknown(row, code, "bstp_nmix_prpr")
    return IndexPrice.from_row(row, code)
