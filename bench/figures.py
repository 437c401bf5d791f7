"""What is made of the rounds of a measurement: medians with their spread, ratios pair by pair, and verdicts."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """The median of the rounds, with the smallest and the largest."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values):
        values = list(values)
        if not values:
            raise ValueError("a figure needs at least one value")
        return Figure(statistics.median(values), min(values), max(values))

    def text(self, digits=0, unit=""):
        numbers = [f"{value:,.{digits}f}" for value in (self.median, self.low, self.high)]
        return f"{numbers[0]}{unit} ({numbers[1]} to {numbers[2]})"


def ratio(ours, theirs):
    """The ratio of each pair that was measured side by side: what disturbed both cancels out."""
    ours, theirs = list(ours), list(theirs)
    if len(ours) != len(theirs):
        raise ValueError("ratios need pairs")
    return Figure.of(a / b for a, b in zip(ours, theirs))


@dataclass(frozen=True)
class Target:
    """What a figure is to reach. `figure` is None if it was not measured; `reason` then says why."""

    what: str
    limit: float
    is_upper: bool
    figure: Figure | None = None
    digits: int = 2
    unit: str = ""
    reason: str = ""

    @property
    def verdict(self):
        if self.figure is None:
            return "NOT MEASURED"
        reached = self.figure.median <= self.limit if self.is_upper else self.figure.median >= self.limit
        return "PASS" if reached else "FAIL"

    def line(self):
        sign = "≤" if self.is_upper else "≥"
        text = f"**{self.verdict}** {self.what}: {sign} {self.limit:,g}{self.unit}"
        return f"{text}, measured {self.figure.text(self.digits, self.unit)}" if self.figure else f"{text} ({self.reason})"


def at_most(what, limit, figure=None, **more):
    return Target(what, limit, True, figure, **more)


def at_least(what, limit, figure=None, **more):
    return Target(what, limit, False, figure, **more)


def saturated(server_busy, load_busy):
    """Which of two programs on a core each set the pace: "server", "load", "both" or "neither"."""
    full = 0.93
    if server_busy >= full and load_busy >= full:
        return "both"
    return "server" if server_busy >= full else "load" if load_busy >= full else "neither"
