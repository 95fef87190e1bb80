# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Eight processes with one outbox: started by `test_alerts_sending.py`, prints what came of it as one line of JSON."""

import json
import multiprocessing
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

RACERS = 8
MANY = 20
#: Seconds until a process is given up.
PATIENCE = 120
FORK = multiprocessing.get_context("fork")


def together(work):
    """Fork eight processes that do the same at the same moment; return how each ended."""
    from django.db import connection

    gate = FORK.Barrier(RACERS)

    def begin():
        gate.wait(PATIENCE)
        work()

    connection.close()  # none may cross a fork
    processes = [FORK.Process(target=begin, daemon=True) for _ in range(RACERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    return [process.exitcode for process in processes]


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "aegis.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from aegis.alerts.kinds import Kind
    from aegis.alerts.models import AlertDelivery
    from aegis.alerts.outbox import News, one_at_a_time, write
    from aegis.alerts.sending import LEASE, send_due
    from aegis.alerts.transport import deliver
    from tests.aegis.alerting import TEN

    call_command("migrate", verbosity=0)

    def tell(key):
        with one_at_a_time():
            write(News(Kind.FILL, key, f"<{key}>", "가" * 500), at=TEN)

    def see_and_send():
        tell("same")
        send_due(at=TEN)

    exits = together(see_and_send)
    for number in range(MANY):
        tell(str(number))
    exits += together(lambda: send_due(at=TEN))
    send_due(at=TEN)
    settled = sorted(AlertDelivery.objects.values_list("status", flat=True))

    def die_after_handing_over(url, **message):
        deliver(url, **message)
        os.kill(os.getpid(), signal.SIGKILL)

    tell("killed")
    dying = FORK.Process(target=lambda: send_due(at=TEN, hand_over=die_after_handing_over), daemon=True)
    from django.db import connection

    connection.close()
    dying.start()
    dying.join(PATIENCE)
    exits.append(dying.exitcode)
    together(lambda: send_due(at=TEN + timedelta(minutes=1)))
    together(lambda: send_due(at=TEN + LEASE + timedelta(minutes=1)))
    last = AlertDelivery.objects.order_by("-pk").first()
    print(json.dumps({"exits": exits, "settled": settled, "last": [last.status, last.attempts]}))


main()
