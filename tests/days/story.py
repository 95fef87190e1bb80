"""What happens on each of many trading days, and what must be true after each of them; the same seed, the same days."""

import gc
import io
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Any

from django.core.management import call_command
from django.db.models import Count

from aegis.alerts.models import Alert, AlertDelivery
from aegis.schedules import FETCH, ORDERS, PRINT, REFRESH, Job, window_of, write_schedules
from aegis.tasks import send_alerts
from kis.calendar import ONE_DAY, business_day_before, is_business_day
from kis.client.codes import Mode
from kis.client.errors import KisError
from kis.encryption import decrypt
from kis.korean import SEOUL
from kis.models import (
    AccessToken,
    DailyPrice,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    MarketDay,
    MinPrice,
    PriceGap,
    SyncRun,
)
from kis.models.runs import PRINTING
from kis.refresh import JOB as REFRESHING
from kis.sync.minute_plans import session_minutes
from kis.sync.run import JOB as FETCHING
from tests.days.world import MINUTE, World

#: What a job's runs are called in the table of runs.
RUNS = {REFRESH: REFRESHING, PRINT: PRINTING, FETCH: FETCHING}
WAYS = ("task", "cron", "both", "scheduler")
CODES = ("005930", "000660", "035420")
OTHERS = ("005380", "068270")
CASH: dict[Mode, int] = {"real": 300_000_000, "paper": 100_000_000}
#: What may go wrong with a single answer of the broker.
FAULTS = (
    "reset_before",
    "reset_after",
    "http_500_before",
    "http_500_after",
    "html_page",
    "redirect_307",
    "truncate",
    "bad_json",
    "token_expired",
    "slow_drip",
    "drop_page",
    "repeat_page",
)
FAULTY = ("TTTC8434R", "TTTC0084R", "TTTC0081R", "FHKUP03500100", "FHKST03010200", "FHKST03010100", "*")
#: The days of a month on which the owner has a paper account as well; a run of few days has it on its last one.
PAPER_DAYS, FEW = range(20, 23), 20
#: In a coarse run too every minute is fired on one day of fifteen.
WHOLE = 4
STEP = timedelta(minutes=3)
#: A tick is due from its second on.
A_SECOND = timedelta(seconds=1)
#: How long after its end a trouble may still be seen in the age of the data: the lease of a worker that was killed.
AFTERMATH = timedelta(minutes=2)
LEASE = timedelta(minutes=5)


@dataclass
class Plan:
    """What a day has in store; `outages` are times and what they are: the broker, its maintenance, or our worker."""

    way: str
    outages: list[tuple[time, time, str]] = field(default_factory=list)
    faults: list[tuple[time, dict[str, Any]]] = field(default_factory=list)
    steps: list[tuple[time, timedelta]] = field(default_factory=list)
    kills: list[tuple[time, Job]] = field(default_factory=list)
    trades: list[time] = field(default_factory=list)
    prints: bool = False
    revoked: bool = False
    restarted: bool = False
    by_night: bool = False
    paper: bool = False
    whole: bool = False


class Story:
    """So many trading days. `every` leaves out minutes: only every so many is the minute's job fired."""

    def __init__(self, world: World, *, seed: int, every: int = 1, prints: int = 3) -> None:
        self.world = world
        self.seed = seed
        self.usual = self.every = every
        self.prints = prints
        self.random = Random(f"days {seed}")
        self.problems: list[str] = []
        self.count: Counter[str] = Counter()
        self.why: Counter[str] = Counter()
        self.reasons: defaultdict[tuple[str, datetime], set[str]] = defaultdict(set)
        self.trouble_until = world.clock.now()
        self.oldest = {"quiet": timedelta(), "in trouble": timedelta()}
        self.memory: list[tuple[float, int]] = []
        self.days: list[date] = []
        self.evenings: dict[tuple[Mode, date], dict[str, Any]] = {}
        self.flows: Counter[tuple[Mode, date]] = Counter()
        self.down = ""
        self.was_away = False
        self.is_enough = False

    # --- plans ----------------------------------------------------------------------------------------------------------

    def clock_time(self, first: str, last: str) -> time:
        begin, end = (time.fromisoformat(text) for text in (first, last))
        minutes = self.random.randint(begin.hour * 60 + begin.minute, end.hour * 60 + end.minute)
        return time(minutes // 60, minutes % 60)

    def plan(self, number: int, of: int) -> Plan:
        """Plan a day: some kinds of trouble come round by number so that each comes, others by chance."""
        plan = Plan(WAYS[number % len(WAYS)])
        plan.prints = of // 2 <= number < of // 2 + self.prints
        plan.whole = of >= FEW and number % 15 == WHOLE
        plan.trades = sorted(self.clock_time("09:05", "15:10") for _ in range(self.random.randint(1, 4)))
        plan.faults = [
            (
                self.clock_time("08:56", "15:50"),
                {
                    "tr": self.random.choice(FAULTY),
                    "kind": self.random.choice(FAULTS),
                    "times": self.random.randint(1, 3),
                    "delay_ms": 1,
                },
            )
            for _ in range(self.random.randint(0, 6))
        ]
        if number % 6 == 1:
            kind = ("maintenance", "broker down", "worker down")[number // 6 % 3]
            begin = self.clock_time("09:20", "13:30")
            end = (datetime.combine(date.min, begin) + timedelta(minutes=self.random.randint(5, 50))).time()
            plan.outages.append((begin, end, kind))
        if number % 10 == 3:
            begin = self.clock_time("09:30", "14:00")
            back = (datetime.combine(date.min, begin) + timedelta(minutes=20)).time()
            step = STEP if number // 10 % 2 == 0 else -STEP
            plan.steps = [(begin, step), (back, timedelta())]
        if number % 5 == 2:
            plan.kills.append((self.clock_time("09:40", "15:00"), REFRESH))
        plan.paper = number % 30 in PAPER_DAYS or (of < FEW and number == of - 1)
        plan.revoked, plan.restarted, plan.by_night = number % 4 == 2, number % 7 == 5, number % 9 == 4
        return plan

    # --- the days --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        for mode, cash in CASH.items():
            positions = [{"code": code, "qty": 30, "avg": 90_000} for code in CODES]
            assert self.world.broker.post("account", {"deposit": cash, "positions": positions}, mode)
        write_schedules(now=self.world.clock.wall())
        for day, known in self.world.broker.days.items():
            # The broker tells on which days it is open, and not for how long: that the owner has to write down.
            if known.hours:
                MarketDay.objects.create(
                    day=day,
                    opens=True,
                    settles=True,
                    opens_at=known.hours.opens,
                    closes_at=known.hours.closes,
                    updated_at=self.world.clock.wall(),
                )

    def play(self, days: int, told: Callable[[date], object] = bool) -> None:
        day = self.world.clock.now().date()
        while len(self.days) < days and not self.is_enough:
            if self.opens(day):
                number = len(self.days)
                self.days.append(day)
                self.play_day(day, self.plan(number, days))
                told(day)
            else:
                self.play_holiday(day)
            day += ONE_DAY
        self.after_all()

    def opens(self, day: date) -> bool:
        """Return whether the exchange opens: what the broker knows goes before what is estimated."""
        known = self.world.broker.days.get(day)
        return known.opens if known else is_business_day(day)

    def play_holiday(self, day: date) -> None:
        """Fire every job on a day on which nothing must come of it."""
        self.world.clock.set(datetime.combine(day, time(10), SEOUL))
        before = SyncRun.objects.count()
        # The estimate may not know of the day; the fetch of the day before has asked the broker.
        for job in (FETCH, PRINT, REFRESH):
            told = self.world.by_cron(job, self.world.clock.wall())
            if "쉬는 날" not in told:
                self.wrong(f"{job.name} on a closed day: {told}")
        if SyncRun.objects.count() != before:
            self.wrong("a run on a closed day")
        self.count["closed days"] += 1

    def play_day(self, day: date, plan: Plan) -> None:
        world = self.world
        self.every = 1 if plan.whole else self.usual
        self.count["days on which every minute was fired"] += self.every == 1
        world.prints = plan.prints
        world.use_accounts(*(("real", "paper") if plan.paper else ("real",)))
        if plan.by_night:
            self.look_by_night(day)
        if plan.revoked:
            self.revoke_tokens()
        if plan.restarted:
            world.broker.stop()
            world.broker.start()
            self.count["simulator restarted"] += 1
        self.play_session(day, plan)
        self.close(day)

    def play_session(self, day: date, plan: Plan) -> None:
        clock = self.world.clock
        jobs = {job: window_of(job) for job in (FETCH, PRINT, REFRESH)}
        begins = datetime.combine(day, time(8, 28), SEOUL)
        ends = max(window.slots_of(day)[-1] for window in jobs.values()) + 2 * MINUTE
        clock.set(begins)
        if plan.way == "scheduler":
            self.world.skip_the_past()
        waiting = self.events(day, plan)
        minute = begins
        while minute <= ends:
            clock.set(minute - clock.ahead + A_SECOND)
            while waiting and waiting[0][0] <= clock.now():
                before = clock.ahead
                waiting.pop(0)[1]()
                if clock.ahead != before:
                    minute = self.stepped(minute, plan, jobs)
            self.tick(minute, plan, jobs)
            self.look_at_age(minute, jobs)
            minute += MINUTE
        if not self.world.broker.is_up:
            self.world.broker.start()
        self.world.broker.no_more_faults()

    def stepped(self, minute: datetime, plan: Plan, jobs: dict[Job, Any]) -> datetime:
        """Return the minute that the clock shows now; what it jumped over is nobody's to fire."""
        wall = self.world.clock.wall().replace(second=0, microsecond=0)
        if plan.way == "scheduler":
            # It fires the first tick that was jumped over, and goes on with the next one after now.
            self.note(wall, "clock step", jobs)
        while minute < wall:
            self.note(minute, "clock step", jobs)
            minute += MINUTE
        self.in_trouble(STEP + AFTERMATH)
        return wall

    def tick(self, minute: datetime, plan: Plan, jobs: dict[Job, Any]) -> None:
        """Let what is due at a minute be fired."""
        clock = self.world.clock
        due = [job for job, window in jobs.items() if minute in window.slots_of(minute.date())]
        due = [job for job in due if not self.leaves_out(job, minute)]
        is_back, self.was_away = self.was_away, self.down == "worker down"
        if self.was_away:
            self.note(minute, "worker down", jobs)
            return
        if minute.minute % 10 == 0:
            self.tell()
        if plan.way == "scheduler":
            if is_back:
                # It makes up for the first tick that it missed, and goes on with the next one after now.
                self.note(minute, "worker down", jobs)
            self.look_at_schedules(minute, due)
            return
        for job in due:
            late = clock.wall() - minute
            if plan.way != "task" and late >= MINUTE:
                # The one before is still at it: a cron would have started this one beside it.
                self.reasons[job.name, minute].add("busy")
                continue
            self.world.fire(plan.way, job, minute)
            self.reasons[job.name, minute].add("fired")
            if late >= MINUTE:
                self.count["fired late"] += 1
        if minute.minute % 10 == 0:
            self.world.by_cron(ORDERS, minute)

    def look_at_schedules(self, minute: datetime, due: list[Job]) -> None:
        """Let a cluster look for what is due."""
        for job in due:
            self.reasons[job.name, minute].add("scheduled")
        if self.every == 1:
            self.world.scheduled()
        elif due or minute.minute % 10 == 0:
            self.world.skip_to(minute, [ORDERS, *due])
            self.world.scheduled()

    def tell(self) -> None:
        """Send what is worth telling, twice, as two machines may do."""
        for _ in range(2):
            send_alerts()

    def look_at_phone(self) -> None:
        """Note what is wrong if a message of the day came twice: each says its minute."""
        received = self.world.phone.received
        self.count["alert messages received"] += sum(received.values())
        twice = {message: times for message, times in received.items() if times > 1}
        self.count["alert messages received twice"] += len(twice)
        if twice:
            self.wrong(f"received more than once: {twice}")
        received.clear()

    def alerts(self) -> dict[str, int]:
        """Return how many alerts there were, and how many of them went out."""
        sent = AlertDelivery.objects.filter(status=AlertDelivery.Status.SENT)
        return {"told": Alert.objects.count(), "sent": sent.count()}

    def leaves_out(self, job: Job, minute: datetime) -> bool:
        """Return whether a coarse run fires a job in a minute; the half hours are always whole."""
        return job is not FETCH and minute.minute % self.every != 0

    def note(self, minute: datetime, reason: str, jobs: dict[Job, Any]) -> None:
        for job, window in jobs.items():
            if minute in window.slots_of(minute.date()):
                self.reasons[job.name, minute].add(reason)

    # --- events -------------------------------------------------------------------------------------------------------------

    def events(self, day: date, plan: Plan) -> list[tuple[datetime, Callable[[], object]]]:
        def at(clock: time) -> datetime:
            return datetime.combine(day, clock, SEOUL)

        found: list[tuple[datetime, Callable[[], object]]] = []
        for begin, end, kind in plan.outages:
            found += [(at(begin), partial(self.go_down, kind)), (at(end), self.come_back)]
        found += [(at(clock), partial(self.fault, fault)) for clock, fault in plan.faults]
        found += [(at(clock), partial(self.step, step)) for clock, step in plan.steps]
        found += [(at(clock), partial(self.kill, job)) for clock, job in plan.kills]
        found += [(at(clock), self.trade) for clock in plan.trades]
        return sorted(found, key=lambda one: one[0])

    def in_trouble(self, lasting: timedelta) -> None:
        self.trouble_until = max(self.trouble_until, self.world.clock.now() + lasting)

    def go_down(self, kind: str) -> None:
        self.down = kind
        self.count[kind] += 1
        self.in_trouble(timedelta(hours=8))
        if kind == "broker down":
            self.world.broker.stop()
        elif kind == "maintenance":
            for mode in self.world.modes:
                self.world.broker.post("faults", [{"tr": "*", "kind": "maintenance", "times": 10**6}], mode)

    def come_back(self) -> None:
        kind, self.down = self.down, ""
        if kind == "broker down":
            self.world.broker.start()
        elif kind == "maintenance":
            self.world.broker.no_more_faults()
        self.trouble_until = self.world.clock.now() + AFTERMATH

    def fault(self, fault: dict[str, Any]) -> None:
        if self.world.broker.is_up:
            self.world.broker.faults(fault)
            self.count["faults"] += fault["times"]
            self.in_trouble(AFTERMATH)

    def step(self, step: timedelta) -> None:
        self.world.clock.ahead = step
        self.count["clock steps"] += 1

    def kill(self, job: Job) -> None:
        clock = self.world.clock
        slot = window_of(job).slot_of(clock.wall())
        if self.world.broker.is_up and not self.down:
            # Not the slot of now but one of its own, at an odd moment: by hand, so to say.
            self.world.killed(job, slot + window_of(job).every / 2, after=self.random.randint(1, 6))
            self.in_trouble(LEASE + AFTERMATH)

    def trade(self) -> None:
        """Let the owner trade in the phone's app, and the market move."""
        if not self.world.broker.is_up:
            return
        broker = self.world.broker
        for mode in self.world.modes:
            books = broker.books(mode)
            held = {row["code"]: row for row in books["positions"]}
            code = self.random.choice([*CODES, *OTHERS])
            side = "sell" if code in held and self.random.random() < 0.5 else "buy"
            quantity = self.random.randint(1, 3)
            if side == "sell" and held[code]["qty"] <= quantity and code in CODES:
                side = "buy"
            order = broker.post(
                "external-order", {"side": side, "code": code, "qty": quantity, "price": 0}, mode
            )
            self.count["trades on the phone"] += order is not None
            if code in held:
                price = int(held[code]["price"] * self.random.uniform(0.98, 1.02)) // 1000 * 1000 or 1000
                self.count["price moves"] += (
                    broker.post("price", {"code": code, "price": price}, mode) is not None
                )
            if self.random.random() < 0.1:
                amount = self.random.randint(-900, 900) * 10_000
                broker.post("deposit", {"amount": amount}, mode)
                self.flows[mode, self.days[-1]] += amount
                self.count["deposits"] += 1

    def revoke_tokens(self) -> None:
        """Let another program give back our tokens in the night."""
        for row in AccessToken.objects.all():
            for mode in self.world.modes:
                if row.token_encrypted and self.world.broker.revoke(mode, decrypt(row.token_encrypted)):
                    self.count["tokens revoked"] += 1

    def look_by_night(self, day: date) -> None:
        """Let the owner sync by hand while the broker is closed for its maintenance: a sentence, and nothing written."""
        self.world.clock.set(datetime.combine(day, time(0, 40), SEOUL))
        self.world.broker.post("faults", [{"tr": "*", "kind": "maintenance", "times": 10**6}])
        before = KisAccount.objects.count()
        try:
            call_command("sync_kis_data", mode="real", stdout=io.StringIO())
        except KisError:
            self.count["syncs by night refused"] += 1
        else:
            self.wrong("a sync in the broker's maintenance succeeded")
        if KisAccount.objects.count() != before:
            self.wrong("a snapshot came out of the broker's maintenance")
        self.world.broker.no_more_faults()

    # --- what must be true --------------------------------------------------------------------------------------------------

    def wrong(self, what: str) -> None:
        self.problems.append(f"{self.world.clock.now():%Y-%m-%d %H:%M} {what}")

    def mine(self, model: Any, mode: Mode) -> Any:
        return model.objects.filter(is_paper=mode == "paper")

    def look_at_age(self, minute: datetime, jobs: dict[Job, Any]) -> None:
        slots = jobs[REFRESH].slots_of(minute.date())
        if (
            minute not in slots
            or minute < slots[0] + max(3, self.every) * MINUTE
            or minute.minute % self.every
        ):
            return
        now = self.world.clock.now()
        for mode in self.world.modes:
            newest = self.mine(KisAccount, mode).latest("snapshot_at").snapshot_at
            age = now - newest
            calm = now > self.trouble_until and not self.down
            name = "quiet" if calm else "in trouble"
            self.oldest[name] = max(self.oldest[name], age)
            # What is written by a clock that is behind looks as much older.
            behind = max(-self.world.clock.ahead, timedelta())
            if calm and age > (self.every + 1) * MINUTE + behind:
                self.wrong(f"{mode} data is {age} old")

    def close(self, day: date) -> None:
        """Look at a day that is over."""
        for mode in self.world.modes:
            self.look_at_slots(day, mode)
            self.evenings[mode, day] = self.world.broker.books(mode)
            self.look_at_books(day, mode)
        self.reasons.clear()
        self.world.fired.clear()
        if self.world.errors.seen:
            self.wrong(f"{len(self.world.errors.seen)} errors: {self.world.errors.seen[0]}")
            self.world.errors.seen.clear()
        if refused := self.world.broker.traffic()["rate_limited"]:
            self.wrong(f"the broker refused {refused} calls for their number (EGW00201)")
        self.look_at_phone()
        gc.collect()
        self.memory.append((resident_megabytes(), open_files()))

    def look_at_slots(self, day: date, mode: Mode) -> None:
        """Note what is wrong unless every slot of a day has one run that is complete, or the reason is known."""
        told = defaultdict(list)
        for firing in self.world.fired:
            told[firing.job, firing.slot.astimezone(SEOUL)].append(firing.told)
        for job in RUNS:
            states = self.states(job, day, mode)
            for slot in window_of(job).slots_of(day):
                if not self.leaves_out(job, slot):
                    self.look_at_slot(job, slot, states.pop(slot, []), told[job.name, slot], mode)
            # A worker that was to be killed ran a slot of its own.
            odd = states.keys() - set(window_of(job).slots_of(day))
            if len(odd) > 1:
                self.wrong(f"{mode} {job.name}: runs for {sorted(odd)}")
        doubles = KisAccount.objects.values("sync_run").annotate(times=Count("pk")).filter(times__gt=1)
        if doubles.exists():
            self.wrong(f"{doubles.count()} runs have written two snapshots")

    def states(self, job: Job, day: date, mode: Mode) -> dict[datetime, list[str]]:
        """Return the states of a job's runs of a day by slot."""
        found: defaultdict[datetime, list[str]] = defaultdict(list)
        rows = self.mine(SyncRun, mode).filter(job=RUNS[job], slot__date=day)
        for slot, state in rows.values_list("slot", "status"):
            found[slot.astimezone(SEOUL)].append(state)
        return found

    def look_at_slot(self, job: Job, slot: datetime, states: list[str], told: list[str], mode: Mode) -> None:
        self.count[f"slots {job.name}"] += 1
        if states == ["complete"]:
            self.count[f"runs {job.name}"] += 1
            return
        reason = self.reason(job.name, slot, states, told)
        self.why[f"{job.name}: {reason}"] += 1
        if reason.startswith("?"):
            self.wrong(f"{mode} {job.name} {slot:%H:%M} {states}: {reason} {told}")

    def reason(self, job: str, slot: datetime, states: list[str], told: list[str]) -> str:
        known = self.reasons[job, slot]
        for name in ("worker down", "clock step", "busy"):
            if name in known:
                return name
        if states == ["failed"]:
            return "broker trouble"
        if any("건너뜁니다" in text for text in told):
            return "another run was at it"
        if states in (["running"], ["abandoned"]):
            return "killed"
        if any("연결" in text or "토큰" in text for text in told):
            return "broker trouble"
        return f"? {known}"

    def look_at_books(self, day: date, mode: Mode) -> None:
        """Note what is wrong unless summary and deposit log of a day are the broker's books, won for won."""
        books = self.evenings[mode, day]
        summary = self.mine(KisDailySummary, mode).filter(summary_date=day).first()
        log = self.mine(KisDepositLog, mode).filter(log_date=day).first()
        if summary is None or log is None:
            self.why["evenings left to the next morning"] += 1
            return
        ours = (summary.total_amt, summary.stock_amt, summary.cash_amt, log.d0_cash, log.d1_cash, log.d2_cash)
        cash = books["cash"]
        theirs = (books["total"], books["value"], cash["d2"], cash["d0"], cash["d1"], cash["d2"])
        if ours != theirs:
            self.wrong(f"{mode} books of {day}: ours {ours}, the broker's {theirs}")
        before = self.mine(KisDepositLog, mode).filter(log_date__lt=day).order_by("-log_date").first()
        if before is not None:
            day_before = business_day_before(day)
            if (mode, day_before) in self.evenings and before.log_date != day_before:
                self.wrong(f"{mode} deposit log goes from {before.log_date} to {day}")
            if log.previous_cash != before.d2_cash:
                self.wrong(f"{mode} deposit log of {day} does not go on from {before.log_date}")
        if (log.flow or 0) != self.flows[mode, day]:
            self.wrong(f"{mode} flow of {day}: ours {log.flow}, the broker's {self.flows[mode, day]}")
        self.count["days equal to the broker's books"] += 1

    def after_all(self) -> None:
        """Look at everything once more when the days are over."""
        for mode in CASH:
            known = set(self.mine(KisDailySummary, mode).values_list("summary_date", flat=True))
            logs = set(self.mine(KisDepositLog, mode).values_list("log_date", flat=True))
            days = {day for one, day in self.evenings if one == mode}
            if missing := sorted(days - (known & logs)):
                self.wrong(f"{mode}: no summary or log of {missing}")
        for day in self.days:
            for code in CODES:
                if not DailyPrice.objects.filter(stock_code=code, trade_date=day).exists():
                    self.wrong(f"no daily price of {code} on {day}")
                self.look_at_minutes(day, code)

    def look_at_minutes(self, day: date, code: str) -> None:
        """Note what is wrong unless every minute has its bar, however long nobody was there to fetch it."""
        wanted = set(session_minutes(day))
        have = {
            at.astimezone(SEOUL)
            for at in MinPrice.objects.filter(stock_code=code, bar_at__date=day).values_list(
                "bar_at", flat=True
            )
        }
        self.count["minute bars"] += len(have)
        if missing := wanted - have:
            self.count["minute bars missing"] += len(missing)
            gaps = PriceGap.objects.filter(stock_code=code, first_at__date=day)
            self.wrong(
                f"{code} on {day}: {len(missing)} minutes missing from {min(missing):%H:%M}, gaps {list(gaps)}"
            )


def resident_megabytes() -> float:
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
