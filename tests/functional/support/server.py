"""Starts and stops the real binary, and talks to it."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse

import httpcore
import httpx
from httpcore.backends.sync import SyncBackend

from support.raw_http import FastClient, RawConnection
from support.wait import eventually

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
P402_BIN = os.environ.get("P402_BIN") or str(REPOSITORY / "build/release/p402")
# Sanitizer builds are several times slower: they run the same tests with fewer repetitions.
SCALE = float(os.environ.get("P402_SCALE", "1"))
RAW_KEY = re.compile(r"\b[a-z0-9]{2,10}_(?:live|test)_[0-9A-Za-z]{38}\b")


def scaled(count, least=1):
    """`count`, or fewer in a sanitizer build (P402_SCALE=0.1)."""
    return max(least, int(count * SCALE))


def clean_environment(**extra):
    """The environment without the variables that the program reads."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("P402_")}
    environment.update(extra)
    return environment


def run_p402(*arguments, stdin="", env=None, timeout=60, cwd=None):
    """Runs the binary to its end; returns the completed process with text output."""
    return subprocess.run(
        [P402_BIN, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=clean_environment(**(env or {})),
        cwd=cwd,
    )


class Server:
    """One process of `p402 serve` and its data folder."""

    def __init__(self, data=None, arguments=(), env=None, wrapper=(), listen="127.0.0.1:0", log=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="p402-test-"))
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.arguments, self.env, self.wrapper = list(arguments), dict(env or {}), list(wrapper)
        self.listen = listen
        self.stdout_path, self.stderr_path = self.folder / "stdout", self.folder / "stderr"
        self.log_path = self.folder / "log" if log else None
        self.process = None
        self.url = None
        self.root_key = None
        self.root_id = None
        self.account_id = None
        self.prism = None

    # -- life ----------------------------------------------------------------------------------
    def init(self):
        """Makes the first account and key (C2), so that the raw key is known before serving."""
        done = run_p402("init", "--data", self.data, "--json")
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        self.root_key, self.root_id, self.account_id = made["key"], made["key_id"], made["account_id"]
        return self

    def spawn(self):
        """Starts the process without waiting for it."""
        command = [*self.wrapper, P402_BIN, "serve", "--data", str(self.data), "--listen", self.listen]
        if self.log_path:
            command += ["--log-file", str(self.log_path)]
        self.process = subprocess.Popen(
            [*command, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=open(self.stdout_path, "ab"),
            stderr=open(self.stderr_path, "ab"),
            env=clean_environment(**self.env),
        )
        return self

    def start(self, seconds=30.0):
        """Starts the process and waits for its line `ready …`."""
        offset = self.stdout_path.stat().st_size if self.stdout_path.exists() else 0
        self.spawn()

        def ready():
            with open(self.stdout_path, "rb") as file:
                file.seek(offset)
                text = file.read().decode()
            match = re.search(r"^ready (\S+)$", text, re.MULTILINE)
            if match:
                return match.group(1)
            assert self.process.poll() is None, f"exit {self.process.returncode}: {self.output()}"
            return None

        self.url = eventually(ready, seconds, "the line `ready …`")
        self.end_prism()  # it would still lead to the old port
        return self

    def stop(self, seconds=30.0):
        """SIGTERM, then waits; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
                self.process.wait()

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def close(self):
        self.end_prism()
        if self.process is not None and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def output(self):
        return self.stdout_path.read_text() + self.stderr_path.read_text()

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    # -- talking -------------------------------------------------------------------------------
    @property
    def address(self):
        parts = urllib.parse.urlsplit(self.url)
        return parts.hostname, parts.port

    @property
    def pid(self):
        """The server itself, also below a wrapper such as strace."""
        pid = self.process.pid
        if self.wrapper:
            return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        return pid

    def client(self, raw_key=None, **options):
        """An httpx client with a key: the first one by default, none with raw_key=""."""
        base = self.url
        if os.environ.get("P402_PRISM") == "1" and self.prism_wanted:
            base = self.prism_url()
        key = self.root_key if raw_key is None else raw_key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.HTTPTransport(trust_env=False)
        transport._pool = httpcore.ConnectionPool(network_backend=NoDelay(), max_keepalive_connections=1)
        return Client(base_url=base, headers=headers, timeout=30.0, trust_env=False, transport=transport, **options)

    def fast(self, raw_key=None):
        return FastClient(self.address, raw_key or self.root_key)

    def connect(self, timeout=10.0):
        return RawConnection(self.address, timeout)

    # -- contract coverage ---------------------------------------------------------------------
    prism_wanted = False

    def end_prism(self):
        if self.prism:
            self.prism.terminate()
            self.prism.wait(10)
            self.prism = None

    def prism_url(self):
        """The address of a Prism proxy before this server: it turns every answer that
        docs/openapi.yaml does not allow into an error."""
        if self.prism is None:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            prism = REPOSITORY / "tests/tools/node_modules/.bin/prism"
            output = open(self.folder / "prism", "wb")
            self.prism = subprocess.Popen(
                [str(prism), "proxy", str(REPOSITORY / "docs/openapi.yaml"), self.url, "--errors",
                 "--validate-request=false", "--host", "127.0.0.1", "--port", str(port)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )
            self._prism_port = port

            def listening():
                assert self.prism.poll() is None, (self.folder / "prism").read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    return True
                except OSError:
                    return False

            eventually(listening, 60, "Prism to listen")
        return f"http://127.0.0.1:{self._prism_port}"


class NoDelay(SyncBackend):
    """httpx sends head and body in two writes; with Nagle's algorithm each body waits 40 ms for the
    acknowledgement of its head."""

    def connect_tcp(self, *arguments, **options):
        stream = super().connect_tcp(*arguments, **options)
        stream.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream


class Client(httpx.Client):
    """httpx with the few calls that nearly every test makes."""

    def create(self, name="a key", **fields):
        """POST /api/v2/keys; returns the answer's JSON. Fails unless it is 201."""
        response = self.post("/api/v2/keys", json={"name": name, **fields})
        assert response.status_code == 201, response.text
        return response.json()

    def revoke(self, key_id, **query):
        response = self.delete(f"/api/v2/keys/{key_id}", params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def code_of(self, raw_key, **question):
        """The code that POST /api/v2/keys/verify answers for a raw key."""
        response = self.post("/api/v2/keys/verify", json={"key": raw_key, **question})
        assert response.status_code == 200, response.text
        answer = response.json()
        assert answer["valid"] is (answer["code"] == "valid")
        return answer["code"]


def assert_problem(response, status, code):
    """The answer is a problem document (A7) of this status and code; returns it."""
    text = response.text if hasattr(response, "text") else response.body
    got = response.status_code if hasattr(response, "status_code") else response.status
    assert got == status, f"{got}, not {status}: {text[:300]}"
    kind = response.headers["content-type"] if isinstance(response, httpx.Response) \
        else response.header("content-type")
    assert kind.split(";")[0] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    for field in ("type", "title", "detail", "request_id"):
        assert isinstance(problem[field], str) and problem[field], problem
    return problem
