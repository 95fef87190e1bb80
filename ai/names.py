"""Names of stocks: which ones may be told to a model or stand in its sentences, and which ones it has made up; pure.

What the broker calls a stock is data. A name that reads like a sentence, an instruction, an address or an amount stays in
the tables, where it stands as the broker has it; a model gets the code instead, and so does its text.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from ai.wording import NIEUN, RIEUL, asks_to_trade

LONGEST: Final = 40
MOST_WORDS: Final = 6
#: Letters of listed names: KODEX 미국S&P500선물인버스2X(합성 H), CJ4우(전환), S-Oil, 종합채권(AA-이상), 코스피200&타겟
SHAPE: Final = re.compile(r"[가-힣A-Za-z0-9][가-힣A-Za-z0-9 &.,()+\-/%·'’]*")
#: What no listed name has: an end of a sentence, an amount, an address, a word that speaks to a model.
SPEAKS: Final = re.compile(
    r"\d{6}|\S{31}|^F\d+$|^nan$|[가-힣](?:세요|십시오|시오|습니다|합니다|입니다|하라|해라|하자|할것|할 것|해줘|바람|마라|말라|된다|한다|이다)\b"
    r"|\d\s?(?:원|만원|억|%)|\d,\d|[.,]\s?[가-힣]{2,}\s|\.(?:com|net|kr|io|org)\b"
    r"|ignore|system|assistant|prompt|instruction|script|output|json|reply|answer|you are|must|sell|buy|http|www|null|true|false"
    r"|지시(?:를|에|하|대로|사항)|명령(?:을|에|하)|무시|출력(?:하|해)|대답|답변|규칙|이전의?\s|모두\s|전량|즉시|당장|긴급|추천|수익률|보장|목표\s?(?:주가|가\b)",
    re.IGNORECASE,
)


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a stock and nothing else."""
    return bool(
        text
        and len(text) <= LONGEST
        and len(text.split()) <= MOST_WORDS
        and SHAPE.fullmatch(text)
        and not SPEAKS.search(text)
        and not asks_to_trade(text)
    )


def shown_name(name: str, code: str) -> str:
    """Return how a stock is called in a sentence of a model."""
    return name if is_name(name) else f"종목 {code}"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- stocks that are not in the data ---------------------------------------------------------------------------------

#: Known far beyond their owners, and so what a model may come to speak of.
FAMOUS: Final = words(
    """삼성전자 삼성전자우 하이닉스 엘지에너지솔루션 삼성바이오로직스 현대차 현대자동차 기아 셀트리온 네이버 카카오 카카오뱅크
    카카오페이 포스코 포스코홀딩스 포스코퓨처엠 삼성물산 삼성생명 삼성화재 삼성전기 현대모비스 신한지주 하나금융지주
    우리금융지주 메리츠금융지주 기업은행 한국전력 한전 한국가스공사 크래프톤 엔씨소프트 넷마블 펄어비스 하이브 에스엠
    와이지엔터테인먼트 에코프로 에코프로비엠 엘앤에프 알테오젠 리가켐바이오 한화에어로스페이스 한화오션 한화솔루션 한화시스템
    현대로템 두산에너빌리티 두산밥캣 두산로보틱스 레인보우로보틱스 고려아연 대한항공 아시아나항공 한미반도체 한미약품
    유한양행 녹십자 신라젠 금양 포스코인터내셔널 한국항공우주 한국조선해양 삼성중공업 대우조선해양 현대중공업 현대건설
    대우건설 롯데케미칼 롯데쇼핑 이마트 쿠팡 배달의민족 토스 두나무 업비트 대한전선 대원전선 아모레퍼시픽 호텔신라
    테슬라 엔비디아 애플 마이크로소프트 구글 알파벳 아마존 메타 넷플릭스 브로드컴 인텔 팔란티어 아이온큐 코카콜라 버크셔
    알리바바 텐센트 소니 도요타 비트코인 이더리움 리플 도지코인 솔라나 코인"""
)
#: Names of listed companies that are words as well; they are taken for the word.
WORDS_TOO: Final = words(
    """대상 전방 진도 신원 선진 비상 상보 한창 고려 국제 남성 미래 이미지 지수 보해 국보 동양 서원 세방 무학 나노 노을 하림
    사조 유니온 코드 바이오 인선 대유 성안 방림 일성 조비 조선 한국 동방 경동 태양 신성 우리 중앙 대한 현대 삼성 가온 가치
    나무 누리 다원 대동 대성 대신 동아 동원 동일 디딤 로보 만도 모두 모나 백산 범양 부방 비즈니스 빛샘 삼일 서울 서호 성우
    솔루션 수산 시공 신영 신일 쌍용 아이 아진 영풍 오리 오상 원익 원풍 유성 유진 이건 이루 일신 일진 전진 제이 조광 종목
    진양 창해 천일 케이 태광 토박스 파라 풍산 피제 한일 한진 혜인 화신 화천 휴온 흥국 전체 경남 광주 부산 대구 제주 인천
    강원 상신 삼보 삼화 삼진 세기 세원 신화 우진 유일 이화 자연 정상 좋은 중심 하나 한솔 해성 흐름 기산 남해 배럴"""
)
#: Endings of company names; a long word with one is taken for a company unless the data have it.
COMPANY: Final = re.compile(
    r"[가-힣]{2,}(?:전자|화학|제약|증권|반도체|에너지|건설|중공업|통신|생명|화재|은행|지주|홀딩스|테크|텍|솔루션|로보틱스|모빌리티|엔터테인먼트|게임즈"
    r"|소프트|시스템즈?|메디칼|제지|철강|조선해양|해운|항공|식품|물산|상사|산업|텔레콤|디스플레이|머티리얼즈|사이언스|파마|바이오로직스|바이오팜|자동차|전선|캐피탈)"
)
NO_COMPANY: Final = re.compile(
    r"(?:국내|해외|글로벌|메모리|시스템|비메모리|대형|중소형|개별|전체|보유|해당|관련|같은|모든|나머지|이동|무선|유선|재생|신재생|석유|정밀|전기|반도체|이차전지|여러|주요|단일|특정)+"
    r"(?:전자|화학|제약|증권|반도체|에너지|건설|중공업|통신|생명|화재|은행|지주|항공|식품|산업|자동차|철강|해운|디스플레이|바이오)"
)
#: `한빛 주가`, `한빛 종목`: what stands before these is a stock, or tells which ones (내려간 종목, 손실 종목).
BEFORE_STOCK: Final = re.compile(r"(?<![\d가-힣])([가-힣]+)\s(?:(?:주가|주식|지분|주주)|(종목))")
TELLS_WHICH: Final = re.compile(
    r"[가-힣]*(?:[은는던의를을이가도와과로서며면고]|에서|부터|까지|지만|않은|않는|있는|없는|오른|내린|큰|다른)"
    r"|.*(?:미체결|편중|쏠림|집중|하락|상승|손실|이익|적자|흑자|주도|보유|대상|관리|투자|우량|성장|핵심|주요|비중|한도|초과|목표|개별|해당|모든|전체|일부"
    r"|나머지|상위|하위|단일|특정|대형|국내|여러|각|한|두|세|네|다섯|여섯|일곱|여덟|아홉|열|급락|이탈|정지|체결|경고|주의|기준|업종|계좌|약세|강세|점검|확인|점|그|이)"
)
#: Any word that ends like `내려간` or `오를` tells which ones, too; a company seldom stands before 종목.
ADNOMINAL: Final = re.compile(rf"[가-힣]*[{NIEUN}{RIEUL}]")
WORD: Final = re.compile(r"[가-힣A-Za-z0-9&]+")
PARTICLES: Final = words(
    """은 는 이 가 을 를 과 와 의 도 만 로 으로 에 에서 에게 까지 부터 보다 처럼 이나 나 이며 며 이고 고 이라 라 이란 란 입니다 이었 였 주 우
    와의 과의 에는 에도 의는 만이 이라는 라는 이라고 라고 주식 주가 종목"""
)


def others_in(text: str, *, listed: Collection[str], known: Collection[str]) -> bool:
    """Return whether a text, its own stocks taken out, names another one: famous, listed or made up.

    `listed` are the names of the market, `known` words of the data that are no stocks, such as sectors.
    """
    names = FAMOUS if not listed else FAMOUS | frozenset(listed)
    for word in WORD.findall(text):
        if word in known:
            continue
        for end in range(len(word), 1, -1):
            name = word[:end]
            if name in names and name not in WORDS_TOO and (end == len(word) or is_particle(word[end:])):
                return True
        company = COMPANY.match(word)
        if company and company[0] not in known and not NO_COMPANY.fullmatch(company[0]):
            return True
    return any(
        match[1] not in known
        and not TELLS_WHICH.fullmatch(match[1])
        and not (match[2] and ADNOMINAL.fullmatch(match[1]))
        for match in BEFORE_STOCK.finditer(text)
    )


@cache
def is_particle(rest: str) -> bool:
    return rest in PARTICLES or rest.startswith(("입니다", "이었", "였", "이라", "이며", "이고"))


def by_length(names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (name, code) of what may be a name, the longest first, so that none is found inside another one."""
    often = Counter(names.values())  # a name of two stocks names neither
    told = [
        (name, code) for code, name in names.items() if len(name) > 1 and often[name] == 1 and is_name(name)
    ]
    return sorted(told, key=lambda pair: (-len(pair[0]), pair[0]))
