"""The product and nginx, as servers of one measurement."""

import contextlib
import http.client
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import time

import load
from processes import Failed, clean_environment, cpu_seconds, resident_bytes, say

READY = re.compile(rb"^ready http://127\.0\.0\.1:(\d+)", re.MULTILINE)

STOP_SECONDS = 300  # of a large store


def nginx_binary():
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not found:
        raise Failed("nginx is not there: script/bootstrap installs it")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(process, seconds):
    """Reads the standard output of `p402 serve` up to its line `ready`. Returns the port."""
    deadline, text = time.monotonic() + seconds, b""
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.5)[0]:
            part = os.read(process.stdout.fileno(), 65536)
            text += part
            if found := READY.search(text):
                return int(found[1])
            if not part:
                raise Failed("p402 serve ended before it was ready")
    raise Failed(f"p402 serve was not ready after {seconds:.0f} s")


def wait_for_port(port, process, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"{process.args[-1]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failed(f"nothing answers on port {port}")


def wait_for_child(process, seconds=30):
    """nginx listens before its worker is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.05)
    raise Failed("nginx has no worker")


def ask(port, method, path, headers, body=None):
    """One request. Returns (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Store:
    """A data folder with many keys whose raw texts are known."""

    def __init__(self, setup, folder, keys):
        self.setup, self.folder, self.keys = setup, pathlib.Path(folder), keys
        self.data = self.folder / "data"
        self.key_file = self.folder / "keys.txt"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make()

    def _make(self):
        began = time.monotonic()
        out, _ = self.setup.processes.run([self.setup.make_store, "--data", self.data, "--keys", self.keys],
                                          self.setup.load_core, 3600)
        self.caller = out.strip().splitlines()[-1]
        with open(self.key_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            shown = self.setup.processes.start([self.setup.make_store, "--show", 0, "--keys", self.keys],
                                               self.setup.load_core, stdout=file)
            if shown.wait(600) != 0:
                raise Failed("make_store --show failed")
            self.setup.processes.stop(shown)
        say(f"made a store with {self.keys:,} keys in {time.monotonic() - began:.1f} s")

    def remove(self):
        shutil.rmtree(self.folder)

    def first_key(self):
        with open(self.key_file) as file:
            return file.readline().strip()


class Product:
    name = "p402"

    def __init__(self, setup, store, arguments=(), name="p402"):
        self.name, self.setup, self.store = name, setup, store
        began = time.monotonic()
        self.process = setup.processes.start(
            [setup.binary, "serve", "--data", store.data, "--listen", "127.0.0.1:0", "--threads", "1",
             "--log-level", "warning", *arguments],
            setup.server_core, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment())
        self.port = wait_until_ready(self.process, setup.ready_seconds)
        self.seconds_to_ready = time.monotonic() - began  # from exec

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def resident_bytes(self):
        return resident_bytes(self.process.pid)

    def sample(self, request):
        """The body of the answer to a request with the store's first key."""
        method, path, headers, body = load.parsed(request.filled(self.store.first_key()))
        status, answer = ask(self.port, method, path, headers, body)
        if status != 200:
            raise Failed(f"{path} answered {status}: {answer[:300]}")
        return answer

    def stop(self):
        if self.setup.processes.stop(self.process, STOP_SECONDS) != 0:
            raise Failed("p402 serve did not end well")


@contextlib.contextmanager
def serving(setup):
    """A folder, a store of `setup.keys` keys in it, and the product that serves it; stopped at the end."""
    with setup.scratch() as folder:
        store = Store(setup, folder, setup.keys)
        product = Product(setup, store)
        yield folder, store, product
        product.stop()


class Nginx:
    """One worker. `locations` is the inside of its server block."""

    name = "nginx"

    def __init__(self, setup, folder, locations, before_server=""):
        self.setup = setup
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        config = folder / "nginx.conf"
        config.write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {before_server}
  server {{ listen 127.0.0.1:{self.port} backlog=1024; {locations} }} }}
""")
        if os.geteuid() == 0:  # the worker would change to a user who may not read the folder
            config.write_text("user root;" + config.read_text())
        self.process = setup.processes.start([nginx_binary(), "-e", folder / "error.log", "-c", config],
                                             setup.server_core)
        wait_for_port(self.port, self.process)
        self.worker = wait_for_child(self.process)

    def cpu_seconds(self):
        return cpu_seconds(self.worker)

    def stop(self):
        self.setup.processes.stop(self.process)


def fixed_answers(bodies):
    """Locations of nginx that answer `return 200` with these bodies: {path: bytes}. A POST's body is dropped."""
    lines = []
    for path, body in bodies.items():
        text = body.decode()
        if any(char in text for char in "'$\\"):
            raise Failed("nginx would read the body as more than text")
        lines.append(f"location = {path} {{ return 200 '{text}'; }}")
    return "\n".join(lines)
