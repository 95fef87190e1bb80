"""Data frames of the websocket turned into events: split, decrypted, checked."""

from collections import Counter
from collections.abc import Iterator

from kis.client.errors import KisReplyChanged
from kis.client.protocol import Row
from kis.client.realtime_events import Event, Problem
from kis.client.realtime_frames import (
    PRICES_TR,
    AesKey,
    Data,
    Registration,
    decrypt,
    notice_rows,
    price_rows,
)
from kis.client.records.realtime import FillNotice, PriceTick
from kis.client.registrations import Registrations


class DataReader:
    """Reads what is wanted; the keys of one connection are of no use on the next."""

    def __init__(self, registrations: Registrations) -> None:
        self.registrations = registrations
        self.keys: dict[str, AesKey] = {}
        self.complaints: set[str] = set()
        #: Frames nobody asked for, by TR id.
        self.unknown_frames: Counter[str] = Counter()

    def begin(self) -> None:
        """Forget what belonged to the last connection."""
        self.keys.clear()
        self.complaints.clear()

    def read(self, data: Data) -> Iterator[Event]:
        """Yield the events of a frame. A record that cannot be read is a Problem, and the others are read."""
        if data.tr_id not in {PRICES_TR, self.registrations.fills.tr_id}:
            self.unknown_frames[data.tr_id] += 1
            return
        try:
            payload = self._plain(data)
            if data.tr_id == PRICES_TR:
                rows = price_rows(payload, count=data.count)
            else:
                rows = notice_rows(payload, count=data.count, tr_id=data.tr_id)
        except KisReplyChanged as error:
            yield from self._complain(error)
            return
        for row in rows:
            try:
                event = self._record(row)
            except KisReplyChanged as error:
                yield from self._complain(error)
            else:
                if event is not None:
                    yield event

    def _plain(self, data: Data) -> str:
        """Return the payload, decrypted where it has to be. Raises KisReplyChanged."""
        if not data.is_encrypted:
            return data.payload
        aes = self.keys.get(data.tr_id)
        if aes is None:
            raise KisReplyChanged("payload", tr_id=data.tr_id, problem="암호 열쇠가 없습니다")
        return decrypt(data, aes)

    def _record(self, row: Row) -> Event | None:
        if row.tr_id != PRICES_TR:
            return FillNotice.from_row(row)
        tick = PriceTick.from_row(row)
        # One that was on its way when its stock was given up is dropped.
        return tick if Registration(PRICES_TR, tick.code) in self.registrations.wanted else None

    def _complain(self, error: KisReplyChanged) -> Iterator[Event]:
        """Report every unreadable notice, which may be a fill, but a field of prices only once: it is in every tick."""
        if error.tr_id == PRICES_TR:
            if error.field in self.complaints:
                return
            self.complaints.add(error.field)
        yield Problem(error)
