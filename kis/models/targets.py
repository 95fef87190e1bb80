"""How the owner wants the account to be divided."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from kis.korean import masked_account
from kis.models.owned import OwnedQuerySet


class TargetWeightQuerySet(OwnedQuerySet["TargetWeight"]):
    pass


class TargetWeight(models.Model):
    """The share of the account that a stock, or cash, should have. Percent of the total; written by the owner alone."""

    #: Stands for cash where a stock code would.
    CASH: ClassVar = "CASH"

    account_no = models.CharField("계좌번호", max_length=20, help_text="앞 8자리")
    product_code = models.CharField("상품코드", max_length=2, default="01")
    is_paper = models.BooleanField("모의투자", default=False)
    stock_code = models.CharField("종목코드", max_length=10, help_text="현금의 목표는 CASH로 적습니다")
    percent = models.DecimalField(
        "목표 비중 %",
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    changed_at = models.DateTimeField("변경", auto_now=True)

    objects = TargetWeightQuerySet.as_manager()

    class Meta:
        db_table = "target_weight"
        verbose_name = "목표 비중"
        verbose_name_plural = "목표 비중"
        ordering = ["account_no", "is_paper", "-percent", "stock_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["account_no", "is_paper", "product_code", "stock_code"],
                name="target_weight_once",
                violation_error_message="이 계좌의 이 종목에는 이미 목표가 있습니다. 그 행을 고쳐 주세요.",
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100), name="target_weight_is_share"
            ),
        ]

    def __str__(self) -> str:
        account = masked_account(self.account_no, self.product_code)
        return f"{account} {self.stock_code} {self.percent}%"
