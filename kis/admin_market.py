"""Stocks, days and prices in the admin: to be read, except for days that the owner knows better."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from kis.admin_base import ModelAdmin, ReadOnlyAdmin, figure, won
from kis.korean import WEEKDAYS
from kis.market_days import use_market_days
from kis.models import MarketDay, MinPrice, PriceAdjustment, PriceGap, PriceHistory, Stock

if TYPE_CHECKING:
    MarketDayModelForm = forms.ModelForm[models.Model]
else:
    MarketDayModelForm = forms.ModelForm  # generic for the type checker only

CSS = {"all": ["kis/admin.css"]}


class MarketDayForm(MarketDayModelForm):
    """A day as the owner writes it down."""

    class Meta:
        model = MarketDay
        fields = ("day", "opens", "settles", "note")

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        known = MarketDay.objects.filter(day=day, source=MarketDay.Source.MANUAL)
        if known.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("이 날짜는 이미 적어 두셨습니다. 그 행을 고쳐 주세요.")
        return day


@admin.register(MarketDay)
class MarketDayAdmin(ModelAdmin):
    """Rows of the owner can be added, changed and deleted; what the broker or the estimate says only looked at."""

    form = MarketDayForm
    list_display = ("date", "opens", "settles", "source", "counts", "note", "updated_at")
    list_filter = ("source", "opens", "day")
    show_full_result_count = False
    list_per_page = 50
    actions = None

    class Media:
        css = CSS

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketDay]:
        return MarketDay.objects.with_winner()

    @admin.display(description="날짜", ordering="day")
    def date(self, row: MarketDay) -> str:
        return f"{row.day} ({WEEKDAYS[row.day.weekday()]})"

    @admin.display(description="적용", boolean=True)
    def counts(self, row: Any) -> bool:
        return bool(row.pk == row.winner)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_manual(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_manual(obj) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.source = MarketDay.Source.MANUAL
        obj.updated_at = timezone.now()
        super().save_model(request, obj, form, change)
        transaction.on_commit(use_market_days)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(use_market_days)


def is_manual(row: MarketDay | None) -> bool:
    return row is None or row.source == MarketDay.Source.MANUAL


@admin.register(Stock)
class StockAdmin(ReadOnlyAdmin):
    list_display = (
        "code",
        "name",
        "market",
        "kind",
        "sector",
        "listed_on",
        "halted",
        "managed",
        "nxt",
        "source",
        "updated_at",
    )
    list_filter = ("market", "kind", "halted", "managed", "nxt", "source")
    search_fields = ("=code", "name")


@admin.register(MinPrice)
class MinPriceAdmin(ReadOnlyAdmin):
    list_display = (
        "bar_at",
        "stock_code",
        won("open", "시가"),
        won("high", "고가"),
        won("low", "저가"),
        won("close", "종가"),
        won("volume", "거래량"),
    )
    list_filter = ("bar_at",)
    search_fields = ("=stock_code",)

    class Media:
        css = CSS


@admin.register(PriceGap)
class PriceGapAdmin(ReadOnlyAdmin):
    list_display = (
        "stock_code",
        "what",
        "first_at",
        "last_at",
        "found_at",
        "tries",
        "filled_at",
        "reason",
    )
    list_filter = ("what", ("filled_at", admin.EmptyFieldListFilter), "found_at")
    search_fields = ("=stock_code",)


@admin.register(PriceAdjustment)
class PriceAdjustmentAdmin(ReadOnlyAdmin):
    list_display = ("day", "stock_code", "shares", "after", "source", "found_at")
    list_filter = ("source", "day")
    search_fields = ("=stock_code",)

    class Media:
        css = CSS

    @admin.display(description="비율", ordering="ratio")
    def shares(self, row: PriceAdjustment) -> SafeString:
        return figure(f"1:{row.ratio.normalize():f}")


@admin.register(PriceHistory)
class PriceHistoryAdmin(ReadOnlyAdmin):
    list_display = ("stock_code", "daily_from", "daily_asked_at", "minutes_from", "minutes_until")
    search_fields = ("=stock_code",)
