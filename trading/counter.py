"""Orders of somebody who is signed in, on the pages and over the API: with which accounts, and what stops them, in words."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import DatabaseError, InterfaceError

from kis.access import access_of, may_trade, visible_accounts
from kis.accounts import Account
from kis.client.errors import KisError
from kis.commands import explain_database, explain_file
from trading import fate
from trading.desk import open_desk
from trading.errors import NOT_SENT, TradingError
from trading.models import PendingOrder
from trading.on_pages import on_pages
from trading.safe_executor import SafeExecutor

Somebody = AbstractBaseUser | AnonymousUser


class Stopped(Exception):
    """Something stopped an order; `sentence` says what, and what is certain about the order, `why` is the cause."""

    def __init__(self, why: Exception, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why
        self.sentence = sentence


# --- which accounts --------------------------------------------------------------------------------------------------


def tradable_accounts(user: Somebody) -> list[Account]:
    """Return the accounts that somebody may place orders with: by a grant and the permission, whatever his rank."""
    access = access_of(user)
    return [
        account
        for account in visible_accounts(user)
        if account.number is not None
        and not account.unused
        and access.trades(account.number, is_paper=account.is_paper)
    ]


def account_of(order: PendingOrder, user: Somebody) -> Account | None:
    """Return the account of an order, None where somebody may not know of it."""
    for account in visible_accounts(user):
        if (account.number, account.is_paper) == (order.account, order.is_paper):
            return account
    return None


@contextmanager
def open_executor(account: Account, *, user: User, source: PendingOrder.Source) -> Iterator[SafeExecutor]:
    """Open the desk of an account for somebody; what he may do is asked for now, not when the page was made."""
    with open_desk(account.mode, account) as desk:
        environment = desk.environment
        allowed = may_trade(user, environment.account, is_paper=environment.is_paper)
        yield SafeExecutor(desk, source=source, user=user, may_trade=allowed)


# --- what stops them -------------------------------------------------------------------------------------------------


@contextmanager
def told(order: PendingOrder | None = None, *, look: str, settle: str) -> Iterator[None]:
    """Turn whatever stops an order into a sentence that says whether something was sent. Raises Stopped.

    `order` is the one that was about to leave; without one nothing can have left. `look` and `settle` are where to look.
    """
    why: Exception
    try:
        yield
    except (TradingError, KisError) as error:
        text, why = on_pages(str(error)), error
    except (DatabaseError, InterfaceError) as error:
        text, why = explain_database(error), error
    except OSError as error:
        text, why = explain_file(error), error
    else:
        return
    raise Stopped(why, sentence(text, order, look=look, settle=settle)) from why


def sentence(text: str, order: PendingOrder | None, *, look: str, settle: str) -> str:
    """Say what went wrong, and what is certain about the order."""
    certain = fate.said(*fate.fate(order), look=look, settle=settle) if order else NOT_SENT
    return text if NOT_SENT in text and certain.startswith(NOT_SENT) else f"{text} {certain}"
