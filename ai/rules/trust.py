"""Whether the numbers can be relied on: their age, the broker's own sums, and stocks that cannot be traded."""

from collections.abc import Callable
from datetime import timedelta

from ai.rules.orders import in_words
from ai.rules.scene import NO_HOLDINGS, Scene, Verdict, found, listed, unless
from kis.advice import Severity
from kis.korean import SEOUL, clock_time, number, short_day, with_particle
from kis.models import Stock
from kis.portfolio.unknown import Unknown
from kis.reconciliation import checks_of
from kis.sessions import STALE_AFTER, age_if_stale

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def stale(scene: Scene) -> Verdict:
    """Find data that the market has moved on from."""
    taken = scene.position.account.snapshot_at
    age = age_if_stale(taken, scene.at)
    if age is None:
        return []
    written = f"{age // DAY}일" if age >= DAY else in_words(age // MINUTE)
    limit = STALE_AFTER // MINUTE
    local = taken.astimezone(SEOUL)
    return [
        found(
            Severity.WARNING,
            f"{written} 지난 자료",
            f"{short_day(local.date())} {clock_time(local)} 자료라 지금 값과 다를 수 있습니다. 다시 동기화해 주세요.",
            {"age_minutes": f"{age // MINUTE}", "limit_minutes": f"{limit}"},
            limit=f"기준 {limit}분",
        )
    ]


def unreconciled(scene: Scene) -> Verdict:
    """Find sums of ours that are not the broker's."""
    run = scene.position.account.sync_run
    checks = checks_of(run.checks) if run else []
    if not checks:
        return Unknown("대사한 기록이 없습니다.")
    differing = [check for check in checks if check.difference]
    if not differing:
        return []
    worst = min(differing, key=lambda check: (check.unit != "원", -abs(check.difference)))
    apart = f"{number(abs(worst.difference))}{worst.unit}"
    rest = f" 차이가 {len(differing) - 1}건 더 있습니다." if len(differing) > 1 else ""
    where = f" 확인할 곳: {worst.row}." if worst.row else ""
    return [
        found(
            Severity.WARNING,
            f"{worst.name} {apart}",
            f"{with_particle(worst.name, '이')} 증권사 값과 {apart} 다릅니다.{where}{rest}",
            {"difference": worst.difference, "differences": f"{len(differing)}"},
            limit="차이 0",
        )
    ]


def unpriced(scene: Scene) -> Verdict:
    """Find holdings whose price the broker has not given: their value is not in the total."""
    if not scene.unpriced:
        return []
    names = listed(row.stock_name for row in scene.unpriced)
    return [
        found(
            Severity.WARNING,
            f"{len(scene.unpriced)}종목",
            f"현재가를 받지 못해 평가할 수 없는 종목이 있습니다: {names}.",
            {"stocks": f"{len(scene.unpriced)}"},
            limit="모든 종목",
            stock_code=scene.unpriced[0].stock_code if len(scene.unpriced) == 1 else "",
        )
    ]


def halted(scene: Scene) -> Verdict:
    """Find holdings that cannot be traded now."""
    return marked(scene, lambda stock: stock.halted, "거래정지", "거래가 정지되어 지금은 팔 수 없습니다.")


def managed(scene: Scene) -> Verdict:
    """Find holdings that the exchange watches, and may take off its list."""
    return marked(
        scene, lambda stock: stock.managed, "관리종목", "관리종목으로 지정되어 상장폐지 여부를 살펴야 합니다."
    )


def marked(scene: Scene, is_marked: Callable[[Stock], bool], word: str, sentence: str) -> Verdict:
    """Find holdings with a mark of the exchange; where a stock is not in the list nobody can tell."""
    if not scene.position.holdings:
        return NO_HOLDINGS
    findings, unknown = [], []
    for row in scene.position.holdings:
        stock = scene.position.stocks.get(row.stock_code)
        if stock is None:
            unknown.append(row.stock_name)
        elif is_marked(stock):
            findings.append(
                found(
                    Severity.WARNING,
                    row.stock_name,
                    f"{with_particle(row.stock_name, '이')} {sentence}",
                    {"value": row.evlu_amt},
                    limit=word,
                    stock_code=row.stock_code,
                )
            )
    return unless(
        findings, Unknown(f"종목 정보가 없는 종목이 있습니다: {listed(unknown)}") if unknown else None
    )
