"""The states of an order of ours and the ways between them (design.md section 9); pure."""

from enum import StrEnum


class State(StrEnum):
    """Where an order stands. `UNKNOWN` may or may not have reached the exchange."""

    PENDING = "pending"
    LOCKED = "locked"
    ABANDONED = "abandoned"
    SENDING = "sending"
    NOT_SENT = "not_sent"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_PLACED = "not_placed"
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


#: Every legal step; whatever is missing here is refused by the database as well. Nothing leads back to PENDING.
STEPS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.SENDING, State.LOCKED, State.EXPIRED, State.ABANDONED}),
    State.SENDING: frozenset({State.ACCEPTED, State.REJECTED, State.NOT_SENT, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.NOT_PLACED}),
    State.ACCEPTED: frozenset({State.PARTIAL, State.FILLED, State.CANCELLED, State.EXPIRED}),
    State.PARTIAL: frozenset({State.FILLED, State.CANCELLED, State.EXPIRED}),
}

NAMES: dict[State, str] = {
    State.PENDING: "확인 대기",
    State.LOCKED: "잠김",
    State.ABANDONED: "그만둠",
    State.SENDING: "보내는 중",
    State.NOT_SENT: "보내지 않음",
    State.REJECTED: "거절",
    State.UNKNOWN: "모름",
    State.NOT_PLACED: "접수되지 않음",
    State.ACCEPTED: "접수",
    State.PARTIAL: "일부체결",
    State.FILLED: "체결",
    State.CANCELLED: "취소됨",
    State.EXPIRED: "만료",
}

#: May be at the exchange without our knowing its number.
UNSETTLED = frozenset({State.SENDING, State.UNKNOWN})
