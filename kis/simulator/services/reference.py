"""What stocks and days are: the holiday calendar, the books of a stock, the list of products."""

from datetime import date, timedelta

from kis.calendar import SATURDAY, is_business_day
from kis.client.codes import QUOTATIONS, TR
from kis.simulator import wire
from kis.simulator.clock import FIRST_YEAR, LAST_YEAR
from kis.simulator.listings import Listing
from kis.simulator.profiles import profile_of
from kis.simulator.services.balance import COLLATERAL_PERCENT
from kis.simulator.services.base import Answer, Call, Service, ids_of

DAYS_SHOWN = 24
CURSOR_BYTES = 20
LAST_DAY_OF_YEAR = (12, 31)
STOCKS = "300"
FOREVER = "99991231"
CODE_LENGTH = 6

INFO_NOT_MODELLED = {
    "prdt_type_cd": STOCKS,
    "setl_mmdd": "12",
    "issu_pric": "0",
    "scts_mket_lstg_abol_dt": "",
    "kosdaq_mket_lstg_abol_dt": "",
    "frbd_mket_lstg_dt": "",
    "frbd_mket_lstg_abol_dt": "",
    "reits_kind_cd": "",
    "oilf_fund_yn": "N",
    "idx_bztp_mcls_cd": "013",
    "idx_bztp_scls_cd": "013",
    "stck_kind_cd": "101",
    "mfnd_opng_dt": "",
    "mfnd_end_dt": "",
    "dpsi_erlm_cncl_dt": "",
    "etf_cu_qty": "0",
    "dpsi_aptm_erlm_yn": "Y",
    "etf_txtn_type_cd": "00",
    "etf_type_cd": "",
    "lstg_abol_dt": "",
    "nwst_odst_dvsn_cd": "1",
    "tr_stop_yn": "N",
    "admn_item_yn": "N",
    "std_idst_clsf_cd": "032604",
    "ocr_no": "0121",
    "crfd_item_yn": "",
    "elec_scty_yn": "Y",
    "etf_chas_erng_rt_dbnb": "0",
    "etf_etn_ivst_heed_item_yn": "N",
    "stln_int_rt_dvsn_cd": "01",
    "frnr_psnl_lmt_rt": "0.00000000",
    "lstg_rqsr_issu_istt_cd": "",
    "lstg_rqsr_item_cd": "",
    "trst_istt_issu_istt_cd": "",
    "nxt_tr_stop_yn": "N",
}


def holidays(call: Call) -> Answer:
    """Answer with 24 calendar days from the one asked for; the next ones are asked for by their date."""
    first = _day_asked(call.params["BASS_DT"])
    days = [first + timedelta(days=count) for count in range(DAYS_SHOWN)]
    return Answer(
        {
            "ctx_area_nk": wire.padded(f"{days[-1]:%Y%m%d}", CURSOR_BYTES),
            "ctx_area_fk": wire.padded(f"{first:%Y%m%d}", CURSOR_BYTES),
            "output": [_day(day) for day in days],
            **_success("KIOK0500", "조회가 계속됩니다..다음버튼을 Click 하십시오."),
        }
    )


def _day_asked(text: str) -> date:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise wire.invalid_field("BASS_DT") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise wire.invalid_field("BASS_DT")
    return day


def _day(day: date) -> wire.Json:
    is_open = is_business_day(day)
    # The exchange rests on the last day of the year, when everybody else still works.
    is_working = is_open or ((day.month, day.day) == LAST_DAY_OF_YEAR and day.weekday() < SATURDAY)
    return {
        "bass_dt": f"{day:%Y%m%d}",
        "wday_dvsn_cd": f"{day.isoweekday() % 7 + 1:02}",
        "bzdy_yn": _yes(is_working),
        "tr_day_yn": _yes(is_working),
        "opnd_yn": _yes(is_open),
        "sttl_day_yn": _yes(is_open),
    }


def _yes(value: bool) -> str:
    return "Y" if value else "N"


def _success(code: str, text: str) -> wire.Json:
    return {"rt_cd": "0", "msg_cd": code, "msg1": wire.padded(text, wire.MESSAGE_BYTES)}


def _listing_asked(call: Call) -> Listing:
    """Return the stock asked for, be it 005930, A005930 or 00000A005930. Raises Refused with rt_cd 7."""
    number, listings = call.params["PDNO"], call.exchange.market.listings
    listing = listings.get(number.lstrip("0")) or listings.get(number) or listings.get(number[-CODE_LENGTH:])
    if listing is None or call.params["PRDT_TYPE_CD"] != STOCKS:
        text = wire.padded("조회할 내용이 없습니다", wire.MESSAGE_BYTES)
        raise wire.Refused("KIOK0560", text, rt_cd="7")
    return listing


def stock_info(call: Call) -> Answer:
    """Answer with the books of a stock."""
    listing = _listing_asked(call)
    market = call.exchange.market
    profile = profile_of(market, listing)
    quote = market.quote(listing.code, call.now)
    is_kospi = listing.market == "KOSPI"
    listed_on = f"{profile.listed_on:%Y%m%d}"
    collateral = str(quote.base * COLLATERAL_PERCENT // 1000 * 10 if quote else 0)
    shown_day = f"{quote.at if quote else call.now:%Y%m%d}"
    return Answer(
        {
            "output": {
                **INFO_NOT_MODELLED,
                **_names(listing),
                "mket_id_cd": "STK" if is_kospi else "KSQ",
                "scty_grp_id_cd": _group(listing),
                "excg_dvsn_cd": "02" if is_kospi else "03",
                "lstg_stqt": str(profile.shares),
                "lstg_cptl_amt": str(profile.capital),
                "cpta": str(profile.capital),
                "papr": str(profile.face_value),
                "kospi200_item_yn": _yes(is_kospi and profile.is_large),
                "scts_mket_lstg_dt": listed_on if is_kospi else "",
                "kosdaq_mket_lstg_dt": "" if is_kospi else listed_on,
                "etf_dvsn_cd": "1" if listing.is_fund else "0",
                "idx_bztp_lcls_cd": "002" if profile.is_large else "003",
                "idx_bztp_lcls_cd_name": f"시가총액규모{'대' if profile.is_large else '중'}",
                "idx_bztp_mcls_cd_name": listing.sector,
                "idx_bztp_scls_cd_name": listing.sector,
                "std_idst_clsf_cd_name": listing.sector,
                "std_pdno": profile.isin,
                "sbst_pric": collateral,
                "thco_sbst_pric": collateral,
                "thco_sbst_pric_chng_dt": shown_day,
                "thdt_clpr": str(quote.price if quote else 0),
                "bfdy_clpr": str(quote.base if quote else 0),
                "clpr_chng_dt": shown_day,
                "issu_istt_cd": listing.code[-CODE_LENGTH:][:5],
                "cptt_trad_tr_psbl_yn": _yes(profile.is_large),
            },
            **_success("KIOK0530", "조회되었습니다"),
        }
    )


def product_info(call: Call) -> Answer:
    """Answer with the entry of a stock in the list of all products; nothing else is sold here."""
    listing = _listing_asked(call)
    profile = profile_of(call.exchange.market, listing)
    return Answer(
        {
            "output": {
                **_names(listing),
                "prdt_type_cd": STOCKS,
                "std_pdno": profile.isin,
                "shtn_pdno": listing.code,
                "prdt_sale_stat_cd": "",
                "prdt_risk_grad_cd": "",
                "prdt_clsf_cd": "101310" if listing.is_fund else "101210",
                "prdt_clsf_name": listing.sector if listing.is_fund else "주식",
                "sale_strt_dt": f"{profile.listed_on:%Y%m%d}",
                "sale_end_dt": FOREVER,
                "wrap_asst_type_cd": "06",
                "ivst_prdt_type_cd": "1012",
                "ivst_prdt_type_cd_name": "주식",
                "frst_erlm_dt": f"{profile.listed_on:%Y%m%d}",
            },
            **_success("KIOK0530", "조회되었습니다"),
        }
    )


def _names(listing: Listing) -> wire.Json:
    english = f"Simulated {listing.code}"
    return {
        "pdno": f"{listing.code if listing.code.startswith('Q') else 'A' + listing.code:0>12}",
        "prdt_name": listing.name,
        "prdt_name120": listing.name,
        "prdt_abrv_name": listing.name,
        "prdt_eng_name": english,
        "prdt_eng_name120": english,
        "prdt_eng_abrv_name": english,
    }


def _group(listing: Listing) -> str:
    return {"ETF": "EF", "ETN": "EN"}.get(listing.sector, "ST")


SERVICES = (
    Service(
        TR.HOLIDAYS.path,
        ids_of(TR.HOLIDAYS),
        ("BASS_DT", "CTX_AREA_NK", "CTX_AREA_FK"),
        holidays,
        of_account=False,
    ),
    Service(
        TR.STOCK_INFO.path, ids_of(TR.STOCK_INFO), ("PRDT_TYPE_CD", "PDNO"), stock_info, of_account=False
    ),
    Service(
        f"{QUOTATIONS}/search-info",
        {"real": ("CTPF1604R",), "paper": ()},
        ("PDNO", "PRDT_TYPE_CD"),
        product_info,
        of_account=False,
    ),
)
