"""Runs every lint over the project: `python3 tests/lint/lint.py`. Prints what it finds; 1 if anything."""

import sys
from pathlib import Path

import banned
import floors
import functions
import layout
import links
import machine
from source import read_tree


def main() -> int:
    tree = read_tree(Path(__file__).resolve().parents[2])
    count = 0
    for lint in (floors, functions, banned, links, machine, layout):
        for finding in lint.check(tree):
            print(f"{finding} [{lint.__name__}]")
            count += 1
    if count:
        print(f"{count} findings", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
