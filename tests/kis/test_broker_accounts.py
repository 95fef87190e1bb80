"""Accounts with their keys in the database: unreadable there, found by name, never picked for the owner."""

import re
import unicodedata
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from aegis.logs import mask
from kis.account_keys import rotate_encryption, stored_as
from kis.accounts import (
    Source,
    configured_accounts,
    default_mode,
    find_account,
    known_accounts,
    lacks_table,
)
from kis.client.codes import AccountNumber
from kis.client.errors import KisMisconfigured
from kis.connect import connect
from kis.encryption import decrypt, encrypt
from kis.models import AccessToken, BrokerAccount
from tests.factories import AT, snapshot, sync_run
from tests.kis.owning import HOSTS, key_of, of_owner, secret_of, store

pytestmark = pytest.mark.django_db

ONE, TWO, PENSION = "12345678-01", "11112222-01", "12345678-22"
OLD_KEY, NEW_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def mine(settings):
    """Leave demo mode, with nothing in the environment."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner()


def raw_rows():
    """Everything the database knows about the accounts, as it lies there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM kis_broker_account")
        return repr(cursor.fetchall())


def run(command, *arguments):
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


# --- encryption ----------------------------------------------------------------------------------------------------


def test_no_secret_lies_readable_in_the_database():
    row = store("연금", PENSION)
    stored = raw_rows()
    for secret in (row.app_key, row.app_secret, row.hts_id, "12345678"):
        assert secret not in stored
    assert (row.app_key, row.app_secret, row.hts_id) == (key_of(PENSION), secret_of(PENSION), "hts1234")
    assert row.number == AccountNumber("12345678", "22")
    assert "연금" in str(row)
    assert "1234" not in str(row)


def test_account_is_stored_once_a_mode():
    store("하나", ONE)
    store("다른 상품", PENSION)
    store("모의 하나", ONE, mode="paper")
    with pytest.raises(IntegrityError), transaction.atomic():
        store("또 하나", ONE)
    with pytest.raises(IntegrityError), transaction.atomic():
        store("하나", TWO)


def test_fingerprint_tells_nothing_without_the_key(settings):
    settings.AEGIS_ENCRYPTION_KEY = OLD_KEY
    first = store("하나", ONE).account_fingerprint
    BrokerAccount.objects.all().delete()
    settings.AEGIS_ENCRYPTION_KEY = NEW_KEY
    assert store("하나", ONE).account_fingerprint != first


def test_keys_are_rotated_and_the_old_one_dropped(settings):
    settings.AEGIS_ENCRYPTION_KEY = OLD_KEY
    store("하나", ONE)
    AccessToken.objects.create(key_id="f" * 64, token_encrypted=encrypt("eyJ-token"))
    settings.AEGIS_ENCRYPTION_KEY = f"{NEW_KEY}, {OLD_KEY}"
    assert stored_as(AccountNumber.parse(ONE), "real").label == "하나"  # by the fingerprint of the old key
    assert "계좌 1개와 토큰 1개" in run("rotate_encryption")
    settings.AEGIS_ENCRYPTION_KEY = NEW_KEY
    assert find_account("real").environment().app_secret == secret_of(ONE)
    assert stored_as(AccountNumber.parse(ONE), "real").label == "하나"
    assert decrypt(AccessToken.objects.get().token_encrypted) == "eyJ-token"
    assert rotate_encryption().accounts == 1  # again, and nothing is lost


def test_first_key_of_ones_own_takes_over_from_the_derived_one(settings):
    settings.AEGIS_ENCRYPTION_KEY = ""
    store("하나", ONE)
    settings.AEGIS_ENCRYPTION_KEY = NEW_KEY
    run("rotate_encryption")
    settings.SECRET_KEY = "another one"
    assert find_account("real").environment().app_key == key_of(ONE)


def test_account_of_a_lost_key_is_named_and_others_are_rotated(settings):
    settings.AEGIS_ENCRYPTION_KEY = OLD_KEY
    store("잃은 계좌", ONE)
    settings.AEGIS_ENCRYPTION_KEY = NEW_KEY
    store("남은 계좌", TWO)
    AccessToken.objects.create(key_id="f" * 64, token_encrypted="gAAA-unreadable")
    before = raw_rows()
    with pytest.raises(CommandError, match=r"풀 수 없는 계좌가 있습니다: 잃은 계좌\."):
        run("rotate_encryption")
    assert raw_rows() != before
    assert AccessToken.objects.get().token_encrypted == "gAAA-unreadable"
    with pytest.raises(KisMisconfigured, match="'잃은 계좌' 계좌: 저장된 비밀 값을 풀 수 없습니다"):
        find_account("real", "잃은 계좌").environment()


def test_useless_key_is_named_in_one_sentence(settings):
    store("하나", ONE)
    settings.AEGIS_ENCRYPTION_KEY = f"{NEW_KEY},short"
    with pytest.raises(KisMisconfigured, match="올바른 암호화 키가 아닙니다"):
        find_account("real")


# --- which one is meant ----------------------------------------------------------------------------------------------


@pytest.fixture
def three(settings):
    """Configure a real account in the environment, a pension and a disabled one here; one on paper."""
    settings.KIS_ACCOUNTS = of_owner(real=ONE)
    store("연금 저축", PENSION)
    store("쉬는 계좌", TWO, enabled=False)
    store("연습", "50012345-01", mode="paper")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("연금 저축", "연금 저축"),
        ("  연금 저축 ", "연금 저축"),
        (unicodedata.normalize("NFD", "연금 저축"), "연금 저축"),
        ("실전", "실전"),
        ("12345678-22", "연금 저축"),
        ("1234567801", "실전"),
        ("1234****-01", "실전"),
        ("1234****-22", "연금 저축"),
        ("연습", "연습"),
        ("5001****-01", "연습"),
    ],
)
def test_account_is_found_by_label_number_or_masked_number(three, name, label):
    found = find_account(None, name)
    assert found.label == label
    assert find_account(found.mode, name) == found


@pytest.mark.parametrize(
    ("mode", "name", "sentence"),
    [
        ("real", "", "실전 계좌가 여러 개입니다. --account에 하나를 적어 주세요: 실전, 연금 저축"),
        (None, "", "실전 계좌가 여러 개입니다. --account에 하나를 적어 주세요: 실전, 연금 저축"),
        (
            "paper",
            "연금 저축",
            "'연금 저축'은(는) 실전 계좌입니다. --mode real로 실행하거나 --mode를 빼 주세요.",
        ),
        ("real", "쉬는 계좌", "'쉬는 계좌' 계좌를 쓸 수 없습니다: 관리자 화면에서 꺼 두었습니다."),
        ("real", "없는", "'없는' 계좌가 없습니다. --account에 하나를 적어 주세요: 실전, 연금 저축, 연습"),
        ("real", "99998888-01", "'9999****-01' 계좌가 없습니다. "),
        ("real", "9999888801", "'9999****' 계좌가 없습니다. "),
    ],
)
def test_account_that_is_not_clear_is_asked_for_in_one_sentence(three, mode, name, sentence):
    with pytest.raises(KisMisconfigured, match="^" + re.escape(sentence)):
        find_account(mode, name)


def test_masked_number_of_two_accounts_is_not_clear():
    store("하나", ONE)
    store("닮은 계좌", "12349999-01")
    with pytest.raises(KisMisconfigured, match=r"맞는 계좌가 여러 개입니다.*: 닮은 계좌, 하나"):
        find_account("real", "1234****-01")


def test_only_account_of_a_mode_needs_no_name(three):
    assert find_account("paper").label == "연습"
    BrokerAccount.objects.filter(label="연금 저축").update(enabled=False)
    assert find_account(None).label == "실전"


def test_account_that_cannot_be_read_is_not_passed_over(settings):
    settings.AEGIS_ENCRYPTION_KEY = OLD_KEY
    store("잃은 계좌", ONE)
    settings.AEGIS_ENCRYPTION_KEY = NEW_KEY
    store("남은 계좌", TWO)
    with pytest.raises(KisMisconfigured, match="남은 계좌, 잃은 계좌"):
        find_account("real")


def test_nothing_configured_says_where_to_put_it():
    with pytest.raises(KisMisconfigured, match=r"모의투자 설정이 없습니다: .*KIS_PAPER_APP_KEY.*연결한 계좌"):
        find_account(None)


@pytest.mark.parametrize(
    ("query", "is_lacking"),
    [("SELECT 1 FROM not_there", True), ("SELECT not_there FROM kis_broker_account", False)],
)
def test_database_without_tables_is_told_from_one_of_another_version(query, is_lacking):
    with pytest.raises(DatabaseError) as trouble, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query)
    assert lacks_table(trouble.value) is is_lacking


def test_real_comes_first_wherever_it_is_configured(settings):
    assert default_mode() == "paper"
    row = store("하나", ONE)
    assert default_mode() == "real"
    BrokerAccount.objects.filter(pk=row.pk).update(enabled=False)
    assert default_mode() == "paper"
    settings.KIS_ACCOUNTS = of_owner(real=ONE)
    assert default_mode() == "real"


def test_account_in_both_places_is_that_of_the_environment(settings):
    store("하나", ONE)
    settings.KIS_ACCOUNTS = of_owner(real=ONE)
    assert find_account("real").source is Source.ENVIRONMENT
    assert [account.unused for account in configured_accounts()] == ["", "환경변수에 있는 계좌입니다"]


def test_stored_account_uses_the_hosts_of_the_settings_unless_it_has_its_own():
    store("하나", ONE)
    store("둘", TWO, base_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:2", tr_set="legacy")
    plain, own = (find_account("real", label).environment() for label in ("하나", "둘"))
    assert (plain.base_url, plain.ws_url, plain.tr_set) == (*HOSTS["real"].values(), "current")
    assert (own.base_url, own.ws_url, own.tr_set) == ("http://127.0.0.1:1", "ws://127.0.0.1:2", "legacy")


def test_demo_knows_only_the_accounts_of_the_simulator(settings):
    settings.KIS_ACCOUNTS = of_owner(real=TWO)
    store("연금", PENSION)
    settings.AEGIS_DEMO = True
    accounts = known_accounts()
    assert [(account.label, account.masked_no) for account in accounts] == [
        ("실전", "1234****-01"),
        ("모의", "5001****-01"),
    ]
    with pytest.raises(KisMisconfigured, match="'연금' 계좌가 없습니다"):
        find_account("real", "연금")


def test_connection_is_refused_for_an_account_of_the_other_mode():
    store("연습", ONE, mode="paper")
    account = find_account("paper")
    with pytest.raises(KisMisconfigured, match="모의 계좌입니다"), connect("real", account):
        pass


# --- commands --------------------------------------------------------------------------------------------------------


def test_accounts_are_listed_without_secrets(three):
    number, product_code = PENSION.split("-")
    sync_run(at=AT)
    sync_run(at=AT, account_no=number, product_code=product_code, status="failed")
    snapshot(account_no="77778888")
    output = run("accounts")
    lines = [line.split() for line in output.splitlines()]
    assert lines[1:] == [
        ["실전", "실전", "1234****-01", "환경변수", "2025-06-16", "14:20"],
        [
            "쉬는",
            "계좌",
            "실전",
            "1111****-01",
            "데이터베이스",
            "–",
            "관리자",
            "화면에서",
            "꺼",
            "두었습니다.",
        ],
        ["연금", "저축", "실전", "1234****-22", "데이터베이스", "–"],
        ["연습", "모의", "5001****-01", "데이터베이스", "–"],
        ["7777****-01", "실전", "7777****-01", "장부", "–", "장부에만", "남아", "있는", "계좌입니다."],
    ]
    assert not any(secret in output for secret in ("12345678", "77778888", key_of("real"), "hts"))


def test_accounts_says_what_to_do_where_there_are_none():
    assert "연결한 계좌" in run("accounts")


def test_account_with_a_number_that_is_none_is_listed(settings):
    settings.KIS_ACCOUNTS = of_owner(real="1234")
    assert "계좌번호를 읽을 수 없습니다" in run("accounts")


@pytest.mark.parametrize("command", ["sync_kis_data", "kis_dashboard", "doctor"])
def test_command_of_an_account_refuses_to_pick_one_of_several(three, command):
    with pytest.raises((CommandError, KisMisconfigured), match=r"여러 개입니다.*실전, 연금 저축"):
        run(command, "--mode", "real")
    with pytest.raises((CommandError, KisMisconfigured), match="'없는' 계좌가 없습니다"):
        run(command, "--account", "없는")


def test_doctor_examines_the_account_of_the_database():
    store("연금", PENSION, base_url="http://127.0.0.1:9", ws_url="ws://127.0.0.1:9")
    output = StringIO()
    with pytest.raises(CommandError, match="문제가"):
        call_command("doctor", "--account", "연금", stdout=output)
    shown = output.getvalue()
    assert "데이터베이스에 든 키, 계좌 1234****-22" in shown
    assert "관리자 화면의 '연금' 계좌의 REST 주소" in shown
    assert not any(secret in shown for secret in (key_of(PENSION), secret_of(PENSION), "12345678", "hts1234"))


# --- logs ------------------------------------------------------------------------------------------------------------


def test_log_hides_what_came_out_of_the_database():
    row = store("하나", "98761234-01")
    row = BrokerAccount.objects.get(pk=row.pk)
    told = f"{row.app_key} {row.app_secret} {row.hts_id} 98761234-01 CANO=98761234& 9876123401 198761234"
    assert row.number.number == "98761234"
    assert mask(told) == "**** **** **** 9876****-01 CANO=9876****& 9876****01 198761234"
