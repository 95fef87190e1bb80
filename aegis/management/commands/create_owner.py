"""Create the first user of a new site."""

import secrets
from typing import Any

from django.contrib.auth import get_user_model

from kis.commands import OwnerCommand
from kis.grants import grant_new_accounts

NAME = "owner"


class Command(OwnerCommand):
    help = "사용자가 아무도 없으면 소유자를 만들고 비밀번호를 한 번만 보여 줍니다. 관리하는 사람이 없는 계좌는 소유자에게 맡깁니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        users = get_user_model()
        if users._default_manager.exists():  # noqa: SLF001  # Django's own name for it
            grant_new_accounts()
            return
        password = secrets.token_urlsafe(15)
        users._default_manager.create_superuser(NAME, password=password)  # noqa: SLF001
        grant_new_accounts()
        self.stdout.write(f"소유자 계정을 만들었습니다. 아이디 {NAME} · 비밀번호 {password}")
        self.stdout.write("비밀번호는 다시 보여 드리지 않습니다. 로그인한 뒤 바꾸어 주세요.")
