"""Make a token for the API and show it once."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from kis.commands import OwnerCommand
from kis.korean import SEOUL
from kis.models import ApiToken
from kis.tokens import DAYS, MOST_DAYS, create_token


class Command(OwnerCommand):
    help = "API 토큰을 만들어 한 번만 보여 줍니다. 범위는 read(조회) 또는 trade(조회와 주문)입니다."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="어디에 쓰는지. 예: '집 서버'")
        parser.add_argument("--user", default="", help="쓸 사용자. 한 사람뿐이면 적지 않아도 됩니다")
        parser.add_argument("--scope", choices=ApiToken.Scope.values, default="read", help="범위 (기본 read)")
        parser.add_argument(
            "--days", type=int, default=DAYS, help=f"며칠 동안 쓸지 (기본 {DAYS}, 길게는 {MOST_DAYS})"
        )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        if not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(f"--days는 1에서 {MOST_DAYS} 사이여야 합니다.")
        name = str(options["name"]).strip()
        longest = ApiToken._meta.get_field("name").max_length or 0  # noqa: SLF001  # Django's own name for it
        if not 1 <= len(name) <= longest or not name.isprintable():
            raise CommandError(f"이름은 1자에서 {longest}자까지 적어 주세요.")
        user = user_called(options["user"])
        row, text = create_token(user, name=name, scope=options["scope"], days=options["days"])
        assert row.expiry is not None  # noqa: S101  # a constraint says so
        self.stdout.write(
            f"{user.get_username()}의 토큰을 만들었습니다: {row}, {row.expiry.astimezone(SEOUL):%Y-%m-%d %H:%M}까지"
        )
        self.stdout.write(text)
        self.stdout.write(
            "다시 보여 드리지 않습니다. 요청의 머리글에 적어 씁니다 → Authorization: Bearer 토큰"
        )


def user_called(name: str) -> User:
    """Return the user of a name, or the only one there is. Raises CommandError."""
    users = get_user_model().objects.filter(is_active=True, is_staff=True)
    found = list(users.filter(username=name) if name else users[:2])
    if len(found) == 1:
        return found[0]
    if name:
        raise CommandError(f"사이트에 로그인할 수 있는 사용자 '{name}'이(가) 없습니다.")
    raise CommandError(
        "사용자가 여럿입니다. --user에 적어 주세요."
        if found
        else "사용자가 없습니다. 먼저 실행해 주세요: manage.py create_owner"
    )
