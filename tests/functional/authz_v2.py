"""/authz/<route> (V2): the answer for proxies, with every trap that real proxies set."""

import pathlib
import urllib.parse

import pytest

from support.formats import fake_raw_key, in_future
from support.raw_http import exchange
from support.server import assert_problem
from support.wait import eventually

pytestmark = pytest.mark.raw
IDENTITY = ["x-auth-key-id", "x-auth-name", "x-auth-account", "x-auth-mode", "x-auth-scopes", "x-auth-owner"]


def ask(server, raw_key=None, line="GET /authz/default HTTP/1.1", headers=(), body=b"", head_only=False):
    lines = [line, "Host: app.example"]
    if raw_key is not None:
        lines.append(f"Authorization: Bearer {raw_key}")
    lines += headers
    data = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body
    return exchange(server.address, data, head_only=head_only)


@pytest.fixture(scope="module")
def key(server):
    with server.client() as root:
        return root.create("agent v2", scopes=["models:read", "a"], owner="cust_1")


def assert_allowed(answer):
    assert answer.status == 200, answer  # 200 and no other 2xx: Envoy takes only that
    for name in IDENTITY:
        assert answer.header(name), f"{name} has no value: {answer}"
    assert answer.header("cache-control") == "no-store"


def test_V2_200_with_every_identity_header(server, key):
    answer = ask(server, key["key"])
    assert_allowed(answer)
    assert [answer.header(name) for name in IDENTITY] == [
        key["id"], "agent%20v2", server.account_id, "live", "a models:read", "cust_1"]
    assert key["key"] not in str(answer)


def test_V2_an_empty_value_is_a_dash(server):
    with server.client() as root:
        bare = root.create("-", scopes=[])
    answer = ask(server, bare["key"])
    assert_allowed(answer)
    assert answer.header("x-auth-scopes") == "-" and answer.header("x-auth-owner") == "-"
    # A name that is a dash must not look like none.
    assert answer.header("x-auth-name") in ("%2D", "-")


@pytest.mark.parametrize("text", ["ü ñ 漢字 😀", "a%0d%0aX-Evil: 1", "comma, semicolon; \"quote\"", "100 %", "a+b=c&d"])
def test_V2_names_and_owners_are_percent_encoded(server, text):
    with server.client() as root:
        made = root.create(text, owner=text)
    answer = ask(server, made["key"])
    assert_allowed(answer)
    for name in ("x-auth-name", "x-auth-owner"):
        value = answer.header(name)
        assert value.isascii() and " " not in value
        assert urllib.parse.unquote(value) == text


def test_V2_x_api_key_is_the_same_and_both_at_once_are_refused(server, key):
    assert_allowed(ask(server, headers=[f"X-API-Key: {key['key']}"]))
    assert_allowed(ask(server, headers=[f"x-api-key:{key['key']}"]))
    both = ask(server, key["key"], headers=[f"X-API-Key: {key['key']}"])
    assert both.status in (400, 401), both
    twice = ask(server, key["key"], headers=[f"Authorization: Bearer {key['key']}"])
    assert twice.status in (400, 401), twice


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_V2_the_scheme_has_no_case(server, key, scheme):
    assert_allowed(ask(server, headers=[f"Authorization: {scheme} {key['key']}"]))


@pytest.mark.parametrize("value", ["Basic {}", "Bearer", "Bearer ", "{}", "Token {}", "Bearer {} x"])
def test_V2_other_credentials_are_no_credentials(server, key, value):
    answer = ask(server, headers=["Authorization: " + value.format(key["key"])])
    assert answer.status in (400, 401), answer


def test_V2_no_credentials(server):
    answer = ask(server)
    assert_problem(answer, 401, "unauthenticated")
    assert answer.header("www-authenticate") == 'Bearer realm="p402"'
    for name in IDENTITY:
        assert answer.header(name) is None


def test_V2_every_refused_key(server):
    with server.client() as root:
        revoked, off = root.create("revoked"), root.create("off")
        root.revoke(revoked["id"])
        root.patch(f"/api/v2/keys/{off['id']}", json={"disabled": True})
        short = root.create("short", expires_at=in_future(seconds=1))
        elsewhere = root.create("net", allowed_cidrs=["192.0.2.0/24"])
        eventually(lambda: root.code_of(short["key"]) == "expired", 10)
    for raw_key, code in ((revoked["key"], "revoked"), (off["key"], "disabled"), (short["key"], "expired"),
                          (elsewhere["key"], "ip_not_allowed"), (fake_raw_key(), "not_found"),
                          ("p402_live_nonsense", "malformed")):
        answer = ask(server, raw_key)
        assert_problem(answer, 401, code)
        assert answer.header("www-authenticate").startswith("Bearer ")
        assert 'error="invalid_token"' in answer.header("www-authenticate")
        assert answer.header("cache-control") == "no-store"
        assert raw_key not in answer.body.decode()
        for name in IDENTITY:
            assert answer.header(name) is None


def test_V2_the_default_route_takes_live_keys(server):
    with server.client() as root:
        test = root.create("test", mode="test")
    answer = ask(server, test["key"])
    assert answer.status in (401, 403) and answer.json()["code"] == "wrong_mode"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "FOO"])
def test_V2_any_method(server, key, method):
    assert_allowed(ask(server, key["key"], f"{method} /authz/default HTTP/1.1"))
    assert ask(server, fake_raw_key(), f"{method} /authz/default HTTP/1.1").status == 401


def test_V2_head_answers_as_get_without_the_body(server, key):
    answer = ask(server, key["key"], "HEAD /authz/default HTTP/1.1", head_only=True)
    assert_allowed(answer)
    refused = ask(server, fake_raw_key(), "HEAD /authz/default HTTP/1.1", head_only=True)
    assert refused.status == 401 and refused.header("www-authenticate")
    with server.connect() as connection:
        connection.exchange(
            f"HEAD /authz/default HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key['key']}\r\n\r\n".encode(),
            head_only=True)
        # No byte of a body follows: the next answer begins at once.
        following = connection.exchange(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert following.status == 200


def test_V2_http_1_0_as_nginx_speaks_it(server, key):
    answer = ask(server, key["key"], "GET /authz/default HTTP/1.0", ["Connection: close"])
    assert_allowed(answer)
    data = f"GET /authz/default HTTP/1.0\r\nAuthorization: Bearer {key['key']}\r\n\r\n".encode()
    assert_allowed(exchange(server.address, data))  # HTTP/1.0 needs no Host


@pytest.mark.parametrize("version,announced", [
    ("1.0", "Content-Length: 10"), ("1.1", "Content-Length: 10"), ("1.1", "Content-Length: 999999999"),
    ("1.1", "Transfer-Encoding: chunked"),  # HTTP/1.0 has no chunks
])
def test_V2_an_announced_body_is_not_waited_for(server, key, announced, version):
    with server.connect(timeout=5) as connection:
        head = (f"POST /authz/default HTTP/{version}\r\nHost: a\r\nAuthorization: Bearer {key['key']}\r\n"
                f"{announced}\r\n\r\n")
        answer = connection.exchange(head.encode())
        assert_allowed(answer)
        assert connection.is_closed_by_server(), "the body would be read as the next request"


def test_V2_a_post_without_content_length(server, key):
    assert_allowed(ask(server, key["key"], "POST /authz/default HTTP/1.1"))


@pytest.mark.parametrize("query", ["?", "?q=1", "?scope=admin&scopes=x", "?access_token=x", "?a=%ff%00", "?mode=test"])
def test_V2_the_query_says_nothing(server, key, query):
    assert_allowed(ask(server, key["key"], f"GET /authz/default{query} HTTP/1.1"))
    assert ask(server, None, f"GET /authz/default{query} HTTP/1.1").status == 401


def test_V2_a_key_in_the_query_is_no_credential(server, key):
    answer = ask(server, None, f"GET /authz/default?access_token={key['key']} HTTP/1.1")
    assert_problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize("path", [
    "/authz/default/../admin", "/authz/../api/v2/keys", "/authz/nope", "/authz/", "/authz", "/authz//default",
    "/authz/%64efault", "/authz/DEFAULT", "//authz/default", "/authz/./default",
])
def test_V2_paths_are_not_normalised(server, path):
    answer = ask(server, server.root_key, f"GET {path} HTTP/1.1")
    if path == "/authz/default/../admin":  # a path below a route is that route, for Envoy
        assert answer.status in (200, 404)
    else:
        assert answer.status == 404, answer
    assert b'"keys"' not in answer.body


def test_V2_envoys_path_below_the_route(server, key):
    answer = ask(server, key["key"], "GET /authz/default/the/users/path?with=query HTTP/1.1")
    assert_allowed(answer)
    assert ask(server, fake_raw_key(), "GET /authz/default/the/users/path HTTP/1.1").status == 401


def test_V2_forged_identity_headers_are_not_echoed(server, key):
    forged = [f"{name}: forged" for name in IDENTITY] + ["X-Auth-Status: 200", "X-Auth-Extra: forged"]
    answer = ask(server, key["key"], headers=forged)
    assert_allowed(answer)
    assert "forged" not in str(answer.headers)
    assert ask(server, None, headers=forged).status == 401
    assert "forged" not in str(ask(server, fake_raw_key(), headers=forged).headers)


def test_V2_marks_the_use(server):
    with server.client() as root:
        used = root.create("used")
        assert ask(server, used["key"]).status == 200
        shown = root.get(f"/api/v2/keys/{used['id']}").json()
        assert shown["last_used_at"] is not None


def test_V2_keep_alive_and_revocation_on_one_connection(server):
    with server.client() as root, server.connect() as connection:
        made = root.create("kept alive")
        request = f"GET /authz/default HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {made['key']}\r\n\r\n".encode()
        for _ in range(5):
            assert_allowed(connection.exchange(request))
        root.revoke(made["id"])
        assert_problem(connection.exchange(request), 401, "revoked")


ROUTES = """
[routes.models]
scopes = ["models:read"]

[routes.nginx]
scopes = ["models:read"]
deny_status = 403

[routes.sandbox]
mode = "test"
"""


@pytest.fixture(scope="module")
def routed(tmp_path_factory):
    from support.server import Server

    config = tmp_path_factory.mktemp("config") / "p402.toml"
    config.write_text(ROUTES)
    instance = Server(arguments=["--config", str(config)]).init().start()
    yield instance
    instance.close()


def test_V2_routes_add_scopes_and_a_mode(routed):
    with routed.client() as root:
        reader = root.create("reader", scopes=["models:read"])
        other = root.create("other", scopes=["other"])
        test = root.create("test", mode="test")
    assert_allowed(ask(routed, reader["key"], "GET /authz/models HTTP/1.1"))
    answer = ask(routed, other["key"], "GET /authz/models HTTP/1.1")
    problem = assert_problem(answer, 403, "insufficient_scope")
    assert problem["needed_scope"] == "models:read"
    assert 'error="insufficient_scope"' in answer.header("www-authenticate")
    assert ask(routed, fake_raw_key(), "GET /authz/models HTTP/1.1").status == 401
    assert_allowed(ask(routed, other["key"]))
    assert_allowed(ask(routed, test["key"], "GET /authz/sandbox HTTP/1.1"))
    assert ask(routed, reader["key"], "GET /authz/sandbox HTTP/1.1").json()["code"] == "wrong_mode"


def test_V2_deny_status_for_nginx_keeps_the_true_status_in_a_header(routed):
    with routed.client() as root:
        other = root.create("other", scopes=["other"])
    for raw_key, status in ((None, 401), (fake_raw_key(), 401), (other["key"], 403)):
        answer = ask(routed, raw_key, "GET /authz/nginx HTTP/1.1")
        assert answer.status == 403
        assert answer.header("x-auth-status") == str(status)


@pytest.mark.parametrize("toml,word", [
    ("[routes.x]\nscope = [\"a\"]\n", "scope"), ("[routes.x]\nmode = \"prod\"\n", "mode"),
    ("[routes.x]\ndeny_status = 200\n", "deny_status"), ("[routes.x]\naccount = \"nobody\"\n", "account"),
    ("[routes.x]\nscopes = [\"A B\"]\n", "scopes"), ("listne = \"127.0.0.1:0\"\n", "listne"), ("[routes", ""),
])
def test_V2_a_wrong_route_stops_the_start(make_server, tmp_path, toml, word):
    config = pathlib.Path(tmp_path) / "p402.toml"
    config.write_text(toml)
    server = make_server(start=False, arguments=["--config", str(config)])
    server.spawn()
    assert server.process.wait(30) != 0
    assert word in server.output()


def test_V2_the_authz_listener_serves_nothing_else(make_server, tmp_path):
    import socket

    path = tmp_path / "authz.sock"
    server = make_server(arguments=["--authz-listen", f"unix:{path}"])

    def over_socket(line, raw_key):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(path))
            connection.sendall(f"{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {raw_key}\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
            return int(data.split(b" ")[1])

    assert over_socket("GET /authz/default", server.root_key) == 200
    assert over_socket("GET /authz/default", fake_raw_key()) == 401
    assert over_socket("GET /api/v2/keys", server.root_key) == 404
    assert over_socket("GET /metrics", server.root_key) == 404
    # S4: over a Unix socket the address is unknown: a CIDR-limited key is refused.
    with server.client() as root:
        limited = root.create("net", allowed_cidrs=["127.0.0.0/8"])
    assert over_socket("GET /authz/default", limited["key"]) == 401
    assert server.stop() == 0
    assert not path.exists()
