"""Words that no diagnosis may contain, whoever wrote them: orders to trade, promises, markup, and talk about itself; pure.

A trade may be described (매도 주문이 체결되지 않았습니다) and never be asked for. So that no new way of asking slips through,
words of trading pass only in the phrases that describe; everything else about them is refused.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """Why a sentence is left out."""

    LETTERS = "쓸 수 없는 글자"
    MARKUP = "서식이나 링크"
    FOREIGN = "한국어가 아닌 말"
    TRADE = "매매 권유"
    FORECAST = "전망이나 보장"
    OUTSIDE = "자료에 없는 이야기"
    ITSELF = "지시문이나 자신에 대한 이야기"
    CONTACT = "연락이나 송금 유도"
    NUMBER = "자료와 다른 숫자"
    STOCK = "자료에 없는 종목"
    REFERENCE = "없는 점검 번호"
    LENGTH = "너무 긴 문장"
    ALONE = "앞 문장이 빠져 뜻이 달라지는 문장"


def any_of(*patterns: str, whole_words: bool = False) -> re.Pattern[str]:
    """Return what finds any of these; with `whole_words` none inside of another Korean word (주문의 is no 문의)."""
    inside = "|".join(patterns)
    return re.compile(rf"(?<![가-힣])(?:{inside})" if whole_words else inside, re.IGNORECASE)


#: Every syllable that ends in ㄴ, and every one in ㄹ, as what is still to come does: 오를, 할, 팔.
NIEUN: Final = "".join(chr(0xAC00 + place) for place in range(4, 11_172, 28))
RIEUL: Final = "".join(chr(0xAC00 + place) for place in range(8, 11_172, 28))
#: And in ㅂ, as "let us" does: 팝시다.
BIEUP: Final = "".join(chr(0xAC00 + place) for place in range(17, 11_172, 28))

# --- letters -----------------------------------------------------------------------------------------------------------

#: Letters beside Hangul syllables, Latin letters and digits that a plain Korean sentence needs.
MARKS: Final = frozenset(" .,%+-()·:/~'\"!?“”‘’…−–→▲▼±")
MARKUP: Final = any_of(
    r"[<>\[\]{}`*_#|\\^=$@&;]",
    r"//",
    r"\b(?:https?|www|ftp|javascript|mailto|data)\b",
    r"\w\.(?:com|net|org|kr|io|me|ai|xyz|app|co)(?![A-Za-z])",
)
#: Latin words of the trade; every other one is a name we do not know, or another language.
LATIN: Final = frozenset({"KOSPI", "KOSDAQ", "KRX", "NXT", "ETF", "ETN", "ELW", "REIT", "HHI"})
LATIN_WORD: Final = re.compile(r"[A-Za-z]+")
POINTS: Final = re.compile(r"%\s?[pP](?![A-Za-z])")
HANGUL: Final = re.compile(r"[가-힣]")


def fault_of_letters(text: str, *, mark: str = "") -> Fault | None:
    """Return what is wrong with the letters of a sentence that has been made plain; `mark` stands for a stock."""
    if MARKUP.search(text):
        return Fault.MARKUP
    for letter in text:
        is_plain = "가" <= letter <= "힣" or (letter.isascii() and letter.isalnum())
        if not is_plain and letter not in MARKS and letter != mark:
            return Fault.LETTERS
    return None if HANGUL.search(text) else Fault.FOREIGN


def made_plain(text: str) -> str:
    """Return a text with full-width digits, letters and signs as their plain ones, and composed syllables."""
    composed = unicodedata.normalize("NFC", text)
    narrow = "".join(chr(ord(letter) - 0xFEE0) if "！" <= letter <= "～" else letter for letter in composed)
    return re.sub(r"[ \t\u00a0\u3000\u2009\u202f]+", " ", narrow).strip()


def has_unknown_latin(text: str, *, known: frozenset[str]) -> bool:
    return any(word.upper() not in LATIN | known for word in LATIN_WORD.findall(POINTS.sub("%", text)))


# --- trading -----------------------------------------------------------------------------------------------------------

#: What describes a trade or an order that is there; put aside before one looks for words of trading.
DESCRIBES: Final = any_of(
    r"(?:미체결\s?)?(?:매수|매도|매매)(?:·(?:매수|매도))?(?:와|과)?\s?(?:지정가\s|시장가\s)?(?:주문|체결|잔량|금액|대금|수량|호가|비용|내역|이력"
    r"|건수|가능\s?(?:수량|금액)|여력|평균가|단가|가격)",
    r"(?:매수|매도|매입|매매)(?:한|했|해(?=\s)|하면서|하신|된|되|됐|분|로\s|\s(?=[\d,]+\s?주))",
    r"매입\s?(?:단가|금액|원가|평균가?|대금|비용|가격?)(?![가-힣]*(?:능|치))",
    r"순(?:매수|매도)|(?:오늘|당일)의?\s(?:매수|매도)(?=[와과로의])",
)
TRADES: Final = any_of(
    r"매수|매도|매입|매각|매집|매매|손절|익절|청산|처분|물타|불타기|현금화|(?:차익|이익|수익)\s?실현|갈아타|몰빵|올인|영끌|풀매|줍줍|존버",
    r"공매도|신용\s?거래|레버리지를|리밸런싱|재조정|스위칭|단타|홀딩(?!스)|베팅|추격",
    r"목표\s?(?:주가|가(?=[는를을의도에와로보까인이입]|\s?[\d,]+\s?원|$))|적정\s?주?가|손절가|투자\s?의견|추천|매력적",
    r"메도|메수|맴도|매두|떠나보내|빠져나|들어갈\s?자리|나올\s?자리|던지|던져|던질",
    # A syllable apart, as if it were another word: 매 수, 매.도
    r"(?<![가-힣])매\s?[.·\-~/\s]\s?[수도](?!요일|량)",
    r"(?<![가-힣])(?:바이|셀|홀드)(?![가-힣])",
    r"(?<![가-힣])팔(?:아|자|고|면|지|기|려|까|라|거|\s?때|\s?만|\s?것|\s?필요|\s?타이밍)|(?<![가-힣])파(?:세요|십시오|시[는길기면죠]|는\s?(?:게|것|편)|셔)|팝시다",
    r"(?<![가-힣])사(?:세요|십시오|시[길기면죠]|셔야|야\s?(?:합|하|할|해|됩)|\s?두(?:세|면|시|는)|\s?모으|들이|도\s?(?:좋|됩|괜)|는\s?(?:게|것|편))",
    r"(?<![가-힣])(?:더|지금|꼭|바로|좀|많이|추가로)\s(?:사[서면라자고]|사(?=\s|$)|팔|살)|(?<![가-힣])살\s(?:때|만|것|필요|기회|시점|타이밍)",
    r"(?<![가-힣])담(?:아|을|으|는|기|자)|(?:쓸어|주워|퍼)\s?담|(?<![가-힣])줍(?:는|기|자|으)|투자(?:하|해|할)",
)
#: Somebody is to do something. Whatever it is, unless it is to look, it is no business of a diagnosis.
COMMANDS: Final = any_of(
    rf"세요|십시오|시오|십시요|셔요|[{BIEUP}]시다|하시(?:길|기|죠|지요)|[기길]\s?바랍|해\s?주|요망|필수|금물|서두르(?!지\s?않)|망설이|늦기\s?전",
    r"[가-힣]야\s?(?:합|하|할|해|됩|되|될|겠|만)|[았었했]어야|[가-힣]도\s?(?:됩니다|되겠|좋습니다|좋겠|괜찮|무방)|면\s?(?:됩니다|되겠|좋습니다|좋겠|그만|안\s?됩)",
    r"[는은]\s?(?:게|것이|것도|편이|쪽이|방향이)\s?(?:좋|낫|나|바람|유리|적절|현명|안전|필요|맞|답|정답|방법|최선|이득|옳)|바람직|겠습니다|[기하리추이우꾸]죠",
    rf"[{RIEUL}]\s?(?:때(?:입|다|가\s?되)|만(?:\s?합|\s?하|\s?한)|시점|시기|기회|타이밍|차례|자리|것(?:$|[.!을])|필요)|어떨까|어떠|어때|[하해려춰여겨워아어]라(?![가-힣])",
    r"하자(?![가-힣])|필요(?!한\s)|[하리추이우꾸기치]기[.!]?$|할\s?것$|하길",
)
#: Words that lean towards doing something; of a trade, or of changing a position, they are an order in disguise.
LEANS: Final = any_of(
    r"좋(?:겠|습|을|다)|낫(?:겠|습|다)|나을|유리|적절|현명|(?<![가-힣])권(?:합|해|고|유|장|하)|제안|고려|검토|조언|고민|염두|기회(?:입|다|로)|의견|관점|어울|적기|요구",
)
CHANGES: Final = any_of(
    r"늘리|늘려|늘릴|늘립|줄이|줄여|줄일|줄입|낮추|낮춰|낮출|낮춥|높이|높여|높일|높입|올리|올려|올릴|확대|축소|조절|조정(?=[을하해할])|덜어\s?내|재구성|완화|해소",
    r"(?<![가-힣])(?:빼|뺄|털|넣|채우|채워|비우|비워|나누|나눠|옮기|옮겨|바꾸|바꿔|바꿀|거두|거둬|쌓|모으|모아|들고|걸어|내놓|맞추|맞춰|되돌)|분산|분할",
    r"교체|편입|편출|확보|취소|정정|보유(?!\s?(?:종목|수량|주식))|유지|회수|인출|헤지|헷지|대응|관망|이동|전환|실현|제거|포기|진입|탈출|주문(?:을|은|도)\s?(?:하|해|내|넣|걸|낼)|예약",
)
#: Looking is not trading: what is asked for may be to look (확인해 보세요). Put aside as well.
LOOKS: Final = re.compile(
    r"(?:확인|점검|살펴|살피|지켜|비교|눈여겨|들여다|챙겨\s?보|읽어|보아|다시\s?보|주의|유의|기억)(?:이|을|를|가)?\s?"
    r"(?:해|하|할|하는|하셔|기울일)?\s?(?:보|볼|보는|봐|둘|두는)?\s?"
    r"(?:보(?:세요|십시오|시기\s?바랍니다|시길\s?바랍니다|면\s?(?:좋습니다|됩니다)|는\s?것이\s?좋습니다|아야\s?합니다)|봐야\s?합니다|야\s?합니다"
    r"|(?:하)?(?:세요|십시오|시기\s?바랍니다|시길\s?바랍니다)|하면\s?(?:좋습니다|됩니다)|만\s?합니다|만한|필요합니다|필요가\s?있습니다|필요는\s?있습니다"
    r"|것이\s?좋습니다|게\s?좋습니다|것을\s?권합니다|바랍니다|두세요|두시기\s?바랍니다|두면\s?좋습니다|때입니다|부분입니다|것입니다|자리입니다)"
)
ORDERS_IN_SHORT: Final = any_of(
    r"(?:전량|즉시|당장|지금|일부|분할|긴급|무조건|빨리|서둘러|반드시|추가|비중)\s?(?:매수|매도|정리|처분|청산|손절|익절|축소|확대)(?!\s?(?:주문|체결)[은는이가])",
    r"주문[을이]?\s?(?:접수|전송|실행|완료|취소|정정|제출)|주문\s?번호|(?:종목|주식|물량|주|주를|종목을)\s?정리|(?:보유|매수|매도|중립)\s?의견|[을를]\s사(?:는|면|고|두|서|기|모|들|야|도|자)",
)


def asks_to_trade(text: str) -> bool:
    """Return whether a sentence asks for anything but looking, or speaks of trading in any way but describing it."""
    described = DESCRIBES.sub("□", text)
    if ORDERS_IN_SHORT.search(text) or TRADES.search(described):
        return True
    rest = LOOKS.sub("◇", described)
    if COMMANDS.search(rest):
        return True
    return bool(LEANS.search(rest)) and ("□" in rest or bool(CHANGES.search(rest)))


# --- what else ---------------------------------------------------------------------------------------------------------

FORECASTS: Final = any_of(
    rf"[{RIEUL}]\s?(?:것|겁|거)(?:입니다|으로|니다|예요|라고|이라|같)|[{RIEUL}]\s?듯|전망(?:입|이|됩|하|돼)|예상(?:됩|돼|되|합|치)|기대(?:됩|돼|해|하|감)",
    r"(?:오를|반등할|급등할|폭등할|폭락할|회복할|상승할)\s?(?:가능|여지|수\s?있)|확실(?:합|히|시|한)|틀림없|보장|무조건|반드시|백\s?퍼|대박|따상|폭등|급등주",
    r"(?:곧|조만간|머지않아|내일은|다음\s?주에는?)\s[가-힣]*\s?(?:오르|오를|내리|내릴|상승|하락|반등|급등)|바닥(?:입|이|을\s?찍)|천장|호재|악재|저평가|고평가|유망|수혜",
)
OUTSIDE: Final = any_of(
    r"연준|금리|환율|유가|물가|뉴스|기사|보도|공시|실적|영업\s?이익|매출|어닝|소문|루머|찌라시|외국인|기관(?:이|의|\s?투자|\s?순|들)|개인\s?투자자|리포트|보고서",
    r"애널리스트|증권사|정부|대통령|선거|전쟁|관세|규제|업황|수주|신약|임상|인수|합병|상장\s?폐지|유상\s?증자|액면|배당|테마|차트|이동\s?평균|골든\s?크로스",
    r"데드\s?크로스|지지선|저항선|과매수|과매도|투자\s?심리|시장\s?심리|나스닥|다우|중국|미국|일본|트럼프",
    whole_words=True,
)
ITSELF: Final = any_of(
    r"프롬프트|지시(?:문|사항|에|를|받|하신|대로)|시스템\s?메시지|명령(?:을|에|어|받)|언어\s?모델|인공지능|제미나이|챗봇|챗지피티|저는|제가|저도|당신",
    r"규칙(?:에\s?따|을\s?무시|은\s?다음)|비밀번호|인증\s?번호|앱\s?키|시크릿|토큰|계좌\s?번호|사용자\s?메시지|중괄호|무시하고|무시하라|개발자\s?모드|역할(?:극|은)",
    whole_words=True,
)
CONTACT: Final = any_of(
    r"텔레그램|카카오톡|카톡|오픈\s?채팅|리딩|단톡|밴드|링크|클릭|접속|가입|문의|연락|송금|이체|입금|환불|당첨|무료|상담|전화|이메일|홈페이지|사이트|다운로드|설치",
    r"큐알|댓글|구독|[가-힣A-Za-z0-9]*\s?(?:점|닷|쩜)\s?(?:컴|넷|케이알)",
    whole_words=True,
)


def fault_of_words(text: str, *, told: str = "") -> Fault | None:
    """Return what a sentence says that no diagnosis may say; what the data tell is no story from outside."""
    for fault, pattern in ((Fault.CONTACT, CONTACT), (Fault.ITSELF, ITSELF), (Fault.FORECAST, FORECASTS)):
        if pattern.search(text):
            return fault
    if any(word not in told for word in OUTSIDE.findall(text)):
        return Fault.OUTSIDE
    return Fault.TRADE if asks_to_trade(text) else None
