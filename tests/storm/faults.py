"""What can go wrong with one call, named as the simulator names it and a few kinds more."""

from dataclasses import dataclass
from random import Random

#: Nothing reached the broker, provably: no connection came about.
BEFORE_CONNECTION = ("refuse_connection", "dns", "connect_timeout")
#: Not executed, but the caller cannot always know.
NOT_EXECUTED = (
    "reset_before",
    "http_500_before",
    "html_page",
    "redirect_307",
    "rate_limited",
    "token_expired",
    "maintenance",
)
#: Executed; the answer is lost or spoilt.
EXECUTED = (
    "reset_after",
    "hang_after",
    "http_500_after",
    "html_after",
    "truncate",
    "bad_json",
    "slow_drip",
    "middle_layer",
)
SHAPE = (
    "drop_field:ODNO",
    "drop_field:rt_cd",
    "drop_field:output",
    "rename_field:ODNO:ORD_NO",
    "drop_field:msg_cd",
)
LIST_SHAPE = (
    "drop_field:odno",
    "drop_field:output1",
    "rename_field:tot_ccld_qty:tot_ccll_qty",
    "drop_field:rt_cd",
    "drop_field:output2",
    "drop_field:ord_qty",
)
PAGES = ("drop_page", "repeat_page")
LATE = ("late_visible:30", "late_visible:120", "late_visible:600")
#: Of an order alone: it arrives after the caller has given up, its number is an old one or none, or it is refused.
ORDER_ONLY = ("late_execution", "old_number", "blank_number", "refusal")

OF_READS = (*BEFORE_CONNECTION, *NOT_EXECUTED, *EXECUTED, "drop_field:output", "drop_field:rt_cd")
OF_LISTS = (*OF_READS, *LIST_SHAPE, *PAGES, *PAGES, *PAGES, *LATE, *LATE)
OF_TOKENS = (
    *BEFORE_CONNECTION,
    "reset_before",
    "http_500_before",
    "html_page",
    "redirect_307",
    "reset_after",
    "hang_after",
    "truncate",
    "drop_field:access_token",
)
OF_ORDERS = (*BEFORE_CONNECTION, *NOT_EXECUTED, *EXECUTED, *SHAPE, *ORDER_ONLY, *ORDER_ONLY)


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely a call meets trouble: a read, and the order itself; and what happens to lists of orders."""

    read: float
    order: float
    of_lists: tuple[str, ...] = OF_LISTS

    def fault(self, dice: Random, *, name: str, is_order: bool, is_list: bool) -> str:
        """Draw the fault of one call; blank for none."""
        if dice.random() >= (self.order if is_order else self.read):
            return ""
        if is_order:
            return dice.choice(OF_ORDERS)
        if name == "tokenP":
            return dice.choice(OF_TOKENS)
        return dice.choice(self.of_lists if is_list else OF_READS)


CALM = Weather(0.0, 0.0)
