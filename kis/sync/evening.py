"""What a run does once the market has closed: the days of the account, and the indices they are compared with."""

from typing import TYPE_CHECKING

from kis.client.codes import TR
from kis.connect import Connection
from kis.korean import SEOUL
from kis.models import KisDailySummary
from kis.sync.days import close_days, is_due
from kis.sync.index_prices import fetch_index_prices
from kis.sync.trade_profits import TradeProfits

if TYPE_CHECKING:
    from kis.sync.run import Steps


def copy_days(connection: Connection, *, profits: TradeProfits, steps: "Steps") -> tuple[str, ...]:
    """Close the days that are over, if there is one; returns a sentence for each trouble, which spoils nothing."""
    if not is_due(connection):
        return ()
    environment = connection.environment
    closed = close_days(connection, profits=profits)
    note = f"새로 계산 {closed.days}일" if closed.days else "모두 최신"
    steps.add(
        "close_days",
        "마감",
        f"{closed.open}일",
        tr_id="" if environment.is_paper else environment.tr_id(TR.TRADE_PROFIT),
        note=f"문제 {len(closed.problems)}건" if closed.problems else note,
    )
    days = KisDailySummary.objects.of(environment.account, is_paper=environment.is_paper).with_close()
    first = days.order_by("summary_date").values_list("summary_date", flat=True).first()
    if first is None:
        return closed.problems
    indices = fetch_index_prices(connection.session, since=first, at=connection.now().astimezone(SEOUL))
    note = f"새 종가 {indices.closes}개" if indices.asked else "모두 최신"
    steps.add(
        "fetch_indices",
        "지수",
        f"{indices.indices}개",
        tr_id=environment.tr_id(TR.INDEX_CHART),
        note=f"문제 {len(indices.problems)}건" if indices.problems else note,
    )
    return (*closed.problems, *indices.problems)
