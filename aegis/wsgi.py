"""The site as a WSGI application, for `runserver` and other servers."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")


class Request(WSGIRequest):
    """A request in UTF-8, as all of ours are.

    Django reads the address anew in a charset that the request names, and fails over one that is too long before
    anything of ours could answer.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        super()._set_content_type_params(  # type: ignore[misc]  # the stubs do not know it
            meta | {"CONTENT_TYPE": without_charset(meta.get("CONTENT_TYPE", ""))}
        )


def without_charset(content_type: str) -> str:
    kept = [part for part in content_type.split(";") if not part.strip().lower().startswith("charset")]
    return ";".join(kept)


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application = Handler()
