"""Look at a position and say what is worth the owner's attention, in the model's words where they still hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from ai import asking
from ai.asking import NO_KEY, STALE, Refusal, moment
from ai.limits import Limits
from ai.models import Diagnosis, Reason
from ai.payload import Payload, Privacy, payload_of
from ai.providers import Provider
from ai.records import read_points, stored_finding, stored_weights
from ai.rules import OF_THE_MOMENT, Examination, examine
from kis.advice import Advice, Finding, Point, Source
from kis.korean import number
from kis.models import KisAccount
from kis.position import Position, position_of

#: The page has room for so many.
MOST_POINTS: Final = 5
ALL_QUIET: Final = "살펴본 규칙 가운데 한도나 기준을 넘은 것이 없습니다."
NOT_YET: Final = "이 자료의 AI 진단이 아직 없어 규칙의 글을 싣습니다."
OLD: Final = "자료가 오래되어 AI 진단을 싣지 않고 규칙의 글을 싣습니다."
RUNNING: Final = "AI에 묻고 있습니다. 그동안 규칙의 글을 싣습니다."


def advise(position: Position, *, at: datetime) -> Advice:
    """Return the findings of the rules, and the words of the last diagnosis of this position while they still hold.

    Words hold as long as nothing that was told to the model has changed. Asks nobody, and takes two or three queries.
    """
    limits: Limits = settings.AI_LIMITS
    seen = examine(position, at=at, limits=limits)
    words = words_about(position, seen)
    return Advice(
        findings=seen.findings,
        passed=seen.passed,
        unjudged=seen.unjudged,
        points=words.points or points_of(seen.findings),
        source=Source.MODEL if words.points else Source.RULES,
        note=words.note,
        model=words.model,
        written_at=words.written_at,
        checked=words.checked,
        dropped=words.dropped,
        stock_limit=limits.stock,
        sector_limit=limits.sector,
        holdings=words.holdings,
    )


@dataclass(frozen=True, slots=True)
class Words:
    """What a model has said about a position, or in `note` why nothing of it is shown."""

    note: str
    points: tuple[Point, ...] = ()
    model: str = ""
    written_at: datetime | None = None
    checked: int = 0
    dropped: int = 0
    holdings: Mapping[str, str] = field(default_factory=dict)


def words_about(position: Position, seen: Examination) -> Words:
    if is_stale(seen):
        return Words(OLD)
    account = position.account
    mine = Diagnosis.objects.of(account.account, is_paper=account.is_paper).defer("request_json", "raw_json")
    found = (
        mine.complete()
        .filter(content_hash=told(position, seen).content_hash(), focus="")
        .newest_first()
        .prefetch_related("notes")
        .first()
    )
    if found is not None:
        notes = [found.note] if found.note else []
        notes += [f"자료와 맞지 않는 문장 {found.dropped}개를 뺐습니다."] if found.dropped else []
        return Words(
            note=" ".join(notes),
            points=read_points(found.points),
            model=found.model,
            written_at=found.asked_at,
            checked=found.checked,
            dropped=found.dropped,
            holdings={note.stock_code: note.text for note in found.notes.all()},
        )
    return Words(reason_for_silence(account, mine.filter(focus="").newest_first().first()))


def reason_for_silence(account: KisAccount, last: Diagnosis | None) -> str:
    """Say why there are no words of a model about this snapshot; `last` is the newest diagnosis of its account."""
    if not settings.GEMINI_API_KEY:
        return NO_KEY
    if last is None:
        return NOT_YET
    if last.kis_account_id == account.pk:
        return RUNNING if last.status == Diagnosis.Status.RUNNING else last.note or NOT_YET
    if last.is_complete:
        return f"{moment(last.written_at)} 진단 뒤로 값이 달라져 규칙의 글을 싣습니다."
    return NOT_YET


def points_of(findings: Sequence[Finding]) -> tuple[Point, ...]:
    """Return what the rules say in words of their own, the most urgent first."""
    if not findings:
        return (Point(ALL_QUIET),)
    return tuple(
        Point(finding.sentence, (f"F{place}",))
        for place, finding in enumerate(findings[:MOST_POINTS], start=1)
    )


def told(position: Position, seen: Examination, *, focus: str = "") -> Payload:
    """Return what a model is told of a position, as the owner allows."""
    return payload_of(position, seen.lasting, privacy=Privacy(settings.AI_PRIVACY), focus=focus)


def is_stale(seen: Examination) -> bool:
    return any(finding.rule in OF_THE_MOMENT for finding in seen.findings)


# --- asking ------------------------------------------------------------------------------------------------------------


def diagnose(
    position: Position,
    *,
    at: datetime,
    focus: str = "",
    by_hand: bool = False,
    provider: Provider | None = None,
) -> Diagnosis:
    """Write down what the rules say about a saved snapshot, and what a model makes of it if it may be asked.

    The rules' part is written whatever becomes of the model, which is asked outside of any transaction, once for a snapshot
    and its content, and for at most AI_TIMEOUT_SECONDS. `focus` asks about one stock, `by_hand` again before its time.
    """
    seen = examine(position, at=at, limits=settings.AI_LIMITS)
    payload = told(position, seen, focus=focus)
    diagnosis = opened(position, payload, seen, at=at)
    if diagnosis.is_complete:
        return diagnosis
    provider = provider or asking.provider_of_settings()
    if provider is None:
        return unasked(diagnosis, Refusal(Reason.NO_KEY, NO_KEY))
    if is_stale(seen):
        return unasked(diagnosis, Refusal(Reason.STALE, STALE))
    tokens = asking.tokens_to_ask(provider, payload)
    refusal = asking.reason_not_to_ask(diagnosis, tokens=tokens, at=at, by_hand=by_hand)
    if refusal is not None:
        return unasked(diagnosis, refusal)
    if not asking.claim(diagnosis, tokens=tokens, at=at):
        diagnosis.refresh_from_db()
        return diagnosis
    asking.ask(diagnosis, payload, provider=provider, at=at)
    return diagnosis


def opened(position: Position, payload: Payload, seen: Examination, *, at: datetime) -> Diagnosis:
    """Return the diagnosis of this snapshot and content, made if there is none; of two who make it one wins."""
    account = position.account
    with transaction.atomic():
        diagnosis, _ = Diagnosis.objects.get_or_create(
            kis_account=account,
            content_hash=payload.content_hash(),
            defaults={
                "account_no": account.account_no,
                "product_code": account.product_code,
                "is_paper": account.is_paper,
                "focus": payload.focus,
                "written_at": at,
                "findings": [stored_finding(finding) for finding in seen.findings],
                "weights": stored_weights(position),
            },
        )
    return diagnosis


def unasked(diagnosis: Diagnosis, refusal: Refusal) -> Diagnosis:
    """Note why nobody was asked; a failure keeps its own words, which say more."""
    rules = Diagnosis.Status.RULES
    changed = Diagnosis.objects.filter(pk=diagnosis.pk, status=rules).update(
        reason=refusal.reason, note=refusal.note
    )
    if changed:
        diagnosis.reason, diagnosis.note = refusal.reason, refusal.note
    else:
        diagnosis.refresh_from_db()
    return diagnosis


def diagnose_snapshot(account: KisAccount, *, at: datetime) -> str:
    """Write about a fresh snapshot (kis.advice.Diagnoser); says something only where a model was asked."""
    diagnosis = diagnose(position_of(account), at=at)
    return told_of(diagnosis) if diagnosis.asked_at == at else ""


def told_of(diagnosis: Diagnosis) -> str:
    """Say in one line what came of it."""
    if diagnosis.is_complete:
        left_out = f", 뺀 문장 {diagnosis.dropped}" if diagnosis.dropped else ""
        words = f"AI 진단 완료: {diagnosis.model}, 토큰 {number(diagnosis.tokens)}{left_out}"
        return f"{words}. {diagnosis.note}" if diagnosis.note else words
    if diagnosis.status == Diagnosis.Status.RUNNING:
        return "다른 프로세스가 이 자료를 AI에 묻고 있습니다."
    return f"AI 진단 없음: {diagnosis.note}"
