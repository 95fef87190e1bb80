"""What the account has earned: falls, swings, losers, and what trading has cost."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from ai.rules.scene import (
    HUNDREDTH,
    NAMED,
    NO_HOLDINGS,
    TENTH,
    Scene,
    Verdict,
    about,
    found,
    listed,
    plainly,
    unless,
)
from kis.advice import Finding, Severity
from kis.korean import SEOUL, number, percent, share, short_day, with_particle
from kis.models import KisDailySummary, KisHolding
from kis.portfolio.returns import fall_from_peak, time_weighted, volatility
from kis.portfolio.unknown import Unknown
from kis.returns import day_value

HUNDRED: Final = Decimal(100)
FEWEST_CLOSES: Final = 2
TOO_FEW: Final = Unknown("마감한 날이 둘은 있어야 낙폭을 냅니다.")


def drawdown(scene: Scene) -> Verdict:
    """Find an account that stands below its highest close, deposits and withdrawals left out."""
    closed = [row for row in scene.position.summaries if row.total_amt is not None]
    if len(closed) < FEWEST_CLOSES:
        return TOO_FEW
    fall = fall_from_peak(time_weighted([day_value(row) for row in closed]))
    if isinstance(fall, Unknown):
        return fall
    depth = rounded(fall.rate * HUNDRED)
    limits = scene.limits
    if depth > -limits.drawdown:
        return []
    deep = depth <= -limits.deep_drawdown
    limit = limits.deep_drawdown if deep else limits.drawdown
    since = f"{short_day(fall.peak)} 최고점" if fall.peak else "기록의 첫날"
    on = fall.trough or closed[-1].summary_date
    return [
        found(
            Severity.WARNING if deep else Severity.CAUTION,
            f"고점 대비 {percent(depth)}",
            f"{short_day(on)} 마감이 {since}보다 {-depth}% 낮아 기준 {plainly(limit)}%에 이르렀습니다(입출금 제외).",
            {"fall_pct": depth, "limit_pct": -limit},
            limit=f"기준 −{plainly(limit)}%",
            measured=(depth, limit),
        )
    ]


def swings(scene: Scene) -> Verdict:
    """Find an account whose days swing too much; a day without a return of its own is left out."""
    rates = [row.day_return / HUNDRED for row in scene.position.summaries if row.day_return is not None]
    yearly = volatility(rates)
    if isinstance(yearly, Unknown):
        return yearly
    swing, limit = rounded(yearly * HUNDRED), scene.limits.volatility
    if swing <= limit:
        return []
    return [
        found(
            Severity.CAUTION,
            f"연 {swing}%",
            f"최근 {len(rates)}거래일의 변동성이 연 {swing}%로 기준 {plainly(limit)}%보다 큽니다.",
            {"volatility_pct": swing, "limit_pct": limit, "days": f"{len(rates)}"},
            limit=f"기준 {plainly(limit)}%",
            measured=(swing, limit),
        )
    ]


def losers(scene: Scene) -> Verdict:
    """Find stocks far below their purchase price, those that cost the most won first."""
    if not scene.position.holdings:
        return NO_HOLDINGS
    limits = scene.limits
    losing = [row for row in scene.priced if rounded(row.evlu_pfls_rt) <= -limits.loss]
    losing.sort(key=lambda row: (row.evlu_pfls_amt, row.stock_code))
    findings = []
    for row in losing[:NAMED]:
        rate = rounded(row.evlu_pfls_rt)
        deep = rate <= -limits.deep_loss
        limit = limits.deep_loss if deep else limits.loss
        findings.append(
            found(
                Severity.WARNING if deep else Severity.CAUTION,
                about(row.stock_name, percent(rate)),
                f"{row.stock_name}의 손익률이 {percent(rate)}로 기준 −{plainly(limit)}%에 이르렀습니다.",
                {"profit_pct": rate, "limit_pct": -limit, "profit": row.evlu_pfls_amt},
                limit=f"기준 −{plainly(limit)}%",
                measured=(rate, limit),
                stock_code=row.stock_code,
            )
        )
    if rest := losing[NAMED:]:
        findings.append(others(rest, limits.loss, limits.deep_loss))
    return unless(findings, scene.no_price)


def others(rest: Sequence[KisHolding], limit: Decimal, deep: Decimal) -> Finding:
    """Return one finding for the losers that have none of their own."""
    worst = min(rest, key=lambda row: (row.evlu_pfls_rt, row.stock_code))
    rate = rounded(worst.evlu_pfls_rt)
    return found(
        Severity.WARNING if rate <= -deep else Severity.CAUTION,
        f"그 밖 {len(rest)}종목",
        f"매입가보다 {plainly(limit)}% 이상 내린 종목이 {len(rest)}개 더 있습니다. "
        f"가장 큰 손실률은 {worst.stock_name} {percent(rate)}입니다.",
        {"stocks": f"{len(rest)}", "profit_pct": rate, "limit_pct": -limit},
        limit=f"기준 −{plainly(limit)}%",
    )


def plunges(scene: Scene) -> Verdict:
    """Find stocks that have fallen hard since the close before."""
    if not scene.position.holdings:
        return NO_HOLDINGS
    limit = scene.limits.plunge
    fallen = [row for row in scene.priced if rounded(row.fllt_rt) <= -limit]
    fallen.sort(key=lambda row: (row.fllt_rt, row.stock_code))
    findings = [
        found(
            Severity.CAUTION,
            about(row.stock_name, percent(rounded(row.fllt_rt))),
            f"{with_particle(row.stock_name, '이')} 전일보다 {-rounded(row.fllt_rt)}% 내려 "
            f"기준 {plainly(limit)}%에 이르렀습니다.",
            {"day_change_pct": rounded(row.fllt_rt), "limit_pct": -limit},
            limit=f"기준 −{plainly(limit)}%",
            measured=(rounded(row.fllt_rt), limit),
            stock_code=row.stock_code,
        )
        for row in fallen[:NAMED]
    ]
    if rest := fallen[NAMED:]:
        findings.append(
            found(
                Severity.CAUTION,
                f"그 밖 {len(rest)}종목",
                f"전일보다 {plainly(limit)}% 이상 내린 종목이 더 있습니다: {listed(row.stock_name for row in rest)}.",
                {"stocks": f"{len(rest)}", "limit_pct": -limit},
                limit=f"기준 −{plainly(limit)}%",
            )
        )
    return unless(findings, scene.no_price)


def costs(scene: Scene) -> Verdict:
    """Find a month whose profit goes into fees and taxes, from the days that are closed."""
    month = scene.position.account.snapshot_at.astimezone(SEOUL).date().replace(day=1)
    days = [row for row in scene.position.summaries if row.summary_date >= month]
    if not days:
        return Unknown("이번 달에 마감한 날이 아직 없습니다.")
    spent, kept = 0, 0
    for row in days:
        cost, profit = costs_of(row), profit_of(row)
        if isinstance(cost, Unknown):
            return cost
        if isinstance(profit, Unknown):
            return profit
        spent, kept = spent + cost, kept + profit
    earned = kept + spent
    if not spent:
        return []
    return (
        idle(scene, month.month, spent, earned) if earned <= 0 else eaten(scene, month.month, spent, earned)
    )


def costs_of(row: KisDailySummary) -> int | Unknown:
    fee, tax = row.won("fee"), row.won("tax")
    if isinstance(fee, Unknown):
        return fee
    return tax if isinstance(tax, Unknown) else fee + tax


def profit_of(row: KisDailySummary) -> int | Unknown:
    """Return the realised profit after costs: the broker's, or ours where it does not say."""
    broker = row.won("realised_broker")
    return row.won("realised_average") if isinstance(broker, Unknown) else broker


def eaten(scene: Scene, month: int, spent: int, earned: int) -> Verdict:
    part = (Decimal(spent) * HUNDRED / earned).quantize(TENTH, ROUND_HALF_UP)
    limit = scene.limits.costs
    if part <= limit:
        return []
    return [
        found(
            Severity.CAUTION,
            f"실현이익의 {share(part)}%",
            f"{month}월 비용 {number(spent)}원은 비용을 빼기 전 실현이익 {number(earned)}원의 {share(part)}%로 "
            f"기준 {plainly(limit)}%를 넘습니다.",
            {"costs": spent, "earned": earned, "costs_pct": part, "limit_pct": limit},
            limit=f"기준 {plainly(limit)}%",
            measured=(part, limit),
        )
    ]


def idle(scene: Scene, month: int, spent: int, earned: int) -> Verdict:
    if isinstance(scene.total, Unknown):
        return scene.total
    part, limit = rounded(Decimal(spent) * HUNDRED / scene.total), scene.limits.idle_costs
    if part <= limit:
        return []
    return [
        found(
            Severity.CAUTION,
            f"이익 없이 {number(spent)}원",
            f"{month}월에는 비용을 빼기 전 실현이익이 {number(earned)}원인데 비용으로 {number(spent)}원을 썼습니다.",
            {"costs": spent, "earned": earned, "costs_pct": part, "limit_pct": limit},
            limit=f"기준 자산의 {plainly(limit)}%",
            measured=(part, limit),
        )
    ]


def rounded(value: Decimal | float) -> Decimal:
    """Round as percentages are shown: what is judged is what is read."""
    return Decimal(str(value)).quantize(HUNDREDTH, ROUND_HALF_UP)
