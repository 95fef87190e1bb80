"""Every state that a dashboard has to look good in; `make states` makes their pictures.

Each state saves rows of the books and says how they are to be shown. Three come from the simulator with its three months,
the others are made up, because no simulator has a day like that.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import sin

from django.db import models, transaction

from kis.advice import Advice, Point, Source
from kis.calendar import business_day_before, business_days
from kis.client.codes import Mode
from kis.demo import SAMPLE_TARGETS, DemoBroker
from kis.korean import SEOUL
from kis.models import (
    DailyPrice,
    IndexPrice,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisTradeProfit,
    KisUnfilledOrder,
    MarketDay,
    MinPrice,
    PriceGap,
    PriceHistory,
    SyncRun,
    TargetWeight,
)
from kis.models import Stock as MasterStock
from kis.models.days import State as DayState
from kis.past import save_targets, write_past
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync import sync_account
from kis.sync.minutes import fetch_minutes
from kis.sync.progress import Quiet
from reports.advising import advice_on
from reports.figures import Broken, Dashboard, dashboard_figures
from reports.figures.broken import SENTENCE
from reports.looks import Privacy
from reports.pdf import render_pdf
from reports.privacy import shown as without
from reports.queries import dashboard_rows
from tests.factories import (
    AT,
    Stock,
    fill,
    hold,
    order,
    report_fills,
    save_minutes,
    snapshot,
    stocks,
    sync_run,
)
from tests.kis.syncing import connection_to
from tests.reports.conftest import Rendered

MONDAY_AFTERNOON = datetime(2026, 11, 23, 14, 20, tzinfo=SEOUL)
HISTORY_DAYS = 62
SECTORS = ("전기전자", "운수장비", "금융", "서비스", "화학", "의약품", "기계", "유통")
LONG = "타이거미래에셋차이나전기차배터리SOLACTIVE합성레버리지증권상장지수투자신탁(주식-파생형)"[:50]
HOSTILE = (
    '<script>alert("x")</script>',
    "<img src=http://127.0.0.1/x onerror=a>",
    "'; DROP TABLE kis_holding;--",
    "{{ settings.SECRET_KEY }}",
    "&lt;b&gt;굵게&lt;/b&gt; & <b>",
    "</td></tr></table><h1>큰 제목",
    "url(file:///etc/passwd)",
    "\u202e거꾸로 쓰는 이름\u202c",
    "e\u0301\u0302\u0303결합문자",
    "😀 그림문자 🚀",
    "=HYPERLINK(0)",
    "줄\u2028바꿈 이름",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A saved account, and how its pages are made: so `late` after the snapshot, and with a `change` of the figures."""

    account: KisAccount
    late: timedelta = timedelta(seconds=6)
    is_demo: bool = False
    privacy: Privacy = Privacy.FULL
    change: Callable[[Dashboard], Dashboard] = lambda dashboard: dashboard


Save = Callable[[], Shown]
STATES: dict[str, Save] = {}


def state(save: Save) -> Save:
    STATES[save.__name__] = save
    return save


# --- accounts of the simulator -----------------------------------------------------------------------------------------


#: What a sample account leaves in the books, parents before children.
FILMED: tuple[type[models.Model], ...] = (
    SyncRun,
    MasterStock,
    MarketDay,
    IndexPrice,
    KisAccount,
    KisHolding,
    KisUnfilledOrder,
    KisExecution,
    KisOrderDetail,
    KisDailySummary,
    KisDepositLog,
    KisTradeProfit,
    DailyPrice,
    MinPrice,
    PriceHistory,
    PriceGap,
    TargetWeight,
)
Film = tuple[int, dict[type[models.Model], list[models.Model]]]
_films: dict[tuple[str, datetime, bool], Film] = {}


def played(mode: Mode, *, at: datetime = MONDAY_AFTERNOON, with_past: bool = True) -> KisAccount:
    """Save the sample account with its weeks, its targets and today up to a moment; a second time from memory."""
    film = _films.get((mode, at, with_past))
    if film is None:
        account = play(mode, at=at, with_past=with_past)
        rows = {model: list(model._default_manager.all()) for model in FILMED}  # noqa: SLF001  # any model has it
        _films[mode, at, with_past] = account.pk, rows
        return account
    for model, kept in film[1].items():
        model._default_manager.bulk_create([copy(row) for row in kept])  # noqa: SLF001  # as above
    return KisAccount.objects.get(pk=film[0])


def play(mode: Mode, *, at: datetime, with_past: bool) -> KisAccount:
    with Simulator(SimulatorConfig(clock=at, speed=0, limits=False)) as simulator:
        if with_past:
            write_past(DemoBroker(simulator, "current"), mode)
        with connection_to(simulator, mode) as connection:
            run = sync_account(connection)
            held = KisHolding.objects.filter(kis_account__sync_run=run).values_list("stock_code", flat=True)
            # As the job of every minute has them by now; of days that are over no page shows any.
            fetch_minutes(
                connection.session,
                set(held),
                at=connection.now(),
                listener=Quiet(),
                seconds=3_600,
                past=False,
            )
            save_targets(
                connection.environment.account,
                is_paper=connection.environment.is_paper,
                percents=SAMPLE_TARGETS[mode],
            )
    return KisAccount.objects.get(sync_run=run)


@state
def real_fresh() -> Shown:
    return Shown(played("real"))


@state
def paper() -> Shown:
    return Shown(played("paper"))


@state
def demo() -> Shown:
    return Shown(played("real"), is_demo=True)


@state
def stale() -> Shown:
    account = played("real", at=MONDAY_AFTERNOON - timedelta(hours=4))
    for minutes in (30, 60, 90):
        sync_run(
            at=account.snapshot_at + timedelta(minutes=minutes),
            status=SyncRun.Status.FAILED,
            error="증권사 서버가 응답하지 않습니다.",
        )
    return Shown(account, late=timedelta(hours=1, minutes=52))


@state
def difference() -> Shown:
    """Let one stock be worth 57,200 won more by the broker's own total."""
    account = played("real")
    run = account.sync_run
    assert run is not None
    row = account.holdings.order_by("-evlu_amt")[0]
    for check in run.checks:
        if check["name"] == "보유 평가금액 합":
            check.update(broker=check["broker"] + 57_200, difference=-57_200, row=row.stock_name)
    run.differences = 1
    run.save()
    for name in ("total_eval_amt", "stock_eval_amt", "net_assets"):
        setattr(account, name, getattr(account, name) + 57_200)
    account.save()
    return Shown(account)


@state
def first_day() -> Shown:
    return Shown(played("real", with_past=False))


@state
def holiday() -> Shown:
    """Look on a Sunday, when the last session is Friday's."""
    return Shown(played("real", at=datetime(2026, 11, 22, 11, 0, tzinfo=SEOUL)))


@state
def before_the_opening() -> Shown:
    return Shown(played("real", at=datetime(2026, 11, 23, 8, 35, tzinfo=SEOUL)))


@state
def evening() -> Shown:
    return Shown(played("real", at=datetime(2026, 11, 23, 16, 0, tzinfo=SEOUL)))


@state
def missing_prices() -> Shown:
    """Leave out every price of a stock, some of another one, and minutes that nobody fetched."""
    account = played("real")
    codes = list(account.holdings.order_by("-evlu_amt").values_list("stock_code", flat=True))
    DailyPrice.objects.filter(stock_code=codes[0]).delete()
    MinPrice.objects.filter(stock_code__in=[codes[0], codes[2]]).delete()
    days = list(DailyPrice.objects.filter(stock_code=codes[1]).order_by("-trade_date")[:9:2])
    DailyPrice.objects.filter(pk__in=[row.pk for row in days]).delete()
    hole = datetime.combine(account.snapshot_at.astimezone(SEOUL).date(), time(10, 30), SEOUL)
    until = hole + timedelta(minutes=70)
    MinPrice.objects.filter(stock_code=codes[1], bar_at__range=(hole, until)).delete()
    PriceGap.objects.create(
        stock_code=codes[1],
        what=PriceGap.What.MINUTE,
        first_at=hole,
        last_at=until,
        found_at=account.snapshot_at,
        reason="받지 못했습니다.",
    )
    IndexPrice.objects.all().delete()
    account.indices = {}
    account.save()
    return Shown(account)


# --- accounts that are made up ---------------------------------------------------------------------------------------------


def made_up(
    held: Sequence[Stock],
    *,
    fills: int = 6,
    orders: int = 4,
    cash: int = 10_633_778,
    day: float | None = None,
    is_paper: bool = False,
    with_minutes: bool = True,
) -> KisAccount:
    """Save an account with all that its pages show: weeks of closes, candles, minutes, targets, fills and open orders.

    `day` is what every stock changed today, in percent.
    """
    if day is not None:
        held = [replace(stock, change=day) for stock in held]
    number_ = "50012345" if is_paper else "12345678"
    trades = [trade_of(number, held, is_paper=is_paper) for number in range(fills)]
    costs = sum(trade.costs.total for trade in trades if trade.costs)
    spent = sum(trade.exec_amt * (1 if trade.exec_type == "BUY" else -1) for trade in trades)
    bought = {
        stock.code: sum(
            trade.exec_qty * (1 if trade.exec_type == "BUY" else -1)
            for trade in trades
            if trade.stock_code == stock.code
        )
        for stock in held
    }
    evening = [
        replace(stock, price=yesterday(stock), quantity=stock.quantity - bought[stock.code]) for stock in held
    ]
    cash_before = cash + spent + costs
    before = sum(stock.price * stock.quantity for stock in evening) + cash_before
    account = snapshot(
        held,
        cash=cash,
        is_paper=is_paper,
        with_closes=False,
        run=sync_run(is_paper=is_paper, account_no=number_),
        deposit=cash_before,
        d1_cash=cash_before,
        orderable_cash=max(cash - 1_917_260, 0),
        previous_assets=before,
        today_fee=costs,
        indices={
            "0001": {"day": f"{AT:%Y-%m-%d}", "level": "2946.66", "before": "2894.62"},
            "1001": {"day": f"{AT:%Y-%m-%d}", "level": "777.26", "before": "768.86"},
        },
    )
    save_candles(held)
    save_master(held, account_no=number_, is_paper=is_paper)
    if with_minutes:
        save_minutes(held)
    save_weeks(account, ending_with=before, cash=cash_before, held=evening)
    for number in range(orders):
        stock = held[(number * 3) % len(held)]
        order(
            account,
            number,
            stock_code=stock.code,
            stock_name=stock.name,
            ord_unpr=max(round(stock.price * (1.03 if number % 2 else 0.96)), 1),
            sll_buy_dvsn_cd="01" if number % 2 else "02",
        )
    return report_fills(account)


def trade_of(number: int, held: Sequence[Stock], *, is_paper: bool) -> KisExecution:
    """Save a fill of a stock that is held, small enough to have been there before."""
    stock = held[number % len(held)]
    quantity = 1 + number % 7 if stock.quantity > 7 * (1 + number // len(held)) else 1
    is_sale = number % 3 == 1
    amount = stock.price * quantity
    return fill(
        number,
        side="SELL" if is_sale else "BUY",
        name=stock.name,
        stock_code=stock.code,
        exec_qty=quantity,
        exec_price=stock.price,
        exec_amt=amount,
        commission=amount * 14 // 100_000,
        tax=amount * 15 // 10_000 if is_sale else 0,
        is_paper=is_paper,
        account_no="50012345" if is_paper else "12345678",
    )


def yesterday(stock: Stock) -> int:
    return round(stock.price / (1 + stock.change / 100))


def save_candles(held: Sequence[Stock], *, count: int = 12) -> None:
    days = [business_day_before(AT.date(), days=back) for back in range(1, count + 1)]
    rows = []
    for place, stock in enumerate(held):
        close = yesterday(stock)
        for back, day in enumerate(days):
            opening = max(round(close * (1 + 0.012 * sin(back * 2.3 + place))), 1)
            rows.append(
                DailyPrice(
                    stock_code=stock.code,
                    trade_date=day,
                    open=opening,
                    high=round(max(opening, close) * (1 + 0.004 * (1 + (back + place) % 3))),
                    low=max(round(min(opening, close) * (1 - 0.004 * (1 + (back * 2 + place) % 3))), 1),
                    close=close,
                    volume=40_000 + (back * 7_919 + place * 104_729) % 60_000,
                )
            )
            close = max(round(opening * (1 + 0.006 * sin(back + place * 1.7))), 1)
    DailyPrice.objects.bulk_create(rows, ignore_conflicts=True)


def save_master(held: Sequence[Stock], *, account_no: str, is_paper: bool) -> None:
    MasterStock.objects.bulk_create(
        [
            MasterStock(
                code=stock.code,
                name=stock.name,
                market="KOSDAQ" if place % 4 == 3 else "KOSPI",
                kind="stock",
                sector=SECTORS[place % len(SECTORS)],
                source="master",
                updated_at=AT,
            )
            for place, stock in enumerate(held)
        ],
        ignore_conflicts=True,
    )
    TargetWeight.objects.bulk_create(
        TargetWeight(account_no=account_no, is_paper=is_paper, stock_code=code, percent=Decimal(percent))
        for code, percent in [*((stock.code, 6) for stock in held[:8]), (TargetWeight.CASH, 5)]
    )


def save_weeks(account: KisAccount, *, ending_with: int, cash: int, held: Sequence[Stock]) -> None:
    """Save closes that lead to the worth of yesterday, with a deposit on the way, and the indices beside them."""
    last = business_day_before(AT.date())
    days = list(business_days(business_day_before(last, days=HISTORY_DAYS - 1), last))
    deposit = ending_with // 20
    profits = [
        round(ending_with * 0.004 * sin(place * 1.3) + ending_with * 0.0004) for place in range(len(days))
    ]
    total = ending_with - deposit - sum(profits[1:])
    growth = Decimal(1)
    for place, day in enumerate(days):
        flow = deposit if place == len(days) // 2 else 0
        profit = profits[place] if place else 0
        rate = Decimal(profit) / total if total else Decimal(0)
        growth *= 1 + rate
        before, total = total, total + profit + flow
        save_close(
            account, day, total=total, flow=flow, profit=profit, before=before, growth=growth, place=place
        )
        for index, start in ((IndexPrice.Index.KOSPI, 2_800), (IndexPrice.Index.KOSDAQ, 750)):
            close = Decimal(start) * (1 + Decimal(place) / 1_500) + Decimal(round(9 * sin(place), 2))
            IndexPrice.objects.create(index_code=index, trade_date=day, close=round(close, 2))
    # The evening before is what today is counted from.
    newest = KisAccount.objects.of(account.account, is_paper=account.is_paper).get(snapshot_at__date=last)
    newest.available, newest.stock_eval_amt = cash, ending_with - cash
    newest.save()
    for stock in held:
        if stock.quantity:
            hold(newest, stock)


def save_close(
    account: KisAccount,
    day: date,
    *,
    total: int,
    flow: int,
    profit: int,
    before: int,
    growth: Decimal,
    place: int,
) -> None:
    close = KisAccount.objects.create(
        account_no=account.account_no,
        product_code=account.product_code,
        is_paper=account.is_paper,
        snapshot_at=datetime.combine(day, time(16), SEOUL),
        deposit=account.available,
        d1_cash=account.available,
        available=account.available,
        today_buy_amt=0,
        today_sell_amt=0,
        today_fee=0,
        stock_eval_amt=total - account.available,
        total_eval_amt=total,
        total_profit_loss=profit * 5,
        total_buy_amt=total - account.available - profit * 5,
        net_assets=total,
        previous_assets=before,
    )
    realised = 31_400 * (place % 7 - 2) if place % 3 == 0 else 0
    row = KisDailySummary(
        account_no=account.account_no,
        product_code=account.product_code,
        is_paper=account.is_paper,
        summary_date=day,
        kis_account=close,
        state=DayState.FINAL,
        closed_at=close.snapshot_at,
        total_amt=total,
        stock_amt=close.stock_eval_amt,
        cash_amt=close.available,
        cost_amt=close.total_buy_amt,
        unrealised_broker=close.total_profit_loss,
        unrealised_average=close.total_profit_loss,
        unrealised_fifo=close.total_profit_loss,
        realised_broker=None if account.is_paper else realised,
        realised_average=realised,
        realised_fifo=realised,
        buy_amt=0,
        sell_amt=1_200_000 if realised else 0,
        fee=168 if realised else 0,
        tax=1_800 if realised else 0,
        flow=flow if place else None,
        day_profit=profit if place else None,
        day_return=round(Decimal(profit) / before * 100, 8) if place and before else None,
        cumulative_return=round((growth - 1) * 100, 8),
        reasons={
            **({"realised_broker": "모의투자에는 없습니다."} if account.is_paper else {}),
            **({} if place else dict.fromkeys(("flow", "day_profit", "day_return"), "첫 기록입니다.")),
            **({} if before or not place else {"day_return": "평가금액이 0원입니다."}),
        },
    )
    row.save()


@state
def no_holdings() -> Shown:
    return Shown(snapshot(cash=10_000_000, run=sync_run(), previous_assets=0))


@state
def no_holdings_on_paper() -> Shown:
    return Shown(snapshot(cash=100_000_000, is_paper=True, run=None, previous_assets=0))


@state
def one_holding() -> Shown:
    return Shown(made_up([Stock()], fills=1, orders=1))


@state
def twenty_holdings() -> Shown:
    return Shown(made_up(stocks(20)))


@state
def fifty_holdings() -> Shown:
    return Shown(made_up(stocks(50), fills=8, orders=8))


@state
def two_hundred_holdings() -> Shown:
    return Shown(made_up(stocks(200), fills=8, orders=8))


@state
def quiet_day() -> Shown:
    return Shown(made_up(stocks(20), fills=0, orders=0))


@state
def three_hundred_fills() -> Shown:
    return Shown(made_up(stocks(20), fills=300))


@state
def forty_open_orders() -> Shown:
    return Shown(made_up(stocks(20), orders=40))


@state
def losses_only() -> Shown:
    lost = [
        replace(stock, average=stock.price * (1.05 + place / 40)) for place, stock in enumerate(stocks(20))
    ]
    return Shown(made_up(lost, day=-1.7))


@state
def upper_limit() -> Shown:
    return Shown(made_up(stocks(20), day=29.95))


@state
def lower_limit() -> Shown:
    return Shown(made_up(stocks(20), day=-30.0))


@state
def trillions() -> Shown:
    rich = [replace(stock, quantity=stock.quantity * 12_345) for stock in stocks(20)]
    return Shown(made_up(rich, cash=123_456_789_012))


@state
def small_change() -> Shown:
    """Own a few won: shares below a thousand won and less cash than a share costs."""
    poor = [
        Stock(code=f"{place:06}", name=f"동전주{place}", price=87 + place, average=90.5, quantity=1)
        for place in range(5)
    ]
    return Shown(made_up(poor, cash=412, fills=0, orders=0))


@state
def long_names() -> Shown:
    held = [
        replace(stock, name=f"{LONG[: 49 - len(str(place))]}{place}")
        for place, stock in enumerate(stocks(20))
    ]
    return Shown(made_up(held, fills=8, orders=8))


@state
def letter_codes() -> Shown:
    codes = ("0009K0", "0117V0", "Q500001", "00104K", "33626L", "0080Y0")
    held = [
        replace(stock, code=code, name=f"영문코드 {code}")
        for stock, code in zip(stocks(6), codes, strict=True)
    ]
    return Shown(made_up(held))


@state
def hostile_names() -> Shown:
    held = [replace(stock, name=name) for stock, name in zip(stocks(len(HOSTILE)), HOSTILE, strict=True)]
    return Shown(made_up(held, fills=12, orders=8))


@state
def money_owed() -> Shown:
    """Owe cash on the day after next."""
    return Shown(made_up(stocks(20), cash=-3_412_900))


# --- pages that show less, or more -----------------------------------------------------------------------------------------


@state
def masked() -> Shown:
    return Shown(played("real"), privacy=Privacy.MASKED)


@state
def masked_and_made_up() -> Shown:
    return Shown(made_up(stocks(50), fills=8, orders=8), privacy=Privacy.MASKED)


@state
def percent_only() -> Shown:
    return Shown(played("real"), privacy=Privacy.PERCENT)


@state
def failed_sections() -> Shown:
    """Let what moved the total, the curve and the advice fail."""

    def spoil(dashboard: Dashboard) -> Dashboard:
        broken = Broken(SENTENCE)
        return replace(dashboard, today=broken, trend=broken, advice=broken)

    return Shown(played("real"), change=spoil)


@state
def every_section_failed() -> Shown:
    def spoil(dashboard: Dashboard) -> Dashboard:
        broken = Broken(SENTENCE)
        return replace(
            dashboard,
            minutes=broken,
            today=broken,
            realised=broken,
            trend=broken,
            composition=broken,
            fills=broken,
            open_orders=broken,
            advice=broken,
        )

    return Shown(played("real"), change=spoil)


@state
def words_of_a_model() -> Shown:
    """Let a model have written as much as it may."""
    text = (
        "삼성전자 비중이 한도를 넘은 상태에서 오늘 하루 손익의 대부분이 반도체 두 종목에서 나왔습니다. 목표 비중까지 줄이려면 "
        "일부를 팔아야 하고, 미체결 매도 주문이 체결되면 절반쯤 줄어듭니다."
    )

    def speak(dashboard: Dashboard) -> Dashboard:
        assert isinstance(dashboard.advice, Advice)
        count = len(dashboard.advice.findings)
        return replace(
            dashboard,
            advice=replace(
                dashboard.advice,
                points=tuple(Point(text, (f"F{place % max(count, 1) + 1}", "B")) for place in range(5)),
                source=Source.MODEL,
                note="",
                model="gemini-2.5-flash",
                written_at=dashboard.as_of,
                checked=23,
                dropped=1,
            ),
        )

    return Shown(played("real"), change=speak)


# --- drawing -------------------------------------------------------------------------------------------------------------


def figures(shown: Shown) -> Dashboard:
    """Return the figures of an account as its pages would be made now."""
    moment = shown.account.snapshot_at + shown.late
    mode: Mode = "paper" if shown.account.is_paper else "real"
    rows = dashboard_rows(mode=mode, at=moment)
    dashboard = dashboard_figures(
        rows,
        generated_at=moment,
        is_demo=shown.is_demo,
        advice=advice_on(rows.position, at=moment),
        next_update=moment.replace(second=0) + timedelta(minutes=10),
    )
    return shown.change(dashboard)


def drawn(save: Save) -> Rendered:
    """Draw a state, and take its rows back."""
    with transaction.atomic():
        shown = save()
        dashboard = figures(shown)
        transaction.set_rollback(True)
    return Rendered(dashboard, render_pdf(*without(dashboard, shown.privacy)))
