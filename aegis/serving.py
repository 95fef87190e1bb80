"""What gunicorn writes to the log: through the same filter as everything else, and without the conditions of a query."""

from datetime import timedelta
from logging.config import dictConfig
from typing import Any

from gunicorn.glogging import Logger

from aegis.request_ids import HEADER


class Log(Logger):  # type: ignore[misc]  # comes without types
    """Hands every line to the handlers of the site; a request is one line with its own fields."""

    def setup(self, cfg: Any) -> None:  # noqa: ANN401, ARG002  # as gunicorn calls it
        from django.conf import settings  # noqa: PLC0415  # the settings name this module's package

        dictConfig(settings.LOGGING)
        self.error_log.propagate = self.access_log.propagate = True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:  # noqa: ANN401, ARG002
        """Write down a request: what was asked for as it was typed, but for what stands behind the question mark."""
        fields = {
            "method": environ.get("REQUEST_METHOD", ""),
            "path": environ.get("RAW_URI", "").partition("?")[0],
            "status": int(str(resp.status).split()[0]),
            "milliseconds": round(request_time.total_seconds() * 1000),
            "size": getattr(resp, "sent", 0),
            "client": environ.get("HTTP_X_FORWARDED_FOR", "") or environ.get("REMOTE_ADDR", ""),
            "request_id": next((value for name, value in resp.headers if name.lower() == HEADER.lower()), ""),
        }
        self.access_log.info("%s %s", fields["method"], fields["path"], extra=fields)
