"""The lists of `/api/v1/`: which conditions and which order each of them takes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from kis.access import visible
from kis.api import parameters, serializers
from kis.api.errors import BadParameter
from kis.api.export import CsvRenderer, csv_response
from kis.api.pages import Order, every_page, page_of, read_limit
from kis.api.parameters import Parameter, given, narrowed
from kis.models import (
    DailyPrice,
    KbHolding,
    KbTrade,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisUnfilledOrder,
    MinPrice,
    Stock,
    SyncRun,
)
from kis.models.runs import SyncRunQuerySet

FORMAT = api_settings.URL_FORMAT_OVERRIDE
#: Rows of CSV that are fetched at once.
CHUNK = 1000
READING = ["get", "head", "options"]

#: What rows that carry their account can be narrowed down to.
WHOSE = {"account": parameters.account(), "mode": parameters.mode()}


class Private(APIView):
    """A view whose answers no cache may keep."""

    http_method_names = READING

    def initial(self, request: Request, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  # DRF's signature
        """Look who is there before anything else, so that strangers learn nothing."""
        self.check_permissions(request)
        super().initial(request, *arguments, **named)

    def get_renderers(self) -> list[BaseRenderer]:
        """Return JSON, and CSV as well for a list."""
        return [JSONRenderer(), CsvRenderer()] if getattr(self, "action", "") == "list" else [JSONRenderer()]

    def finalize_response(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # Django's signature
        response = super().finalize_response(*arguments, **named)
        add_never_cache_headers(response)
        return response


class NothingHere(Private):
    """Any address below /api/ that is none."""

    schema = None  # there is nothing to describe

    def initial(self, request: Request, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  # DRF's signature
        super().initial(request, *arguments, **named)
        raise NotFound


class TableView(Private, ViewSetMixin, GenericAPIView[Any]):
    """A table to be read: a list with conditions, and one row by its number."""

    lookup_value_regex = "[0-9]{1,18}"

    model: ClassVar[type[Model]]
    parameters: ClassVar[Mapping[str, Parameter]]
    #: Ways to sort by name, as columns that no two rows share. Each one can be turned round with a minus.
    orders: ClassVar[Mapping[str, tuple[str, ...]]]
    #: Ways that only few rows can be sorted in: those of the latest snapshots.
    orders_of_latest: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: The newest first, unless a table says otherwise.
    default_order: ClassVar[str]
    joined: ClassVar[tuple[str, ...]] = ()
    #: The column with the number of the snapshot, where there are snapshots.
    snapshot: ClassVar[str] = ""

    # --- answers -------------------------------------------------------------------------------------------------

    def list(self, request: Request) -> HttpResponseBase:
        as_csv = request.accepted_renderer.format == CsvRenderer.format
        paging = () if as_csv else ("cursor", "limit")
        values = given(request.query_params, [*self.parameters, "ordering", *paging, FORMAT])
        order = self.order(values)
        rows = narrowed(self.rows(), self.conditions(values), values, user=request.user)
        if as_csv:
            pages = every_page(rows, order, limit=CHUNK)
            has_body = request.method != "HEAD"
            return csv_response(pages, self.get_serializer(), name=str(self.basename), body=has_body)
        page, cursor = page_of(
            rows, order, cursor=values.get("cursor"), limit=read_limit(values.get("limit"))
        )
        return Response(
            {"next": self.address_of(cursor), "results": self.get_serializer(page, many=True).data}
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        given(request.query_params, [FORMAT])
        row = self.seen().select_related(*self.joined).filter(pk=int(pk)).first()
        if row is None:
            raise NotFound
        return Response(self.get_serializer(row).data)

    def options(self, request: HttpRequest, *_arguments: Any, **_named: Any) -> Response:  # noqa: ANN401  # DRF's signature
        """Say what can be asked."""
        given(request.GET, [FORMAT])
        orders = {"always": [*self.orders], "with_latest": [*self.orders_of_latest]}
        return Response({"parameters": [*self.parameters], "ordering": orders, "default": self.default_order})

    # --- what is asked -------------------------------------------------------------------------------------------

    def rows(self) -> QuerySet[Any]:
        """Return all rows that the user may see, without what no list shows."""
        heavy = [name for name in ("raw_json", "steps") if has_column(self.model, name)]
        behind = [
            f"{way}__raw_json" for way in self.joined if has_column(model_behind(self.model, way), "raw_json")
        ]
        return self.seen().select_related(*self.joined).defer(*heavy, *behind)

    def seen(self) -> QuerySet[Any]:
        """Return the rows of the accounts that whoever asks may see."""
        return visible(self.model._default_manager.all(), self.request.user)  # noqa: SLF001  # Django's own name

    def conditions(self, values: Mapping[str, str]) -> dict[str, Parameter]:
        """Return the conditions, worded for the index that leaves the fewest rows."""
        found = dict(self.parameters)
        if "code" in values and "mode" in found:
            found["mode"] = parameters.mode_of_stock()
        if self.snapshot and values.get("latest") == "true":
            found["account"] = parameters.newest_of_account(self.snapshot)
        return found

    def order(self, values: Mapping[str, str]) -> Order:
        """Return the order that is asked for. Raises BadParameter."""
        text = values.get("ordering", self.default_order)
        name = text.removeprefix("-")
        ways = self.ways(values)
        if name in self.orders_of_latest and name not in ways:
            raise BadParameter("ordering", f"{name} 정렬은 latest=true와 함께만 쓸 수 있습니다.")
        if name not in ways:
            raise BadParameter(
                "ordering", f"이 가운데 하나를 적어 주세요(앞에 -를 붙이면 거꾸로): {', '.join(ways)}"
            )
        return Order(columns=ways[name], descending=text.startswith("-"))

    def ways(self, values: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        if values.get("latest") == "true":
            return {**self.orders, **self.orders_of_latest}
        return self.orders

    # --- around it -----------------------------------------------------------------------------------------------

    def address_of(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = cursor
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")

    def get_serializer_context(self) -> dict[str, Any]:
        context = {**super().get_serializer_context(), "alone": self.action == "retrieve"}
        if issubclass(self.get_serializer_class(), serializers.OwnedSerializer):
            context["labels"] = serializers.Labels.read()
        return context

    def get_serializer(self, *arguments: Any, **named: Any) -> BaseSerializer[Any]:  # noqa: ANN401  # DRF's signature
        return super().get_serializer(*arguments, **named)


def model_behind(model: type[Model], way: str) -> type[Model]:
    other = model._meta.get_field(way).related_model  # noqa: SLF001  # Django's own name for it
    assert isinstance(other, type)  # noqa: S101  # joined columns are foreign keys
    return other


def has_column(model: type[Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)  # noqa: SLF001  # Django's own


# --- accounts --------------------------------------------------------------------------------------------------------


class AccountView(TableView):
    """Snapshots of the accounts."""

    model = KisAccount
    serializer_class = serializers.AccountSerializer
    parameters = {
        **WHOSE,
        **parameters.moments("snapshot_at"),
        "latest": parameters.latest("pk"),
    }
    snapshot = "pk"
    orders = {"snapshot_at": ("snapshot_at", "id")}
    default_order = "-snapshot_at"


class SnapshotRowView(TableView):
    """Rows of the snapshots. With an account they are found through its snapshots, whose index knows the account."""

    joined = ("kis_account",)
    snapshot = "kis_account"
    default_order = "-snapshot_at"

    def conditions(self, values: Mapping[str, str]) -> dict[str, Parameter]:
        return {**super().conditions(values), **parameters.moments(moment_of(values))}

    def ways(self, values: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        return {**super().ways(values), "snapshot_at": (moment_of(values), "id")}


def moment_of(values: Mapping[str, str]) -> str:
    """Return the column to sort snapshot rows by; both hold the same moment."""
    return "kis_account__snapshot_at" if "account" in values else "snapshot_at"


class HoldingView(SnapshotRowView):
    """Stocks held, snapshot by snapshot."""

    model = KisHolding
    serializer_class = serializers.HoldingSerializer
    parameters = {
        "account": parameters.account("kis_account__"),
        "mode": parameters.mode(),
        "code": parameters.code(),
        **parameters.moments("snapshot_at"),
        "latest": parameters.latest("kis_account"),
    }
    orders = {"snapshot_at": ("snapshot_at", "id")}
    orders_of_latest = {
        "evlu_amt": ("evlu_amt", "id"),
        "evlu_pfls_amt": ("evlu_pfls_amt", "id"),
        "stock_code": ("stock_code", "id"),
    }


class UnfilledOrderView(SnapshotRowView):
    """Orders that waited at the exchange, snapshot by snapshot."""

    model = KisUnfilledOrder
    serializer_class = serializers.UnfilledOrderSerializer
    parameters = {
        "account": parameters.account("kis_account__"),
        "mode": parameters.mode(),
        "code": parameters.code(),
        **parameters.moments("snapshot_at"),
        "latest": parameters.latest("kis_account"),
    }
    orders = {"snapshot_at": ("snapshot_at", "id")}
    orders_of_latest = {"ord_tmd": ("ord_tmd", "id")}


# --- trades ----------------------------------------------------------------------------------------------------------


class ExecutionView(TableView):
    """Fills."""

    model = KisExecution
    serializer_class = serializers.ExecutionSerializer
    parameters = {
        **WHOSE,
        "code": parameters.code(),
        **parameters.days("exec_dt"),
    }
    orders = {"exec_dt": ("exec_dt", "exec_tmd", "id")}
    default_order = "-exec_dt"


class OrderDetailView(TableView):
    """Orders with their amendments and cancellations."""

    model = KisOrderDetail
    serializer_class = serializers.OrderDetailSerializer
    parameters = {
        **WHOSE,
        "code": parameters.code(),
        **parameters.days("ord_dt"),
        **parameters.model_columns(KisOrderDetail, "status", "origin", "side"),
    }
    orders = {"ord_dt": ("ord_dt", "ord_tmd", "id")}
    default_order = "-ord_dt"


# --- days ------------------------------------------------------------------------------------------------------------


class DepositLogView(TableView):
    """Cash at the close of each day."""

    model = KisDepositLog
    serializer_class = serializers.DepositLogSerializer
    parameters = {
        **WHOSE,
        **parameters.days("log_date"),
        **parameters.model_columns(KisDepositLog, "state"),
    }
    orders = {"log_date": ("log_date", "id")}
    default_order = "-log_date"


class DailySummaryView(TableView):
    """What an account was worth at the close of each day, and what it earned."""

    model = KisDailySummary
    serializer_class = serializers.DailySummarySerializer
    parameters = {
        **WHOSE,
        **parameters.days("summary_date"),
        **parameters.model_columns(KisDailySummary, "state"),
    }
    orders = {"summary_date": ("summary_date", "id")}
    default_order = "-summary_date"


class SyncRunView(TableView):
    """Runs of the jobs, with the reconciliation of each."""

    model = SyncRun
    serializer_class = serializers.SyncRunSerializer
    parameters = {
        **WHOSE,
        "job": parameters.word("job"),
        **parameters.moments("started_at"),
        **parameters.model_columns(SyncRun, "status"),
        "agreement": parameters.subject(
            {
                "agrees": SyncRunQuerySet.agreeing,
                "differs": SyncRunQuerySet.differing,
                "none": SyncRunQuerySet.not_compared,
            }
        ),
    }
    orders = {"started_at": ("started_at", "id")}
    default_order = "-started_at"


# --- the market ------------------------------------------------------------------------------------------------------


class DailyPriceView(TableView):
    """Daily bars."""

    model = DailyPrice
    serializer_class = serializers.DailyPriceSerializer
    parameters = {"code": parameters.code(), **parameters.days("trade_date")}
    orders = {"trade_date": ("trade_date", "id")}
    default_order = "-trade_date"


class MinPriceView(TableView):
    """Minute bars."""

    model = MinPrice
    serializer_class = serializers.MinPriceSerializer
    parameters = {"code": parameters.code(), **parameters.moments("bar_at")}
    orders = {"bar_at": ("bar_at", "id")}
    default_order = "-bar_at"


class StockView(TableView):
    """Listed papers."""

    model = Stock
    serializer_class = serializers.StockSerializer
    parameters = {"code": parameters.code("code"), **parameters.model_columns(Stock, "market", "kind")}
    orders = {"code": ("code",)}
    default_order = "code"


# --- KB Securities ---------------------------------------------------------------------------------------------------


class KbHoldingView(TableView):
    """Stocks held at KB Securities, as its files say."""

    model = KbHolding
    serializer_class = serializers.KbHoldingSerializer
    parameters = {
        "account": parameters.account_label("account_label"),
        "code": parameters.code(),
        **parameters.days("as_of"),
    }
    orders = {"as_of": ("as_of", "id")}
    default_order = "-as_of"


class KbTradeView(TableView):
    """Transactions at KB Securities, as its files say."""

    model = KbTrade
    serializer_class = serializers.KbTradeSerializer
    parameters = {
        "account": parameters.account_label("account_label"),
        "code": parameters.code(),
        **parameters.days("trade_date"),
        **parameters.model_columns(KbTrade, "kind"),
    }
    orders = {"trade_date": ("trade_date", "id")}
    default_order = "-trade_date"
