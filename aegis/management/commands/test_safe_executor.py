"""Rehearse an order from its first word to its end, against the simulator only."""

from typing import Any

from django.core.management.base import CommandError
from requests import RequestException

from aegis.rehearsal.play import Rehearsal
from aegis.rehearsal.world import throwaway_world
from kis.client.errors import KisError
from kis.commands import OwnerCommand
from trading.errors import TradingError


class Command(OwnerCommand):
    help = (
        "주문을 처음부터 끝까지 연습합니다. 함께 든 시뮬레이터와 버릴 데이터베이스만 쓰며, 증권사와 내 장부, 이력, 주문 중지는 "
        "건드리지 않습니다."
    )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        self.stdout.write(
            "주문 연습: 시뮬레이터와 버릴 데이터베이스만 씁니다. 실제 증권사에는 연결하지 않습니다."
        )
        with throwaway_world() as world:
            rehearsal = Rehearsal(world, say=self.stdout.write)
            try:
                rehearsal.play()
            except (TradingError, KisError, RequestException, ValueError) as error:
                raise CommandError(f"연습이 실패했습니다. 실전 주문을 하지 마세요. {error}") from None
        self.stdout.write(
            f"\n연습을 마쳤습니다. {len(rehearsal.steps)}단계에서 확인 {rehearsal.checks}가지가 모두 맞습니다."
        )
