"""Backups: everything there is comes back, on either database, and what cannot be restored changes nothing."""

import io
import json
import resource
import stat
import tarfile
from base64 import b32encode
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pyrage
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pyrage import x25519

from aegis.alerts.destinations import destinations
from aegis.alerts.kinds import Kind
from aegis.alerts.models import AlertDelivery
from aegis.alerts.outbox import News, one_at_a_time, write
from aegis.alerts.sending import LEASE, claim, send_due
from aegis.backup import building, keys, making, places, restoring, sealing
from aegis.backup.archive import HEADER, Member, json_member, members_of, open_envelope, write_archive
from aegis.backup.daily import daily_backup
from aegis.backup.errors import BackupError, Damaged, NewerVersion, NotEmpty, NotOurFile, WrongKey
from aegis.backup.last import age, backups, last_backup
from aegis.backup.making import Wanted, everything
from aegis.backup.places import another, file_database, one_moment, standing_in
from aegis.backup.restoring import alone
from aegis.backup.rows import Count, tables_of
from aegis.health import backups as health
from aegis.schedules import BACKUP, planned
from kis.account_keys import Secrets, save_account
from kis.client.codes import AccountNumber
from kis.encryption import SecretUnreadable, encrypt
from kis.models import (
    BrokerAccount,
    KisAccount,
    KisExecution,
    KisOrderDetail,
    SecondFactor,
    SyncRun,
    TargetWeight,
)
from kis.models.second_factor import RecoveryCode, digest_of
from kis.sync import sync_account
from tests import ready_database
from tests.aegis.alerting import service
from tests.aegis.backing_up import OWNER, Site, back_up, bring_back, look_into, site_from
from tests.aegis.examining import OK, PROBLEM, SKIPPED, WARNING, assert_found, case_at
from tests.kis.conftest import simulator, start_simulator  # noqa: F401  # fixtures
from tests.kis.syncing import leave_out_the_market
from tests.trading.conftest import (  # noqa: F401  # fixtures
    PASSWORD,
    TEN,
    broker,
    clock,
    desk,
    make_order,
    owner,
    posts,
    real_enabled,
)
from tests.trading.terminal import Terminal
from tests.trading.trades import SAMSUNG, arrived, last_price
from trading import audit, journal, kill_switch, password
from trading.models import OrderEvent, PendingOrder
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db(transaction=True)

PASSPHRASE = "a long walk by the river"


@pytest.fixture(scope="session")
def empty(django_db_setup, django_db_blocker, tmp_path_factory):
    """Return a SQLite file with the tables of today and no rows of ours."""
    with django_db_blocker.unblock():
        return ready_database.lay(tmp_path_factory.mktemp("empty") / "empty.sqlite3")


@pytest.fixture
def site(transactional_db, tmp_path, settings, empty):
    settings.VAR_DIR = tmp_path
    settings.BACKUP_DIR = ""
    place = Site(tmp_path, empty=empty).set_up()
    yield place
    place.burn_down()


@pytest.fixture
def at_once(monkeypatch, tmp_path, empty):
    """Build where the tables are there already; on PostgreSQL only what is looked at, and thrown away."""
    real, quick = places.site_to_be, partial(site_from, empty, tmp_path)

    def place(*, beside):
        return real(beside=True) if beside and connection.vendor == "postgresql" else quick(beside=beside)

    monkeypatch.setattr(restoring, "site_to_be", place)
    monkeypatch.setattr(building, "migrate", known_only(building.migrate))


@pytest.fixture
def in_vain(monkeypatch, tmp_path, empty, at_once):
    """Build there in any case: what fails has nothing to change over."""
    monkeypatch.setattr(restoring, "site_to_be", partial(site_from, empty, tmp_path))


def known_only(migrate):
    """Let only a schema be built that is not today's."""

    def build(place, header):
        if header.migrations != frozenset(MigrationRecorder(place).applied_migrations()):
            migrate(place, header)  # also where it is not known

    return build


@pytest.fixture
def path(tmp_path):
    return tmp_path / "books.tar"


@contextmanager
def no_file_over(size):
    """Let no file of this process grow beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def left_in(folder):
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("site.sqlite3"))


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.fixture
def trader(site, owner, real_enabled, monkeypatch):  # noqa: F811
    """Return an owner who trades on the site."""
    leave_out_the_market(monkeypatch)
    password.set_password(PASSWORD, at=TEN)
    return owner


def buys(owner, desk, *, quantity):  # noqa: F811
    """Buy Samsung at a price that trades at once."""
    price = last_price(desk) * 102 // 100 // 500 * 500
    code = owner.orders("매수", SAMSUNG, "삼성전자", f"{quantity}주", f"{price}원")
    shown = owner.types("실전", "확인", code)
    assert shown.code == 0, shown.all


def test_a_life_comes_back_and_the_broker_tells_the_rest(trader, desk, broker, site, path):  # noqa: F811
    buys(trader, desk, quantity=3)
    assert sync_account(desk.connection).differences == 0
    trader.orders("매수", SAMSUNG, "삼성전자", "5주", f"{last_price(desk) * 98 // 100 // 500 * 500}원")
    [bought, waiting] = PendingOrder.objects.order_by("pk")
    end = audit.verify().digest
    made = back_up(path)
    trader.clock.go(minutes=1)
    buys(trader, desk, quantity=7)
    assert sync_account(desk.connection).differences == 0
    lost = PendingOrder.objects.latest("pk")

    site.set_up_again()
    assert not KisAccount.objects.exists()
    restored = bring_back(path, at=TEN + timedelta(hours=1))

    assert (restored.built.rows, restored.settled.waiting) == (made.rows, 1)
    assert [order.state for order in PendingOrder.objects.order_by("pk")] == [State.FILLED, State.ABANDONED]
    assert OrderEvent.objects.filter(digest=end).exists()
    call_command("verify_audit")
    switch = kill_switch.read()
    assert switch.is_on
    assert "백업에서 되살렸습니다" in switch.reason
    refused = trader.types("실전", "매수", SAMSUNG, "삼성전자", "1주", "50000원")
    assert (refused.code, "주문 중지" in refused.error) == (1, True), refused.error
    assert not PendingOrder.objects.filter(odno=lost.odno).exists()

    assert sync_account(desk.connection).differences == 0
    origins = {row.odno: row.origin for row in KisOrderDetail.objects.all()}
    assert (origins[bought.odno], origins[lost.odno]) == ("ours", "external")
    assert KisExecution.objects.filter(odno=lost.odno, exec_qty=7).exists()
    assert len(arrived(broker)) == 2  # what waited has not left

    kill_switch.turn_off(at=trader.clock.now, by="owner")
    buys(trader, desk, quantity=1)
    assert PendingOrder.objects.latest("pk").pk > waiting.pk
    assert sync_account(desk.connection).differences == 0
    with pytest.raises(DatabaseError), transaction.atomic():
        OrderEvent.objects.update(what="changed")
    with pytest.raises(DatabaseError), transaction.atomic():
        PendingOrder.objects.filter(pk=bought.pk).update(status=State.PENDING)


def test_order_on_its_way_is_unknown_afterwards_and_its_receipt_comes_along(
    site, at_once, path, tmp_path, settings
):
    order = make_order()
    step(order, State.SENDING, at=TEN, what="claimed", values={"claimed_at": TEN, "market_at": TEN})
    journal.write(journal.outcome(order, State.ACCEPTED, at=TEN, branch="00950", number="0000000017"))
    back_up(path)
    settings.TRADING_DIR = tmp_path / "elsewhere"
    site.set_up_again()
    assert bring_back(path).settled.under_way == 1
    order = PendingOrder.objects.get()
    assert (order.state, journal.last_of(order).number) == (State.UNKNOWN, "0000000017")
    assert [event.what for event in order.events.order_by("number")][-1] == "restored"
    assert not audit.verify().problems
    bring_back(path)
    assert journal.file().read_text().count("0000000017") == 1  # nothing twice


def test_alerts_that_waited_in_a_backup_are_not_sent_a_second_time(site, at_once, path, settings, capsys):
    """One waits for its hour, one is on its way, one has arrived; the site of before sends all of them later."""
    with service() as bot:
        settings.NOTIFY_URLS = (bot.url,)
        tell("arrived")
        assert len(send_due(at=TEN)) == 1
        tell("on its way")
        claim(destinations()[0], at=TEN)
        tell("waits")
        back_up(path)
        late = TEN + LEASE + timedelta(minutes=1)
        send_due(at=late)
        before = len(bot.messages)
        site.set_up_again()
        key = path.with_name("key.txt")
        key.write_text(f"{OWNER}\n")
        call_command("restore", path, identity=key)
        assert "기다리던 알림 2건" in capsys.readouterr().out
        send_due(at=late + timedelta(days=1))
        assert len(bot.messages) == before
        tell("new", at=late)
        send_due(at=late)
        assert [message["title"].split()[-1] for message in bot.messages[before:]] == ["new"]
    states = dict(AlertDelivery.objects.values_list("alert__title", "status"))
    assert states == {"arrived": "sent", "on its way": "withheld", "waits": "withheld", "new": "sent"}
    get_user_model().objects.create_superuser("reader", "", PASSWORD)
    client = Client()
    client.force_login(get_user_model().objects.get(username="reader"))
    assert client.get("/admin/alerts/alert/").content.decode().count("되살려 보내지 않음") == 2
    alert = AlertDelivery.objects.get(alert__title="waits").alert_id
    assert "이미 보냈을 수 있습니다" in client.get(f"/admin/alerts/alert/{alert}/change/").content.decode()


def tell(title, *, at=TEN):
    with one_at_a_time():
        write(News(Kind.FILL, title, title), at=at)


def test_books_of_one_database_are_those_of_the_other(site, at_once, path, tmp_path):
    """On PostgreSQL they go to SQLite and back; on SQLite to another file."""
    get_user_model().objects.create_superuser("owner", "", PASSWORD)
    TargetWeight.objects.create(
        account_no="12345678", product_code="01", is_paper=False, stock_code="005930", percent="12.5"
    )
    SyncRun.objects.create(
        is_paper=False,
        job="sync",
        account_no="12345678",
        product_code="01",
        started_at=TEN,
        steps=[{"b": "'\"\\\n가", "a": None}],
    )
    make_order()
    back_up(path)
    digests = rows_of(path)
    with standing_in(file_database(tmp_path / "other.sqlite3")) as other:
        call_command("migrate", verbosity=0)
        bring_back(path)
        order = PendingOrder.objects.get()
        assert (order.state, SyncRun.objects.get().steps) == (
            State.ABANDONED,
            [{"b": "'\"\\\n가", "a": None}],
        )
        back_up(tmp_path / "again.tar")
        other.close()
    again = rows_of(tmp_path / "again.tar")
    touched = {
        "alert",
        "trading_order",
        "trading_order_event",
        "trading_audit_head",
        "trading_kill_switch",
    }
    assert {name for name in digests if digests[name] != again[name]} == touched
    bring_back(tmp_path / "again.tar")
    assert get_user_model().objects.get().check_password(PASSWORD)
    assert str(TargetWeight.objects.get().percent) in {"12.50", "12.5"}


def rows_of(path):
    """Return what a backup says of the rows of each table."""
    with members_of(open_envelope(path), OWNER) as members:
        [rows] = [member.json() for member in members if member.name == making.ROWS]
    return rows


def test_backup_of_an_older_schema_goes_on_to_todays(site, path):
    call_command("migrate", "reports", "zero", verbosity=0)
    back_up(path)
    call_command("migrate", verbosity=0)
    assert bring_back(path).built.header.version
    assert ("reports", "0001_published_report") in MigrationRecorder(connection).applied_migrations()
    with one_moment() as reader:
        assert "published_report" in {table.name for table in tables_of(reader)}


def test_backup_is_of_one_moment_however_long_it_takes(site):
    SyncRun.objects.create(is_paper=False, job="sync", account_no="1", product_code="01", started_at=TEN)
    own = connections["default"]
    with one_moment() as reader:
        counts: dict[str, Count] = {}
        members = everything(reader, counts=counts, wanted=Wanted(), at=TEN)
        assert next(members).name == HEADER
        with standing_in(own):
            SyncRun.objects.create(
                is_paper=False, job="sync", account_no="2", product_code="01", started_at=TEN
            )
        list(members)
    assert counts["kis_sync_run"].rows == 1
    assert SyncRun.objects.count() == 2


# --- what stays out, and what comes along when asked -----------------------------------------------------------------


def test_keys_come_along_only_on_request(  # noqa: PLR0917  # fixtures
    site, at_once, path, tmp_path, settings, monkeypatch
):
    settings.SECRET_KEY, settings.AEGIS_ENCRYPTION_KEY = "the-secret-of-this-machine", "the-key"
    env = tmp_path / "env"
    env.write_text("KIS_REAL_APP_KEY=abc\n")
    monkeypatch.setenv("AEGIS_ENV_FILE", str(env))
    back_up(path)
    with members_of(open_envelope(path), OWNER) as members:
        content = b"".join(member.content for member in members)
    assert b"secret-of-this" not in content
    assert b"KIS_REAL_APP_KEY" not in content
    back_up(tmp_path / "with.tar", wanted=Wanted(keys=True))
    restored = bring_back(tmp_path / "with.tar")
    found = {file.name: file.read_text() for file in restored.keys.iterdir()}
    assert found == {
        "secret-key": "the-secret-of-this-machine",
        "encryption-key": "the-key",
        "env": "KIS_REAL_APP_KEY=abc\n",
    }
    assert {stat.S_IMODE(file.stat().st_mode) for file in restored.keys.iterdir()} == {0o600}


def test_without_the_keys_of_then_books_are_read_and_what_is_encrypted_stays_closed(  # noqa: PLR0917  # fixtures
    site, at_once, path, settings, capsys, monkeypatch
):
    key = path.with_name("key.txt")
    key.write_text(f"{OWNER}\n")
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: "교체")
    user = get_user_model().objects.create_user("kim", "", PASSWORD)
    number = AccountNumber.parse("12345678-01")
    account = BrokerAccount(label="내 계좌", mode="real", changed_at=TEN)
    save_account(account, Secrets(app_key="k" * 36, app_secret="s" * 180, account=number, hts_id=""))
    factor = SecondFactor.objects.create(
        user=user, confirmed=True, confirmed_at=TEN, secret_encrypted=encrypt(b32encode(b"x" * 20).decode())
    )
    RecoveryCode.objects.create(factor=factor, digest=digest_of("A" * 16))
    for name, wanted in (("with.tar", Wanted(keys=True)), (path.name, Wanted())):
        back_up(path.with_name(name), wanted=wanted)
    call_command("verify_backup", path, identity=key)
    shown = capsys.readouterr().out
    assert "암호화 키와 .env는 들어 있지 않습니다" in shown
    assert "풀 수 없습니다. 등록한" not in shown  # on this machine all is well

    own, settings.SECRET_KEY = settings.SECRET_KEY, "the secret of another machine"
    call_command("verify_backup", path, identity=key)
    call_command("restore", path, identity=key, replace=True)
    for said in (
        "이 컴퓨터의 키로는 풀 수 없습니다. 등록한 계좌(앱키, 계좌번호): 내 계좌. 두 번째 인증: kim. 백업한 컴퓨터의 SECRET_KEY",
        "지금 키로는 풀 수 없습니다. 등록한 계좌(앱키, 계좌번호): 내 계좌. 두 번째 인증: kim.",
        "manage.py remove_second_factor kim",
    ):
        assert said in (shown := shown + capsys.readouterr().out), said
    account, factor = BrokerAccount.objects.get(), SecondFactor.objects.get()
    for closed in (lambda: account.number, lambda: account.app_key, lambda: factor.secret):
        with pytest.raises(SecretUnreadable, match="AEGIS_ENCRYPTION_KEY"):
            closed()
    assert get_user_model().objects.get().check_password(PASSWORD)
    assert factor.is_recovery("A" * 16)

    call_command("verify_backup", path.with_name("with.tar"), identity=key)
    assert "되살린 뒤 함께 든 키를 옮기면 풀립니다" in capsys.readouterr().out
    call_command("restore", path.with_name("with.tar"), identity=key, replace=True)
    assert "위의 키를 옮기고 다시 시작하면 풀립니다" in capsys.readouterr().out
    [found] = path.parent.glob("restored-keys-*/secret-key")
    settings.SECRET_KEY = found.read_text()
    assert own == settings.SECRET_KEY
    assert BrokerAccount.objects.get().number == number
    assert SecondFactor.objects.get().secret == b32encode(b"x" * 20).decode()


def test_file_opens_with_the_usual_tools_only_and_is_the_owners_alone(site, path):
    get_user_model().objects.create_user("visible-name")
    made = back_up(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.size == path.stat().st_size
    assert b"visible-name" not in path.read_bytes()
    with tarfile.open(path) as outer:
        assert outer.getnames() == ["about.json", "data.age"]
        inner = io.BytesIO()
        pyrage.decrypt_io(outer.extractfile("data.age"), inner, [OWNER])
    inner.seek(0)
    with tarfile.open(fileobj=inner, mode="r:gz") as books:
        users = books.extractfile("tables/auth_user/000001.jsonl").read()
        assert json.loads(users)[4] == "visible-name"
        assert books.getnames()[-1] == "manifest.json"


def test_rows_go_in_parts_that_fit_into_memory(site, at_once, path, monkeypatch):
    monkeypatch.setattr(making, "PART_BYTES", 300)
    for number in range(20):
        SyncRun.objects.create(
            is_paper=False, job="sync", account_no=str(number), product_code="01", started_at=TEN
        )
    back_up(path)
    assert look_into(path).rows >= 20


# --- what cannot be restored -----------------------------------------------------------------------------------------


def test_whatever_is_wrong_with_a_file_changes_nothing(site, in_vain, path, tmp_path):
    back_up(path)
    get_user_model().objects.create_user("still-here")
    whole = path.read_bytes()
    middle = len(whole) // 2
    bad = tmp_path / "bad.tar"
    cases = [
        (whole[:-3_000], Damaged),
        (whole[:middle], Damaged),
        (whole[:300], Damaged),
        (whole[:700], Damaged),
        (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], Damaged),
        (b"", NotOurFile),
        (b"PK\3\4" + bytes(2000), NotOurFile),
        (other_tar(), NotOurFile),
    ]
    for content, error in cases:
        bad.write_bytes(content)
        with pytest.raises(error) as raised:
            bring_back(bad)
        assert str(raised.value).endswith((".", "니다."))
        assert get_user_model().objects.get().username == "still-here"
    with pytest.raises(BackupError, match="없습니다"):
        bring_back(tmp_path / "nowhere.tar")
    with pytest.raises(WrongKey, match="키가 아니거나"):
        restoring.check(open_envelope(path), x25519.Identity.generate())
    assert [name for name in left_in(tmp_path) if name.startswith(".")] == []


def other_tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        info = tarfile.TarInfo("about.json")
        info.size = 20
        tar.addfile(info, io.BytesIO(b'{"product": "other"}'))
    return file.getvalue()


def rewritten(path, into, change):
    """Write a backup again with its members changed."""
    with members_of(open_envelope(path), OWNER) as members:
        changed = list(change(members))
    seal = sealing.seal_for_recipient(str(OWNER.to_public()))
    write_archive(into, changed, seal=seal, about={}, at=0)
    return into


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda values: values["migrations"]["kis"].append("9999_of_the_future"), NewerVersion),
        (lambda values: values["tables"].pop(), Damaged),
        (lambda values: values.pop("tables"), Damaged),
        (lambda values: values.update(demo=not values["demo"]), BackupError),
    ],
)
def test_header_that_does_not_fit_changes_nothing(  # noqa: PLR0917  # fixtures
    site, in_vain, path, tmp_path, change, error
):
    def changed(members):
        for member in members:
            if member.name == HEADER:
                values = member.json()
                change(values)
                yield json_member(HEADER, values)
            else:
                yield member

    back_up(path)
    get_user_model().objects.create_user("still-here")
    with pytest.raises(error):
        bring_back(rewritten(path, tmp_path / "changed.tar", changed))
    assert get_user_model().objects.exists()


@pytest.mark.parametrize("start", [HEADER, "tables/"])
def test_backup_that_opens_brackets_without_end_is_damaged(site, in_vain, path, tmp_path, start):
    def changed(members):
        for member in members:
            yield Member(member.name, b"[" * 100_000) if member.name.startswith(start) else member

    back_up(path)
    with pytest.raises(Damaged):
        bring_back(rewritten(path, tmp_path / "changed.tar", changed))


def test_backup_whose_history_was_changed_is_refused(site, in_vain, path, tmp_path):
    make_order()

    def changed(members):
        for member in members:
            if member.name.startswith("tables/trading_order_event/"):
                content = member.content.replace(b'"proposed"', b'"approved"')
                assert content != member.content
                events = Count()
                for line in content.splitlines(keepends=True):
                    events.add(line)
                yield Member(member.name, content)
            elif member.name == making.ROWS:
                values = member.json()
                values["trading_order_event"] = events.written()
                yield json_member(making.ROWS, values)
            else:
                yield member

    back_up(path)
    with pytest.raises(BackupError, match="주문 이력"):
        bring_back(rewritten(path, tmp_path / "changed.tar", changed))


def test_database_with_rows_is_replaced_only_where_somebody_says_so(site, at_once, path):
    back_up(path)
    get_user_model().objects.create_user("still-here")
    with pytest.raises(NotEmpty, match="1건"):
        bring_back(path, may_replace=lambda header, now: False)
    assert get_user_model().objects.exists()
    bring_back(path)
    assert not get_user_model().objects.exists()


def test_full_disk_leaves_no_backup_behind(site, path, tmp_path):
    make_order()
    with no_file_over(3_000), pytest.raises(BackupError, match="디스크가 가득"):
        back_up(path)
    assert left_in(tmp_path) == []


def test_full_disk_while_restoring_changes_nothing(site, path, tmp_path):
    if connection.vendor == "postgresql":
        pytest.skip("the disk of the server is not ours to fill")
    back_up(path)
    get_user_model().objects.create_user("still-here")
    with no_file_over(300_000), pytest.raises((BackupError, DatabaseError)) as raised:
        bring_back(path)
    assert any(word in str(raised.value).lower() for word in ("full", "disk i/o", "디스크"))
    assert get_user_model().objects.get().username == "still-here"
    assert left_in(tmp_path) == ["books.tar"]


def test_somebody_who_writes_keeps_us_from_changing_over(site, at_once, path, monkeypatch):
    monkeypatch.setattr(restoring, "PATIENCE_SECONDS", 1)
    back_up(path)
    get_user_model().objects.create_user("still-here")
    own, busy = connections["default"], another()
    try:
        with standing_in(busy), transaction.atomic():
            get_user_model().objects.filter(username="still-here").update(first_name="busy")
            with standing_in(own), pytest.raises(BackupError, match="멈춘 뒤 다시"):
                bring_back(path)
    finally:
        busy.close()
    assert get_user_model().objects.get().first_name == "busy"


def test_second_backup_waits_for_nobody(site):
    with alone(), pytest.raises(BackupError, match="실행 중"), alone():
        pass


# --- the commands ----------------------------------------------------------------------------------------------------


def test_passphrase_opens_and_a_wrong_one_does_not():
    closed = sealing.seal_with_passphrase(PASSPHRASE)
    assert str(sealing.open_with_passphrase(closed.wrapped, PASSPHRASE)) == str(closed.opener)
    with pytest.raises(WrongKey, match="암호가 다릅니다"):
        sealing.open_with_passphrase(closed.wrapped, "another long walk")
    with pytest.raises(BackupError, match="12자"):
        sealing.seal_with_passphrase("short")
    assert str(closed.opener) not in repr(closed)


def test_owner_backs_up_and_restores_at_the_terminal(  # noqa: PLR0917  # fixtures
    site, at_once, path, settings, monkeypatch, capsys
):
    settings.BACKUP_RECIPIENT = str(OWNER.to_public())
    key = path.with_name("key.txt")
    key.write_text(f"# created\n{OWNER}\n")
    BrokerAccount.objects.create(
        label="내 계좌",
        mode="real",
        app_key_encrypted="x",
        app_secret_encrypted="x",
        account_encrypted="of another machine",
        account_fingerprint="f",
        changed_at=TEN,
    )
    call_command("backup", output=path, verify=True)
    shown = capsys.readouterr().out
    assert "백업했습니다" in shown
    assert "모두 같은 것을 확인" in shown
    assert "풀 수 없으니" in shown  # the keys are not in it
    with pytest.raises(BackupError, match="이미 있는"):
        call_command("backup", output=path)
    with pytest.raises(BackupError, match="--identity"):
        call_command("verify_backup", path)
    call_command("verify_backup", path, identity=key)
    assert "모두 같습니다" in capsys.readouterr().out

    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", path, identity=key)
    monkeypatch.setattr("sys.stdin", Terminal(attended=False))
    with pytest.raises(CommandError, match="터미널"):
        call_command("restore", path, identity=key, replace=True)
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: "네")
    with pytest.raises(NotEmpty):
        call_command("restore", path, identity=key, replace=True)
    monkeypatch.setattr("builtins.input", lambda prompt: "교체")
    make_order()
    call_command("restore", path, identity=key, replace=True)
    shown = capsys.readouterr().out
    assert "모두 버리고" in shown
    assert "지금 키로는 풀 수 없습니다. 등록한 계좌(앱키, 계좌번호): 내 계좌" in shown
    assert "kill_switch off" in shown
    assert not PendingOrder.objects.exists()


def test_passphrase_is_asked_for_twice_and_never_without_a_terminal(settings, monkeypatch):
    settings.BACKUP_RECIPIENT = settings.BACKUP_PASSPHRASE = ""
    monkeypatch.setattr("sys.stdin", Terminal(attended=False))
    with pytest.raises(BackupError, match="BACKUP_PASSPHRASE"):
        keys.seal()
    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter([PASSPHRASE, "another"])
    monkeypatch.setattr("aegis.backup.keys.getpass.getpass", lambda prompt: next(answers))
    with pytest.raises(BackupError, match="서로 다릅니다"):
        keys.seal()
    settings.BACKUP_RECIPIENT = "age1nothing"
    with pytest.raises(BackupError, match="공개키"):
        keys.seal()


# --- every day -------------------------------------------------------------------------------------------------------


def test_no_folder_no_schedule_and_no_backup(site, settings):
    settings.BACKUP_DIR = ""
    assert BACKUP not in planned()
    assert "BACKUP_DIR" in daily_backup(slot=TEN, now=TEN)


def test_every_day_makes_one_backup_and_keeps_the_newest(site, at_once, settings, tmp_path):
    folder = tmp_path / "backups"
    settings.BACKUP_DIR, settings.BACKUP_KEEP = str(folder), 2
    settings.BACKUP_RECIPIENT = ""
    assert BACKUP in planned()
    with pytest.raises(BackupError, match="BACKUP_RECIPIENT"):
        daily_backup(slot=TEN, now=TEN)
    settings.BACKUP_RECIPIENT = str(OWNER.to_public())
    folder.mkdir()
    (folder / "mine.tar").touch()
    (folder / ".aegis-demo-20261119-000000.tar.4711").touch()  # of a process that was killed
    midnight = TEN.replace(hour=0)
    assert age(TEN) is None
    assert "되살려 확인함" in daily_backup(slot=midnight, now=TEN)
    assert "이미 백업했습니다" in daily_backup(slot=midnight, now=TEN + timedelta(hours=1))
    for day in (1, 2):
        daily_backup(slot=midnight + timedelta(days=day), now=TEN + timedelta(days=day))
    assert [kept.at for kept in backups(folder)] == [TEN + timedelta(days=2), TEN + timedelta(days=1)]
    assert {entry.name for entry in folder.iterdir() if not entry.name.startswith("aegis-")} == {"mine.tar"}
    assert last_backup().at == TEN + timedelta(days=2)
    assert age(TEN + timedelta(days=3)) == timedelta(days=1)


def test_backup_that_cannot_be_restored_is_none(site, at_once, settings, tmp_path, monkeypatch):
    settings.BACKUP_DIR, settings.BACKUP_RECIPIENT = str(tmp_path / "backups"), str(OWNER.to_public())

    def broken(envelope, opener):
        raise Damaged

    monkeypatch.setattr("aegis.backup.daily.check", broken)
    with pytest.raises(Damaged):
        daily_backup(slot=None, now=TEN)
    assert list((tmp_path / "backups").iterdir()) == []


def test_doctor_tells_how_old_the_newest_backup_is(settings, tmp_path):
    case = case_at("http://127.0.0.1:9", now=lambda: TEN)
    settings.AEGIS_DEMO, settings.VAR_DIR, settings.BACKUP_DIR = False, tmp_path, ""
    case = replace(case, demo=False)
    assert_found(health.backups(case), WARNING, "날마다 백업하지 않습니다", "BACKUP_DIR")
    settings.BACKUP_DIR = str(tmp_path / "there")
    assert_found(health.backups(case), PROBLEM, "아직 백업이 없습니다")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "aegis-20261118-000000.tar").touch()
    assert_found(health.backups(case), PROBLEM, "2일 전(11-18 00:00)")
    (tmp_path / "there" / "aegis-20261120-000000.tar").touch()
    assert_found(health.backups(case), OK, "10시간 전")
    assert_found(health.backups(replace(case, demo=True)), SKIPPED, "데모")
