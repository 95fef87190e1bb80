"""What can go wrong at the broker, sorted by what to do now. Texts are for the owner; secrets never appear."""

#: What the owner can do about a refusal, by the broker's code.
ADVICE = {
    "EGW00103": "앱키를 확인해 주세요.",
    "EGW00105": "앱시크릿을 확인해 주세요.",
    "EGW02004": "실전 주소에는 실전 앱키를 넣어 주세요.",
    "EGW02006": "모의투자 주소에는 모의투자 앱키를 넣어 주세요.",
    "OPSQ2000": "계좌번호와, 앱키를 발급받은 계좌가 맞는지 확인해 주세요.",
    "40240000": "모의투자 참가 신청을 하고 예수금이 들어왔는지 확인해 주세요.",
    "40910000": "이번 모의투자에 참가 신청을 했는지 확인해 주세요.",
}


class KisError(Exception):
    """Base of all errors of the client; `str()` is one Korean sentence for the owner."""


class KisMisconfigured(KisError):
    """Keys, host or account number cannot be right; nothing was sent."""


class NotOffered(KisError):
    """The paper host does not have this transaction; nothing was sent."""

    def __init__(self, tr_name: str) -> None:
        super().__init__("모의투자에서는 제공하지 않는 조회입니다. (모의 미지원)")
        self.tr_name = tr_name


class UnknownCode(KisError):
    """The broker does not know this code; on the wire that is a price of zero, which must never pass for one."""

    def __init__(self, code: str) -> None:
        super().__init__(f"증권사가 모르는 코드입니다: {code}. 종목코드나 지수코드를 확인해 주세요.")
        self.code = code


class KisUnreachable(KisError):
    """No answer, or one that cannot be read: a read may be tried again, an order would be UNKNOWN.

    `reason` says in Korean what was seen: time-out, closed connection, a page of HTML, broken JSON. `never_sent` is
    true only where no connection came about, so that not one byte of the request can have left.
    """

    def __init__(self, reason: str, *, tr_id: str = "", status: int = 0, never_sent: bool = False) -> None:
        where = f" ({tr_id})" if tr_id else ""
        super().__init__(f"증권사의 응답을 받지 못했습니다{where}: {reason}. 잠시 후 다시 시도해 주세요.")
        self.reason = reason
        self.tr_id = tr_id
        self.status = status
        self.never_sent = never_sent


class OrderNotSent(KisError):
    """The order has provably never left this machine; it may be asked for anew."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"주문을 보내지 못했습니다: {reason}. 증권사에는 아무것도 전달되지 않았습니다.")
        self.reason = reason


class OrderUnknown(KisError):
    """The order may or may not have reached the exchange: never send it again, look for it in the order list."""

    def __init__(self, reason: str, *, tr_id: str, status: int = 0) -> None:
        super().__init__(
            f"주문의 결과를 확인하지 못했습니다: {reason} ({tr_id}). 다시 주문하지 마시고 주문내역에서 접수 여부를 먼저 확인해 주세요."
        )
        self.reason = reason
        self.tr_id = tr_id
        self.status = status


class KisRefused(KisError):
    """A clear no from the broker, with its own code and text, and what to do about it where that is known."""

    advice = ""

    def __init__(self, *, rt_cd: str, msg_cd: str, message: str, tr_id: str, status: int = 200) -> None:
        text = message.strip().rstrip(".")
        advice = ADVICE.get(msg_cd, self.advice)
        super().__init__(
            f"증권사가 거절했습니다: {text} ({msg_cd}, {tr_id})" + (f". {advice}" if advice else "")
        )
        self.rt_cd = rt_cd
        self.msg_cd = msg_cd
        self.message = message.strip()
        self.tr_id = tr_id
        self.status = status


class TokenExpired(KisRefused):
    """The access token is no longer valid (EGW00121, EGW00123): issue one anew, once."""

    advice = "앱키가 다른 곳에서 폐기되지 않았는지 확인해 주세요."


class RateLimited(KisRefused):
    """Too many calls in this second (EGW00201): the call was not executed, wait and repeat."""

    advice = "같은 앱키를 쓰는 다른 프로그램이 없는지 확인하고 잠시 후 다시 시도해 주세요."


class TokenTooSoon(KisRefused):
    """A token was issued less than a minute ago (EGW00133): wait, never hammer."""

    advice = "1분 뒤에 다시 시도해 주세요."


class KisReplyChanged(KisError):
    """A field we rely on is missing or unreadable, or pages do not fit together; nothing of the reply is used."""

    def __init__(self, field: str, *, tr_id: str, problem: str) -> None:
        super().__init__(f"증권사 응답을 믿을 수 없어 저장하지 않았습니다: {problem} ({tr_id}, {field})")
        self.field = field
        self.tr_id = tr_id
        self.problem = problem
