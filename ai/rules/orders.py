"""Orders that wait at the exchange: far from the price, or for long."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ai.rules.scene import HUNDREDTH, NAMED, Scene, Verdict, about, found, listed, plainly, unless
from kis.advice import Severity
from kis.korean import SEOUL, percent, with_particle
from kis.models import KisUnfilledOrder
from kis.portfolio.unknown import Unknown

MINUTE: Final = timedelta(minutes=1)
UNREADABLE: Final = Unknown("시각을 읽을 수 없는 주문이 있습니다.")


def far_from_price(scene: Scene) -> Verdict:
    """Find orders whose price is far from the last one, which is known of stocks that are held."""
    prices = {row.stock_code: row.prpr for row in scene.priced}
    limit, away, unknown = scene.limits.order_distance, [], []
    for row in scene.position.unfilled:
        if not row.ord_unpr:
            continue  # at the market's price
        price = prices.get(row.stock_code)
        if price is None:
            unknown.append(row)
            continue
        distance = (Decimal(row.ord_unpr - price) * 100 / price).quantize(HUNDREDTH, ROUND_HALF_UP)
        if abs(distance) > limit:
            away.append((distance, row))
    away.sort(key=lambda one: (-abs(one[0]), one[1].odno))
    findings = [
        found(
            Severity.CAUTION,
            about(row.stock_name, percent(distance)),
            f"{row.stock_name} {side(row)} 주문의 가격이 현재가와 {percent(distance)} 차이로 "
            f"기준 {plainly(limit)}%를 넘습니다.",
            {"distance_pct": distance, "limit_pct": limit},
            limit=f"기준 {plainly(limit)}%",
            measured=(distance, limit),
            stock_code=row.stock_code,
        )
        for distance, row in away[:NAMED]
    ]
    if rest := away[NAMED:]:
        findings.append(
            found(
                Severity.CAUTION,
                f"그 밖 {len(rest)}건",
                f"가격이 현재가에서 {plainly(limit)}% 넘게 떨어진 주문이 더 있습니다: "
                f"{listed((named(row) for _, row in rest), '건')}.",
                {"orders": f"{len(rest)}", "limit_pct": limit},
                limit=f"기준 {plainly(limit)}%",
            )
        )
    names = listed(dict.fromkeys(row.stock_name for row in unknown))
    return unless(findings, Unknown(f"현재가를 모르는 주문이 있습니다: {names}") if unknown else None)


def long_waiting(scene: Scene) -> Verdict:
    """Find orders that have waited for long, up to the moment of the snapshot."""
    limit, waiting, unreadable = scene.limits.order_minutes, [], False
    for row in scene.position.unfilled:
        waited = waited_for(row, scene.position.account.snapshot_at)
        if waited is None:
            unreadable = True
        elif waited >= limit:
            waiting.append((waited, row))
    waiting.sort(key=lambda one: (-one[0], one[1].odno))
    findings = [
        found(
            Severity.INFO,
            about(row.stock_name, f"{side(row)} {clock(waited)}"),
            f"{with_particle(f'{row.stock_name} {side(row)} 주문', '이')} {in_words(waited)} 동안 체결되지 않았습니다.",
            {"waited": clock(waited), "limit": clock(int(limit))},
            limit=f"기준 {clock(int(limit))}",
            measured=(Decimal(waited), limit),
            stock_code=row.stock_code,
        )
        for waited, row in waiting[:NAMED]
    ]
    if rest := waiting[NAMED:]:
        findings.append(
            found(
                Severity.INFO,
                f"그 밖 {len(rest)}건",
                f"{in_words(int(limit))} 이상 기다린 주문이 더 있습니다: {listed((named(row) for _, row in rest), '건')}.",
                {"orders": f"{len(rest)}", "limit": clock(int(limit))},
                limit=f"기준 {clock(int(limit))}",
            )
        )
    return unless(findings, UNREADABLE if unreadable else None)


def waited_for(row: KisUnfilledOrder, until: datetime) -> int | None:
    """Return the whole minutes since an order of that day, None where its time cannot be read."""
    local = until.astimezone(SEOUL)
    try:
        placed = datetime.strptime(row.ord_tmd, "%H%M%S").time()  # noqa: DTZ007  # a time of day in Seoul
    except ValueError:
        return None
    return max((local - datetime.combine(local.date(), placed, SEOUL)) // MINUTE, 0)


def side(row: KisUnfilledOrder) -> str:
    return "매도" if row.sll_buy_dvsn_cd == KisUnfilledOrder.SideCode.SELL else "매수"


def named(row: KisUnfilledOrder) -> str:
    return f"{row.stock_name} {side(row)}"


def clock(minutes: int) -> str:
    """`314` → `5:14`."""
    return f"{minutes // 60}:{minutes % 60:02}"


def in_words(minutes: int) -> str:
    """`314` → `5시간 14분`."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours}시간"] if hours else []), *([f"{rest}분"] if rest or not hours else [])])
