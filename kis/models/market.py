"""Prices of the market, the same for every account."""

from django.db import models
from django.db.models import F, Q


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
