"""Settings: the .env file, mode, keys, and what guards the secrets."""

import os
import stat
from pathlib import Path

from django.conf import settings

from aegis.health.case import Case, Result, fine, problem, skipped, warning
from kis.accounts import MODE_NAMES, configured_environment
from kis.client.codes import ACCOUNT_NO, APP_KEY_LENGTH, APP_SECRET_LENGTH, LOCAL_HOSTS, address_of
from kis.client.errors import KisMisconfigured
from kis.encryption import cipher
from kis.korean import masked_account

SHORTEST_SECRET = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def env_file(case: Case) -> Result:
    """See whether the file can be read, and by its owner only."""
    path = Path(os.environ.get("AEGIS_ENV_FILE") or settings.BASE_DIR / ".env")
    try:
        path.read_text(encoding="utf-8-sig")
        mode = path.stat().st_mode
    except FileNotFoundError:
        how = "데모로 움직입니다" if case.demo else "환경 변수로 설정되어 있습니다"
        return skipped(f"{path.name} 파일이 없습니다. {how}.")
    except UnicodeDecodeError:
        return problem(f"{path.name} 파일이 UTF-8이 아닙니다.", "편집기에서 UTF-8로 다시 저장해 주세요.")
    except OSError:
        return problem(
            f"{path.name} 파일을 읽을 수 없습니다.",
            f"파일의 소유자와 권한을 확인해 주세요: chmod 600 {path.name}",
        )
    if mode & OTHERS:
        return warning(f"{path.name} 파일을 다른 사용자도 볼 수 있습니다.", f"chmod 600 {path.name}")
    return fine(f"{path.name} 파일을 본인만 읽을 수 있습니다.")


def mode(case: Case) -> Result:
    """Say which account is examined, and whether that may surprise the owner."""
    name = f"{MODE_NAMES[case.mode]}투자"
    if case.demo:
        text = f"데모입니다. 함께 든 시뮬레이터의 {name} 계좌를 씁니다."
        if any(account["app_key"] for account in settings.KIS_ACCOUNTS.values()):
            return warning(
                f"{text} 설정한 키는 쓰지 않습니다.", ".env에서 AEGIS_DEMO를 지우면 내 계좌를 씁니다."
            )
        return fine(text)
    configured = settings.KIS_ACCOUNTS[case.mode]["base_url"]
    address = case.environment.base_url if case.connection else configured
    if address_of(address).hostname in LOCAL_HOSTS:
        return warning(
            f"{name} 설정이 증권사가 아니라 이 컴퓨터의 시뮬레이터를 가리킵니다.",
            f"시험이 끝나면 {case.setting('BASE_URL', 'REST 주소')} 값을 지워 주세요.",
        )
    label = f" '{case.account.label}'" if case.account and case.is_stored else ""
    return fine(f"{name} 계좌{label}를 씁니다.")


def keys(case: Case) -> Result:
    """See whether keys, account number and addresses have the form they must have."""
    if case.demo:
        return kept_keys(case, "시뮬레이터의 예시 계좌", "다른 데모 명령이 끝난 뒤 다시 실행해 주세요.")
    if case.is_stored:
        return kept_keys(
            case, "데이터베이스에 든 키, 계좌", "관리자 화면의 '연결한 계좌'에서 다시 넣어 주세요."
        )
    found = wrong_keys(case)
    if found:
        return problem(
            " ".join(found),
            f"KIS Developers에서 다시 복사해 .env의 KIS_{case.mode.upper()}_… 값을 고쳐 주세요.",
        )
    try:
        account = configured_environment(case.mode).account
    except KisMisconfigured as error:
        return problem(str(error), f".env의 KIS_{case.mode.upper()}_… 주소를 확인해 주세요.")
    if case.trouble:
        return problem(case.trouble, "설정을 고친 뒤 다시 실행해 주세요.")
    return fine(
        f"앱키 {APP_KEY_LENGTH}자, 앱시크릿 {APP_SECRET_LENGTH}자, 계좌 "
        f"{masked_account(account.number, account.product_code)}."
    )


def kept_keys(case: Case, whose: str, remedy: str) -> Result:
    """See whether keys that are not typed into a file can be had; they cannot be of a wrong form."""
    if case.trouble:
        return problem(case.trouble, remedy)
    account = case.environment.account
    return fine(f"{whose} {masked_account(account.number, account.product_code)}.")


def wrong_keys(case: Case) -> list[str]:
    """Return a sentence for everything that cannot be right; none repeats a value."""
    values = settings.KIS_ACCOUNTS[case.mode]
    prefix = f"KIS_{case.mode.upper()}_"
    found = []
    for name, length in (("app_key", APP_KEY_LENGTH), ("app_secret", APP_SECRET_LENGTH)):
        if not values[name]:
            found.append(f"{prefix}{name.upper()} 값이 없습니다.")
        elif len(values[name]) != length:
            found.append(f"{prefix}{name.upper()} 값이 {len(values[name])}자입니다({length}자여야 함).")
    if not values["account_no"]:
        found.append(f"{prefix}ACCOUNT_NO 값이 없습니다.")
    elif not ACCOUNT_NO.fullmatch(values["account_no"]):
        found.append(f"{prefix}ACCOUNT_NO 값이 12345678-01 모양이 아닙니다.")
    if not address_of(values["base_url"]).hostname:
        found.append(f"{prefix}BASE_URL 값이 주소가 아닙니다.")
    return found


def secrecy(case: Case) -> Result:
    """See whether stored tokens can be encrypted, and whether the site's own secret is one."""
    try:
        cipher()
    except KisMisconfigured:
        return problem(
            "AEGIS_ENCRYPTION_KEY가 올바른 암호화 키가 아닙니다.",
            ".env.example의 설명대로 다시 만들거나, 지워서 SECRET_KEY를 쓰게 해 주세요.",
        )
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        return warning(
            f"SECRET_KEY가 {len(settings.SECRET_KEY)}자로 짧습니다.",
            f"{SHORTEST_SECRET}자 이상의 무작위 글자로 바꾸거나, 지워서 저절로 만들어지게 해 주세요.",
        )
    if settings.DEBUG and not case.demo:
        return warning(
            "DEBUG가 켜져 있어 오류 화면에 설정이 드러날 수 있습니다.", ".env에서 DEBUG를 지워 주세요."
        )
    source = "AEGIS_ENCRYPTION_KEY" if settings.AEGIS_ENCRYPTION_KEY else "SECRET_KEY"
    return fine(f"앱키와 접근 토큰을 {source}로 암호화해 둡니다.")
