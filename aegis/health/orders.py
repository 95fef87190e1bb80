"""Orders: could one leave now, and is one open whose outcome nobody knows."""

from django.conf import settings

from aegis.health.case import Case, Result, fine, problem, warning
from trading import kill_switch, password
from trading.desk import free_bytes
from trading.facts import LEAST_DISK_BYTES
from trading.models import PendingOrder

MEGABYTE = 1_000_000


def trading(case: Case) -> Result:
    """See what stands in the way of orders, the worst first."""
    unsettled = PendingOrder.objects.unsettled().count()
    if unsettled:
        return problem(
            f"결과를 모르는 주문이 {unsettled}건 있어 새 주문을 막습니다.", "manage.py reconcile_orders"
        )
    free = free_bytes()
    if free < LEAST_DISK_BYTES:
        return problem(
            f"주문 기록을 남길 {settings.TRADING_DIR} 폴더에 {free // MEGABYTE:,}MB뿐이라 주문을 막습니다.",
            "필요 없는 파일을 지워 공간을 확보해 주세요.",
        )
    switch = kill_switch.read()
    if switch.is_on:
        return warning(
            f"주문 중지가 켜져 있습니다. {switch.reason}".rstrip(),
            "까닭을 확인한 뒤: manage.py kill_switch off",
        )
    if not password.is_set():
        return warning("거래 비밀번호가 없어 주문할 수 없습니다.", "manage.py set_trading_password")
    room = f"기록할 공간 {free // MEGABYTE:,}MB"
    if case.mode == "real" and not (settings.REAL_TRADING_ENABLED or case.demo):
        return fine(f"실전 주문은 꺼져 있습니다(REAL_TRADING_ENABLED). 주문 중지 꺼짐, {room}.")
    return fine(f"주문할 수 있습니다. 거래 비밀번호 있음, 주문 중지 꺼짐, 결과를 모르는 주문 없음, {room}.")
