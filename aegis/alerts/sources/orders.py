"""Fills, refusals, orders whose outcome is not known, and the switch that stops them all."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert
from aegis.alerts.outbox import News, Whose
from aegis.alerts.sources.lasting import close, going_on, over
from aegis.alerts.view import View
from kis.korean import SEOUL, number, short_day
from kis.models import KisExecution, KisOrderDetail, SyncRun
from kis.models.books import Side
from trading import kill_switch
from trading.models import OrderEvent, PendingOrder
from trading.states import NAMES, UNSETTLED, State

#: Fills that come to light later than this, after a long rest of the machine, are in the books and told to nobody.
LOOK_BACK: Final = timedelta(days=7)
#: Nobody posts an order for so long: whoever has claimed it is dead, or as good as.
SURELY_STUCK: Final = timedelta(seconds=26)
#: Events of orders that happened longer ago are no news.
RECENT: Final = timedelta(days=1)
KEYS_AT_ONCE: Final = 500
STUCK: Final = "주문을 보내던 프로그램이 멈춘 것 같습니다. 증권사에 접수되었을 수 있습니다."
MAY_BE_KNOWN: Final = "백업에서 되살리기 전에 낸 주문이라 이미 알렸을 수 있습니다."
DO_NOT_REPEAT: Final = (
    "다시 주문하지 말고 확인해 주세요: 사이트의 주문 목록(/orders/)이나 manage.py reconcile_orders"
)
STOP: Final = "본인이 아니라면 주문을 멈춰 주세요: 관리 화면의 ‘주문 중지’나 manage.py kill_switch on"


# --- fills ------------------------------------------------------------------------------------------------------------


def fills(view: View) -> Iterator[News]:
    """Yield each growth of a fill. What the first sync of an account brought is noted and told to nobody."""
    if view.today is None:
        return
    rows = list(
        KisExecution.objects.filter(exec_dt__gte=view.today - LOOK_BACK)
        .defer("raw_json")
        .order_by("exec_dt", "exec_tmd", "pk")
    )
    known = known_keys([key_of(row) for row in rows], Kind.FILL)
    seen_before = accounts_seen("fill")
    for row in rows:
        if key_of(row) in known:
            continue
        whose = view.whose(row.account_no, row.product_code, is_paper=row.is_paper)
        if whose.key in seen_before:
            ordered_at = datetime.combine(row.exec_dt, row.exec_tmd, SEOUL)
            yield fill(
                row,
                whose,
                told=told_of(row),
                today=view.today == row.exec_dt,
                again=view.is_of_before_restoring(ordered_at),
            )
        elif was_synced(whose):
            yield News(
                Kind.FILL, key_of(row), "체결 (처음 봄)", whose=whose, detail=quantities(row), is_silent=True
            )
    for whose in view.in_use():
        if whose.key not in seen_before and was_synced(whose):
            yield News(Kind.START, f"fill:{whose.key}", "체결 알림 시작", whose=whose, is_silent=True)


def was_synced(whose: Whose) -> bool:
    """Return whether the books of an account have once been complete: until then, all that comes is old."""
    runs = SyncRun.objects.copying().of(whose.number, is_paper=whose.is_paper)
    return runs.filter(status=SyncRun.Status.COMPLETE).exists()


def order_key(row: KisExecution) -> str:
    mode = "paper" if row.is_paper else "real"
    return f"{row.account_no}-{row.product_code}-{mode}:{row.exec_dt:%Y%m%d}:{row.ord_gno_brno}:{row.odno}"


def key_of(row: KisExecution) -> str:
    return f"{order_key(row)}:{row.exec_qty}"


def quantities(row: KisExecution) -> dict[str, int]:
    return {"quantity": row.exec_qty, "amount": row.exec_amt}


def known_keys(keys: list[str], kind: Kind) -> set[str]:
    """Return which of the keys have been told."""
    known: set[str] = set()
    for first in range(0, len(keys), KEYS_AT_ONCE):
        part = [f"{kind}:{key}" for key in keys[first : first + KEYS_AT_ONCE]]
        known.update(Alert.objects.filter(dedup_key__in=part).values_list("dedup_key", flat=True))
    return {key.removeprefix(f"{kind}:") for key in known}


def accounts_seen(what: str) -> set[str]:
    """Return the accounts that have been looked at before, by their keys."""
    start = f"{Kind.START}:{what}:"
    found = Alert.objects.filter(kind=Kind.START, dedup_key__startswith=start)
    return {key.removeprefix(start) for key in found.values_list("dedup_key", flat=True)}


def told_of(row: KisExecution) -> tuple[int, int]:
    """Return shares and won of a fill that have been told already."""
    before = Alert.objects.filter(kind=Kind.FILL, dedup_key__startswith=f"{Kind.FILL}:{order_key(row)}:")
    details = [alert.detail for alert in before.only("detail")]
    return max(((detail["quantity"], detail["amount"]) for detail in details), default=(0, 0))


def fill(row: KisExecution, whose: Whose, *, told: tuple[int, int], today: bool, again: bool) -> News:
    """Say what has been filled since it was last told: shares, price, and how much there is in all.

    `again` is of an order that was placed before the books came out of a backup.
    """
    quantity, amount = row.exec_qty - told[0], row.exec_amt - told[1]
    side = Side(row.exec_type).label
    # More won for more shares is what it was filled at; a correction of the broker's has no price of its own.
    price = round(amount / quantity) if quantity > 0 and amount > 0 else row.exec_price
    when = "" if today else f"{short_day(row.exec_dt)} "
    repeated = f"\n{MAY_BE_KNOWN}" if again else ""
    grown = f" (모두 {number(row.exec_qty)}주, 평균 {number(row.exec_price)}원)" if told[0] else ""
    return News(
        Kind.FILL,
        key_of(row),
        f"{side} 체결 {row.stock_name} {number(quantity)}주",
        f"{when}{row.stock_name} {row.stock_code} {side} {number(quantity)}주 × {number(price)}원 "
        f"= {number(amount)}원{grown}. 주문번호 {row.odno.lstrip('0')}{repeated}",
        bare=f"{when}{row.stock_name} {row.stock_code} {side} {'추가 ' if told[0] else ''}체결{repeated}",
        bare_title=f"{side} 체결 {row.stock_name}",
        whose=whose,
        detail=quantities(row),
    )


# --- refusals -----------------------------------------------------------------------------------------------------------


def refusals(view: View) -> Iterator[News]:
    """Yield orders that the broker refused, and codes that were wrong too often."""
    events = OrderEvent.objects.filter(
        at__gte=max(view.since, view.at - RECENT), new_status__in=[State.REJECTED, State.LOCKED]
    )
    for event in events.select_related("order").order_by("number"):
        order = event.order
        if order is None:
            continue
        whose = view.whose(order.account_no, order.product_code, is_paper=order.is_paper)
        if event.new_status == State.LOCKED:
            yield News(
                Kind.REFUSED,
                f"event:{event.number}",
                "확인 코드를 세 번 틀림",
                f"주문을 잠갔습니다: {order.words}. {STOP}",
                bare=f"주문을 잠갔습니다. {STOP}",
                whose=whose,
                is_urgent=True,
            )
        else:
            yield News(
                Kind.REFUSED,
                f"event:{event.number}",
                "증권사가 주문을 거절함",
                f"{order.words}\n{event.detail.get('reason', '')}".strip(),
                bare=bare_words(order),
                whose=whose,
            )


def rejections(view: View) -> Iterator[News]:
    """Yield orders of today that the exchange refused later, ours or those of another program."""
    if view.today is None:
        return
    seen_before = accounts_seen("fill")
    rows = KisOrderDetail.objects.filter(ord_dt=view.today, status=KisOrderDetail.Status.REJECTED)
    for row in rows.defer("raw_json").order_by("ord_tmd", "pk"):
        whose = view.whose(row.account_no, row.product_code, is_paper=row.is_paper)
        price = f"{number(row.ord_unpr)}원" if row.ord_unpr else "시장가"
        side = Side(row.side).label
        yield News(
            Kind.REFUSED,
            f"order:{whose.key}:{row.ord_dt:%Y%m%d}:{row.ord_gno_brno}:{row.odno}",
            "거래소가 주문을 거절함",
            f"{side} {row.stock_name} {row.stock_code} {number(row.ord_qty)}주 {price}, 주문번호 {row.odno.lstrip('0')}",
            bare=f"{side} {row.stock_name} {row.stock_code}",
            whose=whose,
            is_silent=whose.key not in seen_before,
        )


def bare_words(order: PendingOrder) -> str:
    what = "취소" if order.is_cancel else Side(order.side).label
    return f"{what} {order.stock_name} {order.stock_code}"


# --- orders whose outcome is not known ----------------------------------------------------------------------------------


def unknown_orders(view: View) -> Iterator[News]:
    """Yield orders whose outcome nobody knows, also while their sender is only suspected to be dead; and what became of them."""
    stuck = view.at - SURELY_STUCK
    open_orders = PendingOrder.objects.unsettled().order_by("pk")
    for order in open_orders:
        if order.state is State.SENDING and not (order.claimed_at and order.claimed_at <= stuck):
            continue
        reason = order.reason if order.state is State.UNKNOWN else STUCK
        yield News(
            Kind.UNKNOWN,
            f"order:{order.pk}",
            "결과를 모르는 주문",
            "\n".join(filter(None, [order.words, reason, DO_NOT_REPEAT])),
            bare=f"{bare_words(order)}\n{DO_NOT_REPEAT}",
            whose=view.whose(order.account_no, order.product_code, is_paper=order.is_paper),
            detail={"order": order.pk},
            is_lasting=True,
        )
    told = {alert.detail["order"]: alert for alert in going_on(Kind.UNKNOWN)}
    settled = PendingOrder.objects.filter(pk__in=told).exclude(status__in=UNSETTLED)
    for order in settled:
        if close(told[order.pk], view):
            whose = view.whose(order.account_no, order.product_code, is_paper=order.is_paper)
            words = f"{NAMES[order.state]}: {bare_words(order)}"
            yield over(told[order.pk], "모르던 주문의 결과를 확인함", words, whose=whose)


def until_stuck(at: datetime) -> timedelta | None:
    """Return how long to wait until the order that is being sent would have been sent; None where there is none."""
    young = PendingOrder.objects.filter(status=State.SENDING, claimed_at__gt=at - SURELY_STUCK)
    last = young.order_by("-claimed_at").values_list("claimed_at", flat=True).first()
    return last + SURELY_STUCK - at if last else None


# --- the switch ---------------------------------------------------------------------------------------------------------


def switch(view: View) -> Iterator[News]:
    """Yield that orders were stopped, by whomever, and that they may pass again."""
    now, told = kill_switch.read(), going_on(Kind.KILL)
    if now.is_on and not told:
        # Turned on again after it was off, it is another event; one that only a file tells of has no time.
        since = now.since or view.at
        yield News(
            Kind.KILL,
            f"{since.isoformat()}",
            "주문 중지가 켜짐",
            f"{now.reason}\n까닭을 확인한 뒤 사이트가 있는 기기의 터미널에서 끄기: manage.py kill_switch off".strip(),
            is_lasting=True,
        )
    for alert in () if now.is_on else told:
        if close(alert, view):
            yield over(alert, "주문 중지가 꺼짐")
