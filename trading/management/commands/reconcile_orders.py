"""Look what became of orders whose outcome is not known, and take the owner's word for it."""

from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from time import sleep
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from kis.accounts import Account, configured_accounts, meant
from kis.client.errors import KisError
from kis.terminal import INDENT, WARN, line
from trading.commands import UNKNOWN_CODE, AccountTradingCommand, as_typed, check_at_terminal, explained
from trading.desk import open_desk
from trading.models import PendingOrder
from trading.models.orders import PendingOrderQuerySet
from trading.reconcile import Found, adopt, disown, pick_up_leftovers, reconcile
from trading.states import NAMES, UNSETTLED, State
from trading.terminal import bare, print_found, print_head

#: Between the looks of `--watch`; then each minute.
FIRST_WAITS, LATER_WAIT = (2.0, 5.0, 10.0, 30.0), 60.0
NO_TERMINAL = "거래 비밀번호를 입력할 터미널이 필요합니다. 아무것도 바꾸지 않았습니다."
BY_OWNER = "소유자 (터미널)"


class Command(AccountTradingCommand):
    help = (
        "결과를 모르는 주문을 증권사의 주문 목록에서 찾고, 접수된 주문이 어떻게 되었는지 확인합니다. 아무것도 보내지 않습니다. "
        "찾은 주문이 그 주문인지는 --adopt와 --disown으로 알려 주세요."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        word = parser.add_mutually_exclusive_group()
        word.add_argument(
            "--adopt", default="", metavar="주문번호", help="결과를 모르던 주문이 이 주문번호입니다"
        )
        word.add_argument("--disown", default="", metavar="주문번호", help="이 주문번호는 그 주문이 아닙니다")
        word.add_argument("--watch", action="store_true", help="모두 밝혀질 때까지 되풀이해 확인합니다")
        parser.add_argument("--order", type=int, metavar="번호", help="#로 보이는 번호의 주문만")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        pick_up_leftovers(list(chosen(PendingOrder.objects.unsettled(), options)), at=timezone.now())
        if options["adopt"] or options["disown"]:
            self.take_word(options)
            return
        left, troubles = self.look(options)
        for seconds in waits() if options["watch"] else ():
            if not left:
                break
            for trouble in troubles:
                line(self.console, INDENT, (trouble, WARN))
            line(self.console, f"{seconds:.0f}초 뒤에 다시 확인합니다. 그만두려면 Ctrl+C")
            sleep(seconds)
            left, troubles = self.look(options)
        if troubles:
            code = UNKNOWN_CODE if left else 1
            raise CommandError("\n".join(troubles), returncode=code)
        if left:
            raise CommandError(
                f"결과를 모르는 주문이 {left}건 있습니다. 밝혀질 때까지 새 주문을 막습니다.",
                returncode=UNKNOWN_CODE,
            )
        self.stdout.write("결과를 모르는 주문이 없습니다.")

    # --- looking -------------------------------------------------------------------------------------------------

    def look(self, options: Mapping[str, Any]) -> tuple[int, list[str]]:
        """Ask about every account that has orders which are not over.

        Returns how many stay unknown, and sentences about accounts that could not be asked.
        """
        troubles = []
        for account in accounts_with_work(options):
            try:
                self.look_at(account, options)
            except KisError as error:
                troubles.append(f"{account.label}: {error}")
        troubles += [
            f"#{order.pk} {order.words}: 계좌 설정이 없어 확인하지 못했습니다."
            for order in unreachable(options)
        ]
        return chosen(PendingOrder.objects.unsettled(), options).count(), troubles

    def look_at(self, account: Account, options: Mapping[str, Any]) -> None:
        with open_desk(account.mode, account) as desk:
            before = {order.pk: order.state for order in orders_of(account)}
            found = {each.order.pk: each for each in reconcile(desk)}
            print_head(self.console, desk, demo=settings.AEGIS_DEMO, about="주문 확인")
            for order in chosen(PendingOrder.objects.filter(pk__in=before), options).order_by("pk"):
                self.say(found.get(order.pk, Found(order)), was=before[order.pk], options=options)
            line(self.console)

    def say(self, found: Found, *, was: State, options: Mapping[str, Any]) -> None:
        order = found.order
        if order.state in UNSETTLED:
            print_found(self.console, found, command=lambda *words: self.again(options, *words))
            return
        change = NAMES[order.state] if order.state is was else f"{NAMES[was]} → {NAMES[order.state]}"
        about = f"  주문번호 {bare(order.odno)}" if order.odno else ""
        line(self.console, INDENT, f"#{order.pk} {order.words}{about}  ", (change, "bold"))

    def again(self, options: Mapping[str, Any], *words: str) -> str:
        mode = f" --mode {options['mode']}" if options["mode"] else ""
        return as_typed("reconcile_orders", *words) + mode + self.of_account(options)

    # --- the owner's word ----------------------------------------------------------------------------------------

    def take_word(self, options: Mapping[str, Any]) -> None:
        order = the_one(options)
        account = account_of(order)
        check_at_terminal(NO_TERMINAL)
        with open_desk(account.mode, account) as desk, explained():
            if options["adopt"]:
                adopt(order, options["adopt"], desk=desk, by=BY_OWNER)
                text = f"주문번호 {bare(options['adopt'])}을(를) 이 주문으로 적었습니다"
            else:
                disown(order, options["disown"], desk=desk, by=BY_OWNER)
                text = f"주문번호 {bare(options['disown'])}은(는) 이 주문이 아니라고 적었습니다"
            line(self.console, f"{text}: #{order.pk} {order.words}")
            reconcile(desk)
        order.refresh_from_db()
        line(self.console, f"지금 상태: {NAMES[order.state]}")
        if order.state in UNSETTLED:
            raise CommandError("결과는 아직 모릅니다. 새 주문은 계속 막습니다.", returncode=UNKNOWN_CODE)


def waits() -> Iterator[float]:
    return chain(FIRST_WAITS, repeat(LATER_WAIT))


def chosen(orders: PendingOrderQuerySet, options: Mapping[str, Any]) -> PendingOrderQuerySet:
    """Return those of the orders that mode and number ask for."""
    if options["mode"]:
        orders = orders.filter(is_paper=options["mode"] == "paper")
    if options["account"]:
        account = meant(configured_accounts(), options["mode"], options["account"])
        orders = orders.of(account.number_or_reason(), is_paper=account.is_paper)
    if options["order"] is not None:
        orders = orders.filter(pk=options["order"])
    return orders


def accounts_with_work(options: Mapping[str, Any]) -> list[Account]:
    """Return the accounts that have an order which is not over, of those that may be asked."""
    open_orders = chosen(
        PendingOrder.objects.filter(status__in=[*UNSETTLED, State.ACCEPTED, State.PARTIAL]), options
    )
    keys = set(open_orders.order_by().values_list("account_no", "product_code", "is_paper"))
    return [
        account
        for account in configured_accounts()
        if not account.unused
        and account.number
        and (account.number.number, account.number.product_code, account.is_paper) in keys
    ]


def orders_of(account: Account) -> list[PendingOrder]:
    mine = PendingOrder.objects.of(account.number_or_reason(), is_paper=account.is_paper)
    return list(mine.filter(status__in=[*UNSETTLED, State.ACCEPTED, State.PARTIAL]))


def unreachable(options: Mapping[str, Any]) -> list[PendingOrder]:
    """Return unsettled orders of accounts that are not configured any more."""
    known = {(account.number, account.is_paper) for account in configured_accounts() if not account.unused}
    unsettled = chosen(PendingOrder.objects.unsettled(), options)
    return [order for order in unsettled if (order.account, order.is_paper) not in known]


def the_one(options: Mapping[str, Any]) -> PendingOrder:
    """Return the order that the owner speaks of. Raises CommandError where none or several may be meant."""
    orders = list(chosen(PendingOrder.objects.filter(status=State.UNKNOWN), options).order_by("pk"))
    if len(orders) == 1:
        return orders[0]
    if not orders:
        raise CommandError("결과를 모르는 주문이 없습니다. 아무것도 바꾸지 않았습니다.")
    named = ", ".join(f"#{order.pk} {order.words}" for order in orders)
    raise CommandError(f"결과를 모르는 주문이 여러 건입니다. --order에 번호를 적어 주세요: {named}")


def account_of(order: PendingOrder) -> Account:
    """Return the account of an order. Raises KisMisconfigured where it is not configured any more."""
    return meant(
        configured_accounts(),
        "paper" if order.is_paper else "real",
        f"{order.account_no}-{order.product_code}",
    )
