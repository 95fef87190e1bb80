"""What the simulator refuses, in one Korean sentence each."""


class SimulatorError(Exception):
    """Base of the errors of the simulator; `str()` is one Korean sentence for the user."""


class CannotStart(SimulatorError):
    """A port, an option, the market directory or the state file does not allow a start."""


class OtherMarket(CannotStart):
    """The state file belongs to another market or seed; nothing in it fits this one."""


class ControlRefused(SimulatorError):
    """A request to the control plane that cannot be carried out; answered with HTTP 400."""
