"""A figure that the data cannot give (산출 불가), and why."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a figure would; it cannot be counted with. `reason` is a Korean sentence for the owner."""

    reason: str

    def __str__(self) -> str:
        return f"산출 불가: {self.reason}"


def total(figures: Iterable[int | Unknown]) -> int | Unknown:
    """Return the sum, or the first unknown figure: a sum without it would look complete."""
    result = 0
    for figure in figures:
        if isinstance(figure, Unknown):
            return figure
        result += figure
    return result
