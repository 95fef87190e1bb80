"""The files that leave: no amount of the account in any text of any page, nor in what a file says about itself."""

import re
from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest

from kis.korean import number, percent, share
from reports.encryption import encrypted
from reports.looks import Privacy
from reports.pdf import render_html, render_pdf
from reports.privacy import shown
from tests.factories import AT, Stock, fill, order, save_minutes, snapshot, sync_run, weeks_of
from tests.reports.conftest import drawn_once, pages_of
from tests.reports.test_overview import ADVICE
from tests.reports.test_privacy import amounts_in

pytestmark = [pytest.mark.django_db, drawn_once]
AVERAGES = [50_003.5 + 1_237.25 * place for place in range(24)]


@pytest.fixture(scope="module")
def busy(figures):
    """Return a day with every page: holdings, fills, orders, books, candles, minutes, a curve, and numbers of many figures."""

    def save():
        held = [
            Stock(
                code=f"{10_000 + place:06}",
                name=f"종목{place:03}",
                price=51_000 + 1_150 * place,
                average=average,
                quantity=12_347 + 1_111 * place,
                change=0.83,
                locked=2_003 + place,
            )
            for place, average in enumerate(AVERAGES)
        ]
        worth = sum(stock.price * stock.quantity for stock in held) + 10_633_778
        weeks_of(
            [worth - 1_234_567 * (place % 7) for place in range(40)], until=AT.date(), flows={20: 33_333_337}
        )
        checks = [
            {
                "name": "D+1 현금 흐름",
                "ours": 7_654_321,
                "broker": 7_664_321,
                "unit": "원",
                "row": "삼성전자 10,000원",
            },
            {
                "name": "수량 변화 = 체결",
                "ours": 5_557,
                "broker": 5_560,
                "unit": "주",
                "row": "삼성전자 5,557주",
            },
        ]
        account = snapshot(
            held, run=sync_run(checks=[{**check, "difference": 1} for check in checks]), today_fee=12_337
        )
        save_minutes(held)
        for place in range(60):
            fill(place, exec_qty=1_013 + place, exec_amt=(1_013 + place) * 57_100, commission=7_919 + place)
        for place in range(12):
            order(account, place, ord_qty=4_019 + place, psbl_qty=3_001 + place)
        return account

    return replace(figures(save), advice=ADVICE)


def secrets(dashboard):
    """Return every amount and number of shares as it would be written, and what else nobody should read."""
    found: set[int] = set()
    amounts_in(dashboard, found)
    public = {row.price for row in dashboard.holdings} | {57_100, 62_000}
    written = {f"{abs(value):,}" for value in found if abs(value) >= 1_000 and abs(value) not in public}
    written |= {number(round(row.average)) for row in dashboard.holdings}
    written |= {row.number for row in dashboard.open_orders.rows if row.number}
    return written


def spoken(secret, text):
    """Whether a number stands in a text by itself: 4,021 does not in 64,021."""
    return re.search(rf"(?<![\d,]){re.escape(secret)}(?![\d,])", text)


def said(data):
    """Return all text of a file: that of its pages, and that about itself."""
    with pikepdf.open(BytesIO(data)) as document:
        about = [f"{name}{value}" for name, value in document.docinfo.items()]
        if "/Metadata" in document.Root:
            about.append(bytes(document.Root.Metadata.read_bytes()).decode("utf-8", "replace"))
        outline = [str(item.title) for item in document.open_outline().root]
        assert not [note for page in document.pages for note in page.get("/Annots", [])]
        assert not document.attachments
    return "\n".join([*pages_of(data), *about, *outline])


@pytest.fixture(scope="module")
def files(busy):
    """Return each look of the busy day as a file."""
    return {privacy: render_pdf(*shown(busy, privacy)) for privacy in Privacy}


def test_busy_day_has_every_page_and_its_secrets_can_be_found(busy, files):
    text = said(files[Privacy.FULL])
    for title in ("보유 종목", "오늘 체결", "미체결", "2주 차트", "1분 차트", "대사", "자산 추이"):
        assert title in text
    assert len(pages_of(files[Privacy.FULL])) >= 7
    found = {secret for secret in secrets(busy) if spoken(secret, text)}
    assert len(found) > 200  # so that the next tests look for what would be there
    assert "1234****-01" in text


@pytest.mark.parametrize("privacy", [Privacy.MASKED, Privacy.PERCENT])
def test_no_amount_is_left_in_any_text(busy, files, privacy):
    text = said(files[privacy])
    assert not {secret for secret in secrets(busy) if spoken(secret, text)}
    assert "1234****" not in text
    assert not re.findall(r"117\d{3}|\d[\d,]*원(?!칙)|\d주(?! ?[차종그])|\d ?[억만]", text)


@pytest.mark.parametrize("privacy", [Privacy.MASKED, Privacy.PERCENT])
def test_made_up_amounts_are_not_shown_either(busy, files, privacy):
    veiled, _ = shown(busy, privacy)
    text = said(files[privacy])
    assert not {secret for secret in secrets(veiled) if spoken(secret, text)}


def test_masked_file_shows_parts_of_the_account_and_prices_of_the_market(busy, files):
    text, d = said(files[Privacy.MASKED]), busy
    assert "계좌 가림" in text
    for row in d.holdings:
        assert number(row.price) in text
        assert share(row.weight) in text
        assert percent(row.profit_pct) in text
    assert f"{d.account.cash * 100 / d.account.total:.2f}%" in text
    assert "57,100" in text  # what was traded at
    assert "2주 차트" in text
    assert "1분 차트" in text


def test_percent_file_shows_weights_and_returns_alone(busy, files):
    text, d = said(files[Privacy.PERCENT]), busy
    for row in d.holdings:
        assert not spoken(number(row.price), text)
        assert share(row.weight) in text
        assert percent(row.profit_pct) in text
    for gone in ("57,100", "62,000", "2주 차트", "1분 차트", "이어서", "총평가 지수"):
        assert gone not in text
    assert not re.findall(r"입금 ?\d", text)
    assert "체결 내역을 싣지 않았습니다" in text
    assert len(pages_of(files[Privacy.PERCENT])) < len(pages_of(files[Privacy.MASKED]))


@pytest.mark.parametrize("privacy", list(Privacy))
def test_same_look_gives_the_same_bytes(busy, files, privacy):
    assert render_pdf(*shown(busy, privacy)) == files[privacy]


def test_page_of_charts_says_nothing_in_its_source(busy):
    html = render_html(*shown(busy, Privacy.MASKED))
    assert not {secret for secret in secrets(busy) if spoken(secret, html)}


def test_encrypted_file_says_nothing_without_its_password(busy, files):
    data = encrypted(files[Privacy.FULL], "secret word")
    for secret in sorted(secrets(busy))[:50]:
        assert secret.encode() not in data
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(BytesIO(data))
