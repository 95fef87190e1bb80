# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""A thousand wrong passwords at once, from many threads: started by `test_signin.py`.

`python knocking.py TRIES THREADS` prints what came of it as one line of JSON. The environment says database and keys.
"""

import json
import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")

PASSWORD = "correct horse battery"
THEIRS, MINE = "203.0.113.7", "198.51.100.9"


def knock(tries, threads):
    import django

    django.setup()
    from django.contrib.auth import get_user_model, hashers
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.client import ClientHandler
    from django.urls import reverse

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("owner", password=PASSWORD)
    compared, lock, gate = [], threading.Lock(), threading.Barrier(threads)
    plain = hashers.verify_password

    def counted(password, encoded, preferred="default"):
        with lock:
            compared.append(password)
        return plain(password, encoded, preferred)

    hashers.verify_password = counted
    login = reverse("login")
    site = ClientHandler(enforce_csrf_checks=False)
    site.load_middleware()  # once, as a server does it

    def sign_in(number, *, address=THEIRS, password=None):
        typed = {"username": "owner", "password": password or f"wrong {number}"}
        # Another browser each time: it must not count as another visitor.
        headers = {"user-agent": f"browser {number % 7}", "host": "127.0.0.1"}
        browser = Client(headers=headers, REMOTE_ADDR=address)
        browser.handler = site
        return browser.post(login, typed).status_code

    def some(first):
        gate.wait(120)
        try:
            return [sign_in(number) for number in range(first, tries, threads)]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        answers = Counter(status for statuses in pool.map(some, range(threads)) for status in statuses)
    wrong = len(compared)
    return {
        "answers": {str(status): count for status, count in answers.items()},
        "compared": wrong,
        "right_password_there": sign_in(0, password=PASSWORD),
        "compared_there": len(compared) - wrong,
        "owner_elsewhere": sign_in(0, address=MINE, password=PASSWORD),
    }


if __name__ == "__main__":
    print(json.dumps(knock(*map(int, sys.argv[1:]))))
