"""What in restored books stays locked: encrypted columns that none of this machine's keys reads."""

from dataclasses import dataclass

from kis.account_keys import unreadable_accounts, unreadable_factors

KEYS_ARE = "SECRET_KEY(var/secret-key)와 AEGIS_ENCRYPTION_KEY"


@dataclass(frozen=True, slots=True)
class Locked:
    """Accounts by their labels, and users by the names of those whose second factor cannot be compared."""

    accounts: tuple[str, ...]
    users: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.accounts or self.users)

    def __str__(self) -> str:
        return " ".join(
            [
                *([f"등록한 계좌(앱키, 계좌번호): {', '.join(self.accounts)}."] if self.accounts else []),
                *([f"두 번째 인증: {', '.join(self.users)}."] if self.users else []),
            ]
        )

    @property
    def advice(self) -> str:
        """Say what to do where the keys of then are lost."""
        return " ".join(
            [
                *(["관리자 화면에서 그 계좌의 앱키와 계좌번호를 다시 넣어 주세요."] if self.accounts else []),
                *(
                    [
                        "두 번째 인증은 복구 코드로 로그인하거나, 지우고 새로 등록해 주세요: "
                        + ", ".join(f"manage.py remove_second_factor {name}" for name in self.users)
                    ]
                    if self.users
                    else []
                ),
            ]
        )


def locked() -> Locked:
    """Look at the books in use, or at those that stand in for them."""
    return Locked(tuple(unreadable_accounts()), tuple(unreadable_factors()))
