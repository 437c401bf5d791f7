"""Clients that pipeline more than they read: the server lives, and every answer comes.

What is tried: direct answers fill the socket, then one that takes another thread, then a direct one, so that the news
of room in the socket meets a connection in every state. How much it takes depends on the kernel, so many amounts are
tried, beside other load that keeps the one I/O thread busy.
"""

import multiprocessing
import random
import socket

from support.server import scaled

DIRECT = b"GET /authz/default HTTP/1.1\r\nHost: a\r\n\r\n"
TRIES = scaled(400)


def request(path, key):
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    return client


def keep_busy(path, text, done):
    client = connect(path)
    client.settimeout(0.5)
    while not done.is_set():
        client.sendall(text * 60)
        try:
            client.recv(1 << 20)
        except TimeoutError:
            pass


def press(path, seed, key, answer_bytes, outcome):
    """Each try is a connection of its own, cut when nothing more comes."""
    amounts = random.Random(seed)
    slow = request("/api/v2/keys/self", key)
    finished = 0
    try:
        for _ in range(TRIES):
            with connect(path) as client:
                client.settimeout(0.3)
                client.sendall(DIRECT * (amounts.randint(100_000, 225_000) // answer_bytes) + slow + DIRECT)
                try:
                    while client.recv(1 << 18):
                        client.settimeout(0.01)
                except TimeoutError:
                    pass
            finished += 1
    except OSError:
        pass
    outcome.put(finished)


def test_B_pipelining_more_than_is_read_does_no_harm(make_server, tmp_path):
    path = str(tmp_path / "s")
    server = make_server(arguments=["--listen", f"unix:{path}", "--threads", "1"])
    with connect(path) as client:
        client.sendall(DIRECT)
        answer_bytes = len(client.recv(9999))
    done, outcome = multiprocessing.Event(), multiprocessing.Queue()
    load = [multiprocessing.Process(target=keep_busy, args=(path, text, done), daemon=True)
            for text in (DIRECT, request("/api/v2/keys", server.root_key))]
    presses = [multiprocessing.Process(target=press, args=(path, seed, server.root_key, answer_bytes, outcome),
                                       daemon=True) for seed in range(3)]
    for process in load + presses:
        process.start()
    finished = [outcome.get(timeout=120) for _ in presses]
    done.set()
    for process in presses + load:
        process.join(10)
    assert finished == [TRIES] * 3, "the server ended"
    with connect(path) as client:
        client.settimeout(10)
        client.sendall(DIRECT)
        assert client.recv(9999).startswith(b"HTTP/1.1 401 ")
