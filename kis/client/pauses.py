"""Pauses between attempts that grow while attempts fail."""

from collections.abc import Callable


class Pauses:
    """Full jitter up to a doubling bound, on top of the first pause: jitter alone may come out as nothing.

    All in seconds; no pause is longer than `longest`.
    """

    def __init__(self, *, first: float, longest: float, uniform: Callable[[float, float], float]) -> None:
        self.first = first
        self.longest = longest
        self.uniform = uniform
        self.bound = first

    def next(self) -> float:
        self.bound = min(self.bound * 2, self.longest)
        return min(self.first + self.uniform(0.0, self.bound), self.longest)

    def start_over(self) -> None:
        self.bound = self.first
