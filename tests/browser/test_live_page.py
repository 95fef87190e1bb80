"""The live page in a browser: it moves by itself, stays where the reader is, and says when it cannot."""

import re
import time
from math import ceil

import pypdfium2
import pytest

from kis.korean import heading_text

SAMSUNG = "005930"
DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MINUTE = 60_000
WAITING = "첫 자료를 기다리고 있습니다"
PLACE = "node => node.getBoundingClientRect().top"
BACKGROUND = "node => getComputedStyle(node).backgroundColor"


def expect_text(place, text):
    from playwright.sync_api import expect  # noqa: PLC0415  # heavy

    expect(place).to_contain_text(text)


def total_of(tab):
    return tab.locator(".card.total .note")


def test_first_data_replaces_the_page_that_waits_for_it(seen_first, site):
    before, after = seen_first
    assert before == WAITING
    assert re.search(r"^[\d,]{9,}원", after)


def test_page_moves_when_the_market_does_and_the_reader_stays_where_he_is(tabs, books):
    tab = tabs.open(**DESK)
    tab.locator("#theme").focus()
    tab.evaluate("scrollTo({top: 400, behavior: 'instant'})")  # a wheel would still be turning a while later
    figure = tab.locator(".card.total .figure").element_handle()
    read = tab.evaluate_handle("document.elementFromPoint(innerWidth / 2, innerHeight / 2)")
    place = read.evaluate(PLACE)

    books.let_pass(minutes=1)
    total = books.move_price(SAMSUNG, by=2_000)
    books.run("aegis_1min_realtime", "--mode=real", "--now")
    tab.clock.run_for(MINUTE + 10_000)
    expect_text(total_of(tab), f"{total:,}원")
    assert tab.locator(".card.total .figure").inner_text() == heading_text(total)
    # The very same nodes: what was focused still is, and what was being read has not jumped, whatever grew above it.
    assert figure.evaluate("node => node.isConnected")
    assert tab.evaluate("document.activeElement.id") == "theme"
    comes_to(tab, lambda: read.evaluate(PLACE), place)
    assert tab.evaluate("scrollY") > 0
    age = tab.locator("[data-age]")
    assert int(age.get_attribute("data-age")) < 60  # and counted from there
    assert re.fullmatch(r"\d+[초분] 전", age.inner_text())


def comes_to(tab, look, place):
    """Wait until what is looked for stands there: the browser scrolls along with what grows no sooner than it draws again."""
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        if look() == pytest.approx(place, abs=1):
            return
        tab.wait_for_timeout(50)
    assert look() == pytest.approx(place, abs=1)


def test_age_is_counted_between_two_looks(tabs, books):
    began = time.monotonic()
    tab = tabs.open()
    before = int(tab.locator("[data-age]").get_attribute("data-age"))
    tab.clock.run_for(7_000)
    shown = tab.locator("[data-age]").inner_text()
    # Its clock goes on by itself as well.
    longest = 7 + ceil(time.monotonic() - began)
    ages = range(before + 7, before + longest + 1)
    assert shown in {f"{age}초 전" if age < 60 else f"{age // 60}분 전" for age in ages}


def test_button_fetches_now_says_so_and_is_not_for_hammering(tabs, books):
    tab = tabs.open()
    total = books.move_price(SAMSUNG, by=-1_000)
    tab.get_by_role("button", name="지금 동기화").click()
    expect_text(tab.get_by_role("status"), "동기화했습니다. 대사 일치.")
    expect_text(total_of(tab), f"{total:,}원")
    tab.get_by_role("button", name="지금 동기화").click()
    expect_text(tab.get_by_role("status"), "방금 동기화했습니다.")


def test_theme_is_switched_and_remembered(tabs, books):
    tab = tabs.open(color_scheme="light")
    html = tab.locator("html")
    light = html.evaluate(BACKGROUND)
    tab.get_by_role("button", name="어둡게").click()
    dark = html.evaluate(BACKGROUND)
    assert dark != light
    tab.reload()
    assert html.evaluate(BACKGROUND) == dark
    tab.get_by_role("button", name="밝게").click()
    assert html.evaluate(BACKGROUND) == light


def test_pdf_is_downloaded_and_tells_the_same_total(tabs, books):
    tab = tabs.open()
    shown = total_of(tab).inner_text().split("원")[0]
    with tab.expect_download() as download:
        tab.get_by_role("link", name="PDF").click()
    assert re.fullmatch(r"Kis_Dashboard_real_2026-11-20_10\d{4}\.pdf", download.value.suggested_filename)
    document = pypdfium2.PdfDocument(download.value.path())
    try:
        assert shown in document[0].get_textpage().get_text_bounded()
    finally:
        document.close()


def test_server_that_is_away_turns_the_strip_amber_until_it_is_back(tabs, books):
    tab = tabs.open()
    strip, total = tab.locator("#strip"), total_of(tab).inner_text()
    plain = strip.evaluate(BACKGROUND)
    tab.route("**/*", lambda route: route.abort())
    tab.clock.run_for(MINUTE + 10_000)
    expect_text(tab.get_by_role("status"), "서버에 연결하지 못했습니다. 아래 값은 10:")
    assert strip.evaluate(BACKGROUND) != plain
    assert total_of(tab).inner_text() == total
    tab.unroute("**/*")
    tab.clock.run_for(2 * MINUTE)
    expect_text(tab.get_by_role("status"), "다시 연결했습니다.")
    assert strip.evaluate(BACKGROUND) == plain


def test_data_that_grows_old_is_said_and_shown(tabs, books):
    tab = tabs.open(color_scheme="dark")
    total = tab.locator(".card.total .figure")
    assert total.evaluate("figure => getComputedStyle(figure).fontWeight") == "700"
    books.let_pass(minutes=40)
    tab.clock.run_for(MINUTE + 10_000)
    expect_text(tab.locator("#strip"), "지난 자료입니다. 아래 값은 모두 1")
    assert total.evaluate("figure => getComputedStyle(figure).fontWeight") == "400"
    books.run("aegis_1min_realtime", "--mode=real", "--now")  # the other tests want fresh data
    tab.clock.run_for(MINUTE)
    expect_text(tab.locator("#strip"), "정규장")
    assert total.inner_text().replace("\n", "") in tab.title()


def test_session_that_is_over_leads_to_the_sign_in(tabs, books):
    tab = tabs.open()
    tab.context.clear_cookies()
    tab.clock.run_for(MINUTE + 10_000)
    tab.get_by_role("status").get_by_role("link", name="다시 로그인").click()
    tab.get_by_label("아이디").wait_for()
    assert "/login/?next=" in tab.url


def is_look(request):
    return "hx-request" in request.headers


def test_hidden_tab_asks_for_nothing(tabs, books):
    tab = tabs.open()
    tab.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if is_look(request) else None)
    tab.clock.run_for(10 * MINUTE)
    assert asked == []
    with tab.expect_request(is_look):
        tab.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


def test_page_fits_a_phone(tabs, books):
    tab = tabs.open(**PHONE)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.locator("#block-h tbody tr").first.is_visible()


def test_page_is_used_with_the_keyboard(tabs, books):
    tab = tabs.open()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "본문으로 건너뛰기"
    tab.keyboard.press("Enter")
    tab.locator("#main:focus").wait_for()


def test_paper_is_white_and_without_buttons(tabs, books):
    tab = tabs.open(color_scheme="dark")
    tab.emulate_media(media="print")
    assert tab.locator("html").evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    assert not tab.locator("#sync").is_visible()
    assert tab.locator(".card.total .figure").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_nothing_keeps_anybody_from_reading_it(tabs, books, theme, size):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # reads a large script

    how = {"color_scheme": theme, **(PHONE if size == "phone" else DESK)}
    page, sheet = tabs.open(**how), tabs.open(signed_in=False, **how)
    sheet.goto("/login/")
    for tab in (page, sheet):
        grave = [
            (rule["id"], [node["target"] for node in rule["nodes"]][:5], rule["nodes"][0]["failureSummary"])
            for rule in Axe().run(tab).response["violations"]
            if rule["impact"] in {"serious", "critical"}
        ]
        assert not grave
