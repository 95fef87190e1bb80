"""Diagnoses in the admin: what was said, what is new since the day before, and what was sent and received."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ai.changes import Changes, Told, Weight, since_the_day_before
from ai.models import Diagnosis, HoldingNote
from kis.admin import mode
from kis.admin_base import ReadOnlyAdmin, figure, won
from kis.admin_filters import AccountFilter, ModeFilter
from kis.advice import Severity
from kis.korean import MINUS, MISSING, SEOUL, day, share

Cell = str | SafeString
#: A table whose last column is sentences, which may be folded.
WORDS = "chain words"


class DiagnosisAccountFilter(AccountFilter):
    """The account of the diagnosis that a note belongs to."""

    way = "diagnosis__"


def table(heads: Iterable[str], rows: Iterable[Iterable[Cell]], *, css_class: str = "chain") -> SafeString:
    """Return a table; every cell is escaped unless it is markup of ours."""
    body = [format_html_join("", "<td>{}</td>", ((cell,) for cell in row)) for row in rows]
    if not body:
        return figure(MISSING)
    head = format_html_join("", "<th>{}</th>", ((text,) for text in heads))
    lines = format_html_join("", "<tr>{}</tr>", ((line,) for line in body))
    return format_html('<table class="{}"><tr>{}</tr>{}</table>', css_class, head, lines)


@admin.display(description="계좌", ordering="account_no")
def account(row: Any) -> str:
    return str(row.masked_no)


def raw(name: str, label: str) -> Any:
    @admin.display(description=label)
    def column(row: Diagnosis) -> SafeString:
        text = json.dumps(getattr(row, name), ensure_ascii=False, indent=2)
        return format_html('<pre class="raw">{}</pre>', text)

    return column


@admin.display(description="점검")
def counts(row: Any) -> str:
    """Say how many findings there are of each severity."""
    found = [finding["severity"] for finding in row.findings]
    parts = [
        f"{severity.value} {found.count(severity.value)}" for severity in Severity if severity.value in found
    ]
    return " · ".join(parts) or "없음"


@admin.display(description="상태", ordering="status")
def state(row: Any) -> SafeString:
    css_class = "unsettled" if row.status == Diagnosis.Status.FAILED else ""
    words = f"{row.get_status_display()} ({row.reason_text})" if row.reason else row.get_status_display()
    return format_html('<span class="state {}">{}</span>', css_class, words)


@admin.display(description="토큰")
def tokens(row: Any) -> SafeString:
    return figure(f"{row.tokens:,}")


@admin.display(description="스냅샷")
def snapshot(row: Diagnosis) -> str:
    return f"#{row.kis_account_id}"


@admin.display(description="진단")
def points(row: Diagnosis) -> SafeString:
    lines = (
        (point["text"], f" [{' '.join(point['references'])}]" if point["references"] else "")
        for point in row.points
    )
    body = format_html_join("", "<li>{}{}</li>", lines)
    return format_html("<ol>{}</ol>", body) if row.points else figure(MISSING)


@admin.display(description="점검 항목")
def findings(row: Diagnosis) -> SafeString:
    return table(
        ["", "", "규칙", "대상", "기준", "설명"],
        (
            [
                finding["severity"],
                f"F{place}",
                *(finding[name] for name in ("title", "subject", "limit", "sentence")),
            ]
            for place, finding in enumerate(row.findings, start=1)
        ),
        css_class=WORDS,
    )


@admin.display(description="종목 분석")
def notes(row: Diagnosis) -> SafeString:
    lines = ([note.stock_name, note.stock_code, note.text] for note in row.notes.all())
    return table(["종목", "코드", "분석"], lines, css_class=WORDS)


@admin.display(description="비중 %")
def weights(row: Diagnosis) -> SafeString:
    return table(["종목", "코드", "비중 %"], map(weight_cells, row.weights))


def weight_cells(weight: Mapping[str, Any]) -> list[Cell]:
    return [weight["name"], weight["code"], figure(share(weight["weight_pct"]))]


@admin.display(description="전날과 달라진 점")
def changes(row: Diagnosis) -> SafeString:
    """Show what is new since the last diagnosis of an earlier day."""
    found = None if row.focus else since_the_day_before(row)
    if found is None:
        return figure("견줄 지난 진단이 없습니다.")
    local = found.since.astimezone(SEOUL)
    return format_html(
        "<p>{} {} 진단과 비교</p>{}{}", day(local.date()), f"{local:%H:%M}", found_lines(found), moved(found)
    )


def found_lines(found: Changes) -> SafeString:
    rows: list[list[Cell]] = [
        *(["생김", one.severity, one.title, one.subject, one.sentence] for one in found.came),
        *(["사라짐", one.severity, one.title, one.subject, one.sentence] for one in found.went),
        *(["바뀜", severities(one), one.title, one.subject, one.sentence] for one in found.changed),
    ]
    return table(["", "", "규칙", "대상", "설명"], rows, css_class=WORDS)


def severities(one: Told) -> str:
    return f"{one.before} → {one.severity}"


def moved(found: Changes) -> SafeString:
    return table(["종목", "코드", "비중 %", "차이 %p"], map(moved_cells, found.weights))


def moved_cells(weight: Weight) -> list[Cell]:
    before = "없음" if weight.before is None else share(weight.before)
    after = "없음" if weight.after is None else share(weight.after)
    difference = f"{weight.difference:+.1f}".replace("-", MINUS)
    return [weight.name, weight.code, figure(f"{before} → {after}"), figure(difference)]


@admin.register(Diagnosis)
class DiagnosisAdmin(ReadOnlyAdmin):
    """What rules and model said, snapshot by snapshot; a diagnosis cannot be changed."""

    list_display = (
        "written_at",
        mode,
        account,
        counts,
        state,
        "model",
        tokens,
        won("checked", "맞은 숫자"),
        won("dropped", "뺀 문장"),
        "focus",
    )
    list_filter = ("status", ModeFilter, AccountFilter, "written_at")
    date_hierarchy = "written_at"
    shown: tuple[Any, ...] = (
        *(
            "written_at",
            mode,
            account,
            snapshot,
            "focus",
            state,
            "note",
            changes,
            points,
            findings,
            notes,
            weights,
        ),
        *("asked_at", "provider", "model", won("tokens_in", "물은 토큰"), won("tokens_out", "답한 토큰")),
        *(won("checked", "맞은 숫자"), won("dropped", "뺀 문장"), "content_hash"),
        *(raw("request_json", "요청 원본"), raw("raw_json", "응답 원본")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        alone = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        # What was sent and received is long, and no list shows it.
        return rows if alone else rows.defer("request_json", "raw_json", "weights", "points")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.shown)


@admin.display(description="작성 시각", ordering="diagnosis__written_at")
def written_at(note: Any) -> str:
    return f"{note.diagnosis.written_at.astimezone(SEOUL):%Y-%m-%d %H:%M}"


@admin.display(description="계좌", ordering="diagnosis__account_no")
def note_account(note: Any) -> str:
    return str(note.diagnosis.masked_no)


@admin.register(HoldingNote)
class HoldingNoteAdmin(ReadOnlyAdmin):
    """What a model has said about a stock, over time."""

    list_display = (written_at, note_account, "stock_name", "stock_code", "text")
    list_filter = (DiagnosisAccountFilter,)
    list_select_related = ("diagnosis",)
    search_fields = ("stock_code", "stock_name")
    ordering = ("-diagnosis", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .defer("diagnosis__request_json", "diagnosis__raw_json", "diagnosis__findings")
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [written_at, note_account, "stock_name", "stock_code", "text"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)
