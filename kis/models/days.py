"""What each day left behind: cash, worth, profit. Where the data cannot say, the reason stands instead of a figure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from kis.client.codes import AccountNumber
from kis.korean import masked_account
from kis.models.accounts import KisAccount
from kis.models.owned import OwnedQuerySet
from kis.portfolio.unknown import Unknown


def reasons_given(names: Sequence[str], *, of: str) -> list[models.CheckConstraint]:
    """Return the rule that a figure is NULL exactly where a reason says why, for each of these columns."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{name}__isnull": False}) & ~Q(reasons__has_key=name)
            | Q(**{f"{name}__isnull": True, "reasons__has_key": name}),
            name=f"{of}_{name}_or_reason",
        )
        for name in names
    ]


class State(models.TextChoices):
    """Whether the broker may still correct what a day's figures were made of."""

    ESTIMATED = "estimated", "추정"
    FINAL = "final", "확정"


class DayRow(models.Model):
    """What the rows of an account's days have in common. `reasons` says in Korean why a figure is NULL, by column."""

    FIGURES: ClassVar[tuple[str, ...]] = ()

    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2, help_text="ACNT_PRDT_CD")
    is_paper = models.BooleanField("모의투자")
    state = models.CharField("구분", max_length=10, choices=State.choices, default=State.ESTIMATED)
    reasons = models.JSONField("산출 불가", default=dict, blank=True, help_text="낼 수 없는 값마다 그 까닭")

    class Meta:
        abstract = True

    @property
    def account(self) -> AccountNumber:
        return AccountNumber(self.account_no, self.product_code)

    @property
    def masked_no(self) -> str:
        return masked_account(self.account_no, self.product_code)

    @property
    def is_final(self) -> bool:
        return self.state == State.FINAL

    def won(self, name: str) -> int | Unknown:
        """Return an amount by its column, or why it cannot be said."""
        value: int | None = getattr(self, name)
        return Unknown(self.reasons[name]) if value is None else value

    def put(self, name: str, value: int | Decimal | Unknown) -> None:
        """Write a figure, or the reason for having none; saves nothing."""
        known = not isinstance(value, Unknown)
        setattr(self, name, value if known else None)
        self.reasons = {key: reason for key, reason in self.reasons.items() if key != name}
        if isinstance(value, Unknown):
            self.reasons[name] = value.reason


class KisDepositLogQuerySet(OwnedQuerySet["KisDepositLog"]):
    pass


class KisDepositLog(DayRow):
    """The cash of an account at the close of a day, and what moved it since the log before. Won.

    `change`, `buy_amt` and what follows reach from `previous_account` to this close: from the close before, or on the
    first day from the first snapshot there is. The cash that moves with trades is that of D+2, so `flow` is what trades
    leave of its change: deposits less withdrawals, and dividends.
    """

    FIGURES = ("previous_cash", "change", "buy_amt", "sell_amt", "fee", "tax", "flow")

    log_date = models.DateField("날짜")
    kis_account = models.ForeignKey(
        KisAccount, models.PROTECT, verbose_name="마감 스냅샷", related_name="deposit_logs"
    )
    d0_cash = models.BigIntegerField("D+0 예수금", help_text="dnca_tot_amt")
    d1_cash = models.BigIntegerField("D+1 익일정산금", help_text="nxdy_excc_amt")
    d2_cash = models.BigIntegerField("D+2 가수도정산금", help_text="prvs_rcdl_excc_amt")
    previous_account = models.ForeignKey(
        KisAccount,
        models.PROTECT,
        verbose_name="비교한 스냅샷",
        related_name="next_deposit_logs",
        null=True,
        blank=True,
    )
    previous_date = models.DateField("비교한 날", null=True, blank=True)
    previous_cash = models.BigIntegerField("이전 D+2 예수금", null=True, blank=True)
    change = models.BigIntegerField("변동", null=True, blank=True)
    buy_amt = models.BigIntegerField("매수", null=True, blank=True)
    sell_amt = models.BigIntegerField("매도", null=True, blank=True)
    fee = models.BigIntegerField("수수료", null=True, blank=True)
    tax = models.BigIntegerField("세금", null=True, blank=True)
    flow = models.BigIntegerField(
        "입출금", null=True, blank=True, help_text="입금 +, 출금 −. 배당처럼 매매가 아닌 돈이 모두 들어 있음"
    )

    objects = KisDepositLogQuerySet.as_manager()

    class Meta:
        db_table = "kis_deposit_log"
        verbose_name = "예수금 일지"
        verbose_name_plural = "예수금 일지"
        ordering = ["-log_date", "account_no"]
        constraints = [
            # Also the index of "this account's days".
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "log_date"], name="kis_deposit_log_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["estimated", "final"]), name="kis_deposit_log_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    previous_account__isnull=True,
                    previous_date__isnull=True,
                    previous_cash__isnull=True,
                    change__isnull=True,
                )
                | Q(
                    previous_account__isnull=False,
                    previous_date__lte=F("log_date"),
                    change=F("d2_cash") - F("previous_cash"),
                ),
                name="kis_deposit_log_change",
            ),
            models.CheckConstraint(
                # NULL where one of them is not known, and what is unknown passes.
                condition=Q(change=F("sell_amt") - F("buy_amt") - F("fee") - F("tax") + F("flow")),
                name="kis_deposit_log_adds_up",
            ),
            *reasons_given(
                ("previous_cash", "change", "buy_amt", "sell_amt", "fee", "tax", "flow"), of="kis_deposit_log"
            ),
        ]
        indexes = [
            models.Index(fields=["-log_date", "account_no"], name="kis_deposit_log_newest")
        ]  # admin list

    def __str__(self) -> str:
        return f"{self.masked_no} {self.log_date}"


class KisDailySummaryQuerySet(OwnedQuerySet["KisDailySummary"]):
    def with_close(self) -> "KisDailySummaryQuerySet":
        """Days with a snapshot after the close, without the holes."""
        return self.filter(kis_account__isnull=False)


class KisDailySummary(DayRow):
    """An account at the close of a day, and the day's trades and profit. Won; returns in percent.

    A business day without a snapshot after the close has a row as well (`kis_account` is NULL), so that the hole has a
    name. `realised_*` are after all costs of the day's trades, those of its purchases included, as the broker counts them;
    `unrealised_*` are before the costs of a sale. `cumulative_return` is time-weighted since the first close.
    """

    FIGURES = (
        "total_amt",
        "stock_amt",
        "cash_amt",
        "cost_amt",
        "unrealised_broker",
        "unrealised_average",
        "unrealised_fifo",
        "realised_broker",
        "realised_average",
        "realised_fifo",
        "buy_amt",
        "sell_amt",
        "fee",
        "tax",
        "flow",
        "day_profit",
        "day_return",
        "cumulative_return",
    )

    summary_date = models.DateField("날짜")
    kis_account = models.ForeignKey(
        KisAccount,
        models.PROTECT,
        verbose_name="마감 스냅샷",
        related_name="daily_summaries",
        null=True,
        blank=True,
        help_text="비어 있으면 마감 자료가 없는 날",
    )
    previous_date = models.DateField("이전 마감일", null=True, blank=True)
    total_amt = models.BigIntegerField("총평가금액", null=True, blank=True, help_text="tot_evlu_amt")
    stock_amt = models.BigIntegerField("유가평가금액", null=True, blank=True, help_text="scts_evlu_amt")
    cash_amt = models.BigIntegerField("D+2 예수금", null=True, blank=True, help_text="prvs_rcdl_excc_amt")
    cost_amt = models.BigIntegerField("매입금액", null=True, blank=True, help_text="pchs_amt_smtl_amt")
    unrealised_broker = models.BigIntegerField(
        "평가손익", null=True, blank=True, help_text="evlu_pfls_smtl_amt"
    )
    unrealised_average = models.BigIntegerField("평가손익 (이동평균)", null=True, blank=True)
    unrealised_fifo = models.BigIntegerField("평가손익 (선입선출)", null=True, blank=True)
    realised_broker = models.BigIntegerField("실현손익", null=True, blank=True, help_text="rlzt_pfls")
    realised_average = models.BigIntegerField("실현손익 (이동평균)", null=True, blank=True)
    realised_fifo = models.BigIntegerField("실현손익 (선입선출)", null=True, blank=True)
    buy_amt = models.BigIntegerField("매수", null=True, blank=True)
    sell_amt = models.BigIntegerField("매도", null=True, blank=True)
    fee = models.BigIntegerField("수수료", null=True, blank=True)
    tax = models.BigIntegerField("세금", null=True, blank=True)
    flow = models.BigIntegerField("입출금", null=True, blank=True, help_text="이전 마감 뒤의 입금 +, 출금 −")
    day_profit = models.BigIntegerField(
        "일 손익", null=True, blank=True, help_text="총평가금액의 변동에서 입출금을 뺀 것"
    )
    day_return = models.DecimalField("일 수익률 %", max_digits=20, decimal_places=8, null=True, blank=True)
    cumulative_return = models.DecimalField(
        "누적 수익률 %", max_digits=20, decimal_places=8, null=True, blank=True, help_text="시간가중"
    )
    broker_asked_at = models.DateTimeField("증권사 손익 조회", null=True, blank=True)
    closed_at = models.DateTimeField("계산 시각", help_text="이 행이 마지막으로 바뀐 시각")
    raw_json = models.JSONField("원본", default=dict, blank=True, help_text="증권사의 종목별 매매손익")

    objects = KisDailySummaryQuerySet.as_manager()

    class Meta:
        db_table = "kis_daily_summary"
        verbose_name = "일별 요약"
        verbose_name_plural = "일별 요약"
        ordering = ["-summary_date", "account_no"]
        constraints = [
            # Also the index of "this account's days".
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "summary_date"],
                name="kis_daily_summary_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["estimated", "final"]), name="kis_daily_summary_state_known"
            ),
            models.CheckConstraint(
                condition=Q(previous_date__isnull=True) | Q(previous_date__lt=F("summary_date")),
                name="kis_daily_summary_after_previous",
            ),
            models.CheckConstraint(
                condition=Q(
                    kis_account__isnull=False,
                    total_amt__isnull=False,
                    stock_amt__isnull=False,
                    cash_amt__isnull=False,
                    cost_amt__isnull=False,
                    unrealised_broker__isnull=False,
                )
                | Q(
                    kis_account__isnull=True,
                    total_amt__isnull=True,
                    stock_amt__isnull=True,
                    cash_amt__isnull=True,
                    cost_amt__isnull=True,
                    unrealised_broker__isnull=True,
                    flow__isnull=True,
                    day_profit__isnull=True,
                    day_return__isnull=True,
                ),
                name="kis_daily_summary_of_snapshot",
            ),
            *reasons_given(
                (
                    *("total_amt", "stock_amt", "cash_amt", "cost_amt"),
                    *("unrealised_broker", "unrealised_average", "unrealised_fifo"),
                    *("realised_broker", "realised_average", "realised_fifo"),
                    *("buy_amt", "sell_amt", "fee", "tax", "flow"),
                    *("day_profit", "day_return", "cumulative_return"),
                ),
                of="kis_daily_summary",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-summary_date", "account_no"], name="kis_daily_summary_newest"
            )  # admin list
        ]

    def __str__(self) -> str:
        return f"{self.masked_no} {self.summary_date}"


class KisTradeProfitQuerySet(OwnedQuerySet["KisTradeProfit"]):
    pass


class KisTradeProfit(DayRow):
    """What was traded of one stock on one day and the profit made on it, by three counts. Won and shares.

    `realised_*` as in KisDailySummary. `sales` has the profit of each sale by our two counts, in the order of the day.
    """

    FIGURES = ("fee", "tax", "realised_broker", "realised_average", "realised_fifo")

    trade_date = models.DateField("거래일")
    stock_code = models.CharField("종목코드", max_length=10)
    stock_name = models.CharField("종목명", max_length=50)
    buy_qty = models.IntegerField("매수수량")
    buy_amt = models.BigIntegerField("매수")
    sell_qty = models.IntegerField("매도수량")
    sell_amt = models.BigIntegerField("매도")
    fee = models.BigIntegerField("수수료", null=True, blank=True)
    tax = models.BigIntegerField("세금", null=True, blank=True)
    realised_broker = models.BigIntegerField("실현손익", null=True, blank=True, help_text="rlzt_pfls")
    realised_average = models.BigIntegerField("실현손익 (이동평균)", null=True, blank=True)
    realised_fifo = models.BigIntegerField("실현손익 (선입선출)", null=True, blank=True)
    sales = models.JSONField("매도별 손익", default=list, blank=True)

    objects = KisTradeProfitQuerySet.as_manager()

    class Meta:
        db_table = "kis_trade_profit"
        verbose_name = "종목별 매매손익"
        verbose_name_plural = "종목별 매매손익"
        ordering = ["-trade_date", "stock_code", "account_no"]
        constraints = [
            # Also the index of "this account's day".
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "trade_date", "stock_code"],
                name="kis_trade_profit_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["estimated", "final"]), name="kis_trade_profit_state_known"
            ),
            models.CheckConstraint(
                condition=Q(buy_qty__gte=0, buy_amt__gte=0, sell_qty__gte=0, sell_amt__gte=0),
                name="kis_trade_profit_not_negative",
            ),
            *reasons_given(
                ("fee", "tax", "realised_broker", "realised_average", "realised_fifo"), of="kis_trade_profit"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-trade_date", "stock_code", "account_no"], name="kis_trade_profit_newest"
            ),  # admin list
            models.Index(fields=["stock_code", "-trade_date"], name="kis_trade_profit_stock"),
        ]

    def __str__(self) -> str:
        return f"{self.trade_date} {self.stock_name}"


class IndexPrice(models.Model):
    """The close of a market index on one day, in points; the same for every account."""

    class Index(models.TextChoices):
        KOSPI = "0001", "코스피"
        KOSDAQ = "1001", "코스닥"

    index_code = models.CharField("지수", max_length=4, choices=Index.choices)
    trade_date = models.DateField("거래일")
    close = models.DecimalField("종가", max_digits=12, decimal_places=2)

    class Meta:
        db_table = "index_price"
        verbose_name = "지수 종가"
        verbose_name_plural = "지수 종가"
        ordering = ["-trade_date", "index_code"]
        constraints = [
            # Also the index of "this index over these days".
            models.UniqueConstraint(fields=["index_code", "trade_date"], name="index_price_once"),
            models.CheckConstraint(condition=Q(index_code__in=["0001", "1001"]), name="index_price_known"),
            models.CheckConstraint(condition=Q(close__gt=0), name="index_price_positive"),
        ]
        indexes = [
            models.Index(fields=["-trade_date", "index_code"], name="index_price_newest")
        ]  # admin list

    def __str__(self) -> str:
        return f"{self.get_index_code_display()} {self.trade_date} {self.close}"
