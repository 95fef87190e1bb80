"""Files of KB Securities in the books: each file once, each row once, by reference; whatever differs is said."""

import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from kis.korean import SEOUL
from kis.models import KbHolding, KbStatement, KbTrade, Stock
from kis.statements.load import Outcome, load_file, load_folder
from kis.statements.rows import TradeKind
from tests import ready_database
from tests.kis import kb_files
from tests.kis.kb_files import BOUGHT, HOLDINGS_HEADER, SAMSUNG, TRADES_HEADER, csv_file, sample

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=SEOUL)
ROOT = Path(__file__).resolve().parents[2]
WITH_NUMBER = ["거래일자", "거래번호", *TRADES_HEADER[1:]]
PAID_IN = ["2026-11-02", "전자금융입금", "", "", "", "70000", "", "", "70000"]


def load(data, name="kb.csv", **how):
    return load_file(data, name=name, now=NOW, **how)


def reasons(result):
    return [(problem.line, problem.reason) for problem in result.problems]


def numbered(*rows):
    """Return transactions with numbers; each row is (number, row)."""
    title = ["계좌번호", "123-456-789-01"]
    return csv_file(title, WITH_NUMBER, *([row[0], number, *row[1:]] for number, row in rows))


def with_fee(fee):
    return [*BOUGHT[:6], str(fee), "0", ""]


def test_balance_becomes_holdings_of_its_day():
    result = load(sample("holdings.csv"), "잔고.csv")
    statement = KbStatement.objects.get()
    assert (result.outcome, result.statement_id, result.known) == (Outcome.SAVED, statement.pk, 0)
    assert (statement.name, statement.kind, statement.as_of) == ("잔고.csv", "holdings", date(2026, 11, 20))
    assert (statement.rows, statement.problem_count, statement.imported_at) == (5, 0, NOW)
    held = KbHolding.objects.get(stock_code="005930")
    assert (held.as_of, held.quantity, held.average) == (date(2026, 11, 20), Decimal(1000), Decimal(72_500))
    assert (held.cost, held.value, held.profit) == (72_500_000, 70_000_000, -2_500_000)
    assert (held.statement, held.line) == (statement, 6)


@pytest.mark.parametrize("odd", ["잔\udcff고.csv", "잔\0고.csv"])
def test_name_that_is_no_text_is_kept_without_what_is_none(odd):
    """Python hands on the bytes of a name that are no UTF-8 as halves of signs, which no database keeps."""
    result = load(sample("holdings.csv"), odd, account="\udcff\0ISA")
    assert result.outcome is Outcome.SAVED
    assert KbStatement.objects.get().name in {"잔?고.csv", "잔고.csv"}


def test_history_becomes_trades():
    load(sample("trades.csv"))
    assert list(
        KbTrade.objects.order_by("line").values_list("trade_date", "kind", "stock_code", "net", "reference")
    ) == [
        (date(2026, 11, 2), "deposit", "", 5_000_000, "1"),
        (date(2026, 11, 3), "buy", "005930", -725_120, "1"),
        (date(2026, 11, 3), "buy", "005930", -725_120, "2"),
        (date(2026, 11, 10), "sell", "005930", 593_114, "1"),
        (date(2026, 11, 12), "dividend", "005930", 3_060, "3"),
        (date(2026, 11, 20), "withdrawal", "", -1_000_000, "1"),
    ]


def test_account_is_kept_masked_and_never_in_full():
    load(sample("trades.csv"))
    load(sample("holdings.csv"))
    assert set(KbTrade.objects.values_list("account_label")) == {("1234*****-01",)}
    for model in (KbStatement, KbHolding, KbTrade):
        assert "123456789" not in repr(list(model.objects.values())).replace("-", "")


def test_same_file_brings_nothing_a_second_time_whatever_its_name():
    first = load(sample("trades.csv"), "a.csv")
    again = load(sample("trades.csv"), "b.csv")
    assert (again.outcome, again.statement_id) == (Outcome.KNOWN, first.statement_id)
    assert again.reason == "이미 가져온 파일입니다(2026-11-20 18:00, a.csv)."
    assert (KbStatement.objects.count(), KbTrade.objects.count()) == (1, 6)


def test_rows_of_an_overlapping_export_are_taken_once():
    load(numbered((1, BOUGHT), (2, BOUGHT)))
    later = load(numbered((2, BOUGHT), (3, BOUGHT)))
    assert (len(later.new), later.known, later.problems) == (1, 1, ())
    assert sorted(KbTrade.objects.values_list("reference", "ordinal")) == [("1", 1), ("2", 2), ("3", 3)]


def test_rows_without_numbers_are_told_apart_by_their_place_among_equal_ones():
    load(kb_files.trades(BOUGHT, BOUGHT, PAID_IN))
    later = load(kb_files.trades(PAID_IN, BOUGHT, BOUGHT, BOUGHT))
    assert (len(later.new), later.known, later.problems) == (1, 3, ())
    assert KbTrade.objects.filter(kind="buy").count() == 3


def test_equal_rows_in_another_order_make_no_differences():
    load(kb_files.trades(with_fee(10), with_fee(12)))
    later = load(kb_files.trades(with_fee(12), with_fee(10)))
    assert (len(later.new), later.known, later.problems) == (0, 2, ())


def test_other_screen_of_the_same_account_adds_only_what_is_missing():
    """The two-line history has no numbers and no codes, and spells some words otherwise."""
    load(sample("trades.csv"))
    later = load(sample("trades_two_lines.csv"))
    assert later.known == 6
    assert [row.name for row in later.new] == ["카카오게임즈", "NAVER"]
    assert [problem.line for problem in later.problems] == [20]
    assert KbTrade.objects.get(kind="dividend").fee == 0  # blank in the first file
    assert KbTrade.objects.get(kind="withdrawal").tax == 0
    assert later.completed == 2


def test_richer_export_fills_blanks_and_changes_nothing_else():
    load(sample("trades_two_lines.csv"))
    before = dict(KbTrade.objects.values_list("line", "net"))
    later = load(sample("trades.csv"))
    assert (len(later.new), later.known, later.completed) == (0, 6, 6)
    bought = KbTrade.objects.filter(trade_date=date(2026, 11, 3))
    assert sorted(bought.values_list("reference", "stock_code")) == [("1", "005930"), ("2", "005930")]
    assert dict(KbTrade.objects.values_list("line", "net")) == before


def test_correction_is_listed_and_the_first_number_stays():
    load(numbered((1, BOUGHT)))
    corrected = [*BOUGHT[:4], "72600", "726000", "120", "0", "726120"]
    later = load(numbered((1, corrected)), "b.csv")
    assert reasons(later) == [
        (
            3,
            (
                "이미 다른 값으로 담겨 있습니다: 단가 72,500 → 72,600, 거래금액 725,000 → 726,000, "
                "정산금액 -725,120 → -726,120. 먼저 담은 값을 그대로 두었습니다."
            ),
        )
    ]
    assert KbTrade.objects.get().price == 72_500
    assert KbStatement.objects.get(name="b.csv").problems[0]["text"] == (
        "2026-11-03 매수 삼성전자 10주 72,600원 정산 -726,120원"
    )


def test_correction_of_a_row_without_number_is_listed_too():
    load(kb_files.trades(with_fee(120)))
    later = load(kb_files.trades(with_fee(130)))
    ((_, reason),) = reasons(later)
    assert "수수료 120 → 130" in reason
    assert KbTrade.objects.get().fee == 120


def test_other_stock_under_a_known_number_is_a_difference():
    load(numbered((1, BOUGHT)))
    ((_, reason),) = reasons(load(numbered((1, [*BOUGHT[:2], "NAVER", *BOUGHT[3:]]))))
    assert "종목 삼성전자 → NAVER" in reason


def test_number_used_twice_in_one_file_is_taken_once():
    result = load(numbered((1, BOUGHT), (1, BOUGHT), (1, [*BOUGHT[:3], "11", *BOUGHT[4:]])))
    assert (len(result.new), result.known) == (1, 1)
    ((line, reason),) = [found for found in reasons(result) if "맞지 않습니다" not in found[1]]
    assert line == 5
    assert "같은 거래번호가 이 파일에 다른 내용으로 또 있어" in reason


def test_number_starts_again_every_day():
    load(numbered((1, BOUGHT), (1, ["2026-11-04", *BOUGHT[1:]])))
    assert KbTrade.objects.count() == 2


def test_accounts_do_not_mix():
    load(kb_files.trades(BOUGHT))
    other = load(kb_files.trades(BOUGHT, title=["계좌번호", "123-499-789-01"]))
    assert len(other.new) == 1
    assert KbTrade.objects.values("account_key").distinct().count() == 2
    assert KbTrade.objects.values("account_label").distinct().count() == 1  # their masks are the same


def test_column_of_account_numbers_parts_the_rows_of_one_file():
    header = [*TRADES_HEADER, "계좌번호"]
    load(csv_file(header, [*BOUGHT, "123-456-789-01"], [*BOUGHT, "123-456-789-02"]))
    assert sorted(KbTrade.objects.values_list("account_label", "ordinal")) == [
        ("1234*****-01", 1),
        ("1234*****-02", 1),
    ]


def test_file_without_account_is_not_counted_beside_one_that_has_it():
    load(kb_files.trades(BOUGHT))
    later = load(csv_file(TRADES_HEADER, BOUGHT, PAID_IN))
    assert [row.kind for row in later.new] == [TradeKind.DEPOSIT]
    assert [line for line, reason in reasons(later)] == [0, 2]
    assert KbTrade.objects.filter(kind="buy").count() == 1


def test_owner_names_the_account_of_a_file_that_does_not():
    load(kb_files.trades(BOUGHT))
    nameless = csv_file(TRADES_HEADER, BOUGHT)
    load(nameless)
    named = load(nameless, account="ISA")
    assert (named.outcome, len(named.new), named.account) == (Outcome.SAVED, 1, "ISA")
    assert load(nameless, account="ISA").outcome is Outcome.KNOWN
    assert sorted(KbTrade.objects.values_list("account_label", flat=True)) == ["1234*****-01", "ISA"]


def test_account_in_the_file_wins_over_the_one_given():
    load(kb_files.trades(BOUGHT), account="ISA")
    assert KbTrade.objects.get().account_label == "1234*****-01"


def test_second_look_at_a_balance_of_the_day_takes_new_stocks_and_lists_changes():
    load(kb_files.holdings(SAMSUNG))
    more = [*SAMSUNG[:2], "12", *SAMSUNG[3:]]
    later = load(
        kb_files.holdings(more, ["NAVER", "035420", "1", "200000", "200000", "200000", "200000", "0"])
    )
    assert [row.name for row in later.new] == ["NAVER"]
    assert any("수량 10 → 12" in reason for _, reason in reasons(later))
    assert KbHolding.objects.get(stock_code="005930").quantity == 10


def test_stock_bought_with_cash_and_on_credit_stands_twice_in_a_balance():
    data = kb_files.holdings(SAMSUNG, [*SAMSUNG[:2], "3", "72500", "217500", "70000", "210000", "-7500"])
    load(data)
    assert load(data + b"\n").known == 2
    assert sorted(KbHolding.objects.values_list("quantity", "ordinal")) == [
        (Decimal(3), 2),
        (Decimal(10), 1),
    ]


def test_newest_holdings_are_those_of_each_accounts_last_day():
    load(kb_files.holdings(SAMSUNG, title=["조회일자", "2026-11-18"]))
    load(kb_files.holdings(["NAVER", *SAMSUNG[1:]], title=["조회일자", "2026-11-19"]))
    load(kb_files.holdings(["카카오", *SAMSUNG[1:]], title=["계좌 123-456-789-01 조회일자", "2026-11-01"]))
    assert sorted(KbHolding.objects.newest().values_list("stock_name", flat=True)) == ["NAVER", "카카오"]


@pytest.mark.parametrize(
    ("name", "as_of", "day", "words"),
    [
        ("잔고_20261118.csv", None, date(2026, 11, 18), "파일 이름의 날짜"),
        ("잔고 2026-11-01~2026-11-19.csv", None, date(2026, 11, 19), "파일 이름의 날짜"),
        ("잔고.csv", None, date(2026, 11, 20), "오늘 날짜"),
        ("잔고_20261118.csv", date(2026, 11, 17), date(2026, 11, 17), ""),
    ],
)
def test_balance_without_a_day_gets_one_and_says_whose(name, as_of, day, words):
    result = load(csv_file(HOLDINGS_HEADER, SAMSUNG), name, as_of=as_of)
    assert (result.as_of, KbHolding.objects.get().as_of) == (day, day)
    assert len(result.problems) == bool(words)
    assert all(problem.taken and words in problem.reason for problem in result.problems)


def test_day_that_has_not_come_is_not_taken():
    result = load(kb_files.trades(["2026-11-21", *BOUGHT[1:]], BOUGHT))
    assert reasons(result) == [(3, "아직 오지 않은 날짜의 행이라 담지 않았습니다.")]
    assert KbTrade.objects.get().line == 4


def test_code_comes_from_the_market_where_its_name_is_the_only_one():
    listed = {"market": "KOSPI", "kind": "stock", "source": "master", "updated_at": NOW}
    Stock.objects.create(code="005930", name="삼성전자", **listed)
    Stock.objects.create(code="111111", name="NAVER", **listed)
    Stock.objects.create(code="222222", name="NAVER", **listed)
    load(sample("trades_two_lines.csv"))
    assert set(KbTrade.objects.filter(stock_name="삼성전자").values_list("stock_code")) == {("005930",)}
    assert KbTrade.objects.get(stock_name="NAVER").stock_code == ""


def test_lines_that_could_not_be_read_are_kept_with_line_text_and_reason():
    load(sample("messy.csv"))
    statement = KbStatement.objects.get()
    assert (statement.rows, statement.problem_count) == (5, 12)
    assert statement.problems[0] == {
        "line": 4,
        "text": "2026-11-18 | 현금매수 | SK하이닉스 | 660 | 12x | 250,000 | 3,000,000 | 450 | 3,000,450",
        "reason": "수량 '12x'을(를) 읽을 수 없습니다: 수가 아닙니다.",
        "taken": False,
        "sheet": "",
    }


def test_nothing_is_saved_of_a_file_that_is_no_statement():
    result = load(b"hello, world\n", "메모.txt")
    assert result.outcome is Outcome.REFUSED
    assert len(result.problems) == 1
    assert not KbStatement.objects.exists()


def test_looking_first_saves_nothing_and_says_what_saving_would_do():
    shown = load(sample("trades.csv"), save=False)
    assert (shown.outcome, len(shown.new), KbStatement.objects.count()) == (Outcome.SHOWN, 6, 0)
    saved = load(sample("trades.csv"), plan=shown.plan)
    assert (saved.outcome, saved.new, saved.plan) == (Outcome.SAVED, shown.new, shown.plan)


def test_only_what_was_shown_is_saved():
    shown = load(sample("trades.csv"), save=False)
    load(numbered((1, BOUGHT)))
    later = load(sample("trades.csv"), plan=shown.plan)
    assert (later.outcome, later.known) == (Outcome.SHOWN, 1)
    assert KbTrade.objects.count() == 1


def test_books_refuse_a_row_twice_and_rows_that_say_nothing():
    load(numbered((1, BOUGHT)))
    trade = KbTrade.objects.get()
    for changes in (
        {},
        {"ordinal": 2},  # the same number
        {"reference": "2"},  # the same place among equal rows
        {"reference": "2", "ordinal": 2, "quantity": None},
        {"reference": "2", "ordinal": 2, "stock_code": "", "stock_name": ""},
        {"reference": "2", "ordinal": 2, "kind": "deposit", "net": None},
        {"reference": "2", "ordinal": 2, "kind": "gift"},
        {"reference": "2", "ordinal": 2, "fee": -1},
    ):
        values = {field.attname: getattr(trade, field.attname) for field in KbTrade._meta.fields}  # noqa: SLF001
        with pytest.raises(IntegrityError), transaction.atomic():
            KbTrade.objects.create(**values | {"id": None} | changes)


# The folder ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "kb"
    path.mkdir()
    return path


def put(folder, name, data, *, age=60):
    """Put a file into the folder that was last written so many seconds ago."""
    path = folder / name
    path.write_bytes(data)
    written = NOW.timestamp() - age
    os.utime(path, (written, written))
    return path


def outcomes(results):
    return [(result.name, result.outcome) for result in results]


def test_folder_is_read_by_name_and_left_as_it_is(folder):
    put(folder, "b.csv", sample("trades.csv"))
    put(folder, "a.xlsx", kb_files.xlsx([TRADES_HEADER, [*BOUGHT[:2], "NAVER", *BOUGHT[3:]]]))
    put(folder, "c.dat", sample("holdings.csv"))
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    assert outcomes(load_folder(folder, now=NOW)) == [
        ("a.xlsx", Outcome.SAVED),
        ("b.csv", Outcome.SAVED),
        ("c.dat", Outcome.SAVED),
    ]
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == before
    assert {result.outcome for result in load_folder(folder, now=NOW)} == {Outcome.KNOWN}


def test_file_that_is_being_written_waits_for_the_next_time(folder):
    put(folder, "a.csv", sample("trades.csv"), age=1)
    assert outcomes(load_folder(folder, now=NOW)) == [("a.csv", Outcome.WAITING)]
    assert outcomes(load_folder(folder, now=NOW + timedelta(minutes=30))) == [("a.csv", Outcome.SAVED)]


def test_file_that_grows_while_it_is_read_waits(folder, monkeypatch):
    path = put(folder, "a.csv", sample("trades.csv"))
    fstat = os.fstat
    seen: list[int] = []

    def growing(descriptor):
        if seen:
            with path.open("ab") as file:
                file.write(b"x")
        seen.append(descriptor)
        return fstat(descriptor)

    monkeypatch.setattr("kis.statements.files.os.fstat", growing)
    assert outcomes(load_folder(folder, now=NOW)) == [("a.csv", Outcome.WAITING)]


def test_links_folders_and_litter_are_left_alone(folder, tmp_path):
    outside = put(tmp_path, "outside.csv", sample("trades.csv"))
    (folder / "link.csv").symlink_to(outside)
    (folder / "sub").mkdir()
    put(folder / "sub", "a.csv", sample("trades.csv"))
    os.mkfifo(folder / "pipe.csv")
    for name in (".hidden.csv", "~$잔고.xlsx", "Thumbs.db", "desktop.ini", "a.csv.part", "b.crdownload"):
        put(folder, name, sample("trades.csv"))
    assert load_folder(folder, now=NOW) == []


def test_one_bad_file_does_not_keep_the_others_away(folder):
    put(folder, "a.pdf", b"%PDF-1.7")
    with put(folder, "b.csv", b"").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    os.utime(folder / "b.csv", (1, 1))
    put(folder, "c.csv", sample("trades.csv"))
    results = load_folder(folder, now=NOW)
    assert [result.outcome for result in results] == [Outcome.REFUSED, Outcome.REFUSED, Outcome.SAVED]
    assert [result.reason.split(".")[0] for result in results[:2]] == [
        "PDF는 읽지 않습니다",
        "파일이 너무 큽니다",
    ]


def test_name_is_kept_in_composed_hangul(folder):
    put(folder, "\u110c\u1161\u11ab\u1100\u1169.csv", sample("trades.csv"))
    load_folder(folder, now=NOW)
    assert KbStatement.objects.get().name == "잔고.csv"


# The command --------------------------------------------------------------------------------------------------------


def run(*arguments):
    output = StringIO()
    call_command("import_kb", *map(str, arguments), stdout=output)
    return output.getvalue()


def test_command_says_per_file_what_was_taken_known_and_in_doubt(folder):
    first = put(folder, "a.csv", sample("trades.csv"))
    second = put(folder, "b.csv", sample("trades_two_lines.csv"))
    assert run(first, second).splitlines() == [
        "a.csv  거래내역 · 1234*****-01",
        "  새 6행 · 이미 있던 0행 · 확인할 줄 0",
        "b.csv  거래내역 · 1234*****-01",
        "  새 2행 · 이미 있던 6행(빈 값 채움 2) · 확인할 줄 1",
        (
            "  20행  외화(USD) 거래는 아직 읽지 않습니다.  2026/11/17 | 매수 | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 2 | 0 | USD | "
            "1,398.5 | 0.35 / 애플 | 271.14 | 0 | 0 | 0 | 0.00 | 0 | 4,021,414 | 0 | 310.2 | 542.63"
        ),
    ]


def test_command_shows_rows_without_saving_them(folder):
    lines = run("--dry-run", put(folder, "a.csv", kb_files.trades(BOUGHT))).splitlines()
    assert lines[1:] == [
        "  담을 1행 · 이미 있던 0행 · 확인할 줄 0",
        "  3행  2026-11-03 매수 삼성전자 10주 72,500원 정산 -725,120원",
    ]
    assert not KbStatement.objects.exists()


def test_command_reads_the_folder_of_the_settings(folder, settings):
    settings.KB_IMPORT_DIR = str(folder)
    assert run() == "KB_IMPORT_DIR 폴더에 파일이 없습니다.\n"
    put(folder, "a.csv", sample("trades.csv"))
    put(folder, "b.pdf", b"%PDF-1.7")
    assert "새 6행" in run()
    assert "이미 가져온 파일입니다" in run()


def test_command_names_account_and_day_of_a_balance(folder):
    path = put(folder, "a.csv", csv_file(HOLDINGS_HEADER, SAMSUNG))
    run("--account", "ISA", "--as-of", "2026-11-17", path)
    held = KbHolding.objects.get()
    assert (held.account_label, held.as_of) == ("ISA", date(2026, 11, 17))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "KB_IMPORT_DIR"),
        (["없는파일.csv"], "파일이 없습니다: 없는파일.csv"),
        (["."], "파일이 아닙니다"),
        (["--account", "ISA"], "파일을 적을 때만"),
        (["--as-of", "어제", "a.csv"], "2026-11-20처럼"),
    ],
)
def test_command_says_what_it_needs(arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_command_fails_for_a_named_file_that_cannot_be_read(folder):
    with pytest.raises(CommandError, match="파일 1개를 읽지 못했습니다"):
        run(put(folder, "a.pdf", b"%PDF-1.7"), put(folder, "b.csv", sample("trades.csv")))
    assert KbTrade.objects.count() == 6


def test_command_goes_on_after_a_file_it_may_not_read(folder, monkeypatch):
    first, second = (put(folder, name, sample(f"{name[:-4]}.csv")) for name in ("holdings.csv", "trades.csv"))

    def forbidden(path):
        if path == first:
            raise PermissionError(13, "Permission denied", str(path))
        return path.read_bytes()

    monkeypatch.setattr("kis.statements.load.read_named", forbidden)
    with pytest.raises(CommandError, match="파일 1개를 읽지 못했습니다"):
        run(first, second)
    assert KbTrade.objects.count() == 6


def test_folder_that_is_not_there_is_said(settings, tmp_path):
    settings.KB_IMPORT_DIR = str(tmp_path / "none")
    with pytest.raises(CommandError, match="폴더가 없습니다"):
        run()


# Several processes --------------------------------------------------------------------------------------------------


def database_url(tmp_path):
    """Return a database that other processes may use: the test's own on PostgreSQL, a file otherwise."""
    if connection.vendor != "postgresql":
        return f"sqlite:///{ready_database.lay(tmp_path / 'shared.sqlite3')}"
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@pytest.mark.django_db(transaction=True)
def test_processes_that_import_overlapping_files_at_once_take_each_row_once(folder, tmp_path):
    rows = [["2026-11-03", "매수", f"종목{number}", *BOUGHT[3:]] for number in range(60)]
    files = [
        put(folder, "a.csv", kb_files.trades(*rows[:40], BOUGHT)),
        put(folder, "b.csv", kb_files.trades(*reversed(rows[20:]), BOUGHT, BOUGHT)),
    ]
    environment = {
        **os.environ,
        "AEGIS_DEMO": "false",
        "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
        "AEGIS_VAR_DIR": str(tmp_path),
        "SECRET_KEY": "only-for-this-test" * 3,
        "DATABASE_URL": database_url(tmp_path),
    }
    manage = [sys.executable, str(ROOT / "manage.py")]
    processes = [
        subprocess.Popen(
            [*manage, "import_kb", str(file)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for file in files * 2
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert sum("이미 가져온 파일입니다" in output for output, _ in said) == 2, said
    count = "from kis.models import *; print(KbTrade.objects.count(), KbStatement.objects.count())"
    shell = subprocess.run(
        [*manage, "shell", "--no-imports", "-c", count],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout.split() == ["62", "2"]
