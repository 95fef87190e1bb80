"""What is not the truth, planted on the wire and by hand: refused, or shown as a difference that names the row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from kis.balance_report import look, print_view
from kis.client.errors import KisReplyChanged
from kis.models import KisAccount, KisExecution, KisHolding, KisOrderDetail, KisUnfilledOrder, SyncRun
from kis.sync import sync_account
from reports.figures import dashboard_figures
from reports.queries import dashboard_rows
from tests.kis.rewriting import listen
from tests.kis.syncing import SAMSUNG, TEN, Broker, Desk, connection_to, leave_out_the_market

pytestmark = pytest.mark.django_db

HYNIX, NAVER, CELLTRION = "000660", "035420", "068270"
OF_SAMSUNG, OF_HYNIX, OF_NAVER = f"삼성전자 {SAMSUNG}", f"SK하이닉스 {HYNIX}", f"NAVER {NAVER}"
THURSDAY = TEN - timedelta(days=1)
#: The inquiries by what their names have in common on both hosts.
BALANCE, ORDERS, UNFILLED = "TTC8434R", "TTC0081R", "TTC0084R"
PAGE = {"real": 50, "paper": 20}
BOOKS = (KisAccount, KisHolding, KisUnfilledOrder, KisExecution, KisOrderDetail)
INVENTED = "0000099999"
#: What only the books can tell, and not a look at the broker.
NEEDS_BOOKS = {"수량 변화 = 체결", "오늘 비용", "11/19(목) 비용"}
COMMISSION = "수수료율 설정 KIS_{mode}_COMMISSION"
UNKNOWN_MARKET = f"시장을 모르는 종목 {OF_HYNIX}"


class World:
    """An account with a yesterday, a snapshot of today, and a sale since."""

    def __init__(self, caller, connection, *, two_pages=False, more_orders=0):
        self.mode = connection.environment.mode
        self.connection = connection
        self.broker = Broker(caller.endpoint.url)
        more_stocks = PAGE[self.mode] if two_pages else 0
        others = {f"_{100_000 + number * 10}": (number + 1, 10_000) for number in range(more_stocks)}
        # Shares that came for nothing: no cost tells when they are gone.
        self.broker.account(_005930=(100, 60_000), _000660=(50, 200_000), _035420=(7, 0), **others)
        Desk(self.broker, caller).trade("sell", 2)
        self.broker.clock(TEN)
        caller.token = ""
        desk = Desk(self.broker, caller)
        self.bought = desk.trade("buy", 5)
        self.waiting = desk.buy(9)
        self.broker.fill(self.waiting, 4)
        for _ in range(more_orders):
            desk.buy(1)
        sync_account(connection)
        self.broker.clock(TEN + timedelta(minutes=5))
        self.sold = desk.trade("sell", 3, code=HYNIX)

    def filled_in(self, text):
        """Write mode and order numbers into a text."""
        return text.format(
            mode=self.mode.upper(),
            bought=self.bought,
            waiting=self.waiting,
            sold=self.sold,
            invented=INVENTED,
        )

    def tr(self, inquiry):
        return ("T" if self.mode == "real" else "V") + inquiry

    def rewrite(self, inquiry, edit):
        """Let `edit(body)` change each reply of an inquiry on its way."""

        def change(request, body):
            if request.tr_id == self.tr(inquiry):
                edit(body)

        listen(self.connection, change)


@dataclass(frozen=True)
class Plant:
    """A distortion, and what has to come of it: an error that says why, or differences and what they name.

    `stays` are the differences that two honest looks later are still shown.
    """

    name: str
    plant: Callable[[World], object]
    refused: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    stays: Mapping[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = ("real", "paper")
    two_pages: bool = False
    more_orders: int = 0
    by_hand: bool = False


# --- how they are planted --------------------------------------------------------------------------------------------


def add(row, name, amount):
    row[name] = str(int(row[name]) + amount)


def row_of(rows, code):
    return next(row for row in rows if row["pdno"] == code)


def on_balance(edit):
    """Plant something in holdings and totals: `edit(rows, totals)`."""
    return lambda world: world.rewrite(BALANCE, lambda body: edit(body["output1"], body["output2"][0]))


def on_orders(edit):
    return lambda world: world.rewrite(ORDERS, lambda body: edit(body["output1"], body["output2"]))


def on_unfilled(edit):
    return lambda world: world.rewrite(UNFILLED, lambda body: edit(body["output"]))


def total(name, amount=1):
    return on_balance(lambda rows, totals: add(totals, name, amount))


def holding(name, amount=1):
    return on_balance(lambda rows, totals: add(row_of(rows, SAMSUNG), name, amount))


def on_sale(edit):
    """Plant something in the sale since the last snapshot: `edit(rows, row, totals)`; the list of open orders lacks it."""

    def find(rows, totals):
        for row in [row for row in rows if row["pdno"] == HYNIX]:
            edit(rows, row, totals)

    return on_orders(find)


def with_sums(totals, row, sign):
    for name in ("tot_ccld_qty", "tot_ccld_amt"):
        add(totals, name, sign * int(row[name]))


def drop_sale(rows, row, totals):
    rows.remove(row)
    with_sums(totals, row, -1)


def double_sale(rows, row, totals):
    rows.append(dict(row, odno=INVENTED))
    with_sums(totals, row, 1)


def dearer_sale(rows, row, totals):
    add(row, "tot_ccld_amt", 1)
    add(totals, "tot_ccld_amt", 1)


def double_yesterdays(rows, totals):
    for row in [row for row in rows if row["ord_dt"] == f"{THURSDAY:%Y%m%d}"]:
        double_sale(rows, row, totals)


def open_order_of_another(rows, totals):
    for row in [row for row in rows if row["rmn_qty"] == "5"]:
        nothing = {"tot_ccld_qty": "0", "tot_ccld_amt": "0", "avg_prvs": "0"}
        rows.append(dict(row, odno=INVENTED, rmn_qty="9", **nothing))


def holding_of_another(rows, totals):
    row = dict(row_of(rows, NAVER), pdno=CELLTRION, prdt_name="셀트리온")
    rows.append(row)
    for ours, theirs in (
        ("pchs_amt", "pchs_amt_smtl_amt"),
        ("evlu_amt", "scts_evlu_amt"),
        ("evlu_amt", "tot_evlu_amt"),
        ("evlu_pfls_amt", "evlu_pfls_smtl_amt"),
    ):
        add(totals, theirs, int(row[ours]))


def of_another(inquiry):
    """Let the cursor of an inquiry be of another account."""

    def edit(body):
        fk = body["ctx_area_fk100"]
        body["ctx_area_fk100"] = f"87654321{fk[8:]}"

    return lambda world: world.rewrite(inquiry, edit)


def renamed(rows, name):
    for row in rows:
        row[f"{name}x"] = row.pop(name)


def late(world):
    for inquiry in (ORDERS, UNFILLED):
        world.broker.fault(world.tr(inquiry), "late_visible:120", times=6)


def page(inquiry, kind):
    return lambda world: world.broker.fault(world.tr(inquiry), kind)


def fill_by_hand(**columns):
    return lambda world: KisExecution.objects.filter(odno=world.bought).update(**columns)


def order_by_hand(**columns):
    return lambda world: KisOrderDetail.objects.filter(stock_code=SAMSUNG, tot_ccld_qty=5).update(**columns)


def invent_fill(world):
    fill = KisExecution.objects.get(odno=world.bought)
    fill.pk, fill.odno = None, INVENTED
    fill.save()


# --- the table -------------------------------------------------------------------------------------------------------

FILL_OF_BOUGHT = {"체결 기록": "삼성전자 {bought}"}
UNLISTED = {"증권사에 없는 체결": "SK하이닉스 {invented}"}
SALE_TOO_MANY = {
    "오늘 매도금액": "",
    "D+2 현금 흐름": "오늘 매도금액",
    "오늘 비용": UNKNOWN_MARKET,
}

TOTALS = [
    Plant(f"{name} off by one", total(name), shown=shown)
    for name, shown in {
        "scts_evlu_amt": {"보유 평가금액 합": ""},
        "pchs_amt_smtl_amt": {"매입금액 합": ""},
        "evlu_pfls_smtl_amt": {"평가손익 합": ""},
        "tot_evlu_amt": {"평가 + D+2 현금": ""},
        "dnca_tot_amt": {"D+1 현금 흐름": "D+1 익일정산금"},
        "nxdy_excc_amt": {"D+1 현금 흐름": "D+1 익일정산금", "D+2 현금 흐름": "D+2 가수도정산금"},
        "prvs_rcdl_excc_amt": {"평가 + D+2 현금": "", "D+2 현금 흐름": "D+2 가수도정산금"},
        "thdt_buy_amt": {"오늘 매수금액": ""},
        "thdt_sll_amt": {"오늘 매도금액": ""},
        "thdt_tlex_amt": {"D+2 현금 흐름": "D+2 가수도정산금"},
        "bfdy_buy_amt": {"전일 매수금액": ""},
        "bfdy_sll_amt": {"전일 매도금액": ""},
        "bfdy_tlex_amt": {"D+1 현금 흐름": "D+1 익일정산금"},
    }.items()
]
HOLDINGS = [
    Plant("a page dropped", page(BALANCE, "drop_page"), refused="쪽", two_pages=True),
    Plant("a page doubled", page(BALANCE, "repeat_page"), refused="쪽", two_pages=True),
    Plant("a row doubled", on_balance(lambda rows, totals: rows.append(dict(rows[0]))), refused="두 번"),
    Plant(
        "a row doubled as a loan",
        on_balance(lambda rows, totals: rows.append(dict(row_of(rows, SAMSUNG), loan_dt="20261101"))),
        refused="매입금액 합계가 맞지 않습니다",
    ),
    Plant(
        "a holding missing",
        on_balance(lambda rows, totals: rows.remove(row_of(rows, SAMSUNG))),
        refused="매입금액 합계가 맞지 않습니다",
    ),
    Plant(
        "a holding missing that had cost nothing",
        on_balance(lambda rows, totals: rows.remove(row_of(rows, NAVER))),
        shown={
            "보유 평가금액 합": "",
            "평가손익 합": "",
            "평가 + D+2 현금": "",
            "수량 변화 = 체결": OF_NAVER,
        },
    ),
    Plant(
        "a holding of another account",
        on_balance(holding_of_another),
        shown={"수량 변화 = 체결": f"셀트리온 {CELLTRION}"},
    ),
    Plant("a balance of another account", of_another(BALANCE), refused="다른 계좌"),
    Plant("a sum of costs that is off", total("pchs_amt_smtl_amt", 50), refused="매입금액 합계"),
    Plant(
        "a share too many",
        holding("hldg_qty"),
        shown={"현재가 × 수량": OF_SAMSUNG, "수량 변화 = 체결": OF_SAMSUNG},
    ),
    Plant(
        "a negative quantity",
        on_balance(lambda rows, totals: row_of(rows, SAMSUNG).update(hldg_qty="-1")),
        refused="hldg_qty",
    ),
    Plant("a share bought that was not", holding("thdt_buyqty"), shown={"오늘 체결 수량": OF_SAMSUNG}),
    Plant(
        "a value off by one",
        holding("evlu_amt"),
        shown=dict.fromkeys(("보유 평가금액 합", "평가 + D+2 현금", "현재가 × 수량"), OF_SAMSUNG),
    ),
    Plant("a profit off by one", holding("evlu_pfls_amt"), shown={"평가손익 합": OF_SAMSUNG}),
    Plant("a cost off by one", holding("pchs_amt"), shown={"매입금액 합": OF_SAMSUNG}),
    Plant(
        "costs off",
        total("thdt_tlex_amt", 500),
        shown={"D+2 현금 흐름": "D+2 가수도정산금", "오늘 비용": COMMISSION},
    ),
    Plant("a field renamed", on_balance(lambda rows, totals: renamed(rows, "hldg_qty")), refused="hldg_qty"),
    Plant(
        "a total renamed",
        on_balance(lambda rows, totals: renamed([totals], "tot_evlu_amt")),
        refused="tot_evlu_amt",
    ),
]
FILLS = [
    Plant(
        "a page of orders dropped", page(ORDERS, "drop_page"), refused="쪽", modes=("paper",), more_orders=20
    ),
    Plant(
        "a page of orders doubled",
        page(ORDERS, "repeat_page"),
        refused="쪽",
        modes=("paper",),
        more_orders=20,
    ),
    Plant("an order doubled", on_orders(lambda rows, totals: rows.append(dict(rows[0]))), refused="두 번"),
    Plant("orders of another account", of_another(ORDERS), refused="다른 계좌"),
    Plant(
        "a fill late",
        late,
        shown=dict.fromkeys(
            ("오늘 체결 수량", "오늘 매도금액", "D+2 현금 흐름", "수량 변화 = 체결"), OF_HYNIX
        )
        | {"오늘 비용": COMMISSION},
    ),
    Plant(
        "a fill missing",
        on_sale(drop_sale),
        shown=dict.fromkeys(
            ("오늘 체결 수량", "오늘 매도금액", "D+2 현금 흐름", "수량 변화 = 체결"), OF_HYNIX
        )
        | {"오늘 비용": COMMISSION},
    ),
    Plant(
        "a fill missing and the sums left",
        on_sale(lambda rows, row, totals: rows.remove(row)),
        refused="체결 수량 합계가 맞지 않습니다",
    ),
    Plant(
        "a fill doubled",
        on_sale(double_sale),
        shown=dict.fromkeys(
            ("오늘 체결 수량", "오늘 매도금액", "D+2 현금 흐름", "수량 변화 = 체결"), OF_HYNIX
        )
        | {"오늘 비용": UNKNOWN_MARKET},
        stays=SALE_TOO_MANY | UNLISTED | {"수량 변화 = 체결": OF_HYNIX},
    ),
    Plant(
        "a fill doubled and the sums left",
        on_sale(lambda rows, row, totals: rows.append(dict(row, odno=INVENTED))),
        refused="체결 수량 합계가 맞지 않습니다",
    ),
    Plant(
        "a fill on the other side",
        on_sale(lambda rows, row, totals: row.update(sll_buy_dvsn_cd="02")),
        shown={
            "오늘 매수금액": "",
            "오늘 매도금액": "",
            "D+2 현금 흐름": "오늘 매수금액",
            "오늘 비용": COMMISSION,
            "수량 변화 = 체결": OF_HYNIX,
        },
    ),
    Plant(
        "an amount off by one",
        on_sale(dearer_sale),
        shown={"오늘 매도금액": "", "D+2 현금 흐름": "오늘 매도금액"},
    ),
    Plant(
        "an amount off by one and the sums left",
        on_sale(lambda rows, row, totals: add(row, "tot_ccld_amt", 1)),
        refused="체결 금액 합계가 맞지 않습니다",
    ),
    Plant(
        "a fill with fewer shares",
        on_sale(lambda rows, row, totals: add(row, "tot_ccld_qty", -1)),
        refused="{sold}의 체결단가와 체결금액이 서로 맞지 않습니다",
    ),
    Plant(
        "a negative fill",
        on_sale(lambda rows, row, totals: row.update(tot_ccld_qty="-1")),
        refused="tot_ccld_qty",
    ),
    Plant(
        "a field of the orders renamed",
        on_orders(lambda rows, totals: renamed(rows, "tot_ccld_qty")),
        refused="tot_ccld_qty",
    ),
]
OPEN_ORDERS = [
    Plant("open orders of another account", of_another(UNFILLED), refused="다른 계좌", modes=("real",)),
    Plant(
        "an open order of another account",
        on_orders(open_order_of_another),
        shown={"미체결 주문": "삼성전자 {invented}"},
        modes=("real",),
    ),
    Plant(
        "an open order missing",
        on_unfilled(lambda rows: rows.clear()),
        shown={"미체결 주문": "삼성전자 {waiting}"},
        modes=("real",),
    ),
    Plant(
        "an open order doubled",
        on_unfilled(lambda rows: rows.append(dict(rows[0]))),
        refused="두 번",
        modes=("real",),
    ),
    Plant(
        "an open order with a share too many",
        on_unfilled(lambda rows: add(rows[0], "psbl_qty", 1)),
        shown={"미체결 수량": "삼성전자 {waiting}"},
        modes=("real",),
    ),
    Plant(
        "an open order with a fill too many",
        on_unfilled(lambda rows: add(rows[0], "tot_ccld_qty", 1)),
        shown={"미체결 수량": "삼성전자 {waiting}"},
        modes=("real",),
    ),
]
BY_HAND = [
    Plant(
        "a holding changed by hand",
        lambda world: KisHolding.objects.filter(stock_code=SAMSUNG).update(holding_qty=99, ord_psbl_qty=99),
        shown={"수량 변화 = 체결": OF_SAMSUNG},
        by_hand=True,
    ),
    *(
        Plant(
            f"a fill changed by hand: {columns}", fill_by_hand(**columns), shown=FILL_OF_BOUGHT, by_hand=True
        )
        for columns in ({"exec_qty": 4}, {"exec_qty": 6}, {"exec_amt": 1}, {"exec_type": "SELL"})
    ),
    Plant(
        "a fill invented by hand",
        invent_fill,
        shown={
            "증권사에 없는 체결": "삼성전자 {invented}",
            "오늘 매수금액": "",
            "D+2 현금 흐름": "오늘 매수금액",
            "오늘 비용": UNKNOWN_MARKET,
            "수량 변화 = 체결": OF_SAMSUNG,
        },
        stays={
            "증권사에 없는 체결": "삼성전자 {invented}",
            "오늘 매수금액": "",
            "D+2 현금 흐름": "오늘 매수금액",
            "오늘 비용": UNKNOWN_MARKET,
            "수량 변화 = 체결": OF_SAMSUNG,
        },
        by_hand=True,
    ),
    *(
        Plant(
            f"an order changed by hand: {columns}",
            order_by_hand(**columns),
            shown={"주문 기록": "삼성전자 {bought}"},
            by_hand=True,
        )
        for columns in ({"tot_ccld_qty": 4, "rmn_qty": 1}, {"ord_qty": 50, "rmn_qty": 45})
    ),
]
CASES = [
    pytest.param(plant, mode, id=f"{mode}: {plant.name}")
    for plant in (*TOTALS, *HOLDINGS, *FILLS, *OPEN_ORDERS, *BY_HAND)
    for mode in plant.modes
]


# --- what comes of it ------------------------------------------------------------------------------------------------


def rows_in_books():
    return {model: list(model.objects.order_by("pk").values()) for model in BOOKS}


def found(run):
    return {check["name"]: check["row"] for check in run.checks if check["difference"]}


def shown_by_figures(mode):
    """Return the differences on the printed page of the newest snapshot."""
    at = KisAccount.objects.newest_first().first().snapshot_at
    figures = dashboard_figures(dashboard_rows(mode=mode, at=at), generated_at=at)
    return {check.name: check.row for check in figures.reconciliation.differing}


def shown_on_terminal(connection):
    out = StringIO()
    print_view(Console(file=out, width=200), look(connection), connection, demo=False)
    return out.getvalue()


@pytest.fixture
def simulator(start_simulator):
    return start_simulator(clock=THURSDAY, sample_accounts=False)


@pytest.mark.parametrize(("plant", "mode"), CASES)
def test_distortion_is_refused_or_named(simulator, client_of, monkeypatch, plant, mode):
    leave_out_the_market(monkeypatch)
    with connection_to(simulator, mode) as connection:
        honest = connection.session.transport
        caller = client_of(getattr(simulator, mode))
        world = World(caller, connection, two_pages=plant.two_pages, more_orders=plant.more_orders)
        before = rows_in_books()
        plant.plant(world)
        if plant.refused:
            expect_refusal(connection, world.filled_in(plant.refused), before)
            return
        shown = {name: world.filled_in(row) for name, row in plant.shown.items()}
        run = sync_account(connection)
        assert found(run) == shown
        assert (run.status, run.differences) == (SyncRun.Status.COMPLETE, len(shown))
        assert shown_by_figures(mode) == shown
        if not plant.by_hand:
            expect_on_terminal(connection, shown)
        connection.session.transport = honest
        for minutes in (15, 25):
            world.broker.clock(TEN + timedelta(minutes=minutes))
            run = sync_account(connection)
        assert found(run) == {name: world.filled_in(row) for name, row in plant.stays.items()}


def expect_refusal(connection, why, before):
    for ask in (sync_account, look):
        with pytest.raises(KisReplyChanged) as caught:
            ask(connection)
        assert why in str(caught.value)
    assert rows_in_books() == before
    run = SyncRun.objects.latest("pk")
    assert (run.status, why in run.error) == (SyncRun.Status.FAILED, True)


def expect_on_terminal(connection, shown):
    lines = shown_on_terminal(connection).splitlines()
    at_the_broker = {name: row for name, row in shown.items() if name not in NEEDS_BOOKS | UNLISTED.keys()}
    if at_the_broker:
        assert any(f"대사 차이 {len(at_the_broker)}건" in line for line in lines)
    for name, row in at_the_broker.items():
        [line] = [line for line in lines if line.strip().startswith(name) and "차이" in line]
        assert row in line
