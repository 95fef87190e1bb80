"""What the files of reports are called."""

from pathlib import Path
from typing import Final

from kis.accounts import Account, configured_accounts, default_mode

FILE_NAME: Final = "Kis_Dashboard.pdf"
#: What a file may be called besides letters and digits; a masked number keeps its x.
LABEL_SIGNS: Final = " ()+-_"


def file_name(account: Account | None) -> str:
    """Return the usual name for the account that is meant where nothing else is said, and one with its label for others.

    So the files of two accounts, least of all of a real and a paper one, never take each other's place.
    """
    if account is None:
        return FILE_NAME
    in_use = [other for other in configured_accounts() if not other.unused]
    mode = default_mode(in_use)
    if [other for other in in_use if other.mode == mode] == [account] or in_use == [account]:
        return FILE_NAME
    label = "".join(sign if sign.isalnum() or sign in LABEL_SIGNS else "x" for sign in account.label)
    return f"{Path(FILE_NAME).stem}_{label}.pdf"
