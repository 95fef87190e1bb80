"""What schemathesis is told about the API beyond its schema: values that exist, and which refusals are no contradiction.

Loaded by the `schemathesis` command (see `fuzzing.py`), which knows nothing of Django.
"""

import os
import zlib

import schemathesis

#: Parameters and items whose value must name something that is there, or fit the others; a schema cannot say so.
MUST_EXIST = {"account", "cursor", "from", "mode", "ordering", "limit", "as_of", "trading_password"}
FINE = {401, 403, 404, 405, 406, 409, 422, 423, 429, 503}


@schemathesis.check
def what_fits_the_schema_is_taken(ctx, response, case):  # as it is called
    """Say so where data that fit are refused; a value that does not exist is refused by name."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive:
        return
    if response.status_code < 300 or response.status_code in FINE:
        return
    if response.status_code == 400:
        error = response.json()["error"]
        if error.get("detail", {}).get("field") in MUST_EXIST:
            return
        # Characters that no text of ours can hold are no part of the patterns of JSON schema.
        if error["code"] == "bad_parameter" and "\\u0000" in response.request.url + str(case.body):
            return
    raise AssertionError(
        f"{response.status_code}: data that fit the schema were refused: {response.text[:500]}"
    )


@schemathesis.check
def nothing_is_given_away(ctx, response, case):  # as it is called
    """Refuse an answer with a trace of the code, of a whole account number, or of a secret."""
    text = response.text
    for trace in (
        "Traceback",
        "site-packages",
        "Error at /",
        "12345678",
        *os.environ["FUZZ_SECRETS"].split(),
    ):
        if trace in text:
            raise AssertionError(f"the answer holds {trace!r}: {text[:300]}")


def sometimes(*seeds):
    return zlib.crc32(repr(seeds).encode()) % 2 == 0


@schemathesis.hook
def map_query(ctx, query):  # as it is called
    """Ask for an account that is there, and for no page behind one that never was, about every other time."""
    if isinstance(query, dict) and sometimes(query):
        query = dict(query)
        if "account" in query:
            query["account"] = "실전"
        query.pop("cursor", None)
    return query


@schemathesis.hook
def before_call(ctx, case, kwargs):  # as it is called
    """Know the trading password and the account about every other time: what is behind them is tried as well.

    It is here that a body may become one that fits: schemathesis looks at it once more. As it makes one up it would not.
    """
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("trading_password"), str) and sometimes(body):
        body = {**body, "trading_password": os.environ["FUZZ_PASSWORD"]}
        if isinstance(body.get("account"), str):
            body |= {"account": "실전", "side": "BUY", "stock_code": "005930", "quantity": 1}
            body = {name: value for name, value in body.items() if name not in {"price", "stock_name"}}
        case.body = body
