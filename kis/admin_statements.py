"""KB Securities in the admin: what exported files brought, read-only, and a page to upload one."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from kis.admin_base import ReadOnlyAdmin, figure, gain, won
from kis.korean import MISSING, number
from kis.models import KbHolding, KbStatement, KbTrade
from kis.models.statements import KbHoldingQuerySet
from kis.statements import uploads
from kis.statements.accounts import LONGEST_LABEL
from kis.statements.lines import MAX_BYTES, too_large
from kis.statements.load import LoadResult, Outcome, load_file
from kis.statements.report import counts, place
from kis.statements.rows import Problem

#: What a form adds around its file.
FORM_BYTES = 64 * 1024
#: The page stays readable; the counts above the tables say how many there are.
MOST_SHOWN = 1_000
#: Name in the session of the file that waits for the click that saves it.
WAITING = "kb_upload"
GONE = "올린 파일이 시간이 지나 지워졌습니다. 다시 올려 주세요."
CHANGED = "보여 드린 사이에 장부가 바뀌어 아직 담지 않았습니다. 바뀐 내용을 확인하고 다시 담아 주세요."


def decimal(name: str, label: str) -> Any:
    """Return a list column: shares or a price, with separators and no more decimals than it has."""

    @admin.display(description=label, ordering=name)
    def column(row: models.Model) -> SafeString:
        return figure(decimal_text(getattr(row, name)))

    return column


def decimal_text(value: Decimal | None) -> str:
    """`1234.500000` → `1,234.5`; unknown → `–`."""
    return MISSING if value is None else f"{value.normalize():,f}"


class KbAdmin(ReadOnlyAdmin):
    """A table of KB Securities. Fingerprints are only of use to the import and not shown."""

    hidden = frozenset({"id", "account_key", "meaning", "ordinal", "sha256"})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [
            readable(field)
            for field in self.model._meta.fields  # noqa: SLF001  # Django's own name for it
            if field.name not in self.hidden
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_readonly_fields(request, obj)


def readable(field: "models.Field[Any, Any]") -> Any:
    """Return what shows a column on the page of one row."""
    label = str(field.verbose_name)
    if isinstance(field, models.DecimalField):
        return decimal(field.name, label)
    if isinstance(field, models.IntegerField):
        return won(field.name, label)
    return problem_table if field.name == "problems" else field.name


@admin.display(description="확인할 줄")
def problem_table(row: KbStatement) -> SafeString:
    problems = [Problem(**problem) for problem in row.problems]
    if not problems:
        return format_html("{}", "없음")
    lines = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        (
            (place(problem), "담음" if problem.taken else "담지 않음", problem.reason, problem.text)
            for problem in problems
        ),
    )
    rest = row.problem_count - len(problems)
    return format_html(
        "<table><thead><tr><th>줄</th><th>처리</th><th>이유</th><th>내용</th></tr></thead><tbody>{}</tbody></table>{}",
        lines,
        f"그 밖에 {number(rest)}줄이 더 있습니다." if rest > 0 else "",
    )


class NewestFilter(admin.SimpleListFilter):
    """What each account holds now, as far as is known, or every day there is."""

    title = "잔고"
    parameter_name = "newest"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "최신 잔고만")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        rows: KbHoldingQuerySet = queryset
        return rows.newest() if self.value() == "1" else rows


@admin.register(KbHolding)
class KbHoldingAdmin(KbAdmin):
    list_display = (
        "stock_name",
        "stock_code",
        "account_label",
        decimal("quantity", "수량"),
        decimal("average", "매입단가"),
        decimal("price", "현재가"),
        won("cost", "매입금액"),
        won("value", "평가금액"),
        gain("profit", "평가손익"),
        "as_of",
    )
    list_filter = (NewestFilter, "account_label", "as_of")
    search_fields = ("stock_code", "stock_name")


@admin.register(KbTrade)
class KbTradeAdmin(KbAdmin):
    list_display = (
        "trade_date",
        "kind",
        "label",
        "stock_name",
        "stock_code",
        "account_label",
        decimal("quantity", "수량"),
        decimal("price", "단가"),
        won("amount", "거래금액"),
        won("fee", "수수료"),
        won("tax", "세금"),
        gain("net", "정산금액"),
        "reference",
    )
    list_filter = ("kind", "account_label", "trade_date")
    search_fields = ("stock_code", "stock_name", "label", "=reference")


class UploadForm(forms.Form):
    """A file, and what it may not say itself."""

    file = forms.FileField(label="파일", help_text=f"csv 또는 xlsx, {MAX_BYTES // 1024 // 1024}MB까지")
    account = forms.CharField(
        label="계좌 이름",
        max_length=LONGEST_LABEL,
        required=False,
        help_text="파일에 계좌번호가 없을 때만 씁니다. 계좌가 여럿이면 꼭 적어 주세요. 예: ISA",
    )
    as_of = forms.DateField(
        label="기준일", required=False, help_text="기준일이 없는 잔고 파일일 때만 씁니다. 예: 2026-11-20"
    )


@admin.register(KbStatement)
class KbStatementAdmin(KbAdmin):
    list_display = (
        "name",
        "kind",
        "account_label",
        "as_of",
        won("rows", "새 행"),
        won("known_rows", "이미 있던 행"),
        won("problem_count", "확인할 줄"),
        "imported_at",
    )
    list_filter = ("kind", "account_label", "imported_at")
    search_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("kis.add_kbstatement")

    # A body that is too large must be refused before anybody reads it, and looking for the token means reading it.
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what is in an uploaded file, and save it when the owner says so."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES + FORM_BYTES:
            return self.page(request, UploadForm(), error=too_large(), status=413)
        protected: Callable[[HttpRequest], HttpResponse] = csrf_protect(self.upload)
        return protected(request)

    add_view.csrf_exempt = True  # type: ignore[attr-defined]

    def upload(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return self.page(request, UploadForm())
        if "save" in request.POST:
            return self.save_shown(request)
        if "drop" in request.POST:
            forget(request)
            return HttpResponseRedirect(reverse("admin:kis_kbstatement_changelist"))
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(request, form)
        file = form.cleaned_data["file"]
        if file.size > MAX_BYTES:
            return self.page(request, form, error=too_large(), status=413)
        return self.show(request, file.read(), name=file.name, **given(form))

    def show(
        self, request: HttpRequest, data: bytes, *, name: str, account: str, as_of: date | None
    ) -> HttpResponse:
        """Show rows and problems, and put the file aside until the owner has looked at them."""
        result = load_file(data, now=timezone.now(), name=name, account=account, as_of=as_of, save=False)
        if result.outcome is not Outcome.SHOWN:
            return self.page(request, UploadForm(), error=result.reason)
        forget(request)
        request.session[WAITING] = {
            "token": uploads.keep(data),
            "name": name,
            "account": account,
            "as_of": as_of.isoformat() if as_of else "",
        }
        return self.page(request, None, result=result)

    def save_shown(self, request: HttpRequest) -> HttpResponse:
        """Save the file that was shown, if it still brings what was shown."""
        waiting = request.session.get(WAITING)
        data = uploads.fetch(waiting["token"]) if waiting else None
        if waiting is None or data is None:
            return self.page(request, UploadForm(), error=GONE)
        as_of = date.fromisoformat(waiting["as_of"]) if waiting["as_of"] else None
        plan = request.POST.get("plan") or "none"
        result = load_file(
            data,
            now=timezone.now(),
            name=waiting["name"],
            account=waiting["account"],
            as_of=as_of,
            plan=plan,
        )
        if result.outcome is Outcome.SHOWN:
            return self.page(request, None, result=result, error=CHANGED)
        forget(request)
        if result.outcome is not Outcome.SAVED:
            return self.page(request, UploadForm(), error=result.reason)
        messages.success(request, f"{result.name}: {counts(result)}")
        return HttpResponseRedirect(reverse("admin:kis_kbstatement_change", args=[result.statement_id]))

    def page(
        self,
        request: HttpRequest,
        form: UploadForm | None,
        *,
        result: LoadResult | None = None,
        error: str = "",
        status: int = 200,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "KB증권 파일 올리기",
            "form": form,
            "error": error,
            "result": result,
            **(shown(result) if result else {}),
        }
        return TemplateResponse(request, "admin/kis/kbstatement/upload.html", context, status=status)


def given(form: UploadForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("account", "as_of")}


def forget(request: HttpRequest) -> None:
    """Remove the file that waits for this user's click, if there is one."""
    if waiting := request.session.pop(WAITING, None):
        uploads.forget(waiting["token"])


def shown(result: LoadResult) -> dict[str, Any]:
    """Return the tables of a file as text: rows that would be new, and lines that need a look."""
    return {
        "counts": counts(result),
        "holdings": [
            (
                row.line,
                row.name,
                row.code,
                *map(decimal_text, (row.quantity, row.average, row.price)),
                *map(number, (row.cost, row.value, row.profit)),
            )
            for row in result.holdings[:MOST_SHOWN]
        ],
        "trades": [
            (
                row.line,
                row.traded_on,
                KbTrade.Kind(row.kind.value).label,
                row.label,
                row.name,
                row.code,
                *map(decimal_text, (row.quantity, row.price)),
                *map(number, (row.amount, row.fee, row.tax, row.net)),
            )
            for row in result.trades[:MOST_SHOWN]
        ],
        "more": max(len(result.new) - MOST_SHOWN, 0),
        "problems": [(place(problem), problem) for problem in result.problems[:MOST_SHOWN]],
        "more_problems": max(len(result.problems) - MOST_SHOWN, 0),
    }
