"""Prices of the market, the same for every account."""

from django.db import models
from django.db.models import F, Q
from django.utils.timezone import localtime


class DailyPrice(models.Model):
    """One trading day of a stock: won and shares, adjusted for splits as the broker does it."""

    stock_code = models.CharField("종목코드", max_length=10)
    trade_date = models.DateField("거래일")
    open = models.IntegerField("시가")
    high = models.IntegerField("고가")
    low = models.IntegerField("저가")
    close = models.IntegerField("종가")
    volume = models.BigIntegerField("거래량")

    class Meta:
        db_table = "daily_price"
        verbose_name = "일봉"
        verbose_name_plural = "일봉"
        ordering = ["-trade_date", "stock_code"]
        constraints = [
            # Also the index of "the last two weeks of these stocks".
            models.UniqueConstraint(fields=["stock_code", "trade_date"], name="daily_price_once"),
            # A halted day has a close only; open, high and low are then 0.
            models.CheckConstraint(
                condition=Q(close__gt=0, volume__gte=0)
                & (
                    Q(open=0, high=0, low=0, volume=0)
                    # Adjusted prices are rounded one by one: a close may stand a won outside of its day.
                    | Q(low__gt=0, low__lte=F("open") + 1, high__gte=F("open") - 1)
                    & Q(low__lte=F("close") + 1, high__gte=F("close") - 1)
                ),
                name="daily_price_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["-trade_date", "stock_code"], name="daily_price_newest")
        ]  # admin list

    def __str__(self) -> str:
        return f"{self.stock_code} {self.trade_date} {self.close:,}"


class MinPrice(models.Model):
    """One minute of a stock that is over, in won and shares; `bar_at` is its beginning. Minutes without a trade have no row."""

    stock_code = models.CharField("종목코드", max_length=10)
    bar_at = models.DateTimeField("시각")
    open = models.IntegerField("시가")
    high = models.IntegerField("고가")
    low = models.IntegerField("저가")
    close = models.IntegerField("종가")
    volume = models.BigIntegerField("거래량")

    class Meta:
        db_table = "min_price"
        verbose_name = "분봉"
        verbose_name_plural = "분봉"
        ordering = ["-bar_at", "stock_code"]
        constraints = [
            # Also the index of "the last minute of this stock" and "the day of this stock".
            models.UniqueConstraint(fields=["stock_code", "bar_at"], name="min_price_once"),
            models.CheckConstraint(
                condition=Q(low__gt=0, low__lte=F("open"), high__gte=F("open"), volume__gte=0)
                & Q(low__lte=F("close"), high__gte=F("close")),
                name="min_price_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["-bar_at", "stock_code"], name="min_price_newest")  # admin list, retention
        ]

    def __str__(self) -> str:
        return f"{self.stock_code} {localtime(self.bar_at):%Y-%m-%d %H:%M} {self.close:,}"


class PriceHistory(models.Model):
    """What has been asked about the prices of a stock, whether or not the broker had something to say.

    From `daily_from` on, a day without a bar had none when it was asked. Minutes have been asked for from the first minute of
    `minutes_from` up to the one of `minutes_until`, without a hole. NULL means never asked.
    """

    stock_code = models.CharField("종목코드", max_length=10, unique=True)
    daily_from = models.DateField("일봉 첫날", null=True, blank=True)
    daily_asked_at = models.DateTimeField("일봉 조회", null=True, blank=True)
    minutes_from = models.DateField("분봉 첫날", null=True, blank=True)
    minutes_until = models.DateTimeField("분봉 마지막", null=True, blank=True)

    class Meta:
        db_table = "price_history"
        verbose_name = "시세 수집 범위"
        verbose_name_plural = "시세 수집 범위"
        ordering = ["stock_code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes_from__isnull=True, minutes_until__isnull=True)
                | Q(minutes_from__isnull=False, minutes_until__isnull=False),
                name="price_history_minutes_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stock_code} {self.daily_from or '–'}부터"


class PriceGapQuerySet(models.QuerySet["PriceGap"]):
    def still_open(self) -> "PriceGapQuerySet":
        return self.filter(filled_at=None)


class PriceGap(models.Model):
    """Bars that are missing, from the first to the last of them; `first_at` of a daily bar is its day at midnight in Korea.

    `tries` counts how often the broker was asked again, the last time at `asked_at`.
    """

    class What(models.TextChoices):
        DAY = "day", "일봉"
        MINUTE = "minute", "분봉"

    stock_code = models.CharField("종목코드", max_length=10)
    what = models.CharField("봉", max_length=10, choices=What.choices)
    first_at = models.DateTimeField("빠진 처음")
    last_at = models.DateTimeField("빠진 끝")
    found_at = models.DateTimeField("찾은 시각")
    asked_at = models.DateTimeField("다시 물은 시각", null=True, blank=True)
    tries = models.PositiveSmallIntegerField("다시 물은 횟수", default=0)
    filled_at = models.DateTimeField("채운 시각", null=True, blank=True)
    reason = models.CharField("까닭", max_length=200, blank=True)

    objects = PriceGapQuerySet.as_manager()

    class Meta:
        db_table = "price_gap"
        verbose_name = "빠진 시세"
        verbose_name_plural = "빠진 시세"
        ordering = ["-first_at", "stock_code"]
        constraints = [
            # Also the index of "the gaps of these stocks".
            models.UniqueConstraint(fields=["what", "stock_code", "first_at"], name="price_gap_once"),
            models.CheckConstraint(condition=Q(what__in=["day", "minute"]), name="price_gap_what_known"),
            models.CheckConstraint(
                condition=Q(last_at__gte=F("first_at")), name="price_gap_ends_after_start"
            ),
        ]
        indexes = [models.Index(fields=["-first_at", "stock_code"], name="price_gap_newest")]  # admin list

    def __str__(self) -> str:
        return f"{self.stock_code} {self.get_what_display()} {localtime(self.first_at):%Y-%m-%d %H:%M}"


class PriceAdjustment(models.Model):
    """A day from which on a stock counts in other shares: a split, a merger, a rights issue.

    `ratio` is what one share before it counts now: 5 for a split 1 to 5. The day lies after `after` (the last bar on the old
    footing) and is `day` at the latest; where the broker does not mark it, the two are only as near as our last look.
    """

    class Source(models.TextChoices):
        DETECTED = "detected", "수정주가 비교"

    stock_code = models.CharField("종목코드", max_length=10)
    after = models.DateField("이전 기준 마지막 날")
    day = models.DateField("적용일", help_text="늦어도 이날부터")
    ratio = models.DecimalField(
        "비율", max_digits=16, decimal_places=8, help_text="이전 1주가 지금 몇 주인지"
    )
    source = models.CharField("출처", max_length=10, choices=Source.choices, default=Source.DETECTED)
    found_at = models.DateTimeField("찾은 시각")

    class Meta:
        db_table = "price_adjustment"
        verbose_name = "수정주가 변경"
        verbose_name_plural = "수정주가 변경"
        ordering = ["-day", "stock_code"]
        constraints = [
            models.UniqueConstraint(fields=["stock_code", "day"], name="price_adjustment_once"),
            models.CheckConstraint(condition=Q(ratio__gt=0), name="price_adjustment_ratio_positive"),
            models.CheckConstraint(condition=Q(day__gt=F("after")), name="price_adjustment_day_after"),
            models.CheckConstraint(
                condition=Q(source__in=["detected"]), name="price_adjustment_source_known"
            ),
        ]
        indexes = [models.Index(fields=["-day", "stock_code"], name="price_adjustment_newest")]  # admin list

    def __str__(self) -> str:
        return f"{self.stock_code} {self.day} 1:{self.ratio.normalize():f}"
