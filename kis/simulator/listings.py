"""The stocks of the generated market: well-known names of the Korea Exchange, facts only, prices merely plausible."""

import re
from dataclasses import dataclass
from typing import Literal

MarketName = Literal["KOSPI", "KOSDAQ"]
STOCK_CODE = re.compile(r"[0-9A-Z]{6}|Q[0-9A-Z]{6}")
MARGIN_KOSPI, MARGIN_KOSDAQ, MARGIN_FUND = 30, 40, 20
FUND_BRANDS = ("KODEX", "TIGER", "ACE", "RISE", "SOL", "PLUS", "HANARO")


@dataclass(frozen=True, slots=True)
class Listing:
    """One stock of the market."""

    code: str
    name: str
    market: MarketName
    sector: str
    base_price: int = 0

    @property
    def is_fund(self) -> bool:
        """ETF and ETN: other tick sizes, no sale tax."""
        return self.sector in {"ETF", "ETN"}


def margin_percent(listing: Listing) -> int:
    """Return the margin rate of a stock; the real ones are set stock by stock."""
    if listing.is_fund:
        return MARGIN_FUND
    return MARGIN_KOSPI if listing.market == "KOSPI" else MARGIN_KOSDAQ


def sector_of(name: str, code: str, sector: str) -> str:
    """Tell funds by their brand where the list of stocks does not."""
    if code.startswith("Q"):
        return "ETN"
    return "ETF" if name.split(" ", 1)[0] in FUND_BRANDS else sector


KOSPI = (
    ("005930", "삼성전자", "반도체", 71_000),
    ("000660", "SK하이닉스", "반도체", 245_000),
    ("373220", "LG에너지솔루션", "2차전지", 365_000),
    ("207940", "삼성바이오로직스", "바이오", 1_020_000),
    ("012450", "한화에어로스페이스", "방산", 870_000),
    ("005380", "현대차", "자동차", 215_000),
    ("000270", "기아", "자동차", 98_000),
    ("005935", "삼성전자우", "반도체", 58_500),
    ("105560", "KB금융", "금융", 108_000),
    ("055550", "신한지주", "금융", 64_000),
    ("138040", "메리츠금융지주", "금융", 113_000),
    ("035420", "NAVER", "인터넷", 231_000),
    ("035720", "카카오", "인터넷", 57_000),
    ("034020", "두산에너빌리티", "기계", 62_000),
    ("009540", "HD한국조선해양", "조선", 345_000),
    ("329180", "HD현대중공업", "조선", 430_000),
    ("042660", "한화오션", "조선", 86_000),
    ("068270", "셀트리온", "바이오", 172_000),
    ("0126Z0", "삼성에피스홀딩스", "바이오", 410_000),
    ("051910", "LG화학", "화학", 232_000),
    ("005490", "POSCO홀딩스", "철강", 285_000),
    ("028260", "삼성물산", "지주", 166_000),
    ("015760", "한국전력", "유틸리티", 37_500),
    ("017670", "SK텔레콤", "통신", 54_300),
    ("030200", "KT", "통신", 53_200),
    ("033780", "KT&G", "담배", 133_500),
    ("003490", "대한항공", "항공", 23_700),
    ("090430", "아모레퍼시픽", "화장품", 128_000),
    ("042700", "한미반도체", "반도체장비", 94_000),
    ("006340", "대원전선", "전선", 3_420),
    ("352820", "하이브", "엔터", 276_000),
    ("259960", "크래프톤", "게임", 325_000),
    ("069500", "KODEX 200", "ETF", 38_500),
    ("381180", "TIGER 미국필라델피아반도체나스닥", "ETF", 24_300),
)

KOSDAQ = (
    ("196170", "알테오젠", "바이오", 405_000),
    ("247540", "에코프로비엠", "2차전지", 112_000),
    ("086520", "에코프로", "2차전지", 52_300),
    ("277810", "레인보우로보틱스", "로봇", 271_500),
    ("028300", "HLB", "바이오", 51_900),
    ("293490", "카카오게임즈", "게임", 16_300),
    ("035900", "JYP Ent.", "엔터", 72_400),
    ("058470", "리노공업", "반도체", 47_600),
)

GENERATED = (
    *(Listing(code, name, "KOSPI", sector, base_price) for code, name, sector, base_price in KOSPI),
    *(Listing(code, name, "KOSDAQ", sector, base_price) for code, name, sector, base_price in KOSDAQ),
)
