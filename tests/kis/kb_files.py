"""Files of KB Securities for tests: the stored samples, tables written as text or xlsx, and rows as plain values."""

import io
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from openpyxl import Workbook

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "kb"
HOLDINGS_HEADER = ["종목명", "종목코드", "보유수량", "매입단가", "매입금액", "현재가", "평가금액", "평가손익"]
TRADES_HEADER = ["거래일자", "거래구분", "종목명", "수량", "단가", "거래금액", "수수료", "제세금", "정산금액"]
SAMSUNG = ["삼성전자", "005930", "10", "72500", "725000", "70000", "700000", "-25000"]
BOUGHT = ["2026-11-03", "매수", "삼성전자", "10", "72500", "725000", "120", "0", "725120"]


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def text(*lines: Sequence[Any], delimiter: str = ",") -> str:
    return "\n".join(delimiter.join(str(cell) for cell in line) for line in lines) + "\n"


def csv_file(*lines: Sequence[Any], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    return text(*lines, delimiter=delimiter).encode(encoding)


def holdings(*lines: Sequence[Any], title: Sequence[Any] = ("조회일자", "2026-11-20")) -> bytes:
    return csv_file(title, HOLDINGS_HEADER, *lines)


def trades(*lines: Sequence[Any], title: Sequence[Any] = ("계좌번호", "123-456-789-01")) -> bytes:
    return csv_file(title, TRADES_HEADER, *lines)


def xlsx(*sheets: Sequence[Sequence[Any]]) -> bytes:
    """Write each argument as a sheet; cells keep their types."""
    workbook = Workbook()
    del workbook["Sheet"]
    for number, lines in enumerate(sheets):
        sheet = workbook.create_sheet(f"Sheet{number}")
        for line in lines:
            sheet.append(list(line))
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def as_values(row: Any) -> dict[str, Any]:
    """Return what a row or problem says, as JSON can say it; what it does not say is left out."""
    return {name: as_value(value) for name, value in asdict(row).items() if value not in (None, "")}


def as_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value
