"""Numbers of the dashboard, ready for print, page, API and terminal; one module per subject.

Won is int, shares and rates are Decimal; a number that the broker did not give is None, never 0. A part that could not
be computed is `Broken`, with a sentence to show in its place.
"""

from reports.figures.account import AccountFigures, CashDay
from reports.figures.broken import Broken
from reports.figures.composition import Composition, Sector, Slice
from reports.figures.dashboard import Dashboard, dashboard_figures
from reports.figures.fills import Disagreement, Fill, Fills
from reports.figures.freshness import Failures, Minutes, Source
from reports.figures.holdings import HoldingFigures, HoldingsTotal
from reports.figures.orders import OpenOrder, OpenOrders
from reports.figures.realised import Realised, RealisedDay
from reports.figures.reconciliation import Reconciliation
from reports.figures.shares import shares
from reports.figures.today import Cause, Moment, Today
from reports.figures.trend import Trend, TrendDay

__all__ = [
    "AccountFigures",
    "Broken",
    "CashDay",
    "Cause",
    "Composition",
    "Dashboard",
    "Disagreement",
    "Failures",
    "Fill",
    "Fills",
    "HoldingFigures",
    "HoldingsTotal",
    "Minutes",
    "Moment",
    "OpenOrder",
    "OpenOrders",
    "Realised",
    "RealisedDay",
    "Reconciliation",
    "Sector",
    "Slice",
    "Source",
    "Today",
    "Trend",
    "TrendDay",
    "dashboard_figures",
    "shares",
]
