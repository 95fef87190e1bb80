"""What tests of the full fetch share: the simulator configured as the owner's broker, and a market left out."""

from kis.client.codes import Mode
from kis.client.throttle import SECONDS_BETWEEN_CALLS

MODES: tuple[Mode, ...] = ("real", "paper")


def configure(settings, simulator, *, modes=MODES):
    """Let the settings name the simulator's accounts, as an owner would name those of the broker."""
    settings.AEGIS_DEMO = False
    settings.KB_IMPORT_DIR = ""
    accounts = {mode: dict.fromkeys(account, "") for mode, account in settings.KIS_ACCOUNTS.items()}
    for mode in modes:
        side = getattr(simulator, mode)
        accounts[mode] = {
            "app_key": side.app_key,
            "app_secret": side.app_secret,
            "account_no": side.account,
            "base_url": side.url,
            "ws_url": side.ws,
            "hts_id": side.hts_id,
        }
    settings.KIS_ACCOUNTS = accounts


def leave_out_prices(monkeypatch):
    """Copy the books only, and wait for no turn: both are tested elsewhere, and take their time."""
    monkeypatch.setitem(SECONDS_BETWEEN_CALLS, "paper", 0.0)
    monkeypatch.setattr("kis.sync.run.copy_lists", lambda connection, **how: [])
    monkeypatch.setattr("kis.sync.run.copy_prices", lambda connection, **how: ())
    monkeypatch.setattr("kis.sync.run.copy_days", lambda connection, **how: ())
    monkeypatch.setattr("kis.data_fetch.copy_minutes", lambda connection, **how: None)
