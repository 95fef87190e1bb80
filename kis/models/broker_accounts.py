"""Accounts at the broker that the owner entered here, with their keys."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from kis.client.codes import AccountNumber
from kis.encryption import decrypt
from kis.known_secrets import remember, remember_account
from kis.korean import masked_account

LABEL_LENGTH = 20


class BrokerAccount(models.Model):
    """An account with its keys, encrypted; written by `kis.account_keys`, read by `kis.accounts`.

    None of them is a default: where several are enabled, whoever asks has to say which one.
    """

    class Mode(models.TextChoices):
        REAL = "real", "실전"
        PAPER = "paper", "모의"

    class TrSet(models.TextChoices):
        CURRENT = "current", "현재"
        LEGACY = "legacy", "이전"

    label = models.CharField("별칭", max_length=LABEL_LENGTH, help_text="명령에서 --account로 부를 이름")
    mode = models.CharField("모드", max_length=5, choices=Mode.choices)
    app_key_encrypted = models.TextField("앱키 (암호문)", editable=False)
    app_secret_encrypted = models.TextField("앱시크릿 (암호문)", editable=False)
    account_encrypted = models.TextField("계좌번호 (암호문)", editable=False)
    hts_id_encrypted = models.TextField("HTS ID (암호문)", blank=True, editable=False)
    account_fingerprint = models.CharField("계좌번호 지문", max_length=64, editable=False)
    base_url = models.CharField(
        "REST 주소", max_length=200, blank=True, help_text="비워 두면 설정의 주소. 시뮬레이터를 쓸 때만"
    )
    ws_url = models.CharField(
        "실시간 주소", max_length=200, blank=True, help_text="비워 두면 설정의 주소. 시뮬레이터를 쓸 때만"
    )
    tr_set = models.CharField(
        "TR 번호 세대",
        max_length=7,
        choices=TrSet.choices,
        blank=True,
        help_text="비워 두면 설정(KIS_TR_SET)을 따름",
    )
    commission = models.CharField(
        "수수료율",
        max_length=200,
        blank=True,
        help_text="비워 두면 설정의 수수료율. 예: 0.0140527% 또는 0.015%,2025-03-04:0.0140527%",
    )
    enabled = models.BooleanField("사용", default=True, help_text="끄면 명령과 예약 작업이 이 계좌를 건너뜀")
    created_at = models.DateTimeField("등록", auto_now_add=True)
    changed_at = models.DateTimeField("변경", auto_now=True)

    class Meta:
        db_table = "kis_broker_account"
        verbose_name = "연결한 계좌"
        verbose_name_plural = "연결한 계좌"
        ordering = ["label"]
        constraints = [
            models.UniqueConstraint(
                Lower("label"),
                name="kis_broker_account_label_once",
                violation_error_message="이 별칭을 쓰는 계좌가 이미 있습니다.",
            ),
            models.UniqueConstraint(
                fields=["mode", "account_fingerprint"], name="kis_broker_account_number_once"
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["real", "paper"]), name="kis_broker_account_mode_known"
            ),
            models.CheckConstraint(
                condition=Q(tr_set__in=["", "current", "legacy"]), name="kis_broker_account_tr_set_known"
            ),
            models.CheckConstraint(
                condition=~Q(label="")
                & ~Q(app_key_encrypted="")
                & ~Q(app_secret_encrypted="")
                & ~Q(account_encrypted="")
                & ~Q(account_fingerprint=""),
                name="kis_broker_account_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.get_mode_display()})"

    @property
    def is_paper(self) -> bool:
        return self.mode == self.Mode.PAPER

    @property
    def number(self) -> AccountNumber:
        """Return the account number. Raises SecretUnreadable."""
        number = AccountNumber.parse(decrypt(self.account_encrypted))
        remember_account(number)
        return number

    @property
    def masked_no(self) -> str:
        """Return `1234****-01`. Raises SecretUnreadable."""
        return masked_account(self.number.number, self.number.product_code)

    @property
    def app_key(self) -> str:
        return self.opened(self.app_key_encrypted)

    @property
    def app_secret(self) -> str:
        return self.opened(self.app_secret_encrypted)

    @property
    def hts_id(self) -> str:
        return self.opened(self.hts_id_encrypted)

    def opened(self, stored: str) -> str:
        """Return a secret. Raises SecretUnreadable."""
        secret = decrypt(stored)
        remember(secret)
        return secret
