"""Show the whole product on the simulator, without any key."""

from typing import Any

from django.core.management import call_command

from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = "시뮬레이터의 예시 계좌를 동기화하고 PDF를 만듭니다. 설정한 키와 데이터베이스는 건드리지 않습니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        # manage.py has switched to demo mode before the settings were read.
        call_command("migrate", interactive=False, verbosity=0)
        call_command("kis_dashboard", sync=True)
