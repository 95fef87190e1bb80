"""What becomes of orders when the books are those of a backup: nothing is sent, and the owner looks first."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from kis.korean import SEOUL
from trading import audit, kill_switch
from trading.models import PendingOrder
from trading.states import State
from trading.steps import step

WAITED = "백업에서 되살린 주문이라 확인 코드를 쓸 수 없습니다. 주문하려면 처음부터 다시 입력해 주세요."
ON_ITS_WAY = "보내는 중에 만든 백업에서 되살렸습니다. 증권사에 접수되었을 수 있습니다."


@dataclass(frozen=True, slots=True)
class Settled:
    """How many orders waited for their code, and how many were on their way, when the backup was made."""

    waiting: int
    under_way: int


@transaction.atomic
def settle_restored(*, at: datetime, made_at: datetime) -> Settled:
    """Give up what waited, take what was on its way for UNKNOWN, and stop all orders until the owner lets them pass.

    Orders placed after the backup was made are at the broker and nowhere in these books: limits do not count them, and a
    second order for the same wish would be one too many.
    """
    waiting = under_way = 0
    for order in PendingOrder.objects.filter(status=State.PENDING):
        waiting += step(
            order, State.ABANDONED, at=at, what="restored", values={"reason": WAITED, "ended_at": at}
        )
    for order in PendingOrder.objects.filter(status=State.SENDING):
        under_way += step(
            order, State.UNKNOWN, at=at, what="restored", values={"reason": ON_ITS_WAY, "ended_at": at}
        )
    made = f"{made_at.astimezone(SEOUL):%Y-%m-%d %H:%M}"
    reason = f"{made}의 백업에서 되살렸습니다. 동기화해 대사와 주문내역을 확인한 뒤 풀어 주세요."
    kill_switch.turn_row_on(reason, at=at, by="restore")
    audit.record("restored", at=at, detail={"made_at": made_at.isoformat()})
    return Settled(waiting, under_way)
