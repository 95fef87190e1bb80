"""Numbers of the dashboard, ready for print, page, API and terminal; one module per subject.

Won is int, shares and rates are Decimal; a number that the broker did not give is None, never 0.
"""

from reports.figures.account import AccountFigures, CashDay
from reports.figures.composition import Slice
from reports.figures.dashboard import Dashboard, dashboard_figures
from reports.figures.fills import Fill, Fills
from reports.figures.freshness import Failures, Source
from reports.figures.holdings import HoldingFigures, HoldingsTotal
from reports.figures.orders import OpenOrder, OpenOrders
from reports.figures.profits import PROFIT_ROWS, ProfitLine
from reports.figures.reconciliation import Reconciliation
from reports.figures.shares import shares

__all__ = [
    "PROFIT_ROWS",
    "AccountFigures",
    "CashDay",
    "Dashboard",
    "Failures",
    "Fill",
    "Fills",
    "HoldingFigures",
    "HoldingsTotal",
    "OpenOrder",
    "OpenOrders",
    "ProfitLine",
    "Reconciliation",
    "Slice",
    "Source",
    "dashboard_figures",
    "shares",
]
