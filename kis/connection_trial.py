"""Try whether the keys of an account lead to its balance."""

from typing import cast

from kis.accounts import of_row
from kis.client.codes import Mode
from kis.client.endpoints.account import balance
from kis.connect import connect
from kis.korean import number
from kis.models import BrokerAccount


def try_connection(row: BrokerAccount) -> str:
    """Ask for token and balance, also of an account that is not in use yet, and say in a sentence what came.

    Stores nothing but the token. Raises KisError.
    """
    with connect(cast("Mode", row.mode), of_row(row)) as connection:
        whole = balance(connection.session)
    return f"연결했습니다. 보유 {len(whole.held)}종목, 총평가금액 {number(whole.totals.total_value)}원입니다."
