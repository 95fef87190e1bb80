"""Requests that once ended in a page of the web server, or in a connection that said no more."""

import json

import pytest
import requests
from websockets.sync.client import connect

HALF = "\ud800"  # half a surrogate pair: JSON can write it, no text can hold it


@pytest.mark.parametrize("path", ["/uapi/hashkey", "/_sim/external-order"])
def test_half_a_character_is_answered_like_any_other(real, path):
    body = json.dumps({"side": "buy", "code": HALF, "qty": 1})

    reply = requests.post(real.endpoint.url + path, data=body, headers=real.headers("TTTC0012U"), timeout=60)

    assert reply.status_code in {200, 400}
    assert reply.json()


def test_half_a_character_does_not_silence_the_websocket(real):
    keys = {"appkey": real.endpoint.app_key, "secretkey": real.endpoint.app_secret}
    approval = real.post("/oauth2/Approval", {"grant_type": "client_credentials", **keys}).json()
    header = {"approval_key": approval["approval_key"], "custtype": "P", "tr_type": "1"}

    with connect(real.endpoint.ws) as line:
        for code in (HALF, "005930"):
            line.send(
                json.dumps({"header": header, "body": {"input": {"tr_id": "H0STCNT0", "tr_key": code}}})
            )
        answers = [json.loads(line.recv(60))["body"]["msg_cd"] for _ in range(2)]

    assert answers == ["OPSP8992", "OPSP0000"]


@pytest.mark.parametrize("seconds", ["99999999999", "9" * 5000, "٣"])
def test_lateness_beyond_any_date_is_refused(real, seconds):
    refused = real.control("faults", {"tr": "TTTC8434R", "kind": f"late_visible:{seconds}"})
    assert refused.status_code == 400
    assert real.balance().status_code == 200
