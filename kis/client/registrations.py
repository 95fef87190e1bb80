"""What a feed wants to hear, and what the broker has granted so far on this connection."""

import re
from collections.abc import Iterable

from kis.client.codes import Environment
from kis.client.errors import KisError, KisMisconfigured
from kis.client.realtime_frames import FILLS_TR, PRICES_TR, SUBSCRIBE, UNSUBSCRIBE, Registration

#: Of one app key, notices included; the broker refuses the next one (OPSP0008).
MAX_REGISTRATIONS = 41
STOCK_CODE = re.compile(r"Q?[0-9A-Z]{6}")


class TooManyRegistrations(KisError):
    """More stocks than one connection may hear; nothing was sent."""

    def __init__(self, wanted: int) -> None:
        super().__init__(
            f"실시간 등록은 체결통보를 포함해 {MAX_REGISTRATIONS}건까지입니다. ({wanted}건을 요청했습니다)"
        )
        self.wanted = wanted


class Registrations:
    """Wanted and granted registrations, in the order they were asked for."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.fills = Registration(FILLS_TR[environment.mode], environment.hts_id)
        self.wanted: dict[Registration, None] = {}
        self.granted: set[Registration] = set()

    def add_prices(self, codes: Iterable[str]) -> None:
        """Want the trades of these stocks, or none of them. Raises TooManyRegistrations, KisMisconfigured."""
        added = [self._price(code) for code in codes]
        self._add(added)

    def drop_prices(self, codes: Iterable[str]) -> None:
        for code in codes:
            self.wanted.pop(self._price(code), None)

    def add_fills(self) -> None:
        """Want the execution notices of the HTS ID. Raises KisMisconfigured without one."""
        if not self.environment.hts_id:
            raise KisMisconfigured(
                f"체결통보를 받으려면 HTS ID가 필요합니다: .env에 KIS_{self.environment.mode.upper()}_HTS_ID 값을 넣어 주세요."
            )
        self._add([self.fills])

    def _add(self, added: list[Registration]) -> None:
        wanted = {**self.wanted, **dict.fromkeys(added)}
        if len(wanted) > MAX_REGISTRATIONS:
            raise TooManyRegistrations(len(wanted))
        self.wanted = wanted

    def _price(self, code: str) -> Registration:
        if not STOCK_CODE.fullmatch(code):
            raise KisMisconfigured(f"종목코드는 숫자와 영문 대문자 6자리여야 합니다: {code}")
        return Registration(PRICES_TR, code)

    def next_request(self) -> tuple[Registration, str] | None:
        """Return what to ask for next and how (SUBSCRIBE or UNSUBSCRIBE); None when all is as wanted.

        Notices come last: a wrong HTS ID ends the connection, and by then everything else has been granted.
        """
        for registration in self.granted:
            if registration not in self.wanted:
                return registration, UNSUBSCRIBE
        missing = [registration for registration in self.wanted if registration not in self.granted]
        missing.sort(key=lambda registration: registration == self.fills)
        return (missing[0], SUBSCRIBE) if missing else None
