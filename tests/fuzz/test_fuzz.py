"""The API as strangers, viewers and traders find it who send everything that fits its schema, and much that does not."""

import os

import pytest
from django.db import connection

from tests.fuzz.fuzzing import fuzz
from tests.trading.conftest import PASSWORD
from trading.models import PendingOrder

#: Of each operation and phase; `make fuzz` asks for many more.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
IS_SHORT = "FUZZ_EXAMPLES" not in os.environ
#: A trader reads what a viewer does, by the same rules: in the short turn he orders, and that a few times more.
OF_TRADER = {"examples": 3, "paths": "^/api/v1/orders"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("identity", ["anonymous", "viewer", "trader"])
def test_api_is_as_it_says_whatever_is_sent(site, schema_file, identity):
    how = {"examples": EXAMPLES} | (OF_TRADER if IS_SHORT and identity == "trader" else {})
    report = fuzz(site, schema_file, identity=identity, password=PASSWORD, **how)
    print(f"\n{identity}: {report.cases:,} requests ({connection.vendor})")
    assert report.code == 0, report.text[-12_000:]
    # What is behind password and account was reached by who may, and by nobody else.
    assert (PendingOrder.objects.count() > 1) == (identity == "trader")
