"""Somebody at the order pages, with what placing an order takes: a grant, a second factor, a fresh password."""

import re
from datetime import timedelta
from html import unescape

from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from kis import second_factor
from kis.client.codes import AccountNumber
from kis.encryption import encrypt
from kis.grants import grant
from kis.models import SecondFactor
from tests.trading.conftest import PASSWORD
from tests.trading.trades import SAMSUNG

REAL = AccountNumber("12345678", "01")
SITE_PASSWORD = "correct horse battery"


class Browser:
    """A browser that somebody has signed in with."""

    def __init__(self, user, *, verified=True, fresh=True):
        self.user = user
        self.client = Client()
        self.client.force_login(user)
        if verified:
            self.verify()
        if not fresh:
            self.grow_stale()

    def verify(self):
        factor, _ = SecondFactor.objects.get_or_create(
            user=self.user,
            confirmed=True,
            defaults={"secret_encrypted": encrypt("A" * 32), "confirmed_at": timezone.now()},
        )
        self.change_session(**{DEVICE_ID_SESSION_KEY: factor.persistent_id})

    def grow_stale(self):
        past = timezone.now() - second_factor.FRESH_FOR - timedelta(seconds=1)
        self.change_session(**{second_factor.PASSWORD_AT: past.timestamp()})

    def change_session(self, **values):
        session = self.client.session
        session.update(values)
        session.save()

    def get(self, path="", **headers):
        return self.client.get(f"/orders/{path}", headers=headers)

    def post(self, path, body=None, **headers):
        return self.client.post(f"/orders/{path}", body or {}, headers=headers)

    # --- an order ----------------------------------------------------------------------------------------------------

    def propose(self, asked, /, **changes):
        """Fill in the form, and return the page of the preview."""
        response = self.post("new/", buying(asked, **changes))
        assert response.status_code == 302, text_of(response)
        return self.client.get(response["Location"])

    def confirm(self, page, **changes):
        """Confirm what a page shows, and return the answer."""
        order = page.context["order"]
        body = {"code": page.context["code"], "trading_password": PASSWORD, **changes}
        return self.post(f"{order.pk}/confirm/", body)


def buying(asked, /, **changes):
    typed = {
        "account": "실전",
        "side": "buy",
        "code": SAMSUNG,
        "name": "",
        "kind": "limit",
        "quantity": "3",
        "price": str(asked),
        "trading_password": PASSWORD,
        **changes,
    }
    return {name: value for name, value in typed.items() if value is not None}


def somebody(name, role=None, **columns):
    user = get_user_model().objects.create_user(name, password=SITE_PASSWORD, **columns)
    if role:
        grant(user, REAL, is_paper=False, role=role)
    return user


def text_of(response):
    """Return the words of a page, without what they are wrapped in."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())
