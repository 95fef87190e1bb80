"""What the market says about stocks and days, the same for every account."""

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When


class Stock(models.Model):
    """A listed paper as of `updated_at`; one that has left the market keeps its last row.

    `code` is as orders take it (Q500001 for an ETN). `nxt` is empty until the single inquiry has said it: the master files
    do not know.
    """

    class Market(models.TextChoices):
        KOSPI = "KOSPI", "코스피"
        KOSDAQ = "KOSDAQ", "코스닥"
        KONEX = "KONEX", "코넥스"
        OTHER = "other", "기타"

    class Kind(models.TextChoices):
        STOCK = "stock", "주식"
        ETF = "ETF", "ETF"
        ETN = "ETN", "ETN"
        ELW = "ELW", "ELW"
        REIT = "REIT", "리츠"
        FUND = "fund", "펀드"
        FOREIGN = "foreign", "외국주권"
        RECEIPT = "receipt", "예탁증서"
        WARRANT = "warrant", "신주인수권"
        OTHER = "other", "기타"

    class Source(models.TextChoices):
        MASTER = "master", "종목 마스터"
        INQUIRY = "inquiry", "종목 조회"

    code = models.CharField("종목코드", max_length=10, unique=True)
    isin = models.CharField("표준코드", max_length=12, blank=True)
    name = models.CharField("종목명", max_length=100)
    market = models.CharField("시장", max_length=10, choices=Market.choices)
    kind = models.CharField("유형", max_length=10, choices=Kind.choices)
    sector = models.CharField("업종", max_length=60, blank=True)
    listed_on = models.DateField("상장일", null=True, blank=True)
    halted = models.BooleanField("거래정지", default=False)
    managed = models.BooleanField("관리종목", default=False)
    nxt = models.BooleanField("NXT 거래", null=True, blank=True)
    source = models.CharField("출처", max_length=10, choices=Source.choices)
    updated_at = models.DateTimeField("갱신 시각")

    class Meta:
        db_table = "stock"
        verbose_name = "종목"
        verbose_name_plural = "종목"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=~Q(code="") & ~Q(name=""), name="stock_has_code_and_name"),
            models.CheckConstraint(
                condition=Q(market__in=["KOSPI", "KOSDAQ", "KONEX", "other"]), name="stock_market_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("stock", "ETF", "ETN", "ELW", "REIT"),
                        *("fund", "foreign", "receipt", "warrant", "other"),
                    ]
                ),
                name="stock_kind_known",
            ),
            models.CheckConstraint(condition=Q(source__in=["master", "inquiry"]), name="stock_source_known"),
        ]
        indexes = [
            models.Index(
                fields=["source", "market", "-updated_at"], name="stock_freshness"
            ),  # kis.sync.stocks
            models.Index(fields=["name"], name="stock_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code}"


class MarketDayQuerySet(models.QuerySet["MarketDay"]):
    def with_winner(self) -> "MarketDayQuerySet":
        """Add `winner`, the row that counts: the owner's before the broker's, and that before the estimate."""
        ranks = [When(source=source, then=Value(rank)) for rank, source in enumerate(MarketDay.BY_RANK)]
        rows = MarketDay.objects.filter(day=OuterRef("day")).order_by(Case(*ranks))
        return self.annotate(winner=Subquery(rows.values("pk")[:1]))

    def in_force(self) -> "MarketDayQuerySet":
        """Return one row a day: the one that counts."""
        return self.with_winner().filter(pk=F("winner"))


class MarketDay(models.Model):
    """What one source says about one day of the exchange; the stronger source counts (see `in_force`).

    Ask `kis.calendar` whether a day is a business day; it knows these rows.
    """

    class Source(models.TextChoices):
        MANUAL = "manual", "수동"
        BROKER = "broker", "한국투자증권"
        ESTIMATE = "estimate", "추정"

    #: The strongest first.
    BY_RANK = (Source.MANUAL, Source.BROKER, Source.ESTIMATE)

    day = models.DateField("날짜")
    opens = models.BooleanField("개장", help_text="주문을 받는 날")
    settles = models.BooleanField("결제", help_text="결제가 이루어지는 날")
    opens_at = models.TimeField(
        "정규장 시작", null=True, blank=True, help_text="평소(09:00)와 다를 때만 적습니다."
    )
    closes_at = models.TimeField(
        "정규장 끝", null=True, blank=True, help_text="평소(15:30)와 다를 때만 적습니다."
    )
    source = models.CharField("출처", max_length=10, choices=Source.choices, default=Source.MANUAL)
    note = models.CharField("메모", max_length=100, blank=True)
    updated_at = models.DateTimeField("갱신 시각")

    objects = MarketDayQuerySet.as_manager()

    class Meta:
        db_table = "market_day"
        verbose_name = "휴장일 달력"
        verbose_name_plural = "휴장일 달력"
        ordering = ["-day", "source"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "source"],
                name="market_day_once",
                violation_error_message="이 날짜는 이미 적어 두셨습니다. 그 행을 고쳐 주세요.",
            ),
            models.CheckConstraint(
                condition=Q(source__in=["manual", "broker", "estimate"]), name="market_day_source_known"
            ),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True)
                | Q(closes_at__isnull=True)
                | Q(opens_at__lt=F("closes_at")),
                name="market_day_opens_before_it_closes",
                violation_error_message="정규장은 시작한 뒤에 끝나야 합니다.",
            ),
        ]
        indexes = [
            models.Index(fields=["-day", "source"], name="market_day_newest"),  # admin list
            models.Index(fields=["source", "-updated_at"], name="market_day_freshness"),  # kis.sync.calendar
        ]

    def __str__(self) -> str:
        return f"{self.day} {'개장' if self.opens else '휴장'} ({self.get_source_display()})"
