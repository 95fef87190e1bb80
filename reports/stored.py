"""Files that have been published, found again in their storage by their row: the same bytes or none."""

import hashlib
from collections.abc import Iterator

from kis.access import Somebody, access_of
from kis.accounts import Account
from kis.client.codes import AccountNumber
from reports.models import PublishedReport
from reports.publishing import OUTGOING
from reports.shelf import Place

LAST = "last"


class NotThere(Exception):
    """There is no such report, or its file has made room for a later one; the text is a sentence for the owner."""


def report_asked_for(wanted: str, *, user: Somebody, account: Account | None) -> PublishedReport:
    """Return the row of a number, or with `last` the newest of an account, if the user may see it. Raises NotThere."""
    if wanted == LAST and account is not None:
        mine = PublishedReport.objects.of(account.number_or_reason(), is_paper=account.is_paper)
        row = mine.order_by("-published_at", "-id").first()
    else:
        is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 19  # noqa: PLR2004  # what a column holds
        row = PublishedReport.objects.filter(pk=int(wanted)).first() if is_number else None
    if row is None or not sees(user, row):
        raise NotThere("이 리포트의 기록이 없습니다.")
    return row


def sees(user: Somebody, row: PublishedReport) -> bool:
    return access_of(user).sees(AccountNumber(row.account_no, row.product_code), is_paper=row.is_paper)


def file_of(row: PublishedReport) -> bytes:
    """Return the file of a row, wherever it lies by now. Raises NotThere, and PublishFailed where nobody can tell."""
    for place in places_of(row):
        data = place.read()
        if data is not None and len(data) == row.size and hashlib.sha256(data).hexdigest() == row.sha256:
            return data
    raise NotThere("이 파일은 남아 있지 않습니다. 저장소에는 마지막 리포트와 그 바로 전 것만 둡니다.")


def places_of(row: PublishedReport) -> Iterator[Place]:
    usual = Place.named(row.file_name)
    for place in (usual, usual.beside(OUTGOING)):
        yield place
        yield place.previous
