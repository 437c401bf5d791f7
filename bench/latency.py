"""latency: at half of the load that saturates, counted from the moment at which a request should have been sent."""

from figures import Figure, at_most, ratio
from load import light
from record import Page, table
from servers import serving
from setup import column, interleaved
from verify import nginx_beside, requests_of, sides_of, versions

HEAD = ["request", "requests/s", "server", "p50 µs", "p90 µs", "p99 µs", "p99.9 µs", "sent late, p99 µs"]


def row(kind, rate, name, results):
    figures = [Figure.of(column(results, field)).text(0) for field in ("p50_us", "p90_us", "p99_us", "p999_us", "late_p99_us")]
    return [kind, f"{rate:,}", name, *figures]


def half_of_saturation(results):
    """Half of what the slower of the servers answers: one rate for both."""
    return int(min(Figure.of(column(side, "rps")).median for side in results.values()) / 2)


def run(setup):
    page = Page("latency", "Latency at half of the saturating load", setup, versions(setup))
    page.add(f"{setup.keys:,} different keys, {setup.connections} connections. p402_load sends at a fixed rate, whatever the server does; "
             "latency counts from the intended moment, so waiting for a free connection is in it. The rate is half of "
             "what the slower of both answers at saturation. \"Sent late\" is the load program's own delay.")
    with serving(setup) as (folder, store, product):
        requests = requests_of(store)
        nginx = nginx_beside(setup, folder / "nginx", product, requests)
        rows = []
        for kind, request in requests.items():
            servers = (product, nginx)
            rate = half_of_saturation(interleaved(setup, f"{kind}, saturation", sides_of(setup, light, servers, request, store)))

            def at_rate(setup, server, request, items, rate=rate):
                return light(setup, server, request, items, rate=rate)

            results = interleaved(setup, f"{kind}, {rate:,}/s", sides_of(setup, at_rate, servers, request, store))
            rows += [row(kind, rate, name, results[name]) for name in results]
            p99 = ratio(column(results["p402"], "p99_us"), column(results["nginx"], "p99_us"))
            page.judge(at_most(f"{kind}: p99 ÷ nginx's at half of the saturating load", 1.2, p99))
        page.add(table(HEAD, rows))
        nginx.stop()
    return page
