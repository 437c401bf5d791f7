"""9,000 idle connections cost at most 8 KiB each, and nobody notices them."""

import multiprocessing
import resource
import socket

import pytest

from support.server import scaled
from support.wait import eventually

pytestmark = [pytest.mark.raw, pytest.mark.concurrent]
COUNT = scaled(9000, 500)
BYTES_EACH = 8 * 1024


def rss_bytes(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def hold(address, count, raw_key, pipe):
    """Opens `count` connections, uses each once, and keeps them until told to end."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    request = f"GET /api/v2/keys/self HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {raw_key}\r\n\r\n".encode()
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(address, timeout=30)
            connection.sendall(request)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            connections.append(connection)
        pipe.send("open")
        pipe.recv()
        used = 0
        for connection in connections[::100]:  # they still work
            connection.sendall(request)
            used += connection.recv(65536).startswith(b"HTTP/1.1 200")
        pipe.send(used)
    except Exception as error:  # noqa: BLE001 - told to the test
        pipe.send(repr(error))
    pipe.recv()


@pytest.mark.measured
def test_S3_idle_connections_are_cheap(make_server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < COUNT + 500:
        pytest.skip(f"the limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        server = make_server()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with server.client() as root:
        for i in range(200):  # warm
            root.get("/api/v2/keys/self")
        before = rss_bytes(server.pid)
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.Process(target=hold, args=(server.address, COUNT, server.root_key, theirs))
        process.start()
        try:
            assert ours.poll(60), "the connections were not opened in time"
            assert ours.recv() == "open"
            for i in range(100):
                assert root.get("/api/v2/keys/self").status_code == 200
            each = (rss_bytes(server.pid) - before) / COUNT
            ours.send("use")
            assert ours.poll(30)
            assert ours.recv() == len(range(0, COUNT, 100))
        finally:
            ours.send("end")
            process.join(30)
            process.kill()
        assert each <= BYTES_EACH, f"{each:.0f} bytes for an idle connection"
        # … and their end is noticed.
        descriptors = lambda: len(list(__import__("os").scandir(f"/proc/{server.pid}/fd")))  # noqa: E731
        eventually(lambda: descriptors() < 200, 30, "the end of the connections")
