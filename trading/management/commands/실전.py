"""Inquiries and orders of the real account, in Korean."""

from trading.order_command import OrderCommand


class Command(OrderCommand):
    help = OrderCommand.help_of("실전")
    mode = "real"
    name = "실전"
