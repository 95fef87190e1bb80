"""What a file shows of an account, and whether it opens with a password only."""

from dataclasses import dataclass, field, replace
from typing import Final

from django.conf import settings

from kis.known_secrets import remember
from reports.encryption import checked_password
from reports.models import PublishedReport

Privacy = PublishedReport.Privacy
#: From the one that shows everything to the one that shows least.
STRICTNESS: Final = (Privacy.FULL, Privacy.MASKED, Privacy.PERCENT)


@dataclass(frozen=True, slots=True)
class Look:
    """How much of the account is shown; with a password the file is encrypted."""

    privacy: Privacy = Privacy.FULL
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse a password that no PDF can have (PasswordRefused), and keep every other one out of the logs."""
        remember(checked_password(self.password))

    @property
    def columns(self) -> dict[str, object]:
        return {"privacy": self.privacy, "is_encrypted": bool(self.password)}


def outgoing(look: Look) -> Look:
    """Return the look of what leaves this computer: never more than the settings allow, whatever was asked for here."""
    wanted = Privacy(settings.REPORT_PRIVACY)
    privacy = max(look.privacy, wanted, key=STRICTNESS.index)
    return replace(look, privacy=privacy, password=look.password or settings.REPORT_PDF_PASSWORD)
