"""The books in the admin, read-only."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models import Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

import kis.admin_statements  # noqa: F401  # registers the tables of KB Securities
from kis import (
    admin_accounts,  # noqa: F401  # registers the accounts and their keys
    admin_grants,  # noqa: F401  # registers who may see them
    admin_market,  # noqa: F401  # registers stocks, days and prices
    admin_second_factor,  # noqa: F401  # registers who has a second factor
    admin_tokens,  # noqa: F401  # registers the tokens of the API
)
from kis.access import sees_everything
from kis.accounts import Account
from kis.admin_base import ReadOnlyAdmin, day_rate, figure, gain, rate, won
from kis.admin_export import Column, of_field
from kis.admin_filters import (
    JOB_NAMES,
    AccountFilter,
    AgreementFilter,
    JobFilter,
    MarketFilter,
    ModeFilter,
    OwnSnapshotFilter,
    SnapshotAccountFilter,
    SnapshotFilter,
    accounts_of,
    chosen_snapshots,
    key_of,
    key_of_number,
)
from kis.admin_sparklines import picture, put_closes, put_totals, seoul_day
from kis.admin_totals import BY_MODE, Totals
from kis.client.codes import AccountNumber
from kis.client.records.orders import Request
from kis.known_secrets import hide, hide_account
from kis.korean import SEOUL, masked_account, number, signed
from kis.models import (
    AccessToken,
    DailyPrice,
    FeedLease,
    KisAccount,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisUnfilledOrder,
    RateBudget,
    SyncRun,
    WireFinding,
)
from kis.models.owned import owned_by
from kis.reconciliation import badge_of, checks_of


@admin.display(description="모드", ordering="is_paper")
def mode(row: Any) -> SafeString:
    name, css_class = ("모의", "paper") if row.is_paper else ("실전", "real")
    return format_html('<span class="mode {}">{}</span>', css_class, name)


@admin.display(description="계좌", ordering="account_no")
def account(row: Any) -> str:
    owner = getattr(row, "kis_account", row)  # the snapshot knows the product, its rows do not
    return masked_account(owner.account_no, owner.product_code)


@admin.display(description="계좌", ordering="kis_account__account_no")
def snapshot_account(row: Any) -> str:
    return account(row)


#: Account numbers as the broker's replies have them, whoever's they are.
WIRE_ACCOUNT = re.compile(r'("(?:CANO|ACNT_NO|ACCT_NO)"\s*:\s*"\d{4})\d+', re.IGNORECASE)


@admin.display(description="원본 응답")
def raw_reply(row: Any) -> SafeString:
    """Show what the broker sent, laid out to be read, without account numbers."""
    text = hide(json.dumps(row.raw_json, ensure_ascii=False, indent=2))
    number_ = owner_of(row)
    if number_ is not None:
        text = hide_account(text, number_)
    text = WIRE_ACCOUNT.sub(r"\1****", text)
    if not row.raw_json:
        return figure("–")
    lines = text.count("\n") + 1
    return format_html(
        '<details class="raw"><summary>원본 보기 ({}줄)</summary><pre class="raw">{}</pre></details>',
        number(lines),
        text,
    )


def owner_of(row: Any) -> AccountNumber | None:
    """Return whose row it is, None where it is nobody's."""
    owner = getattr(row, "kis_account", None) or row
    if not hasattr(owner, "product_code"):
        return None
    return AccountNumber(owner.account_no, owner.product_code)


def list_of(model: str, **asked: str) -> str:
    """Return the address of a list of the admin, narrowed."""
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(asked)}"


def links(*pairs: tuple[str, str]) -> SafeString:
    return format_html('<span class="ways">{}</span>', format_html_join(" ", '<a href="{}">{}</a>', pairs))


def key_of_row(row: Any) -> str:
    """Return what stands for the account of a row in an address."""
    number_ = owner_of(row)
    return key_of_number(number_, is_paper=row.is_paper) if number_ else ""


REQUEST_NAMES = {Request.ORDER: "주문", Request.AMEND: "정정", Request.CANCEL: "취소"}
#: Columns that are not shown as they are stored.
SHOWN = {"account_no": account, "is_paper": mode, "raw_json": raw_reply}


def is_amount(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.IntegerField)


class BooksAdmin(ReadOnlyAdmin):
    """A table of the books: the account is masked and the raw reply readable."""

    def export_columns(self, request: HttpRequest) -> list[Column]:
        """Return every column of the table but for raw replies, with the account masked."""
        fields = [field for field in self.model._meta.fields if not field.primary_key]  # noqa: SLF001  # Django's own
        names = {field.name for field in fields}
        columns = []
        if "is_paper" in names:
            columns.append(Column("모드", lambda row: "모의" if row.is_paper else "실전"))
        if names & {"account_no", "kis_account"}:
            columns.append(Column("계좌", masked))
        hidden = {"account_no", "product_code", "is_paper"}
        return [
            *columns,
            *(
                of_field(field)
                for field in fields
                if field.name not in hidden
                and not field.is_relation
                and not isinstance(field, models.JSONField)
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [
            SHOWN.get(field.name)
            or (won(field.name, str(field.verbose_name)) if is_amount(field) else field.name)
            for field in self.model._meta.fields  # noqa: SLF001  # Django's own name for it
            if not field.primary_key
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_readonly_fields(request, obj)


def masked(row: Any) -> str:
    number_ = owner_of(row)
    return masked_account(number_.number, number_.product_code) if number_ else ""


class SnapshotRowAdmin(BooksAdmin):
    """Rows of snapshots.

    Among those of others, an account's rows are found through its own snapshots, the newest first and so many: no index
    of these tables knows the account, and SQLite would sort millions of rows.
    """

    list_select_related: ClassVar[Any] = ("kis_account",)
    date_hierarchy = "snapshot_at"
    #: The column with the number of the snapshot.
    snapshot_column = "kis_account"

    def rows_for(
        self, request: HttpRequest, asked: Mapping[str, Any], *, most: int
    ) -> tuple[QuerySet[Any], str] | None:
        rows: QuerySet[Any] = self.model._default_manager.all()  # noqa: SLF001  # Django's own name for it
        if not self.is_narrowed(request, asked):
            return None
        if "snapshot" in asked:
            return rows.filter(self.of(chosen_snapshots(request, str(asked["snapshot"])))), ""
        accounts = of_asked(request, asked)
        snapshots = [
            pk for account in accounts for pk in snapshots_of(account, asked, most=most // len(accounts) + 1)
        ]
        cut = CUT.format(number(most)) if len(snapshots) > most else ""
        return rows.filter(self.of(snapshots)), cut

    def of(self, snapshots: Sequence[int]) -> Q:
        return Q(**{f"{self.snapshot_column}__in": snapshots})

    def is_narrowed(self, request: HttpRequest, asked: Mapping[str, Any]) -> bool:
        return not sees_everything(request.user) or "account" in asked or "snapshot" in asked

    def span(self, request: HttpRequest, rows: ChangeList) -> tuple[Any, Any] | None:
        if not self.is_narrowed(request, rows.params):
            return super().span(request, rows)
        accounts = [account for account in accounts_of(request) if account.number]
        ends = [
            Q(pk=Subquery(KisAccount.objects.filter(**columns_of(account)).order_by(order).values("pk")[:1]))
            for account in accounts
            for order in ("snapshot_at", "-snapshot_at")
        ]
        if not ends:
            return None
        found = KisAccount.objects.filter(reduce(or_, ends)).order_by().values_list("snapshot_at", flat=True)
        moments = sorted(found)
        return (moments[0], moments[-1]) if moments else None


CUT: Final = "이 계좌의 최근 스냅샷 {}개까지 보여 드립니다. 더 옛 자료는 날짜로 좁혀 주세요."


def columns_of(account: Account) -> dict[str, Any]:
    assert account.number is not None  # noqa: S101  # those without are not listed
    return owned_by(account.number, is_paper=account.is_paper)


def of_asked(request: HttpRequest, asked: Mapping[str, Any]) -> list[Account]:
    """Return the accounts that a list is about: the one that is asked for, or all that may be seen."""
    accounts = accounts_of(request)
    if "account" not in asked:
        return accounts
    return [account for account in accounts if key_of(account) == asked["account"]]


def snapshots_of(account: Account, asked: Mapping[str, Any], *, most: int) -> list[int]:
    """Return the newest snapshots of an account in the days that are asked for."""
    rows = KisAccount.objects.filter(**columns_of(account), **days_asked(asked)).order_by("-snapshot_at")
    return list(rows.values_list("pk", flat=True)[:most])


def days_asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition of the days in an address; what cannot be read is for the list to refuse."""
    try:
        year = asked.get("snapshot_at__year")
        if year:
            month, day = asked.get("snapshot_at__month"), asked.get("snapshot_at__day")
            first = date(int(year), int(month or 1), int(day or 1))
            after = first + timedelta(days=1 if day else 31 if month else 366)
        else:
            first = date.fromisoformat(str(asked.get("snapshot_date__gte", ""))[:10])
            after = date.fromisoformat(str(asked.get("snapshot_date__lt", ""))[:10])
        return {"snapshot_at__gte": midnight(first), "snapshot_at__lt": midnight(after)}
    except (ValueError, OverflowError):
        return {}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SEOUL)


@admin.register(KisAccount)
class KisAccountAdmin(SnapshotRowAdmin):
    list_select_related = ()
    snapshot_column = "pk"
    list_display = (
        "snapshot_at",
        mode,
        account,
        picture("20일", "지난 20거래일의 총평가금액"),
        won("total_eval_amt", "총평가금액"),
        won("stock_eval_amt", "유가평가금액"),
        gain("total_profit_loss", "평가손익"),
        won("deposit", "D+0 예수금"),
        won("available", "D+2 예수금"),
        won("orderable_cash", "주문가능"),
        "ways",
    )
    list_filter = (OwnSnapshotFilter, ModeFilter, AccountFilter, "snapshot_at")
    totals = Totals(
        ("total_eval_amt", "stock_eval_amt", "total_profit_loss", "deposit", "available", "orderable_cash"),
        BY_MODE,
        snapshot="pk",
    )

    def complete(self, rows: Sequence[KisAccount]) -> None:
        put_totals(rows, day=lambda row: seoul_day(row.snapshot_at), last="total_eval_amt")

    @admin.display(description="이어서")
    def ways(self, row: KisAccount) -> SafeString:
        key, day = key_of_row(row), str(seoul_day(row.snapshot_at))
        return links(
            (list_of("kis_kisholding", snapshot=str(row.pk)), "보유"),
            (list_of("kis_kisunfilledorder", snapshot=str(row.pk)), "미체결"),
            (list_of("kis_kisexecution", account=key, exec_dt=day), "그날 체결"),
        )

    ways.is_picture = True  # type: ignore[attr-defined]  # not for files


@admin.register(KisHolding)
class KisHoldingAdmin(SnapshotRowAdmin):
    list_display = (
        "stock_name",
        "stock_code",
        mode,
        snapshot_account,
        won("holding_qty", "수량"),
        picture("2주", "지난 열 거래일의 종가"),
        won("prpr", "현재가"),
        day_rate("fllt_rt", "등락률"),
        won("evlu_amt", "평가금액"),
        gain("evlu_pfls_amt", "평가손익"),
        rate("evlu_pfls_rt", "수익률"),
        "snapshot_at",
        "ways",
    )
    list_filter = (SnapshotFilter, ModeFilter, SnapshotAccountFilter, MarketFilter, "snapshot_date")
    search_fields = ("stock_code", "stock_name")
    totals = Totals(("evlu_amt", "evlu_pfls_amt"), BY_MODE, snapshot="kis_account")

    def complete(self, rows: Sequence[KisHolding]) -> None:
        put_closes(rows, day=lambda row: row.snapshot_date, last="prpr")

    @admin.display(description="이어서")
    def ways(self, row: KisHolding) -> SafeString:
        asked = {"account": key_of_row(row), "q": row.stock_code}
        return links(
            (list_of("kis_kisexecution", **asked), "체결"), (list_of("kis_kisorderdetail", **asked), "주문")
        )

    ways.is_picture = True  # type: ignore[attr-defined]  # not for files


@admin.register(KisExecution)
class KisExecutionAdmin(BooksAdmin):
    list_display = (
        "exec_dt",
        "exec_tmd",
        mode,
        account,
        "side",
        "stock_name",
        "stock_code",
        won("exec_qty", "수량"),
        won("exec_price", "단가"),
        won("exec_amt", "금액"),
        won("commission", "수수료"),
        won("tax", "세금"),
        "costs_from",
        picture("2주", "그날까지 열 거래일의 종가"),
        "odno",
        "ways",
    )
    list_filter = (ModeFilter, AccountFilter, MarketFilter, "exec_type", "cost_source", "exec_dt")
    search_fields = ("stock_code", "stock_name", "odno")
    date_hierarchy = "exec_dt"
    totals = Totals(
        ("exec_amt", "commission", "tax"),
        (
            ("실전 매수", Q(is_paper=False, exec_type="BUY")),
            ("실전 매도", Q(is_paper=False, exec_type="SELL")),
            ("모의 매수", Q(is_paper=True, exec_type="BUY")),
            ("모의 매도", Q(is_paper=True, exec_type="SELL")),
        ),
    )

    def complete(self, rows: Sequence[KisExecution]) -> None:
        put_closes(rows, day=lambda row: row.exec_dt)

    @admin.display(description="이어서")
    def ways(self, row: KisExecution) -> SafeString:
        asked = {"account": key_of_row(row), "ord_dt": str(row.exec_dt), "q": row.odno}
        return links((list_of("kis_kisorderdetail", **asked), "주문"))

    ways.is_picture = True  # type: ignore[attr-defined]  # not for files

    @admin.display(description="비용 근거", ordering="cost_source")
    def costs_from(self, row: KisExecution) -> str:
        basis = f" ({row.get_cost_basis_display()})" if row.cost_basis else ""
        return f"{row.get_cost_source_display()}{basis}"

    @admin.display(description="구분", ordering="exec_type")
    def side(self, row: KisExecution) -> SafeString:
        return figure(row.get_exec_type_display(), "up" if row.exec_type == "BUY" else "down")


@admin.register(KisUnfilledOrder)
class KisUnfilledOrderAdmin(SnapshotRowAdmin):
    list_display = (
        "snapshot_at",
        mode,
        account,
        "side",
        "stock_name",
        "stock_code",
        "rest",
        won("ord_unpr", "주문가"),
        "ordered_at",
        "odno",
    )
    list_filter = (
        SnapshotFilter,
        ModeFilter,
        SnapshotAccountFilter,
        MarketFilter,
        "sll_buy_dvsn_cd",
        "snapshot_date",
    )
    search_fields = ("stock_code", "stock_name", "odno")

    @admin.display(description="구분", ordering="sll_buy_dvsn_cd")
    def side(self, row: KisUnfilledOrder) -> SafeString:
        return figure(row.get_sll_buy_dvsn_cd_display(), "up" if row.sll_buy_dvsn_cd == "02" else "down")

    @admin.display(description="잔량/주문")
    def rest(self, row: KisUnfilledOrder) -> SafeString:
        return figure(f"{number(row.psbl_qty)}/{number(row.ord_qty)}")

    @admin.display(description="주문 시각", ordering="ord_tmd")
    def ordered_at(self, row: KisUnfilledOrder) -> str:
        return f"{row.ord_tmd[:2]}:{row.ord_tmd[2:4]}:{row.ord_tmd[4:6]}"


@admin.register(KisOrderDetail)
class KisOrderDetailAdmin(BooksAdmin):
    """Orders with their amendments and cancellations."""

    list_display = (
        "ord_dt",
        "ord_tmd",
        mode,
        account,
        "side_shown",
        "stock_name",
        "stock_code",
        "rest",
        won("ord_unpr", "주문단가"),
        won("tot_ccld_qty", "체결"),
        "status",
        "origin",
        "odno",
        "orgn_odno",
        "ways",
    )
    list_filter = (ModeFilter, AccountFilter, MarketFilter, "status", "origin", "side", "ord_dt")
    search_fields = ("stock_code", "stock_name", "odno", "orgn_odno")
    date_hierarchy = "ord_dt"
    totals = Totals(("tot_ccld_qty",), BY_MODE)

    @admin.display(description="이어서")
    def ways(self, row: KisOrderDetail) -> SafeString:
        found = [
            (
                list_of("kis_kisexecution", account=key_of_row(row), exec_dt=str(row.ord_dt), q=row.odno),
                "체결",
            )
        ]
        if row.origin == KisOrderDetail.Origin.OURS:
            found.append((list_of("trading_pendingorder", q=row.odno, ord_dt=str(row.ord_dt)), "주문 기록"))
        return links(*found)

    ways.is_picture = True  # type: ignore[attr-defined]  # not for files

    @admin.display(description="구분", ordering="side")
    def side_shown(self, row: KisOrderDetail) -> SafeString:
        return figure(row.get_side_display(), "up" if row.side == "BUY" else "down")

    @admin.display(description="잔량/주문")
    def rest(self, row: KisOrderDetail) -> SafeString:
        return figure(f"{number(row.rmn_qty)}/{number(row.ord_qty)}")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["chain", *super().get_readonly_fields(request, obj)]

    @admin.display(description="정정·취소 흐름")
    def chain(self, row: KisOrderDetail) -> SafeString:
        """List the first order and everything that changed it, oldest first, this one in bold."""
        lines = format_html_join(
            "",
            "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    mark_safe(' class="this"') if link.pk == row.pk else "",
                    f"{link.ord_tmd:%H:%M:%S}",
                    link.odno,
                    REQUEST_NAMES[link.standing.request],
                    figure(f"{number(link.ord_qty)}주"),
                    figure(f"{number(link.ord_unpr)}원"),
                    f"{link.get_status_display()} · 체결 {number(link.tot_ccld_qty)}주",
                )
                for link in KisOrderDetail.objects.chain_of(row)
            ),
        )
        return format_html('<table class="chain">{}</table>', lines)


@admin.register(DailyPrice)
class DailyPriceAdmin(ReadOnlyAdmin):
    list_display = (
        "trade_date",
        "stock_code",
        picture("2주", "그날까지 열 거래일의 종가"),
        won("open", "시가"),
        won("high", "고가"),
        won("low", "저가"),
        won("close", "종가"),
        won("volume", "거래량"),
    )
    search_fields = ("=stock_code",)
    list_filter = (MarketFilter, "trade_date")
    date_hierarchy = "trade_date"

    def complete(self, rows: Sequence[DailyPrice]) -> None:
        put_closes(rows, day=lambda row: row.trade_date)


@admin.register(SyncRun)
class SyncRunAdmin(BooksAdmin):
    list_display = (
        "started_at",
        "job_name",
        mode,
        account,
        "status_shown",
        "took",
        won("requests", "요청"),
        won("rate_limited", "제한 거절"),
        "badge",
        "error",
    )
    list_filter = ("status", AgreementFilter, ModeFilter, AccountFilter, JobFilter, "started_at")
    date_hierarchy = "started_at"
    totals = Totals(("requests", "rate_limited"), BY_MODE)

    @admin.display(description="작업", ordering="job")
    def job_name(self, run: SyncRun) -> SafeString:
        return format_html('<span title="{}">{}</span>', run.job, JOB_NAMES.get(run.job, run.job))

    @admin.display(description="상태", ordering="status")
    def status_shown(self, run: SyncRun) -> SafeString:
        troubled = {SyncRun.Status.FAILED, SyncRun.Status.QUARANTINED, SyncRun.Status.ABANDONED}
        css_class = "unsettled" if run.status in troubled else ""
        return format_html('<span class="state {}">{}</span>', css_class, run.get_status_display())

    @admin.display(description="걸린 시간")
    def took(self, run: SyncRun) -> SafeString:
        return figure(
            f"{(run.finished_at - run.started_at).total_seconds():.1f}초" if run.finished_at else "–"
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show the reconciliation first, as a table instead of JSON."""
        fields = super().get_readonly_fields(request, obj)
        return ["badge", "comparisons", *(name for name in fields if name != "checks")]

    @admin.display(description="대사", ordering="differences")
    def badge(self, run: SyncRun) -> SafeString:
        css_class = "differs" if run.differences else "agrees" if run.checks else ""
        return format_html('<span class="badge {}">{}</span>', css_class, badge_of(checks_of(run.checks)))

    @admin.display(description="대사 항목")
    def comparisons(self, run: SyncRun) -> SafeString:
        """List every comparison with both sides; what differs in bold, with the row that explains it."""
        lines = format_html_join(
            "",
            "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    mark_safe(' class="this"') if check.difference else "",
                    check.name,
                    figure(f"{number(check.ours)}{check.unit}"),
                    figure(f"{number(check.broker)}{check.unit}"),
                    figure(f"{signed(check.difference)}{check.unit}" if check.difference else "일치"),
                    check.row,
                )
                for check in checks_of(run.checks)
            ),
        )
        heads = mark_safe(
            "<tr><th>항목</th><th>우리 합계</th><th>증권사</th><th>차이 (증권사 − 우리)</th><th>해당 행</th></tr>"
        )
        return format_html('<table class="chain">{}{}</table>', heads, lines) if run.checks else figure("–")


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    """When the broker's token was issued and ends; the token itself is never shown."""

    list_display = ("short_id", "generation", "expires_at", "issuing_until")
    fields = ("short_id", "generation", "expires_at", "issuing_until")

    @admin.display(description="앱키 지문")
    def short_id(self, row: AccessToken) -> str:
        return row.key_id[:12]


@admin.register(RateBudget)
class RateBudgetAdmin(ReadOnlyAdmin):
    """When the next call of an app key may leave, and when the broker last refused one too many."""

    list_display = ("short_id", "next_at", "refused_at")
    fields = ("short_id", "next_at", "refused_at")

    @admin.display(description="앱키 지문")
    def short_id(self, row: RateBudget) -> str:
        return row.key_id[:12]


@admin.register(FeedLease)
class FeedLeaseAdmin(ReadOnlyAdmin):
    """Until when a process is taken to be listening to the broker's websocket."""

    list_display = ("short_id", "lease_until")
    fields = ("short_id", "lease_until")

    @admin.display(description="앱키 지문")
    def short_id(self, row: FeedLease) -> str:
        return row.key_id[:12]


@admin.register(WireFinding)
class WireFindingAdmin(BooksAdmin):
    """Fields of the broker's replies that are not as documented."""

    list_display = ("last_seen", mode, "tr", "place", "kind", "example", won("times", "횟수"), "first_seen")
    list_filter = ("kind", ModeFilter, "tr")
    search_fields = ("tr", "field")

    @admin.display(description="항목", ordering="field")
    def place(self, row: WireFinding) -> str:
        return row.place


# Registers the days; at the end, since they are shown like the tables above.
from kis import admin_days  # noqa: E402, F401  # as the line above says
