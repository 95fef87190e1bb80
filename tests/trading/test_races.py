"""Many processes that reach for the same order, code, password or history at the same moment."""

import pytest

from tests.trading.scenes import play

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("way", "races"), [("confirm", 5), ("claim", 10)])
def test_of_eight_who_confirm_an_order_exactly_one_sends_it(simulator, tmp_path, way, races):
    told = play(simulator, tmp_path, "together.py", "race", str(races), way)
    assert told["states"] == {"accepted": races}
    assert told["answers"].pop("accepted") == races
    # Whoever came second had the right code all the same, and is not told otherwise.
    assert told["answers"].keys() <= {"AlreadyTaken", "NothingToConfirm"}
    assert sum(told["answers"].values()) == 7 * races
    assert (told["posts"], told["same_numbers"], told["problems"]) == (races, True, [])


def test_of_64_wrong_codes_at_once_three_are_compared(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "guess", "code")
    assert told["answers"] == {"NotConfirmed": 3, "NothingToConfirm": 61}
    assert (told["compared"], told["tries"], told["wrong_codes"]) == (3, 3, 3)
    assert (told["order"], told["right_code_later"]) == ("locked", "NothingToConfirm")
    assert (told["posts"], told["problems"]) == (0, [])


def test_of_64_wrong_passwords_at_once_five_are_compared(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "guess", "password")
    assert told["answers"] == {"WrongPassword": 5, "PasswordLocked": 59}
    assert (told["compared"], told["failures"], told["is_locked"]) == (5, 5, True)


def test_of_eight_who_propose_at_once_one_order_waits(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "propose")
    assert told["states"]["pending"] == 1
    assert told["answers"].keys() <= {"proposed", "AlreadyTaken"}
    assert sum(told["states"].values()) == told["answers"]["proposed"]
    assert told["problems"] == []


def test_history_of_eight_writers_is_one_chain_whenever_it_is_looked_at(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "record", "50")
    assert told["answers"] == {"added": 8, "nothing wrong": 1}
    assert (told["added"], told["problems"]) == (400, [])


def test_number_belongs_to_one_order_whoever_takes_it_at_the_same_moment(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "adopt")
    assert (told["with_the_number"], told["is_accepted"]) == (1, True)
    assert told["states"] == ["accepted", "unknown"]
    assert sum(told["answers"].values()) == 8
    assert told["answers"]["not written"] == 3, told["answers"]  # an answer is written once
    assert told["problems"] == []


def test_four_who_reconcile_at_once_change_each_order_once(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "reconcile")
    assert told["answers"] == {"done": 8}
    assert told["states"] == ["filled", "accepted", "unknown"]
    assert told["new_events"] == ["answered", "claimed", "followed", "left_behind"]
    assert (told["posts"], told["problems"]) == (2, [])


def test_answer_that_comes_while_somebody_holds_the_database_is_not_lost(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "locked")
    assert (told["told"], told["while_held"]) == ("accepted", "sending")
    assert (told["after"], told["same_number"], told["problems"]) == ("accepted", True, [])
