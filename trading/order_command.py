"""`manage.py 실전 …` and `manage.py 모의 …`: inquiries, orders with their code, and what became of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from time import sleep
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from kis.accounts import find_account
from kis.balance_report import look as look_at_balance
from kis.balance_report import print_view
from kis.client.codes import Mode
from kis.client.endpoints.account import daily_orders
from kis.client.endpoints.quotes import price
from kis.client.errors import KisError
from kis.client.records.orders import OrderRecord
from kis.commands import INTERRUPTED_CODE, explain_database, explain_file
from kis.korean import number, percent, signed
from kis.terminal import DIM, INDENT, WARN, change_style, line, padded
from trading import fate, hint
from trading.commands import (
    UNKNOWN_CODE,
    AccountTradingCommand,
    as_typed,
    ask_at_terminal,
    check_for_inquiry,
)
from trading.desk import Desk, open_desk
from trading.errors import (
    NOT_SENT,
    CommandNotUnderstood,
    NothingToConfirm,
    OrderRefused,
    TradingError,
    WrongStock,
)
from trading.journal import Outcome
from trading.models import PendingOrder
from trading.order_list import look_at_orders, print_orders
from trading.orders import Proposal, waiting_orders
from trading.parser import (
    CancelWish,
    ConfirmWish,
    OrderWish,
    ShowBalance,
    ShowOrders,
    ShowPrice,
    Wish,
    parse,
)
from trading.pointing import pointed
from trading.reconcile import Found, follow, is_number_of, reconcile
from trading.safe_executor import SafeExecutor
from trading.states import State
from trading.stocks import identify
from trading.telling import tell_soon
from trading.terminal import (
    DO_NOT_REPEAT,
    bare,
    market_time,
    print_found,
    print_head,
    print_how,
    print_proposal,
    print_row,
    print_sent,
    print_step,
)

#: After an order was taken, before the one look at what became of it; the broker's list is a moment late.
FIRST_LOOK_SECONDS = 1.0
#: Before each of the looks for an order whose answer was lost.
LOOKS_SECONDS = (2.0, 5.0, 10.0)
NO_ANSWER = "답을 받지 못했습니다. 접수되었을 수도 있습니다."
WAITING = "증권사에 확인하고 있습니다. 창을 닫지 마세요."
FORMS = (
    "잔고조회 | 현재가 005930 삼성전자 | 주문내역 | 매수 005930 삼성전자 10주 71,000원 | "
    "매도 005930 삼성전자 10주 | 취소 005930 117943 | 확인 XT9W"
)


class OrderCommand(AccountTradingCommand):
    """The command of one mode; `name` is how the owner calls it."""

    mode: Mode = "paper"
    name = ""

    @staticmethod
    def help_of(name: str) -> str:
        return f"{name} 계좌를 조회하고 주문합니다. 쓰는 법: {name} {FORMS}. 가격을 적지 않으면 시장가입니다."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:  # noqa: ANN401
        """Let options stand before, between and behind the words."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        # Django's own method looks at one required argument of the parser and hands on; that is kept.
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("words", nargs="*", help=FORMS)

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        self.carry_out(" ".join(options["words"]), options)

    def carry_out(self, typed: str, options: Mapping[str, Any]) -> None:
        """Do what the words say. Words and account are looked at before a password is asked for."""
        wish = understood(typed)
        waiting = waiting_account(self.mode) if isinstance(wish, ConfirmWish) else ""
        account = find_account(self.mode, options["account"] or waiting)
        match wish:
            case ShowBalance() | ShowPrice() | ShowOrders():
                check_for_inquiry()
                with open_desk(self.mode, account) as desk:
                    self.show(wish, typed, desk, options)
            case OrderWish() | CancelWish():
                with nothing_sent():
                    given = ask_at_terminal()
                with open_desk(self.mode, account) as desk:
                    self.propose(wish, typed, desk, options, given_password=given)
            case _:
                with nothing_sent():
                    given = ask_at_terminal()
                with open_desk(self.mode, account) as desk:
                    self.confirm(wish, desk, options, given_password=given)

    def again(self, options: Mapping[str, Any], *words: str) -> str:
        """Return a command of this mode and account to be typed next."""
        return as_typed(f"{self.name}{self.of_account(options)}", *words)

    def settle(self, options: Mapping[str, Any]) -> str:
        mode = f" --mode {self.mode}" if options["account"] else ""
        return as_typed("reconcile_orders") + mode + self.of_account(options)

    # --- inquiries -----------------------------------------------------------------------------------------------

    def show(self, wish: Wish, typed: str, desk: Desk, options: Mapping[str, Any]) -> None:
        demo = settings.AEGIS_DEMO
        match wish:
            case ShowBalance():
                print_view(self.console, look_at_balance(desk.connection), desk.connection, demo=demo)
            case ShowPrice():
                with pointing(typed):
                    self.show_price(wish, desk)
            case _:
                orders = look_at_orders(desk)
                print_head(self.console, desk, demo=demo, about="오늘 주문")
                print_orders(self.console, orders.rows)
                self.say_what_next(orders.is_unsettled, desk, options)
                open_rows = sorted(
                    (row for row in orders.rows if row.is_open), key=lambda row: not row.is_ours
                )
                for row in open_rows[:1]:
                    line(self.console)
                    print_how(self.console, ("취소", self.again(options, "취소", row.code, row.number)))

    def say_what_next(self, is_unsettled: bool, desk: Desk, options: Mapping[str, Any]) -> None:
        waiting = waiting_orders(desk)
        for order in waiting:
            line(self.console)
            line(
                self.console,
                f"{INDENT}확인을 기다리는 주문: {order.words} "
                f"({order.expires_at.astimezone():%H:%M:%S}까지, {self.again(options, '확인')} 코드)",
            )
        if is_unsettled:
            line(self.console)
            line(self.console, INDENT, (f"결과를 모르는 주문이 있습니다. {DO_NOT_REPEAT}", f"bold {WARN}"))
            print_how(self.console, ("확인", self.settle(options)))

    def show_price(self, wish: ShowPrice, desk: Desk) -> None:
        session = desk.connection.session
        stock = identify(session, code=wish.code, name=wish.name, at=desk.wall())
        now = price(session, code=stock.code)
        about = f"{stock.name} {stock.code} {now.market}".rstrip()
        print_head(self.console, desk, demo=settings.AEGIS_DEMO, about=about)
        change = change_style(float(now.change_rate))
        rows: Sequence[tuple[str, str, str, str]] = (
            ("현재가", number(now.price), "원", f"{signed(now.change)}원 {percent(now.change_rate)}"),
            ("시가", number(now.open or None), "원", ""),
            ("고가", number(now.high or None), "원", ""),
            ("저가", number(now.low or None), "원", ""),
            ("상한가", number(now.upper), "원", ""),
            ("하한가", number(now.lower), "원", ""),
            ("거래량", number(now.volume), "주", ""),
        )
        for label, figure, unit, note in rows:
            line(
                self.console,
                INDENT,
                padded(label, 10),
                padded(figure, 14, right=True),
                unit,
                (f"{INDENT}{note}" if note else "", change),
            )
        if now.halted:
            line(self.console, INDENT, ("거래가 정지된 종목입니다.", f"bold {WARN}"))

    # --- orders --------------------------------------------------------------------------------------------------

    def propose(
        self,
        wish: OrderWish | CancelWish,
        typed: str,
        desk: Desk,
        options: Mapping[str, Any],
        *,
        given_password: str,
    ) -> None:
        waited = waiting_orders(desk)
        with nothing_sent(), pointing(typed, sent=f"\n{NOT_SENT}"):
            proposal: Proposal = SafeExecutor(desk).propose(wish, given_password=given_password)
        for order in waited:
            line(self.console, (f"앞서 확인을 기다리던 주문은 그만두었습니다: {order.words}", WARN))
        print_proposal(
            self.console,
            proposal,
            mode=desk.environment.mode,
            demo=settings.AEGIS_DEMO,
            confirm=self.again(options, "확인"),
        )

    def confirm(
        self, wish: ConfirmWish, desk: Desk, options: Mapping[str, Any], *, given_password: str
    ) -> None:
        order = next(iter(waiting_orders(desk)), None)
        outcome = self.send(wish, order, desk, options, given_password=given_password)
        order = PendingOrder.objects.get(pk=outcome.order)
        print_head(self.console, desk, demo=settings.AEGIS_DEMO)
        print_sent(self.console, order)
        at = market_time(order, outcome.at)
        match outcome.state:
            case State.ACCEPTED:
                parts = ("주문번호 ", (bare(outcome.number), "bold"), f", {order.exchange}")
                print_step(self.console, at, "접수", *parts, style="bold")
                self.follow_up(order, desk, options)
            case State.UNKNOWN:
                print_step(self.console, at, "모름", NO_ANSWER, style=f"bold {WARN}")
                self.search(order, desk, options)
            case State.NOT_SENT:
                print_step(self.console, at, "보내지 않음", INDENT, outcome.reason, style=WARN)
                raise CommandError(f"{NOT_SENT} 주문하려면 처음부터 다시 입력해 주세요.")
            case _:
                print_step(self.console, at, "거절", outcome.reason, style=WARN)
                what = "취소가" if order.is_cancel else "주문이"
                raise CommandError(f"증권사가 거절해 {what} 접수되지 않았습니다. 체결되는 것은 없습니다.")

    def send(
        self,
        wish: ConfirmWish,
        order: PendingOrder | None,
        desk: Desk,
        options: Mapping[str, Any],
        *,
        given_password: str,
    ) -> Outcome:
        """Confirm, and whatever comes in between, say whether something was sent."""
        console = self.console
        waiting = console.status(WAITING) if console.is_terminal else nullcontext()
        try:
            with waiting:
                return SafeExecutor(desk).confirm(wish.code, given_password=given_password, order=order)
        except NothingToConfirm as error:
            raise CommandError(f"{error}{self.last_order(desk, options)}") from None
        except TradingError as error:
            raise self.stopped(str(error), order, options) from None
        except KisError as error:
            raise self.stopped(str(error), order, options) from None
        except (DatabaseError, InterfaceError) as error:
            raise self.stopped(explain_database(error), order, options) from None
        except OSError as error:
            raise self.stopped(explain_file(error), order, options) from None
        except KeyboardInterrupt:
            raise self.stopped("중단했습니다.", order, options, code=INTERRUPTED_CODE) from None

    def stopped(
        self, why: str, order: PendingOrder | None, options: Mapping[str, Any], *, code: int = 1
    ) -> CommandError:
        state, number_at_broker = fate.fate(order) if order else (State.PENDING, "")
        look = self.again(options, "주문내역")
        sentence = fate.said(state, number_at_broker, look=look, settle=self.settle(options))
        if NOT_SENT in why and sentence.startswith(NOT_SENT):
            sentence = ""
        unknown = state in {State.SENDING, State.UNKNOWN}
        return CommandError(f"{why} {sentence}".rstrip(), returncode=UNKNOWN_CODE if unknown else code)

    def last_order(self, desk: Desk, options: Mapping[str, Any]) -> str:
        """Say what became of the order sent last: who types a code twice may fear that the first time did nothing."""
        environment = desk.environment
        order = fate.last_sent(environment.account, is_paper=environment.is_paper)
        if order is None or order.claimed_at is None:
            return ""
        state, number_at_broker = fate.fate(order)
        look = self.again(options, "주문내역")
        sentence = fate.said(state, number_at_broker, look=look, settle=self.settle(options))
        return f"\n마지막으로 확인한 주문: {order.words} ({order.claimed_at.astimezone():%m-%d %H:%M:%S}). {sentence}"

    # --- what became of it ---------------------------------------------------------------------------------------

    def follow_up(self, order: PendingOrder, desk: Desk, options: Mapping[str, Any]) -> None:
        """Look once at an order that was taken."""
        sleep(FIRST_LOOK_SECONDS)
        try:
            row = look_once(order, desk=desk)
        except KisError as error:
            line(self.console)
            line(self.console, INDENT, (f"체결은 아직 확인하지 못했습니다. {error}", WARN))
            row = None
        else:
            print_row(self.console, order, row, at=desk.market_now())
        line(self.console)
        is_filled = order.state is State.FILLED
        if is_filled:
            line(self.console, INDENT, "모두 체결되었습니다.")
        elif not order.is_cancel:
            line(self.console, INDENT, "접수는 체결이 아닙니다.")
        elif order.state is not State.CANCELLED:
            line(self.console, INDENT, "취소가 끝났는지 주문내역에서 확인해 주세요.")
        ways = [("확인", self.again(options, "주문내역"))]
        if not order.is_cancel and not is_filled:
            ways.append(("취소", self.again(options, "취소", order.stock_code, bare(order.odno))))
        print_how(self.console, *ways)

    def search(self, order: PendingOrder, desk: Desk, options: Mapping[str, Any]) -> None:
        """Look for an order whose answer was lost, a few times, and hand the rest to `reconcile_orders`."""
        found = self.looked_for(order, desk)
        tell_soon(order)
        order.refresh_from_db()
        line(self.console)
        if order.is_cancel:
            line(
                self.console,
                INDENT,
                "취소가 접수되었을 수도, 아닐 수도 있습니다. 원주문은 아직 체결될 수 있습니다.",
            )
        else:
            line(
                self.console,
                INDENT,
                f"{DO_NOT_REPEAT} 새 주문은 이 주문이 밝혀질 때까지 막습니다.",
            )
        line(self.console)
        if found is None:
            line(self.console, INDENT, (order.reason, DIM))
        else:
            print_found(self.console, found, command=lambda *words: as_typed("reconcile_orders", *words))
        line(self.console)
        print_how(self.console, ("확인", self.settle(options)))
        raise CommandError(
            "주문의 결과를 아직 모릅니다. 접수되었을 수 있으니 다시 주문하지 마세요.", returncode=UNKNOWN_CODE
        )

    def looked_for(self, order: PendingOrder, desk: Desk) -> Found | None:
        found: Found | None = None
        for seconds in LOOKS_SECONDS:
            sleep(seconds)
            try:
                found = next((each for each in reconcile(desk) if each.order.pk == order.pk), None)
            except KisError as error:
                print_step(self.console, desk.market_now(), "조회 실패", str(error), style=WARN)
                continue
            count = len(found.candidates) if found else 0
            text = f"이 주문일 수 있는 주문 {count}건" if count else "목록에 아직 없습니다"
            print_step(self.console, desk.market_now(), "조회", text)
            if count:
                break
        return found


# --- words, and what is wrong with them -----------------------------------------------------------------------------


def understood(typed: str) -> Wish:
    try:
        return parse(typed)
    except CommandNotUnderstood as error:
        raise CommandError(f"{error}\n\n{error.pointed()}" if typed.strip() else str(error)) from None


@contextmanager
def pointing(typed: str, *, sent: str = "") -> Iterator[None]:
    """Turn an error about the words into a sentence that points at them; `sent` is added to the sentence."""
    try:
        yield
    except (WrongStock, OrderRefused) as error:
        shown = pointed(typed, error)
        raise CommandError(f"{error}{sent}" + (f"\n\n{shown}" if shown else "")) from None


@contextmanager
def nothing_sent() -> Iterator[None]:
    """Say of everything that stands in the way before the code is shown that nothing was sent."""
    try:
        yield
    except (CommandError, TradingError, KisError) as error:
        text = str(error)
    except (DatabaseError, InterfaceError) as error:
        text = explain_database(error)
    except OSError as error:
        text = explain_file(error)
    else:
        return
    gap = " " if text.endswith(".") else "\n"
    raise CommandError(text if NOT_SENT in text else f"{text}{gap}{NOT_SENT}")


def waiting_account(mode: Mode) -> str:
    """Return the account of the order that waits for its code, where several accounts may be meant; empty otherwise."""
    waiting = PendingOrder.objects.waiting().filter(is_paper=mode == "paper", pk=hint.read() or 0).first()
    return f"{waiting.account_no}-{waiting.product_code}" if waiting else ""


def look_once(order: PendingOrder, *, desk: Desk) -> OrderRecord | None:
    """Ask for the orders of the day, take over what became of ours, and return the row of one. Raises KisError."""
    now = desk.market_now()
    orders = daily_orders(desk.connection.session, first=order.ord_dt or now.date(), last=now.date())
    mine = PendingOrder.objects.of(order.account, is_paper=order.is_paper)
    for each in mine.filter(status__in=[State.ACCEPTED, State.PARTIAL]):
        follow(each, orders, at=desk.wall(), now=now)
    order.refresh_from_db()
    return next((row for row in orders if row.ordered_on == order.ord_dt and is_number_of(order, row)), None)
