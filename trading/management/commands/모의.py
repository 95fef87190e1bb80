"""Inquiries and orders of the paper account, in Korean."""

from trading.order_command import OrderCommand


class Command(OrderCommand):
    help = OrderCommand.help_of("모의")
    mode = "paper"
    name = "모의"
