"""The transactions of the broker, from the one list of them, and who calls each."""

import ast
from collections import defaultdict
from typing import Final

from django.conf import settings

from aegis.architecture.source import modules
from kis.client.codes import TR, OrderTR
from kis.client.realtime_frames import FILLS_TR, PRICES_TR
from reports.system.document import Host, Transaction

#: What the owner calls them; one that is missing here shows the name of the code.
LABELS: Final = {
    "BALANCE": "주식 잔고",
    "BALANCE_REALISED": "실현손익이 있는 잔고",
    "ACCOUNT_ASSETS": "계좌 자산 현황",
    "DAILY_ORDERS": "일별 주문과 체결(석 달 안)",
    "OLD_ORDERS": "일별 주문과 체결(석 달 전)",
    "UNFILLED": "정정취소 가능 주문",
    "BUYING_POWER": "매수 가능",
    "SELLABLE": "매도 가능",
    "PERIOD_PROFIT": "기간별 손익 일별 합산",
    "TRADE_PROFIT": "기간별 매매손익",
    "PRICE": "현재가",
    "ORDER_BOOK": "호가와 예상 체결",
    "DAILY_CHART": "일봉",
    "TODAY_MINUTES": "당일 분봉",
    "PAST_MINUTES": "지난 날의 분봉",
    "MULTI_PRICE": "여러 종목 현재가",
    "INDEX_PRICE": "업종 지수 현재가",
    "INDEX_CHART": "업종 지수 일봉",
    "HOLIDAYS": "휴장일",
    "STOCK_INFO": "종목 기본정보",
    "BUY": "현금 매수",
    "SELL": "현금 매도",
    "AMEND_OR_CANCEL": "정정과 취소",
}
#: Who plays the broker, who knows the fields of every reply, and who reads this list.
NOT_CALLERS: Final = ("kis.simulator", "kis.client.wire_fields", "aegis.")


def transactions() -> tuple[Transaction, ...]:
    """Return inquiries, orders, and what is heard on the realtime feed."""
    callers = callers_of_transactions()
    rest = tuple(
        Transaction(
            name=tr.name,
            label=LABELS.get(tr.name, tr.name),
            path=tr.path,
            real=tr.value.real,
            paper=tr.value.paper,
            legacy=" / ".join(filter(None, (tr.value.real_legacy, tr.value.paper_legacy))),
            is_order=isinstance(tr, OrderTR),
            used_by=tuple(sorted(callers[tr.name])),
        )
        for tr in (*TR, *OrderTR)
    )
    heard = (
        Transaction("PRICES_TR", "실시간 체결가", "", PRICES_TR, PRICES_TR, "", is_order=False, used_by=()),
        Transaction(
            "FILLS_TR",
            "실시간 체결통보",
            "",
            FILLS_TR["real"],
            FILLS_TR["paper"],
            "",
            is_order=False,
            used_by=(),
        ),
    )
    return (*rest, *heard)


def callers_of_transactions() -> defaultdict[str, set[str]]:
    """Return the modules that name each transaction as `TR.NAME` or `OrderTR.NAME`, without the simulator's."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module in modules():
        if module.name.startswith(NOT_CALLERS):
            continue
        for node in module.nodes:
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in {"TR", "OrderTR"}
            ):
                found[node.attr].add(module.name)
    return found


def hosts() -> tuple[Host, ...]:
    """Return the hosts as they are set; the simulator takes their place in demo mode."""
    real, paper = settings.KIS_ACCOUNTS["real"], settings.KIS_ACCOUNTS["paper"]
    return (
        Host("실전", real["base_url"], real["ws_url"]),
        Host("모의", paper["base_url"], paper["ws_url"]),
    )
