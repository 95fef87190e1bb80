"""The account at the broker: token, one cheap inquiry, the rate limit, and what the host offers."""

import time
from datetime import datetime, timedelta

from aegis.health.case import Case, Result, explain, fine, warning
from kis.client.approval import ask_approval_key
from kis.client.codes import TR, Mode
from kis.client.endpoints.account import orderable_cash
from kis.client.errors import KisError
from kis.client.protocol import RawReply, Request
from kis.client.transport import Transport
from kis.korean import SEOUL
from kis.models import AccessToken, RateBudget, SyncRun
from kis.stores import readable

SLOW_SECONDS = 3.0
LAST_RUNS = 20
REFUSED_LATELY = timedelta(days=1)
CALLS_A_SECOND: dict[Mode, int] = {"real": 18, "paper": 1}
#: What the owner calls the inquiries that paper may lack.
NAMES = {
    TR.BALANCE_REALISED: "실현손익 잔고",
    TR.ACCOUNT_ASSETS: "계좌 자산",
    TR.UNFILLED: "미체결",
    TR.SELLABLE: "매도가능수량",
    TR.PERIOD_PROFIT: "기간 손익",
    TR.TRADE_PROFIT: "종목별 매매손익",
    TR.PAST_MINUTES: "지난 날 분봉",
    TR.MULTI_PRICE: "여러 종목 시세",
    TR.INDEX_PRICE: "지수",
    TR.HOLIDAYS: "휴장일",
    TR.STOCK_INFO: "종목 정보",
}


def token(case: Case) -> Result:
    """See whether a token is there; one is asked for only if not, since each new one messages the owner's phone."""
    row = AccessToken.objects.filter(key_id=case.session.key_id).first()
    try:
        stored = readable(row) if row else None
        if stored and stored.is_fresh(case.now()):
            return fine(f"저장된 토큰이 {moment(stored.expires_at)}까지 유효합니다.")
        fresh = case.session.token()
    except KisError as error:
        return explain(error)
    message = "" if case.demo else " 휴대폰에 알림톡이 갑니다."
    until = f"{moment(fresh.expires_at)}까지 유효합니다.{message}"
    if row and row.token_encrypted and stored is None:
        return warning(
            f"저장된 토큰을 풀 수 없어 새로 받았습니다. {until}",
            "AEGIS_ENCRYPTION_KEY나 SECRET_KEY를 바꾸지 않았다면 모든 서버가 같은 값을 쓰는지 확인해 주세요.",
        )
    why = "토큰이 곧 끝나" if stored else "토큰이 없어"
    return fine(f"{why} 새로 받았습니다. {until}")


def moment(at: datetime) -> str:
    return f"{at.astimezone(SEOUL):%m-%d %H:%M}"


class Timed:
    """A transport that remembers how long the broker took."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.seconds = 0.0

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        began = time.monotonic()
        try:
            return self.inner.send(request, timeout_seconds=timeout_seconds)
        finally:
            self.seconds = time.monotonic() - began


def inquiry(case: Case) -> Result:
    """Ask the broker one cheap question about this account."""
    session = case.session
    timed = session.transport = Timed(session.transport)
    try:
        orderable_cash(session)
    except KisError as error:
        return explain(error)
    finally:
        session.transport = timed.inner
    if timed.seconds > SLOW_SECONDS:
        return warning(
            f"주문가능금액을 받는 데 {timed.seconds:.1f}초 걸렸습니다.",
            "잠시 후 다시 확인해 주세요. 장 시작 무렵과 모의투자는 원래 느릴 수 있습니다.",
        )
    return fine(f"주문가능금액을 {timed.seconds:.2f}초 만에 받았습니다.")


def rate_limit(case: Case) -> Result:
    """See whether the broker has refused calls for their number lately."""
    budget = RateBudget.objects.filter(key_id=case.session.key_id).first()
    environment = case.environment
    runs = SyncRun.objects.of(environment.account, is_paper=environment.is_paper)[:LAST_RUNS]
    refused = sum(run.rate_limited for run in runs)
    if refused:
        seen = f"최근 동기화 {len(runs)}번에서 초당 거래건수 초과가 {refused}번 있었습니다."
    elif budget and budget.refused_at and budget.refused_at > case.now() - REFUSED_LATELY:
        seen = f"{moment(budget.refused_at)}에 초당 거래건수를 초과했습니다."
    else:
        return fine(
            f"1초에 {CALLS_A_SECOND[case.mode]}번까지 모든 프로세스가 나누어 씁니다. 거절된 호출이 없습니다."
        )
    return warning(
        seen,
        "같은 앱키를 쓰는 다른 프로그램을 멈춰 주세요. 새로 가입한 고객은 처음 3일 동안 한도가 더 낮습니다.",
    )


def offered(case: Case) -> Result:
    """List the inquiries this host does not have at all."""
    missing = [tr for tr in TR if not case.environment.offers(tr)]
    if not missing:
        return fine(f"조회 {len(TR)}가지를 모두 제공합니다.")
    names = ", ".join(NAMES.get(tr, tr.name) for tr in missing)
    return fine(f"조회 {len(TR)}가지 가운데 {len(missing)}가지는 모의투자에 없습니다(모의 미지원): {names}.")


def approval(case: Case) -> Result:
    """Ask for the key of the realtime feed, as every connection does; nobody is messaged about it."""
    try:
        ask_approval_key(case.environment, case.session.transport, at=case.now())
    except KisError as error:
        return explain(error)
    if not case.environment.hts_id:
        return fine(
            f"실시간 시세에 접속할 수 있습니다. {case.setting('HTS_ID', 'HTS ID')}가 없어 체결통보는 받지 않습니다."
        )
    return fine("실시간 시세와 체결통보에 접속할 수 있습니다.")
