"""Files of the admin in a browser: somebody who may look at one account filters a list, and takes what is left of it along."""

import csv
import io
from datetime import date, datetime, time

import pytest
from openpyxl import load_workbook

PASSWORD, DAY = "correct horse battery", date(2025, 6, 16)
#: Fills of the account that the viewer was given, which no other test trades in, one with a name that a spreadsheet would
#: reckon with; and one of somebody else.
MAKE_VIEWER = f"""
from django.contrib.auth import get_user_model as users
from kis.client.codes import AccountNumber
from kis.grants import grant
from tests.factories import fill
viewer = users().objects.create_user("viewer", password={PASSWORD!r})
grant(viewer, AccountNumber("22223333", "01"), is_paper=False, role="viewer")
unknown = dict(commission=None, tax=None, cost_source="unknown")
fill(1, account_no="22223333")
fill(2, account_no="22223333", side="SELL")
fill(3, account_no="22223333", side="SELL", name="=HYPERLINK(1)", stock_code="000660", **unknown)
fill(4, account_no="44445555", side="SELL")
"""
#: What the list has left of them, and what each column is called.
HEADS = ("모드", "계좌", "종목코드", "종목명", "구분", "체결수량", "체결금액", "체결일", "주문 시각", "세금")
SOLD = [
    ("실전", "2222****-01", "000660", "'=HYPERLINK(1)", "매도", 13, 742_300, DAY, time(9, 4), None),
    ("실전", "2222****-01", "005930", "삼성전자", "매도", 12, 685_200, DAY, time(9, 3), 857),
]  # fmt: skip


def of_columns(head, rows):
    """Return the rows of a file by the columns that are looked at; what it must not have is in none of them."""
    assert not {"원본", "계좌번호", "모의투자"} & set(head)
    return [tuple(dict(zip(head, row, strict=True))[name] for name in HEADS) for row in rows]


@pytest.fixture
def sold(tabs, site):
    """Let a viewer sign in on the way to the admin, and browse to what was sold."""
    site.run("shell", "-v0", "-c", MAKE_VIEWER)
    tab = tabs.open(signed_in=False, accept_downloads=True)
    tab.goto("/admin/")
    tab.get_by_label("아이디").fill("viewer")
    tab.get_by_label("비밀번호").fill(PASSWORD)
    tab.get_by_role("button", name="로그인").click()
    tab.locator(".tables").get_by_role("link", name="체결", exact=True).click()
    tab.locator("#result_list tbody tr").nth(2).wait_for()
    tab.locator("#changelist-filter").get_by_role("link", name="매도", exact=True).click()
    tab.wait_for_url("**exec_type__exact=SELL**")
    assert tab.locator("#result_list tbody tr .field-stock_name").all_inner_texts() == [
        row[3].lstrip("'") for row in SOLD
    ]
    return tab


def test_viewer_takes_along_exactly_the_rows_of_the_filter(sold):
    files = {}
    for name in ("CSV", "XLSX"):
        with sold.expect_download() as download:
            sold.get_by_role("link", name=name, exact=True).click()
        assert download.value.suggested_filename.startswith("aegis-kisexecution-")
        assert download.value.suggested_filename.endswith(f".{name.lower()}")
        files[name] = download.value.path()

    text = files["CSV"].read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""))
    assert of_columns(head, rows) == [tuple(in_text(value) for value in row) for row in SOLD]

    sheet = load_workbook(io.BytesIO(files["XLSX"].read_bytes())).active
    first, *cells = sheet.iter_rows()
    shown = [[of_sheet(cell.value) for cell in row] for row in cells]
    assert of_columns([cell.value for cell in first], shown) == SOLD
    assert {cell.data_type for row in cells for cell in row} <= {"s", "inlineStr", "n", "d"}  # no formulas


def of_sheet(value):
    return value.date() if isinstance(value, datetime) and value.time() == time.min else value


def in_text(value):
    return "" if value is None else str(value)
