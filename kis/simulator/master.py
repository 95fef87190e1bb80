"""The public master files: every stock of a market in lines of fixed width, zipped."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, time

from kis.simulator.clock import wall_now
from kis.simulator.hours import at
from kis.simulator.indices import NAMES
from kis.simulator.listings import Listing, MarketName, margin_percent
from kis.simulator.market import Market
from kis.simulator.profiles import Profile, profile_of

ENCODING = "cp949"
CODE_BYTES, NAME_BYTES = 9, 40
BUILT_AT = (1980, 1, 1, 0, 0, 0)  # the same bytes whenever the same day is asked for
HUNDRED_MILLION = 100_000_000

#: Flags between the sector codes and the base price, in the order of the file; what is left out says N.
KOSPI_FLAGS = (
    *("manufacturer", "illiquid", "governance", "KOSPI200 sector", "KOSPI100", "KOSPI50", "KRX", "ETP"),
    *("ELW", "KRX100", "cars", "chips", "bio", "banks", "SPAC", "energy", "steel", "overheated", "media"),
    *("construction", "removed", "brokers", "ships", "insurers", "transport", "SRI"),
)
KOSDAQ_FLAGS = (
    *("venture", "illiquid", "KRX", "ETP", "KRX100", "cars", "chips", "bio", "banks", "SPAC", "energy"),
    *("steel", "overheated", "media", "construction", "alert", "brokers", "ships", "insurers"),
    *("transport", "KOSDAQ150"),
)
MARKETS: dict[str, MarketName] = {"kospi_code": "KOSPI", "kosdaq_code": "KOSDAQ"}


def master_file(market: Market, name: str, *, on: date | None = None) -> bytes | None:
    """Return `<name>.mst.zip` as of the morning of `on`; None for a file that is not published here.

    Without a day it is the one that `--clock session` starts on.
    """
    if name == "idxcode":
        lines = [_index_line(code, index.name) for code, index in NAMES.items()]
    elif name in MARKETS:
        day = on or market.session_start(wall_now())
        lines = [
            _stock_line(market, listing, day)
            for _, listing in sorted(market.listings.items())
            if listing.market == MARKETS[name]
        ]
    else:
        return None
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"{name}.mst", BUILT_AT)
        archive.writestr(entry, b"".join(line + b"\n" for line in lines), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _index_line(code: str, name: str) -> bytes:
    """Return one index: the digit of its market, its code, its name."""
    return f"{code[0]}{code}".encode() + _text(name, NAME_BYTES)


def _stock_line(market: Market, listing: Listing, day: date) -> bytes:
    profile = profile_of(market, listing)
    head = _text(listing.code, CODE_BYTES) + profile.isin.encode() + _text(listing.name, NAME_BYTES)
    return head + "".join(_tail(market, listing, profile, day)).encode(ENCODING)


def _text(text: str, width: int) -> bytes:
    """Return text of exactly `width` bytes; a letter that does not fit is left away whole."""
    encoded = text.encode(ENCODING, "replace")[:width]
    return encoded.decode(ENCODING, "ignore").encode(ENCODING).ljust(width)


def _number(value: int, width: int) -> str:
    return f"{max(value, 0):0{width}}"[-width:]


def _tail(market: Market, listing: Listing, profile: Profile, day: date) -> Sequence[str]:
    """Return the right part, 227 bytes in KOSPI and 221 in KOSDAQ."""
    is_kospi = listing.market == "KOSPI"
    quote = market.quote(listing.code, at(day, time.min))
    base = quote.base if quote else 0
    yesterday = quote.previous.volume if quote and quote.previous else 0
    flags = {
        "KOSPI200 sector": "5" if profile.is_large else "0",
        "ETP": {"ETF": "2", "ETN": "3"}.get(listing.sector, "0"),
        "overheated": "0",
        "KOSDAQ150": "Y" if profile.is_large else "N",
        "removed": " ",
    }
    names = KOSPI_FLAGS if is_kospi else KOSDAQ_FLAGS
    return (
        {"ETF": "EF", "ETN": "EN"}.get(listing.sector, "ST"),
        "0" if listing.is_fund else "1" if profile.is_large else "2",
        "0000" if listing.is_fund else "0027" if is_kospi else "1009",
        "0000",
        "0000",
        *(flags.get(name, "N") for name in names),
        _number(base, 9),
        *(_number(1, 5), _number(1, 5)),
        "NNN",
        "00",
        "NNN",
        *("00", "00", "00"),
        _number(margin_percent(listing), 3),
        "N" if listing.is_fund else "Y",
        _number(0 if listing.is_fund else 90, 3),
        _number(yesterday, 12),
        _number(profile.face_value, 12),
        f"{profile.listed_on:%Y%m%d}",
        _number(profile.shares // 1_000, 15),
        _number(profile.capital, 21),
        "12",
        _number(0, 7),
        "0" if listing.code.endswith("0") or listing.is_fund else "1",
        "NNN",
        *(["N" if listing.is_fund else "Y"] if is_kospi else []),
        *_earnings(profile, day),
        _number(profile.shares * base // HUNDRED_MILLION, 9),
        _number(0, 3),
        "NYY",
    )


def _earnings(profile: Profile, day: date) -> Sequence[str]:
    """Return sales, operating, ordinary and net profit in 100 million won, return on equity, and their year."""
    profit = profile.eps * profile.shares // HUNDRED_MILLION
    return_on_equity = profile.eps * 100 / profile.bps if profile.bps else 0.0
    return (
        _number(profit * 10, 9),
        _number(profit * 13 // 10, 9),
        _number(profit * 12 // 10, 9),
        _number(profit, 5),
        f"{return_on_equity:09.2f}",
        f"{day.year - 1}1231",
    )
