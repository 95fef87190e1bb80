"""What tests ask: a running simulator by a bare caller, so that the wire is what is asserted, or our API as its owner."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from django.core.cache import cache

from kis.simulator.hours import KST
from kis.simulator.server import Endpoint, Simulator, SimulatorConfig
from tests.kis.api_rows import Api
from tests.kis.owning import of_owner
from tests.kis.syncing import leave_out_stocks_and_prices

TEN_ON_FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=KST)
TRADING = "/uapi/domestic-stock/v1/trading"
CHART = "/uapi/domestic-stock/v1/quotations/inquire-daily-itemchartprice"


@dataclass
class Caller:
    """Sends what a client of one host would send."""

    endpoint: Endpoint
    token: str = ""

    def post(self, path, body):
        return requests.post(self.endpoint.url + path, json=body, timeout=60)

    def ask_token(self, **changes):
        keys = {"appkey": self.endpoint.app_key, "appsecret": self.endpoint.app_secret}
        return self.post("/oauth2/tokenP", {"grant_type": "client_credentials", **keys, **changes})

    def headers(self, tr_id, **changes):
        if not self.token:
            self.token = self.ask_token().json()["access_token"]
        headers = {
            "authorization": f"Bearer {self.token}",
            "appkey": self.endpoint.app_key,
            "appsecret": self.endpoint.app_secret,
            "tr_id": tr_id,
        }
        return headers | changes

    def get(self, path, tr_id, params, **headers):
        url = self.endpoint.url + path
        return requests.get(url, params=params, headers=self.headers(tr_id, **headers), timeout=60)

    def of_account(self, cursor=("", "")):
        number, product = self.endpoint.account.split("-")
        fk, nk = cursor
        return {"CANO": number, "ACNT_PRDT_CD": product, "CTX_AREA_FK100": fk, "CTX_AREA_NK100": nk}

    def balance(self, *, tr_id="TTTC8434R", cursor=("", ""), without=(), **changes):
        params = {
            **self.of_account(cursor),
            "AFHR_FLPR_YN": "N",
            "OFL_YN": "",
            "INQR_DVSN": "02",
            "UNPR_DVSN": "01",
            "FUND_STTL_ICLD_YN": "N",
            "FNCG_AMT_AUTO_RDPT_YN": "N",
            "PRCS_DVSN": "00",
            **changes,
        }
        params = {name: value for name, value in params.items() if name not in without}
        return self.get(f"{TRADING}/inquire-balance", tr_id, params)

    def orders(self, *, tr_id="TTTC0081R", cursor=("", ""), start="20261120", end="20261120", **changes):
        params = {
            **self.of_account(cursor),
            "INQR_STRT_DT": start,
            "INQR_END_DT": end,
            "SLL_BUY_DVSN_CD": "00",
            "INQR_DVSN": "00",
            "PDNO": "",
            "CCLD_DVSN": "00",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "INQR_DVSN_3": "00",
            "INQR_DVSN_1": "",
            **changes,
        }
        return self.get(f"{TRADING}/inquire-daily-ccld", tr_id, params)

    def open_orders(self, *, tr_id="TTTC0084R", cursor=("", ""), **changes):
        params = {**self.of_account(cursor), "INQR_DVSN_1": "0", "INQR_DVSN_2": "0", **changes}
        return self.get(f"{TRADING}/inquire-psbl-rvsecncl", tr_id, params)

    def buying_power(self, *, tr_id="TTTC8908R", **changes):
        params = {
            **self.of_account(),
            "PDNO": "005930",
            "ORD_UNPR": "",
            "ORD_DVSN": "01",
            "CMA_EVLU_AMT_ICLD_YN": "N",
            "OVRS_ICLD_YN": "N",
            **changes,
        }
        return self.get(f"{TRADING}/inquire-psbl-order", tr_id, params)

    def chart(self, *, code="005930", start="20260101", end="20261120", period="D", **changes):
        params = {
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_INPUT_ISCD": code,
            "FID_INPUT_DATE_1": start,
            "FID_INPUT_DATE_2": end,
            "FID_PERIOD_DIV_CODE": period,
            "FID_ORG_ADJ_PRC": "0",
            **changes,
        }
        return self.get(CHART, "FHKST03010100", params)

    def order(self, side, **changes):
        """Buy or sell; a limit order of one share of 005930 unless told otherwise."""
        prefix = "TTTC" if self.endpoint.account.startswith("1") else "VTTC"
        number, product = self.endpoint.account.split("-")
        body = {
            "CANO": number,
            "ACNT_PRDT_CD": product,
            "PDNO": "005930",
            "ORD_DVSN": "00",
            "ORD_QTY": "1",
            "ORD_UNPR": "0",
            **changes,
        }
        tr_id = f"{prefix}{'0012U' if side == 'buy' else '0011U'}"
        url = f"{self.endpoint.url}{TRADING}/order-cash"
        return requests.post(url, json=body, headers=self.headers(tr_id), timeout=60)

    def change(self, number, *, cancel=True, **changes):
        """Cancel or amend all that is left of an order."""
        prefix = "TTTC" if self.endpoint.account.startswith("1") else "VTTC"
        account, product = self.endpoint.account.split("-")
        body = {
            "CANO": account,
            "ACNT_PRDT_CD": product,
            "KRX_FWDG_ORD_ORGNO": "",
            "ORGN_ODNO": number,
            "ORD_DVSN": "00",
            "RVSE_CNCL_DVSN_CD": "02" if cancel else "01",
            "ORD_QTY": "0",
            "ORD_UNPR": "0",
            "QTY_ALL_ORD_YN": "Y",
            **changes,
        }
        url = f"{self.endpoint.url}{TRADING}/order-rvsecncl"
        return requests.post(url, json=body, headers=self.headers(f"{prefix}0013U"), timeout=60)

    def pages(self, inquiry, rows_in, **how):
        """Follow the cursors as a client would, and return the rows of each page."""
        pages, cursor = [], ("", "")
        while True:
            reply = inquiry(cursor=cursor, **how)
            body = reply.json()
            pages.append(body[rows_in])
            if reply.headers["tr_cont"] not in "FM":
                return pages
            cursor = (body["ctx_area_fk100"], body["ctx_area_nk100"])

    def control(self, name, body=None, *, method=None):
        url = f"{self.endpoint.url}/_sim/{name}"
        return requests.request(method or ("GET" if body is None else "POST"), url, json=body, timeout=60)

    def fault(self, kind, tr="TTTC8434R", **how):
        assert self.control("faults", [{"tr": tr, "kind": kind, **how}]).status_code == 200


@pytest.fixture
def start_simulator():
    """Start simulators that stand still at ten o'clock unless told otherwise; all are stopped at the end."""
    running = []

    def start(**options):
        defaults: dict[str, Any] = {"clock": TEN_ON_FRIDAY, "speed": 0, "limits": False}
        simulator = Simulator(SimulatorConfig(**(defaults | options))).start()
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.stop()


@pytest.fixture
def simulator(start_simulator):
    return start_simulator()


@pytest.fixture
def client_of():
    """Return what makes a caller of one host: `client_of(simulator.real)`."""
    return Caller


@pytest.fixture
def real(simulator):
    return Caller(simulator.real)


@pytest.fixture
def paper(simulator):
    return Caller(simulator.paper)


@pytest.fixture
def api(client, settings):
    """Ask the API as the owner of one real account who has asked nothing yet."""
    cache.clear()  # how often somebody asked is counted there
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return Api(client)


@pytest.fixture
def the_market():
    """Let the runs of a test be whole ones, where others leave the market out."""


@pytest.fixture
def days_of_the_books(request, monkeypatch):
    """Let runs copy what days are made of unless a test asks for `the_market`: the rest takes most of their time."""
    if "the_market" not in request.fixturenames:
        leave_out_stocks_and_prices(monkeypatch)
