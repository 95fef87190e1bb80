"""Encrypt everything stored with the newest key."""

from typing import Any

from django.core.management.base import CommandError

from kis.account_keys import rotate_encryption
from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = (
        "저장된 앱키, 토큰, 두 번째 인증을 AEGIS_ENCRYPTION_KEY의 첫째 키로 다시 암호화합니다. 새 키를 맨 앞에, 이전 키를 쉼표 뒤에 적고 "
        "모든 프로세스를 다시 시작한 뒤 실행해 주세요. 끝나면 이전 키를 지울 수 있습니다."
    )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        rotated = rotate_encryption()
        self.stdout.write(
            f"계좌 {rotated.accounts}개와 토큰 {rotated.tokens}개, 두 번째 인증 {rotated.factors}개를 첫째 키로 다시 암호화했습니다."
        )
        if rotated.unreadable:
            labels = ", ".join(rotated.unreadable)
            raise CommandError(
                f"풀 수 없는 계좌가 있습니다: {labels}. 이전 키를 AEGIS_ENCRYPTION_KEY에 쉼표로 덧붙여 다시 실행해 주세요."
            )
        if rotated.unreadable_factors:
            names = ", ".join(dict.fromkeys(rotated.unreadable_factors))
            raise CommandError(
                f"풀 수 없는 두 번째 인증이 있습니다: {names}. 이전 키를 AEGIS_ENCRYPTION_KEY에 쉼표로 덧붙여 다시 실행하거나, "
                "manage.py remove_second_factor로 지우고 새로 등록해 주세요."
            )
