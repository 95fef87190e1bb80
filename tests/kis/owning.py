"""What tests of several accounts share: accounts with keys of their own, in the environment and in the database."""

from kis.account_keys import Secrets, save_account
from kis.client.codes import AccountNumber
from kis.models import BrokerAccount

HOSTS = {
    "real": {
        "base_url": "https://openapi.koreainvestment.com:9443",
        "ws_url": "ws://ops.koreainvestment.com:21000",
    },
    "paper": {
        "base_url": "https://openapivts.koreainvestment.com:29443",
        "ws_url": "ws://ops.koreainvestment.com:31000",
    },
}
NO_KEYS = {"app_key": "", "app_secret": "", "account_no": "", "hts_id": ""}


def key_of(name):
    return f"PSkey{name}".ljust(36, "k")


def secret_of(name):
    return f"secret{name}".ljust(180, "s")


def of_owner(**numbers):
    """Return the settings of an owner with these accounts in the environment (`real="12345678-01"`)."""
    configured = {}
    for mode, hosts in HOSTS.items():
        keys = NO_KEYS
        if mode in numbers:
            keys = {
                "app_key": key_of(mode),
                "app_secret": secret_of(mode),
                "account_no": numbers[mode],
                "hts_id": f"hts-{mode}",
            }
        configured[mode] = hosts | keys
    return configured


def store(label, number, *, mode="real", key="", **columns):
    """Save an account with keys made of its label, or of `key`."""
    row = BrokerAccount(label=label, mode=mode, **columns)
    secrets = Secrets(
        app_key=key_of(key or number),
        app_secret=secret_of(key or number),
        account=AccountNumber.parse(number),
        hts_id=f"hts{number[:4]}",
    )
    save_account(row, secrets)
    return row


def store_simulated(label, side, *, mode="real", **columns):
    """Save the account that one host of a simulator serves."""
    row = BrokerAccount(label=label, mode=mode, base_url=side.url, ws_url=side.ws, **columns)
    secrets = Secrets(side.app_key, side.app_secret, AccountNumber.parse(side.account), side.hts_id)
    save_account(row, secrets)
    return row
