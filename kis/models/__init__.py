"""Tables of the books; the fixed columns keep the names of the owner's data dictionary (design.md, section 5)."""

from kis.models.accounts import KisAccount
from kis.models.books import KisExecution, KisHolding, KisUnfilledOrder
from kis.models.broker_accounts import BrokerAccount
from kis.models.days import IndexPrice, KisDailySummary, KisDepositLog, KisTradeProfit
from kis.models.drift import WireFinding
from kis.models.grants import AccountGrant
from kis.models.keys import AccessToken, FeedLease, RateBudget
from kis.models.market import DailyPrice, MinPrice, PriceAdjustment, PriceGap, PriceHistory
from kis.models.orders import KisOrderDetail
from kis.models.runs import SyncRun
from kis.models.second_factor import RecoveryCode, SecondFactor
from kis.models.statements import KbHolding, KbStatement, KbTrade
from kis.models.stocks import MarketDay, Stock
from kis.models.targets import TargetWeight
from kis.models.tokens import ApiToken

__all__ = [
    "AccessToken",
    "AccountGrant",
    "ApiToken",
    "BrokerAccount",
    "DailyPrice",
    "FeedLease",
    "IndexPrice",
    "KbHolding",
    "KbStatement",
    "KbTrade",
    "KisAccount",
    "KisDailySummary",
    "KisDepositLog",
    "KisExecution",
    "KisHolding",
    "KisOrderDetail",
    "KisTradeProfit",
    "KisUnfilledOrder",
    "MarketDay",
    "MinPrice",
    "PriceAdjustment",
    "PriceGap",
    "PriceHistory",
    "RateBudget",
    "RecoveryCode",
    "SecondFactor",
    "Stock",
    "SyncRun",
    "TargetWeight",
    "WireFinding",
]
