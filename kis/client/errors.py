"""What can go wrong at the broker, sorted by what to do now. Texts are for the owner; secrets never appear."""


class KisError(Exception):
    """Base of all errors of the client; `str()` is one Korean sentence for the owner."""


class KisMisconfigured(KisError):
    """Keys, host or account number cannot be right; nothing was sent."""


class NotOffered(KisError):
    """The paper host does not have this transaction; nothing was sent."""

    def __init__(self, tr_name: str) -> None:
        super().__init__("모의투자에서는 제공하지 않는 조회입니다. (모의 미지원)")
        self.tr_name = tr_name


class KisUnreachable(KisError):
    """No answer, or one that cannot be read: a read may be tried again, an order would be UNKNOWN.

    `reason` says in Korean what was seen: time-out, closed connection, a page of HTML, broken JSON.
    """

    def __init__(self, reason: str, *, tr_id: str = "", status: int = 0) -> None:
        where = f" ({tr_id})" if tr_id else ""
        super().__init__(f"증권사의 응답을 받지 못했습니다{where}: {reason}. 잠시 후 다시 시도해 주세요.")
        self.reason = reason
        self.tr_id = tr_id
        self.status = status


class KisRefused(KisError):
    """A clear no from the broker, with its own code and text."""

    def __init__(self, *, rt_cd: str, msg_cd: str, message: str, tr_id: str, status: int = 200) -> None:
        text = message.strip().rstrip(".")
        super().__init__(f"증권사가 거절했습니다: {text} ({msg_cd}, {tr_id})")
        self.rt_cd = rt_cd
        self.msg_cd = msg_cd
        self.message = message.strip()
        self.tr_id = tr_id
        self.status = status


class TokenExpired(KisRefused):
    """The access token is no longer valid (EGW00121, EGW00123): issue one anew, once."""


class RateLimited(KisRefused):
    """Too many calls in this second (EGW00201): the call was not executed, wait and repeat."""


class TokenTooSoon(KisRefused):
    """A token was issued less than a minute ago (EGW00133): wait, never hammer."""


class KisReplyChanged(KisError):
    """A field we rely on is missing or unreadable, or pages do not fit together; nothing of the reply is used."""

    def __init__(self, field: str, *, tr_id: str, problem: str) -> None:
        super().__init__(f"증권사 응답을 믿을 수 없어 저장하지 않았습니다: {problem} ({tr_id}, {field})")
        self.field = field
        self.tr_id = tr_id
        self.problem = problem
