"""What the account holds, has traded today, and still waits for."""

from django.db import models
from django.db.models import F, Q

from kis.models.accounts import KisAccount
from kis.models.owned import OwnedQuerySet
from kis.portfolio.costs import Costs


class KisHolding(models.Model):
    """One stock in one snapshot. Amounts are won, rates are percent as the broker sends them."""

    snapshot_at = models.DateTimeField("기준 시각")
    snapshot_date = models.DateField("기준일", db_index=True)
    stock_code = models.CharField("종목코드", max_length=10, help_text="pdno")
    stock_name = models.CharField("종목명", max_length=50, help_text="prdt_name")
    holding_qty = models.IntegerField("보유수량", help_text="hldg_qty")
    ord_psbl_qty = models.IntegerField("주문가능수량")
    pchs_avg_pric = models.FloatField("매입평균가")
    pchs_amt = models.BigIntegerField("매입금액")
    prpr = models.IntegerField("현재가")
    evlu_amt = models.BigIntegerField("평가금액")
    evlu_pfls_amt = models.BigIntegerField("평가손익")
    evlu_pfls_rt = models.FloatField("평가손익률 %")
    fllt_rt = models.FloatField("등락률 %", help_text="fltt_rt, 전일 대비")
    is_paper = models.BooleanField("모의투자")
    kis_account = models.ForeignKey(
        KisAccount, models.PROTECT, verbose_name="계좌 스냅샷", related_name="holdings"
    )
    # Ours.
    today_buy_qty = models.IntegerField("금일 매수수량", help_text="thdt_buyqty")
    today_sell_qty = models.IntegerField("금일 매도수량", help_text="thdt_sll_qty")
    raw_json = models.JSONField("원본", default=dict, blank=True)

    class Meta:
        db_table = "kis_holding"
        verbose_name = "보유 종목"
        verbose_name_plural = "보유 종목"
        ordering = ["-snapshot_at", "-evlu_amt", "stock_code"]
        constraints = [
            # Also the index of "the holdings of this snapshot".
            models.UniqueConstraint(fields=["kis_account", "stock_code"], name="kis_holding_stock_once"),
            models.CheckConstraint(condition=Q(holding_qty__gt=0), name="kis_holding_quantity_positive"),
            models.CheckConstraint(
                condition=Q(ord_psbl_qty__gte=0, ord_psbl_qty__lte=F("holding_qty")),
                name="kis_holding_sellable_within",
            ),
        ]
        indexes = [
            models.Index(fields=["stock_code", "-snapshot_at"], name="kis_holding_stock_history"),
            models.Index(
                fields=["-snapshot_at", "-evlu_amt", "stock_code"], name="kis_holding_newest"
            ),  # admin list, API
            models.Index(fields=["is_paper", "-snapshot_at"], name="kis_holding_mode"),  # API, one mode
        ]

    def __str__(self) -> str:
        return f"{self.stock_name} {self.holding_qty:,}주"


class Side(models.TextChoices):
    """Side of an order in the words of the data dictionary."""

    BUY = "BUY", "매수"
    SELL = "SELL", "매도"


class KisExecutionQuerySet(OwnedQuerySet["KisExecution"]):
    pass


class KisExecution(models.Model):
    """A filled order. The broker reports one row per order with growing totals; `exec_tmd` is the time of the order."""

    class CostSource(models.TextChoices):
        UNKNOWN = "unknown", "미정"
        ESTIMATED = "estimated", "추정"
        ACTUAL = "actual", "확정"

    class CostBasis(models.TextChoices):
        """What the costs were taken from; blank while there are none."""

        TABLE = "table", "요율표"
        GUESSED = "guessed", "요율표, 시장을 몰라 코스피로 계산"
        TRADES = "trades", "기간별 매매손익"
        DAY = "day", "일합계 기준"

    odno = models.CharField("주문번호", max_length=20)
    stock_code = models.CharField("종목코드", max_length=10)
    stock_name = models.CharField("종목명", max_length=50)
    exec_type = models.CharField("구분", max_length=10, choices=Side.choices, help_text="sll_buy_dvsn_cd")
    exec_qty = models.IntegerField("체결수량", help_text="tot_ccld_qty, 누적")
    exec_price = models.IntegerField("체결단가", help_text="avg_prvs, 원 단위 반올림")
    exec_amt = models.BigIntegerField("체결금액", help_text="tot_ccld_amt")
    exec_dt = models.DateField("체결일", help_text="ord_dt")
    exec_tmd = models.TimeField("주문 시각", help_text="ord_tmd")
    commission = models.IntegerField("수수료", null=True, blank=True)
    tax = models.IntegerField("세금", null=True, blank=True)
    is_paper = models.BooleanField("모의투자")
    # Ours.
    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2, help_text="ACNT_PRDT_CD")
    ord_gno_brno = models.CharField("주문채번지점번호", max_length=10)
    exchange = models.CharField("거래소", max_length=10, blank=True)
    cost_source = models.CharField(
        "비용", max_length=10, choices=CostSource.choices, default=CostSource.UNKNOWN
    )
    cost_basis = models.CharField("비용 근거", max_length=10, choices=CostBasis.choices, blank=True)
    raw_json = models.JSONField("원본", default=dict, blank=True)

    objects = KisExecutionQuerySet.as_manager()

    class Meta:
        db_table = "kis_execution"
        verbose_name = "체결"
        verbose_name_plural = "체결"
        ordering = ["-exec_dt", "-exec_tmd", "-id"]
        constraints = [
            # `odno` starts again every day and counts per branch. Also the index of "this account's fills of a day".
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "exec_dt", "ord_gno_brno", "odno"],
                name="kis_execution_order_once",
            ),
            models.CheckConstraint(
                condition=Q(exec_qty__gt=0, exec_price__gt=0, exec_amt__gt=0), name="kis_execution_positive"
            ),
            models.CheckConstraint(
                condition=Q(exec_type__in=["BUY", "SELL"]), name="kis_execution_side_known"
            ),
            models.CheckConstraint(
                condition=Q(cost_source="unknown", commission__isnull=True, tax__isnull=True)
                | Q(cost_source__in=["estimated", "actual"], commission__isnull=False, tax__isnull=False),
                name="kis_execution_costs_whole",
            ),
            models.CheckConstraint(
                condition=Q(cost_basis__in=["", "table", "guessed", "trades", "day"]),
                name="kis_execution_basis_known",
            ),
        ]
        indexes = [
            # Read after every sync by kis.sync.costs.
            models.Index(
                fields=["account_no", "is_paper", "product_code", "exec_dt"],
                condition=Q(cost_source__in=["unknown", "estimated"]),
                name="kis_execution_unsettled",
            ),
            models.Index(
                fields=["-exec_dt", "-exec_tmd", "-id"], name="kis_execution_newest"
            ),  # admin list, API
            # API, one mode; not the whole order, or SQLite would prefer it to the index of an account.
            models.Index(fields=["is_paper", "-exec_dt"], name="kis_execution_mode"),
            models.Index(fields=["stock_code", "-exec_dt"], name="kis_execution_stock"),
        ]

    def __str__(self) -> str:
        return f"{self.exec_dt} {self.get_exec_type_display()} {self.stock_name} {self.exec_qty:,}주"

    @property
    def costs(self) -> Costs | None:
        """Return commission and tax in won, None while they are not known."""
        if self.commission is None or self.tax is None:
            return None
        return Costs(self.commission, self.tax, "actual" if self.is_settled else "estimated")

    @property
    def is_settled(self) -> bool:
        return self.cost_source == self.CostSource.ACTUAL


class KisUnfilledOrder(models.Model):
    """An order waiting at the exchange in one snapshot. `psbl_qty` is what can still be changed or cancelled."""

    class SideCode(models.TextChoices):
        SELL = "01", "매도"
        BUY = "02", "매수"

    snapshot_at = models.DateTimeField("기준 시각")
    snapshot_date = models.DateField("기준일", db_index=True)
    odno = models.CharField("주문번호", max_length=20)
    stock_code = models.CharField("종목코드", max_length=10)
    stock_name = models.CharField("종목명", max_length=50)
    sll_buy_dvsn_cd = models.CharField("구분", max_length=2, choices=SideCode.choices)
    ord_qty = models.IntegerField("주문수량")
    ord_unpr = models.IntegerField("주문단가")
    ord_tmd = models.CharField("주문 시각", max_length=10, help_text="HHMMSS")
    psbl_qty = models.IntegerField("정정취소 가능수량")
    tot_ccll_qty = models.IntegerField("체결수량", help_text="tot_ccld_qty")
    is_paper = models.BooleanField("모의투자")
    # Ours.
    kis_account = models.ForeignKey(
        KisAccount, models.PROTECT, verbose_name="계좌 스냅샷", related_name="unfilled_orders"
    )
    account_no = models.CharField("계좌번호", max_length=20)
    ord_gno_brno = models.CharField("주문채번지점번호", max_length=10)
    exchange = models.CharField("거래소", max_length=10, blank=True)
    raw_json = models.JSONField("원본", default=dict, blank=True)

    class Meta:
        db_table = "kis_unfilled_order"
        verbose_name = "미체결 주문"
        verbose_name_plural = "미체결 주문"
        ordering = ["-snapshot_at", "ord_tmd", "odno"]
        constraints = [
            # Also the index of "the open orders of this snapshot".
            models.UniqueConstraint(
                fields=["kis_account", "ord_gno_brno", "odno"], name="kis_unfilled_order_once"
            ),
            models.CheckConstraint(condition=Q(ord_qty__gt=0), name="kis_unfilled_order_quantity_positive"),
            models.CheckConstraint(
                condition=Q(psbl_qty__gte=0, tot_ccll_qty__gte=0, ord_unpr__gte=0),
                name="kis_unfilled_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(sll_buy_dvsn_cd__in=["01", "02"]), name="kis_unfilled_order_side_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-snapshot_at", "ord_tmd", "odno"], name="kis_unfilled_order_newest"
            ),  # admin list
        ]

    def __str__(self) -> str:
        return f"{self.get_sll_buy_dvsn_cd_display()} {self.stock_name} {self.ord_qty:,}주"
