"""What a stock is (kis-api.md section 8)."""

from kis.client.codes import TR
from kis.client.errors import KisRefused, UnknownCode
from kis.client.records.stocks import StockInfo
from kis.client.session import Session

STOCK = "300"
#: 해당 종목 정보가 없습니다, and 조회할 내용이 없습니다.
NO_SUCH_STOCK = frozenset({"APBK0656", "KIOK0560"})


def stock_info(session: Session, *, code: str) -> StockInfo:
    """Return market, sector, listing and trading state of a stock; the real host only. Raises UnknownCode.

    The code may come back in the core system's form, 00000A005930.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/quotations/search-stock-info
    """
    try:
        row = session.read(TR.STOCK_INFO, {"PRDT_TYPE_CD": STOCK, "PDNO": code}).one("output")
    except KisRefused as error:
        if error.msg_cd in NO_SUCH_STOCK:
            raise UnknownCode(code) from error
        raise
    if not row.text("pdno", required=False):
        raise UnknownCode(code)
    info = StockInfo.from_row(row)
    if info.code != code:
        raise row.changed("pdno", f"{code} 대신 {info.code}의 정보가 왔습니다")
    return info
