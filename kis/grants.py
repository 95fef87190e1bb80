"""Give users their accounts."""

from collections.abc import Iterable

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Q

from kis.accounts import configured_accounts
from kis.client.codes import AccountNumber
from kis.models import AccountGrant

Role = AccountGrant.Role
#: Django's own groups carry what a role may do with tables; which rows of them, the grants say.
GROUPS = {Role.VIEWER: "AEGIS 보기", Role.TRADER: "AEGIS 주문", Role.ADMIN: "AEGIS 관리"}
#: Apps whose tables are there to be looked at, but for those that are about keys and doors, other brokers, or where alerts go.
SHOWN_APPS = ("kis", "trading", "reports", "ai", "alerts")
NOT_SHOWN = (
    *("accesstoken", "accountgrant", "apitoken", "brokeraccount", "feedlease", "ratebudget", "wirefinding"),
    *("kbholding", "kbstatement", "kbtrade", "audithead", "tradingpassword", "secondfactor", "recoverycode"),
    *("alertdelivery", "alertrule", "alertwatch"),
)
PLACING_ORDERS = Q(content_type__app_label="trading", codename="place_order")
SETTING_TARGETS = Q(content_type__app_label="kis", content_type__model="targetweight")


def grant(user: User, account: AccountNumber, *, is_paper: bool, role: str) -> AccountGrant:
    """Let a user into an account, with everything that takes: the sign-in of the site and the group of the role."""
    with transaction.atomic():
        row, _ = AccountGrant.objects.update_or_create(
            user=user,
            account_no=account.number,
            product_code=account.product_code,
            is_paper=is_paper,
            defaults={"role": role},
        )
        let_in(user, role)
    return row


def let_in(user: User, role: str) -> None:
    """Give a user what a role needs besides the account."""
    user.groups.add(group_of(role))
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])


def group_of(role: str) -> Group:
    """Return the group of a role with the permissions of this version; what the owner has added to it stays."""
    group, _ = Group.objects.get_or_create(name=GROUPS[Role(role)])
    group.permissions.add(*permissions_of(role))
    return group


def permissions_of(role: str) -> Iterable[Permission]:
    looking = Q(content_type__app_label__in=SHOWN_APPS, codename__startswith="view_") & ~Q(
        content_type__model__in=NOT_SHOWN
    )
    meant = looking
    if role in {Role.TRADER, Role.ADMIN}:
        meant |= PLACING_ORDERS
    if role == Role.ADMIN:
        meant |= SETTING_TARGETS
    return Permission.objects.filter(meant)


def owner_of_site() -> User | None:
    """Return who gets new accounts: the first who manages one, or the first superuser where nobody does yet."""
    users = get_user_model()._default_manager.filter(is_active=True)  # noqa: SLF001  # Django's own name for it
    managing = users.filter(account_grants__role=Role.ADMIN).order_by("pk").first()
    return managing or users.filter(is_superuser=True).order_by("pk").first()


def grant_new_accounts() -> int:
    """Give the owner every configured account that nobody manages; returns how many there were."""
    owner = owner_of_site()
    if owner is None:
        return 0
    return sum(
        grant_if_nobody_manages(owner, account.number, is_paper=account.is_paper)
        for account in configured_accounts()
        if account.number is not None
    )


def grant_if_nobody_manages(user: User, account: AccountNumber, *, is_paper: bool) -> bool:
    """Make somebody the manager of an account that has none, and say whether it had none."""
    managers = AccountGrant.objects.filter(
        account_no=account.number, product_code=account.product_code, is_paper=is_paper, role=Role.ADMIN
    )
    if managers.exists():
        return False
    grant(user, account, is_paper=is_paper, role=Role.ADMIN)
    return True
