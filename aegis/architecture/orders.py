"""The states of an order, and the steps between them."""

from reports.system.document import State
from trading import states as trading_states


def states() -> tuple[State, ...]:
    return tuple(
        State(
            name=state.name,
            label=trading_states.NAMES[state],
            next=tuple(sorted(follower.name for follower in trading_states.STEPS.get(state, ()))),
            is_open=state in trading_states.UNSETTLED,
        )
        for state in trading_states.State
    )
