"""inprocess: the micro-benchmarks beside the code: nanoseconds of a verification and of its SHA-256, without HTTP."""

import json
import re

from figures import Figure, at_least, at_most
from processes import Failed, say
from record import Page, first_line, table

SECONDS = 3600  # stores of ten million keys are made again and again
FLOORS = ["key", "index", "net"]
# src/index/index_bench.cc: BM_Verify/<keys>, and the same on two threads. src/key/digest_bench.cc: BM_DigestOf.
VERIFY = re.compile(r"^BM_Verify(?:OnTwoThreads)?/(\d+)(?:/[a-z_]+)*(?:/threads:(\d+))?$")
DIGEST = re.compile(r"^BM_DigestOf(?:/[a-z_]+)*(?:/threads:1)?$")


def read_runs(text):
    """{name: [nanoseconds of one operation, of all threads together]} of Google Benchmark's JSON with repetitions."""
    found = {}
    for run in json.loads(text)["benchmarks"]:
        if run.get("run_type") == "aggregate":
            continue
        if run.get("error_occurred"):
            raise Failed(f"{run['name']}: {run.get('error_message')}")
        scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[run["time_unit"]]
        rate = run.get("items_per_second")
        name = run.get("run_name", run["name"])
        # The time of a run with threads is one thread's; what matters is how many are done in a second.
        found.setdefault(name, []).append(1e9 / rate if rate else run["real_time"] * scale)
    return found


def name_filter(most_keys):
    """A pattern for Google Benchmark: every name without a number of keys, and those with at most so many."""
    sizes = "|".join(str(10 ** power) for power in range(3, 10) if 10 ** power <= most_keys)
    return f"^[^/]*(/real_time)?(/threads:[0-9]+)?$|/({sizes})(/.*)?$"


def run_floor(setup, floor):
    """Not interleaved: the index's stores are made anew whenever their size changes."""
    program = setup.micro_benchmark(floor)
    cores = f"{setup.server_core},{setup.load_core}"
    out, _ = setup.processes.run(
        [program, f"--benchmark_filter={name_filter(setup.max_keys)}", "--benchmark_format=json", f"--benchmark_min_time={setup.seconds / 5:g}",
         f"--benchmark_repetitions={setup.rounds}"],
        cores, SECONDS)
    say(f"inprocess: {floor} is done")
    return read_runs(out)


def verify_runs(runs):
    """{(keys, threads): nanoseconds} of the index's micro-benchmark."""
    found = {}
    for name, values in runs.items():
        if match := VERIFY.match(name):
            found[int(match[1]), int(match[2] or 1)] = values
    return found


def judge(page, runs):
    verify = verify_runs(runs)
    missing = "the index's micro-benchmark has no such run"
    for keys, limit in ((1_000_000, 180), (10_000_000, 300)):
        values = verify.get((keys, 1))
        page.judge(at_most(f"verification in process with {keys:,} keys", limit, Figure.of(values) if values else None, digits=0,
                           unit=" ns", reason=missing))
    one, two = verify.get((1_000_000, 1)), verify.get((1_000_000, 2))
    scaling = Figure.of(a / b for a, b in zip(one, two)) if one and two else None
    page.judge(at_least("verifications/s with 2 threads ÷ 1 thread, 1,000,000 keys", 1.8, scaling, reason=missing))
    digest = next((values for name, values in runs.items() if DIGEST.match(name)), None)
    if digest and one:
        share = Figure.of(digest).median / Figure.of(one).median
        page.add(f"SHA-256 of the raw key is {share:.0%} of a verification with 1,000,000 keys.")


def run(setup):
    page = Page("inprocess", "Verification in the process", setup, [first_line(str(setup.binary), "version"), first_line("g++", "--version")])
    page.add("Google Benchmark; each repetition is a round. Nanoseconds of one operation; with threads, of all together.")
    runs = {}
    for floor in FLOORS:
        runs.update(run_floor(setup, floor))
    page.add(table(["benchmark", "ns"], [[name, Figure.of(values).text(1)] for name, values in sorted(runs.items())]))
    judge(page, runs)
    return page
