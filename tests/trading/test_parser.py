"""Commands as people type them: what is understood, and where the rest is pointed at."""

import string
import unicodedata
from random import Random

import pytest

from kis.client.records.orders import Side
from trading.errors import CommandNotUnderstood, TradingError
from trading.parser import (
    CancelWish,
    ConfirmWish,
    OrderWish,
    ShowBalance,
    ShowOrders,
    ShowPrice,
    parse,
)

SAMSUNG = "매수 005930 삼성전자"


def buy(quantity, price=None, *, code="005930", name="삼성전자"):
    return OrderWish(Side.BUY, code, name, quantity, price)


UNDERSTOOD = [
    # every form of design.md section 8
    ("잔고조회", ShowBalance()),
    ("주문내역", ShowOrders()),
    ("현재가 005930 삼성전자", ShowPrice("005930", "삼성전자")),
    ("현재가 005930", ShowPrice("005930", "")),
    ("매수 005930 삼성전자 10주", buy(10)),
    ("매수 005930 삼성전자 10주 71000원", buy(10, 71_000)),
    ("매도 006340 대원전선 1주 1000원", OrderWish(Side.SELL, "006340", "대원전선", 1, 1_000)),
    ("매도 006340 1주", OrderWish(Side.SELL, "006340", "", 1, None)),
    ("취소 005930 117943", CancelWish("005930", "117943")),
    ("취소 005930 0000117943", CancelWish("005930", "117943")),
    ("확인 XT9W", ConfirmWish("XT9W")),
    ("확인 xt9w", ConfirmWish("XT9W")),
    ("확인 ＸＴ９Ｗ", ConfirmWish("XT9W")),
    # blanks
    ("  잔고조회  ", ShowBalance()),
    ("\u3000매수\u00a0005930\u2003삼성전자   10주\u202f71000원 ", buy(10, 71_000)),
    ("매수 005930 삼성전자 10 주 71,000 원", buy(10, 71_000)),
    ("매수 005930 10 주", buy(10, name="")),
    # numbers
    ("매수 005930 삼성전자 1,000주 1,234,500원", buy(1_000, 1_234_500)),
    ("매수 005930 삼성전자 １，０００주 ７１０００원", buy(1_000, 71_000)),
    ("매수 005930 삼성전자 71000원 10주", buy(10, 71_000)),
    ("매수 005930 삼성전자 2147483647주 2147483647원", buy(2**31 - 1, 2**31 - 1)),
    # codes
    ("매수 a005930 삼성전자 10주", buy(10)),
    ("매수 A005930 삼성전자 10주", buy(10)),
    ("매수 ００５９３０ 삼성전자 10주", buy(10)),
    ("매수 0126z0 삼성에피스홀딩스 1주", buy(1, code="0126Z0", name="삼성에피스홀딩스")),
    ("매수 00104k CJ4우(전환) 1주", buy(1, code="00104K", name="CJ4우(전환)")),
    ("현재가 q500001", ShowPrice("Q500001", "")),
    (
        "매수 Q530031 삼성 레버리지 WTI원유 선물 ETN 3주",
        buy(3, code="Q530031", name="삼성 레버리지 WTI원유 선물 ETN"),
    ),
    # names
    ("매수 069500 KODEX 200 10주 35000원", buy(10, 35_000, code="069500", name="KODEX 200")),
    ("매수 069500 KODEX 200 100 주", buy(100, code="069500", name="KODEX 200")),
    ("현재가 069500 KODEX  200", ShowPrice("069500", "KODEX 200")),
    ("매수 360750 TIGER 미국S&P500 2주", buy(2, code="360750", name="TIGER 미국S&P500")),
    ("매수 360750 ＴＩＧＥＲ 미국Ｓ＆Ｐ５００ 2주", buy(2, code="360750", name="TIGER 미국S&P500")),
    ("매수 051915 LG화학우 1주", buy(1, code="051915", name="LG화학우")),
    ("매수 096770 SK이노베이션 1주", buy(1, code="096770", name="SK이노베이션")),
    ("매수 005935 삼성전자우 1주", buy(1, code="005935", name="삼성전자우")),
    ("매수 240810 원익IPS 1주", buy(1, code="240810", name="원익IPS")),
    ("매수 198940 한주라이트메탈 1주", buy(1, code="198940", name="한주라이트메탈")),
    ("매수 036930 주성엔지니어링 1주", buy(1, code="036930", name="주성엔지니어링")),
    ("매수 012620 원일특강 1주 9000원", buy(1, 9_000, code="012620", name="원일특강")),
    ("매수 234100 세원 1주", buy(1, code="234100", name="세원")),
    ("매수 055550 신한지주 1주", buy(1, code="055550", name="신한지주")),
    ("매수 161510 PLUS 고배당주 1주", buy(1, code="161510", name="PLUS 고배당주")),
    ("매수 316140 5대그룹주 장기채 1주", buy(1, code="316140", name="5대그룹주 장기채")),
    ("매수 261220 KODEX WTI원유선물(H) 1주", buy(1, code="261220", name="KODEX WTI원유선물(H)")),
    ("매수 060310 3S 1주", buy(1, code="060310", name="3S")),
    (
        "매수 458760 TIGER 미국배당+7%프리미엄다우존스(합성 H) 1주",
        buy(1, code="458760", name="TIGER 미국배당+7%프리미엄다우존스(합성 H)"),
    ),
    ("매수 448540 ACE 25-11 회사채(AA-이상) 1주", buy(1, code="448540", name="ACE 25-11 회사채(AA-이상)")),
    ("매수 900140 St.Marc 1주", buy(1, code="900140", name="St.Marc")),
]

NOT_UNDERSTOOD = [
    # text, what is pointed at, a part of the sentence
    ("매스 005930 삼성전자 10주", "매스", "'매수'인가요"),
    ("메도 005930 1주", "메도", "'매도'인가요"),
    ("잔고", "잔고", "'잔고조회'인가요"),
    ("buy 005930 10주", "buy", "잔고조회, 현재가, 주문내역, 매수, 매도, 취소, 확인"),
    ("매수", "", "종목코드가 없습니다"),
    ("매수 삼성전자 10주", "삼성전자", "여섯 자리를 종목명 앞에"),
    ("매수 5930 삼성전자 10주", "5930", "여섯 자리"),
    ("매수 0059300 삼성전자 10주", "0059300", "여섯 자리"),
    ("매수 TIGERS 10주", "TIGERS", "여섯 자리"),
    ("매수 005930삼성전자 10주", "005930삼성전자", "여섯 자리"),
    ("매수 00593О 10주", "00593О", "여섯 자리"),  # a Cyrillic letter
    (SAMSUNG, "", "수량이 없습니다"),
    (f"{SAMSUNG} 10", "", "수량이 없습니다"),
    ("매수 069500 KODEX 200", "", "수량이 없습니다"),
    (f"{SAMSUNG} 71000원", "", "수량이 없습니다"),
    ("매수 005930 10", "10", "종목명이 숫자뿐입니다"),
    ("매수 005930 1 500주", "1", "종목명이 숫자뿐입니다"),
    (f"{SAMSUNG} 0주", "0주", "1주 이상"),
    (f"{SAMSUNG} -10주", "-10주", "1주 이상"),
    (f"{SAMSUNG} −10주", "−10주", "1주 이상"),
    (f"{SAMSUNG} - 10주", "-", "읽을 수 없습니다"),
    (f"{SAMSUNG} +10주", "+10주", "숫자로만"),
    (f"{SAMSUNG} 1.5주", "1.5주", "소수점 없이 1주 단위"),
    (f"{SAMSUNG} 1/2주", "1/2주", "숫자로만"),
    (f"{SAMSUNG} 010주", "010주", "앞의 0"),
    (f"{SAMSUNG} 2147483648주", "2147483648주", "수량이 너무 큽니다"),
    (f"{SAMSUNG} 1{'0' * 200}주", f"1{'0' * 200}주", "수량이 너무 큽니다"),
    (f"{SAMSUNG} 1,00주", "1,00주", "쉼표"),
    (f"{SAMSUNG} 1,0000주", "1,0000주", "쉼표"),
    (f"{SAMSUNG} 1000,000주", "1000,000주", "쉼표"),
    (f"{SAMSUNG} ,100주", ",100주", "쉼표"),
    (f"{SAMSUNG} 1, 500주", "1,", "읽을 수 없습니다"),
    (f"{SAMSUNG} 주", "주", "'주' 앞에 숫자가 없습니다"),
    ("매수 005930 원", "원", "'원' 앞에 숫자가 없습니다"),
    (f"{SAMSUNG} 십주", "십주", "숫자로만"),
    (f"{SAMSUNG} 십 주", "십 주", "숫자로만"),
    (f"{SAMSUNG} 열두주 71000원", "열두주", "숫자로만"),
    (f"{SAMSUNG} 십주 10주", "십주", "숫자로만"),
    (f"{SAMSUNG} 10주 1만원", "1만원", "숫자로만"),
    (f"{SAMSUNG} 10주 7만 원", "7만 원", "숫자로만"),
    (f"{SAMSUNG} 10주 만원", "만원", "읽을 수 없습니다"),
    (f"{SAMSUNG} 1O주", "1O주", "숫자로만"),
    (f"{SAMSUNG} 10주 ₩71000원", "₩71000원", "숫자로만"),
    (f"{SAMSUNG} 10주 0원", "0원", "시장가로 주문하려면"),
    (f"{SAMSUNG} 10주 -1원", "-1원", "1원 이상"),
    (f"{SAMSUNG} 10주 71000.0원", "71000.0원", "소수점 없이 1원 단위"),
    (f"{SAMSUNG} 10주 71.000원", "71.000원", "소수점 없이 1원 단위"),
    (f"{SAMSUNG} 10주 2147483648원", "2147483648원", "가격이 너무 큽니다"),
    (f"{SAMSUNG} 10주 71000", "71000", "단위가 없습니다"),
    (f"{SAMSUNG} 10주 1 000원", "1", "단위가 없습니다"),
    (f"{SAMSUNG} 10주 20주", "20주", "수량이 두 번"),
    (f"{SAMSUNG} 10주 71000원 72000원", "72000원", "가격이 두 번"),
    (f"{SAMSUNG} 10주 71000원 꼭", "꼭", "읽을 수 없습니다"),
    (f"{SAMSUNG} 10주 시장가", "시장가", "가격을 적지 않으면"),
    ("매수 005930 10주 삼성전자", "삼성전자", "종목명은 수량 앞에"),
    ("매수 005930 삼성전자10주", "삼성전자10주", "서로 띄어"),
    ("매수 005930 삼성전자 10주71000원", "10주71000원", "서로 띄어"),
    ("매수 005930 삼성전자 10주, 71000원", "10주,", "서로 띄어"),
    (f"매수 005930 {'가' * 51} 10주", "가" * 51, "종목명이 너무 깁니다"),
    ("현재가", "", "종목코드가 없습니다"),
    ("현재가 005930 삼성전자 10주", "10주", "수량과 가격을 적지 않습니다"),
    ("잔고조회 전부", "전부", "여기서 끝나야"),
    ("주문내역 005930", "005930", "여기서 끝나야"),
    ("취소 005930", "", "주문번호가 없습니다"),
    ("취소 117943", "", "주문번호가 없습니다"),
    ("취소 005930 117,943", "117,943", "숫자만"),
    ("취소 005930 0000", "0000", "숫자만"),
    ("취소 005930 삼성전자 117943", "삼성전자", "숫자만"),
    ("취소 005930 117943 전부", "전부", "여기서 끝나야"),
    ("확인", "", "네 자리"),
    ("확인 XT9", "XT9", "네 자리"),
    ("확인 XT 9W", "XT", "네 자리"),
    ("확인 XT9W 매수", "매수", "여기서 끝나야"),
    # letters that are not what they seem
    ("매수 005930 삼성\u200b전자 10주", "\u200b", "보이지 않는 글자"),
    ("매수 005930 \u202e삼성전자 10주", "\u202e", "보이지 않는 글자"),
    ("매수 005930\t10주", "\t", "보이지 않는 글자"),
    ("매수 005930 10주\n", "\n", "보이지 않는 글자"),
    ("매수 005930 10주\x1b[2J", "\x1b", "보이지 않는 글자"),
    ("매수 005930 \u3164 10주", "\u3164", "보이지 않는 글자"),
    ("매수 005930 \ud800 10주", "\ud800", "보이지 않는 글자"),
    ("매수 005930 1\u200d0주", "\u200d", "보이지 않는 글자"),
    ("매수 005930 1\u06600주", "\u0660", "0부터 9까지"),
    ("매수 005930 ①0주", "①", "0부터 9까지"),
    ("매수 005930 10²주", "²", "0부터 9까지"),
    ("매수 005930 ½주", "½", "0부터 9까지"),
]


def decomposed(text):
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(("text", "wish"), UNDERSTOOD)
@pytest.mark.parametrize("typed", [str, decomposed], ids=["", "NFD"])
def test_command_is_understood(text, wish, typed):
    assert parse(typed(text)) == wish


@pytest.mark.parametrize(("text", "mistake", "sentence"), NOT_UNDERSTOOD)
@pytest.mark.parametrize("typed", [str, decomposed], ids=["", "NFD"])
def test_mistake_is_pointed_at(text, mistake, sentence, typed):
    text, mistake = typed(text), typed(mistake)
    with pytest.raises(CommandNotUnderstood) as caught:
        parse(text)
    error = caught.value
    assert sentence in str(error)
    if mistake:
        assert text[error.at : error.at + error.length] == mistake
    else:
        assert error.at == len(text)


@pytest.mark.parametrize("text", ["", "   ", "\u3000"])
def test_empty_command_lists_the_commands(text):
    with pytest.raises(CommandNotUnderstood, match=r"비어 있습니다.*잔고조회") as caught:
        parse(text)
    assert caught.value.at == 0


@pytest.mark.parametrize("filling", ["9", "가", " ", "9주 ", "\u1161", "1,"])
def test_endless_text_is_refused_at_once(filling):
    with pytest.raises(CommandNotUnderstood, match="너무 깁니다") as caught:
        parse("매수 005930 " + filling * 1_000_000)
    assert len(caught.value.pointed()) < 400


def test_sentence_never_repeats_what_was_typed():
    with pytest.raises(CommandNotUnderstood) as caught:
        parse("XT9W")
    assert isinstance(caught.value, TradingError)
    assert "XT9W" not in f"{caught.value}{caught.value!r}{parse('확인 XT9W')!r}"


# --- properties -----------------------------------------------------------------------------------------------------

NAMES = ("삼성전자", "KODEX 200", "TIGER 미국S&P500", "원익IPS", "한주라이트메탈", "주성엔지니어링", "3S", "")
BLANKS = (" ", "  ", "\u00a0", "\u3000", "\u2009 ")
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def written(random, value):
    text = f"{value:,}" if random.random() < 0.5 else str(value)
    return text.translate(WIDE) if random.random() < 0.2 else text


def test_any_order_can_be_read_back_however_it_is_written():
    random = Random(5)
    for _ in range(1_000):
        side = random.choice(list(Side))
        code = random.choice(["005930", "0126Z0", "00104K", "Q500001"])
        name = random.choice(NAMES)
        quantity = random.randint(1, 10 ** random.randint(1, 9))
        price = random.choice([None, random.randint(1, 10 ** random.randint(1, 9))])
        typed_code = random.choice([code, code.lower(), code.translate(WIDE)])
        amounts = [written(random, quantity) + random.choice(["주", " 주"])]
        if price is not None:
            amounts.append(written(random, price) + random.choice(["원", " 원"]))
            if random.random() < 0.2:
                amounts.reverse()
        spelled = decomposed if random.random() < 0.5 else str
        parts = [{Side.BUY: "매수", Side.SELL: "매도"}[side], typed_code, *name.split(), *amounts]
        text = random.choice(BLANKS).join(parts)
        assert parse(spelled(text)) == OrderWish(side, code, name, quantity, price), text


PIECES = (
    *("매수", "매도", "현재가", "잔고조회", "취소", "확인", "005930", "Q500001", "삼성전자", "KODEX 200"),
    *("10주", "1,000원", "주", "원", "십", "만원", "-", ",", ".", "0", "１", " ", "  ", "\u00a0", "\u200f"),
    *("\u1100", "\u1161", "\u11a8", "\u0301", "\ufe0f", "\ud83d", "①", "٣", "\x00", "ß", "ﬁ", "㈜", "𝟙"),
)


def anything(random):
    kind = random.random()
    if kind < 0.4:
        return random.choice(["", " "]).join(random.choices(PIECES, k=random.randint(0, 12)))
    if kind < 0.7:
        text = list("매수 005930 삼성전자 10주 71,000원")
        for _ in range(random.randint(1, 3)):
            text[random.randrange(len(text))] = random.choice([*PIECES, *string.printable])
        return "".join(text)
    return "".join(chr(random.randrange(0x110000)) for _ in range(random.randint(0, 40)))


def read(text):
    try:
        return parse(text)
    except CommandNotUnderstood as error:
        return error


def test_any_text_is_either_read_or_refused_with_its_place():
    random = Random(7)
    for _ in range(3_000):
        text = anything(random)
        wish = read(text)
        if isinstance(wish, CommandNotUnderstood):
            assert 0 <= wish.at <= len(text)
            first, second = wish.pointed().split("\n")
            assert set(second) <= {" ", "^"}
            assert "^" in second
            assert all(unicodedata.category(letter)[0] != "C" for letter in first)
        elif isinstance(wish, OrderWish):
            assert wish.quantity >= 1
            assert wish.price is None or wish.price >= 1
