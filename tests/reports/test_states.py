"""Every state of the dashboard as it is printed: its numbers are those of the figures, and everything has its place."""

import contextlib
import re
import zlib

import pytest
from django.db import connection

from kis.korean import heading_text
from reports.amounts import Amounts
from reports.api import as_json
from reports.figures import Broken
from reports.figures.sectors import first_sectors
from reports.layout import Overview, pages_of
from reports.overview import Scene, blocks, cards
from reports.pdf import render_pdf
from tests.reports.conftest import fonts_of
from tests.reports.reading import Word, read_pages
from tests.reports.states import STATES, drawn
from tests.reports.written import names_in, numbers_on, written_by

pytestmark = pytest.mark.django_db

MARGINS = {"left": 12.0, "right": 198.0, "top": 7.0, "bottom": 291.5}
CARDS = (26.0, 56.0)
HEAD = (12.0, 7.0, 198.0, 26.0)
FOOT = (12.0, 283.0, 198.0, 291.5)
BLOCKS_END = 283.0
MASKED = {"masked", "masked_and_made_up", "percent_only"}
AXIS_WIDTH = 11.5
#: Each kind of rows once: of the simulator and made up, many and none, with holes, with large numbers and bad names.
ON_POSTGRESQL = {
    *("real_fresh", "paper", "difference", "missing_prices", "no_holdings", "fifty_holdings"),
    *("three_hundred_fills", "trillions", "hostile_names", "money_owed"),
}
TOUCH = 0.3


@pytest.fixture(scope="module")
def kept():
    """Return a function that draws a state once, however many tests look at it."""
    known = {}

    def draw(name):
        if connection.vendor != "sqlite" and name not in ON_POSTGRESQL:
            pytest.skip(
                "the same queries as for other states; how it is drawn is no question of the database"
            )
        if name not in known:
            known[name] = drawn(STATES[name])
        return known[name]

    return draw


def places_on(dashboard):
    """Return the boxes of page 1 that text may stand in: left, top, right, bottom."""
    page = next(page for page in pages_of(dashboard, Amounts()) if isinstance(page, Overview))
    scene = Scene(dashboard, Amounts(), page)
    boxes = [(part.left, CARDS[0], part.left + part.width, CARDS[1]) for part in cards(scene)]
    parts = blocks(scene)
    for part in parts:
        below = [other.top for other in parts if other.top > part.top]
        boxes.append((part.left, part.top, part.left + part.width, min(below, default=BLOCKS_END)))
    return [HEAD, FOOT, *boxes]


def rests_of(dashboard):
    """Return the last line of the sectors for every number of lines there may be room for: it sums up the others."""
    lines = dashboard.sectors
    counts = range(2, len(lines)) if not isinstance(lines, Broken) else ()
    return [first_sectors(lines, count)[-1] for count in counts]


def axis_of(dashboard):
    """Return where the amounts beside the curve stand: round ones, which are nobody's."""
    page = next(page for page in pages_of(dashboard, Amounts()) if isinstance(page, Overview))
    return (12.0, page.trend_top, 12.0 + AXIS_WIDTH, page.causes_top)


def stands_in(word: Word, box) -> bool:
    left, top, right, bottom = box
    return bool(
        word.left >= left - TOUCH
        and word.right <= right + TOUCH
        and word.top >= top - TOUCH
        and word.bottom <= bottom + TOUCH
    )


def complaints(rendered, *, is_masked=False):
    """Return what an eye would find wrong with the pages."""
    found = []
    allowed, names = (
        written_by(as_json([rendered.dashboard, *rests_of(rendered.dashboard)])),
        names_in(rendered.dashboard),
    )
    places = places_on(rendered.dashboard)
    axis = axis_of(rendered.dashboard)
    for number, page in enumerate(read_pages(rendered.data), start=1):
        where = f"page {number}"
        assert (round(page.width), round(page.height)) == (210, 297)
        if not is_masked:
            told = [word.text for word in page.words if number > 1 or not stands_in(word, axis)]
            unknown = [text for text in numbers_on(told, names=names) if text not in allowed]
            found += [f"{where}: {text} is none of the figures" for text in unknown]
        found += [f"{where}: {one} lies on {other}" for one, other in page.overlapping]
        found += [f"{where}: {word} is outside of the margins" for word in page.outside(**MARGINS)]
        if number == 1:
            lost = [word for word in page.words if not any(stands_in(word, box) for box in places)]
            found += [f"{where}: {word} leaves its block" for word in lost]
    return found


@pytest.mark.parametrize("name", STATES)
def test_numbers_are_those_of_the_api_and_everything_has_its_place(kept, name):
    assert complaints(kept(name), is_masked=name in MASKED) == []


@pytest.mark.parametrize("name", ["real_fresh", "fifty_holdings", "hostile_names", "every_section_failed"])
def test_same_snapshot_gives_the_same_bytes(kept, name):
    rendered = kept(name)
    assert render_pdf(rendered.dashboard) == rendered.data


def test_fifty_holdings_are_a_small_file_with_its_fonts_and_one_first_page(kept):
    rendered = kept("fifty_holdings")
    assert len(rendered.data) <= 1_500_000
    fonts = fonts_of(rendered.data)
    assert fonts
    assert all(is_embedded for _, is_embedded in fonts)
    pages = [squeezed(page) for page in rendered.pages]
    assert ["자산추이" in page for page in pages] == [True] + [False] * (len(pages) - 1)
    assert all(word in pages[0] for word in ("변동원인", "오늘체결", "미체결", "점검", "AI진단"))
    assert all(any(row.code in page for page in pages[1:]) for row in rendered.dashboard.holdings)


def squeezed(text):
    return "".join(text.split())


# --- masked --------------------------------------------------------------------------------------------------------------


def secrets_of(dashboard):
    """Return every amount of won, number of shares and number of an order that a masked page must not tell.

    Prices are no secret, nor is what happens to be written like one of them, or like a percentage.
    """
    public = {f"{price:,}" for row in dashboard.holdings for price in (row.price, *row.closes) if price}
    public |= {f"{minute.close:,}" for row in dashboard.holdings for minute in row.charts.day.minutes}
    public |= {f"{row.price:,}" for row in (*dashboard.fills.rows, *dashboard.open_orders.rows)}
    account = dashboard.account
    won = [
        *(account.total, account.stock_value, account.cash, account.day_change, account.profit, account.cost),
        *(account.previous, account.bought_today, account.sold_today, account.fee_today, account.orderable),
        *(day.amount for day in account.cash_days),
        *(
            part
            for row in dashboard.holdings
            for part in (row.value, row.cost, row.profit, round(row.average))
        ),
        *(row.amount for row in dashboard.fills.rows),
        *(cause.amount for cause in dashboard.today.causes),
        *(part for day in dashboard.trend.days for part in (day.value, day.flow, day.profit)),
        *(line.value for line in dashboard.sectors),
    ]
    amounts = {f"{abs(value):,}" for value in won if value and abs(value) >= 1_000}
    headings = {heading_text(abs(value)) for value in won if value and abs(value) >= 10_000}
    shares = {f"{row.quantity:,}" for row in dashboard.holdings if row.quantity >= 100}
    numbers = {row.number.lstrip("0") for row in dashboard.open_orders.rows}
    return (amounts | headings | shares | numbers) - public


@pytest.mark.parametrize(
    ("name", "open_name"),
    [("masked", "real_fresh"), ("masked_and_made_up", "fifty_holdings"), ("percent_only", "real_fresh")],
)
def test_masked_pages_tell_no_amount_no_quantity_and_no_order(kept, name, open_name):
    masked, whole = kept(name), kept(open_name)
    secrets = secrets_of(masked.dashboard)
    told = {word.text.strip("+−~▲▼()원주") for page in read_pages(masked.data) for word in page.words}
    assert len(secrets) > 100
    assert len({text for page in read_pages(whole.data) for text in page.text.split()} & secrets) > 50, (
        "the same words would be found on open pages"
    )
    assert told & secrets == set()
    assert "1234****" not in masked.text
    assert "계좌 가림" in masked.text


def test_masked_file_hides_nothing_behind_its_text(kept):
    """Look into the streams as well: titles, attachments and text that is not drawn."""
    masked = kept("masked")
    account = masked.dashboard.account
    raw = b"".join(streams_of(masked.data))
    for secret in (f"{account.total:,}", str(account.total), f"{account.cash:,}", "12345678", "50012345"):
        assert secret.encode() not in raw
        assert secret.encode("utf-16-be") not in raw


def streams_of(data):
    """Yield the file as it is, and each of its streams unpacked."""
    yield data
    for start in re.finditer(rb"stream\r?\n", data):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(data[start.end() :])
