"""Inquiries that once passed for whole."""

import pytest

from kis.client.codes import TR
from kis.client.endpoints.account import unfilled_orders
from kis.client.errors import KisReplyChanged
from kis.client.protocol import RawReply
from tests.kis.scripted import NOON, make_session, reply


def page_without_header(nk):
    body = reply({"rt_cd": "0", "output": [], "ctx_area_fk100": "A^", "ctx_area_nk100": nk.ljust(100)}).body
    return RawReply(200, {}, body)


def test_lost_header_does_not_pass_for_the_last_page():
    """Nothing adds up the open orders: without the header fifty of them would have been all there are."""
    session, _, _ = make_session(page_without_header("0000000050^1"))
    with pytest.raises(KisReplyChanged, match="다음 쪽이 있는지"):
        unfilled_orders(session, today=NOON.date())


def test_lost_header_of_a_last_page_is_no_matter():
    session, script, _ = make_session(page_without_header(""))
    assert len(list(session.pages(TR.UNFILLED, {}))) == len(script.sent) == 1
