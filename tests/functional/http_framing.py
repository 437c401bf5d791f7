"""Framing that two parsers could read differently is refused, and the connection is closed (B)."""

import pytest

pytestmark = pytest.mark.raw
BODY = b'{"name":"framed"}'
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n"


def head(*lines, start=b"POST /api/v2/keys HTTP/1.1", host=b"Host: a"):
    parts = [start, *([host] if host else []), *lines]
    return b"\r\n".join(parts) + b"\r\n\r\n"


def chunked(*body):
    return head(b"Transfer-Encoding: chunked", b"Content-Type: application/json") + b"".join(body)


REFUSED = {
    "two different Content-Length": head(b"Content-Length: 17", b"Content-Length: 18") + BODY,
    "two equal Content-Length": head(b"Content-Length: 17", b"Content-Length: 17") + BODY,
    "a list of Content-Length": head(b"Content-Length: 17, 17") + BODY,
    "Content-Length with a plus": head(b"Content-Length: +17") + BODY,
    "negative Content-Length": head(b"Content-Length: -1") + BODY,
    "hexadecimal Content-Length": head(b"Content-Length: 0x11") + BODY,
    "Content-Length with an underscore": head(b"Content-Length: 1_7") + BODY,
    "empty Content-Length": head(b"Content-Length: ") + BODY,
    "Content-Length beyond 64 bits": head(b"Content-Length: 99999999999999999999999") + BODY,
    "Content-Length with Transfer-Encoding": head(b"Content-Length: 17", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "Transfer-Encoding with Content-Length": head(b"Transfer-Encoding: chunked", b"Content-Length: 17") + b"0\r\n\r\n",
    "space before the colon": head(b"Content-Length : 17") + BODY,
    "space before the colon of Transfer-Encoding": head(b"Transfer-Encoding : chunked") + b"0\r\n\r\n",
    "tab before the colon": head(b"X-A\t: b", b"Content-Length: 0"),
    "space in a name": head(b"X A: b", b"Content-Length: 0"),
    "no colon": head(b"Nonsense", b"Content-Length: 0"),
    "an empty name": head(b": b", b"Content-Length: 0"),
    "a control character in a name": head(b"X\x01A: b", b"Content-Length: 0"),
    "folded header": head(b"X-A: b\r\n c", b"Content-Length: 0"),
    "folded first header": b"GET /livez HTTP/1.1\r\n Host: a\r\n\r\n",
    "NUL in a value": head(b"X-A: b\x00c", b"Content-Length: 0"),
    "bare CR in a value": head(b"X-A: b\rc", b"Content-Length: 0"),
    "bare CR as a line end": b"GET /livez HTTP/1.1\rHost: a\r\r",
    "bare LF in a head": b"GET /livez HTTP/1.1\nHost: a\n\n",
    "bare LF after a header": b"GET /livez HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "no Host in HTTP/1.1": head(host=None, start=b"GET /livez HTTP/1.1"),
    "two Host": head(b"Host: b", start=b"GET /livez HTTP/1.1"),
    "a list in Host": b"GET /livez HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a Host that is none": b"GET /livez HTTP/1.1\r\nHost: a b/c@d\r\n\r\n",
    "space in the target": b"GET /livez /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /livez\r\nHost: a\r\n\r\n",
    "a wrong version": b"GET /livez HTTQ/1.1\r\nHost: a\r\n\r\n",
    "a version with more digits": b"GET /livez HTTP/1.10\r\nHost: a\r\n\r\n",
    "a lower-case version": b"GET /livez http/1.1\r\nHost: a\r\n\r\n",
    "a control character in the target": b"GET /liv\x01ez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method with a bad character": b"G@T /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space before the request line": b" GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a chunk size with 0x": chunked(b"0x11\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk size with an underscore": chunked(b"1_1\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk size with a plus": chunked(b"+11\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a negative chunk size": chunked(b"-11\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk size that is no number": chunked(b"zz\r\n", BODY, b"\r\n0\r\n\r\n"),
    "an empty chunk size": chunked(b"\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a space before a chunk size": chunked(b" 11\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": chunked(b"fffffffffffffffff\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk size with a bare LF": chunked(b"11\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk longer than its size": chunked(b"10\r\n", BODY, b"\r\n0\r\n\r\n"),
    "a chunk end with a bare LF": chunked(b"11\r\n", BODY, b"\n0\r\n\r\n"),
    "a chunk end with a bare CR": chunked(b"11\r\n", BODY, b"\r0\r\n\r\n"),
    "chunked twice": head(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "two Transfer-Encoding": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunked is not last": head(b"Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "Transfer-Encoding of HTTP/1.0": head(b"Transfer-Encoding: chunked", start=b"POST /api/v2/keys HTTP/1.0") + b"0\r\n\r\n",
    "an obscured Transfer-Encoding": head(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "a Transfer-Encoding with a vertical tab": head(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "an empty Transfer-Encoding": head(b"Transfer-Encoding: ") + b"0\r\n\r\n",
}
# Some of these have a status of their own in RFC 9110.
OTHER_STATUS = {
    "an obscured Transfer-Encoding": {400, 501}, "chunked is not last": {400, 501}, "chunked twice": {400, 501},
    "Content-Length beyond 64 bits": {400, 413}, "a chunk size beyond 64 bits": {400, 413},
    "a wrong version": {400, 505}, "a version with more digits": {400, 505}, "a lower-case version": {400, 505},
    "a Transfer-Encoding with a vertical tab": {400, 501}, "an empty Transfer-Encoding": {400, 501},
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_B_bad_framing_is_refused_and_the_connection_closed(server, name):
    data = REFUSED[name]
    with server.connect(timeout=5) as connection:
        connection.send(data + SMUGGLED)
        answer = connection.read_answer()
        assert answer is not None, "closed without an answer"
        assert answer.status in OTHER_STATUS.get(name, {400}), answer
        assert answer.header("content-type").startswith("application/problem+json")
        assert answer.closed
        # What follows on the connection is never taken as a request.
        assert connection.is_closed_by_server()


def test_B_bad_framing_behind_a_good_request(server):
    """Pipelined: the good request is answered, then the bad one is refused, then nothing."""
    with server.connect(timeout=5) as connection:
        connection.send(SMUGGLED + REFUSED["two different Content-Length"] + SMUGGLED)
        assert connection.read_answer().status == 200
        assert connection.read_answer().status == 400
        assert connection.is_closed_by_server()


def test_B_good_framing_is_taken(server):
    authorization = f"Authorization: Bearer {server.root_key}".encode()
    json_type = b"Content-Type: application/json"
    good = {
        "length": head(authorization, json_type, b"Content-Length: 17") + BODY,
        "leading zero": head(authorization, json_type, b"Content-Length: 017") + BODY,
        "chunks": head(authorization, json_type, b"Transfer-Encoding: chunked")
        + b"5\r\n" + BODY[:5] + b"\r\nC\r\n" + BODY[5:] + b"\r\n0\r\n\r\n",
        "chunk extension and trailer": head(authorization, json_type, b"Transfer-Encoding: Chunked")
        + b"11;a=b\r\n" + BODY + b"\r\n0\r\nX-Trailer: 1\r\n\r\n",
        "no space after the colon": head(authorization, json_type, b"Content-Length:17") + BODY,
        "tabs around a value": head(authorization, json_type, b"Content-Length: \t17\t ") + BODY,
    }
    with server.connect() as connection:
        for name, data in good.items():
            answer = connection.exchange(data)
            assert answer.status == 201, (name, answer)


def test_pipelined_requests_are_answered_in_order(server):
    requests = []
    for i in range(50):
        requests.append(f"GET /api/v2/keys/self HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n\r\n"
                        if i % 2 else f"GET /nowhere/{i} HTTP/1.1\r\nHost: a\r\n\r\n")
    with server.connect() as connection:
        connection.send("".join(requests).encode())
        statuses = [connection.read_answer().status for _ in requests]
    assert statuses == [404 if i % 2 == 0 else 200 for i in range(50)]


def test_a_request_in_single_bytes(server):
    data = head(f"Authorization: Bearer {server.root_key}".encode(), b"Content-Type: application/json",
                b"Content-Length: 17") + BODY
    with server.connect() as connection:
        for i in range(len(data)):
            connection.send(data[i:i + 1])
        assert connection.read_answer().status == 201


def test_http_1_0_closes_and_keep_alive_is_honoured(server):
    with server.connect() as connection:
        answer = connection.exchange(b"GET /livez HTTP/1.0\r\n\r\n")
        assert answer.status == 200
        assert connection.is_closed_by_server()
    with server.connect() as connection:
        assert connection.exchange(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").closed
        assert connection.is_closed_by_server()


def test_expect_continue(server):
    lines = [f"Authorization: Bearer {server.root_key}".encode(), b"Content-Type: application/json",
             b"Content-Length: 17", b"Expect: 100-continue"]
    with server.connect() as connection:
        interim = connection.exchange(head(*lines))
        assert interim.status == 100
        assert connection.exchange(BODY).status == 201
    with server.connect() as connection:
        answer = connection.exchange(head(*lines[:-1], b"Expect: something-else"))
        assert answer.status == 417


def test_another_major_version(server):
    with server.connect() as connection:
        answer = connection.exchange(b"GET /livez HTTP/2.0\r\nHost: a\r\n\r\n")
        assert answer.status in (400, 505) and answer.closed
    with server.connect() as connection:
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert connection.read_answer().status in (400, 505)
