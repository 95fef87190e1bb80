"""Fields that several records read alike."""

from kis.client.protocol import Row

LONGEST_NAME = 50


def exchange(row: Row) -> str:
    """Return KRX, NXT or SOR; the older TR has no such field."""
    if "excg_id_dvsn_cd" not in row.data:
        return ""
    return row.text("excg_id_dvsn_cd", required=False, longest=10)


def stock_name(row: Row) -> str:
    """Return the name, cut to what a column holds; a nameless stock is called by its code."""
    name = row.text("prdt_name", required=False)[:LONGEST_NAME]
    return name or row.text("pdno", longest=10)
