"""SIGTERM drains: no new connections, requests in flight finish, exit 0 (C1)."""

import signal
import socket
import threading

import pytest

from support.wait import eventually

pytestmark = pytest.mark.raw


def refuses(address):
    try:
        with socket.create_connection(address, timeout=1) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            return b" 200 " not in connection.recv(4096)[:20]
    except OSError:
        return True


def half_a_request(server, name):
    body = b'{"name":"%s"}' % name.encode()
    head = (f"POST /api/v2/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    return head, body


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_C1_a_request_in_flight_finishes(make_server, which):
    server = make_server()
    head, body = half_a_request(server, "in flight")
    with server.connect(30) as connection:
        connection.send(head + body[:5])
        # The head has arrived: a second connection's answer comes after it.
        with server.client() as root:
            root.get("/livez")
        server.process.send_signal(which)
        eventually(lambda: refuses(server.address), 10, "the end of the listener")
        assert server.process.poll() is None
        connection.send(body[5:])
        answer = connection.read_answer()
        assert answer.status == 201 and answer.closed
        made = answer.json()
    assert server.process.wait(10) == 0
    server.start()
    with server.client() as root:
        assert root.code_of(made["key"]) == "valid"


def test_C1_idle_connections_do_not_hold_the_stop(make_server):
    server = make_server()
    idle = [server.connect() for _ in range(20)]
    for connection in idle:
        assert connection.exchange(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").status == 200
    assert server.stop(5) == 0
    for connection in idle:
        assert connection.is_closed_by_server()
        connection.close()


def test_C1_the_drain_time_ends_a_request_that_never_ends(make_server):
    server = make_server(arguments=["--drain-time", "1s"])
    head, body = half_a_request(server, "never")
    with server.connect(30) as connection:
        connection.send(head + body[:5])
        with server.client() as root:
            root.get("/livez")
        assert server.stop(10) == 0
        assert connection.read_answer() is None


def test_C1_work_under_load_is_answered_or_refused_never_half_done(make_server):
    server = make_server()
    created, stop = [], threading.Event()

    def work(number):
        try:
            fast = server.fast()
            while not stop.is_set():
                answer = fast.request("POST", "/api/v2/keys", {"name": f"w{number}"})
                if answer is None or answer.status != 201:
                    return
                created.append(answer.json()["id"])
                if answer.closed:
                    return
        except OSError:
            return

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(created) > 200, 30)
    assert server.stop() == 0
    stop.set()
    for thread in threads:
        thread.join(10)
    server.start()
    with server.client() as root:
        known, cursor = set(), None
        while True:
            page = root.get("/api/v2/keys", params={"limit": 1000, **({"cursor": cursor} if cursor else {})}).json()
            known |= {key["id"] for key in page["keys"]}
            cursor = page["next_cursor"]
            if not cursor:
                break
    assert set(created) <= known
    # Each connection may have lost one answer, not more.
    assert len(known) - 1 <= len(created) + len(threads)


def test_C1_nothing_is_left_behind(make_server):
    server = make_server()
    assert server.stop() == 0
    assert [p.name for p in server.data.iterdir() if p.name.endswith(("-wal", ".sock", ".tmp"))] in ([], ["p402.db-wal"])
    assert "fatal" not in server.output().lower()
