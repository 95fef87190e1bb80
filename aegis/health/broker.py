"""The way to the broker's host: name, port, certificate, and what time it is there."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from aegis.health.case import Case, Result, fine, problem, skipped, warning
from kis.clock_skew import measure_skew

TIMEOUT_SECONDS = 5.0
SOON_DAYS = 14
SKEW_WARNING_SECONDS, SKEW_PROBLEM_SECONDS = 2.0, 10.0


def address_of(case: Case) -> tuple[str, int]:
    address = urlsplit(case.environment.base_url)
    return address.hostname or "", address.port or (443 if address.scheme == "https" else 80)


def setting_of(case: Case) -> str:
    return case.setting("BASE_URL", "REST 주소")


def host(case: Case) -> Result:
    """See whether the name is known and the port answers."""
    name, port = address_of(case)
    began = time.monotonic()
    try:
        with socket.create_connection((name, port), timeout=TIMEOUT_SECONDS):
            seconds = time.monotonic() - began
    except socket.gaierror:
        return problem(
            f"{name}의 주소를 찾지 못했습니다(DNS).",
            f"인터넷 연결과 DNS, {setting_of(case)}를 확인해 주세요.",
        )
    except TimeoutError:
        return problem(
            f"{name}:{port}이 {TIMEOUT_SECONDS:.0f}초 안에 답하지 않습니다.",
            f"방화벽이 {port}번 포트를 막지 않는지, 증권사가 점검 중이 아닌지 확인해 주세요.",
        )
    except OSError:
        return problem(
            f"{name}:{port}에 연결하지 못했습니다.",
            f"인터넷 연결과 {setting_of(case)}를 확인해 주세요. 시뮬레이터라면 켜져 있는지 확인해 주세요.",
        )
    return fine(f"{name}:{port}에 {seconds:.2f}초 만에 연결했습니다.")


def certificate(case: Case) -> Result:
    """See whether the host proves who it is, and for how long."""
    if urlsplit(case.environment.base_url).scheme != "https":
        return skipped("이 컴퓨터의 시뮬레이터는 인증서를 쓰지 않습니다.")
    name, port = address_of(case)
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)  # the authorities the client trusts
    try:
        with (
            socket.create_connection((name, port), timeout=TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            ends = (secured.getpeercert() or {})["notAfter"]
    except ssl.SSLCertVerificationError as error:
        return problem(
            f"{name}의 인증서를 믿을 수 없습니다. ({error.verify_message})",
            "이 컴퓨터의 시계를 맞추고, 회사 보안 장비가 통신을 가로채지 않는지 확인해 주세요. 그때까지 쓰지 마세요.",
        )
    except OSError:
        return problem(
            "안전한 연결(TLS)을 맺지 못했습니다.", "방화벽이나 보안 프로그램이 막지 않는지 확인해 주세요."
        )
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) - case.now()) // timedelta(
        days=1
    )
    if days < SOON_DAYS:
        return warning(
            f"{name}의 인증서가 {days}일 뒤에 끝납니다.",
            "증권사가 바꿀 때까지 기다려 주세요. 그때 연결이 끊길 수 있습니다.",
        )
    return fine(f"올바른 인증서입니다. {days}일 남았습니다.")


def clock(case: Case) -> Result:
    """Compare our clock with the broker's; tokens and the day of an order hang on it."""
    found = measure_skew(case.environment, now=case.now)
    if found is None:
        return skipped("증권사가 시각을 알려 주지 않아 비교할 수 없습니다.")
    skew, trip = found
    # The reply may have been stamped at any moment of the round trip: only what exceeds half of it is certain.
    certain = max(abs(skew) - trip / 2, 0.0)
    way = "느립니다" if skew > 0 else "빠릅니다"
    remedy = "시계를 자동으로 맞추어 주세요: timedatectl set-ntp true"
    if certain > SKEW_PROBLEM_SECONDS:
        return problem(f"이 컴퓨터의 시계가 {certain:.1f}초 {way}.", remedy)
    if certain > SKEW_WARNING_SECONDS:
        return warning(f"이 컴퓨터의 시계가 {certain:.1f}초 {way}.", remedy)
    return fine(f"증권사와 {SKEW_WARNING_SECONDS:.0f}초 안에서 같습니다(왕복 {trip:.2f}초).")
