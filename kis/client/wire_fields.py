"""The documented fields of every reply, to compare with what really comes (kis-api.md sections 6, 7 and 8).

Each line of a block is a form and the fields written that way. `name?` may be missing, `name+` is missing from the older
TR id of the same inquiry, `name*10` stands for name1 to name10, and `~` for a blank within a name.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from kis.client.codes import TR, OrderTR

#: rows: a list of objects; single: a list that always holds one; object: one without a list around it.
Shape = Literal["rows", "single", "object"]

#: The forms of kis-api.md; `f` is a number whose decimals vary, `s` any text. A blank and a zero are always allowed.
WHOLE = r"-?(0|[1-9][0-9]*)"
FORMS: dict[str, re.Pattern[str] | None] = {
    "n": re.compile(rf"{WHOLE}|-?0\.0+"),
    "f": re.compile(rf"{WHOLE}(\.[0-9]+)?"),
    "f2": re.compile(rf"{WHOLE}\.[0-9]{{2}}|-?0(\.0+)?"),
    "f4": re.compile(rf"{WHOLE}\.[0-9]{{4}}|-?0(\.0+)?"),
    "f8": re.compile(rf"{WHOLE}\.[0-9]{{8}}|-?0(\.0+)?"),
    "d8": re.compile(r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])|0{8}"),
    "t6": re.compile(r"([01][0-9]|2[0-3])([0-5][0-9]){2}"),
    "yn": re.compile(r"[YN]"),
    "c": re.compile(r"[0-9A-Za-z]{1,20}"),
    "s": None,
}
#: Stands in place of a form for the sections among the fields of the body itself.
SECTION = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One object or list of a reply: the form of every field, and the fields that must be there."""

    name: str
    shape: Shape
    forms: dict[str, str]
    required: frozenset[str]
    newer: frozenset[str] = frozenset()

    @property
    def older(self) -> "Section":
        """The same section as the older TR id sends it."""
        return replace(self, required=self.required - self.newer)


@dataclass(frozen=True, slots=True)
class ReplyFields:
    """A whole reply: the fields of the body itself, the names of the sections among them, and the sections."""

    envelope: Section
    sections: tuple[Section, ...]

    @property
    def older(self) -> "ReplyFields":
        return replace(self, sections=tuple(section.older for section in self.sections))


def section(name: str, shape: Shape, *blocks: str, without: str = "") -> Section:
    """Read blocks of fields."""
    forms: dict[str, str] = {}
    marks: dict[str, set[str]] = {"?": set(), "+": set()}
    for line in filter(None, "\n".join(blocks).splitlines()):
        form, *words = line.split()
        for word in words:
            field = word.rstrip("?+").replace("~", " ")
            stem, _, count = field.partition("*")
            names = [f"{stem}{number}" for number in range(1, int(count) + 1)] if count else [stem]
            forms |= dict.fromkeys(names, form)
            if word[-1] in marks:
                marks[word[-1]].add(field)
    for field in without.split():
        del forms[field]
    return Section(name, shape, forms, frozenset(forms.keys() - marks["?"]), frozenset(marks["+"]))


def rows(name: str, *blocks: str, without: str = "") -> Section:
    return section(name, "rows", *blocks, without=without)


def single(name: str, *blocks: str) -> Section:
    return section(name, "single", *blocks)


def one(name: str, *blocks: str) -> Section:
    return section(name, "object", *blocks)


ENVELOPE = """
c rt_cd msg_cd
s msg1
"""
CURSOR = "s ctx_area_fk100 ctx_area_nk100"
#: Inquiries of a single page carry cursors now and then (kis-api.md section 2.5).
MAYBE_CURSOR = "s ctx_area_fk100? ctx_area_nk100?"


def reply(*sections: Section, cursor: str = MAYBE_CURSOR) -> ReplyFields:
    head = section("", "object", ENVELOPE, cursor)
    names = dict.fromkeys((part.name for part in sections), SECTION)
    return ReplyFields(
        replace(head, forms=head.forms | names, required=head.required | names.keys()), sections
    )


HOLDING = """
c  pdno
s  prdt_name trad_dvsn_name item_mgna_rt_name grta_rt_name
n  bfdy_buy_qty bfdy_sll_qty thdt_buyqty thdt_sll_qty hldg_qty ord_psbl_qty
n  pchs_amt prpr evlu_amt evlu_pfls_amt loan_amt stln_slng_chgs bfdy_cprs_icdc sbst_pric
f2 evlu_pfls_rt
f4 pchs_avg_pric stck_loan_unpr
f8 evlu_erng_rt fltt_rt
d8 loan_dt expd_dt
"""
TOTALS = """
n  dnca_tot_amt nxdy_excc_amt prvs_rcdl_excc_amt cma_evlu_amt nxdy_auto_rdpt_amt d2_auto_rdpt_amt tot_loan_amt
n  bfdy_buy_amt bfdy_sll_amt bfdy_tlex_amt thdt_buy_amt thdt_sll_amt thdt_tlex_amt
n  scts_evlu_amt tot_evlu_amt nass_amt pchs_amt_smtl_amt evlu_amt_smtl_amt evlu_pfls_smtl_amt tot_stln_slng_chgs
n  bfdy_tot_asst_evlu_amt asst_icdc_amt
f8 asst_icdc_erng_rt
yn fncg_gld_auto_rdpt_yn
"""
ASSET = """
n  pchs_amt evlu_amt evlu_pfls_amt crdt_lnd_amt real_nass_amt
f8 whol_weit_rt
"""
ASSET_TOTALS = """
n pchs_amt_smtl nass_tot_amt loan_amt_smtl evlu_pfls_amt_smtl evlu_amt_smtl tot_asst_amt tot_lnda_tot_ulst_lnda
n cma_auto_loan_amt tot_mgln_amt stln_evlu_amt crdt_fncg_amt ocl_apl_loan_amt pldg_stup_amt frcr_evlu_tota
n tot_dncl_amt cma_evlu_amt dncl_amt tot_sbst_amt thdt_rcvb_amt ovrs_stck_evlu_amt1 ovrs_bond_evlu_amt
n mmf_cma_mgge_loan_amt sbsc_dncl_amt pbst_sbsc_fnds_loan_use_amt etpr_crdt_grnt_loan_amt
"""
ORDER = """
d8 ord_dt loan_dt
t6 ord_tmd infm_tmd
c  ord_gno_brno odno orgn_odno sll_buy_dvsn_cd pdno ord_dvsn_cd prdt_type_cd excg_dvsn_cd excg_id_dvsn_cd+
s  ord_dvsn_name sll_buy_dvsn_cd_name prdt_name ordr_empno ccld_cndt_name inqr_ip_addr ctac_tlno ord_orgno
s  cpbc_ordp_ord_rcit_dvsn_cd cpbc_ordp_infm_mthd_dvsn_cd cpbc_ordp_mtrl_dvsn_cd rsvn_ord_end_dt
s  stpm_efct_occr_dtmd+
n  ord_qty ord_unpr tot_ccld_qty tot_ccld_amt cncl_cfrm_qty rmn_qty rjct_qty stpm_cndt_pric+
f  avg_prvs
yn cncl_yn
"""
ORDER_TOTALS = """
n  tot_ord_qty tot_ccld_qty tot_ccld_amt prsm_tlex_smtl
f4 pchs_avg_pric
"""
OPEN_ORDER = """
c  ord_gno_brno odno orgn_odno pdno sll_buy_dvsn_cd ord_dvsn_cd mgco_aptm_odno excg_dvsn_cd excg_id_dvsn_cd+
s  ord_dvsn_name prdt_name rvse_cncl_dvsn_name excg_id_dvsn_name+
n  ord_qty ord_unpr tot_ccld_qty tot_ccld_amt psbl_qty stpm_cndt_pric+
t6 ord_tmd
yn stpm_efct_occr_yn+
"""
BUYING_POWER = """
n ord_psbl_cash ord_psbl_sbst ruse_psbl_amt fund_rpch_chgs psbl_qty_calc_unpr nrcvb_buy_amt nrcvb_buy_qty
n max_buy_amt max_buy_qty cma_evlu_amt ovrs_re_use_amt_wcrc ord_psbl_frcr_amt_wcrc
"""
SELLABLE = """
c  pdno
s  prdt_name
n  buy_qty sll_qty cblc_qty nsvg_qty ord_psbl_qty pchs_amt now_pric evlu_amt evlu_pfls_amt
f2 evlu_pfls_rt
f4 pchs_avg_pric
"""
DAY_PROFIT = """
d8 trad_dt
n  buy_amt sll_amt rlzt_pfls fee loan_int tl_tax sll_qty1 buy_qty1
f8 pfls_rt
"""
PROFIT_TOTALS = """
n sll_qty_smtl sll_tr_amt_smtl sll_fee_smtl sll_tltx_smtl sll_excc_amt_smtl
n buy_tr_amt_smtl buy_fee_smtl buy_tax_smtl buy_excc_amt_smtl
n tot_qty tot_tr_amt tot_fee tot_tltx tot_excc_amt tot_rlzt_pfls loan_int
"""
TRADE_PROFIT = """
d8 trad_dt loan_dt
c  pdno
s  prdt_name trad_dvsn_name
n  hldg_qty buy_qty buy_amt sll_qty sll_amt rlzt_pfls fee tl_tax loan_int
f  pchs_unpr sll_pric
f8 pfls_rt
"""
PLACED = """
c  KRX_FWDG_ORD_ORGNO ODNO SOR_ODNO?
t6 ORD_TMD
"""

PRICE = """
c  iscd_stat_cls_code grmn_rate_cls_code prdy_vrss_sign stac_month stck_shrn_iscd vi_cls_code ovtm_vi_cls_code
c  mrkt_warn_cls_code
s  rprs_mrkt_kor_name new_hgpr_lwpr_cls_code? bstp_kor_isnm? fcam_cnnm cpfn_cnnm
yn temp_stop_yn oprc_rang_cont_yn clpr_rang_cont_yn crdt_able_yn elw_pblc_yn ssts_yn
yn invt_caful_yn short_over_yn sltr_yn mang_issu_cls_code
n  stck_prpr prdy_vrss acml_tr_pbmn acml_vol stck_oprc stck_hgpr stck_lwpr stck_mxpr stck_llam stck_sdpr
n  frgn_ntby_qty pgtr_ntby_qty frgn_hldn_qty last_ssts_cntg_qty
n  pvt_scnd_dmrs_prc pvt_frst_dmrs_prc pvt_pont_val pvt_frst_dmsp_prc pvt_scnd_dmsp_prc dmrs_val dmsp_val
n  cpfn rstc_wdth_prc stck_fcam stck_sspr aspr_unit hts_deal_qty_unit_val lstn_stcn hts_avls
n  d250_hgpr d250_lwpr stck_dryy_hgpr stck_dryy_lwpr w52_hgpr w52_lwpr
d8 d250_hgpr_date d250_lwpr_date dryy_hgpr_date dryy_lwpr_date w52_hgpr_date w52_lwpr_date
f2 d250_hgpr_vrss_prpr_rate d250_lwpr_vrss_prpr_rate dryy_hgpr_vrss_prpr_rate dryy_lwpr_vrss_prpr_rate
f2 w52_hgpr_vrss_prpr_ctrt w52_lwpr_vrss_prpr_ctrt
f2 marg_rate prdy_ctrt prdy_vrss_vol_rate wghn_avrg_stck_prc hts_frgn_ehrt per pbr eps bps vol_tnrt
f2 whol_loan_rmnd_rate apprch_rate?
"""
CHART_HEAD = """
c  prdy_vrss_sign stck_shrn_iscd
s  hts_kor_isnm
n  prdy_vrss stck_prdy_clpr acml_vol acml_tr_pbmn stck_prpr prdy_vol stck_mxpr stck_llam stck_oprc stck_hgpr stck_lwpr
n  stck_prdy_oprc stck_prdy_hgpr stck_prdy_lwpr askp bidp prdy_vrss_vol stck_fcam lstn_stcn cpfn hts_avls
f2 prdy_ctrt vol_tnrt per eps pbr itewhol_loan_rmnd_ratem? itewhol_loan_rmnd_ratem~name?
"""
DAY_BAR = """
d8 stck_bsop_date
n  stck_clpr stck_oprc stck_hgpr stck_lwpr acml_vol acml_tr_pbmn prdy_vrss
c  flng_cls_code prdy_vrss_sign
s  revl_issu_reas
f2 prtt_rate
yn mod_yn
"""
MINUTE_HEAD = """
c  prdy_vrss_sign
s  hts_kor_isnm
n  prdy_vrss stck_prdy_clpr acml_vol acml_tr_pbmn stck_prpr
f2 prdy_ctrt
"""
MINUTE_BAR = """
d8 stck_bsop_date
t6 stck_cntg_hour
n  stck_prpr stck_oprc stck_hgpr stck_lwpr cntg_vol acml_tr_pbmn
"""
MULTI_PRICE = """
s  kospi_kosdaq_cls_name mrkt_trtm_cls_name inter_kor_isnm
c  hour_cls_code inter_shrn_iscd prdy_vrss_sign intr_antc_cntg_vrss_sign
n  inter2_prpr inter2_prdy_vrss acml_vol inter2_oprc inter2_hgpr inter2_lwpr inter2_llam inter2_mxpr inter2_askp
n  inter2_bidp seln_rsqn shnu_rsqn total_askp_rsqn total_bidp_rsqn acml_tr_pbmn inter2_prdy_clpr
n  intr_antc_cntg_vrss intr_antc_vol inter2_sdpr
f  prdy_ctrt oprc_vrss_hgpr_rate intr_antc_cntg_prdy_ctrt
"""
ORDER_BOOK = """
t6 aspr_acpt_hour
n  askp1? askp*10 bidp*10 askp_rsqn*10 bidp_rsqn*10 askp_rsqn_icdc*10 bidp_rsqn_icdc*10
n  total_askp_rsqn total_bidp_rsqn total_askp_rsqn_icdc total_bidp_rsqn_icdc ntby_aspr_rsqn
n  ovtm_total_askp_icdc ovtm_total_bidp_icdc ovtm_total_askp_rsqn ovtm_total_bidp_rsqn
c  new_mkop_cls_code
"""
EXPECTED_PRICE = """
c  antc_mkop_cls_code antc_cntg_vrss_sign stck_shrn_iscd vi_cls_code
n  stck_prpr stck_oprc stck_hgpr stck_lwpr stck_sdpr antc_cnpr antc_cntg_vrss antc_vol
f2 antc_cntg_prdy_ctrt
"""
INDEX_PRICE = """
f2 bstp_nmix_prpr bstp_nmix_prdy_vrss
f  bstp_nmix_prdy_ctrt bstp_nmix_oprc prdy_nmix_vrss_nmix_oprc bstp_nmix_oprc_prdy_ctrt
f  bstp_nmix_hgpr prdy_nmix_vrss_nmix_hgpr bstp_nmix_hgpr_prdy_ctrt
f  bstp_nmix_lwpr prdy_clpr_vrss_lwpr prdy_clpr_vrss_lwpr_rate
f  dryy_bstp_nmix_hgpr dryy_hgpr_vrss_prpr_rate dryy_bstp_nmix_lwpr dryy_lwpr_vrss_prpr_rate
f  seln_rsqn_rate shnu_rsqn_rate
c  prdy_vrss_sign oprc_vrss_prpr_sign hgpr_vrss_prpr_sign lwpr_vrss_prpr_sign
n  acml_vol prdy_vol acml_tr_pbmn prdy_tr_pbmn total_askp_rsqn total_bidp_rsqn ntby_rsqn
n  ascn_issu_cnt uplm_issu_cnt stnr_issu_cnt down_issu_cnt lslm_issu_cnt
d8 dryy_bstp_nmix_hgpr_date dryy_bstp_nmix_lwpr_date
"""
INDEX_HEAD = """
c  prdy_vrss_sign bstp_cls_code
s  hts_kor_isnm
n  acml_vol acml_tr_pbmn prdy_vol
f  bstp_nmix_prdy_vrss bstp_nmix_prdy_ctrt prdy_nmix bstp_nmix_prpr bstp_nmix_oprc bstp_nmix_hgpr bstp_nmix_lwpr
f  futs_prdy_oprc futs_prdy_hgpr futs_prdy_lwpr
"""
INDEX_BAR = """
d8 stck_bsop_date
f2 bstp_nmix_prpr bstp_nmix_oprc bstp_nmix_hgpr bstp_nmix_lwpr
n  acml_vol acml_tr_pbmn
yn mod_yn
"""
CALENDAR_DAY = """
d8 bass_dt
c  wday_dvsn_cd
yn bzdy_yn tr_day_yn opnd_yn sttl_day_yn
"""
STOCK_INFO = """
c  pdno prdt_type_cd mket_id_cd scty_grp_id_cd excg_dvsn_cd setl_mmdd reits_kind_cd etf_dvsn_cd
c  idx_bztp_lcls_cd idx_bztp_mcls_cd idx_bztp_scls_cd stck_kind_cd std_pdno etf_txtn_type_cd etf_type_cd
c  nwst_odst_dvsn_cd std_idst_clsf_cd issu_istt_cd stln_int_rt_dvsn_cd lstg_rqsr_issu_istt_cd lstg_rqsr_item_cd
c  trst_istt_issu_istt_cd
s  prdt_name prdt_name120 prdt_abrv_name prdt_eng_name prdt_eng_name120 prdt_eng_abrv_name
s  idx_bztp_lcls_cd_name idx_bztp_mcls_cd_name idx_bztp_scls_cd_name std_idst_clsf_cd_name ocr_no
f  lstg_stqt lstg_cptl_amt cpta papr issu_pric etf_cu_qty sbst_pric thco_sbst_pric thdt_clpr bfdy_clpr
f  etf_chas_erng_rt_dbnb frnr_psnl_lmt_rt
d8 scts_mket_lstg_dt scts_mket_lstg_abol_dt kosdaq_mket_lstg_dt kosdaq_mket_lstg_abol_dt
d8 frbd_mket_lstg_dt frbd_mket_lstg_abol_dt mfnd_opng_dt mfnd_end_dt dpsi_erlm_cncl_dt lstg_abol_dt
d8 thco_sbst_pric_chng_dt clpr_chng_dt
yn kospi200_item_yn oilf_fund_yn dpsi_aptm_erlm_yn tr_stop_yn admn_item_yn crfd_item_yn elec_scty_yn
yn etf_etn_ivst_heed_item_yn cptt_trad_tr_psbl_yn nxt_tr_stop_yn
"""

ORDERS = reply(rows("output1", ORDER), one("output2", ORDER_TOTALS), cursor=CURSOR)
REPLY_FIELDS: dict[TR | OrderTR, ReplyFields] = {
    TR.BALANCE: reply(rows("output1", HOLDING), single("output2", TOTALS), cursor=CURSOR),
    TR.BALANCE_REALISED: reply(
        rows("output1", HOLDING, without="item_mgna_rt_name grta_rt_name sbst_pric"),
        single("output2", TOTALS, "n rlzt_pfls real_evlu_pfls\nf8 rlzt_erng_rt real_evlu_pfls_erng_rt"),
        cursor=CURSOR,
    ),
    TR.ACCOUNT_ASSETS: reply(rows("output1", ASSET), one("output2", ASSET_TOTALS)),
    TR.DAILY_ORDERS: ORDERS,
    TR.OLD_ORDERS: ORDERS,
    TR.UNFILLED: reply(rows("output", OPEN_ORDER), cursor=CURSOR),
    TR.BUYING_POWER: reply(one("output", BUYING_POWER)),
    TR.SELLABLE: reply(one("output", SELLABLE)),
    TR.PERIOD_PROFIT: reply(
        rows("output1", DAY_PROFIT), one("output2", PROFIT_TOTALS, "n buy_qty_smtl"), cursor=CURSOR
    ),
    TR.TRADE_PROFIT: reply(
        rows("output1", TRADE_PROFIT),
        one("output2", PROFIT_TOTALS, "n buyqty_smtl\nf8 tot_pftrt"),
        cursor=CURSOR,
    ),
    TR.PRICE: reply(one("output", PRICE)),
    TR.ORDER_BOOK: reply(one("output1", ORDER_BOOK), one("output2", EXPECTED_PRICE)),
    TR.DAILY_CHART: reply(one("output1", CHART_HEAD), rows("output2", DAY_BAR)),
    TR.TODAY_MINUTES: reply(one("output1", MINUTE_HEAD), rows("output2", MINUTE_BAR)),
    TR.PAST_MINUTES: reply(one("output1", MINUTE_HEAD), rows("output2", MINUTE_BAR)),
    TR.MULTI_PRICE: reply(rows("output", MULTI_PRICE)),
    TR.INDEX_PRICE: reply(one("output", INDEX_PRICE)),
    TR.INDEX_CHART: reply(one("output1", INDEX_HEAD), rows("output2", INDEX_BAR)),
    TR.HOLIDAYS: reply(rows("output", CALENDAR_DAY), cursor="s ctx_area_fk ctx_area_nk"),
    TR.STOCK_INFO: reply(one("output", STOCK_INFO)),
    OrderTR.BUY: reply(one("output", PLACED)),
    OrderTR.SELL: reply(one("output", PLACED)),
    OrderTR.AMEND_OR_CANCEL: reply(one("output", PLACED)),
}


def by_id() -> dict[str, ReplyFields]:
    """Return the replies by TR id; an older id lacks the newer fields."""
    known: dict[str, ReplyFields] = {}
    for tr, fields in REPLY_FIELDS.items():
        ids = tr.value
        known |= dict.fromkeys((ids.real, ids.paper), fields)
        known |= dict.fromkeys((ids.real_legacy, ids.paper_legacy), fields.older)
    known.pop("", None)
    return known


FIELDS_BY_ID = by_id()
