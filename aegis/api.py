"""Addresses of the API, version 1."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from ai.api import DiagnosisView
from kis.api import views
from reports.api import DashboardView
from trading.api import OrderView

router = SimpleRouter()
router.trailing_slash = "/?"  # both ways of writing an address are one
router.register("accounts", views.AccountView, basename="accounts")
router.register("holdings", views.HoldingView, basename="holdings")
router.register("executions", views.ExecutionView, basename="executions")
router.register("unfilled-orders", views.UnfilledOrderView, basename="unfilled-orders")
router.register("order-details", views.OrderDetailView, basename="order-details")
router.register("deposit-logs", views.DepositLogView, basename="deposit-logs")
router.register("daily-summaries", views.DailySummaryView, basename="daily-summaries")
router.register("daily-prices", views.DailyPriceView, basename="daily-prices")
router.register("minute-prices", views.MinPriceView, basename="minute-prices")
router.register("sync-runs", views.SyncRunView, basename="sync-runs")
router.register("stocks", views.StockView, basename="stocks")
router.register("diagnoses", DiagnosisView, basename="diagnoses")
router.register("kb-holdings", views.KbHoldingView, basename="kb-holdings")
router.register("kb-trades", views.KbTradeView, basename="kb-trades")
router.register("orders", OrderView, basename="orders")

urlpatterns = [
    *router.urls,
    re_path("^dashboard/?$", DashboardView.as_view(), name="dashboard-figures"),
    re_path("", views.NothingHere.as_view()),
]
