"""What a background task might try with an order, each way that leads to the exchange."""

from kis.client.records.orders import Side
from tests.trading import scene
from trading import sending
from trading.models import PendingOrder
from trading.parser import OrderWish
from trading.safe_executor import RealTradingClient, SafeExecutor, execute


def attempts():
    """Try every way and return what each one brought."""
    order = PendingOrder.objects.get()
    with scene.desk() as desk:
        executor = SafeExecutor(desk)
        session = desk.connection.session
        wish = OrderWish(Side.BUY, scene.SAMSUNG, "", 1, order.price)
        ways = {
            "propose": lambda: executor.propose(wish, given_password=scene.PASSWORD),
            "confirm": lambda: executor.confirm(scene.CODE, given_password=scene.PASSWORD),
            "execute": lambda: execute(order, desk=desk, may_trade=True),
            "send": lambda: sending.send(order, desk=desk, token=session.token(), budget=session.budget),
            "client": lambda: RealTradingClient(scene.PASSWORD).confirm(scene.CODE),
        }
        return {name: str(scene.said(way)) for name, way in ways.items()}
