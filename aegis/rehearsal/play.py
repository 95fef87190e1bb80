"""What is played: buy, a wrong code, the right one, cancel, a lost answer, the kill switch, and an order that never was."""

import secrets
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from aegis.rehearsal.world import World
from kis.calendar import moment_on
from kis.client.codes import OrderTR
from kis.client.endpoints.quotes import price
from kis.client.records.orders import Side
from trading import audit, kill_switch, password
from trading.errors import NotConfirmed, OrderRefused, TradingError
from trading.journal import Outcome
from trading.limits import Gate
from trading.models import PendingOrder
from trading.orders import Proposal
from trading.parser import CancelWish, OrderWish
from trading.reconcile import adopt, reconcile
from trading.safe_executor import SafeExecutor
from trading.states import NAMES, State
from trading.terminal import bare

SAMSUNG = "005930"
#: Below the last price, so that the order waits: within the collar, and seldom traded at.
OFF_PERCENT = 4
READING = timedelta(seconds=3)
BETWEEN_LOOKS = timedelta(minutes=6)
AFTER_THE_CLOSE = time(16, 10)


class NotAsItShouldBe(TradingError):
    """A step of the rehearsal came out otherwise; the text says how."""


class Rehearsal:
    """The play in one world. `say` prints a line of the narration."""

    def __init__(self, world: World, *, say: Callable[[str], None]) -> None:
        self.world = world
        self.say = say
        self.password = secrets.token_urlsafe(12)
        self.checks = 0

    def play(self) -> None:
        """Play all steps. Raises NotAsItShouldBe at the first one that comes out otherwise."""
        password.set_password(self.password, at=self.world.wall())
        for number, step in enumerate(self.steps, start=1):
            self.say(f"\n{number}. {step.__doc__}")
            step()

    @property
    def steps(self) -> list[Callable[[], None]]:
        return [
            self.buy,
            self.wrong_code,
            self.right_code,
            self.cancel,
            self.lost_answer,
            self.second_order,
            self.adopt,
            self.switch,
            self.never_placed,
            self.history,
        ]

    # --- steps ---------------------------------------------------------------------------------------------------

    def buy(self) -> None:
        """매수를 입력하면 미리보기와 확인 코드가 나오고, 아직 아무것도 보내지 않습니다."""
        self.proposal = self.propose()
        for text in self.proposal.lines:
            self.say(f"   │ {text}".rstrip())
        self.expect_at_exchange(0)
        self.expect("연결을 열지 않았습니다", not self.world.posts)

    def wrong_code(self) -> None:
        """틀린 코드는 거절되고, 주문은 나가지 않습니다."""
        wrong = "A" * 4 if self.proposal.code != "A" * 4 else "B" * 4
        try:
            self.confirm(wrong)
        except NotConfirmed as error:
            self.say(f"   → {error}")
            self.expect("두 번 더 입력할 수 있습니다", error.left == 2)  # noqa: PLR2004  # of three
        else:
            raise NotAsItShouldBe("틀린 코드가 받아들여졌습니다.")
        self.expect_at_exchange(0)

    def right_code(self) -> None:
        """맞는 코드를 입력하면 한 번 보내고, 증권사가 접수합니다."""
        self.accepted = self.confirm(self.proposal.code)
        self.expect_state(self.accepted, State.ACCEPTED)
        [order] = self.expect_at_exchange(1)
        self.expect(
            "거래소의 주문번호가 우리 것과 같습니다", bare(order["odno"]) == bare(self.accepted.number)
        )
        shown = self.proposal.order
        self.expect(
            "거래소의 종목, 수량, 가격이 미리보기와 같습니다",
            (order["side"], order["code"], order["qty"], order["price"])
            == ("buy", shown.stock_code, shown.quantity, shown.price),
        )
        self.expect("연결을 한 번만 열었습니다", len(self.world.posts) == 1)

    def cancel(self) -> None:
        """취소도 미리보기와 코드를 거칩니다."""
        self.take_back(self.accepted.number)
        reconcile(self.world.desk)
        self.expect("우리 기록도 취소됨입니다", self.row(self.accepted).state is State.CANCELLED)

    def lost_answer(self) -> None:
        """주문은 접수되었는데 답이 오지 않으면 '모름'으로 남고, 다시 보내지 않습니다."""
        proposal = self.propose()
        self.break_order("reset_after")
        self.lost = self.confirm(proposal.code)
        self.say(f"   → {self.lost.reason}")
        self.expect_state(self.lost, State.UNKNOWN)
        self.expect_at_exchange(2)

    def second_order(self) -> None:
        """결과를 모르는 주문이 있으면 새 주문을 받지 않습니다."""
        self.refused_by(Gate.UNSETTLED)
        self.expect_at_exchange(2)

    def adopt(self) -> None:
        """증권사의 주문 목록에서 후보를 찾고, 소유자가 그 주문이라고 알려 주면 밝혀집니다."""
        [found] = [each for each in reconcile(self.world.desk) if each.order.pk == self.lost.order]
        numbers = [bare(row.number) for row in found.candidates]
        self.say(f"   → 후보 {', '.join(numbers)}")
        at_exchange = [bare(order["odno"]) for order in self.world.orders() if order["open"]]
        self.expect("후보는 거래소에 있는 바로 그 주문 하나입니다", numbers == at_exchange)
        adopt(found.order, numbers[0], desk=self.world.desk, by="연습")
        self.expect("밝혀진 주문은 접수입니다", self.row(self.lost).state is State.ACCEPTED)

    def switch(self) -> None:
        """주문 중지를 켜면 새 주문은 막고, 취소는 보냅니다."""
        kill_switch.turn_on("연습입니다.", at=self.world.wall(), by="연습")
        self.refused_by(Gate.KILL_SWITCH)
        self.take_back(self.row(self.lost).odno)
        kill_switch.turn_off(at=self.world.wall(), by="연습")
        self.expect_at_exchange(2)

    def never_placed(self) -> None:
        """보내다 끊겨 접수되지 않은 주문은, 장이 끝난 뒤 두 번의 조회에 없어야 '접수되지 않음'이 됩니다."""
        proposal = self.propose()
        self.break_order("reset_before")
        outcome = self.confirm(proposal.code)
        self.expect_state(outcome, State.UNKNOWN)
        reconcile(self.world.desk)
        self.expect("장중에는 목록에 없어도 모름입니다", self.row(outcome).state is State.UNKNOWN)
        today = self.world.desk.market_now().date()
        self.world.go_to(moment_on(today, AFTER_THE_CLOSE))
        reconcile(self.world.desk)
        self.expect("장이 끝난 뒤 한 번으로는 모름입니다", self.row(outcome).state is State.UNKNOWN)
        self.world.wait(BETWEEN_LOOKS)
        reconcile(self.world.desk)
        self.expect("두 번째 조회 뒤에는 접수되지 않음입니다", self.row(outcome).state is State.NOT_PLACED)
        self.expect_at_exchange(2)

    def history(self) -> None:
        """모든 단계가 지울 수 없는 이력으로 남았습니다."""
        found = audit.verify()
        for problem in found.problems:
            self.say(f"   → {problem}")
        self.expect(f"이력 {found.events}건이 처음부터 끝까지 이어집니다", not found.problems)
        claimed = PendingOrder.objects.filter(claimed_at__isnull=False).count()
        self.expect(
            f"확인한 주문 {claimed}건에 보낸 것도 {claimed}번입니다", len(self.world.posts) == claimed
        )

    # --- what the steps do ---------------------------------------------------------------------------------------

    @property
    def executor(self) -> SafeExecutor:
        return SafeExecutor(self.world.desk)

    def wish(self) -> OrderWish:
        """Buy one share somewhat below the last price."""
        now = price(self.world.connection.session, code=SAMSUNG)
        asked = now.price * (100 - OFF_PERCENT) // 100
        return OrderWish(Side.BUY, SAMSUNG, "", 1, asked - asked % now.tick)

    def propose(self) -> Proposal:
        return self.executor.propose(self.wish(), given_password=self.password)

    def confirm(self, code: str) -> Outcome:
        self.world.wait(READING)
        return self.executor.confirm(code, given_password=self.password)

    def take_back(self, number: str) -> None:
        """Cancel an open order, and see that the exchange has taken it back."""
        proposal = self.executor.propose(CancelWish(SAMSUNG, bare(number)), given_password=self.password)
        self.expect_state(self.confirm(proposal.code), State.ACCEPTED)
        [order] = [each for each in self.world.orders() if bare(each["odno"]) == bare(number)]
        self.expect(
            "거래소에서 그 주문이 취소되었습니다", not order["open"] and order["cancelled"] == order["qty"]
        )

    def break_order(self, kind: str) -> None:
        environment = self.world.connection.environment
        self.world.break_next(environment.tr_id(OrderTR.BUY), kind)

    def refused_by(self, gate: Gate) -> None:
        try:
            self.propose()
        except OrderRefused as error:
            self.say(f"   → {error}")
            self.expect("막은 까닭이 맞습니다", list(error.gates) == [gate])
        else:
            raise NotAsItShouldBe("막아야 할 주문을 받아들였습니다.")

    def row(self, outcome: Outcome) -> PendingOrder:
        return PendingOrder.objects.get(pk=outcome.order)

    # --- what must be so -----------------------------------------------------------------------------------------

    def expect(self, what: str, is_so: bool) -> None:
        if not is_so:
            raise NotAsItShouldBe(f"이 확인이 맞지 않습니다: {what}.")
        self.checks += 1
        self.say(f"   ✓ {what}")

    def expect_state(self, outcome: Outcome, state: State) -> None:
        self.expect(f"결과는 {NAMES[state]}입니다", outcome.state is state)
        self.expect(f"기록도 {NAMES[state]}입니다", self.row(outcome).state is state)

    def expect_at_exchange(self, count: int) -> list[dict[str, Any]]:
        """See that the exchange has so many orders from here, and return them."""
        orders = self.world.orders()
        self.expect(f"거래소가 받은 주문은 {count}건입니다", len(orders) == count)
        return orders
