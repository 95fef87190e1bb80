"""Stocks, days and prices in the admin: to be read, except for days that the owner knows better."""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from kis.access import Somebody, access_of, visible
from kis.admin_base import ModelAdmin, ReadOnlyAdmin, figure, won
from kis.admin_filters import MarketFilter
from kis.admin_sparklines import picture, put_minutes
from kis.calendar import estimated_hours
from kis.client.codes import AccountNumber
from kis.korean import WEEKDAYS, masked_account
from kis.market_days import use_market_days
from kis.models import MarketDay, MinPrice, PriceAdjustment, PriceGap, PriceHistory, Stock, TargetWeight

if TYPE_CHECKING:
    MarketDayModelForm = forms.ModelForm[models.Model]
    TargetModelForm = forms.ModelForm[models.Model]
else:
    MarketDayModelForm = TargetModelForm = forms.ModelForm  # generic for the type checker only

ACCOUNT_DIGITS = 8
STOCK_CODE = re.compile(r"Q?[0-9A-Z]{6}")
WHOLE = Decimal(100)


class MarketDayForm(MarketDayModelForm):
    """A day as the owner writes it down."""

    class Meta:
        model = MarketDay
        fields = ("day", "opens", "opens_at", "closes_at", "settles", "note")

    def clean(self) -> dict[str, Any]:
        """Refuse hours that are none, also where only one end is written and the other is the usual one."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if (day := given.get("day")) and not self.errors:
            usual = estimated_hours(day)
            opens, closes = given["opens_at"] or usual.opens, given["closes_at"] or usual.closes
            if opens >= closes:
                raise forms.ValidationError(
                    f"정규장은 시작({opens:%H:%M})한 뒤에 끝나야 합니다({closes:%H:%M})."
                )
        return given

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
    list_display = ("date", "opens", "hours", "settles", "source", "counts", "note", "updated_at")
    list_filter = ("source", "opens", "day")
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketDay]:
        return MarketDay.objects.with_winner()

    @admin.display(description="날짜", ordering="day")
    def date(self, row: MarketDay) -> str:
        return f"{row.day} ({WEEKDAYS[row.day.weekday()]})"

    @admin.display(description="정규장")
    def hours(self, row: MarketDay) -> str:
        """Show the hours of a day as this row has them."""
        if not row.opens:
            return "–"
        usual = estimated_hours(row.day)
        return f"{row.opens_at or usual.opens:%H:%M}–{row.closes_at or usual.closes:%H:%M}"

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
        picture("30분", "그때까지 30분의 종가"),
        won("open", "시가"),
        won("high", "고가"),
        won("low", "저가"),
        won("close", "종가"),
        won("volume", "거래량"),
    )
    list_filter = (MarketFilter, "bar_at")
    search_fields = ("=stock_code",)
    date_hierarchy = "bar_at"

    def complete(self, rows: Sequence[MinPrice]) -> None:
        put_minutes(rows)


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

    @admin.display(description="비율", ordering="ratio")
    def shares(self, row: PriceAdjustment) -> SafeString:
        return figure(f"1:{row.ratio.normalize():f}")


@admin.register(PriceHistory)
class PriceHistoryAdmin(ReadOnlyAdmin):
    list_display = ("stock_code", "daily_from", "daily_asked_at", "minutes_from", "minutes_until")
    search_fields = ("=stock_code",)


def manages(request: HttpRequest, row: TargetWeight | None) -> bool:
    """Return whether the user manages the account of a row; of no row yet, whether there could be one."""
    if row is None:
        return True
    number = AccountNumber(row.account_no, row.product_code)
    return access_of(request.user).manages(number, is_paper=row.is_paper)


class TargetWeightForm(TargetModelForm):
    """A target as the owner writes it down: a code is checked, and all targets of an account are at most the whole."""

    #: Who fills it in; set by the admin.
    user: Somebody = None

    class Meta:
        model = TargetWeight
        fields = ("account_no", "product_code", "is_paper", "stock_code", "percent")

    def clean_account_no(self) -> str:
        number_ = str(self.cleaned_data["account_no"]).strip()
        if not (number_.isascii() and number_.isdigit() and len(number_) == ACCOUNT_DIGITS):
            raise forms.ValidationError("계좌번호 앞 8자리를 숫자로 적어 주세요.")
        return number_

    def clean_stock_code(self) -> str:
        code = str(self.cleaned_data["stock_code"]).strip().upper()
        if code != TargetWeight.CASH and not STOCK_CODE.fullmatch(code):
            raise forms.ValidationError("종목코드는 6자리(ETN은 Q로 시작하는 7자리)이고, 현금은 CASH입니다.")
        return code

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        values = self.cleaned_data
        if {"account_no", "product_code"} <= values.keys():
            number = AccountNumber(values["account_no"], values["product_code"])
            if not access_of(self.user).manages(number, is_paper=values.get("is_paper", False)):
                raise forms.ValidationError(
                    "이 계좌를 관리할 권한이 없습니다. 계좌번호와 모의투자를 확인해 주세요."
                )
        if {"account_no", "product_code", "percent"} <= values.keys():
            others = TargetWeight.objects.filter(
                account_no=values["account_no"],
                product_code=values["product_code"],
                is_paper=values.get("is_paper", False),
            ).exclude(pk=self.instance.pk)
            given = sum((row.percent for row in others), values["percent"])
            if given > WHOLE:
                raise forms.ValidationError(
                    f"이 계좌의 목표를 모두 더하면 {given}%입니다. 100%를 넘지 않게 적어 주세요."
                )
        return cleaned


@admin.register(TargetWeight)
class TargetWeightAdmin(ModelAdmin):
    """The owner's own numbers: the only rows here that come from nobody else."""

    form = TargetWeightForm
    list_display = ("account", "stock_code", "percent", "changed_at")
    list_filter = ("is_paper",)
    search_fields = ("stock_code",)
    list_per_page = 50
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Model]:
        return visible(super().get_queryset(request), request.user)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and manages(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and manages(request, obj)

    @admin.display(description="계좌", ordering="account_no")
    def account(self, row: TargetWeight) -> str:
        return f"{'모의' if row.is_paper else '실전'} {masked_account(row.account_no, row.product_code)}"
