"""nginx, Caddy and HAProxy in front, with the very files of packaging/: a good key passes, a revoked
one is refused on the next request, and forged identity headers never reach the application (V2)."""

import os
import ssl
import urllib.parse

import httpx
import pytest

from support.formats import fake_raw_key
from support.proxy import PROGRAMS, PROXIES, Application
from support.server import Server

IDENTITY = ["x-auth-key-id", "x-auth-name", "x-auth-account", "x-auth-mode", "x-auth-scopes", "x-auth-owner"]
APP, KEYS = {"Host": "app.example.com"}, {"Host": "keys.example.com"}


@pytest.fixture(scope="module", params=list(PROXIES))
def house(request, tmp_path_factory, certificates):
    """One proxy before one server and one application."""
    if not os.access(PROGRAMS[request.param], os.X_OK):
        pytest.skip(f"no {request.param} here")
    server = Server(arguments=["--trusted-proxy", "127.0.0.1/32"]).init().start()
    application = Application()
    proxy = PROXIES[request.param](tmp_path_factory.mktemp(request.param), server.address[1], application.port,
                                   certificates("keys.example.com"))
    try:
        yield server, proxy.start(), request.param
    finally:
        proxy.close()
        application.close()
        server.close()


def any_certificate():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.fixture
def web(house):
    """A client of the application, through the proxy."""
    with httpx.Client(base_url=house[1].app_url, verify=any_certificate(), trust_env=False, timeout=30) as client:
        yield client


def bearer(raw_key, **more):
    return {**APP, "Authorization": f"Bearer {raw_key}", **more}


def test_V2_a_good_key_passes_and_the_application_learns_who_calls(house, web):
    server = house[0]
    with server.client() as root:
        key = root.create("agent ü", scopes=["models:read"], owner="cust 1")
    for headers in (bearer(key["key"]), {**APP, "X-API-Key": key["key"]}):
        response = web.get("/some/path?q=1&scope=admin", headers=headers)
        assert response.status_code == 200, response.text
        seen = response.json()
        got = dict(seen["headers"])
        assert (seen["method"], seen["path"]) == ("GET", "/some/path?q=1&scope=admin")
        assert [got[name] for name in IDENTITY] == [
            key["id"], urllib.parse.quote("agent ü", safe=""), server.account_id, "live", "models:read", "cust%201"]
        # The raw key ends at the proxy.
        assert key["key"] not in response.text


def test_V2_a_post_keeps_its_body(house, web):
    with house[0].client() as root:
        key = root.create("poster", scopes=[])
    response = web.post("/", headers=bearer(key["key"]), content="the body " * 1000)
    assert response.status_code == 200, response.text
    assert response.json()["body"] == "the body " * 1000
    assert dict(response.json()["headers"])["x-auth-scopes"] == "-"


def test_R1_a_revoked_key_is_refused_on_the_next_request(house, web):
    with house[0].client() as root:
        for _ in range(20):
            key = root.create("short", scopes=[])
            assert web.get("/", headers=bearer(key["key"])).status_code == 200
            root.revoke(key["id"])
            response = web.get("/", headers=bearer(key["key"]))
            assert response.status_code == 401, response.text
            assert "Bearer" in response.headers["www-authenticate"]


def test_V2_nobody_passes_without_a_key(house, web):
    assert web.get("/", headers=APP).status_code == 401
    assert web.get("/", headers=bearer(fake_raw_key())).status_code == 401
    assert web.get("/", headers=bearer("nonsense")).status_code == 401
    assert web.post("/", headers=APP, content="x").status_code == 401
    both = {**bearer(house[0].root_key), "X-API-Key": fake_raw_key()}
    assert web.get("/", headers=both).status_code != 200


def test_V2_forged_identity_headers_never_reach_the_application(house, web):
    with house[0].client() as root:
        key = root.create("honest", scopes=[])
    forged = {name.title(): "forged" for name in IDENTITY}
    spelled_otherwise = {"x_auth_key_id": "forged", "X-AUTH-OWNER": "forged"}
    response = web.get("/", headers=bearer(key["key"], **forged, **spelled_otherwise))
    assert response.status_code == 200, response.text
    headers = [(name, value) for name, value in response.json()["headers"] if name in IDENTITY]
    assert sorted(name for name, _ in headers) == sorted(IDENTITY)  # each of them once
    assert "forged" not in str(headers)
    assert web.get("/", headers={**APP, **forged}).status_code == 401


def test_S4_the_address_of_the_client_is_what_the_proxy_saw(house, web):
    with house[0].client() as root:
        here = root.create("here", scopes=[], allowed_cidrs=["127.0.0.1/32"])
        elsewhere = root.create("elsewhere", scopes=[], allowed_cidrs=["198.51.100.0/24"])
    assert web.get("/", headers=bearer(here["key"])).status_code == 200
    forged = {"X-Forwarded-For": "198.51.100.1"}
    assert web.get("/", headers=bearer(elsewhere["key"], **forged)).status_code == 401


def test_V2_the_management_api_through_tls(house):
    server, proxy, name = house
    with httpx.Client(verify=any_certificate(), trust_env=False, timeout=30) as client:
        def call(method, path, **options):
            return client.request(method, f"https://127.0.0.1:{proxy.tls_port}{path}",
                                  headers={**KEYS, "Authorization": f"Bearer {server.root_key}"}, **options)

        made = call("POST", "/api/v2/keys", json={"name": "through the proxy"})
        assert made.status_code == 201, made.text
        assert call("GET", "/api/v2/keys").status_code == 200
        assert call("DELETE", f"/api/v2/keys/{made.json()['id']}").json()["enforced"] is True
        assert call("GET", "/authz/default").status_code == 404
        record = call("GET", f"/api/v2/audit?subject={made.json()['id']}").json()["records"][0]
        assert record["ip"] == "127.0.0.1"


def test_V2_throttled_requests_stay_429(house, web):
    """The last test of each proxy: it makes its own address throttled. A valid key still passes."""
    statuses = set()
    for _ in range(300):
        response = web.get("/", headers=bearer(fake_raw_key()))
        statuses.add(response.status_code)
        if response.status_code == 429:
            assert int(response.headers["retry-after"]) >= 1
    assert statuses == {401, 429}
    assert web.get("/", headers=bearer(house[0].root_key)).status_code == 200


def test_V4_when_the_server_is_down_nobody_passes(house, web):
    server = house[0]
    assert server.stop() == 0
    response = web.get("/", headers=bearer(server.root_key))
    assert response.status_code in (500, 502, 503), response.text
    assert "headers" not in response.text
