"""실전 and 모의 on the terminal: what the owner sees, what reaches the exchange, and how the command ends."""

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from rich.cells import cell_len

from kis.accounts import find_account
from kis.client.endpoints import quotes
from kis.client.errors import KisUnreachable
from kis.client.transport import HttpTransport
from kis.models import Stock
from tests.trading.conftest import PASSWORD
from tests.trading.terminal import Terminal
from tests.trading.trades import SAMSUNG, arrived, last_price
from trading import kill_switch, password
from trading.models import PendingOrder, TradingPassword
from trading.states import State

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]

BUY_TR = "TTTC0012U"
DAY_TR = "TTTC0081R"


@pytest.fixture
def price(desk):
    """Return a price that waits: a little below the last one, a valid tick."""
    return last_price(desk) * 98 // 100 // 500 * 500


def buying(price, quantity=3):
    return ("매수", SAMSUNG, "삼성전자", f"{quantity}주", f"{price:,}원")


def line_with(text, word):
    [found] = [line for line in text.splitlines() if word in line]
    return found


# --- an order, from its words to the exchange -------------------------------------------------------------------------


def test_order_is_shown_with_its_code_and_nothing_is_sent(owner, broker, price):
    shown = owner.types("실전", *buying(price))
    assert shown.code == 0
    assert arrived(broker) == []
    assert shown.text.startswith(" 실전   1234****-01")
    assert f"{price:,}원" in shown.text
    assert "아직 보내지 않았습니다." in shown.text
    assert "10:03:00까지 3번" in shown.text
    code = owner.code_of(shown)
    assert shown.text.count(code) == 2  # where it is named, and in the command to go on with
    assert line_with(shown.text, "보내려면").endswith(f"manage.py 실전 확인 {code}")
    assert "12345678" not in shown.text
    assert len(owner.prompts) == 1


def test_confirmed_order_is_told_step_by_step(owner, broker, price):
    code = owner.orders(*buying(price))
    shown = owner.types("실전", "확인", code)
    assert (shown.code, shown.error) == (0, "")
    [at_exchange] = arrived(broker)
    number = at_exchange["odno"].lstrip("0")
    assert (at_exchange["qty"], at_exchange["price"]) == (3, price)
    assert "보냄" in shown.text
    assert line_with(shown.text, "접수  ").rstrip().endswith(f"주문번호 {number}, KRX")
    assert "0 / 3주" in line_with(shown.text, "미체결")
    assert "접수는 체결이 아닙니다." in shown.text
    assert line_with(shown.text, "취소 005930").endswith(f"manage.py 실전 취소 005930 {number}")
    assert owner.slept == [1.0]
    assert code not in shown.text


def test_order_that_trades_at_once_says_so(owner, desk, broker):
    code = owner.orders(*buying(last_price(desk) * 102 // 100 // 500 * 500, quantity=1))
    shown = owner.types("실전", "확인", code)
    assert "1 / 1주, 평균" in line_with(shown.text, "체결  ")
    assert "모두 체결되었습니다." in shown.text
    assert "취소 005930" not in shown.text
    assert PendingOrder.objects.get().state is State.FILLED


def test_partly_filled_order_says_how_much(owner, broker, price, monkeypatch):
    code = owner.orders(*buying(price))
    monkeypatch.setattr(
        "trading.order_command.sleep", lambda seconds: broker.fill(arrived(broker)[0]["odno"], 2)
    )
    shown = owner.types("실전", "확인", code)
    assert "2 / 3주" in line_with(shown.text, "일부체결")


def test_order_that_the_list_does_not_have_yet(owner, broker, price):
    code = owner.orders(*buying(price))
    broker.fault(DAY_TR, "late_visible:3600")
    shown = owner.types("실전", "확인", code)
    assert shown.code == 0
    assert "아직 나오지 않습니다" in shown.text


def test_silence_after_the_acceptance_hides_nothing(owner, broker, price, monkeypatch):
    code = owner.orders(*buying(price))
    monkeypatch.setattr("trading.order_command.look_once", broken(KisUnreachable("시간이 지났습니다")))
    shown = owner.types("실전", "확인", code)
    assert shown.code == 0
    assert "접수  " in shown.text
    assert "체결은 아직 확인하지 못했습니다." in shown.text


def test_cancellation_goes_the_same_way(owner, broker, price):
    owner.types("실전", "확인", owner.orders(*buying(price)))
    [order] = arrived(broker)
    code = owner.orders("취소", SAMSUNG, order["odno"].lstrip("0"))
    shown = owner.types("실전", "확인", code)
    assert shown.code == 0
    assert not broker.order(order["odno"])["open"]
    assert "취소됨" in shown.text
    assert "접수는 체결이 아닙니다" not in shown.text
    assert {order.state for order in PendingOrder.objects.all()} == {State.CANCELLED}


def test_cancellation_that_is_not_there_yet_is_left_open(owner, broker, price):
    owner.types("실전", "확인", owner.orders(*buying(price)))
    code = owner.orders("취소", SAMSUNG, arrived(broker)[0]["odno"])
    broker.fault(DAY_TR, "late_visible:3600")
    shown = owner.types("실전", "확인", code)
    assert shown.code == 0
    assert "취소가 끝났는지" in shown.text


def test_new_order_says_that_the_one_before_is_given_up(owner, price):
    owner.types("실전", *buying(price))
    shown = owner.types("실전", *buying(price, quantity=1))
    assert "앞서 확인을 기다리던 주문은 그만두었습니다: 매수 삼성전자 005930 3주" in shown.text


def test_words_may_come_apart_and_options_anywhere(owner, price):
    words = unicodedata.normalize("NFD", "삼성전자")
    shown = owner.types("실전", "매수", "--account", "실전", SAMSUNG, words, "3", "주", f"{price}", "원")
    assert shown.code == 0, shown.error
    assert line_with(shown.text, "보내려면").endswith(f"실전 --account 실전 확인 {owner.code_of(shown)}")
    shown = owner.types("실전", "--account", "실전", "현재가", SAMSUNG)
    assert shown.code == 0


# --- what is wrong with the words ---------------------------------------------------------------------------------------


def pointed_at(shown):
    """Return what stands above the carets, cell by cell."""
    lines = shown.error.splitlines()
    place = next(number for number, line in enumerate(lines) if "^" in line)
    typed, carets = lines[place - 1], lines[place]
    cells = "".join(letter + "\0" * (cell_len(letter) - 1) for letter in typed)
    meant = "".join(letter for letter, caret in zip(cells, carets, strict=False) if caret == "^")
    return meant.replace("\0", "")


@pytest.mark.parametrize(
    "words", [["매스"], ["매수", SAMSUNG, "삼성전자", "십주"], ["확인", "XT9"], ["취소", SAMSUNG]]
)
def test_words_that_cannot_be_read_ask_for_no_password(owner, words):
    shown = owner.types("실전", *words)
    assert shown.code == 1
    assert "^" in shown.error
    assert owner.prompts == []


def test_no_words_at_all(owner):
    shown = owner.types("실전")
    assert "잔고조회" in shown.error
    assert "^" not in shown.error


def test_wrong_name_is_pointed_at_with_its_code(owner):
    Stock.objects.create(
        code="000660",
        name="SK하이닉스",
        market="KOSPI",
        kind="stock",
        source="master",
        updated_at=owner.clock.now,
    )
    shown = owner.types("실전", "매수", SAMSUNG, "SK하이닉스", "10주")
    assert "005930의 종목명은 삼성전자입니다. SK하이닉스의 종목코드는 000660입니다." in shown.error
    assert pointed_at(shown) == "005930SK하이닉스"
    assert "주문은 보내지 않았습니다." in shown.error


def test_unknown_code_is_pointed_at(owner):
    shown = owner.types("실전", "매수", "999999", "삼성전자", "10주")
    assert pointed_at(shown) == "999999"
    shown = owner.types("실전", "현재가", "999999")
    assert pointed_at(shown) == "999999"
    assert "보내지" not in shown.error


def test_price_off_its_tick_is_pointed_at(owner, price):
    shown = owner.types("실전", "매수", SAMSUNG, "3주", f"{price + 1}원")
    assert "호가 단위" in shown.error
    assert pointed_at(shown) == f"{price + 1}원"


def test_quantity_beyond_the_limits_is_pointed_at(owner, price):
    shown = owner.types("실전", "매수", SAMSUNG, "1000", "주", f"{price}", "원")
    assert "ORDER_MAX_AMOUNT" in shown.error
    assert pointed_at(shown) == "1000 주"


def test_refusal_about_no_word_points_nowhere(owner, price):
    kill_switch.turn_on("시험", at=owner.clock.now, by="시험")
    shown = owner.types("실전", *buying(price))
    assert "주문 중지" in shown.error
    assert "^" not in shown.error
    assert shown.error.endswith("주문은 보내지 않았습니다.")


# --- nobody there, or somebody else ---------------------------------------------------------------------------------------


def test_orders_need_a_terminal(owner, price, monkeypatch, settings):
    settings.AEGIS_TRADING_PASSWORD = PASSWORD
    monkeypatch.setattr("trading.commands.is_at_terminal", lambda: False)
    for words in (buying(price), ("취소", SAMSUNG, "1"), ("확인", "XT9W")):
        shown = owner.types("실전", *words)
        assert (shown.code, shown.error) == (
            1,
            "주문과 확인은 터미널에서 직접 입력해야 합니다. 주문은 보내지 않았습니다.",
        )
    assert not PendingOrder.objects.exists()


def test_no_answer_to_the_prompt(owner, price):
    owner.answers = [EOFError()]
    shown = owner.types("실전", *buying(price))
    assert shown.error == "비밀번호를 입력하지 않았습니다. 주문은 보내지 않았습니다."


def test_nobody_is_asked_for_a_password_that_does_not_exist(owner, price):
    TradingPassword.objects.all().delete()
    shown = owner.types("실전", *buying(price))
    assert "set_trading_password" in shown.error
    assert owner.prompts == []


def test_wrong_password_proposes_nothing(owner, price):
    owner.answers = ["wrong"]
    shown = owner.types("실전", *buying(price))
    assert shown.error == "거래 비밀번호가 다릅니다. 주문은 보내지 않았습니다."
    assert not PendingOrder.objects.exists()


def test_wrong_code_says_how_often_it_may_still_be_tried(owner, broker, price):
    code = owner.orders(*buying(price))
    wrong = "AAAA" if code != "AAAA" else "BBBB"
    shown = owner.types("실전", "확인", wrong)
    assert (shown.code, shown.error) == (
        1,
        "거래 비밀번호나 확인 코드가 다릅니다. 2번 더 입력할 수 있습니다. 주문은 보내지 않았습니다.",
    )
    owner.types("실전", "확인", wrong)
    shown = owner.types("실전", "확인", wrong)
    assert "잠겼습니다" in shown.error
    assert arrived(broker) == []


def test_too_early_says_wait(owner, broker, price):
    code = owner.code_of(owner.types("실전", *buying(price)))
    shown = owner.types("실전", "확인", code)
    assert "잠시 뒤에" in shown.error
    assert shown.error.count("주문은 보내지 않았습니다.") == 1


def test_locked_password_says_that_nothing_was_sent(owner, broker, price):
    code = owner.orders(*buying(price))
    for _ in range(password.MOST_FAILURES):
        password.matches("wrong", at=owner.clock.now)
    shown = owner.types("실전", "확인", code)
    assert "잠겼습니다" in shown.error
    assert "주문은 보내지 않았습니다." in shown.error


def test_code_typed_twice_shows_what_became_of_the_first_time(owner, broker, price):
    code = owner.orders(*buying(price))
    owner.types("실전", "확인", code)
    shown = owner.types("실전", "확인", code)
    number = arrived(broker)[0]["odno"].lstrip("0")
    assert shown.code == 1
    assert "이번에는 아무것도 보내지 않았습니다." in shown.error
    assert f"마지막으로 확인한 주문: 매수 삼성전자 005930 3주 {price:,}원" in shown.error
    assert f"주문은 접수되었습니다(주문번호 {number}). 다시 내지 마세요." in shown.error
    assert len(arrived(broker)) == 1


def test_code_without_any_order(owner):
    shown = owner.types("실전", "확인", "XT9W")
    assert shown.error.startswith("확인을 기다리는 주문이 없습니다.")
    assert "마지막" not in shown.error


def test_code_of_one_of_several_accounts_finds_its_account(owner, price, monkeypatch):
    """The hint names the order, the order its account: whoever has several need not repeat it."""
    code = owner.orders(*buying(price))
    asked = []

    def watched(mode, name=""):
        asked.append(name)
        return find_account(mode, name)

    monkeypatch.setattr("trading.order_command.find_account", watched)
    owner.types("실전", "확인", code)
    assert asked == ["12345678-01"]


# --- what stands in the way when it counts --------------------------------------------------------------------------------


def broken(error):
    def fail(*args, **how):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KisUnreachable("시간이 지났습니다"), "응답을 받지 못했습니다"),
        (OperationalError("database is locked"), "다른 작업이 데이터베이스를"),
        (PermissionError(13, "no"), "파일을 읽거나 쓸 수 없습니다"),
    ],
)
def test_trouble_before_the_code_says_that_nothing_was_sent(owner, price, monkeypatch, error, words):
    monkeypatch.setattr("trading.safe_executor.propose", broken(error))
    shown = owner.types("실전", *buying(price))
    assert words in shown.error
    assert shown.error.endswith("주문은 보내지 않았습니다.")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KisUnreachable("시간이 지났습니다"), "응답을 받지 못했습니다"),
        (OperationalError("database is locked"), "다른 작업이 데이터베이스를"),
        (PermissionError(13, "no"), "파일을 읽거나 쓸 수 없습니다"),
        (KeyboardInterrupt(), "중단했습니다."),
    ],
)
def test_trouble_before_sending_says_that_nothing_was_sent(owner, price, monkeypatch, error, words):
    given = owner.orders(*buying(price))
    monkeypatch.setattr("trading.safe_executor.claim", broken(error))
    shown = owner.types("실전", "확인", given)
    assert words in shown.error
    assert shown.code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert "주문은 보내지 않았습니다." in shown.error


def test_gate_that_shut_meanwhile_uses_up_the_code(owner, broker, price):
    code = owner.orders(*buying(price))
    kill_switch.turn_on("시험", at=owner.clock.now, by="시험")
    shown = owner.types("실전", "확인", code)
    assert "주문 중지가 켜져 있습니다" in shown.error
    assert "확인 코드는 더 쓸 수 없습니다." in shown.error
    assert arrived(broker) == []


def test_interruption_while_sending_is_unknown(owner, broker, price, monkeypatch):
    code = owner.orders(*buying(price))
    stop_orders(monkeypatch, KeyboardInterrupt())
    shown = owner.types("실전", "확인", code)
    assert shown.code == 3
    assert "접수되었을 수 있습니다. 같은 주문을 다시 내지 말고" in shown.error
    assert "reconcile_orders" in shown.error


def stop_orders(monkeypatch, error):
    """Let the next order be answered with an error of this machine."""
    straight, errors = HttpTransport.send, [error]

    def send(self, request, *, timeout_seconds):
        if request.tr_id == BUY_TR and errors:
            raise errors.pop()
        return straight(self, request, timeout_seconds=timeout_seconds)

    monkeypatch.setattr(HttpTransport, "send", send)


# --- outcomes --------------------------------------------------------------------------------------------------------------


def test_lost_answer_is_looked_for_and_its_candidate_shown(owner, broker, price):
    code = owner.orders(*buying(price))
    broker.fault(BUY_TR, "reset_after", times=1)
    Schedule.objects.create(func="aegis.tasks.send_alerts", next_run=timezone.now())
    shown = owner.types("실전", "확인", code)
    order, number = PendingOrder.objects.get(), arrived(broker)[0]["odno"].lstrip("0")
    assert (shown.code, order.state) == (3, State.UNKNOWN)
    assert OrmQ.objects.count() == 1  # the worker is asked to tell, wherever the owner is
    assert line_with(shown.text, "모름  ").endswith("답을 받지 못했습니다. 접수되었을 수도 있습니다.")
    assert "같은 주문을 다시 내지 마세요. 새 주문은 이 주문이 밝혀질 때까지 막습니다." in shown.text
    assert f"주문번호 {number}  매수 3주 {price:,}원  체결 0주  수량과 가격이 같습니다" in shown.text
    assert f"reconcile_orders --adopt {number} --order {order.pk}" in shown.text
    assert f"reconcile_orders --disown {number} --order {order.pk}" in shown.text
    assert "다시 주문하지 마세요" in shown.error
    assert owner.slept == [2.0]  # found at the first look
    assert len(arrived(broker)) == 1
    rows = [line.split() for line in owner.types("실전", "주문내역").text.splitlines() if SAMSUNG in line]
    assert [row[-2:] for row in rows[:2]] == [["접수", "AEGIS?"], ["모름", "AEGIS"]]


def test_order_that_nobody_finds_is_looked_for_three_times(owner, broker, price):
    code = owner.orders(*buying(price))
    broker.fault(BUY_TR, "reset_before", times=1)
    shown = owner.types("실전", "확인", code)
    assert shown.code == 3
    assert owner.slept == [2.0, 5.0, 10.0]
    assert shown.text.count("목록에 아직 없습니다") == 3
    assert "16:00" in shown.text


def test_looks_that_fail_are_told(owner, broker, price, monkeypatch):
    code = owner.orders(*buying(price))
    broker.fault(BUY_TR, "reset_after", times=1)
    monkeypatch.setattr("trading.order_command.reconcile", broken(KisUnreachable("시간이 지났습니다")))
    shown = owner.types("실전", "확인", code)
    assert shown.code == 3
    assert shown.text.count("조회 실패") == 3
    assert line_with(shown.text, "reconcile_orders")


def test_lost_answer_of_a_cancellation_says_that_the_order_may_live(owner, broker, price):
    owner.types("실전", "확인", owner.orders(*buying(price)))
    code = owner.orders("취소", SAMSUNG, arrived(broker)[0]["odno"])
    broker.fault("TTTC0013U", "reset_after", times=1)
    shown = owner.types("실전", "확인", code)
    assert shown.code == 3
    assert "원주문은 아직 체결될 수 있습니다." in shown.text
    assert "취소  체결 0주" in shown.text
    assert "--account" not in shown.text


def test_order_that_never_left_may_be_asked_for_anew(owner, price, monkeypatch):
    code = owner.orders(*buying(price))
    stop_orders(monkeypatch, KisUnreachable("연결할 수 없습니다", never_sent=True))
    shown = owner.types("실전", "확인", code)
    assert (shown.code, PendingOrder.objects.get().state) == (1, State.NOT_SENT)
    assert "보내지 않음" in shown.text
    assert shown.error == "주문은 보내지 않았습니다. 주문하려면 처음부터 다시 입력해 주세요."
    shown = owner.types("실전", "확인", code)
    assert "확인 코드는 더 쓸 수 없습니다" in shown.error


def test_refusal_is_in_the_words_of_the_broker(owner, broker, price):
    code = owner.orders(*buying(price))
    broker.fault(BUY_TR, "rate_limited", times=1)
    shown = owner.types("실전", "확인", code)
    assert (shown.code, PendingOrder.objects.get().state) == (1, State.REJECTED)
    assert "EGW00201" in line_with(shown.text, "거절")
    assert shown.error == "증권사가 거절해 주문이 접수되지 않았습니다. 체결되는 것은 없습니다."
    shown = owner.types("실전", "확인", code)
    assert "증권사가 거절했거나 접수되지 않은 주문입니다." in shown.error


# --- inquiries --------------------------------------------------------------------------------------------------------------


def test_balance(owner):
    shown = owner.types("실전", "잔고조회")
    assert shown.code == 0
    assert "삼성전자" in shown.text
    assert "주문가능" in shown.text


@pytest.mark.parametrize("mode", ["실전", "모의"])
def test_price_now(owner, desk, mode):
    shown = owner.types(mode, "현재가", SAMSUNG, "삼성전자")
    assert shown.text.startswith(f" {mode} ")
    assert f"{last_price(desk):,}원" in line_with(shown.text, "현재가")
    assert line_with(shown.text, "상한가")


def test_halted_stock_says_so(owner, monkeypatch):
    asked = quotes.price
    monkeypatch.setattr(
        "trading.order_command.price", lambda session, code: replace(asked(session, code=code), halted=True)
    )
    assert "거래가 정지된 종목입니다." in owner.types("실전", "현재가", SAMSUNG).text


def test_ascii_name_does_the_same(owner, price):
    assert "삼성전자" in owner.types("trade", "real", "현재가", SAMSUNG).text
    shown = owner.types("trade", "paper", *buying(price, quantity=1))
    assert shown.text.startswith(" 모의 ")
    assert "manage.py trade paper 확인" in shown.text
    assert "trade real" in owner.types("trade", "잔고조회").error
    assert "trade real" in owner.types("trade").error


def test_password_of_the_environment_is_for_inquiries(owner, settings, monkeypatch):
    settings.AEGIS_TRADING_PASSWORD = PASSWORD
    monkeypatch.setattr("trading.commands.sys.stdin", Terminal(attended=False))
    assert owner.types("실전", "주문내역").code == 0
    assert owner.prompts == []
    settings.AEGIS_TRADING_PASSWORD = "another-one"
    shown = owner.types("실전", "주문내역")
    assert "AEGIS_TRADING_PASSWORD" in shown.error
    assert "another-one" not in shown.error
    settings.AEGIS_TRADING_PASSWORD = ""
    assert "cron" in owner.types("실전", "주문내역").error


def test_wrong_password_of_an_inquiry(owner):
    owner.answers = ["wrong"]
    assert owner.types("실전", "잔고조회").error == "거래 비밀번호가 다릅니다."


def test_empty_list_of_orders(owner):
    assert "오늘 주문 없음" in owner.types("실전", "주문내역").text


def test_list_has_the_brokers_orders_and_ours_that_it_lacks(owner, broker, price, monkeypatch):
    owner.types("실전", "확인", owner.orders(*buying(price)))
    broker.post(
        "external-order",
        {"side": "sell", "code": SAMSUNG, "qty": 1, "price": price * 104 // 100 // 500 * 500},
    )
    stop_orders(monkeypatch, KisUnreachable("연결할 수 없습니다", never_sent=True))
    owner.types("실전", "확인", owner.orders(*buying(price, quantity=4)))
    broker.fault(BUY_TR, "reset_before", times=1)
    owner.types("실전", "확인", owner.orders(*buying(price, quantity=5)))
    number = arrived(broker)[0]["odno"].lstrip("0")
    owner.orders("취소", SAMSUNG, number)

    shown = owner.types("실전", "주문내역")

    rows = [
        line.split()
        for line in shown.text.splitlines()
        if re.search(r" 005930 .*\d\d:\d\d:\d\d", line) and "확인을" not in line
    ]
    told = {(row[2], row[4], row[5], row[-2], row[-1]) for row in rows if row[-1] in {"AEGIS", "외부"}}
    assert ("매수", number, "3", "접수", "AEGIS") in told
    assert any(side == "매도" and origin == "외부" for side, _, _, _, origin in told)
    assert ("매수", "–", "4", "않음", "AEGIS") in told
    assert ("매수", "–", "5", "모름", "AEGIS") in told
    assert ("매수취소", "–", "–", "대기", "AEGIS") in told
    assert (
        len({cell_len(line) for line in shown.text.splitlines() if " AEGIS" in line or " 외부" in line}) == 1
    )
    assert "확인을 기다리는 주문: 취소 삼성전자" in shown.text
    assert "결과를 모르는 주문이 있습니다." in shown.text
    assert f"취소 005930 {number}" in shown.text
    owner.clock.go(minutes=4)
    assert "확인 대기" not in owner.types("실전", "주문내역").text


def test_cancellations_and_market_orders_in_the_list(owner, broker, price, desk):
    owner.types("실전", "확인", owner.orders(*buying(price)))
    owner.types("실전", "확인", owner.orders("취소", SAMSUNG, arrived(broker)[0]["odno"]))
    owner.types("실전", "확인", owner.orders("매수", SAMSUNG, "1주"))
    shown = owner.types("실전", "주문내역")
    assert "매수취소" in shown.text
    assert "시장가" in shown.text


# --- demo ---------------------------------------------------------------------------------------------------------------------


def test_demo_says_so_first(owner, settings, price):
    settings.AEGIS_DEMO = True
    shown = owner.types("모의", *buying(price, quantity=1))
    assert shown.text.startswith("DEMO  모의 ")
    assert "(이 컴퓨터의 시계)까지" in shown.text
    owner.clock.go(seconds=5)
    shown = owner.types("모의", "확인", owner.code_of(shown))
    assert shown.text.startswith("DEMO  모의 ")


def test_times_are_those_of_the_market(owner, broker, price, clock, simulator):
    """In demo mode the simulator's day is another one than ours; what happened is told in one time."""
    clock.now += timedelta(days=2, hours=5)
    code = owner.orders(*buying(price))
    shown = owner.types("실전", "확인", code)
    market = f"{simulator.now():%H:}"
    assert all(
        line.strip().startswith(market)
        for line in shown.text.splitlines()
        if "보냄" in line or "접수  " in line
    )
