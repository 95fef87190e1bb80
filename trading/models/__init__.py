"""Tables of trading."""

from trading.models.events import AuditHead, OrderEvent
from trading.models.orders import PendingOrder
from trading.models.safety import KillSwitch, TradingPassword

__all__ = ["AuditHead", "KillSwitch", "OrderEvent", "PendingOrder", "TradingPassword"]
