"""One rendered dashboard for all tests that only read it."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import pypdfium2
import pytest
from django.db import connection, transaction
from pypdfium2 import raw

from kis.client.codes import Mode
from kis.models import KisAccount
from reports.figures import Dashboard, dashboard_figures
from reports.pdf import render_pdf
from reports.queries import dashboard_rows
from tests.factories import AT, Stock, fill, order, report_fills, save_minutes, snapshot, stocks, sync_run

#: For tests that look at nothing but paper.
drawn_once = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="how figures are drawn is no question of the database"
)
NASTY = "<script>alert(1)</script> & 아주 긴 이름의 상장지수펀드"


@dataclass(frozen=True)
class Rendered:
    """A PDF with the figures behind it."""

    dashboard: Dashboard
    data: bytes

    @cached_property
    def pages(self) -> list[str]:
        return pages_of(self.data)

    @cached_property
    def text(self) -> str:
        return "\n".join(self.pages)


Renderer = Callable[..., Rendered]


def pages_of(data: bytes) -> list[str]:
    """Text of each page, as it can be selected."""
    document = pypdfium2.PdfDocument(data)
    try:
        return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document]
    finally:
        document.close()


def fonts_of(data: bytes) -> set[tuple[str, bool]]:
    """Name and "is embedded" of every font that draws text."""
    document = pypdfium2.PdfDocument(data)
    found = set()
    for page in document:
        for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=8):
            font = raw.FPDFTextObj_GetFont(item.raw)
            buffer = ctypes.create_string_buffer(128)
            raw.FPDFFont_GetBaseFontName(font, buffer, len(buffer))
            found.add((buffer.value.decode(), bool(raw.FPDFFont_GetIsEmbedded(font))))
    document.close()
    return found


def figures_of(
    account: KisAccount, *, generated_at: datetime | None = None, is_demo: bool = False
) -> Dashboard:
    """Figures of a snapshot, made six seconds after it."""
    moment = generated_at or account.snapshot_at + timedelta(seconds=6)
    mode: Mode = "paper" if account.is_paper else "real"
    return dashboard_figures(
        dashboard_rows(mode=mode, at=moment), generated_at=moment, judged_at=moment, is_demo=is_demo
    )


@pytest.fixture(scope="session")
def figures(django_db_setup, django_db_blocker) -> Callable[..., Dashboard]:
    """Return a function that returns the figures of what another saves, and takes the rows back afterwards."""

    @contextmanager
    def rows_for_now() -> Iterator[None]:
        with django_db_blocker.unblock(), transaction.atomic():
            yield
            transaction.set_rollback(True)

    def of(save: Callable[[], KisAccount], **options) -> Dashboard:
        with rows_for_now():
            return figures_of(save(), **options)

    return of


@pytest.fixture(scope="session")
def render(figures: Callable[..., Dashboard]) -> Renderer:
    """Return a function that renders them."""

    def rendered(save: Callable[[], KisAccount], **options) -> Rendered:
        dashboard = figures(save, **options)
        return Rendered(dashboard, render_pdf(dashboard))

    return rendered


@pytest.fixture(scope="session")
def usual(render: Renderer) -> Rendered:
    """Twenty stocks, seven fills, four open orders, everything agrees."""

    def save() -> KisAccount:
        held = [*stocks(19), Stock(code="0039P0", name=NASTY)]
        account = snapshot(held, run=sync_run(), today_fee=12_337)
        save_minutes(held)
        for number in range(7):
            fill(number, side="SELL" if number % 2 else "BUY")
        for number in range(4):
            order(account, number)
        return report_fills(account)

    return render(save)


@pytest.fixture(scope="session")
def crowded(render: Renderer) -> Rendered:
    """120 stocks, 300 fills, nine open orders, and the broker disagrees by 57,200 won."""

    def save() -> KisAccount:
        account = snapshot(stocks(120), with_closes=False)
        KisAccount.objects.filter(pk=account.pk).update(total_eval_amt=account.total_eval_amt + 57_200)
        for number in range(300):
            fill(number)
        for number in range(9):
            order(account, number)
        return account

    return render(save)


@pytest.fixture(scope="session")
def empty(render: Renderer) -> Rendered:
    """Render a new paper account."""
    return render(lambda: snapshot(cash=100_000_000, is_paper=True, run=None, at=AT))
