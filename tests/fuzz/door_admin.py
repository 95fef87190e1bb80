"""The tables of the admin: lists with hostile conditions, forms with hostile values, actions on rows that are not there."""

from typing import Any
from urllib.parse import unquote

from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from tests.fuzz.door_pages import fields_of
from tests.fuzz.hostile import DAYS, Hostile
from tests.fuzz.visiting import Visitor, form, multipart, odd_headers

LOOKUPS = (
    *(
        "exact",
        "iexact",
        "in",
        "gt",
        "lte",
        "range",
        "isnull",
        "regex",
        "iregex",
        "contains",
        "startswith",
        "year",
    ),
    *(
        "month",
        "day",
        "week",
        "date",
        "time",
        "hour",
        "isempty",
        "has_key",
        "contained_by",
        "search",
        "nonsense",
    ),
)
OF_LISTS = (
    "o",
    "p",
    "q",
    "all",
    "e",
    "_popup",
    "_to_field",
    "_changelist_filters",
    "_facets",
    "ot",
    "_source_model",
)


def tables() -> list[Any]:
    return list(admin.site._registry.values())  # noqa: SLF001  # Django's own name for it


def address(model_admin: Any, page: str, *arguments: Any) -> str:
    options = model_admin.opts
    return unquote(reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=arguments))


def keys_of(model_admin: Any) -> list[str]:
    rows = model_admin.model._default_manager.order_by("pk").values_list("pk", flat=True)  # noqa: SLF001
    return [str(pk) for pk in rows[:2]] or ["1"]


class AdminLists:
    """Lists with every filter, order, search, page and date there is, and many that are not."""

    name = "admin: lists"

    def __init__(self, visitors: dict[str, Visitor]) -> None:
        self.visitors = visitors
        self.tables = tables()
        self.names = {each: self.names_of(each) for each in self.tables}

    def names_of(self, model_admin: Any) -> list[str]:
        """Return the names of conditions that the list of a table knows."""
        found = []
        for choice in model_admin.list_filter:
            if isinstance(choice, str):
                found += [f"{choice}__exact", f"{choice}__gte", f"{choice}__lt", f"{choice}__isnull", choice]
            elif hasattr(choice, "parameter_name"):
                found.append(choice.parameter_name)
        if model_admin.date_hierarchy:
            found += [
                f"{model_admin.date_hierarchy}__{part}" for part in ("year", "month", "day", "gte", "lt")
            ]
        return found

    def condition(self, hostile: Hostile, model_admin: Any) -> tuple[str, str]:
        names = self.names[model_admin]
        kind = hostile.random.random()
        if names and kind < 0.5:
            name = hostile.of(names)
        elif kind < 0.8:
            name = hostile.of(OF_LISTS)
        else:
            field = hostile.of([each.name for each in model_admin.opts.get_fields()])
            name = hostile.one_of(
                field, f"{field}__{hostile.of(LOOKUPS)}", f"{field}__pk__{hostile.of(LOOKUPS)}"
            )
        if hostile.chance(0.05):
            name = hostile.text(name)
        if hostile.chance(0.25):
            return name, hostile.of(DAYS)
        return name, hostile.text(
            "1", "0", "true", "-1.2.3", "2025", "6", "id", "real", "2025-06-16 00:00:00+09:00"
        )

    def throw(self, hostile: Hostile) -> bool:
        visitor: Visitor = hostile.one_of(*[self.visitors["owner"]] * 3, *self.visitors.values())
        model_admin = hostile.of(self.tables)
        pairs = [self.condition(hostile, model_admin) for _ in range(hostile.count(3, 1))]
        response = visitor.ask(
            hostile,
            "GET",
            address(model_admin, "changelist"),
            query=hostile.query(pairs),
            **odd_headers(hostile),
        )
        return bool(response.status_code >= 300)


class AdminForms:
    """Forms to add and change rows, their history and deletion, with values that no field should take."""

    name = "admin: forms"
    PAGES = ("add", "add", "change", "change", "change", "delete", "history")

    def __init__(self, visitors: dict[str, Visitor], files: Any) -> None:
        self.visitors = visitors
        self.files = files
        self.tables = tables()
        self.fields: dict[str, dict[str, str]] = {}

    def path(self, hostile: Hostile, model_admin: Any) -> tuple[str, str]:
        """Return an address, and that of the page whose form belongs to it."""
        page = hostile.of(self.PAGES)
        if page == "add":
            good = address(model_admin, "add")
            return good, good
        good = address(model_admin, page, keys_of(model_admin)[0])
        if hostile.chance(0.7):
            return good, good
        try:
            return address(model_admin, page, hostile.text(*keys_of(model_admin))[:2000]), good
        except (NoReverseMatch, UnicodeEncodeError):
            return good, good

    def throw(self, hostile: Hostile) -> bool:
        visitor: Visitor = hostile.one_of(*[self.visitors["owner"]] * 5, *self.visitors.values())
        model_admin = hostile.of(self.tables)
        path, good = self.path(hostile, model_admin)
        if good not in self.fields:
            self.fields[good] = fields_of(self.visitors["owner"], good)
        fields = []
        for name, value in self.fields[good].items():
            if hostile.chance(0.9):
                is_kept = hostile.chance(0.5)
                fields.append((name, value if is_kept else hostile.text(*filter(None, [value]))))
        while hostile.chance(0.2):
            fields.append(
                (
                    hostile.text("_save", "_saveasnew", "_continue", "_addanother", "post", "save", "plan"),
                    hostile.text(),
                )
            )
        if hostile.chance(0.15):
            response = visitor.ask(
                hostile, "GET", path, query=hostile.query(fields[:4]), **odd_headers(hostile)
            )
            return bool(response.status_code >= 300)
        body, kind = form(hostile, fields)
        if "file" in self.fields[good]:
            body, kind = multipart(
                hostile, fields, [("file", hostile.text("kb.csv", "잔고.xlsx")[:2000], self.files(hostile))]
            )
        response = visitor.ask(hostile, "POST", path, body=body, content_type=kind, **odd_headers(hostile))
        return bool(response.status_code != 302)


class AdminActions:
    """What is done with ticked rows."""

    name = "admin: actions"

    def __init__(self, visitors: dict[str, Visitor]) -> None:
        self.visitors = visitors
        self.tables = tables()

    def throw(self, hostile: Hostile) -> bool:
        visitor: Visitor = hostile.one_of(*[self.visitors["owner"]] * 5, *self.visitors.values())
        model_admin = hostile.of(self.tables)
        known = [each if isinstance(each, str) else each.__name__ for each in model_admin.actions or ()]
        fields = [
            ("action", hostile.text("delete_selected", *known, *known, *known)),
            ("index", hostile.text("0", "0", "0", "1")),
            ("select_across", hostile.text("0", "1")),
            ("post", hostile.text("yes")),
        ]
        fields = [field for field in fields if hostile.chance(0.9)]
        fields += [("_selected_action", hostile.text(*keys_of(model_admin))) for _ in range(hostile.count(3))]
        if hostile.chance(0.2):
            name = hostile.text(
                "form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-id", "_save", "file_format", "resource"
            )
            fields.append((name, hostile.text("1", "0")))
        body, kind = form(hostile, fields)
        response = visitor.ask(
            hostile,
            "POST",
            address(model_admin, "changelist"),
            body=body,
            content_type=kind,
            **odd_headers(hostile),
        )
        return bool(response.status_code != 302)
