#!/usr/bin/python3
"""Measures verification beside nginx answering a fixed string of the same size, in one interleaved run.

Both servers take turns on one core, the load program (wrk) has another, everything is on loopback with keep-alive. Each
figure is the median of the rounds, with minimum and maximum; ratios are taken round by round. Server CPU per request
(user + system time over requests) survives the noise of a shared machine, requests per second does not always.
"""

import argparse
import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_for_port(port, process, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/livez")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


class Product:
    name = "p402"

    def __init__(self, binary, folder, core, keys):
        self.core = core
        self.data = folder / "data"
        made = subprocess.run([binary, "init", "--data", self.data, "--json"], check=True, capture_output=True)
        self.caller = json.loads(made.stdout)["key"]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0",
             "--threads", "1", "--log-level", "warning"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if found := re.match(r"ready http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise SystemExit("p402 did not become ready")
        self.pid = self.process.pid
        self.key_file = folder / "keys.txt"
        self.make_keys(keys)

    def make_keys(self, count):
        def make(numbers):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            made = []
            for number in numbers:
                connection.request("POST", "/api/v2/keys", json.dumps({"name": f"bench-{number}", "scopes": []}),
                                   {"Authorization": f"Bearer {self.caller}", "Content-Type": "application/json"})
                answer = connection.getresponse()
                body = json.loads(answer.read())
                if answer.status != 201:
                    raise SystemExit(f"create answered {answer.status}: {body}")
                made.append(body["key"])
            return made

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            keys = [key for part in pool.map(make, [range(i, count, 16) for i in range(16)]) for key in part]
        self.key_file.write_text("\n".join(keys) + "\n")
        self.key_file.chmod(0o600)
        say(f"created {count} keys in {time.monotonic() - began:.1f} s")

    def sample(self, mode):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        key = self.key_file.open().readline().strip()
        if mode == "authz":
            connection.request("GET", "/authz/default", headers={"Authorization": f"Bearer {key}"})
        else:
            connection.request("POST", "/api/v2/keys/verify", json.dumps({"key": key}),
                               {"Authorization": f"Bearer {self.caller}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{mode} answered {answer.status}: {body}")
        return body

    def stop(self):
        self.process.terminate()
        if self.process.wait(timeout=60) != 0:
            raise SystemExit(f"p402 ended with {self.process.returncode}")


class Nginx:
    name = "nginx"

    def __init__(self, folder, core, port, body_sizes):
        self.port = port
        # POST goes to `return 200` as well: nginx reads and drops the body.
        locations = "".join(f"location = {path} {{ default_type application/json; return 200 '{'x' * size}'; }}"
                            for path, size in body_sizes.items())
        config = folder / "nginx.conf"
        config.write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=1024; {locations} location / {{ return 200 'ok'; }} }} }}
""")
        binary = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen(["taskset", "-c", str(core), binary, "-e", folder / "error.log", "-c", config])
        wait_for_port(port, self.process)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.pid = int(children[0])

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def measure(server, mode, product, options):
    environment = dict(os.environ, P402_BENCH_KEYS=str(product.key_file), P402_BENCH_MODE=mode,
                       P402_BENCH_CALLER=product.caller)
    before = cpu_seconds(server.pid)
    ran = subprocess.run(
        ["taskset", "-c", str(options.load_core), "wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s",
         "--latency", "-s", str(HERE / "many_keys.lua"), f"http://127.0.0.1:{server.port}"],
        capture_output=True, text=True, env=environment)
    cpu = cpu_seconds(server.pid) - before
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", ran.stdout)
    if not found:
        raise SystemExit(f"wrk failed: {ran.stdout}{ran.stderr}")
    requests, micros, p50, p99, refused, broken = map(int, found.groups())
    if refused or broken:
        raise SystemExit(f"{server.name} {mode}: {refused} answers that are not 2xx, {broken} socket errors")
    return {"rps": requests / micros * 1e6, "cpu_us": cpu / requests * 1e6, "p50_us": p50, "p99_us": p99,
            "busy": cpu / (micros / 1e6)}


def spread(values, digits):
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def report(results, options, versions):
    lines = [f"# Verification beside nginx, {datetime.date.today()}", "",
             f"`script/bench --rounds {options.rounds} --seconds {options.seconds} --keys {options.keys} "
             f"--connections {options.connections}`", "",
             f"{versions}. Server on core {options.server_core} (one thread, one worker), wrk on core "
             f"{options.load_core}, loopback, keep-alive, {options.keys:,} different keys, {options.rounds} interleaved "
             "rounds; median (minimum to maximum). Latency is at saturation and so includes queueing in the load "
             "program. nginx answers `return 200` with a body of the same size.", "",
             "| request | server | requests/s | server CPU µs/request | p50 µs | p99 µs | server core busy |",
             "|---|---|---|---|---|---|---|"]
    for mode in results:
        for name in ("p402", "nginx"):
            rows = results[mode][name]
            lines.append(f"| {mode} | {name} | {spread([r['rps'] for r in rows], 0)} | "
                         f"{spread([r['cpu_us'] for r in rows], 2)} | {spread([r['p50_us'] for r in rows], 0)} | "
                         f"{spread([r['p99_us'] for r in rows], 0)} | "
                         f"{statistics.median(r['busy'] for r in rows):.0%} |")
    lines += ["", "| request | requests/s ÷ nginx | CPU per request ÷ nginx |", "|---|---|---|"]
    for mode in results:
        pairs = list(zip(results[mode]["p402"], results[mode]["nginx"]))
        lines.append(f"| {mode} | {spread([a['rps'] / b['rps'] for a, b in pairs], 2)} | "
                     f"{spread([a['cpu_us'] / b['cpu_us'] for a, b in pairs], 2)} |")
    return "\n".join(lines) + "\n"


def versions_text(binary):
    def first_line(*command):
        ran = subprocess.run(command, capture_output=True, text=True)
        return (ran.stdout + ran.stderr).strip().splitlines()[0]
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return (f"{first_line(binary, 'version')}, {first_line('/usr/sbin/nginx', '-v')}, {first_line('wrk', '-v')[:30].strip()}, "
            f"Linux {platform.release()}, {cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores")


def main():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "build/release/p402")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--keys", type=int, default=20_000, help="different keys presented")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write the table to bench/results/")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="p402-bench-") as name:
        folder = pathlib.Path(name)
        product = Product(str(options.binary), folder, options.server_core, options.keys)
        sizes = {"/authz/default": len(product.sample("authz")), "/api/v2/keys/verify": len(product.sample("verify"))}
        nginx = Nginx(folder, options.server_core, product.port + 1 if product.port < 65535 else 4999, sizes)
        results = {}
        try:
            for mode in ("authz", "verify"):
                results[mode] = {"p402": [], "nginx": []}
                for server in (product, nginx):  # warm-up, not counted
                    measure(server, mode, product, options)
                for number in range(options.rounds):
                    order = (product, nginx) if number % 2 == 0 else (nginx, product)
                    for server in order:
                        results[mode][server.name].append(measure(server, mode, product, options))
                    say(f"{mode}: round {number + 1} of {options.rounds}")
        finally:
            nginx.stop()
            product.stop()
        text = report(results, options, versions_text(str(options.binary)))
    print(text, end="")
    if options.record:
        target = HERE / "results" / f"{datetime.date.today()}-verify.md"
        target.write_text(text)
        say(f"written to {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
