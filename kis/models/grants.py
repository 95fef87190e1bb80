"""Who may do what with an account."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from kis.client.codes import AccountNumber
from kis.korean import masked_account


class AccountGrant(models.Model):
    """What one user may do with one account; read through `kis.access`, written by `kis.grants`.

    Each role includes those before it. Superusers see every account without a grant, and order with none of them.
    """

    class Role(models.TextChoices):
        VIEWER = "viewer", "보기"
        TRADER = "trader", "주문"
        ADMIN = "admin", "관리"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="사용자", related_name="account_grants"
    )
    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2)
    is_paper = models.BooleanField("모의투자")
    role = models.CharField(
        "역할",
        max_length=6,
        choices=Role.choices,
        help_text="주문은 보기를, 관리는 보기와 주문을 포함합니다. 관리는 목표 비중도 고칩니다.",
    )
    changed_at = models.DateTimeField("변경", auto_now=True)

    class Meta:
        db_table = "kis_account_grant"
        verbose_name = "계좌 권한"
        verbose_name_plural = "계좌 권한"
        ordering = ["user", "account_no", "is_paper", "product_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account_no", "is_paper", "product_code"],
                name="kis_account_grant_once",
                violation_error_message="이 사용자는 이 계좌의 권한이 이미 있습니다. 그 행을 고쳐 주세요.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["viewer", "trader", "admin"]), name="kis_account_grant_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.masked_no} {self.get_role_display()}"

    @property
    def account(self) -> AccountNumber:
        return AccountNumber(self.account_no, self.product_code)

    @property
    def masked_no(self) -> str:
        return masked_account(self.account_no, self.product_code)
