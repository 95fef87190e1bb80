"""Inquiries that once passed for whole, and tokens that were asked for more than once."""

import threading
import time

import pytest

from kis.client.auth import MemoryTokenStore, Token
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


def test_threads_that_start_cold_ask_for_one_token():
    """The broker gives out one a minute; whoever else asked was refused."""
    store, asked, got = MemoryTokenStore(), [], []

    def ask():
        asked.append(threading.current_thread())
        time.sleep(0.02)
        return Token("eyJ-a-token", NOON)

    threads = [
        threading.Thread(target=lambda: got.append(store.renew("key", seen=0, ask=ask))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asked) == 1
    assert {token.generation for token in got} == {1}
