"""An owner at the terminal: what is typed, what is asked for, what is shown, and how the command ends."""

from dataclasses import dataclass
from io import StringIO

from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Shown:
    """What a command has shown, its last sentence on stderr, and its exit code."""

    text: str
    error: str
    code: int

    @property
    def all(self):
        return f"{self.text}\n{self.error}"


class Terminal:
    """A standard input that somebody sits at, or nobody."""

    def __init__(self, *, attended=True):
        self.attended = attended

    def isatty(self):
        return self.attended


class Owner:
    """Types commands; `answers` are given to prompts for a password, the trading password once they have run out."""

    def __init__(self, clock, *, password, desk_of):
        self.clock = clock
        self.password = password
        self.desk_of = desk_of
        self.answers = []
        self.prompts = []
        self.slept = []

    def answer(self, prompt):
        self.prompts.append(prompt)
        given = self.answers.pop(0) if self.answers else self.password
        if isinstance(given, BaseException):
            raise given
        return given

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.clock.go(seconds=seconds)

    def open_desk(self, mode, account=""):
        assert account.mode == mode
        return self.desk_of(mode)

    def types(self, *words, **options):
        out, error, code = StringIO(), "", 0
        try:
            call_command(*words, stdout=out, **options)
        except CommandError as ended:
            error, code = str(ended), ended.returncode
        return Shown(out.getvalue(), error, code)

    def code_of(self, shown):
        """Return the confirm code, which the command to go on with ends with."""
        [line] = [line for line in shown.text.splitlines() if "보내려면" in line]
        return line.split()[-1]

    def orders(self, *words, name="실전"):
        """Type an order, read it for a while, and return its code."""
        shown = self.types(name, *words)
        assert shown.code == 0, shown.error
        self.clock.go(seconds=5)
        return self.code_of(shown)


def configure(settings, simulator, *modes):
    """Configure the simulator's accounts as an owner would."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = {
        mode: {
            "app_key": side.app_key if mode in modes else "",
            "app_secret": side.app_secret,
            "account_no": side.account,
            "base_url": side.url,
            "ws_url": side.ws,
            "hts_id": "",
        }
        for mode, side in (("real", simulator.real), ("paper", simulator.paper))
    }
