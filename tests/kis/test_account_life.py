"""Two weeks of a made-up life, real and paper: every table is the ledger's, every day, over a holiday and a split."""

from datetime import date

import pytest

from kis.models import KisHolding, KisOrderDetail
from tests.kis.auditing import Audit, live
from tests.kis.playing import STOCKS, player_of

pytestmark = pytest.mark.django_db

#: Chuseok closes the exchange on 24 and 25 September 2026: what is traded on the 22nd settles on the 28th.
FIRST, EVE_OF_THE_SPLIT, LAST = date(2026, 9, 18), date(2026, 9, 28), date(2026, 10, 2)
DEEDS = ("trade", "at_market", "rest", "fill_part", "amend", "cancel", "phone", "immediate", "transfer")


@pytest.mark.parametrize("seed", [1, 2])
def test_books_are_the_ledger_every_day(seed):
    player, _ = live(seed=seed, first=FIRST, last=LAST, split_after=EVE_OF_THE_SPLIT)
    assert player.done["split"] == 1
    assert all(player.done[deed] for deed in DEEDS), player.done
    for life in player.lives.values():
        assert len(player.codes) - len(player.untouched(life)) == STOCKS
        orders = KisOrderDetail.objects.of(life.account, is_paper=life.is_paper)
        assert {"filled", "cancelled", "amended", "lapsed"} <= set(orders.values_list("status", flat=True))


def test_difference_is_named_with_seed_day_table_and_row():
    with player_of(seed=3, begins=FIRST, deeds_a_day=2) as player:
        life = player.lives["real"]
        audit = Audit(player.simulator, life, seed=3)
        snapshot = audit.look(life.sync())
        holding = KisHolding.objects.filter(kis_account=snapshot).order_by("stock_code").first()
        KisHolding.objects.filter(pk=holding.pk).update(evlu_amt=holding.evlu_amt + 1)
        statement = player.exchange.statement(audit.account, player.now)
        with pytest.raises(AssertionError) as raised:
            audit.same_holdings(snapshot, statement)
    assert str(raised.value) == (
        "seed 3, real, 2026-09-18 09:01:00, kis_holding: 1 differences\n"
        f"{holding.stock_code} evlu_amt: ours {holding.evlu_amt + 1}, ledger {holding.evlu_amt}"
    )
