"""So many rows of any table of the admin: by what the other tests make them with, or by the kinds of its columns."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models

from kis.client.codes import AccountNumber
from kis.grants import grant
from kis.models import KbStatement, KisDailySummary, KisTradeProfit, PriceAdjustment, SecondFactor
from kis.tokens import create_token
from reports.models import PublishedReport
from tests.factories import AT, fill, order, snapshot, stocks, sync_run
from tests.kis.api_rows import (
    daily_summary,
    deposit_log,
    diagnosis,
    kb_holding,
    kb_trade,
    order_detail,
)
from tests.trading.conftest import make_order
from trading.models import PendingOrder

MINE, OTHER = AccountNumber("12345678", "01"), AccountNumber("87654321", "22")
MONDAY = date(2025, 6, 16)


def make(model, count, *, of=MINE, first=0):
    """Save so many rows of a table that belong to an account where rows of it do."""
    own = MAKERS.get(model._meta.label)  # noqa: SLF001
    if own is not None:
        own(of, range(first, first + count))
        return
    for number in range(first, first + count):
        model._default_manager.create(**columns_of(model, of, number))  # noqa: SLF001


def owned(of):
    return {"account_no": of.number, "product_code": of.product_code}


def columns_of(model, of, number):
    """Return values for the columns that must have one, different in each row."""
    values = {}
    for field in model._meta.concrete_fields:  # noqa: SLF001
        if field.name in {"account_no", "product_code"}:
            values[field.name] = owned(of)[field.name]
        elif field.is_relation:
            if not field.null:
                values[field.name] = some(field.related_model, of)
        elif (field.primary_key and isinstance(field, models.AutoField)) or (
            field.has_default() and not field.unique
        ):
            continue
        elif field.choices:
            values[field.name] = field.choices[0][0]
        elif not field.null:
            values[field.name] = value_of(field, number)
    return values


def some(model, of):
    row = model._default_manager.order_by("pk").first()  # noqa: SLF001
    if row is None:
        make(model, 1, of=of)
        row = model._default_manager.order_by("pk").first()  # noqa: SLF001
    return row


def value_of(field, number):
    kinds: tuple[tuple[type, Any], ...] = (
        (models.GenericIPAddressField, f"10.0.0.{number % 250 + 1}"),
        (models.DateTimeField, AT + timedelta(minutes=number)),
        (models.DateField, MONDAY + timedelta(days=number)),
        (models.BooleanField, False),
        (models.DecimalField, Decimal(1)),
        (models.FloatField, 1.0),
        (models.IntegerField, 1 + number),
        (models.JSONField, {}),
        (models.CharField, f"{number:06}"[: field.max_length or 6]),
        (models.TextField, f"{number:06}"),
    )
    return next(value for kind, value in kinds if isinstance(field, kind))


# --- tables that are more than their columns ---------------------------------------------------------------------


def snapshots(of, numbers):
    for number in numbers:
        snapshot(at=AT + timedelta(minutes=number), **owned(of))


def newest_snapshot(of, numbers):
    return snapshot(stocks(1), at=AT + timedelta(minutes=numbers[0]), with_closes=False, **owned(of))


def holdings(of, numbers):
    snapshot(stocks(len(numbers)), at=AT + timedelta(minutes=numbers[0]), with_closes=False, **owned(of))


def of_snapshot(make_one):
    def rows(of, numbers):
        account = newest_snapshot(of, numbers)
        for number in numbers:
            make_one(account, number)

    return rows


def of_account(make_one):
    def rows(of, numbers):
        for number in numbers:
            make_one(number, **owned(of))

    return rows


def days(make_one):
    def rows(of, numbers):
        account = newest_snapshot(of, numbers)
        for number in numbers:
            row = make_one(account, MONDAY + timedelta(days=10_000 + number))
            type(row).objects.filter(pk=row.pk).update(**owned(of))
            day = "summary_date" if isinstance(row, KisDailySummary) else "log_date"
            extra = {} if day == "summary_date" else {"previous_date": MONDAY}
            type(row).objects.filter(pk=row.pk).update(**{day: MONDAY + timedelta(days=number)}, **extra)

    return rows


def trade_profits(of, numbers):
    reasons = dict.fromkeys(KisTradeProfit.FIGURES, "시험에서 정하지 않은 값입니다.")
    for number in numbers:
        KisTradeProfit.objects.create(
            **owned(of),
            is_paper=False,
            trade_date=MONDAY + timedelta(days=number),
            stock_code="005930",
            stock_name="삼성전자",
            buy_qty=1,
            buy_amt=57_000,
            sell_qty=0,
            sell_amt=0,
            reasons=reasons,
        )


def adjustments(_of, numbers):
    for number in numbers:
        day = MONDAY + timedelta(days=number)
        PriceAdjustment.objects.create(
            stock_code="005930", after=day - timedelta(days=1), day=day, ratio=5, found_at=AT
        )


def reports(of, numbers):
    for number in numbers:
        values = columns_of(PublishedReport, of, number)
        PublishedReport.objects.create(**{**values, "status": PublishedReport.Status.FAILED})


def orders(of, numbers):
    for number in numbers:
        row = make_order(at=AT + timedelta(minutes=number), **owned(of))
        PendingOrder.objects.filter(pk=row.pk).update(status="abandoned", code_hash="")


def kb_rows(make_one):
    def rows(_of, numbers):
        statement, _ = KbStatement.objects.get_or_create(
            sha256="f" * 64, defaults={"name": "kb.csv", "kind": "both", "imported_at": AT}
        )
        for number in numbers:
            make_one(statement, number)

    return rows


def users(_of, numbers):
    for number in numbers:
        get_user_model().objects.create_user(f"user{number}")


def second_factors(_of, numbers):
    for number in numbers:
        user = get_user_model().objects.create_user(f"guarded{number}")
        SecondFactor.objects.create(user=user, secret_encrypted="-")


def grants(of, numbers):
    for number in numbers:
        user = get_user_model().objects.create_user(f"granted{number}")
        grant(user, of, is_paper=False, role="viewer")


def tokens(_of, numbers):
    user, _ = get_user_model().objects.get_or_create(username="program")
    for number in numbers:
        create_token(user, name=f"token {number}", scope="read")


def tasks(model_success):
    def rows(_of, numbers):
        from django_q.models import Task  # noqa: PLC0415  # beside its only use

        for number in numbers:
            Task.objects.create(
                id=f"{number:032}",
                name=f"task {number}",
                func="aegis.tasks.settle_orders",
                started=AT,
                stopped=AT + timedelta(seconds=1),
                success=model_success,
            )

    return rows


MAKERS = {
    "kis.KisAccount": snapshots,
    "kis.KisHolding": holdings,
    "kis.KisUnfilledOrder": of_snapshot(order),
    "kis.KisExecution": of_account(fill),
    "kis.KisOrderDetail": of_account(order_detail),
    "kis.KisDepositLog": days(deposit_log),
    "kis.KisDailySummary": days(daily_summary),
    "kis.KisTradeProfit": trade_profits,
    "kis.SyncRun": of_account(lambda number, **whose: sync_run(at=AT + timedelta(minutes=number), **whose)),
    "kis.KbStatement": kb_rows(
        lambda statement, number: KbStatement.objects.create(
            name=f"{number}.csv", sha256=f"{number:064}", kind="both", imported_at=AT
        )
    ),
    "kis.KbHolding": kb_rows(kb_holding),
    "kis.KbTrade": kb_rows(kb_trade),
    "kis.PriceAdjustment": adjustments,
    "reports.PublishedReport": reports,
    "kis.ApiToken": tokens,
    "kis.AccountGrant": grants,
    "kis.SecondFactor": second_factors,
    "auth.User": users,
    "ai.Diagnosis": of_snapshot(diagnosis),
    "ai.HoldingNote": of_snapshot(diagnosis),
    "trading.PendingOrder": orders,
    "trading.OrderEvent": orders,
    "trading.KillSwitch": lambda _of, _numbers: None,  # one row at most, and none is the usual
    "django_q.Success": tasks(True),
    "django_q.Failure": tasks(False),
}
