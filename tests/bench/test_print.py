"""What the print costs, as ratios measured in one run: `make bench`."""

import shutil
import statistics
import time

import pytest

from kis.models import KisAccount, KisExecution, KisHolding, KisUnfilledOrder
from reports import fonts
from reports.pdf import render_pdf
from tests.factories import fill, order, snapshot, stocks
from tests.reports.conftest import figures_of, fonts_of

pytestmark = pytest.mark.django_db
ROUNDS = 3


def seconds(action):
    """Return the median of some runs after a warm one."""
    action()
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def figures(count):
    account = snapshot(stocks(count))
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
    few = figures(20)
    small = seconds(lambda: render_pdf(few))
    for model in (KisExecution, KisUnfilledOrder, KisHolding, KisAccount):
        model.objects.all().delete()
    many = figures(120)
    large = seconds(lambda: render_pdf(many))
    print(f"\n120 holdings / 20 holdings: {large / small:.1f}×  ({large:.2f} s / {small:.2f} s)")
