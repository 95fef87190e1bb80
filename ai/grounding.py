"""Check sentences of a model against what it was told: every figure, every stock, and how it is said; pure.

A sentence passes as a whole or is left out and counted. Rounding that passes is described at `ai.figures.agrees`; a figure
belongs to the stock named before it, and one of a stock is not one of the account.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from ai.answers import Said
from ai.facts import CODE, STOCK, STOCKS, Fact, Row, facts_of, is_day, rows_of
from ai.figures import Figure, Kind, NotReadable, Way, figures_in
from ai.names import by_length, others_in
from ai.payload import Payload, Table
from ai.prompts import recites
from ai.sentences import (
    IS_WHOLE,
    LEANS_ON_ANOTHER,
    Refused,
    Sentence,
    read_sentence,
    sentences_of,
    shown,
    stocks_at,
)
from ai.wording import LATIN_WORD, Fault, fault_of_letters, fault_of_words, has_unknown_latin
from kis.korean import SEOUL, WEEKDAYS

LONGEST_SENTENCE: Final = 200
LONGEST_TEXT: Final = 400
FEWEST_SYLLABLES: Final = 3
#: D+2 and T+2 are words; their figures count nothing.
SETTLEMENT: Final = re.compile(r"(?<![A-Za-z])[DT]\+[0-3](?!\d)")
WEEKDAY: Final = re.compile(rf"([{WEEKDAYS}])요일")

CLAUSE: Final = re.compile(r"[,;:.]|(?<=[가-힣])(?:고|지만|으나|며|는데|면서|으며|인데)\s")
UPWARD: Final = re.compile(
    r"올랐|오른|오르|올라|상승|이익|늘었|늘어|증가|플러스|벌었|번\s|앞서|앞섰|웃돌|뛰었|뛴|높|수익(?!률)|더했|불었"
)
DOWNWARD: Final = re.compile(
    r"내렸|내린|내려|내리|하락|손실|줄었|줄어|감소|마이너스|잃었|잃은|빠졌|빠진|빠져|밀렸|밀린|밀려|뒤졌|뒤처|밑돌|떨어|낮|깎|까먹"
)
LABEL_OF_WAY: Final = re.compile(
    r"(?:(?P<down>손실률?|하락률|하락폭|낙폭|감소율?|손실폭|마이너스|(?:내린|하락한|떨어진|손실|하락)\s?종목)"
    r"|(?P<up>이익률?|상승률|상승폭|증가율?|플러스|(?:오른|상승한|뛴|이익|수익|상승)\s?종목))[은는이가도인]?\s?(?:약\s?)?$"
)
#: What a figure is called, and where such a figure may come from. Findings speak for themselves.
LABELS: Final[tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]] = tuple(
    (
        re.compile(rf"(?:{label})(?:[은는이가을를도인]|로는|으로는)?\s?(?:현재\s|지금\s)?(?:약\s?)?$"),
        re.compile(keys),
    )
    for label, keys in (
        (r"목표(?:\s?비중|치)?", r"target"),
        (r"(?<!목표\s)(?<!목표)비중", r"weight|cash|stocks|target|share_of"),
        (r"수익률|손익률|손실률|평가손익률", r"profit|return|day_change"),
        (r"등락률|전일\s?대비|전일보다|하루\s?수익률|당일\s?수익률", r"day_"),
        (r"매입가\s?대비|매입가보다|매입단가\s?대비|매입단가보다|누적\s?수익률", r"profit|cumulative"),
        (r"현재가", r"price"),
        (r"평균\s?단가|평단가?|매입\s?단가|매입가", r"average"),
        (r"평가\s?금액|평가액", r"value|stocks|total"),
        (r"평가\s?손익|평가\s?이익|평가\s?손실", r"profit"),
        (r"총자산|총평가금액|총평가액", r"total"),
        (r"예수금|현금", r"cash|orderable|target"),
        (r"주문\s?가능\s?금액|주문\s?가능", r"orderable"),
        (r"수수료|비용|세금", r"costs"),
        (r"보유\s?수량|수량", r"quantity|qty"),
        (r"종목", r"holdings|^up|^down"),
    )
)
TODAY: Final = re.compile(r"오늘|당일|전일|하루|어제보다")
MOVED: Final = re.compile(
    r"\s?(?:만큼|이나)?\s?(?:올랐|내렸|올라|내려|상승|하락|뛰었|빠졌|밀렸|떨어졌|움직|늘었|줄었|벌었|잃었)"
)
#: Where figures come from that may be said of today alone; the others have grown over a longer time.
NOT_OF_TODAY: Final = re.compile(
    r"holdings\.(?:profit|average|value)|account\.(?:profit|total|stocks_won)|cumulative"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence speaks of without naming it: stocks of the sentence before, findings its point refers to."""

    stocks: tuple[str, ...] = ()
    findings: frozenset[str] = frozenset()


@dataclass
class Check:
    """Looks at the sentences of one answer, and counts. `listed` are names of the market's stocks."""

    payload: Payload
    listed: frozenset[str]
    checked: int = 0
    left_out: list[tuple[str, Fault]] = field(default_factory=list)

    def words(self, said: Said, *, default: str) -> tuple[str, tuple[str, ...]]:
        """Return the sentences that pass, and the findings they speak of; `default` is the stock they are about, if any."""
        kept: list[str] = []
        references = [name for name in said.about if name in self.findings]
        stocks = (default,) if default else self.stocks_of_findings(references)
        at_first = Subject(stocks, frozenset(references))
        subject, leans = at_first, False
        for raw in sentences_of(said.text):
            room = min(LONGEST_SENTENCE, LONGEST_TEXT - len(" ".join(kept)))
            try:
                sentence = self.look(raw, subject, room=room, leans=leans)
            except Refused as refused:
                self.leave_out(raw, refused.fault)
                subject, leans = at_first, True
                continue
            subject = replace(subject, stocks=sentence.codes or subject.stocks)
            references += sentence.references
            kept.append(shown(sentence, self.payload.stocks))
        unique = sorted(dict.fromkeys(references), key=lambda name: int(name[1:]))
        return " ".join(kept), tuple(unique)

    def leave_out(self, text: str, fault: Fault) -> None:
        """Note sentences that are not shown, in letters that any database takes."""
        for sentence in sentences_of(text):
            short = sentence[:LONGEST_SENTENCE].encode("utf-8", "replace").decode()
            self.left_out.append((short.replace("\0", ""), fault))

    def look(self, raw: str, subject: Subject, *, room: int, leans: bool) -> Sentence:
        """Return a sentence that agrees with the data, and count its figures. Raises Refused for the first thing wrong.

        It may be as long as there is `room`, and with `leans` it must make sense without the sentence before.
        """
        if len(raw) > room:
            raise Refused(Fault.LENGTH)
        sentence = read_sentence(raw, names=self.names, codes=self.held)
        text = SETTLEMENT.sub(lambda match: "결" * len(match[0]), sentence.text)
        if fault := self.fault_of(text, sentence, leans=leans):
            raise Refused(fault)
        try:
            figures = figures_in(text)
        except NotReadable:
            raise Refused(Fault.NUMBER) from None
        same_text = Sentence(text, sentence.codes, sentence.references)
        if not all(self.holds(figure, figures, same_text, subject) for figure in figures):
            raise Refused(Fault.NUMBER)
        self.checked += len(figures)
        return sentence

    def fault_of(self, text: str, sentence: Sentence, *, leans: bool) -> Fault | None:
        """Return what is wrong with the words of a sentence, figures aside."""
        if fault := fault_of_letters(text, mark=STOCK):
            return fault
        if fault := fault_of_words(text, told=self.told):
            return fault
        is_korean = len(re.findall(r"[가-힣]", text)) >= FEWEST_SYLLABLES
        wrong = {
            Fault.FOREIGN: not is_korean or has_unknown_latin(text, known=self.latin),
            Fault.ITSELF: recites(text),
            Fault.ALONE: not IS_WHOLE.search(text) or bool(leans and LEANS_ON_ANOTHER.match(text)),
            Fault.REFERENCE: not self.findings.keys() >= set(sentence.references),
            Fault.STOCK: others_in(text, listed=self.others, known=self.sectors),
            Fault.NUMBER: not self.weekdays.issuperset(WEEKDAY.findall(text)),
        }
        return next((fault for fault, is_so in wrong.items() if is_so), None)

    def holds(self, figure: Figure, figures: Sequence[Figure], sentence: Sentence, subject: Subject) -> bool:
        """Return whether a figure states a fact of the account, or of the stock it is said of."""
        text, named = sentence.text, sentence.codes or subject.stocks
        if figure.unit == "종목" and figure.value == len(set(named)):
            return True  # {A}와 {B} 두 종목
        codes = set(stocks_at(sentence, figure.start, figure.end) if sentence.codes else named)
        way = way_said(figure, figures, text)
        day = day_said(figure, figures)
        return any(
            fact.is_stated_by(figure)
            and (not fact.codes or fact.codes & codes)
            and goes(fact, way)
            and (not fact.on or not day or fact.kind is Kind.DATE or is_day(day, fact.on))
            and (
                not fact.about or fact.finding in subject.findings or any(word in text for word in fact.about)
            )
            and is_called_so(figure, fact, text)
            for fact in self.facts
        )

    # --- what it was told ---

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        return facts_of(self.payload)

    @cached_property
    def held(self) -> frozenset[str]:
        return frozenset(self.payload.stocks)

    @cached_property
    def names(self) -> list[tuple[str, str]]:
        return by_length(self.payload.stocks)

    @cached_property
    def others(self) -> frozenset[str]:
        return self.listed - frozenset(self.payload.stocks.values())

    @cached_property
    def findings(self) -> dict[str, Row]:
        return {str(row["id"]): row for row in self.rows("findings")}

    @cached_property
    def sectors(self) -> frozenset[str]:
        """Words of the data that are no stocks."""
        texts = [str(row["sector"] or "") for row in self.rows("holdings")]
        return frozenset(word for text in texts for word in [text, *re.findall(r"[가-힣A-Za-z0-9]+", text)])

    @cached_property
    def told(self) -> str:
        """Return the words of the data: findings and sectors."""
        texts = [f"{row['title']} {row['text'] or ''}" for row in self.findings.values()]
        return " ".join([*texts, *sorted(self.sectors)])

    @cached_property
    def latin(self) -> frozenset[str]:
        return frozenset(word.upper() for sector in self.sectors for word in LATIN_WORD.findall(sector))

    @cached_property
    def weekdays(self) -> frozenset[str]:
        days = [fact.day for fact in self.facts if fact.day] + [self.payload.as_of.astimezone(SEOUL).date()]
        return frozenset(WEEKDAYS[day.weekday()] for day in days)

    def rows(self, table: str) -> list[Row]:
        return rows_of(self.payload.tables.get(table, Table((), ())))

    def stocks_of_findings(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the stocks that findings are about: who refers to them need not name them again."""
        texts = [str(self.findings[name]["text"] or "") for name in names]
        return tuple(dict.fromkeys(code for text in texts for code in CODE.findall(text)))


# --- how it is said ----------------------------------------------------------------------------------------------------


def way_said(figure: Figure, figures: Sequence[Figure], text: str) -> Way | None:
    """Return the direction that a sentence gives a figure: by its sign, or by the words before and after it."""
    if figure.sign:
        return figure.sign
    if label := LABEL_OF_WAY.search(text, 0, figure.start):
        return Way.DOWN if label["down"] else Way.UP
    next_figure = min((other.start for other in figures if other.start > figure.start), default=len(text))
    rest = text[figure.end : next_figure]
    if clause := CLAUSE.search(rest):
        rest = rest[: clause.end()]
    up, down = UPWARD.search(rest), DOWNWARD.search(rest)
    if up and down:
        return Way.UP if up.start() < down.start() else Way.DOWN
    return Way.UP if up else Way.DOWN if down else None


def day_said(figure: Figure, figures: Sequence[Figure]) -> str:
    """Return the day that a figure is said of: the one before it, or else the first one after it."""
    days = [other for other in figures if other.kind is Kind.DATE]
    before = [day for day in days if day.start < figure.start]
    return (before[-1] if before else days[0]).when if days else ""


def goes(fact: Fact, way: Way | None) -> bool:
    """Return whether a fact goes the way that is said; so many winners are not so many stocks."""
    if way is None:
        return True
    return fact.way is way or (fact.way is None and not (fact.kind is Kind.COUNT and fact.units == STOCKS))


def is_called_so(figure: Figure, fact: Fact, text: str) -> bool:
    """Return whether a fact is what the words in front of a figure call it."""
    if fact.key.startswith("findings"):
        return True
    for label, keys in LABELS:
        if label.search(text, 0, figure.start):
            return bool(keys.search(fact.key))
    begin = max((clause.end() for clause in CLAUSE.finditer(text, 0, figure.start)), default=0)
    moved_today = TODAY.search(text, begin, figure.start) and MOVED.match(text, figure.end)
    return not (moved_today and NOT_OF_TODAY.search(fact.key))
