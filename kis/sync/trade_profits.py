"""What the broker says of the trades of single days, asked once in a run however many want to know."""

from dataclasses import dataclass
from datetime import date, datetime

from kis.client.endpoints.profit import trade_profit
from kis.client.records.profit import TradeProfit
from kis.connect import Connection


@dataclass(frozen=True, slots=True)
class ToldProfit:
    """The broker's rows of one day, and when it was asked, in the market's time."""

    asked_at: datetime
    rows: tuple[TradeProfit, ...]


class TradeProfits:
    """The answers of one run (TTTC8715R): costs and days need the same rows. The real host only."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.told: dict[date, ToldProfit] = {}

    def of(self, day: date) -> ToldProfit:
        """Return what is said of a day, asked for the first time only. Raises KisError, which is not remembered."""
        if day not in self.told:
            # The moment before the question: an answer that comes after midnight may still be of the open day.
            asked_at = self.connection.now()
            profit = trade_profit(self.connection.session, first=day, last=day)
            self.told[day] = ToldProfit(asked_at, profit.rows)
        return self.told[day]
