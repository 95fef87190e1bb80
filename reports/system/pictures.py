"""The diagrams of the system document as SVG text, in millimetres; placed by what is in it, so a new table finds room."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from django.utils.html import escape

from reports import columns
from reports.charts import svg
from reports.palette import PRINT
from reports.system.document import Job, Room, State, SystemDocument, Table

WIDTH: Final = 186.0
FONT: Final = "Noto Sans KR"
BODY, SMALL = 2.65, 2.29  # millimetres of 7.5 and 6.5 pt
BASELINE: Final = 0.35  # of the size, below the middle of a line
HAIR: Final = 0.15
FILL: Final = "#F3F4F6"
ADMIN: Final = "kis.admin"


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        return self.x + self.width / 2


def words(
    x: float,
    y: float,
    text: str,
    *,
    size: float = BODY,
    color: str = PRINT.ink,
    weight: int = 400,
    anchor: str = "start",
    room: float | None = None,
) -> str:
    """Write text with its middle at `y`, cut to `room`."""
    if room is not None:
        text = columns.cut(text, room * BODY / size)
    return (
        f'<text x="{x:.2f}" y="{y + size * BASELINE:.2f}" font-family="{FONT}" font-size="{size}" '
        f'font-weight="{weight}" fill="{color}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def frame(box: Box, *, fill: str = PRINT.paper, edge: str = PRINT.ink3, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="0.9 0.6"' if dashed else ""
    return (
        f'<rect x="{box.x:.2f}" y="{box.y:.2f}" width="{box.width:.2f}" height="{box.height:.2f}" fill="{fill}" '
        f'stroke="{edge}" stroke-width="{HAIR}"{dashes}/>'
    )


def line(points: str, *, color: str = PRINT.ink3, width: float = HAIR, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="0.9 0.6"' if dashed else ""
    return f'<path d="{points}" fill="none" stroke="{color}" stroke-width="{width}"{dashes}/>'


def bow(x1: float, y1: float, x2: float, y2: float) -> str:
    half = (x1 + x2) / 2
    return f"M{x1:.2f} {y1:.2f}C{half:.2f} {y1:.2f} {half:.2f} {y2:.2f} {x2:.2f} {y2:.2f}"


def head(x: float, y: float, *, color: str = PRINT.ink2, direction: str = "right") -> str:
    """Draw the tip of an arrow."""
    shapes = {
        "right": f"M{x:.2f} {y:.2f}l-1.5 -0.65v1.3Z",
        "left": f"M{x:.2f} {y:.2f}l1.5 -0.65v1.3Z",
        "up": f"M{x:.2f} {y:.2f}l-0.65 1.5h1.3Z",
        "down": f"M{x:.2f} {y:.2f}l-0.65 -1.5h1.3Z",
    }
    return f'<path d="{shapes[direction]}" fill="{color}"/>'


def spread(
    wanted: Mapping[str, float], heights: Mapping[str, float], *, gap: float, low: float, high: float
) -> dict[str, float]:
    """Return tops of boxes near their wanted middles, in that order, none over another, all between two ends."""
    order = sorted(wanted, key=lambda name: (wanted[name], name))
    tops: dict[str, float] = {}
    edge = low
    for name in order:
        tops[name] = max(wanted[name] - heights[name] / 2, edge)
        edge = tops[name] + heights[name] + gap
    edge = high
    for name in reversed(order):  # push back what has left the page below
        tops[name] = min(tops[name], edge - heights[name])
        edge = tops[name] - gap
    return tops


# --- data flow ------------------------------------------------------------------------------------------------------

FLOW_HEIGHT: Final = 226.0
FLOW_TOP: Final = 6.0
SOURCE_WIDTH, WRITER_WIDTH, TABLE_WIDTH, READER_WIDTH = 25.0, 31.0, 48.0, 33.0
WRITERS_AT, TABLES_AT, READERS_AT = 34.0, 81.0, WIDTH - READER_WIDTH
ROOM_HEIGHT: Final = 9.0
TALLEST_ROW: Final = 5.8
BETWEEN_APPS: Final = 6.4


def flow_picture(document: SystemDocument) -> str:
    """Draw where data comes from, which part writes it into which table, and which parts read it there."""
    rows, parts = table_rows(document)
    middles = {name: row.middle for name, row in rows.items()}
    writers = [room for room in document.rooms if room.writes]
    readers = [room for room in document.rooms if room.reads and room.name != ADMIN]
    left = room_boxes({room.name: room.writes for room in writers}, middles, x=WRITERS_AT, width=WRITER_WIDTH)
    right = room_boxes({room.name: room.reads for room in readers}, middles, x=READERS_AT, width=READER_WIDTH)
    shades = {room.name: PRINT.ramp[1 + place % 6] for place, room in enumerate(readers)}
    written = [(left[room.name], rows[name]) for room in writers for name in sorted(room.writes)]
    read = [
        (rows[name], right[room.name], shades[room.name]) for room in readers for name in sorted(room.reads)
    ]
    return svg(
        WIDTH,
        FLOW_HEIGHT,
        [
            *flow_captions(),
            *(
                line(bow(start.right, start.middle, end.x, end.middle), color=shade)
                for start, end, shade in read
            ),
            *(
                line(bow(start.right, start.middle, end.x, end.middle), color=PRINT.ink2)
                for start, end in written
            ),
            *(head(end.x, end.middle) for _, end in written),
            *(head(box.x, box.middle, color=shades[name]) for name, box in right.items()),
            *parts,
            *source_parts(writers, left),
            *(part for room in writers for part in room_parts(room, left[room.name])),
            *(part for room in readers for part in room_parts(room, right[room.name])),
        ],
        label="데이터 흐름",
    )


def flow_captions() -> list[str]:
    heads = ((0.0, "밖에서"), (WRITERS_AT, "적는 곳"), (TABLES_AT, "표"), (READERS_AT, "읽는 곳"))
    return [words(x, 2.0, text, size=SMALL, color=PRINT.ink3) for x, text in heads]


def table_rows(document: SystemDocument) -> tuple[dict[str, Box], list[str]]:
    """Return the place of each table in the middle column, and its drawing."""
    apps = list(dict.fromkeys(table.app for table in document.tables))
    room = FLOW_HEIGHT - FLOW_TOP - len(apps) * BETWEEN_APPS
    height = min(TALLEST_ROW, room / max(len(document.tables), 1))
    y, rows, parts = FLOW_TOP, {}, []
    for app in apps:
        parts.append(words(TABLES_AT, y + 2.4, document.app_names[app], size=SMALL, color=PRINT.ink3))
        y += BETWEEN_APPS - 1.4
        for table in (table for table in document.tables if table.app == app):
            box = Box(TABLES_AT, y, TABLE_WIDTH, height - 0.7)
            rows[table.name] = box
            parts += [
                frame(box, edge=PRINT.line, fill=PRINT.paper),
                words(box.x + 1.4, box.middle, table.name, size=SMALL, room=27.0),
                words(
                    *(box.right - 1.2, box.middle, table.label),
                    size=SMALL,
                    color=PRINT.ink3,
                    anchor="end",
                    room=17.5,
                ),
            ]
            y += height
        y += 1.4
    return rows, parts


def room_boxes(
    used: Mapping[str, Iterable[str]], middles: Mapping[str, float], *, x: float, width: float
) -> dict[str, Box]:
    """Place each part of the code near the tables it uses."""
    wanted = {}
    for name, tables in used.items():
        places = [middles[table] for table in tables]
        wanted[name] = sum(places) / len(places)
    heights = dict.fromkeys(wanted, ROOM_HEIGHT)
    tops = spread(wanted, heights, gap=3.0, low=FLOW_TOP, high=FLOW_HEIGHT)
    return {name: Box(x, top, width, ROOM_HEIGHT) for name, top in tops.items()}


def room_parts(room: Room, box: Box) -> list[str]:
    return [
        frame(box, fill=FILL),
        words(box.x + 1.6, box.y + 3.0, room.label, weight=700, room=box.width - 3),
        words(box.x + 1.6, box.y + 6.3, room.name, size=SMALL, color=PRINT.ink3),
    ]


def source_parts(writers: Sequence[Room], left: Mapping[str, Box]) -> list[str]:
    """Draw those outside whom parts of the code talk to, and who talks to them."""
    talking = {
        source: [left[room.name].middle for room in writers if source in room.sources]
        for source in sorted({source for room in writers for source in room.sources})
    }
    wanted = {source: sum(places) / len(places) for source, places in talking.items()}
    tops = spread(wanted, dict.fromkeys(wanted, 6.0), gap=2.0, low=FLOW_TOP, high=FLOW_HEIGHT)
    parts = []
    for source, top in tops.items():
        box = Box(0.1, top, SOURCE_WIDTH, 6.0)
        parts += [
            frame(box, dashed=True),
            words(box.centre, box.middle, source, anchor="middle", room=SOURCE_WIDTH - 2),
        ]
        for middle in talking[source]:
            parts += [
                line(bow(box.right, box.middle, WRITERS_AT, middle)),
                head(WRITERS_AT, middle),
            ]
    return parts


# --- relations of tables --------------------------------------------------------------------------------------------

RELATION_WIDTH: Final = 45.0
RELATION_ROW: Final = 3.6
RELATION_HEAD: Final = 8.2


def relations_picture(document: SystemDocument) -> str:
    """Draw every table that points to another one, or is pointed at, from the one everything hangs on to the right."""
    by_name = {table.name: table for table in document.tables}
    related = [table for table in document.tables if table.relations]
    names = {table.name for table in related} | {
        column.target for table in related for column in table.relations
    }
    depths = depths_of(
        {name: {c.target for c in by_name[name].relations} if name in by_name else set() for name in names}
    )
    step = (WIDTH - RELATION_WIDTH - 0.4) / max(*depths.values(), 1)
    boxes: dict[str, Box] = {}
    tallest = 0.0
    for depth in range(max(depths.values(), default=0) + 1):
        y = 0.2
        inside = sorted(
            (name for name in names if depths[name] == depth), key=lambda name: order_of(name, by_name, boxes)
        )
        for name in inside:
            rows = len(by_name[name].relations) if name in by_name else 0
            boxes[name] = Box(
                0.2 + depth * step,
                y,
                RELATION_WIDTH,
                RELATION_HEAD + rows * RELATION_ROW,
            )
            y = boxes[name].bottom + 4.0
        tallest = max(tallest, y - 4.0)
    parts = []
    for table in related:
        box = boxes[table.name]
        for place, column in enumerate(table.relations):
            start, target = box.y + RELATION_HEAD + (place + 0.4) * RELATION_ROW, boxes[column.target]
            parts += [
                line(bow(box.x, start, target.right, target.y + 2.4), color=PRINT.ink2),
                head(target.right, target.y + 2.4, direction="left"),
            ]
    for name, box in sorted(boxes.items()):
        parts += relation_parts(name, by_name.get(name), box)
    return svg(WIDTH, tallest + 0.4, parts, label="표 관계")


def order_of(name: str, by_name: Mapping[str, Table], boxes: Mapping[str, Box]) -> tuple[float, str]:
    """Keep tables beside those they point to."""
    table = by_name.get(name)
    targets = (
        [boxes[column.target].middle for column in table.relations if column.target in boxes] if table else []
    )
    return (sum(targets) / len(targets) if targets else 0.0, name)


def relation_parts(name: str, table: Table | None, box: Box) -> list[str]:
    """Draw a table with the columns that point away from it; one of Django's own has only its name."""
    label = table.label if table else "Django의 표"
    parts = [
        frame(box, fill=FILL if table else PRINT.paper, dashed=table is None),
        words(box.x + 1.6, box.y + 2.6, name, weight=700, room=box.width - 3),
        words(box.x + 1.6, box.y + 5.9, label, size=SMALL, color=PRINT.ink3, room=box.width - 3),
    ]
    for place, column in enumerate(table.relations if table else ()):
        y = box.y + RELATION_HEAD + (place + 0.4) * RELATION_ROW
        parts.append(words(box.x + 1.6, y, column.name, size=SMALL, room=27.0))
        parts.append(
            words(box.right - 1.6, y, column.label, size=SMALL, color=PRINT.ink3, anchor="end", room=16.0)
        )
    return parts


def depths_of(targets: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return how many steps lead from each name to one that leads nowhere; a circle is cut where it is met."""
    depths: dict[str, int] = {}

    def depth(name: str, above: frozenset[str]) -> int:
        if name not in depths:
            below = [
                depth(target, above | {name}) for target in targets[name] if target not in above | {name}
            ]
            depths[name] = 1 + max(below, default=-1)
        return depths[name]

    for name in sorted(targets):
        depth(name, frozenset())
    return depths


# --- states of an order ---------------------------------------------------------------------------------------------

STATE_WIDTH, STATE_HEIGHT, STATE_PITCH = 23.0, 9.4, 13.4
STATES_TOP: Final = 5.0
TRUNK: Final = 2.6  # right of a state, where its longer ways go down


def states_picture(states: Sequence[State]) -> str:
    """Draw the states from left to right. What goes on stands on the first line, what is over below it.

    A step to the next column is a curve; a longer one goes over the first line, or down and then along.
    """
    before = {state.name: {other.name for other in states if state.name in other.next} for state in states}
    depths = depths_of(before)
    boxes = state_boxes(states, depths)
    top = min(box.y for box in boxes.values())
    parts = []
    for state in states:
        for name in state.next:
            start, end = boxes[state.name], boxes[name]
            if depths[name] == depths[state.name] + 1:
                way = bow(start.right, start.middle, end.x, end.middle)
                tip = head(end.x, end.middle)
            elif end.y == top:
                way = f"M{start.centre:.2f} {start.y:.2f}V1.2H{end.centre:.2f}V{end.y:.2f}"
                tip = head(end.centre, end.y, direction="down")
            else:
                trunk = start.right + TRUNK
                way = f"M{start.right:.2f} {start.middle:.2f}H{trunk:.2f}V{end.middle + 1.6:.2f}H{end.x:.2f}"
                tip = head(end.x, end.middle + 1.6)
            parts += [line(way, color=PRINT.ink2), tip]
    for state in states:
        parts += state_parts(state, boxes[state.name])
    return svg(WIDTH, max(box.bottom for box in boxes.values()) + 0.4, parts, label="주문 상태")


def state_boxes(states: Sequence[State], depths: Mapping[str, int]) -> dict[str, Box]:
    step = (WIDTH - STATE_WIDTH - 0.4) / max(*depths.values(), 1)
    boxes = {}
    for depth in range(max(depths.values()) + 1):
        column = sorted(
            (state for state in states if depths[state.name] == depth), key=lambda state: not state.next
        )
        is_ending = not any(state.next for state in column)
        for place, state in enumerate(column, start=int(is_ending)):
            x, y = 0.2 + depth * step, STATES_TOP + place * STATE_PITCH
            boxes[state.name] = Box(x, y, STATE_WIDTH, STATE_HEIGHT)
    return boxes


def state_parts(state: State, box: Box) -> list[str]:
    """Draw a state; amber where its outcome is not known, white where nothing follows."""
    fill = PRINT.warn_fill if state.is_open else FILL if state.next else PRINT.paper
    return [
        frame(box, fill=fill, edge=PRINT.warn_mark if state.is_open else PRINT.ink3),
        words(box.centre, box.y + 3.2, state.label, weight=700, anchor="middle", room=box.width - 1.5),
        words(box.centre, box.y + 6.6, state.name, size=SMALL, color=PRINT.ink3, anchor="middle"),
    ]


# --- timetable ------------------------------------------------------------------------------------------------------

NAMES_WIDTH, JOB_ROW = 52.0, 8.0
LAST_HOUR: Final = 24
MINUTES: Final = LAST_HOUR * 60


def timetable_picture(jobs: Sequence[Job]) -> str:
    """Draw the window of each job on the hours of a day, a tick for every slot that is 10 minutes or longer."""
    height = 6.0 + len(jobs) * JOB_ROW
    parts = []
    for hour in range(LAST_HOUR + 1):
        x = at_minute(hour * 60)
        parts.append(line(f"M{x:.2f} 4.4V{height:.2f}", color=PRINT.hair))
        parts.append(words(x, 2.0, f"{hour:02}", size=SMALL, color=PRINT.ink3, anchor="middle"))
    for place, job in enumerate(jobs):
        y = 6.0 + place * JOB_ROW
        window = job.window
        left, right = hour_x(window.opens), hour_x(window.closes)
        parts += [
            words(0, y + 2.2, job.label, weight=500, room=NAMES_WIDTH - 3),
            frame(Box(left, y + 0.8, max(right - left, 0.6), 2.8), fill=PRINT.ramp[5], edge=PRINT.ramp[5]),
            words(0, y + 5.4, job.when, size=SMALL, color=PRINT.ink3, room=NAMES_WIDTH - 3),
        ]
        count = (minutes_of(window.closes) - minutes_of(window.opens)) // window.minutes
        for slot in range(count + 1) if window.minutes >= DRAWN_APART else ():
            x = left + slot * window.minutes * (WIDTH - NAMES_WIDTH - 3) / MINUTES
            parts.append(line(f"M{x:.2f} {y + 0.8:.2f}v2.8", color=PRINT.ink))
    return svg(WIDTH, height, parts, label="하루의 시간표")


DRAWN_APART: Final = 10  # minutes; ticks that are closer would be one grey


def hour_x(at: time) -> float:
    return at_minute(minutes_of(at))


def at_minute(minute: int) -> float:
    return NAMES_WIDTH + minute * (WIDTH - NAMES_WIDTH - 3) / MINUTES


def minutes_of(at: time) -> int:
    return at.hour * 60 + at.minute
