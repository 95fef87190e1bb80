"""What is written about a snapshot, when a model is asked for it, and what the pages get to see."""

import logging
import threading
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ai import asking
from ai.answers import read_answer
from ai.diagnosis import advise, diagnose, diagnose_snapshot
from ai.models import REASONS, Diagnosis, HoldingNote, Reason
from ai.providers import Failure, ProviderFailed, Purpose
from ai.replies import Checked
from kis import advice as words
from kis.advice import Point, Source
from kis.models import KisHolding, SyncRun
from kis.position import position_of
from kis.retention import prune
from tests.ai.models_asked import Model, answer
from tests.factories import AT, Stock, snapshot, sync_run

pytestmark = pytest.mark.django_db
SAMSUNG = Stock(price=60_000, average=60_389.0, quantity=670)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def configured(settings, monkeypatch):
    """Have a key, and believe what a model says: what is left out is another test's subject."""
    settings.GEMINI_API_KEY = "a-key-of-the-owner"
    settings.AI_INTERVAL_MINUTES = 25
    settings.AI_DAILY_TOKENS = 1_000_000
    settings.AI_TIMEOUT_SECONDS = 30

    def believe(text, payload, *, listed):
        said = read_answer(text)
        return Checked(
            points=tuple(Point(one.text, one.about) for one in said.points),
            holdings={one.about[0]: one.text for one in said.holdings if one.about[0] in payload.stocks},
            checked=3,
            dropped=sum(one.text.startswith("틀린") for one in said.points),
        )

    monkeypatch.setattr(asking, "check_reply", believe)


def taken(minutes=0, *, price=60_000, **changes):
    """Return the position of a snapshot taken so many minutes after two o'clock twenty."""
    stock = Stock(price=price, average=60_389.0, quantity=670)
    return position_of(
        snapshot([stock], at=AT + minutes * MINUTE, cash=50_000_000, with_closes=False, **changes)
    )


def at(minutes=0):
    return AT + minutes * MINUTE


# --- what the pages get ------------------------------------------------------------------------------------------------


def test_words_of_the_model_reach_the_page():
    scene, model = taken(), Model(note="모델을 바꿔 물었습니다.")
    diagnosis = diagnose(scene, at=at(), provider=model)
    said = advise(scene, at=at(1))
    assert said.points == (
        Point("삼성전자의 비중이 큽니다.", ("F1",)),
        Point("현금은 넉넉합니다."),
    )
    assert (said.source, said.model, said.written_at) == (Source.MODEL, "gemini-2.5-flash", at())
    assert (said.checked, said.dropped, said.note) == (3, 0, "모델을 바꿔 물었습니다.")
    assert said.holdings == {"005930": "오늘은 내렸습니다."}
    assert diagnosis.is_complete
    assert diagnosis.tokens == 1_500


def test_everything_said_is_kept_beside_the_snapshot():
    scene, model = taken(), Model()
    diagnose(scene, at=at(), provider=model)
    kept = Diagnosis.objects.get()
    assert kept.kis_account == scene.account
    assert kept.raw_json == {"candidates": [answer()]}
    assert kept.request_json["purpose"] == "portfolio"
    assert [row["code"] for row in kept.weights] == ["005930", "CASH"]
    assert sum(row["weight_pct"] for row in kept.weights) == pytest.approx(100)
    assert [note.as_dict() for note in HoldingNote.objects.all()] == [
        {"code": "005930", "name": "삼성전자", "text": "오늘은 내렸습니다."}
    ]


def test_sentences_left_out_are_told():
    scene = taken()
    diagnose(scene, at=at(), provider=Model(answer([*[{"text": "틀린 말", "refs": []}] * 2])))
    assert advise(scene, at=at()).note == "자료와 맞지 않는 문장 2개를 뺐습니다."


def test_words_about_other_numbers_are_not_shown():
    diagnose(taken(), at=at(), provider=Model())
    said = advise(taken(10, price=60_100), at=at(10))
    assert said.source is Source.RULES
    assert said.note == "06-16 14:20 진단 뒤로 값이 달라져 규칙의 글을 싣습니다."
    assert said.points[0].text.endswith("습니다.")
    assert said.model == ""


def test_words_hold_as_long_as_nothing_changes():
    model = Model()
    diagnose(taken(), at=at(), provider=model)
    later = taken(60)
    assert advise(later, at=at(60)).source is Source.MODEL
    diagnosis = diagnose(later, at=at(60), provider=model)
    assert len(model.asked) == 1
    assert (diagnosis.status, diagnosis.reason) == ("rules", Reason.SAME)
    assert advise(later, at=at(60)).source is Source.MODEL


def test_words_straight_from_the_broker_hold_too():
    """The report of ten minutes looks at rows that were never saved."""
    saved = taken()
    diagnose(saved, at=at(), provider=Model())
    account = saved.account
    account.pk = None
    unsaved = position_of(account, holdings=list(KisHolding.objects.all()), unfilled=[], executions=[])
    assert advise(unsaved, at=at(3)).source is Source.MODEL


def test_stale_data_gets_no_words():
    scene = taken()
    diagnose(scene, at=at(), provider=Model())
    said = advise(scene, at=at(31))
    assert said.findings[0].rule == "stale"
    assert said.note == "자료가 오래되어 AI 진단을 싣지 않고 규칙의 글을 싣습니다."
    assert said.points[0] == Point(said.findings[0].sentence, ("F1",))


def test_account_of_somebody_else_has_its_own_words():
    diagnose(taken(), at=at(), provider=Model())
    assert advise(taken(account_no="87654321"), at=at()).source is Source.RULES
    assert advise(taken(product_code="22"), at=at()).source is Source.RULES


def test_without_trouble_the_rules_say_so():
    calm = snapshot([Stock(quantity=100)], cash=50_000_000, with_closes=False)
    said = advise(position_of(calm), at=at())
    assert said.findings == ()
    assert said.points == (Point("살펴본 규칙 가운데 한도나 기준을 넘은 것이 없습니다."),)


def test_limits_of_the_composition_are_the_owners(settings):
    said = advise(taken(), at=at())
    assert (said.stock_limit, said.sector_limit) == (settings.AI_LIMITS.stock, settings.AI_LIMITS.sector)


def test_advice_takes_the_same_queries_whatever_there_is():
    def queries():
        with CaptureQueriesContext(connection) as captured:
            advise(scene, at=at())
        return len(captured)

    scene = taken()
    assert queries() == 2  # by content, and the last one
    diagnose(scene, at=at(), provider=Model())
    assert queries() == 2  # by content, and its notes


# --- whether a model is asked ------------------------------------------------------------------------------------------


def test_without_a_key_the_rules_are_written_down(settings):
    settings.GEMINI_API_KEY = ""
    scene = taken()
    diagnosis = diagnose(scene, at=at())
    assert (diagnosis.status, diagnosis.reason, diagnosis.asked_at) == ("rules", Reason.NO_KEY, None)
    assert diagnosis.weights
    note = "AI 키(GEMINI_API_KEY)가 없어 규칙으로만 살폈습니다."
    assert diagnosis.note == note
    assert advise(scene, at=at()).note == note
    assert diagnose_snapshot(scene.account, at=at()) == ""


def test_one_snapshot_is_asked_about_once():
    scene, model = taken(), Model()
    first, again = (diagnose(scene, at=at(minutes), provider=model, by_hand=True) for minutes in (0, 1))
    assert first == again
    assert len(model.asked) == 1


def test_stale_snapshot_is_not_asked_about():
    model = Model()
    diagnosis = diagnose(taken(), at=at(40), provider=model)
    assert diagnosis.reason == Reason.STALE
    assert model.asked == []


@pytest.mark.parametrize(("minutes", "count"), [(24, 1), (25, 2)])
def test_model_is_asked_at_most_every_so_many_minutes(minutes, count):
    model = Model()
    diagnose(taken(), at=at(), provider=model)
    diagnosis = diagnose(taken(minutes, price=60_100), at=at(minutes), provider=model)
    assert len(model.asked) == count
    if count == 1:
        assert diagnosis.note == "06-16 14:20에 물었고 25분마다 한 번만 묻습니다."
        assert advise(position_of(diagnosis.kis_account), at=at(minutes)).note == diagnosis.note


def test_interval_is_each_accounts_own():
    model = Model()
    diagnose(taken(), at=at(), provider=model)
    diagnose(taken(account_no="87654321"), at=at(), provider=model)
    assert len(model.asked) == 2


def test_owner_may_ask_before_the_time():
    model = Model()
    diagnose(taken(), at=at(), provider=model)
    diagnose(taken(5, price=60_100), at=at(5), provider=model, by_hand=True)
    assert len(model.asked) == 2


def test_failure_counts_for_the_interval_too():
    model = Model(ProviderFailed("한도를 넘었습니다.", Failure.RATE_LIMITED))
    diagnose(taken(), at=at(), provider=model)
    scene = taken(10, price=60_100)
    assert diagnose(scene, at=at(10), provider=model).reason == Reason.TOO_SOON
    assert len(model.asked) == 1


def test_failed_snapshot_is_asked_about_again_in_its_time():
    scene, model = taken(), Model(ProviderFailed("한도를 넘었습니다.", Failure.RATE_LIMITED))
    diagnose(scene, at=at(), provider=model)
    model.says = answer()
    assert diagnose(scene, at=at(10), provider=model).note == "한도를 넘었습니다."
    assert diagnose(scene, at=at(25), provider=model).is_complete
    assert Diagnosis.objects.count() == 1


def test_everybody_waits_as_long_as_the_model_asks_for():
    model = Model(ProviderFailed("한도를 넘었습니다.", Failure.RATE_LIMITED, retry_after=3600))
    diagnose(taken(), at=at(), provider=model)
    other = taken(30, account_no="87654321")
    assert diagnose(other, at=at(30), provider=model).note == "AI가 06-16 15:20까지 기다려 달라고 했습니다."
    diagnose(taken(60, account_no="87654321", price=60_100), at=at(60), provider=model)
    assert len(model.asked) == 2


def test_tokens_of_a_day_have_a_limit(settings):
    model = Model(tokens=(2_000, 500))
    diagnose(taken(), at=at(), provider=model)
    scene = taken(30, price=60_100)
    needed = asking.tokens_to_ask(model, asking_payload(scene))
    settings.AI_DAILY_TOKENS = 2_500 + needed - 1
    diagnosis = diagnose(scene, at=at(30), provider=model)
    assert diagnosis.reason == Reason.BUDGET
    assert diagnosis.note == (
        f"오늘 AI 토큰 2,500개를 썼습니다. 하루 한도는 {settings.AI_DAILY_TOKENS:,}개입니다."
    )
    settings.AI_DAILY_TOKENS += 1
    assert diagnose(scene, at=at(30), provider=model).is_complete


def asking_payload(scene, minutes=30):
    from ai.diagnosis import told  # noqa: PLC0415  # only here
    from ai.limits import Limits  # noqa: PLC0415
    from ai.rules import examine  # noqa: PLC0415

    return told(scene, examine(scene, at=at(minutes), limits=Limits()))


def test_tokens_of_yesterday_and_of_other_accounts():
    for minutes, columns in ((0, {}), (1, {"account_no": "87654321"}), (-24 * 60, {"product_code": "22"})):
        diagnose(taken(minutes, **columns), at=at(minutes), provider=Model(tokens=(100, 1)))
    assert asking.tokens_of_day(at()) == 202


def test_what_is_being_asked_counts_as_much_as_it_may_take():
    scene, counted = taken(), []

    def look_at_the_budget():
        counted.append(asking.tokens_of_day(at()))
        return Checked(points=(Point("말"),))

    model = Model()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asking, "check_reply", lambda *_, **__: look_at_the_budget())
        diagnose(scene, at=at(), provider=model)
    assert counted == [asking.tokens_to_ask(model, asking_payload(scene, minutes=0))]
    assert counted[0] > 3_000
    assert asking.tokens_of_day(at()) == 1_500


# --- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Failure))
def test_failure_of_the_model_leaves_the_rules_and_says_why(kind):
    scene = taken()
    failed = ProviderFailed("그런 까닭입니다.", kind, raw={"error": {"code": 1}}, tokens=40)
    diagnosis = diagnose(scene, at=at(), provider=Model(failed))
    assert (diagnosis.status, diagnosis.reason, diagnosis.tokens) == ("failed", kind.value, 40)
    assert diagnosis.raw_json == {"error": {"code": 1}}
    said = advise(scene, at=at(1))
    assert (said.source, said.note) == (Source.RULES, "그런 까닭입니다.")
    assert said.points[0] == Point(said.findings[0].sentence, ("F1",))
    assert diagnosis.reason_text != kind.value


def test_every_reason_has_a_word():
    assert set(REASONS) == {*Reason, *Failure}


def test_whatever_else_breaks_stays_with_the_model(caplog):
    scene = taken()
    with caplog.at_level(logging.ERROR):
        diagnosis = diagnose(scene, at=at(), provider=Model(RuntimeError("a-key-of-the-owner 12345678")))
    assert (diagnosis.status, diagnosis.reason) == ("failed", Failure.UNEXPECTED)
    assert "RuntimeError" in caplog.text
    assert "a-key" not in caplog.text + diagnosis.note
    assert "12345678" not in caplog.text + diagnosis.note


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (ProviderFailed("형식이 다릅니다.", Failure.WRONG_SHAPE), Failure.WRONG_SHAPE),
        (ZeroDivisionError("boom"), Failure.UNEXPECTED),
    ],
)
def test_answer_that_cannot_be_used_has_cost_its_tokens(monkeypatch, trouble, reason):
    def cannot(*_arguments, **_more):
        raise trouble

    monkeypatch.setattr(asking, "check_reply", cannot)
    diagnosis = diagnose(taken(), at=at(), provider=Model())
    assert (diagnosis.status, diagnosis.reason, diagnosis.tokens) == ("failed", reason, 1_500)
    assert diagnosis.raw_json == {"candidates": [answer()]}


def test_answer_without_a_sentence_that_holds_is_none():
    scene = taken()
    diagnosis = diagnose(scene, at=at(), provider=Model(answer([], [])))
    assert (diagnosis.status, diagnosis.reason) == ("failed", Reason.UNGROUNDED)
    assert advise(scene, at=at()).note == "AI의 답에서 자료와 맞는 문장이 없어 규칙의 글을 씁니다."


def test_nobody_waits_longer_than_the_limit(settings):
    settings.AI_TIMEOUT_SECONDS = 1
    never = threading.Event()
    scene = taken()
    began = time.monotonic()
    diagnosis = diagnose(scene, at=at(), provider=Model(lambda: never.wait(30) and answer()))
    waited = time.monotonic() - began
    never.set()
    assert 1 <= waited < 20
    assert (diagnosis.status, diagnosis.reason) == ("failed", Failure.TIMEOUT)


def test_one_who_died_is_taken_over_when_his_time_is_up():
    scene, model = taken(), Model()
    diagnosis = diagnose(scene, at=at(), provider=model)
    HoldingNote.objects.all().delete()
    Diagnosis.objects.update(status="running", wait_until=at(2), points=[])
    assert diagnose(scene, at=at(1), provider=model, by_hand=True).status == "running"
    assert advise(scene, at=at(1)).note == "AI에 묻고 있습니다. 그동안 규칙의 글을 싣습니다."
    assert diagnose(scene, at=at(2), provider=model, by_hand=True).is_complete
    assert len(model.asked) == 2
    assert Diagnosis.objects.get() == diagnosis


def test_late_answer_of_one_who_was_taken_over_changes_nothing():
    scene = taken()

    def taken_over():
        Diagnosis.objects.update(asked_at=at(7), wait_until=at(9), note="다른 이의 것")
        return Checked(points=(Point("늦은 말"),))

    model = Model()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asking, "check_reply", lambda *_, **__: taken_over())
        diagnose(scene, at=at(), provider=model)
    kept = Diagnosis.objects.get()
    assert (kept.status, kept.note, kept.points) == ("running", "다른 이의 것", [])
    assert HoldingNote.objects.count() == 0


def slowly():
    time.sleep(0.3)
    return answer()


@pytest.mark.parametrize("turn", [1, 2])
def test_one_who_comes_between_does_not_ask_as_well(turn):
    """Another worker comes just before the claim (the first look at the request), or just after it."""
    scene, model, turns = taken(), Model(), []
    plain = model.request_json

    def interrupted(payload_json, *, purpose):
        turns.append(purpose)
        if len(turns) == turn:
            diagnose(scene, at=at(), provider=model, by_hand=True)
        return plain(payload_json, purpose=purpose)

    model.request_json = interrupted  # type: ignore[method-assign]
    diagnosis = diagnose(scene, at=at(), provider=model, by_hand=True)
    assert len(model.asked) == 1
    assert diagnosis.is_complete
    assert diagnosis.points


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_one_snapshot_ask_once():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory has one connection; it is raced turn by turn above")
    scene = taken()
    start, model = threading.Barrier(4), Model(slowly)
    troubles = []

    def work():
        try:
            start.wait(60)
            diagnose(scene, at=at(), provider=model)
        except Exception as error:  # noqa: BLE001  # shown by the assertion below
            troubles.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert troubles == []
    assert len(model.asked) == 1
    assert Diagnosis.objects.get().is_complete


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "complete", "model": ""},
        {"status": "complete", "reason": "timeout"},
        {"status": "failed", "note": "", "reason": "timeout"},
        {"status": "failed", "note": "왜", "reason": ""},
        {"status": "running", "wait_until": None},
        {"status": "running", "wait_until": AT, "asked_at": None},
        {"status": "odd"},
    ],
)
def test_database_keeps_the_states_apart(columns):
    diagnose(taken(), at=at(), provider=Model())
    with pytest.raises(IntegrityError), transaction.atomic():
        Diagnosis.objects.update(**columns)


# --- one stock ---------------------------------------------------------------------------------------------------------


def test_one_stock_is_asked_about_by_itself():
    scene, model = taken(), Model()
    diagnose(scene, at=at(), provider=model)
    about = diagnose(scene, at=at(), focus="005930", by_hand=True, provider=model)
    (_, whole), (payload, single) = model.asked
    assert (whole, single) == (Purpose.PORTFOLIO, Purpose.HOLDING)
    assert payload["focus"] == "005930"
    assert about.focus == "005930"
    assert Diagnosis.objects.filter(kis_account=scene.account).count() == 2
    assert advise(scene, at=at()).points[0].text == "삼성전자의 비중이 큽니다."


# --- what is told, and how much of it ----------------------------------------------------------------------------------


def test_won_stays_at_home_unless_the_owner_allows_it(settings):
    model = Model()
    settings.AI_PRIVACY = "percent"
    diagnose(taken(), at=at(), provider=model)
    settings.AI_PRIVACY = "full"
    diagnose(taken(30), at=at(30), provider=model)
    (modest, _), (full, _) = model.asked
    assert "total_won" not in modest["account"]
    assert full["account"]["total_won"] == 90_200_000


# --- after a sync ------------------------------------------------------------------------------------------------------


@pytest.fixture
def model(monkeypatch):
    model = Model()
    monkeypatch.setattr(asking, "provider_of_settings", lambda: model)
    return model


def test_fresh_snapshot_of_a_run_is_written_about(model):
    run = sync_run()
    taken(run=run)
    said = words.diagnose(run, at=at())
    assert said == "AI 진단 완료: gemini-2.5-flash, 토큰 1,500"
    assert words.diagnose(run, at=at(1)) == ""  # nothing new
    assert len(model.asked) == 1


def test_failure_after_a_sync_is_told(model):
    run = sync_run()
    taken(run=run)
    model.says = ProviderFailed("AI에 연결하지 못했습니다.", Failure.NO_NETWORK)
    assert words.diagnose(run, at=at()) == "AI 진단 없음: AI에 연결하지 못했습니다."


def test_run_without_a_snapshot_has_nothing_to_write_about(model):
    assert words.diagnose(sync_run(status=SyncRun.Status.FAILED), at=at()) == ""
    assert model.asked == []


def test_nobody_need_be_named(settings, model):
    settings.DIAGNOSE = ""
    run = sync_run()
    taken(run=run)
    assert words.diagnose(run, at=at()) == ""
    assert Diagnosis.objects.count() == 0


def test_sync_stays_complete_whatever_happens(settings, caplog):
    run = sync_run()
    taken(run=run)
    settings.DIAGNOSE = "tests.ai.nobody.is_here"
    with caplog.at_level(logging.ERROR):
        assert words.diagnose(run, at=at()) == "AI 진단을 하지 못했습니다. 나머지는 그대로입니다."
    assert "Nothing could be written about run" in caplog.text


# --- how long it is kept -----------------------------------------------------------------------------------------------


def test_diagnosis_goes_with_its_snapshot(settings):
    settings.KEEP_INTRADAY_DAYS = 30
    morning, evening = taken(-120), taken(70, price=60_100)
    for scene in (morning, evening):
        diagnose(scene, at=scene.account.snapshot_at, provider=Model())
    later = AT + timedelta(days=31)

    planned = {row.model: row.count for row in prune(later, dry_run=True)}
    gone = {row.model: row.count for row in prune(later)}

    assert planned == gone
    assert gone[Diagnosis] == 1
    assert [row.kis_account for row in Diagnosis.objects.all()] == [evening.account]
    assert HoldingNote.objects.count() == 1


def test_prune_tells_of_diagnoses_in_korean(settings, capsys):
    settings.KEEP_INTRADAY_DAYS = 30
    for scene in (taken(-120), taken(70, price=60_100)):
        diagnose(scene, at=scene.account.snapshot_at, provider=Model())
    call_command("prune", dry_run=True)
    assert "AI 진단" in capsys.readouterr().out
