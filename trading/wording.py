"""What happened to an order, as its owner reads it, on the pages and in the admin."""

from trading.models import OrderEvent
from trading.states import NAMES, State

#: What happened, as the owner reads it.
WHAT = {
    "proposed": "미리보기",
    "withdrawn": "그만둠",
    "wrong_code": "비밀번호나 코드 틀림",
    "locked": "잠김",
    "code_expired": "코드 시간 지남",
    "claimed": "보내기 시작",
    "answered": "결과",
    "left_behind": "보내다 멈춤",
    "followed": "증권사 상태",
    "restored": "백업에서 되살림",
    "adopted": "소유자가 주문번호 확인",
    "disowned": "소유자가 다른 주문이라 함",
    "not_placed": "접수되지 않음 확인",
    "kill_switch_on": "주문 중지 켬",
    "kill_switch_off": "주문 중지 끔",
    "password_set": "거래 비밀번호 바꿈",
}


def state_name(value: str) -> str:
    return NAMES[State(value)] if value else ""


def what_of(event: OrderEvent) -> str:
    return WHAT.get(event.what, event.what)


def change_of(event: OrderEvent) -> str:
    old, new = state_name(event.old_status), state_name(event.new_status)
    return f"{old} → {new}" if old and new else new
