"""The first page: five cards and the blocks A to G, each made for itself so that one that fails leaves the others."""

from reports.overview.advice import diagnosis_block, findings_block
from reports.overview.cards import cash_card, profit_card, realised_card, today_card, total_card
from reports.overview.causes import causes_block
from reports.overview.composition import composition_block
from reports.overview.lists import fills_block, orders_block
from reports.overview.scene import Part, Scene, rendered
from reports.overview.trend import trend_block

__all__ = ["Part", "Scene", "blocks", "cards"]

LEFT, RIGHT, HALF, WIDE = 12.0, 109.0, 89.0, 186.0


def cards(scene: Scene) -> list[Part]:
    d = scene.d
    made = (
        (48.0, "총평가금액", rendered("card_total", scene, d.account, total_card)),
        (36.0, "오늘 손익", rendered("card_today", scene, d.today, today_card)),
        (37.0, "평가손익", rendered("card_profit", scene, d.account, profit_card)),
        (28.0, "실현손익", rendered("card_realised", scene, d.realised, realised_card)),
        (37.0, "예수금", rendered("card_cash", scene, d.account, cash_card)),
    )
    parts, left = [], LEFT
    for width, title, html in made:
        parts.append(Part("", title, html, left, width))
        left += width
    return parts


def blocks(scene: Scene) -> list[Part]:
    d, page, when = scene.d, scene.page, scene.when
    last = "다음 할 일" if d.is_empty else "AI 진단"
    return [
        Part("A", "자산 추이", rendered("trend", scene, d.trend, trend_block), LEFT, WIDE, page.trend_top),
        Part(
            "B",
            f"{when} 변동 원인",
            rendered("causes", scene, d.today, causes_block),
            LEFT,
            HALF,
            page.causes_top,
        ),
        Part(
            "C",
            "구성",
            rendered("composition", scene, d.composition, composition_block),
            RIGHT,
            HALF,
            page.causes_top,
        ),
        Part("D", f"{when} 체결", rendered("fills", scene, d.fills, fills_block), LEFT, HALF, page.lists_top),
        Part(
            "E", "미체결", rendered("orders", scene, d.open_orders, orders_block), RIGHT, HALF, page.lists_top
        ),
        Part("F", "점검", rendered("findings", scene, d.advice, findings_block), LEFT, HALF, page.advice_top),
        Part(
            "G", last, rendered("diagnosis", scene, d.advice, diagnosis_block), RIGHT, HALF, page.advice_top
        ),
    ]
