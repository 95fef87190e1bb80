"""The half-hourly fetch: every account once a slot, no trouble of one that stops the others, and the files of KB."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from ai.models import Diagnosis
from kis.accounts import configured_accounts
from kis.calendar import use_days
from kis.client.errors import KisMisconfigured
from kis.data_fetch import FetchFailed, accounts_meant, copy, fetch
from kis.korean import SEOUL
from kis.models import KbStatement, KisAccount, MarketDay, SyncRun
from kis.tasks import fetch_data
from tests.kis import kb_files
from tests.kis.fetching import configure, leave_out_prices
from tests.kis.many import run_processes
from tests.kis.syncing import TEN, Broker

pytestmark = pytest.mark.django_db
SLOT = TEN


@pytest.fixture
def owner(settings, simulator, monkeypatch):
    """Return the settings of an owner with a real and a paper account, a little after ten; prices are left out."""
    configure(settings, simulator)
    leave_out_prices(monkeypatch)
    monkeypatch.setattr("django.utils.timezone.now", lambda: TEN + timedelta(minutes=12))
    yield settings
    use_days({})


def fetched(slot=SLOT):
    return list(fetch(configured_accounts(), slot=slot, now=TEN))


def runs():
    return list(SyncRun.objects.order_by("pk").values_list("is_paper", "slot", "status"))


def test_every_account_is_copied_once_a_slot(owner):
    results = fetched()
    assert [result.label for result in results] == ["실전", "모의"]
    assert all("완료, 대사 일치" in result.told for result in results), results
    assert runs() == [(False, SLOT, "complete"), (True, SLOT, "complete")]
    again = fetched()
    assert [str(result) for result in again] == [
        "실전: 다른 프로세스가 이 시각을 이미 맡았습니다.",
        "모의: 다른 프로세스가 이 시각을 이미 맡았습니다.",
    ]
    assert not any(result.failed for result in again)
    assert KisAccount.objects.count() == 2


def test_every_copied_account_is_written_about(owner):
    fetched()
    assert {(row.is_paper, row.reason, row.asked_at) for row in Diagnosis.objects.all()} == {
        (False, "no_key", None),
        (True, "no_key", None),
    }


def test_account_stays_copied_where_nobody_can_write_about_it(owner, caplog):
    owner.DIAGNOSE = "kis.nobody.is_here"
    assert not any(result.failed for result in fetched())
    assert "Nothing could be written about run" in caplog.text


def test_next_slot_and_a_run_by_hand_are_their_own(owner):
    fetched()
    fetched(SLOT + timedelta(minutes=30))
    fetched(None)
    assert [slot for _, slot, _ in runs()] == [
        *[SLOT] * 2,
        *[SLOT + timedelta(minutes=30)] * 2,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (KisMisconfigured("앱키를 확인해 주세요."), "앱키를 확인해 주세요."),
        (OperationalError("database is locked"), "다른 작업이 데이터베이스를 쓰고 있습니다"),
        (ZeroDivisionError("boom"), "예상하지 못한 오류"),
    ],
)
def test_account_that_fails_does_not_stop_the_others(owner, monkeypatch, trouble, words):
    def copy_but_real(connection, *, slot):
        if not connection.environment.is_paper:
            raise trouble
        return copy(connection, slot=slot)

    monkeypatch.setattr("kis.data_fetch.copy", copy_but_real)
    broken, fine = fetched()
    assert (broken.label, broken.failed, fine.failed) == ("실전", True, False)
    assert words in broken.told
    assert "boom" not in broken.told
    assert runs() == [(True, SLOT, "complete")]


def test_broker_that_fails_leaves_a_failed_slot_and_the_other_account(owner, simulator):
    Broker(simulator.real.url).fault("TTTC8434R", "drop_field:dnca_tot_amt")
    broken, fine = fetched()
    assert (broken.failed, fine.failed) == (True, False)
    assert runs() == [(False, SLOT, "failed"), (True, SLOT, "complete")]


def test_remarks_are_counted(owner, simulator):
    Broker(simulator.real.url).fault("TTTC8908R", "drop_field:nrcvb_buy_amt")
    [result, _] = fetched()
    assert result.told.endswith("주의 1건")


# --- which accounts -------------------------------------------------------------------------------------------------


def test_accounts_are_all_or_those_of_a_mode_or_one(owner):
    assert [account.label for account in accounts_meant(None)] == ["실전", "모의"]
    assert [account.label for account in accounts_meant("paper")] == ["모의"]
    assert [account.label for account in accounts_meant(None, "실전")] == ["실전"]


def test_nothing_configured_is_a_sentence(settings, simulator):
    configure(settings, simulator, modes=())
    with pytest.raises(KisMisconfigured, match="설정한 계좌가 없습니다"):
        accounts_meant(None)
    with pytest.raises(KisMisconfigured, match="설정한 모의 계좌가 없습니다"):
        accounts_meant("paper")


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(owner, tmp_path):
    owner.KB_IMPORT_DIR = str(tmp_path)
    return tmp_path


def of_files(now):
    return [result for result in fetch([], slot=SLOT, now=now) if result.label == "KB증권"]


def test_files_of_kb_are_taken_once(folder):
    (folder / "trades.csv").write_bytes(kb_files.sample("trades.csv"))
    later = datetime.now(SEOUL) + timedelta(minutes=5)  # a file of this very moment may still be on its way
    [result] = of_files(later)
    assert str(result) == "KB증권: trades.csv, 새 6행"
    assert of_files(later) == []
    assert KbStatement.objects.count() == 1


def test_stray_file_is_told_and_is_no_failure(folder):
    (folder / "사진.csv").write_bytes(b"\x89PNG")
    [result] = of_files(datetime.now(SEOUL) + timedelta(minutes=5))
    assert result.told.startswith("사진.csv, ")
    assert not result.failed


def test_missing_folder_is_a_failure(folder):
    folder.rmdir()
    [result] = of_files(TEN)
    assert result.failed
    assert "KB_IMPORT_DIR" in result.told


# --- the task -------------------------------------------------------------------------------------------------------

WINDOW: dict[str, Any] = {"minutes": 30, "opens": "08:30", "closes": "16:00"}


def test_task_runs_the_slot_it_was_meant_for_however_late_it_starts(owner):
    told = fetch_data(intended="2026-11-20T00:30:00+00:00", **WINDOW)
    assert told.count("완료") == 2
    assert {slot for _, slot, _ in runs()} == {SLOT - timedelta(minutes=30)}
    assert fetch_data(intended="2026-11-20T00:30:00+00:00", **WINDOW).count("이미 맡았습니다") == 2


def test_task_rests_outside_of_its_window(owner):
    assert "실행 시간" in fetch_data(intended="2026-11-20T17:00:00+09:00", **WINDOW)
    assert "쉬는 날" in fetch_data(intended="2026-11-21T10:00:00+09:00", **WINDOW)
    assert runs() == []


def test_day_the_owner_has_closed_is_no_business_day(owner):
    MarketDay.objects.create(
        day=TEN.date(), opens=False, settles=False, source=MarketDay.Source.MANUAL, updated_at=TEN
    )
    assert "쉬는 날" in fetch_data(intended="2026-11-20T10:00:00+09:00", **WINDOW)


def test_task_that_failed_in_part_is_a_failed_task(owner, simulator):
    Broker(simulator.real.url).fault("TTTC8434R", "drop_field:dnca_tot_amt")
    with pytest.raises(FetchFailed) as failed:
        fetch_data(intended="2026-11-20T10:00:00+09:00", **WINDOW)
    first, second = str(failed.value).splitlines()
    assert first.startswith("실전: 증권사")
    assert second.startswith("모의: 동기화")


@pytest.mark.django_db(transaction=True)
def test_eight_processes_firing_the_same_slot_run_it_once(simulator, tmp_path):
    results = run_processes(simulator, tmp_path, "real", "fetch", "8")
    assert all("told" in result for result in results), results
    told = sorted(result["told"] for result in results)
    assert sum("완료" in text for text in told) == 1, told
    assert sum("이미 맡았습니다" in text for text in told) == 7
    assert {result["runs"] for result in results} == {1}
    assert Broker(simulator.real.url).get("requests")["counts"]["TTTC8434R"] == 1
