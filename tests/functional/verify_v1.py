"""POST /api/v2/keys/verify (V1): always 200 for a caller that may ask; every code."""

import pytest

from support.formats import fake_raw_key, in_future
from support.server import assert_problem
from support.wait import eventually

UNKNOWN = fake_raw_key()


def ask(client, **question):
    response = client.post("/api/v2/keys/verify", json=question)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return response.json()


def test_V1_a_valid_key_with_everything_known_about_it(root):
    key = root.create("agent", scopes=["models:read", "models:run"], owner="cust_1",
                      metadata={"plan": "pro"}, expires_at=in_future(days=1))
    answer = ask(root, key=key["key"], scopes=["models:read"], ip="203.0.113.9")
    assert answer == {
        "valid": True, "code": "valid", "key_id": key["id"], "name": "agent", "mode": "live",
        "scopes": ["models:read", "models:run"], "owner": "cust_1", "metadata": {"plan": "pro"},
        "expires_at": key["expires_at"],
    }


def test_V1_an_empty_key_shows_nulls(root):
    key = root.create("bare", scopes=[])
    answer = ask(root, key=key["key"])
    assert answer["owner"] is None and answer["expires_at"] is None
    assert answer["metadata"] in (None, {}) and answer["scopes"] == []


@pytest.mark.parametrize("text", [
    "", "x", "p402_live_", UNKNOWN[:-1], UNKNOWN + "0", UNKNOWN[:-1] + "!", UNKNOWN.upper(),
    "p402_prod_" + UNKNOWN[10:], "p402_test_" + UNKNOWN[10:], "sk_live_" + UNKNOWN[10:],
    " " + UNKNOWN, UNKNOWN + "\n", UNKNOWN.replace("0123", "0124"), "ü" * 24, "\x00" * 48,
    "A" * 60000,
], ids=lambda text: repr(text)[:24])
def test_K3_what_is_no_key_is_malformed(root, text):
    assert ask(root, key=text) == {"valid": False, "code": "malformed"}


def test_V1_every_code(server, root):
    assert ask(root, key=UNKNOWN) == {"valid": False, "code": "not_found"}

    key = root.create("k", scopes=["a"])
    assert root.code_of(key["key"], scopes=["a"]) == "valid"
    assert root.code_of(key["key"], scopes=[]) == "valid"
    assert root.code_of(key["key"], scopes=["a", "b"]) == "insufficient_scope"
    assert root.code_of(key["key"], scopes=["a:b"]) == "insufficient_scope"

    everything = root.create("star", scopes=["*"])
    assert root.code_of(everything["key"], scopes=["any:thing", "b"]) == "valid"

    limited = root.create("net", allowed_cidrs=["203.0.113.0/24", "2001:db8::/32"])
    assert root.code_of(limited["key"], ip="203.0.113.9") == "valid"
    assert root.code_of(limited["key"], ip="::ffff:203.0.113.9") == "valid"
    assert root.code_of(limited["key"], ip="2001:db8::1") == "valid"
    assert root.code_of(limited["key"], ip="203.0.114.9") == "ip_not_allowed"
    assert root.code_of(limited["key"], ip="2001:db9::1") == "ip_not_allowed"
    # S4: an unknown address is not allowed.
    assert root.code_of(limited["key"]) == "ip_not_allowed"

    off = root.create("off")
    root.patch(f"/api/v2/keys/{off['id']}", json={"disabled": True})
    assert root.code_of(off["key"]) == "disabled"

    short = root.create("short", expires_at=in_future(seconds=1))
    eventually(lambda: root.code_of(short["key"]) == "expired", 10)

    root.revoke(off["id"])
    assert root.code_of(off["key"]) == "revoked"
    root.revoke(short["id"])
    assert root.code_of(short["key"]) == "revoked"


def test_V1_the_codes_have_an_order(root):
    key = root.create("many reasons", mode="test", scopes=["a"], allowed_cidrs=["10.0.0.0/8"])
    question = {"scopes": ["b"], "ip": "192.0.2.1"}
    assert root.code_of(key["key"], **question) == "ip_not_allowed"
    root.patch(f"/api/v2/keys/{key['id']}", json={"disabled": True})
    assert root.code_of(key["key"], **question) == "disabled"
    root.revoke(key["id"])
    assert root.code_of(key["key"], **question) == "revoked"


def test_V1_a_mode_can_be_asked_for(root):
    key = root.create("test mode", mode="test")
    assert root.code_of(key["key"], mode="test") == "valid"
    assert root.code_of(key["key"], mode="live") == "wrong_mode"


def test_A2_a_test_key_asks_about_test_keys_only(server, root):
    caller = root.create("test caller", mode="test", scopes=["keys:verify"])
    live, test = root.create("live"), root.create("test", mode="test")
    with server.client(caller["key"]) as own:
        assert own.code_of(test["key"]) == "valid"
        assert own.code_of(live["key"]) in ("wrong_mode", "not_found")


def test_V1_the_caller_needs_keys_verify(server, root):
    key = root.create("no verify", scopes=["keys:read", "keys:write"])
    with server.client(key["key"]) as own:
        problem = assert_problem(own.post("/api/v2/keys/verify", json={"key": UNKNOWN}), 403,
                                 "insufficient_scope")
        assert problem["needed_scope"] == "keys:verify"


@pytest.mark.parametrize("body,field", [
    ({}, "key"), ({"key": 5}, "key"), ({"key": None}, "key"), ({"key": "x", "scopes": "a"}, "scopes"),
    ({"key": "x", "scopes": [1]}, "scopes"), ({"key": "x", "scopes": ["A"]}, "scopes"),
    ({"key": "x", "ip": 4}, "ip"), ({"key": "x", "ip": "not an address"}, "ip"),
    ({"key": "x", "ip": "10.0.0.0/8"}, "ip"), ({"key": "x", "scope": ["a"]}, "scope"),
    ({"key": "x", "mode": "prod"}, "mode"),
])
def test_B_a_wrong_question_is_refused_by_name(root, body, field):
    problem = assert_problem(root.post("/api/v2/keys/verify", json=body), 400, "invalid_request")
    assert problem["field"].startswith(field)


def test_K4_the_answer_never_repeats_the_key(root):
    key = root.create("secret")
    text = root.post("/api/v2/keys/verify", json={"key": key["key"]}).text
    assert key["key"] not in text and key["key"][16:] not in text
    problem = root.post("/api/v2/keys/verify", json={"key": key["key"], "what": 1}).text
    assert key["key"] not in problem


def test_R5_unknown_keys_are_answered_from_memory(root):
    for i in range(200):
        assert root.code_of(fake_raw_key(f"{i:032d}")) == "not_found"
