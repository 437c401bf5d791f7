#!/usr/bin/python3
"""Measures the product on this machine, beside its peers and in the same run. Each part writes a page of bench/results/.

  verify        verification with many keys beside nginx `return 200`, with two load programs
  latency       the same at half of the saturating load, at a fixed rate
  proxy         nginx auth_request in front of a file, beside the file without it
  peers         beside better-auth's API-key plugin on SQLite
  writes        durable creates beside bare commits, and beside the disk's own fdatasync
  mixed         latency of verification while keys are created and revoked
  start         from exec to ready, for growing stores
  size          cost of a verification, memory and start against the number of keys
  inprocess     the micro-benchmarks beside the code
  instructions  instructions of a verification, which are repeatable where seconds are not; --update keeps them
  all           everything but instructions

Server and load program have a core each; everything is on loopback and ends by itself.
"""

import argparse
import importlib
import pathlib
import shlex
import sys

from processes import Failed, Processes, say
from setup import ROOT, Setup

PARTS = ["verify", "latency", "proxy", "peers", "writes", "mixed", "start", "size", "inprocess"]
QUICK = {"rounds": 2, "seconds": 1.0, "keys": 2000, "max_keys": 10_000}


def parse(arguments):
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=[*PARTS, "instructions", "all"])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of each measurement (5)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (5)")
    parser.add_argument("--keys", type=int, default=1_000_000, help="different keys presented (1,000,000)")
    parser.add_argument("--max-keys", type=int, default=10_000_000, help="largest store of start, size and inprocess (10,000,000)")
    parser.add_argument("--connections", type=int, default=64, help="(64)")
    parser.add_argument("--server-core", type=int, default=0, help="(0)")
    parser.add_argument("--load-core", type=int, default=1, help="(1)")
    parser.add_argument("--quick", action="store_true", help="tiny settings: shows that it works, writes no page")
    parser.add_argument("--no-record", action="store_true", help="print the page, but write no file")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/bench-data", help="for data, on the disk that is measured")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="instructions: only if a program has changed since")
    parser.add_argument("--update", action="store_true", help="instructions: keep what was counted in bench/instructions.txt")
    options = parser.parse_args(arguments)
    if options.quick:
        for name, value in QUICK.items():
            if getattr(options, name) == parser.get_default(name):
                setattr(options, name, value)
    if options.rounds < 1 or options.seconds <= 0 or options.keys < 1:
        parser.error("--rounds, --seconds and --keys are above 0")
    return options


def measure(part, setup, is_recorded):
    """Returns whether every target that was measured is reached."""
    page = importlib.import_module(part).run(setup)
    print(page.text(), flush=True)
    if is_recorded:
        say(f"written to {page.write().relative_to(ROOT)}")
    return not page.has_failed


def count_instructions(options):
    instructions = importlib.import_module("instructions")
    try:
        return instructions.check(options.build) if options.check else instructions.main(options.build, options.update)
    except Failed as failure:
        say(f"script/bench instructions: {failure}")
        return 2


def main(arguments):
    options = parse(arguments)
    if options.part == "instructions":
        return count_instructions(options)
    parts = PARTS if options.part == "all" else [options.part]
    is_recorded = not (options.quick or options.no_record)
    outcome = 0
    with Processes() as processes:
        for part in parts:
            setup = Setup(command=arguments, processes=processes, build=options.build, folder=options.folder.resolve(),
                          rounds=options.rounds, seconds=options.seconds, keys=options.keys, max_keys=options.max_keys,
                          connections=options.connections, server_core=options.server_core, load_core=options.load_core,
                          is_quick=options.quick)
            say(f"--- {part}")
            try:
                if not measure(part, setup, is_recorded):
                    outcome = 1
            except Failed as failure:
                say(f"script/bench {shlex.quote(part)}: {failure}")
                outcome = 2
    return outcome


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
