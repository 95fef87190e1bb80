"""Addresses of the pages."""

from django.urls import path

from reports import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("dashboard.pdf", views.dashboard_pdf, name="dashboard-pdf"),
    path("sync/", views.sync, name="sync"),
    path("fonts/<str:name>", views.font, name="font"),
]
