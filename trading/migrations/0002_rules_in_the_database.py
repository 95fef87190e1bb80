"""Triggers: legal steps only, orders are never deleted or rewritten once sent, history is only added to."""

from django.db import migrations

STEPS = {
    "pending": ("sending", "locked", "expired", "abandoned"),
    "sending": ("accepted", "rejected", "not_sent", "unknown"),
    "unknown": ("accepted", "not_placed"),
    "accepted": ("partial", "filled", "cancelled", "expired"),
    "partial": ("filled", "cancelled", "expired"),
}
#: What the owner has seen and confirmed; it never changes.
FIXED = (
    *("account_no", "product_code", "is_paper", "kind", "side", "stock_code", "quantity", "price", "exchange"),
    *("origin_branch", "origin_number", "amount", "made_at", "expires_at", "source"),
)
LEGAL = " OR ".join(
    f"(OLD.status = '{old}' AND NEW.status IN ({', '.join(repr(new) for new in news)}))"
    for old, news in STEPS.items()
)
ILLEGAL_STEP = f"OLD.status <> NEW.status AND NOT ({LEGAL})"
REWRITTEN = " OR ".join(f"OLD.{name} <> NEW.{name}" for name in FIXED)

SQLITE = [
    f"""CREATE TRIGGER trading_order_legal_step BEFORE UPDATE ON trading_order
        WHEN {ILLEGAL_STEP} BEGIN SELECT RAISE(ABORT, 'trading_order: illegal step'); END""",
    f"""CREATE TRIGGER trading_order_content_fixed BEFORE UPDATE ON trading_order
        WHEN {REWRITTEN} BEGIN SELECT RAISE(ABORT, 'trading_order: content is fixed'); END""",
    """CREATE TRIGGER trading_order_starts_pending BEFORE INSERT ON trading_order
        WHEN NEW.status <> 'pending' BEGIN SELECT RAISE(ABORT, 'trading_order: starts pending'); END""",
    """CREATE TRIGGER trading_order_kept BEFORE DELETE ON trading_order
        BEGIN SELECT RAISE(ABORT, 'trading_order: never deleted'); END""",
    """CREATE TRIGGER trading_order_event_fixed BEFORE UPDATE ON trading_order_event
        BEGIN SELECT RAISE(ABORT, 'trading_order_event: only added to'); END""",
    """CREATE TRIGGER trading_order_event_kept BEFORE DELETE ON trading_order_event
        BEGIN SELECT RAISE(ABORT, 'trading_order_event: only added to'); END""",
]
SQLITE_NAMES = [sql.split()[2] for sql in SQLITE]

POSTGRESQL = f"""
CREATE FUNCTION trading_order_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'trading_order: never deleted' USING ERRCODE = 'check_violation';
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' THEN
            RAISE EXCEPTION 'trading_order: starts pending' USING ERRCODE = 'check_violation';
        END IF;
    ELSE
        IF {ILLEGAL_STEP} THEN
            RAISE EXCEPTION 'trading_order: illegal step' USING ERRCODE = 'check_violation';
        END IF;
        IF {REWRITTEN} THEN
            RAISE EXCEPTION 'trading_order: content is fixed' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trading_order_guard BEFORE INSERT OR UPDATE OR DELETE ON trading_order
    FOR EACH ROW EXECUTE FUNCTION trading_order_guard();
CREATE FUNCTION trading_order_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'trading_order_event: only added to' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER trading_order_event_guard BEFORE UPDATE OR DELETE ON trading_order_event
    FOR EACH ROW EXECUTE FUNCTION trading_order_event_guard();
"""
POSTGRESQL_BACK = """
DROP TRIGGER trading_order_guard ON trading_order;
DROP FUNCTION trading_order_guard;
DROP TRIGGER trading_order_event_guard ON trading_order_event;
DROP FUNCTION trading_order_event_guard;
"""


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
        return
    for sql in SQLITE:
        schema_editor.execute(sql)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK)
        return
    for name in SQLITE_NAMES:
        schema_editor.execute(f"DROP TRIGGER {name}")


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_orders")]
    operations = [migrations.RunPython(add, remove)]
