"""The load programs: p402_load, which is ours and cheaper than wrk, and wrk, which everybody knows."""

import json
import os
import pathlib
import re
import tempfile
from dataclasses import dataclass

from processes import Failed, clean_environment

HERE = pathlib.Path(__file__).resolve().parent
ITEM = "{item}"
RAW_KEY_SIZE = 48
KEY_NAME_SIZE = 8


@dataclass(frozen=True)
class Request:
    """A request that differs in one item; what is no answer to it is a refusal."""

    text: str
    status: int = 200
    body_start: str = ""

    def filled(self, item):
        return self.text.replace(ITEM, item)


def make_request(method, path, item_size=RAW_KEY_SIZE, bearer=None, body=None, status=200, body_start=""):
    headers = ["Host: 127.0.0.1"]
    if bearer:
        headers.append(f"Authorization: Bearer {bearer}")
    if body is not None:
        size = len(body) + (item_size - len(ITEM) if ITEM in body else 0)
        headers += ["Content-Type: application/json", f"Content-Length: {size}"]
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *headers])
    return Request(f"{head}\r\n\r\n{body or ''}", status, body_start)


def authz_request(path="/authz/default", body_start='{"valid":true'):
    return make_request("GET", path, bearer=ITEM, body_start=body_start)


def verify_request(caller, path="/api/v2/keys/verify", item_size=RAW_KEY_SIZE):
    return make_request("POST", path, item_size, bearer=caller, body='{"key":"' + ITEM + '"}', body_start='{"valid":true')


def create_request(caller):
    return make_request("POST", "/api/v2/keys", KEY_NAME_SIZE, bearer=caller, status=201,
                        body='{"name":"bench-' + ITEM + '","scopes":[]}')


def revoke_request(caller):
    return make_request("DELETE", f"/api/v2/keys/{ITEM}", bearer=caller)


def parsed(text):
    """(method, path, headers, body) of a request's text."""
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines if not line.startswith("Content-Length"))
    return method, path, headers, body or None


def write_names(file, first, count):
    """Names of keys that create_request makes, none twice in one measurement."""
    file.write_text("".join(f"{first + number:0{KEY_NAME_SIZE}d}\n" for number in range(count)))
    return file


def light_command(setup, port, request, items=None, seconds=None, rate=None, connections=None, warm_up=None, first=0,
                  once=False, keep=None, keep_file=None):
    command = [setup.tool("p402_load"), "--port", port, "--connections", connections or setup.connections,
               "--seconds", seconds or setup.seconds, "--warm-up", setup.warm_up if warm_up is None else warm_up,
               "--status", request.status, "--body-start", request.body_start, "--first", first]
    command += ["--items", items] if items else []
    command += ["--rate", int(rate)] if rate else []
    command += ["--once"] if once else []
    command += ["--keep", keep, "--keep-file", keep_file] if keep else []
    return command


def light_limit(setup, seconds=None):
    """How long p402_load may take: it ends by itself 5 s after its time; reading a million items takes a while."""
    return (seconds or setup.seconds) + setup.warm_up + 60


def read_light(name, out):
    """The figures of one run. Fails if a single request was not answered as it has to be."""
    result = json.loads(out)
    bad = {what: result[what] for what in ("refused", "broken", "unanswered") if result[what]}
    if bad:
        raise Failed(f"{name}: of {result['answered']:,} requests " + ", ".join(f"{n} {what}" for what, n in bad.items()))
    if not result["measured"]:
        raise Failed(f"{name} answered nothing in the time")
    return result


def light(setup, server, request, items, **options):
    """One run of p402_load against a server of the measurement, with what the server spent on it."""
    command = light_command(setup, server.port, request, items, **options)
    before = server.cpu_seconds()
    out, err = setup.processes.run(command, setup.load_core, light_limit(setup, options.get("seconds")), request.text)
    cpu = server.cpu_seconds() - before
    try:
        result = read_light(server.name, out)
    except Failed as failure:
        raise Failed(f"{failure}; {err.strip()}") from None
    wall = result["seconds"] + setup.warm_up
    return {**result, "cpu_us": cpu / result["answered"] * 1e6, "server_busy": cpu / wall,
            "load_busy": result["cpu_seconds"] / wall, "load_us": result["cpu_seconds"] / result["answered"] * 1e6}


def create(setup, port, request, count, keep, keep_file, first=0):
    """Creates `count` keys as fast as they are answered, and keeps a field of each. Returns how many were made."""
    with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
        names = write_names(pathlib.Path(folder) / "names.txt", first, count)
        limit = 30 + count / 200
        command = light_command(setup, port, request, names, seconds=min(600, limit), warm_up=0, once=True, keep=keep,
                                keep_file=keep_file)
        out, _ = setup.processes.run(command, setup.load_core, limit + 60, request.text)
    return json.loads(out)["answered"] - json.loads(out)["refused"]


def wrk(setup, server, request, items):
    """One run of wrk with the same requests. It has no warm-up of its own: the rounds before are it."""
    with tempfile.TemporaryDirectory(dir=setup.folder) as folder:
        template = pathlib.Path(folder) / "request.txt"
        template.touch(mode=0o600)
        template.write_text(request.text, newline="")
        environment = clean_environment(BENCH_ITEMS=str(items), BENCH_REQUEST=str(template))
        command = [setup.wrk, "-t1", f"-c{setup.connections}", f"-d{max(1, round(setup.seconds))}s", "--latency",
                   "-s", HERE / "many_keys.lua", f"http://127.0.0.1:{server.port}"]
        before, load_before = server.cpu_seconds(), os.times()
        out, err = setup.processes.run(command, setup.load_core, setup.seconds + 120, env=environment)
        cpu, load_after = server.cpu_seconds() - before, os.times()
    result = read_wrk(server.name, out + err)
    # With the reading of the items, which comes before the requests: a little too high.
    spent = sum(load_after[2:4]) - sum(load_before[2:4])
    return {**result, "cpu_us": cpu / result["answered"] * 1e6, "server_busy": cpu / result["seconds"],
            "load_busy": min(1.0, spent / result["seconds"]), "load_us": spent / result["answered"] * 1e6}


def read_wrk(name, text):
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", text)
    if not found:
        raise Failed(f"wrk failed: {text.strip()[-600:]}")
    requests, micros, p50, p99, refused, broken = map(int, found.groups())
    if refused or broken:
        raise Failed(f"{name}: wrk counts {refused} answers that are no 2xx, {broken} socket errors")
    if not requests or not micros:
        raise Failed(f"{name} answered nothing in the time")
    return {"answered": requests, "seconds": micros / 1e6, "rps": requests / micros * 1e6, "p50_us": p50, "p99_us": p99}
