"""Show the balance of the paper account and what it traded today."""

from kis.balance_report import BalanceCommand


class Command(BalanceCommand):
    help = "모의 계좌의 잔고와 오늘 체결을 증권사에서 바로 보여 줍니다."
    mode = "paper"
