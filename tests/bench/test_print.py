"""What the print costs, as ratios measured in one run: `make bench`."""

import logging
import shutil
import statistics
import subprocess
import time
from functools import partial

import pytest

from kis.models import DailyPrice, KisAccount, KisExecution, KisHolding, KisUnfilledOrder, MinPrice
from reports import fonts
from reports.pdf import render_html, render_pdf
from tests.bench.obvious import render_obviously
from tests.factories import fill, order, save_minutes, snapshot, stocks
from tests.reports.conftest import figures_of, fonts_of

pytestmark = pytest.mark.django_db
ROUNDS = 3


def seconds(action, rounds=ROUNDS):
    """Return the median of some runs after a warm one."""
    action()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def figures(count):
    """Return an account of so many stocks with two weeks and five hours of prices; what was there before is gone."""
    for model in (KisExecution, KisUnfilledOrder, KisHolding, KisAccount, DailyPrice, MinPrice):
        model.objects.all().delete()
    held = stocks(count)
    account = snapshot(held)
    save_minutes(held)
    for number in range(6):
        fill(number)
    for number in range(4):
        order(account, number)
    return figures_of(account)


def test_static_fonts_against_the_variable_file(monkeypatch, settings, tmp_path):
    dashboard = figures(20)
    static = seconds(lambda: render_pdf(dashboard))
    fonts.supported_characters()  # of the static files, before the folder changes
    for weight in fonts.WEIGHTS:
        shutil.copy(fonts._source(), tmp_path / fonts.font_path(weight).name)  # noqa: SLF001  # what they are cut from
    settings.FONT_DIR = tmp_path
    monkeypatch.setattr(fonts, "ensure_fonts", lambda: False)
    pdf = render_pdf(dashboard)
    assert {name.split("+")[1].split("-")[0] for name, _ in fonts_of(pdf)} == {"Noto"}, (
        "the font was not used"
    )
    whole = seconds(lambda: render_pdf(dashboard))
    print(
        f"\n20 holdings, variable font / static fonts: {whole / static:.1f}×  ({whole:.2f} s / {static:.2f} s)"
    )


def test_time_grows_with_the_holdings():
    taken = {count: seconds(partial(render_pdf, figures(count))) for count in (1, 20, 50, 100, 200)}
    each = (taken[200] - taken[1]) / 199
    print("\nholdings: " + ", ".join(f"{count} in {time:.2f} s" for count, time in taken.items()))
    print(
        f"200 holdings: {taken[200] / 200 * 1000:.1f} ms each with the first page, {each * 1000:.1f} ms more for one more"
    )


def test_against_one_figure_for_each_chart(caplog):
    caplog.set_level(
        logging.ERROR, logger="weasyprint"
    )  # the names inside of a figure are those of the others
    dashboard = figures(20)
    ours, obvious = (
        seconds(partial(render_pdf, dashboard)),
        seconds(partial(render_obviously, dashboard), rounds=1),
    )
    print(
        f"\n20 holdings, a matplotlib figure per chart / ours: {obvious / ours:.1f}×  ({obvious:.2f} s / {ours:.2f} s)"
    )


def test_against_a_browser_that_prints_the_same_html(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium to compare with")
    dashboard = figures(20)
    page, pdf = tmp_path / "dashboard.html", tmp_path / "dashboard.pdf"
    page.write_text(render_html(dashboard), encoding="utf-8")
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--no-pdf-header-footer",
    ]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={pdf}", page.as_uri()]
    ours = seconds(partial(render_pdf, dashboard))
    theirs = seconds(partial(subprocess.run, command, check=True, capture_output=True))
    assert pdf.stat().st_size > 10_000
    print(
        f"\n20 holdings, Chromium printing the same HTML / ours: {theirs / ours:.1f}×  ({theirs:.2f} s / {ours:.2f} s)"
    )
