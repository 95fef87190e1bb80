"""What the account consists of: too much of one thing, too little cash, away from the owner's targets."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ai.rules.scene import (
    HUNDREDTH,
    NAMED,
    NO_HOLDINGS,
    Scene,
    Verdict,
    about,
    found,
    listed,
    plainly,
    unless,
)
from kis.advice import Finding, Severity
from kis.cash_ladder import cash_ladder
from kis.korean import number, share, with_particle
from kis.models import TargetWeight
from kis.portfolio.cash import MisuLevel
from kis.portfolio.unknown import Unknown

NO_TARGETS: Final = Unknown("목표 비중을 정하지 않았습니다.")
LARGEST: Final = 3


def stock_concentration(scene: Scene) -> Verdict:
    """Find stocks, and funds by a limit of their own, that are too large a part of the account."""
    if isinstance(scene.total, Unknown):
        return scene.total
    if not scene.position.holdings:
        return NO_HOLDINGS
    findings = []
    for row in scene.priced:
        weight = scene.weight(row.evlu_amt)
        limit = scene.limits.fund if scene.is_fund(row) else scene.limits.stock
        if weight > limit:
            name = with_particle(row.stock_name, "은")
            findings.append(
                found(
                    Severity.WARNING,
                    about(row.stock_name, f"{share(weight)}%"),
                    f"{name} 총평가금액의 {share(weight)}%로 한도 {plainly(limit)}%를 넘습니다.",
                    {"weight_pct": weight, "limit_pct": limit, "value": row.evlu_amt},
                    limit=f"한도 {plainly(limit)}%",
                    measured=(weight, limit),
                    stock_code=row.stock_code,
                )
            )
    return unless(findings, scene.no_price)


def sector_concentration(scene: Scene) -> Verdict:
    """Find sectors that are too large a part of the account; a stock without a known sector may belong to any."""
    if isinstance(scene.total, Unknown):
        return scene.total
    if not scene.position.holdings:
        return NO_HOLDINGS
    sectors: dict[str, list[int]] = defaultdict(list)
    unknown = []
    for row in scene.priced:
        stock = scene.position.stocks.get(row.stock_code)
        if scene.is_fund(row):
            continue
        if stock is None or not stock.sector:
            unknown.append(row)
        else:
            sectors[stock.sector].append(row.evlu_amt)
    limit, findings = scene.limits.sector, []
    largest = Decimal(0)
    for name, values in sorted(sectors.items(), key=lambda item: (-sum(item[1]), item[0])):
        weight = scene.weight(sum(values))
        largest = max(largest, weight)
        if weight > limit:
            findings.append(
                found(
                    Severity.WARNING,
                    about(name, f"{share(weight)}%"),
                    f"{name} 업종 {len(values)}종목이 총평가금액의 {share(weight)}%로 한도 {plainly(limit)}%를 넘습니다.",
                    {"weight_pct": weight, "limit_pct": limit, "stocks": f"{len(values)}", "sector": name},
                    limit=f"한도 {plainly(limit)}%",
                    measured=(weight, limit),
                )
            )
    if largest + scene.weight(sum(row.evlu_amt for row in unknown)) > limit:
        names = listed(row.stock_name for row in unknown)
        return unless(findings, Unknown(f"업종을 모르는 종목이 있습니다: {names}"))
    return unless(findings, scene.no_price)


def hhi(scene: Scene) -> Verdict:
    """Find an account that a few single stocks decide about; funds spread by themselves and do not count."""
    if isinstance(scene.total, Unknown):
        return scene.total
    if not scene.position.holdings:
        return NO_HOLDINGS
    single = [row for row in scene.priced if not scene.is_fund(row)]
    parts = [Decimal(row.evlu_amt) * 100 / scene.total for row in single]
    index = sum((part * part for part in parts), Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP)
    limit = scene.limits.hhi
    if index <= limit:
        return unless([], scene.no_price)
    largest = single[:LARGEST]
    weight = scene.weight(sum(row.evlu_amt for row in largest))
    names = with_particle(", ".join(row.stock_name for row in largest), "이")
    return [
        found(
            Severity.CAUTION,
            f"HHI {number(int(index))}",
            f"집중도 지수(HHI)가 {number(int(index))}로 기준 {plainly(limit)}보다 높습니다. "
            f"{names} 총평가금액의 {share(weight)}%입니다.",
            {"hhi": index, "limit": limit, "largest_pct": weight},
            limit=f"기준 {plainly(limit)}",
            measured=(index, limit),
        )
    ]


def cash_floor(scene: Scene) -> Verdict:
    """Find too little cash once all trades have settled. What is owed is another rule's to tell."""
    if isinstance(scene.total, Unknown):
        return scene.total
    cash, limit = scene.position.account.available, scene.limits.cash
    weight = scene.weight(cash)
    if cash < 0 or weight >= limit:
        return []
    return [
        found(
            Severity.CAUTION,
            f"D+2 현금 {share(weight)}%",
            f"D+2 현금이 총평가금액의 {share(weight)}%로 기준 {plainly(limit)}%보다 적습니다.",
            {"weight_pct": weight, "limit_pct": limit, "cash": cash},
            limit=f"기준 {plainly(limit)}%",
            measured=(weight, limit),
        )
    ]


def misu(scene: Scene) -> Verdict:
    """Find cash that will be short when trades settle, in the words of the books."""
    told = cash_ladder(scene.position.account).misu
    if told.level is MisuLevel.NONE:
        return []
    severity = Severity.WARNING if told.level is MisuLevel.DANGER else Severity.CAUTION
    return [
        found(
            severity, f"부족 {number(told.shortage)}원", told.text, {"shortage": told.shortage}, limit="0원"
        )
    ]


def drift(scene: Scene) -> Verdict:
    """Find what has moved away from the owner's targets; a target that is not held counts as 0 %."""
    position, limit = scene.position, scene.limits.target
    if not position.targets:
        return NO_TARGETS
    if isinstance(scene.total, Unknown):
        return scene.total
    held = {row.stock_code: row for row in position.holdings}
    unpriced = {row.stock_code for row in scene.unpriced}
    away: list[tuple[Decimal, Decimal, Decimal, str, str]] = []
    for code, target in position.targets.items():
        if code in unpriced:
            continue
        if code == TargetWeight.CASH:
            name, amount = "현금", position.account.available
        else:
            stock, row = position.stocks.get(code), held.get(code)
            name = row.stock_name if row else stock.name if stock else code
            amount = row.evlu_amt if row else 0
        weight = scene.weight(amount)
        difference = weight - target
        if abs(difference) > limit:
            away.append((difference, weight, target, name, code))
    away.sort(key=lambda one: (-abs(one[0]), one[4]))
    findings = [drifted(*one, limit=limit) for one in away[:NAMED]]
    if rest := away[NAMED:]:
        names = listed(name for *_, name, _ in rest)
        findings.append(
            found(
                Severity.CAUTION,
                f"그 밖 {len(rest)}종목",
                f"목표에서 {plainly(limit)}%p 넘게 벗어난 종목이 더 있습니다: {names}.",
                {"stocks": f"{len(rest)}", "limit_pct": limit},
                limit=f"±{plainly(limit)}%p",
            )
        )
    return unless(findings, scene.no_price if unpriced & set(position.targets) else None)


def drifted(
    difference: Decimal, weight: Decimal, target: Decimal, name: str, code: str, *, limit: Decimal
) -> Finding:
    apart = f"{abs(difference).quantize(HUNDREDTH, ROUND_HALF_UP).normalize():f}"
    return found(
        Severity.CAUTION,
        about(name, f"{share(weight)}%"),
        f"{with_particle(name, '은')} {share(weight)}%로 목표 {plainly(target)}%보다 {apart}%p "
        f"{'많습니다' if difference > 0 else '적습니다'}.",
        {"weight_pct": weight, "target_pct": target, "difference_pct": difference, "limit_pct": limit},
        limit=f"목표 {plainly(target)}%",
        measured=(difference, limit),
        stock_code="" if code == TargetWeight.CASH else code,
    )
