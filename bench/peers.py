"""peers: beside better-auth's API-key plugin on SQLite, as installed and in its fastest modes."""

import json
import pathlib
import subprocess

from figures import at_least, ratio
from load import light, verify_request
from processes import Failed, clean_environment, cpu_seconds
from record import Page, first_line, table
from servers import serving, wait_until_ready
from setup import ROOT, column, interleaved
from verify import HEAD, row

PEER = pathlib.Path(__file__).resolve().parent / "better-auth"
NODE = ROOT / "tests/tools/node_modules/.bin/node"
KEYS = 1000  # it has no cache that more would miss, and creates them one by one
KEY_SIZE = 64
MODES = {"installed": "better-auth, as installed (SQLite)",
         "memory": "better-auth, keys in memory",
         "deferred": "better-auth, keys in memory, deferred updates"}


class BetterAuth:
    def __init__(self, setup, folder, mode):
        folder.mkdir(parents=True)
        self.name, self.key_file = mode, folder / "keys.txt"
        self.process = setup.processes.start([NODE, PEER / "server.mjs", mode, folder, KEYS], setup.server_core,
                                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=PEER,
                                             env=clean_environment(NODE_ENV="production"))
        self.port = wait_until_ready(self.process, 120)

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)


def version(package):
    path = PEER / "node_modules" / package / "package.json"
    if not path.exists():
        raise Failed("the peer is not installed: script/bootstrap bench")
    return f"{package} {json.loads(path.read_text())['version']}"


def versions(setup):
    return [first_line(str(setup.binary), "version"), *map(version, ("better-auth", "@better-auth/api-key", "better-sqlite3")),
            f"Node {first_line(str(NODE), '--version')}"]


def run(setup):
    page = Page("better-auth", "Verification beside better-auth", setup, versions(setup))
    page.add(f"POST with one of many keys ({setup.keys:,} of p402, {KEYS:,} of better-auth), {setup.connections} connections, p402_load at "
             "saturation. better-auth's plugin is called by the shortest handler of node:http (bench/better-auth/server.mjs), its SQLite is in WAL mode. Its limit "
             "of requests for each key is raised as installed, and off in memory. Its best mode is the faster of the two in memory: "
             "`storage: \"secondary-storage\"` with a Map as `customStorage`, without and with `deferUpdates`.")
    with serving(setup) as (folder, store, product):
        sides = {"p402": lambda: light(setup, product, verify_request(store.caller), store.key_file)}
        for mode in MODES:
            peer = BetterAuth(setup, folder / mode, mode)
            request = verify_request(None, "/verify", KEY_SIZE)
            sides[mode] = lambda peer=peer, request=request: light(setup, peer, request, peer.key_file)
        results = interleaved(setup, "better-auth", sides)
    names = {"p402": "p402", **MODES}
    page.add(table(HEAD, [row("verify", "p402_load", names[name], results[name]) for name in results]))
    ratios = {mode: ratio(column(results["p402"], "rps"), column(results[mode], "rps")) for mode in MODES}
    page.add(table(["p402 ÷", "requests/s", "CPU per request, theirs ÷ p402's"], [
        [MODES[mode], ratios[mode].text(1), ratio(column(results[mode], "cpu_us"), column(results["p402"], "cpu_us")).text(1)]
        for mode in MODES]))
    best = min(("memory", "deferred"), key=lambda mode: ratios[mode].median)
    page.judge(at_least(f"requests/s ÷ better-auth's best mode ({best})", 20, ratios[best], digits=1))
    return page
