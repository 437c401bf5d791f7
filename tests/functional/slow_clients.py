"""Slow headers, slow bodies and slow handshakes are cut at their deadline; nobody else waits (S3)."""

import socket
import threading
import time

import pytest

from support.server import assert_problem

pytestmark = pytest.mark.raw
HEAD_DEADLINE, BODY_DEADLINE = 10, 20
SLACK = 6


def drip(address, first, seconds, results, name, piece=b"X"):
    """Sends `first`, then a byte now and then, and notes when the server closes."""
    start = time.monotonic()
    with socket.create_connection(address, timeout=0.2) as connection:
        connection.sendall(first)
        received, next_byte = b"", start + 1
        while time.monotonic() - start < seconds:
            try:
                data = connection.recv(65536)
                if not data:
                    break
                received += data
            except TimeoutError:
                if time.monotonic() >= next_byte:
                    next_byte += 1
                    try:
                        connection.sendall(piece)
                    except OSError:
                        break
            except OSError:
                break
        else:
            results[name] = (None, received)
            return
        results[name] = (time.monotonic() - start, received)


def test_S3_slow_clients_are_cut_and_others_are_not_slowed(server, root):
    authorization = f"Authorization: Bearer {server.root_key}\r\n"
    body_head = (f"POST /api/v2/keys HTTP/1.1\r\nHost: a\r\n{authorization}"
                 "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{").encode()
    chunk_head = (f"POST /api/v2/keys HTTP/1.1\r\nHost: a\r\n{authorization}"
                  "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    slow = {
        "head": (b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ", HEAD_DEADLINE, b"x"),
        "second head": (b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /l", HEAD_DEADLINE, b"x"),
        "body": (body_head, BODY_DEADLINE, b" "),
        "chunks": (chunk_head, BODY_DEADLINE, b"1\r\n \r\n"),
    }
    results, threads = {}, []
    for _ in range(20):
        for name, (first, deadline, piece) in slow.items():
            label = f"{name} {len(threads)}"
            threads.append(threading.Thread(
                target=drip, args=(server.address, first, deadline + SLACK, results, label, piece)))
    for thread in threads:
        thread.start()
    # Meanwhile everybody else is served: any one request that had to wait for a slow client would
    # take seconds.
    slowest, count = 0.0, 0
    while any(thread.is_alive() for thread in threads):
        start = time.monotonic()
        assert root.get("/api/v2/keys/self").status_code == 200
        slowest, count = max(slowest, time.monotonic() - start), count + 1
    assert count > 100
    assert slowest < 5, f"a request took {slowest:.2f} s beside slow clients"

    assert len(results) == len(threads)
    for name, (closed_after, received) in results.items():
        deadline = slow[name.rsplit(" ", 1)[0]][1]
        assert closed_after is not None, f"{name}: not closed"
        assert deadline - 2 <= closed_after <= deadline + SLACK, f"{name}: closed after {closed_after:.1f} s"
        assert b"201" not in received.split(b"\r\n")[0]


def test_S3_a_slow_handshake_is_cut(make_server, certificates):
    cert, key = certificates("slow")
    server = make_server(arguments=["--tls-cert", str(cert), "--tls-key", str(key)])
    results = {}
    drip(server.address, b"\x16\x03\x01", HEAD_DEADLINE + SLACK, results, "handshake", piece=b"\x02")
    closed_after = results["handshake"][0]
    assert closed_after is not None, "a handshake that never ends was not cut"
    assert closed_after >= HEAD_DEADLINE - 2


def test_S3_a_body_that_is_cut_off_creates_nothing(server, root):
    before = len(root.get("/api/v2/keys", params={"limit": 1000}).json()["keys"])
    for _ in range(20):
        with server.connect() as connection:
            connection.send((f"POST /api/v2/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n"
                             "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"name\":\"half\"}").encode())
    assert_problem(root.get("/nowhere"), 404, "not_found")
    assert len(root.get("/api/v2/keys", params={"limit": 1000}).json()["keys"]) == before
