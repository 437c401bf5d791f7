"""size: what a verification, a key in memory and a start cost, against the number of keys. Draws a plot."""

import importlib
import os

from figures import Figure
from inprocess import run_floor, verify_runs
from load import authz_request, light
from processes import say
from record import Page, first_line, table
from servers import Product, Store
from setup import ROOT, column, interleaved

PLOT = ROOT / "docs/images/cost-against-size.png"
HEAD = ["keys", "server CPU µs/request", "in process, ns", "resident bytes/key", "seconds to ready"]


def sizes(setup):
    return [10 ** power for power in range(3, 9) if 10 ** power <= setup.max_keys]


def resident_when_empty(setup, folder):
    """What the program takes with next to no keys: not a cost of any key."""
    store = Store(setup, folder / "empty", 1)
    Product(setup, store).stop()
    product = Product(setup, store)
    try:
        return product.resident_bytes()
    finally:
        product.stop()


def measure(setup, folder, size, empty_bytes):
    store = Store(setup, folder / f"keys-{size}", size)
    Product(setup, store).stop()  # leaves a snapshot
    product = Product(setup, store)
    resident = product.resident_bytes()
    load = interleaved(setup, f"{size:,} keys",
                       {"p402": lambda: light(setup, product, authz_request(), store.key_file)})["p402"]
    seconds = product.seconds_to_ready
    product.stop()
    store.remove()
    return {"keys": size, "cpu_us": Figure.of(column(load, "cpu_us")), "bytes": (resident - empty_bytes) / size,
            "seconds": seconds}


def add_in_process(setup, points):
    verify = verify_runs(run_floor(setup, "index"))
    for point in points:
        values = verify.get((point["keys"], 1))
        point["ns"] = Figure.of(values) if values else None


def row(point):
    return [f"{point['keys']:,}", point["cpu_us"].text(2), point["ns"].text(0) if point["ns"] else "–",
            f"{point['bytes']:,.0f}", f"{point['seconds']:.3f}"]


def draw(points, path):
    os.environ.setdefault("MPLCONFIGDIR", str(ROOT / "build/matplotlib"))  # its cache of fonts
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    keys = [point["keys"] for point in points]
    curves = [("server CPU, µs/request", [p["cpu_us"].median for p in points]),
              ("resident bytes/key", [p["bytes"] for p in points]), ("seconds from exec to ready", [p["seconds"] for p in points])]
    for axis, (title, values) in zip(axes, curves):
        axis.plot(keys, values, marker="o")
        axis.set(title=title, xlabel="keys", xscale="log", ylim=(0, None))
        axis.grid(alpha=0.3)
    in_process = [p for p in points if p["ns"]]
    if in_process:
        twin = axes[0].twinx()
        twin.plot([p["keys"] for p in in_process], [p["ns"].median for p in in_process], marker="s", color="tab:orange")
        twin.set(ylim=(0, None), ylabel="in process, ns (squares)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def run(setup):
    page = Page("size", "Cost against the number of keys", setup, [first_line(str(setup.binary), "version")])
    page.add(f"GET /authz at saturation with every key of the store, {setup.connections} connections. Memory is the resident set after a start, less "
             "that of an almost empty store. In process: the index's micro-benchmark with the same number of keys.")
    with setup.scratch() as folder:
        empty_bytes = resident_when_empty(setup, folder)
        points = [measure(setup, folder, size, empty_bytes) for size in sizes(setup)]
        add_in_process(setup, points)
        # A trial draws as well, to show that it works, but leaves the kept plot alone.
        path = folder / "trial.png" if setup.is_quick else PLOT
        draw(points, path)
        say(f"drew {path.name}")
    page.add(table(HEAD, [row(point) for point in points]))
    if not setup.is_quick:
        page.add("![Cost against the number of keys](../../docs/images/cost-against-size.png)")
    return page
