"""The table of bad input (B), row by row."""

import json

import pytest

from support.formats import fake_raw_key, in_future
from support.raw_http import exchange
from support.server import assert_problem
from support.wait import eventually

ROUTES = [
    ("POST", "/api/v2/keys"), ("GET", "/api/v2/keys"), ("GET", "/api/v2/keys/self"),
    ("GET", "/api/v2/keys/key_01jx0000000000000000000000"),
    ("PATCH", "/api/v2/keys/key_01jx0000000000000000000000"),
    ("DELETE", "/api/v2/keys/key_01jx0000000000000000000000"),
    ("POST", "/api/v2/keys/key_01jx0000000000000000000000/rotate"),
    ("POST", "/api/v2/keys/verify"), ("POST", "/api/v2/accounts"), ("GET", "/api/v2/accounts"),
    ("GET", "/api/v2/audit"), ("GET", "/api/v2/audit/verify"), ("POST", "/api/v2/audit/anchor"),
    ("POST", "/api/v2/audit/prune"), ("POST", "/api/v2/backup"), ("GET", "/metrics"),
]
BODIES = [("POST", "/api/v2/keys"), ("POST", "/api/v2/keys/verify"), ("POST", "/api/v2/accounts"),
          ("PATCH", "/api/v2/keys/{id}"), ("POST", "/api/v2/keys/{id}/rotate"), ("POST", "/api/v2/audit/prune")]


@pytest.mark.parametrize("method,path", ROUTES)
def test_B_no_credentials(server, method, path):
    with server.client("") as nobody:
        response = nobody.request(method, path, json={} if method in ("POST", "PATCH") else None)
        assert_problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == 'Bearer realm="p402"'
        assert response.headers["x-request-id"] == response.json()["request_id"]


@pytest.mark.parametrize("method,path", ROUTES)
def test_B_bad_keys_are_told_why(server, root, method, path):
    revoked, off = root.create("revoked"), root.create("off")
    root.revoke(revoked["id"])
    root.patch(f"/api/v2/keys/{off['id']}", json={"disabled": True})
    elsewhere = root.create("net", allowed_cidrs=["192.0.2.0/24"])
    for raw_key, code in (("nonsense", "malformed"), (fake_raw_key(), "not_found"), (revoked["key"], "revoked"),
                          (off["key"], "disabled"), (elsewhere["key"], "ip_not_allowed")):
        with server.client(raw_key) as bad:
            response = bad.request(method, path, json={} if method in ("POST", "PATCH") else None)
            assert_problem(response, 401, code)
            assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_B_an_expired_key(server, root):
    short = root.create("short", expires_at=in_future(seconds=1))
    eventually(lambda: root.code_of(short["key"]) == "expired", 10)
    with server.client(short["key"]) as own:
        assert_problem(own.get("/api/v2/keys"), 401, "expired")


NEEDED = {
    ("POST", "/api/v2/keys"): "keys:write", ("GET", "/api/v2/keys"): "keys:read",
    ("GET", "/api/v2/keys/{id}"): "keys:read", ("PATCH", "/api/v2/keys/{id}"): "keys:write",
    ("DELETE", "/api/v2/keys/{id}"): "keys:write", ("POST", "/api/v2/keys/{id}/rotate"): "keys:write",
    ("POST", "/api/v2/keys/verify"): "keys:verify", ("POST", "/api/v2/accounts"): "accounts:write",
    ("GET", "/api/v2/accounts"): "accounts:write", ("GET", "/api/v2/audit"): "audit:read",
    ("GET", "/api/v2/audit/verify"): "audit:read", ("POST", "/api/v2/audit/anchor"): "audit:read",
    ("POST", "/api/v2/audit/prune"): "audit:prune", ("POST", "/api/v2/backup"): "store:backup",
    ("GET", "/metrics"): "metrics:read",
}
VALID_BODY = {
    "/api/v2/keys": {"name": "x", "scopes": []}, "/api/v2/keys/verify": {"key": "x"},
    "/api/v2/accounts": {"name": "x"}, "/api/v2/keys/{id}": {"name": "x"},
    "/api/v2/keys/{id}/rotate": {"grace": "0"}, "/api/v2/audit/prune": {"older_than": "90d"},
}


@pytest.mark.parametrize("method,path", list(NEEDED))
def test_B_a_key_without_the_scope(server, root, method, path):
    needed = NEEDED[(method, path)]
    others = sorted(set(NEEDED.values()) - {needed})
    caller, target = root.create("others", scopes=others), root.create("target", scopes=[])
    body = VALID_BODY.get(path) if method in ("POST", "PATCH") else None
    with server.client(caller["key"]) as own:
        response = own.request(method, path.replace("{id}", target["id"]), json=body)
        problem = assert_problem(response, 403, "insufficient_scope")
        assert problem["needed_scope"] == needed
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
        assert f'scope="{needed}"' in response.headers["www-authenticate"]


BROKEN_JSON = [
    "", " ", "{", "}", "{]", '{"name":}', '{"name":"x"', '{"name":"x",}', "{'name':'x'}", '{"name":"x"}x',
    '{"name":"x"}{}', "nul", "NaN", '{"name":NaN}', '{"name":"\\x"}', '{"name":"\\ud800"}', '{"name":"a\tb"}',
    "\ufeff{}", '{"name":"x","name":"y"}', "[" * 40 + "]" * 40, '{"name":1e999}', "/* */{}",
]


@pytest.mark.parametrize("text", BROKEN_JSON, ids=lambda text: repr(text)[:20])
@pytest.mark.parametrize("method,path", BODIES)
def test_B_broken_json(root, method, path, text):
    path = path.replace("{id}", "key_01jx0000000000000000000000")
    response = root.request(method, path, content=text.encode("utf-8", "surrogatepass"),
                            headers={"Content-Type": "application/json"})
    if path.endswith("/rotate") and not text.strip():
        # Without a body there is no grace; a server may call that the default.
        assert response.status_code in (400, 404)
        return
    assert_problem(response, 400, "invalid_request")


@pytest.mark.parametrize("raw", [b'{"name":"\xff"}', b'{"name":"\xc3"}', b'{"name":"\xed\xa0\x80"}',
                                 b'{"name":"\xf4\x90\x80\x80"}', b'{"name":"\xc0\xaf"}', b'{"\xff":1}'])
def test_B_bytes_that_are_not_utf8(root, raw):
    response = root.post("/api/v2/keys", content=raw, headers={"Content-Type": "application/json"})
    assert_problem(response, 400, "invalid_request")


@pytest.mark.parametrize("value", [[], "x", 5, True, None])
@pytest.mark.parametrize("method,path", BODIES)
def test_B_a_body_that_is_no_object(root, method, path, value):
    path = path.replace("{id}", "key_01jx0000000000000000000000")
    assert_problem(root.request(method, path, content=json.dumps(value),
                                headers={"Content-Type": "application/json"}), 400, "invalid_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                                  "application/jsonx", "text/json", None])
@pytest.mark.parametrize("method,path", BODIES)
def test_B_a_body_that_is_not_json_by_its_type(server, root, method, path, kind):
    path = path.replace("{id}", "key_01jx0000000000000000000000")
    body = json.dumps(VALID_BODY.get(path, {"name": "x"}))
    headers = f"Content-Type: {kind}\r\n" if kind else ""
    data = (f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
    assert_problem(exchange(server.address, data), 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                  "application/json;charset=UTF-8"])
def test_B_json_types_that_are_taken(root, kind):
    response = root.post("/api/v2/keys", content='{"name":"typed"}', headers={"Content-Type": kind})
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1/keys", "/api/v2", "/api/v2/", "/api/v2/keys/", "/api/v2/key",
                                  "/api/v2/keys/self/rotate", "/API/v2/keys", "/api/v2//keys", "/favicon.ico",
                                  "/.env", "/api/v2/keys/../keys", "/api/v2/keys%2f", "/livez/", "/metrics/x"])
def test_B_unknown_routes(server, path):
    data = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.root_key}\r\n\r\n".encode()
    assert_problem(exchange(server.address, data), 404, "not_found")


ALLOWED = {
    "/api/v2/keys": {"GET", "POST"}, "/api/v2/keys/key_01jx0000000000000000000000": {"GET", "PATCH", "DELETE"},
    "/api/v2/keys/self": {"GET"}, "/api/v2/keys/verify": {"POST"},
    "/api/v2/keys/key_01jx0000000000000000000000/rotate": {"POST"}, "/api/v2/accounts": {"GET", "POST"},
    "/api/v2/audit": {"GET"}, "/api/v2/audit/verify": {"GET"}, "/api/v2/audit/anchor": {"POST"},
    "/api/v2/audit/prune": {"POST"}, "/api/v2/backup": {"POST"}, "/metrics": {"GET"}, "/livez": {"GET"},
    "/readyz": {"GET"}, "/openapi.yaml": {"GET"},
}


@pytest.mark.parametrize("path", list(ALLOWED))
def test_B_wrong_methods(root, path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "FOO"):
        if method in ALLOWED[path]:
            continue
        response = root.request(method, path)
        if path.endswith(("/self", "/verify")) and response.status_code == 404:
            continue  # /keys/{id} with an id that is none
        assert_problem(response, 405, "method_not_allowed")
        allow = {word.strip() for word in response.headers["allow"].split(",")}
        assert ALLOWED[path] <= allow <= ALLOWED[path] | {"HEAD", "OPTIONS", "PATCH", "DELETE", "GET"}
        assert method not in allow


def test_B_two_ways_of_credentials_are_refused(server, root):
    response = root.get("/api/v2/keys/self", headers={"X-API-Key": server.root_key})
    assert response.status_code in (400, 401), response.text


def test_B_a_key_in_the_url_is_no_credential(server):
    with server.client("") as nobody:
        response = nobody.get("/api/v2/keys", params={"access_token": server.root_key})
        assert_problem(response, 401, "unauthenticated")


def test_A7_no_internal_text_reaches_a_client(root):
    for response in (root.get("/api/v2/keys/%27%20OR%201=1--"), root.get("/api/v2/keys", params={"name": "' OR 1=1 --"}),
                     root.post("/api/v2/keys", content="{", headers={"Content-Type": "application/json"})):
        text = response.text.lower()
        for word in ("sqlite", "sql", "boost", "exception", "errno", "src/", ".cc", "std::"):
            assert word not in text, text


def test_A7_a_client_request_id_is_never_trusted_as_it_is(root):
    evil = 'x"\\,evil'
    response = root.get("/api/v2/keys/self", headers={"X-Request-Id": evil})
    assert response.headers["x-request-id"] != evil


def test_S_security_headers(root):
    response = root.get("/api/v2/keys/self")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "server" not in response.headers or not any(c.isdigit() for c in response.headers["server"])
