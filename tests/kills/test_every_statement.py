"""Kill the sync before and after each of its statements, and at any moment: `make kills`."""

import pytest
from django.db import connection

from tests.kis.conftest import simulator, start_simulator  # noqa: F401  # fixtures
from tests.kis.many import kill_syncs

pytestmark = pytest.mark.django_db(transaction=True)
AT_ANY_MOMENT = 40


@pytest.mark.parametrize("scene", ["first", "midday", "evening", "morning"])
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_kill_at_every_statement(simulator, tmp_path, mode, scene):  # noqa: F811  # pytest passes the fixture
    result = kill_syncs(simulator, tmp_path, mode, scene, at_any_moment=AT_ANY_MOMENT)
    print(
        f"\n{connection.vendor}, {mode}, {scene}: {result['statements']} statements, {result['kills']} kills"
        f" in {result['seconds']} s; {result['left']['old']} left the old snapshot, {result['left']['new']} the new one,"
        f" {result['looks']} looks of a reader meanwhile"
    )
    assert result["problems"] == []
