"""The system document: everything the code consists of is in it, and stands inside the page."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pypdfium2
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command, get_commands

from aegis.architecture import system_document
from aegis.architecture.settings_file import read_names
from aegis.architecture.tables import APPS
from aegis.schedules import BACKUP, FETCH, TIMETABLE
from kis.client.codes import TR, OrderTR
from reports.system.document import Column, Job, State, Table
from reports.system.pdf import fingerprint, render_system
from reports.system.pictures import flow_picture, relations_picture, states_picture, timetable_picture
from trading.states import NAMES, STEPS
from trading.states import State as OrderState

ROOT = Path(__file__).resolve().parents[2]
POINTS = 72 / 25.4  # of a millimetre
MARGIN, WIDTH, HEIGHT = 11.9, 210.0, 297.0


@pytest.fixture(scope="module")
def document():
    return system_document()


@pytest.fixture(scope="module")
def data(document):
    return render_system(document)


@pytest.fixture(scope="module")
def text(data):
    """Return the text of the whole document without the blanks, where long words have been broken."""
    pdf = pypdfium2.PdfDocument(data)
    try:
        return re.sub(r"\s+", "", "".join(page.get_textpage().get_text_bounded() for page in pdf))
    finally:
        pdf.close()


def squeezed(words):
    return re.sub(r"\s+", "", words)


def our_models():
    return [
        model for name in APPS if apps.is_installed(name) for model in apps.get_app_config(name).get_models()
    ]


# --- everything is in it --------------------------------------------------------------------------------------------


def test_every_table_and_column_is_in_the_text(text):
    for model in our_models():
        meta = model._meta  # noqa: SLF001  # Django's own name for it
        assert squeezed(f"{meta.db_table}{meta.verbose_name}") in text
        for field in meta.fields:
            assert squeezed(f"{field.column}{field.verbose_name}") in text


def test_every_command_is_in_the_text_with_what_it_does(document, text):
    ours = {name for name, app in get_commands().items() if app in APPS}
    assert ours == {command.name for command in document.commands}
    assert {"실전", "모의", "architecture_pdf", "kis_dashboard"} <= ours
    for command in document.commands:
        assert squeezed(f"{command.name}{command.text}") in text
        for option in command.options:
            assert squeezed(option.typed) in text


def test_every_transaction_is_in_the_text_with_its_ids_and_hosts(text, settings):
    start = "/uapi/domestic-stock/v1/"  # said once, above the column
    assert start in text
    whole = re.sub("[-\ufffe\x02]", "", text)  # a hyphen at the end of a line is no part of the text any more
    for tr in (*TR, *OrderTR):
        ids = tr.value
        tail = ids.path.removeprefix(start).replace("-", "")
        for known in (tail, ids.real, ids.paper, ids.real_legacy, ids.paper_legacy):
            assert known in whole
    for account in settings.KIS_ACCOUNTS.values():
        assert account["base_url"] in text
        assert account["ws_url"] in text


def test_every_transaction_has_a_name_in_korean_and_somebody_who_calls_it(document):
    for transaction in document.transactions:
        assert re.search(r"[가-힣]", transaction.label), transaction.name
        assert transaction.used_by or not transaction.path, transaction.name


def test_every_job_is_in_the_text_with_its_window(text):
    for job in TIMETABLE:
        assert f"{job.name}{job.task}" in text
        often = f"하루한번{job.window.opens:%H:%M}" if job is BACKUP else f"{job.minutes}분마다{job.window}"
        assert f"{job.label}{often}{', 쉬는 날에도' if job.every_day else ''}".replace(" ", "") in text


def test_every_state_of_an_order_is_in_the_text_with_what_may_follow(document, text):
    for state in OrderState:
        assert squeezed(f"{NAMES[state]}{state.name}") in text
    assert {state.name: set(state.next) for state in document.states} == {
        state.name: {follower.name for follower in STEPS.get(state, ())} for state in OrderState
    }


def test_every_setting_is_in_the_text(document, text):
    known = {setting.name for setting in document.settings}
    assert set(read_names(ROOT / "aegis" / "settings.py")) <= known
    assert {"SECRET_KEY", "KIS_REAL_APP_KEY", "KIS_PAPER_ACCOUNT_NO", "REPORT_SYNC_DIR"} <= known
    assert all(name in text for name in known)


# --- and it is true -------------------------------------------------------------------------------------------------


def test_flow_says_who_writes_and_who_only_reads(document):
    rooms = {room.name: room for room in document.rooms}
    assert {
        "kis_account",
        "kis_holding",
        "kis_execution",
        "kis_unfilled_order",
        "daily_price",
        "min_price",
    } <= rooms["kis.sync"].writes
    assert rooms["kis.statements"].writes == {"kb_holding", "kb_statement", "kb_trade"}
    assert {"trading_order", "trading_order_event", "trading_kill_switch"} <= rooms["trading"].writes
    assert not any(name.startswith("kis_") for name in rooms["trading"].writes)
    assert not any(
        name.startswith(("kis_", "trading_", "daily_", "min_")) for name in rooms["reports"].writes
    )
    assert (
        rooms["kis.api"].writes == rooms["kis.client"].writes == rooms["kis.simulator"].writes == frozenset()
    )
    assert "kis_holding" in rooms["reports"].reads & rooms["kis.api"].reads
    assert "KIS REST API" in rooms["kis.sync"].sources
    assert rooms["reports"].sources == ()


def test_relations_are_those_of_the_models(document):
    tables = {table.name: table for table in document.tables}
    assert {column.name: column.target for column in tables["kis_holding"].relations} == {
        "kis_account_id": "kis_account"
    }
    assert tables["kis_execution"].is_owned
    assert not tables["daily_price"].is_owned
    assert "stock_code · trade_date" in tables["daily_price"].unique


# --- on paper -------------------------------------------------------------------------------------------------------


def test_nothing_leaves_the_page(data):
    pdf = pypdfium2.PdfDocument(data)
    outside = []
    for number, page in enumerate(pdf, start=1):
        letters = page.get_textpage()
        for index in range(letters.count_chars()):
            left, bottom, right, top = (edge / POINTS for edge in letters.get_charbox(index))
            if right - left < 0.01:
                continue
            if left < MARGIN or right > WIDTH - MARGIN or bottom < 5 or top > HEIGHT - 5:
                outside.append((number, letters.get_text_range(max(index - 5, 0), 10)))
    pdf.close()
    assert not outside


def test_same_code_says_the_same_in_whatever_order_sets_are_read(document):
    other = "import django; django.setup(); from aegis.architecture import system_document; "
    other += "from reports.system.pictures import flow_picture as f, relations_picture as r; "
    other += "from reports.system.pdf import fingerprint as p; "
    other += "s = system_document(); print(hash('x')); print(p(s), f(s), r(s))"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    order, said = subprocess.run(
        [sys.executable, "-c", other],
        env={**os.environ, "PYTHONHASHSEED": seed, "DJANGO_SETTINGS_MODULE": "aegis.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n", 1)
    assert int(order) != hash("x")  # theirs is another one
    assert said == f"{fingerprint(document)} {flow_picture(document)} {relations_picture(document)}\n"


def test_mark_changes_with_what_the_document_says(document):
    table = document.tables[0]
    changed = replace(document, tables=(replace(table, label=f"{table.label}!"), *document.tables[1:]))
    assert fingerprint(changed) != fingerprint(document)


def ends(picture):
    """Return how far the rectangles of a picture reach to the right and down."""
    boxes = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', picture)
    return max(float(x) + float(w) for x, _, w, _ in boxes), max(float(y) + float(h) for _, y, _, h in boxes)


def test_pictures_find_room_for_twice_the_tables(document):
    more = tuple(replace(table, name=f"{table.name}_2") for table in document.tables)
    rooms = tuple(
        replace(room, writes=room.writes | {f"{name}_2" for name in room.writes}) for room in document.rooms
    )
    right, bottom = ends(flow_picture(replace(document, tables=(*document.tables, *more), rooms=rooms)))
    assert right <= 186
    assert bottom <= 226


def test_picture_of_relations_finds_room_for_a_longer_chain_and_for_a_circle(document):
    chain = [table(f"table_{place}", f"table_{place - 1}" if place else "") for place in range(6)]
    assert ends(relations_picture(replace(document, tables=tuple(chain))))[0] <= 186
    circle = [table("one", "two"), table("two", "one")]
    assert ends(relations_picture(replace(document, tables=tuple(circle))))[0] <= 186


def table(name, target):
    column = Column("other_id", "다른 표", "참조", nullable=False, target=target)
    return Table(name, "표", "kis", (column,) if target else (), (), 0, 0, is_owned=False)


def test_picture_of_states_draws_every_step(document):
    steps = sum(len(state.next) for state in document.states)
    assert states_picture(document.states).count("<path") == 2 * steps  # a way and its tip
    assert ends(states_picture(document.states))[0] <= 186
    two = (State("A", "가", ("B",), is_open=False), State("B", "나", (), is_open=False))
    assert states_picture(two).count("<path") == 2


def test_timetable_draws_a_tick_for_each_slot():
    job = Job("x", "엑스", "y", "", FETCH.window)
    hours = timetable_picture(()).count("<path")
    assert timetable_picture((job,)).count("<path") - hours == 16


# --- the command ----------------------------------------------------------------------------------------------------


def test_command_writes_the_file_and_says_where_and_same_code_is_the_same_bytes(data, tmp_path):
    output = StringIO()
    call_command("architecture_pdf", "--output", str(tmp_path / "a.pdf"), stdout=output)
    assert output.getvalue() == f"시스템 문서: {tmp_path / 'a.pdf'}\n"
    written = (tmp_path / "a.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    assert written == data


def test_command_explains_a_place_that_cannot_be_written(document, tmp_path, monkeypatch):
    command = "aegis.management.commands.architecture_pdf"
    monkeypatch.setattr(f"{command}.system_document", lambda: document)
    monkeypatch.setattr(f"{command}.render_system", lambda document: b"%PDF")
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="쓸 수 없습니다"):
        call_command("architecture_pdf", "--output", str(tmp_path / "file" / "a.pdf"))
