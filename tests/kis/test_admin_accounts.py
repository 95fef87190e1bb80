"""The form of an account in the admin: secrets go in and never come out; superusers only."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from kis.client.codes import AccountNumber
from kis.models import BrokerAccount, KisAccount, KisExecution, KisHolding, KisUnfilledOrder, SyncRun
from tests.factories import AT, Stock, fill, order, snapshot, sync_run
from tests.kis.owning import HOSTS, key_of, of_owner, secret_of, store, store_simulated

pytestmark = pytest.mark.django_db

LIST, ADD = "admin:kis_brokeraccount_changelist", "admin:kis_brokeraccount_add"
TYPED = {
    "label": "연금 저축",
    "mode": "real",
    "enabled": "on",
    "app_key": key_of("typed"),
    "app_secret": secret_of("typed"),
    "account_no": "43218765-22",
    "hts_id": "typedid",
    "base_url": "",
    "ws_url": "",
    "tr_set": "",
    "commission": "0.015%",
}
SECRETS = (TYPED["app_key"], TYPED["app_secret"], "43218765", TYPED["hts_id"])


@pytest.fixture(autouse=True)
def mine(settings):
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner()


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(row, name="change"):
    return reverse(f"admin:kis_brokeraccount_{name}", args=[row.pk])


def text(response):
    return response.content.decode()


def errors(response):
    """Return what the form says, by field."""
    assert response.status_code == 200
    found = response.context["adminform"].form.errors
    return {name: " ".join(messages) for name, messages in found.items()}


def told(response):
    return [str(message) for message in response.context["messages"]]


def assert_silent(shown):
    assert not any(secret in shown for secret in SECRETS)


# --- what goes in ----------------------------------------------------------------------------------------------------


def test_account_is_added_and_its_secrets_never_come_back(owner):
    response = owner.post(reverse(ADD), TYPED, follow=True)
    row = BrokerAccount.objects.get()
    assert (row.label, row.mode, row.enabled) == ("연금 저축", "real", True)
    assert (row.app_key, row.app_secret, row.hts_id) == (TYPED["app_key"], TYPED["app_secret"], "typedid")
    assert (row.number, row.commission) == (AccountNumber("43218765", "22"), "0.015%")
    shown = text(response) + text(owner.get(page(row))) + text(owner.get(page(row, "history")))
    assert_silent(shown)
    assert "4321****-22" in shown
    assert f"끝자리 {TYPED['app_key'][-4:]}" in shown
    assert TYPED["app_key"][-5:] not in shown


def test_what_was_typed_does_not_come_back_with_an_error_either(owner):
    response = owner.post(reverse(ADD), TYPED | {"label": ""})
    assert "label" in errors(response)
    assert_silent(text(response))


def test_blank_secrets_stay_as_they_are(owner):
    row = store("하나", "43218765-01")
    owner.post(page(row), {"label": "두울", "tr_set": "legacy"})
    changed = BrokerAccount.objects.get()
    assert (changed.label, changed.tr_set, changed.enabled) == ("두울", "legacy", False)
    assert (changed.app_key, changed.app_secret) == (row.app_key, row.app_secret)
    assert (changed.number, changed.hts_id) == (row.number, row.hts_id)


def test_each_secret_can_be_changed_on_its_own(owner):
    row = store("하나", "43218765-01")
    owner.post(page(row), {"label": "하나", "enabled": "on", "app_secret": secret_of("new")})
    changed = BrokerAccount.objects.get()
    assert (changed.app_secret, changed.app_key) == (secret_of("new"), row.app_key)
    owner.post(page(row), {"label": "하나", "enabled": "on", "account_no": "43218765-22"})
    changed = BrokerAccount.objects.get()
    assert (changed.masked_no, changed.app_secret) == ("4321****-22", secret_of("new"))
    assert changed.account_fingerprint != row.account_fingerprint


def test_hts_id_can_be_taken_away(owner):
    row = store("하나", "43218765-01")
    owner.post(page(row), {"label": "하나", "enabled": "on", "forget_hts_id": "on"})
    assert BrokerAccount.objects.get().hts_id == ""
    assert "없음." in text(owner.get(page(row)))


def test_mode_of_a_stored_account_stays(owner):
    row = store("하나", "43218765-01")
    owner.post(page(row), {"label": "하나", "mode": "paper"})
    assert BrokerAccount.objects.get().mode == "real"


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"app_key": "k" * 35}, "app_key", "36자여야 합니다(지금 35자)"),
        ({"app_key": "k" * 20 + " " + "k" * 15}, "app_key", "빈칸 없이 36자"),
        ({"app_secret": "s" * 181}, "app_secret", "180자여야 합니다(지금 181자)"),
        ({"app_key": ""}, "app_key", "필수"),
        ({"app_secret": ""}, "app_secret", "필수"),
        ({"account_no": ""}, "account_no", "필수"),
        ({"account_no": "1234567-01"}, "account_no", "12345678-01 모양"),
        ({"account_no": "12345678"}, "account_no", "12345678-01 모양"),
        ({"mode": "demo"}, "mode", "demo"),
        ({"label": "실전"}, "label", "환경변수의 계좌가 쓰는 이름"),
        ({"label": " 모의 "}, "label", "환경변수의 계좌가 쓰는 이름"),
        ({"label": "계좌 98765432"}, "label", "계좌번호처럼"),
        ({"label": "4321****"}, "label", "글자와 숫자"),
        ({"label": "--mode"}, "label", "글자나 숫자로 시작"),
        ({"label": "../x"}, "label", "글자와 숫자"),
        ({"base_url": "http://example.com"}, "base_url", "실전투자에 쓸 수 없는 주소"),
        ({"base_url": HOSTS["paper"]["base_url"]}, "base_url", "실전투자에 쓸 수 없는 주소"),
        ({"base_url": "https://[openapi"}, "base_url", "실전투자에 쓸 수 없는 주소"),
        ({"ws_url": HOSTS["paper"]["ws_url"]}, "ws_url", "실전투자에 쓸 수 없는 주소"),
        ({"ws_url": "ws://example.com"}, "ws_url", "실전투자에 쓸 수 없는 주소"),
        ({"commission": "거의 없음"}, "commission", "수수료율을 읽을 수 없습니다"),
    ],
)
def test_mistake_is_named_in_korean_and_nothing_stored(owner, changes, field, sentence):
    response = owner.post(reverse(ADD), TYPED | changes)
    assert sentence in errors(response)[field]
    assert set(errors(response)) == {field}
    assert not BrokerAccount.objects.exists()
    assert_silent(text(response))


def test_account_and_label_are_registered_once(owner, settings):
    store("Pension", "43218765-22")
    response = owner.post(reverse(ADD), TYPED)
    assert "'Pension'(으)로 이미 등록되어 있습니다" in errors(response)["account_no"]
    response = owner.post(reverse(ADD), TYPED | {"label": "PENSION", "account_no": "43218765-01"})
    assert "이 별칭을 쓰는 계좌가 이미 있습니다." in str(errors(response))
    settings.KIS_ACCOUNTS = of_owner(real="43218765-01")
    response = owner.post(reverse(ADD), TYPED | {"account_no": "43218765-01"})
    assert "환경변수에 이미 있습니다" in errors(response)["account_no"]
    assert BrokerAccount.objects.count() == 1


def test_account_stored_under_an_old_key_is_still_known(owner, settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.AEGIS_ENCRYPTION_KEY = old
    store("하나", "43218765-22")
    settings.AEGIS_ENCRYPTION_KEY = f"{new},{old}"
    assert "'하나'(으)로 이미" in errors(owner.post(reverse(ADD), TYPED))["account_no"]


def test_account_of_a_lost_key_can_be_repaired(owner, settings):
    settings.AEGIS_ENCRYPTION_KEY = Fernet.generate_key().decode()
    row = store("하나", "43218765-01")
    settings.AEGIS_ENCRYPTION_KEY = Fernet.generate_key().decode()
    assert "풀 수 없음" in text(owner.get(reverse(LIST)))
    assert "저장된 값을 풀 수 없습니다. 다시 넣어 주세요." in text(owner.get(page(row)))
    owner.post(page(row), TYPED)
    assert BrokerAccount.objects.get().masked_no == "4321****-22"


# --- who may ---------------------------------------------------------------------------------------------------------


def test_staff_with_every_permission_sees_nothing_of_it(client):
    row = store("하나", "43218765-01")
    clerk = get_user_model().objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.all())
    client.force_login(clerk)
    assert "연결한 계좌" not in text(client.get(reverse("admin:index")))
    for address in (reverse(LIST), reverse(ADD), page(row), page(row, "delete"), page(row, "history")):
        assert client.get(address).status_code == 403
        assert client.post(address, TYPED).status_code in {403, 405}
    action = {"action": "try_connections", "_selected_action": [row.pk]}
    assert client.post(reverse(LIST), action).status_code == 403
    assert BrokerAccount.objects.get().label == "하나"


def test_demo_takes_no_accounts_and_says_why(owner, settings):
    row = store("하나", "43218765-01")
    settings.AEGIS_DEMO = True
    assert "AEGIS_DEMO=false" in text(owner.get(reverse(LIST)))
    assert owner.post(reverse(ADD), TYPED).status_code == 403
    assert owner.post(page(row), TYPED).status_code == 403
    assert BrokerAccount.objects.get().label == "하나"


def test_changes_are_logged_by_field_without_secrets(owner):
    owner.post(reverse(ADD), TYPED)
    row = BrokerAccount.objects.get()
    owner.post(page(row), TYPED | {"app_secret": secret_of("new"), "label": "다른 이름"})
    added, changed = LogEntry.objects.order_by("pk")
    assert (added.object_repr, changed.object_repr) == ("연금 저축 (실전)", "다른 이름 (실전)")
    assert "앱시크릿" in changed.get_change_message()
    everything = str(list(LogEntry.objects.values()))
    assert_silent(everything)
    assert secret_of("new") not in everything


# --- what may go -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [snapshot, sync_run], ids=["snapshot", "run"])
def test_account_with_books_cannot_be_deleted(owner, save):
    row = store("하나", "43218765-22")
    save(account_no="43218765", product_code="22")
    for response in (
        owner.get(page(row, "delete"), follow=True),
        owner.post(page(row, "delete"), {"post": "yes"}, follow=True),
    ):
        assert told(response) == [
            "'하나' 계좌는 장부에 자료가 있어 지울 수 없습니다. 쓰지 않으려면 '사용'을 꺼 주세요."
        ]
    assert BrokerAccount.objects.exists()


def test_account_without_books_can_be_deleted(owner):
    row = store("하나", "43218765-22")
    snapshot(account_no="43218765", product_code="01", at=AT)
    snapshot(account_no="43218765", product_code="22", is_paper=True)
    owner.post(page(row, "delete"), {"post": "yes"})
    assert not BrokerAccount.objects.exists()
    assert LogEntry.objects.get().is_deletion()


def test_account_of_a_lost_key_is_not_deleted_blindly(owner, settings):
    row = store("하나", "43218765-22")
    settings.AEGIS_ENCRYPTION_KEY, settings.SECRET_KEY = Fernet.generate_key().decode(), "another"
    owner.force_login(get_user_model().objects.get())
    response = owner.post(page(row, "delete"), {"post": "yes"}, follow=True)
    assert "장부가 있는지 알 수 없습니다" in told(response)[0]
    assert BrokerAccount.objects.exists()


def test_nothing_is_deleted_in_bulk(owner):
    row = store("하나", "43218765-22")
    owner.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert BrokerAccount.objects.exists()


# --- the trial -------------------------------------------------------------------------------------------------------


def tried(owner, *rows):
    action = {"action": "try_connections", "_selected_action": [row.pk for row in rows]}
    return told(owner.post(reverse(LIST), action, follow=True))


def test_trial_reads_the_balance_of_each_account(owner, simulator):
    real = store_simulated("하나", simulator.real, enabled=False)
    paper = store_simulated("연습", simulator.paper, mode="paper")
    real_told, paper_told = sorted(tried(owner, real, paper), reverse=True)
    assert real_told.startswith("하나: 연결했습니다. 보유 20종목, 총평가금액 ")
    assert paper_told.startswith("연습: 연결했습니다. 보유 8종목, 총평가금액 ")
    assert {entry.change_message for entry in LogEntry.objects.all()} == {"연결 시험: 성공"}


def test_trial_that_fails_says_why_in_one_sentence(owner, simulator):
    row = store("하나", "43218765-22", base_url=simulator.real.url, ws_url=simulator.real.ws)
    (sentence,) = tried(owner, row)
    assert sentence.startswith("하나: ")
    assert "앱키를 확인해 주세요" in sentence
    assert not any(secret in sentence for secret in (row.app_key, row.app_secret, "43218765"))
    assert LogEntry.objects.get().change_message == "연결 시험: 실패"


def test_trial_of_a_wrong_account_number_names_it(owner, simulator):
    row = store_simulated("하나", simulator.real)
    owner.post(
        page(row),
        {
            "label": "하나",
            "enabled": "on",
            "account_no": "43218765-22",
            "base_url": simulator.real.url,
            "ws_url": simulator.real.ws,
        },
        follow=True,
    )
    (sentence,) = tried(owner, row)
    assert "계좌번호" in sentence
    assert "43218765" not in sentence


# --- the books of one account ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [KisAccount, KisHolding, KisExecution, KisUnfilledOrder, SyncRun])
def test_books_are_shown_for_one_account_alone(owner, model):
    store("하나", "43218765-01")
    theirs: list[dict[str, Any]] = [
        {"account_no": "43218765", "product_code": "01"},
        {"account_no": "43218765", "product_code": "22"},
        {"account_no": "43219999", "product_code": "01"},  # looks like the first one
        {"account_no": "43218765", "product_code": "01", "is_paper": True},
    ]
    for place, changes in enumerate(theirs):
        order(snapshot([Stock(quantity=place + 1)], **changes), 1)
        fill(1, **changes)
        sync_run(**changes)
    address = reverse(f"admin:kis_{model._meta.model_name}_changelist")  # noqa: SLF001  # Django's own
    filters = owner.get(address).context["cl"].filter_specs
    (choices,) = [found.lookup_choices for found in filters if found.title == "계좌"]
    assert sorted(name for _, name in choices) == [
        "4321****-01",
        "4321****-01",
        "4321****-22",
        "하나 4321****-01",
    ]
    shown = []
    for key, _ in choices:
        response = owner.get(address, {"account": key})
        (row,) = response.context["cl"].result_list
        shown.append(row.pk)
        assert_silent(text(response))
    assert len(set(shown)) == 4
    assert owner.get(address, {"account": "nobody"}).context["cl"].result_count == 0
