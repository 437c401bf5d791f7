"""mixed: the latency of verification while keys are created and revoked, beside quiet."""

import subprocess

from figures import Figure, at_most, ratio
from latency import half_of_saturation
from load import authz_request, create, create_request, light, light_command, light_limit, read_light, revoke_request, write_names
from processes import Failed
from record import Page, table
from servers import serving
from setup import column, interleaved
from verify import versions

CHANGES = 1000  # a second, of each kind
CONNECTIONS = 64
HEAD = ["meanwhile", "verifications/s", "p50 µs", "p99 µs", "p99.9 µs", "creates/s", "revocations/s", "create p99 µs"]


class Churn:
    """Creates and revokes keys at a fixed rate, beside a measurement."""

    def __init__(self, setup, folder, product, store):
        self.setup, self.product, self.folder = setup, product, folder
        self.requests = {"create": create_request(store.caller), "revoke": revoke_request(store.caller)}
        self.next_name = 0

    def _names(self, count):
        first, self.next_name = self.next_name, self.next_name + count
        return first

    def start(self):
        """Makes the keys that will be revoked, then starts both load programs."""
        count = int(CHANGES * (self.setup.seconds + self.setup.warm_up)) + CHANGES
        ids = self.folder / "ids.txt"
        made = create(self.setup, self.product.port, self.requests["create"], count, "id", ids, self._names(count))
        if made < count:
            raise Failed(f"only {made:,} of {count:,} keys were created")
        names = write_names(self.folder / "names.txt", self._names(count), count)
        return {kind: self._start(kind, items) for kind, items in (("create", names), ("revoke", ids))}

    def _start(self, kind, items):
        request = self.requests[kind]
        command = light_command(self.setup, self.product.port, request, items, rate=CHANGES, connections=CONNECTIONS)
        process = self.setup.processes.start(["nice", "-n", "10", *map(str, command)], self.setup.load_core, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             text=True)
        process.stdin.write(request.text)
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, running):
        results = {}
        for kind, process in running.items():
            try:
                out, _ = process.communicate(timeout=light_limit(self.setup))
            except subprocess.TimeoutExpired:
                raise Failed(f"{kind} took too long") from None
            self.setup.processes.stop(process)
            if process.returncode != 0:
                raise Failed(f"{kind} ended with {process.returncode}")
            results[kind] = read_light(kind, out)
        return results


def run(setup):
    page = Page("mixed", "Verification while keys change", setup, versions(setup))
    page.add(f"GET /authz with {setup.keys:,} different keys at a fixed rate, half of what saturates, latency from the intended "
             f"moment. Meanwhile {CHANGES:,} keys a second are created and {CHANGES:,} revoked, over HTTP and durably, by two more load "
             "programs on the load core, or nothing.")
    with serving(setup) as (folder, store, product):
        churn = Churn(setup, folder, product, store)

        def quiet(rate=None):
            return light(setup, product, authz_request(), store.key_file, rate=rate)

        rate = half_of_saturation(interleaved(setup, "saturation", {"p402": quiet}))

        def busy():
            running = churn.start()
            result = quiet(rate)
            changes = churn.finish(running)
            return {**result, "creates": changes["create"]["rps"], "revokes": changes["revoke"]["rps"],
                    "create_p99_us": changes["create"]["p99_us"]}

        results = interleaved(setup, "mixed", {"quiet": lambda: quiet(rate), "busy": busy})
    page.add(table(HEAD, [row(name, results[name]) for name in results]))
    page.judge(at_most("p99 of verification while keys change ÷ quiet", 1.5,
                       ratio(column(results["busy"], "p99_us"), column(results["quiet"], "p99_us"))))
    return page


def row(name, results):
    cells = [name, *(Figure.of(column(results, field)).text() for field in ("rps", "p50_us", "p99_us", "p999_us"))]
    if name == "quiet":
        return cells + ["–"] * 3
    return cells + [Figure.of(column(results, field)).text() for field in ("creates", "revokes", "create_p99_us")]
