"""A Gemini on this machine, and the real libraries of Google that ask it."""

import pytest

from ai.providers.configured import PROVIDERS
from tests.ai import standing_in


@pytest.fixture
def gemini():
    with standing_in.running() as stand_in:
        yield stand_in


@pytest.fixture(params=sorted(PROVIDERS))
def asking(request, gemini):
    """Return a provider of each library, with the key and the address of the stand-in."""

    def make(**changes):
        return PROVIDERS[request.param](**{"key": standing_in.KEY, "base_url": gemini.url, **changes})

    return make
