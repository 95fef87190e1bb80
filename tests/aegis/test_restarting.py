"""Followers of the site: started again when they end, with pauses that grow while they do not last."""

import subprocess
import sys
from itertools import pairwise

import pytest

from aegis.management.commands.site import accounts_to_follow, follower_of, queues_here, stop
from aegis.restarting import FIRST_PAUSE_SECONDS, LASTING_SECONDS, LONGEST_PAUSE_SECONDS, Restarted


class Child:
    """A process that ends when told."""

    def __init__(self):
        self.code = None

    def poll(self):
        return self.code


class Starter:
    """Starts children, and remembers what they were started with."""

    def __init__(self):
        self.children = []
        self.arguments = []

    def __call__(self, *arguments):
        self.arguments.append(arguments)
        self.children.append(Child())
        return self.children[-1]


def starts(restarted, starter, *, from_second, seconds):
    """Return the seconds in which a child was started that each time ends at once."""
    found = []
    for second in range(from_second, from_second + seconds):
        before = len(starter.children)
        restarted.look_after(now=float(second))
        if len(starter.children) > before:
            found.append(second)
            starter.children[-1].code = 1
    return found


def test_child_that_fails_at_once_is_tried_ever_more_rarely():
    starter = Starter()
    found = starts(Restarted(("follow_fills",), start=starter), starter, from_second=0, seconds=7200)
    pauses = [later - earlier for earlier, later in pairwise(found)]
    # A second passes until the end of a child is seen.
    assert pauses == [61, 121, 241, 481, *[int(LONGEST_PAUSE_SECONDS) + 1] * (len(pauses) - 4)]
    assert len(pauses) > 8


def test_child_that_lasts_is_left_alone_and_its_pauses_begin_anew():
    starter = Starter()
    restarted = Restarted(("follow_fills",), start=starter)
    starts(restarted, starter, from_second=0, seconds=300)
    restarted.look_after(now=1000.0)
    count = len(starter.children)
    restarted.look_after(now=1000.0 + LASTING_SECONDS)
    assert len(starter.children) == count
    starter.children[-1].code = 0
    restarted.look_after(now=1001.0 + LASTING_SECONDS)
    restarted.look_after(now=1001.0 + LASTING_SECONDS + FIRST_PAUSE_SECONDS - 1)
    assert len(starter.children) == count
    restarted.look_after(now=1001.0 + LASTING_SECONDS + FIRST_PAUSE_SECONDS)
    assert len(starter.children) == count + 1


def test_site_follows_the_accounts_with_an_hts_id(configure, db, settings):
    configure("real", hts_id="owner")
    configure("paper", hts_id="")
    [account] = accounts_to_follow()
    assert follower_of(account) == ("follow_fills", "--mode=real", "--account=실전")
    settings.AEGIS_DEMO = True
    assert accounts_to_follow() == []


@pytest.mark.parametrize(
    ("cluster", "queues"), [("all", ("fast", "reports")), ("fast", ("fast",)), ("reports", ("reports",))]
)
def test_machine_serves_the_queues_of_its_settings(settings, cluster, queues):
    settings.AEGIS_CLUSTER = cluster
    assert queues_here() == queues


#: Hears nothing, and has a child of its own that holds on to the same pipe.
DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    print("deaf", flush=True)
time.sleep(100)
"""


def test_child_that_does_not_end_is_ended_with_all_that_it_has_started(monkeypatch):
    monkeypatch.setattr("aegis.management.commands.site.STOP_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", DEAF], stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout.readline() == b"deaf\n"
        stop(child)
        said, _ = child.communicate(timeout=60)  # nobody is left who could say anything
    assert said == b""
