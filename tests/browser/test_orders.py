"""Orders in a browser: sign in with a second factor, from the form to the fill, and an answer that is lost."""

import time
from base64 import b32decode

import pytest
from django_otp.oath import TOTP

SAMSUNG = "005930"
PASSWORD, TRADING_PASSWORD = "correct horse battery", "tree-9-candle-river"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MAKE_TRADER = f"""
from django.contrib.auth import get_user_model as users
from django.utils import timezone
from kis.accounts import configured_accounts
from kis.grants import grant
from trading import password
user = users().objects.create_user("trader", password={PASSWORD!r})
for account in configured_accounts():
    grant(user, account.number, is_paper=account.is_paper, role="trader")
password.set_password({TRADING_PASSWORD!r}, at=timezone.now())
"""
#: A code comes sooner than anybody reads a preview.
LONG_ENOUGH = 2.1


def expect(place):
    from playwright import sync_api  # noqa: PLC0415  # heavy

    return sync_api.expect(place)


class App:
    """An app on a telephone whose clock is right, or early where its code was taken already: each is new to the site.

    None is late: half a minute is what the site takes, and may be over before the code is there.
    """

    def __init__(self):
        self.secret = ""
        self.used = -1

    def next_code(self):
        app = TOTP(b32decode(self.secret))
        app.time = time.time()
        while app.t() <= self.used:
            app.drift += 1
        self.used = app.t()
        return f"{app.token():06}"


@pytest.fixture(scope="module")
def app(site):
    site.run("shell", "-v0", "-c", MAKE_TRADER)
    return App()


def sign_in(tab, app):
    """Sign in as people do it, on the way to the form of a new order."""
    tab.goto("/orders/new/")
    tab.get_by_label("아이디").fill("trader")
    tab.get_by_label("비밀번호").fill(PASSWORD)
    tab.get_by_role("button", name="로그인").click()
    if app.secret:
        tab.get_by_label("코드", exact=True).fill(app.next_code())
        tab.get_by_role("button", name="확인").click()
        return
    tab.get_by_role("button", name="등록 시작").click()
    # Once it has been read; a picture that cannot be fails here.
    assert tab.locator("img.qr").evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
    app.secret = tab.locator(".secret").inner_text().replace(" ", "")
    tab.get_by_label("앱에 보이는").fill(app.next_code())
    tab.get_by_role("button", name="등록").click()
    expect(tab.locator(".codes li")).to_have_count(10)
    tab.goto("/orders/new/")


def propose(tab, side, quantity):
    """Fill in the form for an order at the market, and return the code that the preview shows."""
    tab.get_by_label("실전", exact=False).check()
    tab.get_by_label(side, exact=True).check()
    tab.get_by_label("종목코드").fill(SAMSUNG)
    tab.get_by_label("시장가", exact=True).check()
    tab.get_by_label("수량").fill(str(quantity))
    tab.get_by_label("거래 비밀번호").fill(TRADING_PASSWORD)
    tab.get_by_role("button", name="미리보기").click()
    return tab.locator(".confirm-code b").inner_text()


def confirm(tab, code):
    tab.wait_for_timeout(LONG_ENOUGH * 1000)
    tab.get_by_label("거래 비밀번호").fill(TRADING_PASSWORD)
    tab.get_by_label("확인 코드").fill(code.lower())
    tab.get_by_role("button", name="보내기").click()


def ordered(site):
    """Return how many orders the exchange has from our account."""
    return len([order for order in site.broker.get("orders") if order["mode"] == "real"])


def test_order_goes_from_the_form_to_the_fill_and_only_once(tabs, books, app):
    before = ordered(books)
    tab = tabs.open(signed_in=False)
    sign_in(tab, app)
    code = propose(tab, "매수", 2)
    preview = tab.url
    expect(tab.locator(".preview")).to_contain_text("체결 뒤")
    assert ordered(books) == before
    confirm(tab, code)
    expect(tab.locator("#order")).to_contain_text("접수되었습니다")
    tab.clock.run_for(3_000)
    expect(tab.locator("#order")).to_contain_text("모두 체결되었습니다")
    for again in (tab.go_back, tab.go_forward, tab.reload, lambda: tab.goto(preview)):
        again()
    assert ordered(books) == before + 1
    tab.goto("/orders/")
    expect(tab.locator(".order-list tbody tr").first).to_contain_text("체결")


def test_lost_answer_says_so_on_a_telephone_and_is_adopted(tabs, books, app):
    before = ordered(books)
    tab = tabs.open(signed_in=False, **PHONE)
    sign_in(tab, app)
    code = propose(tab, "매도", 1)
    books.broker.fault("TTTC0011U", "reset_after")
    confirm(tab, code)
    expect(tab.get_by_role("alert")).to_contain_text("접수되었을 수도, 아닐 수도 있습니다")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.reload()
    assert ordered(books) == before + 1
    tab.get_by_role("button", name="증권사에 확인").click()
    expect(tab.locator(".candidates")).to_contain_text("수량과 가격이 같습니다")
    tab.get_by_label("거래 비밀번호").fill(TRADING_PASSWORD)
    tab.get_by_role("button", name="이 주문이 맞습니다").click()
    expect(tab.locator("#order")).to_contain_text("모두 체결되었습니다")
    assert ordered(books) == before + 1
