"""Failed authentications are slowed by source; a valid credential never is (S4)."""

import pytest

from support.formats import fake_raw_key
from support.server import assert_problem

PROXY = ["--trusted-proxy", "127.0.0.1/32"]


def fail(client, count, **headers):
    return [client.get("/api/v2/keys", headers=headers) for _ in range(count)]


@pytest.mark.parametrize("raw_key", ["nonsense", fake_raw_key()])
def test_S4_failures_are_throttled_and_a_valid_key_is_not(make_server, raw_key):
    server = make_server()
    with server.client(raw_key) as attacker, server.client() as root:
        answers = fail(attacker, 300)
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {401, 429}
        assert statuses.count(401) >= 100 and statuses.count(429) >= 50
        throttled = [answer for answer in answers if answer.status_code == 429]
        for answer in throttled:
            assert_problem(answer, 429, "too_many_requests")
            assert int(answer.headers["retry-after"]) >= 1
        # From the very same address a valid credential works, every time.
        for _ in range(50):
            assert root.get("/api/v2/keys/self").status_code == 200
            assert attacker.get("/api/v2/keys").status_code in (401, 429)


def test_S4_authz_is_throttled_the_same_way(make_server):
    server = make_server()
    with server.client(fake_raw_key()) as attacker, server.client() as root:
        statuses = [attacker.get("/authz/default").status_code for _ in range(300)]
        assert set(statuses) == {401, 429}
        assert root.get("/authz/default").status_code == 200


def test_S4_answers_about_other_keys_are_not_failures(make_server):
    """A verify that says `not_found` is a valid caller's question: it is never slowed."""
    server = make_server()
    with server.client() as root:
        for _ in range(300):
            assert root.code_of(fake_raw_key()) == "not_found"


def test_S4_sources_behind_a_trusted_proxy_are_told_apart(make_server):
    server = make_server(arguments=PROXY)
    with server.client("nonsense") as attacker:
        first = [a.status_code for a in fail(attacker, 200, **{"X-Forwarded-For": "198.51.100.1"})]
        assert 429 in first
        second = [a.status_code for a in fail(attacker, 20, **{"X-Forwarded-For": "198.51.100.2"})]
        assert set(second) == {401}
        # Only the rightmost hop that is not a proxy counts: what the client wrote before it is its own.
        # (A source of its own would get 401 twenty times.)
        forged = [a.status_code for a in fail(attacker, 20, **{"X-Forwarded-For": "203.0.113.7, 198.51.100.1"})]
        assert 429 in forged


def test_S4_x_forwarded_for_is_read_from_trusted_proxies_only(make_server):
    for arguments, code in (([], "ip_not_allowed"), (PROXY, "valid")):
        server = make_server(arguments=arguments)
        with server.client() as root:
            limited = root.create("net", allowed_cidrs=["198.51.100.0/24"], scopes=[])
        with server.client(limited["key"]) as own:
            response = own.get("/api/v2/keys/self", headers={"X-Forwarded-For": "198.51.100.77"})
            if code == "valid":
                assert response.status_code == 200
            else:
                assert_problem(response, 401, code)


@pytest.mark.parametrize("forwarded,allowed", [
    ("198.51.100.1", True), ("203.0.113.1, 198.51.100.1", True), ("198.51.100.1, 203.0.113.1", False),
    ("198.51.100.1, 127.0.0.1", True), ("203.0.113.1", False), ("nonsense", False), ("", False),
    ("198.51.100.1, nonsense", False), ("198.51.100.1:1234", None), ("::ffff:198.51.100.1", True),
])
def test_S4_the_rightmost_untrusted_hop(make_server, forwarded, allowed):
    server = make_server(arguments=PROXY)
    with server.client() as root:
        limited = root.create("net", allowed_cidrs=["198.51.100.0/24"], scopes=[])
    with server.client(limited["key"]) as own:
        status = own.get("/api/v2/keys/self", headers={"X-Forwarded-For": forwarded}).status_code
        assert status in (200, 401)
        if allowed is not None:
            assert (status == 200) is allowed


def test_S4_two_forwarded_headers_are_one_list(make_server):
    server = make_server(arguments=PROXY)
    with server.client() as root:
        limited = root.create("net", allowed_cidrs=["198.51.100.0/24"], scopes=[])
    with server.client(limited["key"]) as own:
        own_first = [("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.1")]
        assert own.get("/api/v2/keys/self", headers=own_first).status_code == 401
        assert own.get("/api/v2/keys/self", headers=list(reversed(own_first))).status_code == 200


def test_S1_the_audit_shows_the_clients_address(make_server):
    server = make_server(arguments=PROXY)
    with server.client() as root:
        made = root.post("/api/v2/keys", json={"name": "from afar"}, headers={"X-Forwarded-For": "198.51.100.9"})
        record = root.get("/api/v2/audit", params={"subject": made.json()["id"]}).json()["records"][0]
        assert record["ip"] == "198.51.100.9"
        assert record["request_id"] == made.headers["x-request-id"]
