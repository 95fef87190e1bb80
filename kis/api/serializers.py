"""The rows of the tables under the names of their columns."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from kis.accounts import configured_accounts
from kis.client.codes import AccountNumber
from kis.known_secrets import hide_account
from kis.korean import masked_account
from kis.models import (
    DailyPrice,
    KbHolding,
    KbTrade,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisUnfilledOrder,
    MinPrice,
    Stock,
    SyncRun,
)
from kis.reconciliation import Check, badge_of, checks_of

Owner = tuple[AccountNumber, bool]


class Labels(dict[Owner, str]):
    """What the owner calls each account; one that only the books know is called by its masked number."""

    @classmethod
    def read(cls) -> "Labels":
        return cls(
            {
                (account.number, account.is_paper): account.label
                for account in configured_accounts()
                if account.number
            }
        )

    def __missing__(self, owner: Owner) -> str:
        return masked_account(owner[0].number, owner[0].product_code)


class RowSerializer(serializers.ModelSerializer[Any]):
    """A row; what is long (`LONG`) only where one row is asked for alone."""

    LONG: tuple[str, ...] = ("raw_json",)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        if not self.context.get("alone"):
            for name in self.LONG:
                fields.pop(name, None)
        return fields


class OwnedSerializer(RowSerializer):
    """A row of one account, which is named by its label and its masked number, never by the number itself."""

    account = serializers.SerializerMethodField()
    account_no = serializers.SerializerMethodField()
    raw_json = serializers.SerializerMethodField()

    def get_account(self, row: Any) -> str:  # noqa: ANN401  # any row of an account
        owner = self.owner_of(row)
        labels: Labels = self.context["labels"]
        return labels[AccountNumber(owner.account_no, owner.product_code), owner.is_paper]

    def get_account_no(self, row: Any) -> str:  # noqa: ANN401  # any row of an account
        owner = self.owner_of(row)
        return masked_account(owner.account_no, owner.product_code)

    @extend_schema_field({})
    def get_raw_json(self, row: Any) -> Any:  # noqa: ANN401  # the broker's JSON
        owner = self.owner_of(row)
        return without_account(row.raw_json, AccountNumber(owner.account_no, owner.product_code))

    def owner_of(self, row: Any) -> Any:  # noqa: ANN401  # any row of an account
        """Return the row that has the account's columns."""
        return row


class OfSnapshotSerializer(OwnedSerializer):
    """A row of a snapshot, which knows the account."""

    def owner_of(self, row: Any) -> Any:  # noqa: ANN401  # any row of a snapshot
        return row.kis_account


def without_account(value: Any, account: AccountNumber) -> Any:  # noqa: ANN401  # any JSON
    """Return a reply of the broker with the account number masked wherever it stands."""
    if isinstance(value, str):
        return hide_account(value, account)
    if isinstance(value, Mapping):
        return {key: without_account(part, account) for key, part in value.items()}
    if isinstance(value, list):
        return [without_account(part, account) for part in value]
    return value


def columns(model: type[Model], *, first: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[str]:
    """Return the columns of a table in their order, with those of ours in front."""
    names = [field.name for field in model._meta.concrete_fields]  # noqa: SLF001  # Django's own name for it
    own = [name for name in names if name not in {*without, *first}]
    return [own[0], *first, *own[1:]]


OWNER = ("account", "account_no")


class AccountSerializer(OwnedSerializer):
    class Meta:
        model = KisAccount
        fields = columns(KisAccount, first=OWNER)


class HoldingSerializer(OfSnapshotSerializer):
    class Meta:
        model = KisHolding
        fields = columns(KisHolding, first=OWNER)


class ExecutionSerializer(OwnedSerializer):
    class Meta:
        model = KisExecution
        fields = columns(KisExecution, first=OWNER)


class UnfilledOrderSerializer(OfSnapshotSerializer):
    class Meta:
        model = KisUnfilledOrder
        fields = columns(KisUnfilledOrder, first=OWNER)


class OrderDetailSerializer(OwnedSerializer):
    class Meta:
        model = KisOrderDetail
        fields = columns(KisOrderDetail, first=OWNER)


class DepositLogSerializer(OwnedSerializer):
    raw_json = None  # type: ignore[assignment]  # the table has none

    class Meta:
        model = KisDepositLog
        fields = columns(KisDepositLog, first=OWNER)


class DailySummarySerializer(OwnedSerializer):
    class Meta:
        model = KisDailySummary
        fields = columns(KisDailySummary, first=OWNER)


class CheckSerializer(serializers.Serializer[Check]):
    """One comparison: what the broker has more than we do, and the row that explains it."""

    name = serializers.CharField()
    ours = serializers.IntegerField()
    broker = serializers.IntegerField()
    difference = serializers.IntegerField()
    unit = serializers.CharField()
    tolerance = serializers.IntegerField()
    row = serializers.CharField(allow_blank=True)
    agrees = serializers.SerializerMethodField()

    def get_agrees(self, check: Check) -> bool:
        return not check.difference


class SyncRunSerializer(OwnedSerializer):
    LONG = ("steps",)

    raw_json = None  # type: ignore[assignment]  # the table has none
    badge = serializers.SerializerMethodField()
    checks = serializers.SerializerMethodField()

    class Meta:
        model = SyncRun
        fields = [*columns(SyncRun, first=OWNER, without=("lease_until",)), "badge"]

    def get_badge(self, run: SyncRun) -> str:
        return badge_of(checks_of(run.checks))

    @extend_schema_field(CheckSerializer(many=True))
    def get_checks(self, run: SyncRun) -> Any:  # noqa: ANN401  # lists of numbers and words
        return [CheckSerializer(check).data for check in checks_of(run.checks)]


class DailyPriceSerializer(RowSerializer):
    class Meta:
        model = DailyPrice
        fields = columns(DailyPrice)


class MinPriceSerializer(RowSerializer):
    class Meta:
        model = MinPrice
        fields = columns(MinPrice)


class StockSerializer(RowSerializer):
    class Meta:
        model = Stock
        fields = columns(Stock)


#: How rows of a file are told apart; nothing that says something about them.
FINGERPRINTS = ("account_key", "meaning", "ordinal")


class KbHoldingSerializer(RowSerializer):
    class Meta:
        model = KbHolding
        fields = columns(KbHolding, without=FINGERPRINTS)


class KbTradeSerializer(RowSerializer):
    class Meta:
        model = KbTrade
        fields = columns(KbTrade, without=FINGERPRINTS)
