"""The tables, from Django's registry."""

from typing import Any, Final

from django.apps import apps
from django.db import models
from django.db.models.constraints import UniqueConstraint

from reports.system.document import Column, Table

APPS: Final = ("aegis", "alerts", "kis", "trading", "reports", "ai")
OWNED_BY: Final = {"account_no", "product_code", "is_paper"}
KINDS: Final = (
    (models.ForeignKey, "참조"),
    (models.BooleanField, "예/아니오"),
    (models.BigIntegerField, "큰 정수"),
    (models.IntegerField, "정수"),
    (models.FloatField, "실수"),
    (models.DecimalField, "십진수"),
    (models.DateTimeField, "시각"),
    (models.DateField, "날짜"),
    (models.TimeField, "시간"),
    (models.JSONField, "JSON"),
    (models.BinaryField, "바이트"),
    (models.TextField, "글"),
    (models.CharField, "글자"),
)


def our_models() -> list[type[models.Model]]:
    """Return the models of our apps in the order of the apps, each app's tables by name."""
    return [
        model
        for name in APPS
        if apps.is_installed(name)
        for model in sorted(apps.get_app_config(name).get_models(), key=table_name)
    ]


def table_name(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001  # Django's own name for it


def tables() -> tuple[Table, ...]:
    return tuple(table(model) for model in our_models())


def table(model: type[models.Model]) -> Table:
    meta = model._meta  # noqa: SLF001  # Django's own name for it
    unique = [
        " · ".join(constraint.fields)
        for constraint in meta.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    unique += [str(field.column) for field in meta.fields if field.unique and not field.primary_key]
    return Table(
        name=meta.db_table,
        label=str(meta.verbose_name),
        app=meta.app_label,
        columns=tuple(column(field) for field in meta.fields),
        unique=tuple(filter(None, unique)),
        rules=len(meta.constraints),
        indexes=len(meta.indexes),
        is_owned={field.name for field in meta.fields} >= OWNED_BY,
    )


def column(field: "models.Field[Any, Any]") -> Column:
    target = field.related_model
    return Column(
        name=str(field.column),
        label=str(field.verbose_name),
        kind=kind(field),
        nullable=field.null,
        note=str(field.help_text),
        target=table_name(target) if isinstance(target, type) else "",
    )


def kind(field: "models.Field[Any, Any]") -> str:
    """Name the type: `글자 20`, `십진수 18.4`."""
    name = next((name for of_kind, name in KINDS if isinstance(field, of_kind)), type(field).__name__)
    if isinstance(field, models.DecimalField):
        return f"{name} {field.max_digits}.{field.decimal_places}"
    if isinstance(field, models.CharField) and field.max_length:
        return f"{name} {field.max_length}"
    return name
