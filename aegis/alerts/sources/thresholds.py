"""The owner's own rules for prices and returns, held against the newest snapshot of each account."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from aegis.alerts.kinds import Kind
from aegis.alerts.models import AlertRule, AlertWatch
from aegis.alerts.outbox import News, Whose
from aegis.alerts.view import View
from kis.korean import SEOUL, number, percent
from kis.models import KisAccount, KisHolding

#: How far a value has to come back before a rule waits for it again: a price by this part of it, a rate by percentage points.
BACK_PRICE: Final = Decimal("0.01")
BACK_POINTS: Final = Decimal("0.5")
CENT: Final = Decimal("0.01")
Watches = dict[tuple[int, str, str], AlertWatch]


def thresholds(view: View) -> Iterator[News]:
    """Yield rules that a holding has reached: once for each crossing, and at most once a day."""
    rules = list(AlertRule.objects.filter(enabled=True).order_by("pk"))
    if not rules or view.today is None:
        return
    watches: Watches = {
        (watch.rule_id, account_key(watch), watch.stock_code): watch
        for watch in AlertWatch.objects.filter(rule__in=rules)
    }
    for account in KisAccount.objects.newest_of_each():
        if account.snapshot_at.astimezone(SEOUL).date() != view.today:
            continue
        whose = view.whose(account.account_no, account.product_code, is_paper=account.is_paper)
        for holding in account.holdings.defer("raw_json").order_by("stock_code"):
            for rule in rules:
                if rule.stock_code in {"", holding.stock_code}:
                    watch = watches.get((rule.pk, whose.key, holding.stock_code))
                    yield from look(rule, holding, watch, whose, view)


def account_key(watch: AlertWatch) -> str:
    return f"{watch.account_no}-{watch.product_code}-{'paper' if watch.is_paper else 'real'}"


def look(
    rule: AlertRule, holding: KisHolding, watch: AlertWatch | None, whose: Whose, view: View
) -> Iterator[News]:
    """Hold one stock against one rule, and note where the rule stands with it. Inside of `one_at_a_time`."""
    today = view.today
    assert today is not None  # noqa: S101  # nobody looks while the market's day is not known
    value = value_of(rule, holding)
    if watch is not None and watch.threshold != rule.threshold:
        watch.delete()
        watch = None
    if not is_reached(rule, value):
        if watch is not None and not watch.is_armed and has_come_back(rule, value):
            AlertWatch.objects.filter(pk=watch.pk).update(is_armed=True)
        return
    if watch is not None:
        # The change of a day begins anew with the day; a price has to come back first. Nothing is told twice a day.
        may_speak = watch.told_on != today and (watch.is_armed or rule.is_of_the_day)
        if not may_speak:
            return
        AlertWatch.objects.filter(pk=watch.pk).update(told_on=today, is_armed=False)
    else:
        AlertWatch.objects.create(
            rule=rule, stock_code=holding.stock_code, threshold=rule.threshold, told_on=today, **whose.columns
        )
    yield reached(rule, holding, whose, day=f"{today:%Y%m%d}")


def value_of(rule: AlertRule, holding: KisHolding) -> Decimal:
    """Return what a rule looks at, a loss and a fall as negative percent."""
    if rule.is_price:
        return Decimal(holding.prpr)
    rate = holding.fllt_rt if rule.is_of_the_day else holding.evlu_pfls_rt
    return Decimal(str(rate)).quantize(CENT, ROUND_HALF_UP)


def limit_of(rule: AlertRule) -> Decimal:
    """Return the threshold as the value is counted: a fall of 10 % is -10."""
    return rule.threshold if rule.is_price or rule.is_upward else -rule.threshold


def is_reached(rule: AlertRule, value: Decimal) -> bool:
    return value >= limit_of(rule) if rule.is_upward else value <= limit_of(rule)


def has_come_back(rule: AlertRule, value: Decimal) -> bool:
    """Return whether a value is so far from the threshold again that reaching it would be news."""
    room = rule.threshold * BACK_PRICE if rule.is_price else BACK_POINTS
    return value <= limit_of(rule) - room if rule.is_upward else value >= limit_of(rule) + room


def reached(rule: AlertRule, holding: KisHolding, whose: Whose, *, day: str) -> News:
    name = holding.stock_name
    direction = "이상" if rule.is_upward else "이하"
    if rule.is_price:
        title = f"{name} 현재가가 {number(int(rule.threshold))}원 {direction}"
    elif rule.is_of_the_day:
        title = f"{name} 전일 대비 {percent(holding.fllt_rt)}"
    else:
        title = f"{name} 평가손익률 {percent(holding.evlu_pfls_rt)}"
    rates = f"전일 대비 {percent(holding.fllt_rt)}, 평가손익률 {percent(holding.evlu_pfls_rt)}"
    facts = f"{name} {holding.stock_code} 현재가 {number(holding.prpr)}원, {rates}"
    note = f"\n기준: {rule.get_measure_display()} {rule.threshold.normalize():,f}"
    note += f"\n메모: {rule.note}" if rule.note else ""
    # A price and a rate of the market say nothing of how much somebody has; his own words might.
    return News(
        Kind.RULE,
        f"{rule.pk}:{whose.key}:{holding.stock_code}:{day}:{rule.threshold}",
        title,
        facts + note,
        bare=facts,
        rates=f"{name} {holding.stock_code} {rates}",
        rates_title=f"{name} 현재가가 기준 {direction}" if rule.is_price else None,
        whose=whose,
    )
