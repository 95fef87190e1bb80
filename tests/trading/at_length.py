# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Play kills and races as often as it takes to believe them: `make order-kills`, `make order-races`.

`python at_length.py kills TIMES` or `python at_length.py races CONFIRMS CLAIMS`; on SQLite, or on what DATABASE_URL says.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def kills(simulator, folder, times):
    """Kill the confirming process so many times at every step, and print what became of the orders."""
    from tests.kis.many import LONG
    from tests.trading.scenes import play

    told = play(simulator, folder, "kills.py", times, within_seconds=LONG)
    for step, became in told["steps"].items():
        states = ", ".join(f"{count} × {state}" for state, count in became.items())
        print(f"  {step:<36} {states}")
    print(f"  wrong: {len(told['wrong'])}", *told["wrong"], sep="\n  ")
    return not told["wrong"]


def races(simulator, folder, confirms, claims):
    """Let eight processes race for so many orders, from the code on and from the gates on."""
    from tests.kis.many import LONG
    from tests.trading.scenes import play

    fine = True
    for way, count in (("confirm", confirms), ("claim", claims)):
        simulator.gateways["real"].traffic.counts.clear()
        own = folder / way
        own.mkdir()
        told = play(simulator, own, "together.py", "race", count, way, within_seconds=LONG)
        print(
            f"  {way}: {count} races, {told['posts']} posts, orders {told['states']}, told {told['answers']}"
        )
        is_right = told["states"] == {"accepted": int(count)} and told["posts"] == int(count)
        fine = fine and is_right and told["same_numbers"] and not told["problems"]
    return fine


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-this-test" * 3)
    os.environ["AEGIS_DEMO"] = "false"  # which would have a database of its own
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from kis.simulator.server import Simulator, SimulatorConfig
    from tests import ready_database
    from tests.trading.scene import TEN

    name, *arguments = sys.argv[1:]
    began = time.monotonic()
    print(f"{name} on {connection.vendor}:", flush=True)
    config = SimulatorConfig(clock=TEN, speed=0, limits=False)
    with Simulator(config) as simulator, tempfile.TemporaryDirectory() as folder:
        ready_database.make_when_needed(Path(folder) / "ready.sqlite3")
        if connection.vendor == "postgresql":  # the processes use this one, and not one of their own
            call_command("migrate", verbosity=0)
            connection.close()
        play = kills if name == "kills" else races
        fine = play(simulator, Path(folder), *arguments)
    print(f"  {time.monotonic() - began:.0f} s")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
