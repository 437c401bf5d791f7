"""What every part of the measurement shares: where things are, and how long and how often to measure."""

import contextlib
import pathlib
import shutil
import tempfile
from dataclasses import dataclass

from processes import Failed, Processes, say

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclass
class Setup:
    command: list[str]  # the arguments of script/bench, for the record
    processes: Processes
    build: pathlib.Path
    folder: pathlib.Path  # for data, on the disk that is measured
    rounds: int = 5
    seconds: float = 5
    keys: int = 1_000_000
    max_keys: int = 10_000_000  # of the parts that grow the store
    connections: int = 64
    server_core: int = 0
    load_core: int = 1
    is_quick: bool = False

    @property
    def warm_up(self):
        return min(1.0, self.seconds / 4)

    @property
    def ready_seconds(self):
        return 900

    @property
    def binary(self):
        return self._program("p402")

    def tool(self, name):
        return self._program(f"bench/load/{name}")

    def micro_benchmark(self, floor):
        """The micro-benchmarks beside the code of one floor."""
        return self._program(f"src/{floor}/p402_{floor}_bench")

    @property
    def make_store(self):
        """The generator of stores."""
        return self._program("bench/make_store")

    @property
    def wrk(self):
        return shutil.which("wrk")

    def _program(self, name):
        path = self.build / name
        if not path.exists():
            raise Failed(f"there is no {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}: "
                         "script/build bench p402 bench_programs")
        return path

    @contextlib.contextmanager
    def scratch(self):
        """A folder for data, removed at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.folder) as name:
            yield pathlib.Path(name)


def interleaved(setup, label, sides):
    """Measures the sides in turn, A B, B A, A B …, after a warm-up of each.

    `sides`: {name: function that measures once}. Returns {name: [its results, round by round]}.
    """
    names = list(sides)
    for name in names:
        sides[name]()
    results = {name: [] for name in names}
    for number in range(setup.rounds):
        for name in names if number % 2 == 0 else reversed(names):
            results[name].append(sides[name]())
        say(f"{label}: round {number + 1} of {setup.rounds}")
    return results


def column(results, name):
    return [result[name] for result in results]
