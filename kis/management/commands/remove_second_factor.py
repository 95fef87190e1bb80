"""Take the second factor of somebody away who has lost it."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from kis import second_factor
from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = (
        "기기를 잃은 사용자의 두 번째 인증과 복구 코드를 지웁니다. 다음부터 비밀번호만으로 로그인하고, 주문하려면 새로 등록해야 합니다. "
        "이미 두 번째 인증을 마친 세션도 주문할 수 없게 됩니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="사용자의 아이디")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        name = options["user"]
        user = get_user_model().objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"사용자 '{name}'이(가) 없습니다. 아무것도 바꾸지 않았습니다.")
        if not second_factor.remove(user):
            raise CommandError(f"{name}에게는 두 번째 인증이 없습니다. 아무것도 바꾸지 않았습니다.")
        self.stdout.write(f"{name}의 두 번째 인증을 지웠습니다. 주문하려면 사이트에서 새로 등록해야 합니다.")
