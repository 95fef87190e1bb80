"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from aegis.views import healthz
from kis.api import errors
from kis.api.views import NothingHere

admin.site.site_header = admin.site.site_title = "AEGIS"
admin.site.index_title = "장부"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("aegis.api")),
    re_path(r"^api(/|$)", NothingHere.as_view()),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
