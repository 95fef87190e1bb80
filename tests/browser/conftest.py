"""A real browser on the real site in demo mode: the system's Chromium through Playwright; skipped by name where there is none.

The site runs in a process of its own with a folder of its own, the market in this one, where tests can move it.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kis.demo import Serving
from kis.simulator.server import Simulator, SimulatorConfig
from tests import ready_database
from tests.kis.syncing import TEN, Broker
from tests.programs import first_answer, own_address, running

ROOT = Path(__file__).resolve().parents[2]
AT_HAND = Path(__file__).with_name("at_hand.py")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
#: What the browser and htmx say where a test lets the server be away.
OF_THE_TEST = re.compile(r"Failed to load resource|Response Status Error|htmx:(sendError|afterRequest)")
#: Milliseconds that a busy machine may take to show something.
PATIENCE = 60_000
PASSWORD = "correct horse battery"
MAKE_OWNER = (
    "from django.contrib.auth import get_user_model as users; "
    f"users().objects.create_superuser('owner', password={PASSWORD!r})"
)


def pytest_collection_modifyitems(items):
    for item in items:
        if not CHROMIUM and item.path.is_relative_to(ROOT / "tests" / "browser"):
            item.add_marker(pytest.mark.skip(reason="needs Chromium"))


# --- the site ------------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """The site with its market, and who runs its commands."""

    url: str
    serving: Serving
    commands: "subprocess.Popen[str]"
    #: The cookies of somebody who has signed in, once somebody has.
    signed_in: list[Any] = field(default_factory=list)

    @property
    def broker(self):
        return Broker(self.serving.simulator.real.url)

    def run(self, *words):
        assert self.commands.stdin
        assert self.commands.stdout
        print(json.dumps(words), file=self.commands.stdin, flush=True)
        told = self.commands.stdout.readline()
        assert told, "it took too long, or ended the process that runs commands"
        went_well, said = json.loads(told)
        assert went_well, said
        return said

    def let_pass(self, **time_passed):
        """Set the market's clock forward."""
        self.broker.clock(self.serving.simulator.now() + timedelta(**time_passed))
        self.serving.look_after()

    def move_price(self, code, *, by):
        """Let a stock trade at another price, and return what the account is then worth."""
        account = self.account()
        price = next(row["price"] for row in account["positions"] if row["code"] == code) + by
        self.broker.post("price", {"code": code, "price": price})
        return self.account()["total"]

    def account(self):
        return self.broker.get("state")["accounts"][0]


@pytest.fixture(scope="session")
def site(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Site]:
    """Start the site without any data yet; its market stands still at ten o'clock but for what tests let pass."""
    var = tmp_path_factory.mktemp("site") / "var"
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "AEGIS_ENV_FILE": str(var / "none.env"),
        "AEGIS_VAR_DIR": str(var),
        "AEGIS_FONT_DIR": str(ROOT / "var" / "fonts"),
        "AEGIS_REPORT_DIR": str(var / "reports"),
        "AEGIS_CACHE_DIR": str(var / "cache"),
    }
    config = SimulatorConfig(clock=TEN, speed=0, limits=False)
    with pytest.MonkeyPatch.context() as patch, own_address() as address, Simulator(config) as simulator:
        patch.setattr("django.conf.settings.DEMO_STATE_FILE", var / "demo-simulator.json")
        patch.setattr("django.conf.settings.AEGIS_SIM_MARKET_DIR", "")
        var.mkdir(parents=True)
        from kis import demo_host  # noqa: PLC0415  # reads the settings
        from kis.demo import only_one  # noqa: PLC0415

        with only_one(demo_host.lock_file()):
            with django_db_blocker.unblock():
                ready_database.lay(var / "demo.sqlite3")
            with running([AT_HAND], environment=environment, **pipes(subprocess.PIPE)) as commands:
                there = Site(f"http://{address}", Serving(simulator), commands)
                there.run("shell", "-v0", "-c", MAKE_OWNER)
                server = ["manage.py", "runserver", "--noreload", address]
                with running(server, environment=environment, **pipes(subprocess.DEVNULL)) as program:
                    first_answer(f"{there.url}/healthz", of=program)
                    yield there


def pipes(ends):
    """Return where what a program reads and says goes; nobody reads its complaints."""
    return {"stdin": ends, "stdout": ends, "stderr": subprocess.DEVNULL}


# --- the browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; each of them gets a profile of its own."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415  # heavy

    expect.set_options(timeout=PATIENCE)

    # Its loop stays with this thread: Django would take whatever test comes next for an asynchronous one.
    with pytest.MonkeyPatch.context() as patches, sync_playwright() as playwright:
        patches.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            timeout=2 * PATIENCE,
        )
        yield browser
        browser.close()


class Tabs:
    """Opens tabs, and remembers whatever their pages complain of or ask of others."""

    def __init__(self, chromium, site):
        self.chromium = chromium
        self.site = site
        self.contexts = []
        self.complaints: list[str] = []

    def open(self, *, signed_in=True, **how):
        """Open a tab, the first signed in as people do it; its clock is the test's to run."""
        context = self.chromium.new_context(
            base_url=self.site.url, locale="ko-KR", **{"reduced_motion": "reduce", **how}
        )
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("console", self.hear)
        tab.on("request", self.watch)
        tab.clock.install()
        if signed_in:
            context.add_cookies(self.site.signed_in)
            tab.goto("/")
            if not self.site.signed_in:
                tab.get_by_label("아이디").fill("owner")
                tab.get_by_label("비밀번호").fill(PASSWORD)
                tab.get_by_role("button", name="로그인").click()
            tab.locator("#live").wait_for()
            self.site.signed_in = context.cookies()
        return tab

    def hear(self, message):
        """Note what a page does wrong; answers that tests themselves make fail are no news."""
        if message.type in {"error", "warning"} and not OF_THE_TEST.match(message.text):
            self.complaints.append(message.text)

    def watch(self, request):
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.complaints.append(request.url)

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture
def tabs(chromium, site):
    opened = Tabs(chromium, site)
    yield opened
    opened.close()
    assert not opened.complaints


@pytest.fixture(scope="session")
def seen_first(chromium, site):
    """Open the page before there is any data, and let the first snapshot come; returns what was seen before and after."""
    tabs = Tabs(chromium, site)
    tab = tabs.open()
    before = tab.locator("h1").inner_text()
    site.run("aegis_1min_realtime", "--mode=real", "--now")
    tab.clock.run_for(5_000)
    tab.locator(".cards").wait_for()
    after = tab.locator(".card.total .note").inner_text()
    tabs.close()
    assert not tabs.complaints
    return before, after


@pytest.fixture
def books(seen_first, site):
    """Make sure that there is data, and that the button is free."""
    site.let_pass(seconds=21)
    return site
