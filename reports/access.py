"""Who may open the pages: staff who may view what stands on them, as in the admin and the API; of their own accounts."""

from typing import Final

from django.contrib.auth.models import AbstractBaseUser, AbstractUser, AnonymousUser

from kis.access import access_of
from kis.accounts import Account
from kis.pages import View, for_those

SHOWN: Final = (
    "kis.view_kisaccount",
    "kis.view_kisholding",
    "kis.view_kisexecution",
    "kis.view_kisunfilledorder",
)


def may_see(user: AbstractBaseUser | AnonymousUser) -> bool:
    return isinstance(user, AbstractUser) and user.is_active and user.is_staff and user.has_perms(SHOWN)


def may_sync(user: AbstractBaseUser | AnonymousUser, account: Account) -> bool:
    """Return whether somebody may have the broker asked for an account, which costs its owner a few calls."""
    number = account.number
    return (
        number is not None
        and not account.unused
        and may_see(user)
        and access_of(user).syncs(number, is_paper=account.is_paper)
    )


def for_viewers(view: View) -> View:
    """Show a view to those who may see it (see `kis.pages`)."""
    return for_those(may_see, view)
