"""HTML → PDF bytes: our fonts, nothing from outside, and the same bytes for the same text."""

import gc
import logging
import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports import fonts
from reports.pdf_text import TextWriter
from reports.sheet import Sheet

if TYPE_CHECKING:
    from pydyf import PDF
    from weasyprint import Document
    from weasyprint.urls import URLFetcher

MM_PER_PIXEL: Final = 25.4 / 96  # of CSS
UNKNOWN_SIGN: Final = "□"
INVISIBLE: Final = {"Cc", "Cf", "Mn", "Me"}
OUTSIDE_LATIN: Final = re.compile(r"[^\n\x20-\x7e]")


def print_html(
    html: str, *, identifier: str, epoch: int, sheets: Mapping[int, Sequence[Sheet]] | None = None
) -> bytes:
    """Return a document as PDF. Raises FontsUnavailable when there is no font to print with.

    `identifier` and `epoch`, the second that its fonts say they are from, make the bytes depend on the text alone.
    `sheets` are drawn below the text of the pages of these numbers, one on the other; the first page is 1.
    """
    fonts.ensure_fonts()
    html = drawable(html, fonts.supported_characters())
    with _quiet(), _fixed_time(epoch), _without_collecting():
        from weasyprint import HTML  # noqa: PLC0415  # needs native libraries and half a second; only for print

        document = HTML(string=html, url_fetcher=fetcher())
        pdf: bytes = document.write_pdf(
            pdf_identifier=identifier.encode(), finisher=partial(_draw_sheets, sheets or {})
        )
    return pdf


def faces() -> list[dict[str, int | str]]:
    """Return what a style sheet needs to name our fonts."""
    return [{"weight": weight, "url": fonts.font_path(weight).as_uri()} for weight in fonts.WEIGHTS]


def drawable(text: str, supported: frozenset[int]) -> str:
    """Replace what our font cannot draw by □, so that nothing falls back to a font of the system.

    Signs without a shape of their own (joiners, direction marks) are dropped.
    """

    def replaced(match: re.Match[str]) -> str:
        sign = match[0]
        if ord(sign) in supported:
            return sign
        return "" if unicodedata.category(sign) in INVISIBLE else UNKNOWN_SIGN

    return OUTSIDE_LATIN.sub(replaced, unicodedata.normalize("NFC", text))


def _draw_sheets(sheets: Mapping[int, Sequence[Sheet]], document: "Document", pdf: "PDF") -> None:
    """Put the sheets below the text of their page, as a content stream of its own."""
    from pydyf import Array, Stream  # noqa: PLC0415

    if not sheets:
        return
    characters = fonts.supported_characters()
    writer = TextWriter(lambda text: drawable(text, characters))
    kids = pdf.pages["Kids"][::3]  # number, generation and R of each page
    for number, (page, kid) in enumerate(zip(document.pages, kids, strict=True), start=1):
        if number not in sheets:
            continue
        height = page.height * MM_PER_PIXEL
        content = [
            sheet.operators(page_height=height, texts=writer.operators(sheet.labels))
            for sheet in sheets[number]
        ]
        stream = Stream(content, compress=True)
        pdf.add_object(stream)
        pdf.objects[kid]["Contents"] = Array([stream.reference, pdf.objects[kid]["Contents"]])
    resources = pdf.objects[int(pdf.objects[kids[0]]["Resources"].split()[0])]
    writer.add_to(pdf, resources)


@cache
def fetcher() -> "URLFetcher":
    """Return a fetcher that opens our own fonts and what a page carries in itself (`data:`), and nothing else.

    So a name in the books can load no file and reach no address, whatever becomes of it on its way into a page.
    """
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

    class PackagedOnly(URLFetcher):  # type: ignore[misc]  # no types in WeasyPrint
        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            if url.lower().startswith("data:"):
                return super().fetch(url, headers)
            ours = {fonts.font_path(weight).as_uri(): fonts.font_path(weight) for weight in fonts.WEIGHTS}
            if url not in ours:
                raise ValueError(f"neither one of our fonts nor part of the page: {url}")
            return URLFetcherResponse(url, Path(ours[url]).read_bytes(), {"Content-Type": "font/ttf"})

    return PackagedOnly(allowed_protocols={"data"})


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop one message of WeasyPrint that the owner can do nothing about; every other one is shown."""

    def is_news(record: logging.LogRecord) -> bool:
        return "Using fontTools instead of HarfBuzz-Subset" not in record.getMessage()

    logger = logging.getLogger("weasyprint")
    rule: Callable[[logging.LogRecord], bool] = is_news
    logger.addFilter(rule)
    try:
        yield
    finally:
        logger.removeFilter(rule)


#: The time is set for the whole process, so one document is printed after the other.
_printing: Final = threading.Lock()


@contextmanager
def _fixed_time(epoch: int) -> Iterator[None]:
    """Let the font subsets carry the time of the report: otherwise no two PDFs would be equal."""
    with _printing, _variable("SOURCE_DATE_EPOCH", str(epoch)):
        yield


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Let nobody look for garbage meanwhile.

    A document is one web of boxes that all live until it is written; looking through them again and again would take a
    quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
