"""writes: durable creates over HTTP, beside bare commits, batches of 64, and the disk's own fdatasync."""

import json
import os
import time

from figures import Figure, at_least, at_most, ratio
from load import create_request, light, write_names
from processes import Failed
from record import Page, first_line, table
from servers import Product, Store
from setup import column, interleaved

CLIENTS = 64
# The names of src/store/sqlite/commit_bench.cc.
ONE_BY_ONE, UNDER_WAY, BATCHES = "OneByOne", "UnderWay/64", "Batches/64"


def fdatasync_rate(folder, seconds):
    """Writes of 4 KB to the front of a file, each made durable: what the disk can do at best, one by one."""
    file = os.open(folder / "fdatasync", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        block, count, began = b"x" * 4096, 0, time.monotonic()
        times = []
        while (now := time.monotonic()) < began + seconds:
            os.pwrite(file, block, 0)
            os.fdatasync(file)
            times.append((time.monotonic() - now) * 1e6)
            count += 1
        return {"rps": count / (time.monotonic() - began), "p50_us": Figure.of(times).median}
    finally:
        os.close(file)


def read_benchmarks(text):
    """{name without modifiers: {"rps": items a second, "p50_us": median of one}} of Google Benchmark's JSON."""
    found = {}
    for run in json.loads(text)["benchmarks"]:
        if run.get("error_occurred"):
            raise Failed(f"{run['name']}: {run.get('error_message')}")
        name = "/".join(part for part in run["name"].split("/") if part.isdigit() or part[0].isupper())
        found[name] = {"rps": run["items_per_second"], "p50_us": run.get("p50_us")}
    return found


def bare_commits(setup, folder, name):
    program = setup.micro_benchmark("store")
    out, _ = setup.processes.run(
        [program, f"--benchmark_filter=^{name}/", "--benchmark_format=json", f"--benchmark_min_time={setup.seconds:g}"],
        setup.server_core, setup.seconds * 6 + 60, cwd=folder)
    found = read_benchmarks(out)
    if name not in found:
        raise Failed(f"the store's micro-benchmark has no {name}")
    return found[name]


class Creates:
    """Creates keys over HTTP, none with a name that was there before."""

    def __init__(self, setup, folder, product, store):
        self.setup, self.product, self.request = setup, product, create_request(store.caller)
        self.names, self.next = folder / "names.txt", 0
        self.count = 10_000_000 if not setup.is_quick else 200_000
        write_names(self.names, 0, self.count)

    def run(self, connections):
        result = light(self.setup, self.product, self.request, self.names, connections=connections, first=self.next)
        self.next = (self.next + result["answered"]) % self.count
        return result


def row(name, results):
    latency = [r["p50_us"] for r in results if r["p50_us"]]
    return [name, Figure.of(column(results, "rps")).text(), Figure.of(latency).text() if latency else "–"]


def run(setup):
    versions = [first_line(str(setup.binary), "version"), "SQLite " + first_line("sqlite3", "--version").split(" ")[0]]
    page = Page("writes", "Durable writes", setup, versions)
    page.add("Everything is durable when it is answered, and in one file system. \"Commits\" write one key, its log entry and "
             "its audit record into the store, without HTTP (src/store/sqlite/commit_bench.cc): one after the other, 64 at "
             "once, or 64 keys in one transaction. \"Creates\" are `POST /api/v2/keys`, with 64 clients and with one, each waiting for its answer.")
    with setup.scratch() as folder:
        store = Store(setup, folder, min(setup.keys, 1000))
        product = Product(setup, store)
        creates = Creates(setup, folder, product, store)
        results = interleaved(setup, "writes", {
            "fdatasync": lambda: fdatasync_rate(folder, setup.seconds),
            "one": lambda: bare_commits(setup, folder, ONE_BY_ONE),
            "under way": lambda: bare_commits(setup, folder, UNDER_WAY),
            "batches": lambda: bare_commits(setup, folder, BATCHES),
            "clients": lambda: creates.run(CLIENTS),
            "lone": lambda: creates.run(1)})
        product.stop()
    names = {"fdatasync": "write and fdatasync of 4 KB", "one": "commits, one by one", "under way": "commits, 64 under way",
             "batches": "commits, in batches of 64",
             "clients": "creates, 64 clients", "lone": "creates, one client"}
    page.add(table(["what", "a second", "median µs of one (of a batch)"], [row(names[name], results[name]) for name in names]))
    clients, one, batches = (column(results[name], "rps") for name in ("clients", "one", "batches"))
    page.judge(at_least("creates/s with 64 clients ÷ commits one by one", 4, ratio(clients, one)))
    page.judge(at_least("creates/s with 64 clients ÷ keys/s in batches of 64", 0.6, ratio(clients, batches)))
    extra = Figure.of(a - b for a, b in zip(column(results["lone"], "p50_us"), column(results["one"], "p50_us")))
    page.judge(at_most("median of a lone create − median of a bare commit", 150, extra, digits=0, unit=" µs"))
    return page
