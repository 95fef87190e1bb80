"""Orders over the API: previewed, confirmed with password and code, cancelled; by tokens that may, and nobody else."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.utils.timezone import now
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, UserRateThrottle

from kis.access import may_trade, visible_accounts
from kis.accounts import Account
from kis.api import parameters
from kis.api.access import MayView
from kis.api.errors import BadParameter, Refused
from kis.api.fields import OneOf, Sent, SmallJson, Text, Whole
from kis.api.parameters import given, read_account
from kis.api.serializers import OWNER, OwnedSerializer
from kis.api.views import READING, WHOSE, TableView
from kis.client.errors import KisError, KisMisconfigured, KisRefused, KisUnreachable
from kis.client.records.orders import Side
from kis.models import ApiToken
from trading import counter, errors
from trading.confirmation import expire, withdraw
from trading.errors import NOT_SENT, TradingError
from trading.models import PendingOrder
from trading.on_pages import on_pages
from trading.orders import Proposal
from trading.parser import CancelWish, OrderWish
from trading.safe_executor import SafeExecutor
from trading.states import State
from trading.telling import tell_soon

if TYPE_CHECKING:
    from rest_framework.views import APIView

FORMAT = api_settings.URL_FORMAT_OVERRIDE
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
MOST_SHARES, HIGHEST_PRICE = 10_000_000, 100_000_000
WITHDRAWN = "API로 그만두었습니다."
LOOK, SETTLE = "GET /api/v1/order-details", "사이트의 주문 목록(/orders/)"
CONFLICT, FORBIDDEN, UNFIT, LOCKED, BAD_GATEWAY, UNAVAILABLE = 409, 403, 422, 423, 502, 503

#: What stops an order, as programs read it: a code that stays, and a status. The first kind that fits counts.
REFUSALS: Mapping[type[Exception], tuple[str, int]] = {
    errors.OrderRefused: ("order_refused", UNFIT),
    errors.WrongStock: ("wrong_stock", UNFIT),
    errors.UnknownOrder: ("unknown_order", UNFIT),
    errors.DraftImpossible: ("order_impossible", UNFIT),
    errors.PreviewImpossible: ("preview_impossible", UNFIT),
    errors.NothingToConfirm: ("nothing_to_confirm", CONFLICT),
    errors.TooEarly: ("too_early", CONFLICT),
    errors.AlreadyTaken: ("already_taken", CONFLICT),
    errors.Unsettled: ("unsettled_order", CONFLICT),
    errors.NotConfirmed: ("not_confirmed", FORBIDDEN),
    errors.WrongPassword: ("wrong_password", FORBIDDEN),
    errors.PasswordLocked: ("password_locked", LOCKED),
    errors.PasswordMissing: ("password_missing", CONFLICT),
    TradingError: ("order_impossible", UNFIT),
    KisRefused: ("broker_refused", BAD_GATEWAY),
    KisUnreachable: ("broker_unreachable", UNAVAILABLE),
    KisMisconfigured: ("account_unusable", CONFLICT),
    KisError: ("broker_unreachable", UNAVAILABLE),
}


# --- who may -------------------------------------------------------------------------------------------------------


class MayOrder(BasePermission):
    """Writing takes a token of the scope for it: neither a browser's sign-in nor a reading token orders anything."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002  # DRF's signature
        if request.method in SAFE_METHODS:
            return True
        token = request.auth
        return (
            isinstance(token, ApiToken) and token.may_order and request.user.has_perm("trading.place_order")
        )


class OrderRate(UserRateThrottle):
    scope = "orders"


# --- what is sent and shown ----------------------------------------------------------------------------------------


def password_field(**how: Any) -> Text:  # noqa: ANN401  # options of a field
    return Text(max_length=128, write_only=True, help_text="거래 비밀번호", **how)


class NewOrder(Sent):
    """What is to be bought or sold. Without a price at the market."""

    account = Text(max_length=40, help_text="계좌의 별칭이나 가린 번호(1234****-01)")
    side = OneOf(choices=[*SIDES], help_text="BUY 매수, SELL 매도")
    stock_code = Text(pattern=r"Q?[0-9A-Z]{6}", max_length=7, help_text="종목코드")
    stock_name = Text(
        max_length=50, required=False, allow_blank=True, help_text="적으면 코드와 맞는지 확인합니다"
    )
    quantity = Whole(min_value=1, max_value=MOST_SHARES, help_text="주식 수")
    price = Whole(
        min_value=1,
        max_value=HIGHEST_PRICE,
        required=False,
        allow_null=True,
        help_text="1주의 가격(원). 적지 않으면 시장가",
    )
    trading_password = password_field()


class Confirmation(Sent):
    """What sends an order that was previewed."""

    code = Text(max_length=8, write_only=True, help_text="미리보기와 함께 받은 확인 코드")
    trading_password = password_field()


class Cancellation(Sent):
    """What cancels an order: nothing more for one that waits for its code, the password for one at the broker."""

    trading_password = password_field(required=False)


class OnPages(serializers.CharField):
    """A sentence that a terminal may have been told as well."""

    def to_representation(self, value: str) -> str:
        return on_pages(value)


class OrderSerializer(OwnedSerializer):
    """An order of ours. Neither its code nor a hash of it is among the columns."""

    LONG = ("preview",)

    raw_json = None  # type: ignore[assignment]  # the table has none
    preview = serializers.SerializerMethodField()
    made_by = serializers.CharField(source="made_by.username", default=None, allow_null=True)
    reason = OnPages(allow_blank=True)

    class Meta:
        model = PendingOrder
        fields = [
            *("id", *OWNER, "is_paper", "kind", "side", "stock_code", "stock_name", "quantity", "price"),
            *("exchange", "origin_number", "amount", "status", "reason", "odno", "ord_dt", "tries"),
            *("source", "made_by", "made_at", "expires_at", "claimed_at", "market_at", "ended_at", "preview"),
        ]

    def get_preview(self, order: PendingOrder) -> list[str]:
        return [str(line) for line in order.preview.get("lines", [])]


class ProposalSerializer(serializers.Serializer[Proposal]):
    """An order that waits, with the code that sends it: it is shown here once and nowhere else."""

    order = OrderSerializer()
    code = serializers.CharField()


# --- the use-cases -------------------------------------------------------------------------------------------------


class OrderView(TableView):
    """Orders of ours: a list, and the way from a preview to the exchange."""

    model = PendingOrder
    serializer_class = OrderSerializer
    http_method_names = [*READING, "post"]
    permission_classes = [MayView, MayOrder]
    parser_classes = [SmallJson]
    joined = ("made_by",)
    parameters = {
        **WHOSE,
        "code": parameters.code(),
        **parameters.moments("made_at"),
        **parameters.model_columns(PendingOrder, "status", "kind", "side", "source"),
    }
    orders = {"made_at": ("made_at", "id")}
    default_order = "-made_at"
    #: What is sent and answered, for the schema.
    about = {
        "create": (
            "주문을 검사해 미리보기와 확인 코드를 드립니다. 아직 보내지 않습니다. 코드는 이 답에만 있고, 이 계좌에서 확인을 "
            "기다리던 앞의 주문은 그만둡니다."
        ),
        "confirm": (
            "확인 코드와 거래 비밀번호가 맞으면 한 번 보냅니다. 답을 받지 못하면 status가 unknown이고, 같은 주문을 다시 내지 말아야 합니다."
        ),
        "cancel": (
            "확인을 기다리는 주문은 그만둡니다(200). 증권사에 있는 주문은 취소 주문을 미리 보여 줍니다(201): 그 번호와 코드로 확인하면 "
            "취소를 보냅니다."
        ),
    }
    bodies = {"create": NewOrder, "confirm": Confirmation, "cancel": Cancellation}
    answers = {
        "create": {201: ProposalSerializer(context={"alone": True})},
        "confirm": {200: OrderSerializer(context={"alone": True})},
        "cancel": {
            200: OrderSerializer(context={"alone": True}),
            201: ProposalSerializer(context={"alone": True}),
        },
    }

    def get_throttles(self) -> list[BaseThrottle]:
        ordering = [OrderRate()] if self.request.method == "POST" else []
        return [*super().get_throttles(), *ordering]

    def create(self, request: Request) -> Response:
        """Check an order and show it, with the code that would send it. Nothing is sent."""
        given(request.query_params, [FORMAT])
        values = NewOrder(data=request.data).taken()
        account = self.account_called(values["account"])
        wish = OrderWish(
            SIDES[values["side"]],
            values["stock_code"],
            values.get("stock_name", ""),
            values["quantity"],
            values.get("price"),
        )
        return self.proposed(account, wish, given_password=values["trading_password"])

    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Send the order that waits for this code. It is sent at most once, whatever is answered."""
        given(request.query_params, [FORMAT])
        values = Confirmation(data=request.data).taken()
        order = self.order_of(pk)
        account = self.account_of(order)
        if order.made_by_id != request.user.pk:
            raise Refused(
                "not_your_order", "다른 사람이 낸 주문은 확인할 수 없습니다. " + NOT_SENT, status=FORBIDDEN
            )
        with told(order), self.executor(account) as executor:
            executor.confirm(values["code"], given_password=values["trading_password"], order=order)
        tell_soon(order)
        return self.shown(order)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Give up an order that waits for its code, or propose to cancel what is left of one at the broker."""
        given(request.query_params, [FORMAT])
        values = Cancellation(data=request.data).taken()
        order = self.order_of(pk)
        account = self.account_of(order)
        if order.state is State.PENDING:
            at = now()
            with told(order):
                if not expire(order, at=at):
                    withdraw(order, at=at, reason=WITHDRAWN)
            return self.shown(order)
        if order.state not in {State.ACCEPTED, State.PARTIAL} or order.is_cancel:
            raise Refused("nothing_to_cancel", "취소할 수 있는 주문이 아닙니다.", status=CONFLICT)
        if "trading_password" not in values:
            raise BadParameter(
                "trading_password", "증권사에 있는 주문을 취소하려면 거래 비밀번호를 적어 주세요."
            )
        wish = CancelWish(order.stock_code, order.odno.lstrip("0"))
        return self.proposed(account, wish, given_password=values["trading_password"])

    # --- what they share -----------------------------------------------------------------------------------------

    def proposed(self, account: Account, wish: OrderWish | CancelWish, *, given_password: str) -> Response:
        with told(), self.executor(account) as executor:
            proposal = executor.propose(wish, given_password=given_password)
        body = {"order": self.serialized(proposal.order), "code": proposal.code}
        return Response(body, status=201)

    def executor(self, account: Account) -> AbstractContextManager[SafeExecutor]:
        user = self.request.user
        assert isinstance(user, User)  # noqa: S101  # the permissions let nobody else come here
        return counter.open_executor(account, user=user, source=PendingOrder.Source.API)

    def account_called(self, name: str) -> Account:
        """Return the account of a name. Raises BadParameter, or Refused for one that may only be looked at."""
        try:
            account = read_account(name, among=visible_accounts(self.request.user))
        except ValueError as error:
            raise BadParameter("account", str(error)) from None
        return self.tradable(account)

    def account_of(self, order: PendingOrder) -> Account:
        account = counter.account_of(order, self.request.user)
        if account is None:
            raise NotFound
        return self.tradable(account)

    def tradable(self, account: Account) -> Account:
        number = account.number_or_reason()
        if not may_trade(self.request.user, number, is_paper=account.is_paper):
            raise Refused(
                "may_not_order",
                "이 계좌로 주문할 권한이 없습니다. 관리자에게 권한을 요청해 주세요.",
                status=FORBIDDEN,
            )
        return account

    def order_of(self, pk: str) -> PendingOrder:
        order: PendingOrder | None = self.seen().filter(pk=int(pk)).first()
        if order is None:
            raise NotFound
        return order

    def shown(self, order: PendingOrder) -> Response:
        order.refresh_from_db()
        return Response(self.serialized(order))

    def serialized(self, order: PendingOrder) -> Mapping[str, Any]:
        context = {**self.get_serializer_context(), "alone": True}
        return OrderSerializer(order, context=context).data


@contextmanager
def told(order: PendingOrder | None = None) -> Iterator[None]:
    """Turn whatever stops an order into an answer that says whether something was sent (see `trading.counter`)."""
    try:
        with counter.told(order, look=LOOK, settle=SETTLE):
            yield
    except counter.Stopped as stopped:
        why = stopped.why
        code, status = next(
            (found for kind, found in REFUSALS.items() if isinstance(why, kind)),
            ("storage_failed", UNAVAILABLE),
        )
        raise Refused(code, stopped.sentence, status=status, detail=detail_of(why)) from why


def detail_of(error: Exception) -> dict[str, Any]:
    match error:
        case errors.OrderRefused() if error.gates:
            pairs = zip(error.gates, error.reasons, strict=True)
            return {"reasons": [{"gate": str(gate), "message": on_pages(text)} for gate, text in pairs]}
        case errors.NotConfirmed():
            return {"tries_left": error.left}
        case errors.PasswordLocked():
            return {"retry_after": error.minutes * 60}
    return {}
