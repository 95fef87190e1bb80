"""Who is asked for a diagnosis, whether the model is still there, and how the last one went."""

from django.conf import settings
from django.utils import timezone

from aegis.health.case import Case, Result, fine, problem, warning
from ai.asking import moment, tokens_of_day
from ai.models import Diagnosis
from ai.providers import Failure, ProviderFailed
from ai.providers.configured import provider
from ai.providers.gemini import ALIAS
from ai.providers.looking_up import look_up
from kis.korean import number

LOOK_UP_SECONDS = 5.0
TOLD = {"percent": "비중과 수익률만 알립니다", "full": "원과 수량까지 알립니다"}


def advisor(_case: Case) -> Result:
    """Look the model up; a diagnosis is never needed, so that only a refused key is a problem."""
    if not settings.GEMINI_API_KEY:
        return warning(
            "GEMINI_API_KEY가 없어 규칙으로만 점검합니다.",
            "AI 진단을 받으려면 .env에 GEMINI_API_KEY를 넣어 주세요. 없어도 나머지는 그대로입니다.",
        )
    gemini = provider()
    try:
        look_up(gemini, seconds=LOOK_UP_SECONDS)
    except ProviderFailed as failed:
        return explain(failed, model=gemini.model)
    last = Diagnosis.objects.asked().defer("request_json", "raw_json").order_by("-asked_at").first()
    if last is not None and last.status == Diagnosis.Status.FAILED and last.asked_at:
        return warning(
            f"{moment(last.asked_at)}의 마지막 진단을 받지 못했습니다: {last.note}",
            "다시 해 보기: manage.py diagnose",
        )
    spent, most = tokens_of_day(timezone.now()), settings.AI_DAILY_TOKENS
    return fine(
        f"{settings.AI_PROVIDER}로 {gemini.model}에 묻습니다. {TOLD[settings.AI_PRIVACY]}. "
        f"오늘 쓴 토큰 {number(spent)} / {number(most)}개."
    )


def explain(failed: ProviderFailed, *, model: str) -> Result:
    if failed.kind is Failure.UNKNOWN_MODEL and model != ALIAS:
        return warning(
            f"{model} 모델은 더 이상 제공되지 않습니다(404). 대신 {ALIAS}에 묻습니다.",
            f".env에서 GEMINI_MODEL을 지우거나 {ALIAS}로 바꿔 주세요.",
        )
    if failed.kind in {Failure.REFUSED_KEY, Failure.NOT_CONFIGURED}:
        return problem(failed.reason, "Google AI Studio에서 키를 다시 복사해 .env에 넣거나 지워 주세요.")
    return warning(
        f"{failed.reason} 그동안 규칙으로만 점검합니다.", "잠시 후 다시 확인해 주세요: manage.py doctor"
    )
