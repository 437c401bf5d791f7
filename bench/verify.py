"""verify: many different keys, beside nginx that answers `return 200` with the same bodies."""

from figures import Figure, at_least, at_most, ratio, saturated
from load import authz_request, light, verify_request, wrk
from record import Page, first_line, table
from servers import Nginx, Product, Store, fixed_answers, nginx_binary
from setup import column, interleaved

WITHOUT_MARKS = "--no-usage"
GENERATORS = {"p402_load": (light, 1.05), "wrk": (wrk, 1.0)}
HEAD = ["request", "load", "server", "requests/s", "server CPU µs/request", "p50 µs", "p99 µs", "core full",
        "load CPU µs/request"]


def versions(setup):
    return [first_line(str(setup.binary), "version"), first_line(nginx_binary(), "-v"), first_line("wrk", "-v")[:40]]


def row(kind, generator, name, results):
    full = saturated(Figure.of(column(results, "server_busy")).median, Figure.of(column(results, "load_busy")).median)
    return [kind, generator, name, Figure.of(column(results, "rps")).text(), Figure.of(column(results, "cpu_us")).text(2),
            Figure.of(column(results, "p50_us")).text(), Figure.of(column(results, "p99_us")).text(), full,
            Figure.of(column(results, "load_us")).text(2)]


def requests_of(store):
    return {"authz": authz_request(), "verify": verify_request(store.caller)}


def nginx_beside(setup, folder, product, requests):
    bodies = {request.text.split(" ")[1]: product.sample(request) for request in requests.values()}
    return Nginx(setup, folder, fixed_answers(bodies))


def sides_of(setup, measure, servers, request, store):
    return {server.name: (lambda server=server: measure(setup, server, request, store.key_file)) for server in servers}


def run(setup):
    page = Page("verify", "Verification beside nginx", setup, versions(setup))
    with setup.scratch() as folder:
        store = Store(setup, folder, setup.keys)
        product = Product(setup, store)
        requests = requests_of(store)
        nginx = nginx_beside(setup, folder / "nginx", product, requests)
        page.add(f"{setup.keys:,} different keys, {setup.connections} connections, as many requests as are answered. "
                 "nginx has one worker and answers `return 200` with the same body. Latency is at saturation, and so "
                 "is mostly the queue in front of the server: see the latency page. \"Core full\": which of the two "
                 "set the pace.")
        rows, ratios = [], []
        for kind, request in requests.items():
            for generator, (measure, least) in GENERATORS.items():
                results = interleaved(setup, f"{kind}, {generator}",
                                      sides_of(setup, measure, (product, nginx), request, store))
                rows += [row(kind, generator, name, results[name]) for name in results]
                speed = ratio(column(results["p402"], "rps"), column(results["nginx"], "rps"))
                cpu = ratio(column(results["p402"], "cpu_us"), column(results["nginx"], "cpu_us"))
                ratios.append([kind, generator, speed.text(3), cpu.text(3)])
                page.judge(at_least(f"{kind}: requests/s ÷ nginx's, {generator}", least, speed, digits=3))
                page.judge(at_most(f"{kind}: server CPU per request ÷ nginx's, {generator}", 0.97, cpu, digits=3))
        page.add(table(HEAD, rows))
        page.add(table(["request", "load", "requests/s ÷ nginx", "CPU per request ÷ nginx"], ratios))
        nginx.stop()
        product.stop()
        measure_marks(setup, page, store, requests["authz"])
    return page


def measure_marks(setup, page, store, request):
    """What it costs to note the last use of a key: the same server without it."""
    what = "requests/s with marks of use ÷ without, p402_load"

    # A folder has one server at a time, so the sides are restarts.
    def measure(arguments):
        server = Product(setup, store, arguments)
        try:
            return light(setup, server, request, store.key_file)
        finally:
            server.stop()

    results = interleaved(setup, "marks of use", {"with": lambda: measure([]), "without": lambda: measure([WITHOUT_MARKS])})
    speed = ratio(column(results["with"], "rps"), column(results["without"], "rps"))
    page.add(table(HEAD, [row("authz", "p402_load", f"p402 {side} marks", results[side]) for side in results]))
    page.judge(at_least(what, 0.98, speed, digits=3))
