"""Account snapshots."""

from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from kis.client.codes import AccountNumber
from kis.korean import SEOUL, masked_account
from kis.models.owned import OwnedQuerySet
from kis.models.runs import SyncRun

#: From the newest snapshot of the last account down the index to that of the account before, until there is none.
NEWEST: Final = """
WITH RECURSIVE newest(id) AS (
    SELECT (
        SELECT id FROM kis_account
        ORDER BY account_no DESC, is_paper DESC, product_code DESC, snapshot_at DESC LIMIT 1
    )
    UNION ALL
    SELECT COALESCE(
        (
            SELECT id FROM kis_account below
            WHERE below.account_no = above.account_no AND below.is_paper = above.is_paper
                AND below.product_code < above.product_code
            ORDER BY below.product_code DESC, below.snapshot_at DESC LIMIT 1
        ), (
            SELECT id FROM kis_account below
            WHERE below.account_no = above.account_no AND below.is_paper < above.is_paper
            ORDER BY below.is_paper DESC, below.product_code DESC, below.snapshot_at DESC LIMIT 1
        ), (
            SELECT id FROM kis_account below WHERE below.account_no < above.account_no
            ORDER BY below.account_no DESC, below.is_paper DESC, below.product_code DESC, below.snapshot_at DESC LIMIT 1
        )
    )
    FROM newest JOIN kis_account above ON above.id = newest.id
)
SELECT id FROM newest WHERE id IS NOT NULL
"""


class KisAccountQuerySet(OwnedQuerySet["KisAccount"]):
    def newest_first(self) -> "KisAccountQuerySet":
        return self.order_by("-snapshot_at", "-id")

    def newest_of_each(self) -> "KisAccountQuerySet":
        """Return the newest snapshot of each account, without the broker's reply; one query.

        DISTINCT would read every snapshot there is. This goes from one account straight to the next one of the index.
        """
        newest: Any = RawSQL(NEWEST, ())  # noqa: S611  # a text of ours without parameters
        return self.filter(pk__in=newest).defer("raw_json").order_by("account_no", "is_paper", "product_code")


class KisAccount(models.Model):
    """One snapshot of an account. Amounts are won; `available` is the cash at D+2, not what can be ordered."""

    snapshot_at = models.DateTimeField("기준 시각")
    account_no = models.CharField("계좌번호", max_length=20, help_text="CANO, 앞 8자리")
    is_paper = models.BooleanField("모의투자")
    deposit = models.BigIntegerField("예수금 (D+0)", help_text="dnca_tot_amt")
    available = models.BigIntegerField("D+2 예수금", help_text="prvs_rcdl_excc_amt, 가수도정산금액")
    today_buy_amt = models.BigIntegerField("금일 매수금액", help_text="thdt_buy_amt")
    today_sell_amt = models.BigIntegerField("금일 매도금액", help_text="thdt_sll_amt")
    today_fee = models.BigIntegerField("금일 제비용", help_text="thdt_tlex_amt, 수수료와 세금 (추정)")
    stock_eval_amt = models.BigIntegerField("유가평가금액", help_text="scts_evlu_amt")
    total_eval_amt = models.BigIntegerField("총평가금액", help_text="tot_evlu_amt")
    total_profit_loss = models.BigIntegerField("평가손익", help_text="evlu_pfls_smtl_amt")
    total_buy_amt = models.BigIntegerField("매입금액", help_text="pchs_amt_smtl_amt")
    # Ours.
    product_code = models.CharField("상품코드", max_length=2, help_text="ACNT_PRDT_CD")
    d1_cash = models.BigIntegerField("D+1 예수금", help_text="nxdy_excc_amt")
    orderable_cash = models.BigIntegerField(
        "주문가능금액",
        null=True,
        blank=True,
        help_text="nrcvb_buy_amt, 미수 없는 매수금액. 조회하지 못하면 비어 있음",
    )
    net_assets = models.BigIntegerField("순자산", help_text="nass_amt")
    previous_assets = models.BigIntegerField("전일 총자산", help_text="bfdy_tot_asst_evlu_amt")
    indices = models.JSONField(
        "지수",
        default=dict,
        blank=True,
        help_text="지수 코드마다 날짜(day), 그때의 지수(level), 전일 종가(before). 받지 못하면 비어 있음",
    )
    sync_run = models.ForeignKey(
        SyncRun, models.PROTECT, verbose_name="동기화", related_name="snapshots", null=True, blank=True
    )
    raw_json = models.JSONField("원본", default=dict, blank=True)

    objects = KisAccountQuerySet.as_manager()

    class Meta:
        db_table = "kis_account"
        verbose_name = "계좌 스냅샷"
        verbose_name_plural = "계좌 스냅샷"
        ordering = ["-snapshot_at", "-id"]
        constraints = [
            # Also the index of "the latest snapshot of this account" and of --as-of.
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "snapshot_at"],
                name="kis_account_one_snapshot",
            ),
            models.CheckConstraint(condition=~Q(account_no=""), name="kis_account_has_number"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-snapshot_at"], name="kis_account_newest"),  # admin list, API
            models.Index(fields=["is_paper", "-snapshot_at"], name="kis_account_mode"),  # API, one mode
        ]

    def __str__(self) -> str:
        return f"{self.masked_no} {self.snapshot_at.astimezone(SEOUL):%Y-%m-%d %H:%M}"

    @property
    def account(self) -> AccountNumber:
        return AccountNumber(self.account_no, self.product_code)

    @property
    def masked_no(self) -> str:
        return masked_account(self.account_no, self.product_code)
