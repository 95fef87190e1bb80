"""Every order the broker knows of, ours and those made elsewhere."""

from django.db import models
from django.db.models import F, Q

from kis.client.codes import AccountNumber
from kis.client.records.orders import Request
from kis.models.books import Side
from kis.models.owned import OwnedQuerySet
from kis.orders import Key, OrderState, Standing, chain_of


class KisOrderDetailQuerySet(OwnedQuerySet["KisOrderDetail"]):
    def chain_of(self, order: "KisOrderDetail") -> list["KisOrderDetail"]:
        """Return an order together with all amendments and cancellations around it, the first order first; one query."""
        of_day = self.of(order.account, is_paper=order.is_paper).filter(
            ord_dt=order.ord_dt, stock_code=order.stock_code
        )
        rows = {row.key: row for row in of_day}
        standings = [row.standing for row in rows.values()]
        return [rows[link.key] for link in chain_of(standings, order.odno, branch=order.ord_gno_brno)]


class KisOrderDetail(models.Model):
    """One order of a day as the broker has it; its amendments and cancellations are rows of their own.

    `odno` is written as the daily inquiry does, ten digits, so that it is equal wherever it came from. `raw_json` holds
    what the row was made of: the broker's `row`, the `receipt` of our own order, the notices we were `told`.
    """

    class Status(models.TextChoices):
        ACCEPTED = OrderState.ACCEPTED.value, "접수"
        PARTIAL = OrderState.PARTIAL.value, "일부체결"
        FILLED = OrderState.FILLED.value, "체결"
        CANCELLED = OrderState.CANCELLED.value, "취소"
        AMENDED = OrderState.AMENDED.value, "정정됨"
        REJECTED = OrderState.REJECTED.value, "거부"
        LAPSED = OrderState.LAPSED.value, "소멸"

    class Origin(models.TextChoices):
        OURS = "ours", "AEGIS"
        EXTERNAL = "external", "외부"

    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2, help_text="ACNT_PRDT_CD")
    is_paper = models.BooleanField("모의투자")
    ord_dt = models.DateField("주문일")
    ord_tmd = models.TimeField("주문 시각")
    ord_gno_brno = models.CharField("주문채번지점번호", max_length=10)
    odno = models.CharField("주문번호", max_length=20)
    orgn_odno = models.CharField(
        "원주문번호", max_length=20, blank=True, help_text="정정이나 취소한 주문의 번호"
    )
    stock_code = models.CharField("종목코드", max_length=10)
    stock_name = models.CharField("종목명", max_length=50)
    side = models.CharField("구분", max_length=10, choices=Side.choices, help_text="sll_buy_dvsn_cd")
    ord_dvsn_cd = models.CharField("주문구분", max_length=2, blank=True)
    exchange = models.CharField("거래소", max_length=10, blank=True)
    ord_qty = models.IntegerField("주문수량")
    ord_unpr = models.IntegerField("주문단가", help_text="시장가는 0")
    tot_ccld_qty = models.IntegerField("체결수량", default=0)
    avg_prvs = models.DecimalField(
        "체결평균가",
        max_digits=18,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="체결이 없으면 비어 있음",
    )
    rmn_qty = models.IntegerField("잔여수량")
    rjct_qty = models.IntegerField("거부수량", default=0)
    cncl_yn = models.CharField("취소여부", max_length=1, blank=True, help_text="취소되어도 비어 있을 수 있음")
    cncl_cfrm_qty = models.IntegerField("취소확인수량", default=0)
    status = models.CharField("상태", max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    origin = models.CharField("낸 곳", max_length=10, choices=Origin.choices, default=Origin.EXTERNAL)
    raw_json = models.JSONField("원본", default=dict, blank=True)

    objects = KisOrderDetailQuerySet.as_manager()

    class Meta:
        db_table = "kis_order_detail"
        verbose_name = "주문"
        verbose_name_plural = "주문"
        ordering = ["-ord_dt", "-ord_tmd", "-id"]
        constraints = [
            # Also the index of "this account's orders of a day".
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "ord_dt", "ord_gno_brno", "odno"],
                name="kis_order_detail_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "accepted",
                        "partial",
                        "filled",
                        "cancelled",
                        "amended",
                        "rejected",
                        "lapsed",
                    ]
                ),
                name="kis_order_detail_status_known",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["ours", "external"]), name="kis_order_detail_origin_known"
            ),
            models.CheckConstraint(condition=Q(side__in=["BUY", "SELL"]), name="kis_order_detail_side_known"),
            models.CheckConstraint(
                condition=Q(
                    ord_qty__gte=0,
                    ord_unpr__gte=0,
                    tot_ccld_qty__gte=0,
                    rmn_qty__gte=0,
                    rjct_qty__gte=0,
                    cncl_cfrm_qty__gte=0,
                ),
                name="kis_order_detail_not_negative",
            ),
            # The shortest of all circles; longer ones are cut where chains are followed.
            models.CheckConstraint(condition=~Q(orgn_odno=F("odno")), name="kis_order_detail_not_own_origin"),
        ]
        indexes = [
            models.Index(fields=["-ord_dt", "-ord_tmd", "-id"], name="kis_order_detail_newest")  # admin list
        ]

    def __str__(self) -> str:
        return f"{self.ord_dt} {self.get_side_display()} {self.stock_name} {self.ord_qty:,}주"

    @property
    def account(self) -> AccountNumber:
        return AccountNumber(self.account_no, self.product_code)

    @property
    def key(self) -> Key:
        return self.ord_dt, self.ord_gno_brno, self.odno

    @property
    def standing(self) -> Standing:
        """Return the order in the words of `kis.orders`."""
        return Standing(
            ordered_on=self.ord_dt,
            ordered_at=self.ord_tmd,
            branch=self.ord_gno_brno,
            number=self.odno,
            origin=self.orgn_odno,
            request=Request(self.raw_json.get("request", Request.ORDER.value)),
            code=self.stock_code,
            kind=self.ord_dvsn_cd,
            exchange=self.exchange,
            quantity=self.ord_qty,
            filled=self.tot_ccld_qty,
            remaining=self.rmn_qty,
            rejected=self.rjct_qty,
            cancelled=self.cncl_cfrm_qty,
            marked_cancelled=self.cncl_yn == "Y",
        )
