"""A life of an account, played through the simulator day by day; what is traded trades at the price that was set."""

from contextlib import contextmanager
from datetime import datetime, time

from kis.korean import SEOUL
from kis.models import KisDailySummary, KisDepositLog
from kis.sync import sync_account
from tests.kis.conftest import Caller
from tests.kis.syncing import Broker, connection_to

SAMSUNG = "005930"
EVENING = time(16, 0)


class Life:
    """One account of a simulator: its prices, trades and deposits, and the syncs that watch it."""

    def __init__(self, simulator, connection, mode):
        side = getattr(simulator, mode)
        self.simulator = simulator
        self.connection = connection
        self.broker = Broker(side.url)
        self.caller = Caller(side)
        self.mode = mode

    @property
    def account(self):
        return self.connection.environment.account

    @property
    def is_paper(self):
        return self.mode == "paper"

    def at(self, day, clock="09:30"):
        """Move the clock on."""
        self.broker.clock(datetime.combine(day, time.fromisoformat(clock), SEOUL))

    def price(self, price, code=SAMSUNG):
        self.broker.post("price", {"code": code, "price": price})

    def trade(self, side, quantity, price, code=SAMSUNG):
        """Trade shares at once at a price that holds for the rest of the day."""
        self.price(price, code)
        reply = self.caller.order(
            side, PDNO=code, ORD_QTY=str(quantity), ORD_UNPR=str(price), EXCG_ID_DVSN_CD="KRX"
        ).json()
        assert reply["rt_cd"] == "0", reply
        number = reply["output"]["ODNO"]
        # Numbers begin anew every day, and on both hosts.
        mine = [order for order in self.broker.get("orders") if order["mode"] == self.mode]
        order = [order for order in mine if int(order["odno"]) == int(number)][-1]
        assert order["filled"] == quantity, order
        return number

    def buy(self, quantity, price, code=SAMSUNG):
        return self.trade("buy", quantity, price, code)

    def sell(self, quantity, price, code=SAMSUNG):
        return self.trade("sell", quantity, price, code)

    def deposit(self, amount):
        self.broker.post("deposit", {"amount": amount})

    def sync(self):
        return sync_account(self.connection)

    def evening(self, day):
        """Look at the account after the close, which closes the day."""
        self.at(day, f"{EVENING:%H:%M}")
        return self.sync()

    def summary(self, day):
        rows = KisDailySummary.objects.of(self.account, is_paper=self.is_paper)
        return rows.get(summary_date=day)

    def log(self, day):
        return KisDepositLog.objects.of(self.account, is_paper=self.is_paper).get(log_date=day)


@contextmanager
def life_of(simulator, mode="real"):
    with connection_to(simulator, mode) as connection:
        yield Life(simulator, connection, mode)
