"""How orders are written in the templates of their pages."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis.accounts import Account
from kis.korean import number
from trading import showing
from trading.forms import words_of
from trading.models import OrderEvent, PendingOrder
from trading.on_pages import on_pages
from trading.states import NAMES, UNSETTLED, State
from trading.terminal import bare
from trading.wording import change_of, what_of

register = template.Library()
#: Over, and as it was meant.
DONE = {State.FILLED, State.CANCELLED}


@register.simple_tag
def mode_badge(order: PendingOrder, is_demo: bool, css_class: str = "mode") -> SafeString:
    """Name the mode: real money is crimson, everything else is an outline."""
    tone = "real" if not order.is_paper and not is_demo else "outline"
    return format_html('<span class="{} {}">{}</span>', css_class, tone, showing.mode_name(order))


@register.simple_tag
def state_badge(order: PendingOrder) -> SafeString:
    tone = "care" if order.state in UNSETTLED else "done" if order.state in DONE else ""
    return format_html('<span class="state {}">{}</span>', tone, NAMES[order.state])


@register.filter
def account_words(account: Account) -> str:
    return words_of(account)


@register.filter
def needs_care(order: PendingOrder) -> bool:
    return order.state in UNSETTLED


@register.filter
def figure(value: int | None) -> str:
    return number(value)


@register.filter
def bare_number(value: str) -> str:
    return bare(value)


@register.filter
def reason_of(order: PendingOrder) -> str:
    return on_pages(order.reason)


@register.filter
def what(event: OrderEvent) -> str:
    return what_of(event)


@register.filter
def change(event: OrderEvent) -> str:
    return change_of(event)
