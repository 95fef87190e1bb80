"""All the way: the library of Google asks a Gemini on this machine, and what it answers is on page and PDF, or is not."""

import html
import json
import re
from datetime import timedelta
from io import StringIO

import pypdfium2
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import call_command

from ai.diagnosis import advise, diagnose
from ai.models import Diagnosis
from ai.providers.configured import PROVIDERS
from kis.advice import Source
from kis.models import Stock as Listed
from kis.position import position_of
from tests.ai import standing_in
from tests.ai.asked_about import ROWS
from tests.ai.hostile_answers import SENTENCES
from tests.ai.hostile_names import NAMES
from tests.factories import AT, Stock, order, snapshot, sync_run
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db
NOW = AT + timedelta(seconds=6)
GOOD = (
    "현금 비중은 10.5%로 전체에서 작은 몫입니다.",
    "{005930}의 비중은 21.4%로 한도 20%를 넘었습니다.",
    "{373220}는 오늘 5.31% 내렸습니다.",
    "{000660}과 {005930}은 함께 움직이기 쉽습니다.",
    "미체결 주문을 마감 전에 확인해 보세요.",
)
SHOWN = (
    GOOD[0],
    "삼성전자의 비중은 21.4%로 한도 20%를 넘었습니다.",
    "LG에너지솔루션은 오늘 5.31% 내렸습니다.",
    "SK하이닉스와 삼성전자는 함께 움직이기 쉽습니다.",
    GOOD[4],
)


@pytest.fixture(params=sorted(PROVIDERS))
def asked(request, gemini, settings, monkeypatch):
    """Ask the stand-in of this test with the library of this test."""
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = standing_in.KEY, gemini.url
    settings.AI_PROVIDER, settings.AI_PRIVACY = request.param, "percent"
    settings.AI_TIMEOUT_SECONDS = 120
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    monkeypatch.setattr("reports.live.market_now", lambda: NOW)
    return gemini


def account(*more):
    rows = [
        Stock(code=code, name=name, price=price, average=average, quantity=quantity, change=change)
        for code, name, _, _, _, _, change, price, average, quantity in ROWS
    ]
    saved = snapshot([*rows, *more], cash=18_919_278, run=sync_run(), with_closes=False)
    order(saved, 1, ord_tmd="090600")
    return saved


def answer(points, holdings=()):
    return standing_in.said(
        {
            "points": [{"text": text, "refs": ["F1"]} for text in points],
            "holdings": [{"code": code, "text": text} for code, text in holdings],
        }
    )


def on_page(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    response = client.get("/")
    assert response.status_code == 200
    return plainly(html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())))


def on_pdf(tmp_path):
    path = tmp_path / "page.pdf"
    call_command("kis_dashboard", output=str(path), verbosity=0, stdout=StringIO())
    with pypdfium2.PdfDocument(path) as document:
        return plainly("".join(page.get_textpage().get_text_range() for page in document))


def plainly(text):
    return "".join(text.split())


def named(sentence):
    """Return a sentence as it would be shown."""
    names = {code: name for code, name, *_ in ROWS}
    return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[1]), sentence)


def test_good_sentences_are_shown_and_hostile_ones_nowhere(asked, client, tmp_path):
    """All hostile sentences in one answer, between good ones; each of them is left out for its own reason."""
    hostile = [sentence for sentence, _ in SENTENCES.values()]
    points = [" ".join([good, *hostile[place::5]]) for place, good in enumerate(GOOD)]
    notes = [(code, " ".join(hostile)) for code in ("105560", "068270")]
    asked.answers(answer(points, notes))
    saved = account()
    Listed.objects.create(
        code="399720", name="가온칩스", market="KOSDAQ", kind="stock", source="master", updated_at=NOW
    )
    diagnose(position_of(saved), at=NOW)

    advice = advise(position_of(saved), at=NOW)
    assert advice.source is Source.MODEL
    assert [point.text for point in advice.points] == list(SHOWN)
    assert advice.holdings == {}
    assert advice.dropped >= 3 * len(hostile)
    assert advice.checked >= 4
    page, pdf = on_page(client), on_pdf(tmp_path)
    for sentence in SHOWN:
        assert plainly(sentence) in pdf
    for sentence in hostile:
        for text in (page, pdf):
            assert plainly(named(sentence)) not in text
            assert plainly(sentence) not in text


@pytest.mark.parametrize("name", NAMES[:20:4], ids=ascii)
def test_a_hostile_name_stays_in_its_table(asked, client, name):
    saved = account(
        Stock(code="0039P0", name=name.replace("\0", ""), price=50_000, average=90_000.0, quantity=800)
    )
    asked.answers(answer(["{0039P0}는 비중이 큰 종목입니다.", name, f"{name}는 비중이 큰 종목입니다."]))
    diagnose(position_of(saved), at=NOW)
    [sent] = asked.asked
    assert name not in json.dumps(sent.body, ensure_ascii=False)
    points = [point.text for point in advise(position_of(saved), at=NOW).points]
    assert points == ["종목 0039P0은 비중이 큰 종목입니다."]
    assert "<script>alert" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (standing_in.too_many(delay="37s"), "37초"),
        (standing_in.status_of(503, "UNAVAILABLE", "overloaded"), "503"),
        (standing_in.blocked("SAFETY"), "안전"),
        (standing_in.said("", finish="MAX_TOKENS"), "끊겼습니다"),
        (standing_in.said("없음"), "형식"),
        (standing_in.said("가" * 1_000_000), "너무 커서"),
        (answer(["{005930}를 매도하세요."]), "맞는 문장이 없어"),
    ],
    ids=["429", "503", "blocked", "truncated", "no JSON", "1 MB", "nothing holds"],
)
def test_without_a_usable_answer_the_rules_speak_and_say_why(asked, client, reply, note):
    asked.answers(reply)
    saved = account()
    diagnose(position_of(saved), at=NOW)
    advice = advise(position_of(saved), at=NOW)
    assert advice.source is Source.RULES
    assert note in advice.note
    assert advice.points[0].text == "삼성전자는 총평가금액의 21.4%로 한도 20%를 넘습니다."
    assert "매도하세요" not in on_page(client)


def test_the_pdf_is_made_while_gemini_says_no_and_says_so(asked, tmp_path):
    asked.answers(standing_in.too_many(delay="37s"))
    diagnose(position_of(account()), at=NOW)
    text = on_pdf(tmp_path)
    assert plainly("삼성전자는 총평가금액의 21.4%로 한도 20%를 넘습니다.") in text
    assert plainly("Gemini 사용 한도를 넘었습니다(429). 37초 뒤에 다시 물을 수 있습니다.") in text


def test_neither_account_nor_key_leaves_or_stays(asked):
    """No number of the account goes out, and no key is written down."""
    asked.answers(standing_in.bad_key)
    diagnose(position_of(account()), at=NOW)
    [sent] = asked.asked
    assert not {"12345678", "50012345"} & set(re.findall(r"\d{8}", json.dumps(sent.body)))
    [row] = Diagnosis.objects.all()
    written = json.dumps([row.request_json, row.raw_json, row.note, row.points], ensure_ascii=False)
    assert standing_in.KEY not in written
    assert row.reason == "refused_key"
