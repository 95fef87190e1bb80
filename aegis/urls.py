"""Addresses of the site."""

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from aegis import second_factor
from aegis.views import admin_login
from aegis.watching import health
from aegis.watching import views as watching
from kis.api import errors
from kis.api.views import NothingHere

urlpatterns = [
    path("healthz", watching.healthz, {"look": health.reached}, name="healthz"),
    path("healthz/live", watching.healthz, {"look": health.alive}),
    path("healthz/ready", watching.healthz, {"look": health.ready}),
    path("healthz/data", watching.healthz, {"look": health.fresh}),
    path("metrics", watching.metrics, name="metrics"),
    path("", include("reports.urls")),
    path("orders/", include("trading.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("login/code/", second_factor.show, name="show-second-factor"),
    path("login/again/", second_factor.retype, name="retype-password"),
    path("second-factor/", second_factor.overview, name="second-factor"),
    path("second-factor/start/", second_factor.start, name="second-factor-start"),
    path("second-factor/finish/", second_factor.finish, name="second-factor-finish"),
    path("second-factor/codes/", second_factor.renew_codes, name="second-factor-codes"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/login/", admin_login),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", login_required(SpectacularSwaggerSplitView.as_view()), name="docs"),
    path("api/v1/", include("aegis.api")),
    re_path(r"^api(/|$)", NothingHere.as_view()),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
