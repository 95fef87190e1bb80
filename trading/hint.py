"""`.cache/pending_order.json`: where another process finds the order that waits for its code; no code inside.

The row is what counts. A hint that is missing, old or damaged is as good as none.
"""

import json
import logging
import os
import tempfile
from pathlib import Path

from django.conf import settings

from trading.models import PendingOrder

logger = logging.getLogger(__name__)


def file() -> Path:
    return Path(settings.TRADING_DIR) / "pending_order.json"


def write(order: PendingOrder) -> None:
    """Name the order that waits, whole or not at all, for its owner's eyes only."""
    content = {
        "id": order.pk,
        "mode": "paper" if order.is_paper else "real",
        "account": order.masked_account,
        "order": order.words,
        "expires_at": order.expires_at.isoformat(),
    }
    file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file().parent, prefix=".pending")  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(content, out, ensure_ascii=False)
        Path(name).replace(file())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read() -> int | None:
    """Return the number of the order that is said to wait; None where nothing readable says so."""
    try:
        content = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    pk = content.get("id") if isinstance(content, dict) else None
    return pk if isinstance(pk, int) and not isinstance(pk, bool) else None


def clear(order: PendingOrder) -> None:
    """Take the hint away, if it is that of this order; what cannot be taken away does no harm."""
    if read() == order.pk:
        try:
            file().unlink(missing_ok=True)
        except OSError:
            logger.exception("Order %s: the hint could not be taken away", order.pk)
