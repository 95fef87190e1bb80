"""Who asks a model about a snapshot, and whether it may be asked now: once, not too often, within budget and time."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Sum

from ai.models import Diagnosis, HoldingNote, Reason
from ai.payload import Payload, tokens_at_most, written
from ai.providers import Failure, Provider, ProviderFailed, Purpose, Reply
from ai.providers.configured import provider as configured_provider
from ai.records import stored_point
from ai.replies import Checked, check_reply
from kis.korean import SEOUL, number
from kis.models import Stock

logger = logging.getLogger(__name__)

#: Whoever says nothing for so long after the time of an answer is over has died.
GRACE: Final = timedelta(minutes=1)
#: A usual answer, with what a model thinks before it; the budget reckons with it until the real figure is known.
ANSWER_TOKENS: Final = 3_000
#: What the caller waits beyond the deadline that the provider keeps by itself.
SLACK_SECONDS: Final = 0.5

NO_KEY: Final = "AI 키(GEMINI_API_KEY)가 없어 규칙으로만 살폈습니다."
STALE: Final = "자료가 오래되어 AI에 묻지 않았습니다."
UNGROUNDED: Final = "AI의 답에서 자료와 맞는 문장이 없어 규칙의 글을 씁니다."
UNEXPECTED: Final = "AI에 묻다가 예상하지 못한 오류가 났습니다."

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a model is not asked now; `note` is a sentence for the owner."""

    reason: Reason
    note: str


def purpose_of(payload: Payload) -> Purpose:
    return Purpose.HOLDING if payload.focus else Purpose.PORTFOLIO


def tokens_to_ask(provider: Provider, payload: Payload) -> int:
    """Return at most how many tokens a question and its answer will take."""
    request = provider.request_json(payload.as_json(), purpose=purpose_of(payload))
    return tokens_at_most(written(request)) + ANSWER_TOKENS


def reason_not_to_ask(diagnosis: Diagnosis, *, tokens: int, at: datetime, by_hand: bool) -> Refusal | None:
    """Return why a model should not be asked for this diagnosis now. The owner's own hand may ask again at once."""
    mine = Diagnosis.objects.of(diagnosis.account, is_paper=diagnosis.is_paper)
    same = mine.complete().filter(content_hash=diagnosis.content_hash).newest_first().first()
    if same is not None:
        return Refusal(Reason.SAME, f"{moment(same.written_at)} 진단 뒤로 달라진 것이 없어 그 글을 씁니다.")
    if not by_hand:
        waiting = Diagnosis.objects.filter(status=Diagnosis.Status.FAILED, wait_until__gt=at)
        if until := waiting.order_by("-wait_until").values_list("wait_until", flat=True).first():
            return Refusal(Reason.TOO_SOON, f"AI가 {moment(until)}까지 기다려 달라고 했습니다.")
        since = at - timedelta(minutes=settings.AI_INTERVAL_MINUTES)
        last = mine.asked().filter(focus=diagnosis.focus, asked_at__gt=since, asked_at__lte=at)
        if asked_at := last.order_by("-asked_at").values_list("asked_at", flat=True).first():
            return Refusal(
                Reason.TOO_SOON,
                f"{moment(asked_at)}에 물었고 {settings.AI_INTERVAL_MINUTES}분마다 한 번만 묻습니다.",
            )
    spent = tokens_of_day(at)
    if spent + tokens > settings.AI_DAILY_TOKENS:
        return Refusal(
            Reason.BUDGET,
            f"오늘 AI 토큰 {number(spent)}개를 썼습니다. 하루 한도는 {number(settings.AI_DAILY_TOKENS)}개입니다.",
        )
    return None


def tokens_of_day(at: datetime) -> int:
    """Return the tokens of a day in Seoul, of all accounts, with estimates for what is being asked."""
    midnight = datetime.combine(at.astimezone(SEOUL).date(), time(), SEOUL)
    asked = Diagnosis.objects.filter(asked_at__gte=midnight, asked_at__lt=midnight + timedelta(days=1))
    return asked.aggregate(total=Sum(F("tokens_in") + F("tokens_out")))["total"] or 0


def claim(diagnosis: Diagnosis, *, tokens: int, at: datetime) -> bool:
    """Make the diagnosis ours to ask for; false where somebody else has been faster or is still at it."""
    seen = Q(status=diagnosis.status, asked_at=diagnosis.asked_at)
    if diagnosis.asked_at is None:
        seen = Q(status=diagnosis.status, asked_at__isnull=True)
    if diagnosis.status == Diagnosis.Status.RUNNING:
        seen &= Q(wait_until__lte=at)  # whoever asked has died
    elif diagnosis.status == Diagnosis.Status.COMPLETE:
        return False
    columns = {
        "status": Diagnosis.Status.RUNNING,
        "asked_at": at,
        "wait_until": at + timedelta(seconds=settings.AI_TIMEOUT_SECONDS) + GRACE,
        "tokens_in": tokens,
        "tokens_out": 0,
        "reason": "",
        "note": "",
    }
    if Diagnosis.objects.filter(seen, pk=diagnosis.pk).update(**columns) != 1:
        return False
    for name, value in columns.items():
        setattr(diagnosis, name, value)
    return True


def ask(diagnosis: Diagnosis, payload: Payload, *, provider: Provider, at: datetime) -> None:
    """Ask for a claimed diagnosis and write down what came of it. Never raises because of model, network or answer."""
    purpose, question = purpose_of(payload), payload.as_json()
    seconds = settings.AI_TIMEOUT_SECONDS
    request = provider.request_json(question, purpose=purpose)
    reply: Reply | None = None
    try:
        reply = within(
            seconds + SLACK_SECONDS,
            lambda: provider.ask(question, purpose=purpose, timeout_seconds=seconds),
        )
        checked = check_reply(reply.text, payload, listed=listed_names())
    except ProviderFailed as failed:
        fail(diagnosis, failed, reply=reply, request=request, provider=provider, at=at)
    except Exception as error:  # noqa: BLE001  # whatever it is, the page is made without the model
        # Its text may repeat the question; the name of its class is enough to look for it.
        logger.error("A model could not be asked: %s", type(error).__name__)  # noqa: TRY400
        unexpected = ProviderFailed(UNEXPECTED, Failure.UNEXPECTED)
        fail(diagnosis, unexpected, reply=reply, request=request, provider=provider, at=at)
    else:
        keep(diagnosis, reply, checked, payload=payload, provider=provider)


def listed_names() -> frozenset[str]:
    """Return what the stocks of the market are called, so that a model cannot bring in one that is not held."""
    return frozenset(Stock.objects.values_list("name", flat=True))


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what a piece of work returns, or raise ProviderFailed when the time is over; nobody waits for it any longer.

    It touches no database, so that it may go on in its thread until its own deadline ends it.
    """
    done: SimpleQueue[tuple[Result | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits
            done.put((None, error))

    Thread(target=run, name="ai", daemon=True).start()
    try:
        result, error = done.get(timeout=seconds)
    except Empty:
        raise ProviderFailed(f"AI가 {seconds:.0f}초 안에 답하지 않았습니다.", Failure.TIMEOUT) from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # no error, so it is one


def keep(
    diagnosis: Diagnosis, reply: Reply, checked: Checked, *, payload: Payload, provider: Provider
) -> None:
    """Write down an answer; one without a sentence that holds is kept for the record only."""
    said = bool(checked.points)
    notes = [*([reply.note] if reply.note else []), *([] if said else [UNGROUNDED])]
    columns: dict[str, Any] = {
        "status": Diagnosis.Status.COMPLETE if said else Diagnosis.Status.FAILED,
        "reason": "" if said else Reason.UNGROUNDED,
        "note": " ".join(notes),
        "points": [stored_point(point) for point in checked.points],
        "provider": provider.name,
        "model": reply.model,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "checked": checked.checked,
        "dropped": checked.dropped,
        "request_json": dict(reply.request_json),
        "raw_json": dict(reply.raw_json),
    }
    with transaction.atomic():
        if end(diagnosis, columns) and said:
            HoldingNote.objects.bulk_create(
                HoldingNote(
                    diagnosis=diagnosis, stock_code=code, stock_name=payload.stocks.get(code, code), text=text
                )
                for code, text in checked.holdings.items()
            )


def fail(
    diagnosis: Diagnosis,
    failed: ProviderFailed,
    *,
    reply: Reply | None,
    request: Any,  # noqa: ANN401  # JSON
    provider: Provider,
    at: datetime,
) -> None:
    """Write down a failure; an answer that could not be used has cost its tokens all the same."""
    end(
        diagnosis,
        {
            "status": Diagnosis.Status.FAILED,
            "reason": failed.kind.value,
            "note": failed.reason,
            "provider": provider.name,
            "model": reply.model if reply else "",
            "tokens_in": reply.tokens_in if reply else failed.tokens,
            "tokens_out": reply.tokens_out if reply else 0,
            "wait_until": at + timedelta(seconds=failed.retry_after) if failed.retry_after else None,
            "request_json": dict(request),
            "raw_json": dict(reply.raw_json) if reply else failed.raw,
        },
    )


def end(diagnosis: Diagnosis, columns: dict[str, Any]) -> bool:
    """Write how it ended; false, and nothing written, where somebody has taken it over."""
    columns = {"wait_until": None, **columns}
    mine = Diagnosis.objects.filter(
        pk=diagnosis.pk, status=Diagnosis.Status.RUNNING, asked_at=diagnosis.asked_at
    )
    ended = mine.update(**columns) == 1
    if ended:
        for name, value in columns.items():
            setattr(diagnosis, name, value)
    return ended


def moment(at: datetime) -> str:
    return f"{at.astimezone(SEOUL):%m-%d %H:%M}"


def provider_of_settings() -> Provider | None:
    """Return who can be asked, None without a key."""
    return configured_provider() if settings.GEMINI_API_KEY else None
