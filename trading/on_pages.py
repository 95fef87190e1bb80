"""Sentences of the terminal as the pages and the API say them: a page where there is one, else what takes a terminal, and whose."""

from collections.abc import Mapping
from typing import Final

#: Who does what no page does, and where.
ADMINISTRATOR: Final = "사이트 관리자가 사이트가 있는 기기의 터미널에서"
#: What the terminal tells its reader to do, and what somebody in a browser can do instead.
INSTEAD: Final[Mapping[str, str]] = {
    "manage.py kill_switch status로 확인해 주세요.": "관리 화면의 ‘주문 중지’에서 확인해 주세요.",
    "까닭을 확인한 뒤 manage.py kill_switch off로 꺼 주세요.": "까닭과 끄는 방법은 관리 화면의 ‘주문 중지’에 있습니다.",
    "결과를 모르는 주문이 있는지 확인하지 못했습니다. manage.py reconcile_orders를 실행해 주세요.": (
        "결과를 모르는 주문이 있는지 확인하지 못했습니다. 주문 목록을 확인한 뒤 다시 시도해 주세요."
    ),
    "같은 주문을 다시 내지 말고 manage.py reconcile_orders를 실행해 주세요.": (
        "같은 주문을 다시 내지 말고, 주문 목록에서 그 주문을 열어 ‘증권사에 확인’을 눌러 주세요."
    ),
    "먼저 확인해 주세요: manage.py reconcile_orders": (
        "먼저 주문 목록에서 그 주문을 열어 ‘증권사에 확인’을 눌러 주세요."
    ),
    "manage.py reconcile_orders로 확인해 주세요.": "‘다시 확인’을 눌러 주세요.",
    "먼저 정해 주세요: manage.py set_trading_password": f"{ADMINISTRATOR} 정합니다: manage.py set_trading_password",
    ".env에 REAL_TRADING_ENABLED=true를 넣으세요.": "사이트 관리자가 .env에 REAL_TRADING_ENABLED=true를 적어야 켜집니다.",
}


def on_pages(sentence: str) -> str:
    """Return what somebody in a browser is told where the terminal says this."""
    for at_terminal, instead in INSTEAD.items():
        sentence = sentence.replace(at_terminal, instead)
    return sentence
