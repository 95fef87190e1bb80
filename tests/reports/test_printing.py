"""What gets into a PDF: our fonts and the text, whatever the books or the broker say."""

import logging
from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from urllib.parse import quote

import pypdfium2
import pytest
from pypdfium2 import raw

from reports import fonts
from reports.pdf import render_pdf
from reports.printing import fetcher, print_html
from tests.factories import Stock, fill, order, snapshot, sync_run
from tests.reports.conftest import drawn_once, fonts_of, pages_of

pytestmark = [pytest.mark.django_db, drawn_once]
POINTS = 72 / 25.4  # of a millimetre
RED = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="red"/></svg>'
HOSTILE = [
    "<script>alert(1)</script>",
    "</td></tr></table><h1>제목</h1>",
    "<img src=x onerror=alert(1)>",
    "<img src='file:///etc/passwd'>",
    "<a href='https://evil.example/?q=1'>누르세요</a>",
    "<a href='javascript:alert(1)'>x</a>",
    "<link rel=attachment href='file:///etc/passwd'>",
    "<link rel=stylesheet href='https://evil.example/a.css'>",
    "<style>@import url(https://evil.example/a.css);</style>",
    "<style>*{background:url(file:///etc/passwd)}</style>",
    "<svg><image href='file:///etc/passwd'/></svg>",
    "<svg onload=alert(1)><text>x</text></svg>",
    "<svg><use href='https://evil.example/x.svg#a'/></svg>",
    "<iframe src='file:///etc/passwd'></iframe>",
    "<object data='file:///etc/passwd'></object>",
    "<embed src='https://evil.example'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action='https://evil.example'><input name=a></form>",
    "<!-- 주석",
    "-->",
    "<![CDATA[x]]>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "&lt;b&gt; &amp; &#x3c;b&#x3e;",
    '"><b>',
    "' onmouseover='alert(1)",
    "`${7*7}`",
    "{{ d.account.total }}",
    "{% include 'admin/base.html' %}",
    "{% load x %}{{ block.super }}",
    "url(file:///etc/passwd)",
    "x; background: url(https://evil.example/x.png)",
    "} body { display: none } .x {",
    "@import 'https://evil.example/a.css';",
    "expression(alert(1))",
    "\\3c script\\3e",
    "file:///etc/passwd",
    "https://evil.example/",
    "data:text/html,<script>alert(1)</script>",
    "\u202e거꾸로\u202c",
    "\u2066\u2069\u061c\u200e\u200f",
    "보\u200b이\u200c지\u200d않\ufeff음",
    "널\x00바이트",
    "\x1b[31m붉게\x07",
    "줄\n바꿈\r\t칸",
    "\u2028\u2029",
    "삼성😀전자🇰🇷👨‍👩‍👧",
    "Z̴̛͇a̶͝l̵g̶o̷",
    "عربي עברית ไทย",
    "\ud800외톨이",
    "가" * 1_000,
    "W" * 1_000,
    "띄어 쓴 이름 " * 100,
    "%s %d %(x)s {0} {x}",
    '=HYPERLINK("https://evil.example")',
    "../../../../etc/passwd",
    "",
    " ",
]


def page(body):
    return f"<!doctype html><html lang='ko'><body>{body}</body></html>"


def printed(body):
    return print_html(page(body), identifier="x", epoch=0)


def objects_of(data):
    """Return the pages' annotations, the names of embedded files and the actions of a PDF."""
    import pikepdf  # noqa: PLC0415  # native

    with pikepdf.open(BytesIO(data)) as pdf:
        annotations = [note for sheet in pdf.pages for note in sheet.get("/Annots", [])]
        root = set(pdf.Root.keys())
        embedded = list(pdf.attachments)
        images = [name for sheet in pdf.pages for name in sheet.get_images()]
    return annotations, embedded, root & {"/OpenAction", "/AA", "/AcroForm", "/Names"}, images


# --- what a page may load -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _fonts_are_there():
    fonts.ensure_fonts()


def test_fetcher_opens_our_fonts_and_what_the_page_carries():
    ours = fonts.font_path(400)
    assert fetcher().fetch(ours.as_uri()).read() == ours.read_bytes()
    assert fetcher().fetch("data:text/plain,abc").read() == b"abc"
    assert (
        fetcher().fetch("DATA:text/plain;base64," + b64encode("가".encode()).decode()).read() == "가".encode()
    )


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "https://evil.example/a.css",
        "http://127.0.0.1/",
        "ftp://evil.example/",
        "//evil.example/a.css",
        "relative.css",
        "blob:x",
        "javascript:alert(1)",
    ],
)
def test_fetcher_opens_nothing_else(url):
    with pytest.raises(ValueError, match="neither"):
        fetcher().fetch(url)


@pytest.mark.parametrize("tail", ["?x", "#x", "/../../../../etc/passwd", "%00"])
def test_fetcher_does_not_take_more_for_one_of_our_fonts(tail):
    with pytest.raises(ValueError, match="neither"):
        fetcher().fetch(fonts.font_path(400).as_uri() + tail)


def test_page_that_asks_for_files_gets_none(tmp_path, caplog):
    (tmp_path / "secret.svg").write_text(RED)
    (tmp_path / "secret.css").write_text("body::before { content: 'SECRET' }")
    secret = tmp_path.as_uri()
    inner = quote(
        f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{secret}/secret.svg" width="9" height="9"/></svg>'
    )
    caplog.set_level(logging.CRITICAL, "weasyprint")
    data = printed(
        f"<link rel=stylesheet href='{secret}/secret.css'><style>@import url({secret}/secret.css);</style>"
        f"<img src='{secret}/secret.svg'><img src='data:image/svg+xml,{inner}'>"
        f"<link rel=attachment href='{secret}/secret.svg'><p>본문</p>"
    )
    assert "본문" in pages_of(data)[0]
    assert "SECRET" not in pages_of(data)[0]
    _, embedded, _, images = objects_of(data)
    assert (embedded, images) == ([], [])
    assert b"1 0 0 rg" not in data


# --- what a name may do ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(render):
    """Return a dashboard in which everything that can be named has a hostile name."""

    def save():
        names = [text or "이름 없음" for text in HOSTILE]
        held = [Stock(code=f"{place:06}", name=saved(text)) for place, text in enumerate(names)]
        checks = [
            {"name": text, "ours": 1, "broker": 3, "unit": "원", "row": text, "difference": 2}
            for text in map(saved, HOSTILE[:8])
        ]
        account = snapshot(held, run=sync_run(checks=checks))
        for number, text in enumerate(names):
            fill(number, name=saved(text))
            order(account, number, stock_name=saved(text))
        return account

    def saved(text):
        """Return a text as a column of the books can hold it: PostgreSQL knows neither NUL nor half signs."""
        return text.replace("\x00", "").encode("utf-8", "ignore").decode()[:50]

    return render(save)


def text_edges(data):
    """Return the left and right end of every text on every page, in millimetres."""
    document = pypdfium2.PdfDocument(data)
    for sheet in document:
        for item in sheet.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT], max_depth=8):
            left, _, right, _ = item.get_bounds()
            if right > left:
                yield left / POINTS, right / POINTS
    document.close()


def test_hostile_texts_reach_the_page_as_text(hostile):
    text = hostile.text
    for shown in ("<script>alert(1)</script>"[:12], "{{ d.acco", "{% incl", "file:///etc", "&lt;b&gt;"):
        assert shown in text
    assert "거꾸로" in text
    assert "보이지않음" in text


def test_hostile_texts_leave_nothing_to_press_or_to_open(hostile):
    annotations, embedded, actions, images = objects_of(hostile.data)
    assert (annotations, embedded, actions) == ([], [], set())
    assert images == []
    assert all(is_embedded for _, is_embedded in fonts_of(hostile.data))


def test_hostile_texts_make_no_more_pages_and_no_other_numbers(hostile, render):
    def save():
        held = [Stock(code=f"{place:06}", name="이름") for place, _ in enumerate(HOSTILE)]
        account = snapshot(held, run=sync_run())
        for number, _ in enumerate(HOSTILE):
            fill(number)
            order(account, number)
        return account

    assert len(hostile.pages) == len(render(save).pages)


def test_names_as_no_column_would_hold_them_are_printed_inside_the_page(hostile):
    row = hostile.dashboard.holdings[0]
    rows = tuple(replace(row, rank=place, name=text) for place, text in enumerate(HOSTILE, start=1))
    data = render_pdf(replace(hostile.dashboard, holdings=rows))
    assert objects_of(data)[:3] == ([], [], set())
    assert len(pages_of(data)) == len(hostile.pages)
    for left, right in text_edges(data):
        assert left >= 11.9
        assert right <= 198.1
