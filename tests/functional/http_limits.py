"""The limits of one request, at N and at N+1: body 64 KiB, head 16 KiB, URL 8 KiB (B)."""

import json

import pytest

from support.raw_http import exchange
from support.server import assert_problem

pytestmark = pytest.mark.raw


def post(server, body, extra=""):
    return (f"POST /api/v2/keys/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n"
            f"Content-Type: application/json\r\n{extra}").encode() + body


def body_of(size):
    empty = len(json.dumps({"key": ""}))
    return json.dumps({"key": "x" * (size - empty)}).encode()


def with_length(server, size):
    body = body_of(size)
    return post(server, b"Content-Length: %d\r\n\r\n" % len(body) + body)


def with_chunks(server, size):
    body, parts = body_of(size), b""
    for start in range(0, len(body), 1000):
        chunk = body[start:start + 1000]
        parts += b"%x\r\n%s\r\n" % (len(chunk), chunk)
    return post(server, b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n")


@pytest.mark.parametrize("form", [with_length, with_chunks])
def test_B_a_body_of_64_kib_and_one_byte_more(server, form):
    assert exchange(server.address, form(server, 65536)).status == 200
    assert_problem(exchange(server.address, form(server, 65537)), 413, "body_too_large")


def test_B_an_announced_body_is_refused_before_it_comes(server):
    data = post(server, b"", extra="Content-Length: 65537\r\n\r\n")
    with server.connect() as connection:
        answer = connection.exchange(data)
        assert_problem(answer, 413, "body_too_large")
        assert answer.closed


def get(server, target, extra=""):
    return (f"GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n{extra}\r\n").encode()


def test_B_a_url_of_8_kib_and_one_byte_more(server):
    start = "/api/v2/keys?name="
    fits = get(server, start + "x" * (8192 - len(start)))
    answer = exchange(server.address, fits)
    assert answer.status in (200, 400), answer  # a name of that length matches nothing, or is refused
    assert_problem(exchange(server.address, get(server, start + "x" * (8193 - len(start)))), 414, "uri_too_long")


def test_B_a_head_of_16_kib_and_one_byte_more(server):
    bare = get(server, "/api/v2/keys/self", "X-Fill: \r\n")
    room = 16384 - len(bare)
    assert exchange(server.address, get(server, "/api/v2/keys/self", f"X-Fill: {'f' * room}\r\n")).status == 200
    answer = exchange(server.address, get(server, "/api/v2/keys/self", f"X-Fill: {'f' * (room + 1)}\r\n"))
    assert_problem(answer, 431, "header_too_large")


def test_B_too_many_headers(server):
    few = "".join(f"X-{i}: y\r\n" for i in range(90))
    many = "".join(f"X-{i}: y\r\n" for i in range(101))
    assert exchange(server.address, get(server, "/api/v2/keys/self", few)).status == 200
    assert_problem(exchange(server.address, get(server, "/api/v2/keys/self", many)), 431, "header_too_large")


def test_B_a_head_without_end_is_refused(server):
    with server.connect() as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Fill: " + b"f" * 17000)
        answer = connection.read_answer()
        assert answer.status == 431 and answer.closed


def test_B_a_url_without_end_is_refused(server):
    with server.connect() as connection:
        connection.send(b"GET /" + b"f" * 17000)
        answer = connection.read_answer()
        assert answer.status in (414, 431) and answer.closed


def test_B_the_limits_hold_for_unauthenticated_requests(server):
    data = b"POST /api/v2/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"
    answer = exchange(server.address, data)
    assert answer.status in (401, 413) and answer.closed
