"""The cash of a snapshot by the day it settles, as every page shows it."""

from dataclasses import dataclass
from datetime import date, datetime

from kis.calendar import latest_business_day
from kis.korean import SEOUL
from kis.models import KisAccount
from kis.portfolio.cash import Ladder, Misu, misu
from kis.portfolio.unknown import Unknown

NOT_ASKED = Unknown("증권사에서 주문가능금액을 받지 못했습니다.")


@dataclass(frozen=True, slots=True)
class CashLadder:
    """Cash in won as of a moment. Each figure is the broker's own; none stands in for another.

    `orderable` is what can be ordered without a shortfall (`nrcvb_buy_amt`), Unknown where the broker did not say.
    """

    as_of: datetime
    ladder: Ladder
    orderable: int | Unknown
    misu: Misu

    @property
    def steps(self) -> tuple[tuple[str, date, int], ...]:
        """D+0, D+1 and D+2, each with the broker's name for it and its day."""
        return self.ladder.steps


def cash_ladder(snapshot: KisAccount) -> CashLadder:
    """Return the cash of a snapshot for reports, terminal and API, with the warning whether it will suffice (미수).

    On a closed day the ladder is that of the last business day, as the broker's is.
    """
    day = latest_business_day(snapshot.snapshot_at.astimezone(SEOUL).date())
    ladder = Ladder(day, snapshot.deposit, snapshot.d1_cash, snapshot.available)
    orderable = snapshot.orderable_cash
    return CashLadder(
        as_of=snapshot.snapshot_at,
        ladder=ladder,
        orderable=NOT_ASKED if orderable is None else orderable,
        misu=misu(ladder, orderable=orderable),
    )
