"""What the owner holds and did at KB Securities, as far as exported files say."""

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from kis.statements.rows import TradeKind


class KbStatement(models.Model):
    """A file that was read. It is known by its bytes, so a second look at the same file creates nothing.

    `account_key` tells accounts apart without their number; it is empty for a file that names none.
    """

    class Kind(models.TextChoices):
        HOLDINGS = "holdings", "잔고"
        TRADES = "trades", "거래내역"
        BOTH = "both", "잔고, 거래내역"

    name = models.CharField("파일 이름", max_length=255)
    sha256 = models.CharField("파일 지문", max_length=64)
    account_key = models.CharField("계좌 지문", max_length=16, blank=True)
    account_label = models.CharField("계좌", max_length=40, blank=True)
    kind = models.CharField("종류", max_length=10, choices=Kind.choices)
    as_of = models.DateField("잔고 기준일", null=True, blank=True)
    imported_at = models.DateTimeField("가져온 시각")
    rows = models.PositiveIntegerField("새 행", default=0)
    known_rows = models.PositiveIntegerField("이미 있던 행", default=0)
    completed_rows = models.PositiveIntegerField(
        "채운 행", default=0, help_text="이미 있던 행 가운데 비어 있던 값을 이 파일에서 채운 것"
    )
    problem_count = models.PositiveIntegerField("확인할 줄", default=0)
    problems = models.JSONField(
        "확인할 줄 목록", default=list, blank=True, help_text="줄마다 번호, 내용, 이유, 담았는지"
    )

    class Meta:
        db_table = "kb_statement"
        verbose_name = "KB 파일"
        verbose_name_plural = "KB 파일"
        ordering = ["-imported_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["sha256", "account_key"], name="kb_statement_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["holdings", "trades", "both"]), name="kb_statement_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["-imported_at", "-id"], name="kb_statement_newest")]  # admin list

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"


class KbHoldingQuerySet(models.QuerySet["KbHolding"]):
    def newest(self) -> "KbHoldingQuerySet":
        """Return each account's holdings of its latest day: what the owner has, as far as is known."""
        latest = (
            KbHolding.objects.filter(account_key=OuterRef("account_key")).order_by("-as_of").values("as_of")
        )
        return self.filter(as_of=Subquery(latest[:1]))


class KbHolding(models.Model):
    """One stock on one day. Amounts are won; NULL where the file does not say."""

    statement = models.ForeignKey(
        KbStatement, models.PROTECT, verbose_name="KB 파일", related_name="holdings"
    )
    account_key = models.CharField("계좌 지문", max_length=16, blank=True)
    account_label = models.CharField("계좌", max_length=40, blank=True)
    as_of = models.DateField("기준일")
    stock_code = models.CharField("종목코드", max_length=12, blank=True)
    stock_name = models.CharField("종목명", max_length=100, blank=True)
    quantity = models.DecimalField("수량", max_digits=20, decimal_places=6)
    average = models.DecimalField("매입단가", max_digits=20, decimal_places=4, null=True, blank=True)
    cost = models.BigIntegerField("매입금액", null=True, blank=True)
    price = models.DecimalField("현재가", max_digits=20, decimal_places=4, null=True, blank=True)
    value = models.BigIntegerField("평가금액", null=True, blank=True)
    profit = models.BigIntegerField("평가손익", null=True, blank=True)
    meaning = models.CharField("행 지문", max_length=64, help_text="기준일과 종목")
    ordinal = models.PositiveIntegerField("같은 행 순번", default=1, help_text="현금과 신용이 나뉜 종목")
    line = models.PositiveIntegerField("파일의 줄")
    sheet = models.CharField("시트", max_length=40, blank=True)

    objects = KbHoldingQuerySet.as_manager()

    class Meta:
        db_table = "kb_holding"
        verbose_name = "KB 보유 종목"
        verbose_name_plural = "KB 보유 종목"
        ordering = ["-as_of", "-value", "stock_name", "id"]
        constraints = [
            # The same row of another export is the same holding.
            models.UniqueConstraint(fields=["account_key", "meaning", "ordinal"], name="kb_holding_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="kb_holding_quantity_positive"),
            models.CheckConstraint(
                condition=~Q(stock_code="") | ~Q(stock_name=""), name="kb_holding_has_stock"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-as_of", "-value", "stock_name", "id"], name="kb_holding_list"
            ),  # admin list
            models.Index(fields=["account_key", "as_of"], name="kb_holding_day"),  # newest, import
        ]

    def __str__(self) -> str:
        return f"{self.as_of} {self.stock_name or self.stock_code} {self.quantity.normalize():,f}주"


class KbTrade(models.Model):
    """One transaction. `amount`, `fee` and `tax` have no direction; `net` is + for money received.

    It is known by its number where the export has one, otherwise by its meaning and its place among equal rows.
    """

    class Kind(models.TextChoices):
        BUY = TradeKind.BUY.value, "매수"
        SELL = TradeKind.SELL.value, "매도"
        DEPOSIT = TradeKind.DEPOSIT.value, "입금"
        WITHDRAWAL = TradeKind.WITHDRAWAL.value, "출금"
        DIVIDEND = TradeKind.DIVIDEND.value, "배당"
        INTEREST = TradeKind.INTEREST.value, "이자"
        TAX = TradeKind.TAX.value, "세금"
        FEE = TradeKind.FEE.value, "수수료"
        EXCHANGE = TradeKind.EXCHANGE.value, "환전"
        SHARES_IN = TradeKind.SHARES_IN.value, "입고"
        SHARES_OUT = TradeKind.SHARES_OUT.value, "출고"
        OTHER = TradeKind.OTHER.value, "기타"

    statement = models.ForeignKey(KbStatement, models.PROTECT, verbose_name="KB 파일", related_name="trades")
    account_key = models.CharField("계좌 지문", max_length=16, blank=True)
    account_label = models.CharField("계좌", max_length=40, blank=True)
    trade_date = models.DateField("거래일")
    kind = models.CharField("구분", max_length=12, choices=Kind.choices)
    label = models.CharField("거래명", max_length=60, help_text="파일에 적힌 그대로")
    stock_code = models.CharField("종목코드", max_length=12, blank=True)
    stock_name = models.CharField("종목명", max_length=100, blank=True)
    quantity = models.DecimalField("수량", max_digits=20, decimal_places=6, null=True, blank=True)
    price = models.DecimalField("단가", max_digits=20, decimal_places=4, null=True, blank=True)
    amount = models.BigIntegerField("거래금액", null=True, blank=True)
    fee = models.BigIntegerField("수수료", null=True, blank=True)
    tax = models.BigIntegerField("세금", null=True, blank=True)
    net = models.BigIntegerField("정산금액", null=True, blank=True, help_text="받은 돈 +, 낸 돈 −")
    reference = models.CharField("거래번호", max_length=40, blank=True)
    meaning = models.CharField("행 지문", max_length=64, help_text="거래일, 구분, 종목, 수량, 단가 또는 금액")
    ordinal = models.PositiveIntegerField("같은 행 순번", default=1)
    line = models.PositiveIntegerField("파일의 줄")
    sheet = models.CharField("시트", max_length=40, blank=True)

    class Meta:
        db_table = "kb_trade"
        verbose_name = "KB 거래"
        verbose_name_plural = "KB 거래"
        ordering = ["-trade_date", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account_key", "trade_date", "reference"],
                condition=~Q(reference=""),
                name="kb_trade_reference_once",
            ),
            models.UniqueConstraint(fields=["account_key", "meaning", "ordinal"], name="kb_trade_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in TradeKind]), name="kb_trade_kind_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["buy", "sell", "shares_in", "shares_out"])
                # NULL > 0 is unknown, and what is unknown passes.
                | Q(quantity__isnull=False, quantity__gt=0) & (~Q(stock_code="") | ~Q(stock_name="")),
                name="kb_trade_of_shares_whole",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["buy", "sell", "shares_in", "shares_out"]) | Q(net__isnull=False),
                name="kb_trade_of_money_has_net",
            ),
            models.CheckConstraint(
                condition=(Q(amount__isnull=True) | Q(amount__gte=0))
                & (Q(fee__isnull=True) | Q(fee__gte=0))
                & (Q(tax__isnull=True) | Q(tax__gte=0)),
                name="kb_trade_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["-trade_date", "-id"], name="kb_trade_newest"),  # admin list
            models.Index(fields=["account_key", "trade_date"], name="kb_trade_day"),  # import
            models.Index(fields=["stock_code", "-trade_date"], name="kb_trade_stock"),
        ]

    def __str__(self) -> str:
        stock = f" {self.stock_name or self.stock_code}" if self.stock_name or self.stock_code else ""
        return f"{self.trade_date} {self.get_kind_display()}{stock}"
