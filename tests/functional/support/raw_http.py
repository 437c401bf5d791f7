"""HTTP over a plain socket: exact bytes for the tests of framing, and a fast keep-alive client."""

import json
import socket
import ssl


class Answer:
    """A response that was read from a socket. `closed`: the server closed the connection after it."""

    def __init__(self, status, reason, version, headers, body, closed):
        self.status, self.reason, self.version = status, reason, version
        self.headers, self.body, self.closed = headers, body, closed

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return dict(self.headers).get(name.lower())

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class RawConnection:
    """One TCP connection to a server. Every read has a deadline."""

    def __init__(self, address, timeout=10.0, tls=None):
        host, port = address
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        self.buffer += data
        return bool(data)

    def read_answer(self, head_only=False):
        """Reads one response; None if the connection ends before one begins."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                if self.buffer:
                    raise AssertionError(f"cut off in the head: {self.buffer!r}")
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        version, status, reason = (lines[0] + " ").split(" ", 2)
        headers = []
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers.append((name.lower(), value.strip()))
        fields = dict(headers)
        length = 0 if head_only else int(fields.get("content-length", "0"))
        while len(self.buffer) < length:
            if not self._more():
                raise AssertionError("cut off in the body")
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        closed = fields.get("connection", "").lower() == "close"
        return Answer(int(status), reason.strip(), version, headers, body, closed)

    def is_closed_by_server(self, seconds=5.0):
        """True once the server has closed the connection and sent nothing more."""
        self.socket.settimeout(seconds)
        if self.buffer:
            return False
        try:
            return not self._more()
        except TimeoutError:
            return False

    def exchange(self, data, head_only=False):
        self.send(data)
        return self.read_answer(head_only)


class FastClient:
    """A keep-alive client that costs tens of microseconds a request: for the mass tests."""

    def __init__(self, address, raw_key):
        self.connection = RawConnection(address, timeout=60.0)
        self.authorization = f"Authorization: Bearer {raw_key}\r\n"

    def request(self, method, path, body=None, extra=""):
        payload = b"" if body is None else json.dumps(body).encode()
        kind = "" if body is None else "Content-Type: application/json\r\n"
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{self.authorization}{kind}{extra}"
            f"Content-Length: {len(payload)}\r\n\r\n"
        )
        return self.connection.exchange(head.encode() + payload)

    def close(self):
        self.connection.close()


def exchange(address, data, timeout=10.0, head_only=False):
    """Sends bytes on a new connection and returns the first response."""
    with RawConnection(address, timeout) as connection:
        return connection.exchange(data, head_only)
