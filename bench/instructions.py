"""instructions: how many a verification takes, counted by valgrind. Repeatable where seconds are not, so script/check holds
the code to bench/instructions.txt. Of a request, what the server's thread does in user space is counted, not the kernel.
"""

import hashlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

from load import authz_request, verify_request
from processes import Failed, Processes, clean_environment, say
from record import first_line
from servers import wait_until_ready

KEPT = pathlib.Path(__file__).resolve().parent / "instructions.txt"
ALLOWED_PERCENT = 5
DRIVER_KEYS, DRIVER_RUNS = 1000, (2000, 12_000)
REQUESTS = 3000
SECONDS = 120  # each run takes about ten
HEAD = """# Instructions of one verification, as valgrind --tool=callgrind counts them; kept by script/bench instructions --update.
# Without the block function of SHA-256, which OpenSSL chooses by processor. script/check allows 5 % more.
"""


def counted(command, folder, *options):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", *options, *command]


def without_sha256(listing):
    """Instructions of a callgrind_annotate listing, less those of OpenSSL's block function: its largest without a name,
    or SHA256_Transform, which jumps there."""
    total = re.search(r"^\s*([\d,]+) \(100\.0%\)\s+PROGRAM TOTALS", listing, re.MULTILINE)
    if not total:
        raise Failed(f"callgrind_annotate printed no total: {listing[-300:]}")
    blocks = re.findall(r"^\s*([\d,]+) \([ \d.]+%\)\s+\?\?\?:(?:0x[0-9a-f]+|sha256_block\S*|SHA256_Transform) \[\S*libcrypto", listing, re.MULTILINE)
    return _number(total[1]) - max(map(_number, blocks), default=0)


def _number(text):
    return int(text.replace(",", ""))


def annotated(processes, path):
    out, _ = processes.run(["callgrind_annotate", "--threshold=100", path], "0-1023", 60)
    return out


def in_process(processes, build, folder):
    """The index alone. The difference of two runs is what the additional verifications took."""
    counts = []
    for runs in DRIVER_RUNS:
        processes.run(counted([build / "bench/p402_verify_driver", str(DRIVER_KEYS), str(runs)], folder), "0-1023", SECONDS)
        counts.append(without_sha256(annotated(processes, folder / "out")))
    return round((counts[1] - counts[0]) / (DRIVER_RUNS[1] - DRIVER_RUNS[0]))


def ask(port, request, count):
    """One request after the other on one connection, so that no two share a system call."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for _ in range(count):
            connection.sendall(request.encode())
            answer = b""
            while not (found := re.search(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)\r\n(?:.*?\r\n)?\r\n", answer, re.DOTALL)) or \
                    len(answer) < found.end() + int(found[1]):
                part = connection.recv(65536)
                if not part:
                    raise Failed("the server closed the connection")
                answer += part
            if not answer.startswith(b"HTTP/1.1 200 ") or b'{"valid":true' not in answer:
                raise Failed(f"not valid: {answer[:200]}")


def of_server(processes, build, folder, make_request):
    """The thread that serves, from its start to its end, per request."""
    folder.mkdir()
    made = subprocess.run([build / "p402", "init", "--data", folder / "data", "--json"], check=True, capture_output=True,
                          env=clean_environment())
    key = json.loads(made.stdout)["key"]
    command = [build / "p402", "serve", "--data", folder / "data", "--listen", "127.0.0.1:0", "--threads", "1", "--log-level", "warning"]
    server = processes.start(counted(command, folder, "--separate-threads=yes"), "0-1023", stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, env=clean_environment())
    ask(wait_until_ready(server, SECONDS), make_request(key).filled(key), REQUESTS)
    if processes.stop(server, SECONDS) != 0:
        raise Failed("p402 serve did not end well under valgrind")
    # Thread 1 loads and waits; of the others the one that served has done by far the most.
    threads = {path: int(re.search(rb"^totals: (\d+)", path.read_bytes(), re.MULTILINE)[1]) for path in folder.glob("out-*")
               if path.name != "out-01"}
    return round(without_sha256(annotated(processes, max(threads, key=threads.get))) / REQUESTS)


def count(build):
    if not shutil.which("valgrind"):
        raise Failed("valgrind is not there: script/bootstrap installs it")
    with Processes() as processes, tempfile.TemporaryDirectory(prefix="p402-instructions-") as name:
        folder = pathlib.Path(name)
        return {"verify_in_process": in_process(processes, build, folder),
                "authz_request": of_server(processes, build, folder / "authz", lambda key: authz_request()),
                "verify_request": of_server(processes, build, folder / "verify", verify_request)}


def compiler():
    return first_line("g++", "--version")


def read(text):
    """(compiler, {name: instructions}) of bench/instructions.txt."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    values = {name: value for name, _, value in (line.partition(" ") for line in lines)}
    return values.pop("compiler", ""), {name: int(value) for name, value in values.items()}


def write(compiler_name, figures):
    return HEAD + f"compiler {compiler_name}\n" + "".join(f"{name} {value}\n" for name, value in figures.items())


def compare(kept, counted_now):
    """What is wrong, as lines; empty: nothing took more than is allowed."""
    wrong = [f"{name}: not in bench/instructions.txt" for name in counted_now if name not in kept]
    wrong += [f"{name}: not counted any more" for name in kept if name not in counted_now]
    for name in kept.keys() & counted_now.keys():
        if counted_now[name] * 100 > kept[name] * (100 + ALLOWED_PERCENT):
            change = counted_now[name] / kept[name] - 1
            wrong.append(f"{name}: {counted_now[name]:,} instructions, {change:+.1%} over the {kept[name]:,} of bench/instructions.txt")
    return sorted(wrong)


def fingerprint(build):
    """Of everything that the outcome depends on."""
    digest = hashlib.sha256()
    for path in (build / "p402", build / "bench/p402_verify_driver", KEPT, pathlib.Path(__file__)):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def check(build):
    """What script/check asks: nothing if neither program has changed since it last was right."""
    mark = build / "instructions.checked"
    if mark.exists() and mark.read_text() == fingerprint(build):
        return 0
    outcome = main(build, is_update=False)
    if outcome == 0:
        mark.write_text(fingerprint(build))
    return outcome


def main(build, is_update):
    """Counts, prints, and compares with what is kept or replaces it. Returns the exit code."""
    figures, now = count(build), compiler()
    if is_update:
        KEPT.write_text(write(now, figures))
        say(f"written to bench/{KEPT.name}")
        return 0
    kept_compiler, kept = read(KEPT.read_text() if KEPT.exists() else "")
    for name, value in figures.items():
        print(f"{name}: {value:,}" + (f" ({value / kept[name] - 1:+.1%})" if name in kept else ""))
    if kept_compiler != now:
        say(f"instructions: not compared: kept with {kept_compiler or 'nothing'}, this is {now}")
        return 0
    wrong = compare(kept, figures)
    for line in wrong:
        say(f"instructions: {line}")
    if wrong:
        say("instructions: if it is worth that, keep it: script/bench instructions --update")
    return 1 if wrong else 0
