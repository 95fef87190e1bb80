"""What `manage.py doctor` examines, in the order it is told."""

from django.db import DatabaseError, connection

from aegis.health import account as account_checks
from aegis.health import (
    advisor,
    alerts,
    backups,
    broker,
    configuration,
    database,
    files,
    findings,
    jobs,
    orders,
)
from aegis.health.case import Case, Check, Line, Status, examine_one, not_reached, open_case
from aegis.health.database import is_missing_file
from kis.accounts import Account, configured_accounts, environment_accounts, meant_if_any
from kis.client.codes import Mode
from kis.client.errors import KisMisconfigured

KEYS, DATABASE, HOST, TOKEN = "키와 계좌", "데이터베이스", "증권사 연결", "접근 토큰"
CHECKS = (
    Check("설정 파일", configuration.env_file),
    Check("모드", configuration.mode),
    Check(KEYS, configuration.keys),
    Check("비밀 보관", configuration.secrecy),
    Check(DATABASE, database.database),
    Check(HOST, broker.host, needs=(KEYS,)),
    Check("인증서", broker.certificate, needs=(HOST,)),
    Check("시계", broker.clock, needs=(HOST,)),
    Check(TOKEN, account_checks.token, needs=(KEYS, DATABASE, HOST)),
    Check("계좌 조회", account_checks.inquiry, needs=(TOKEN,)),
    Check("호출 한도", account_checks.rate_limit, needs=(KEYS, DATABASE)),
    Check("제공 조회", account_checks.offered, needs=(KEYS,)),
    Check("실시간 접속키", account_checks.approval, needs=(KEYS, HOST)),
    Check("글꼴", files.fonts),
    Check("자료 폴더", files.own_folder),
    Check("리포트 폴더", files.report_folder),
    Check("동기화 폴더", files.sync_folder),
    Check("가져오기 폴더", files.import_folder),
    Check("백업", backups.backups),
    Check("예약 작업", jobs.schedules, needs=(DATABASE,)),
    Check("작업자", jobs.worker, needs=(DATABASE,)),
    Check("마지막 동기화", jobs.last_sync, needs=(DATABASE, KEYS)),
    Check("주문", orders.trading, needs=(DATABASE,)),
    Check("알림", alerts.alerts, needs=(DATABASE,)),
    Check("AI 진단", advisor.advisor, needs=(DATABASE,)),
    Check("응답 변화", findings.drift, needs=(DATABASE,)),
)


def examine(case: Case) -> list[Line]:
    """Run every check; one whose ground is broken is skipped and says so."""
    lines, broken = [], set[str]()
    for check in CHECKS:
        ground = next((name for name in check.needs if name in broken), None)
        line = not_reached(check, ground) if ground else examine_one(check, case)
        lines.append(line)
        if ground or line.status is Status.PROBLEM:
            broken.add(check.name)
    return lines


def accounts_as_far_as_known() -> list[Account]:
    """Return the configured accounts; without a database those of the environment are all that can be known."""
    if is_missing_file(connection):
        return environment_accounts()
    try:
        return configured_accounts()
    except (DatabaseError, KisMisconfigured):
        return environment_accounts()


def examine_account(mode: Mode | None, name: str = "") -> tuple[Case, list[Line]]:
    """Open a case for an account and examine it. Raises KisMisconfigured where several may be meant."""
    mode, account = meant_if_any(accounts_as_far_as_known(), mode, name)
    with open_case(mode, account) as case:
        return case, examine(case)
