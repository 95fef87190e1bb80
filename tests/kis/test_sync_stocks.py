"""The stock master: the public lists once a day, and one by one what they do not know."""

import io
import zipfile
from collections import Counter
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from kis.client.master import BASE_URL
from kis.models import Stock
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync.stocks import ask_one_by_one, master_url, sync_lists
from tests.kis.rewriting import listen
from tests.kis.scripted import environment
from tests.kis.syncing import TEN, Broker, connection_to
from tests.kis.test_master import line

pytestmark = pytest.mark.django_db

STOCK_INFO = "CTPF1002R"
TOMORROW = TEN + timedelta(days=1)
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def simulator():
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def real(simulator):
    with connection_to(simulator) as connection:
        yield connection


class Files:
    """A web server with lists; what it does not have is not found."""

    def __init__(self):
        self.lists: dict[str, Any] = {}
        self.asked: Counter[str] = Counter()
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rsplit("/", 1)[-1].removesuffix(".mst.zip")
                files.asked[name] += 1
                body = files.lists.get(name)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def put(self, name, *lines):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{name}.mst", b"".join(text + b"\n" for text in lines))
        self.lists[name] = packed.getvalue()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def files(settings):
    served = Files()
    served.put("idxcode", b"00013" + "전기전자".encode("cp949"), b"11028" + "제약".encode("cp949"))
    served.put("kospi_code", line(), line("069500", "KODEX 200", "KR7069500007", group="EF"))
    served.put("kosdaq_code", line("196170", "알테오젠", "KR7196170005", market="KOSDAQ", managed="Y"))
    served.put("konex_code", line("140610", "엔솔바이오사이언스", "KR7140610007", market="KONEX", halted="Y"))
    settings.KIS_MASTER_URL = served.url
    yield served
    served.stop()


def kept():
    return list(Stock.objects.order_by("code").values())


def test_lists_tell_market_kind_sector_and_state(files):
    listed, problems = sync_lists(environment(), at=TEN)
    assert (listed, problems) == (4, [])
    names = ("code", "name", "market", "kind", "sector", "listed_on", "managed", "halted", "nxt", "source")
    born = date(1975, 6, 11)
    assert list(Stock.objects.order_by("code").values_list(*names)) == [
        ("005930", "삼성전자", "KOSPI", "stock", "전기전자", born, False, False, None, "master"),
        ("069500", "KODEX 200", "KOSPI", "ETF", "전기전자", born, False, False, None, "master"),
        ("140610", "엔솔바이오사이언스", "KONEX", "stock", "", born, False, True, None, "master"),
        ("196170", "알테오젠", "KOSDAQ", "stock", "제약", born, True, False, None, "master"),
    ]


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("RT", "REIT"),
        ("EN", "ETN"),
        ("FE", "ETF"),
        ("EW", "ELW"),
        ("BC", "fund"),
        ("FS", "foreign"),
        ("DR", "receipt"),
        ("SR", "warrant"),
        ("ZZ", "other"),
    ],
)
def test_group_of_the_list_is_a_kind(files, group, kind):
    files.put("kospi_code", line(group=group))
    sync_lists(environment(), at=TEN)
    assert Stock.objects.get(code="005930").kind == kind


def test_simulator_serves_its_own_lists(real):
    listed, problems = sync_lists(real.environment, at=TEN)
    assert (listed, problems) == (Stock.objects.count(), [])
    assert Stock.objects.get(code="069500").kind == "ETF"
    assert set(Stock.objects.values_list("market", flat=True)) == {"KOSPI", "KOSDAQ"}


def test_lists_are_fetched_once_a_day_in_korea(files):
    for hour in (0, 10, 23):
        sync_lists(environment(), at=TEN.replace(hour=hour))
    assert set(files.asked.values()) == {1}
    files.put("kospi_code", line(name="삼성전자새이름"))
    sync_lists(environment(), at=TOMORROW.replace(hour=0))
    assert set(files.asked.values()) == {2}
    assert Stock.objects.get(code="005930").name == "삼성전자새이름"
    assert Stock.objects.filter(code="069500").exists()  # has left the market; its trades still need it


def test_lists_that_cannot_be_had_leave_those_of_yesterday(files, settings):
    sync_lists(environment(), at=TEN)
    before = kept()
    settings.KIS_MASTER_URL = NOBODY
    listed, problems = sync_lists(environment(), at=TOMORROW)
    assert (listed, kept()) == (0, before)
    assert len(problems) == 1
    assert "응답을 받지 못했습니다" in problems[0]
    settings.KIS_MASTER_URL = files.url
    assert sync_lists(environment(), at=TOMORROW) == (4, [])


def test_list_that_is_damaged_leaves_the_other_markets_alone(files):
    sync_lists(environment(), at=TEN)
    files.lists["kosdaq_code"] = b"no zip at all"
    files.put("konex_code", b"neither a list")
    listed, problems = sync_lists(environment(), at=TOMORROW)
    assert listed == 2
    assert [text.split(":")[0] for text in problems] == ["KOSDAQ 종목 마스터", "KONEX 종목 마스터"]
    files.put("kosdaq_code", line("196170", "알테오젠", "KR7196170005", market="KOSDAQ"))
    files.asked.clear()
    assert sync_lists(environment(), at=TOMORROW.replace(hour=11))[0] == 1
    assert "kospi_code" not in files.asked  # came this morning


def test_line_that_cannot_be_read_is_told_with_its_place(files):
    files.put("kospi_code", line(), b"x" * 300)
    listed, problems = sync_lists(environment(), at=TEN)
    assert listed == 3
    assert len(problems) == 1
    assert "KOSPI 종목 마스터의 1줄" in problems[0]
    assert "2번째 줄" in problems[0]


def test_broker_without_konex_is_not_asked_for_it_every_time(files):
    del files.lists["konex_code"]
    assert sync_lists(environment(), at=TEN) == (3, [])
    sync_lists(environment(), at=TEN)
    assert files.asked["konex_code"] == 1


def test_sector_stays_when_the_names_cannot_be_had(files):
    sync_lists(environment(), at=TEN)
    del files.lists["idxcode"]
    _, problems = sync_lists(environment(), at=TOMORROW)
    assert [text.split(":")[0] for text in problems] == ["업종 이름"]
    assert Stock.objects.get(code="005930").sector == "전기전자"


@pytest.mark.parametrize(
    ("base_url", "setting", "expected"),
    [
        ("https://openapi.koreainvestment.com:9443", "", BASE_URL),
        ("https://koreainvestment.com.example.org", "", "https://koreainvestment.com.example.org"),
        ("http://127.0.0.1:9443", "", "http://127.0.0.1:9443"),
        ("http://127.0.0.1:9443", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://openapi.koreainvestment.com:9443", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_lists_come_from_the_broker_or_its_stand_in(settings, base_url, setting, expected):
    settings.KIS_MASTER_URL = setting
    assert master_url(environment(base_url=base_url)) == expected


def held(simulator, *codes):
    Broker(simulator.real.url).post(
        "account", {"deposit": 1_000_000, "positions": [{"code": code, "qty": 1, "avg": 1} for code in codes]}
    )


def test_stock_on_no_list_is_asked_for_once_a_day(real, simulator):
    sync_lists(real.environment, at=TEN)
    held(simulator, "0123A0")
    transport = listen(real)
    assert ask_one_by_one(real.session, {"0123A0"}, at=TEN) == (1, [])
    stock = Stock.objects.get(code="0123A0")
    assert (stock.source, stock.market, stock.kind, stock.nxt is None) == (
        "inquiry",
        "KOSPI",
        "stock",
        False,
    )
    ask_one_by_one(real.session, {"0123A0"}, at=TEN)
    assert transport.asked[STOCK_INFO] == 1
    ask_one_by_one(real.session, {"0123A0"}, at=TOMORROW)
    assert transport.asked[STOCK_INFO] == 2


def test_list_does_not_forget_what_only_the_inquiry_knows(real):
    sync_lists(real.environment, at=TEN)
    ask_one_by_one(real.session, {"005930", "006340"}, at=TEN)
    known = dict(Stock.objects.filter(nxt__isnull=False).values_list("code", "nxt"))
    assert set(known) == {"005930", "006340"}
    assert Stock.objects.get(code="005930").sector == "반도체"  # the simulator's list has no name for it
    sync_lists(real.environment, at=TOMORROW)
    assert dict(Stock.objects.filter(nxt__isnull=False).values_list("code", "nxt")) == known
    assert Stock.objects.get(code="005930").sector == "반도체"
    assert ask_one_by_one(real.session, {"005930", "006340"}, at=TOMORROW) == (0, [])


def test_code_that_nobody_knows_is_told_and_not_made_up(real):
    asked, problems = ask_one_by_one(real.session, {"999990", "005930"}, at=TEN)
    assert asked == 2
    assert [text.split(" ")[0] for text in problems] == ["999990"]
    assert set(Stock.objects.values_list("code", flat=True)) == {"005930"}


def test_one_answer_that_fails_leaves_the_others(real, simulator):
    Broker(simulator.real.url).fault(STOCK_INFO, "drop_field:mket_id_cd", times=1)
    asked, problems = ask_one_by_one(real.session, {"005930", "006340"}, at=TEN)
    assert (asked, len(problems)) == (2, 1)
    assert Stock.objects.count() == 1


def test_paper_asks_nobody(simulator):
    with connection_to(simulator, "paper") as connection:
        transport = listen(connection)
        assert ask_one_by_one(connection.session, {"005930"}, at=TEN) == (0, [])
    assert not transport.asked


def test_queries_do_not_grow_with_the_stocks(real):
    sync_lists(real.environment, at=TEN)

    def queries(codes):
        with CaptureQueriesContext(database) as captured:
            asked, _ = ask_one_by_one(real.session, codes, at=TEN)
        assert asked == len(codes)
        return len(captured)

    codes = list(Stock.objects.values_list("code", flat=True))
    assert queries(codes[:1]) == queries(codes[1:20])
