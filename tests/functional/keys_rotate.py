"""POST /api/v2/keys/{id}/rotate: a new key with the same settings; the old one ends after the grace."""

import datetime

import pytest

from support.formats import CREATED_FIELDS, in_future, is_raw_key, now, parse_time
from support.server import assert_problem
from support.wait import eventually


def rotate(client, key_id, grace):
    return client.post(f"/api/v2/keys/{key_id}/rotate", json={"grace": grace})


def test_A11_the_new_key_has_the_same_settings(root):
    old = root.create("service", scopes=["a", "b"], owner="cust_1", metadata={"k": 1},
                      allowed_cidrs=["10.0.0.0/8"], expires_at=in_future(days=40))
    response = rotate(root, old["id"], "24h")
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "no-store"
    new = response.json()
    assert list(new) == CREATED_FIELDS + ["enforced", "nodes", "took_ms"]
    assert new["id"] != old["id"] and new["key"] != old["key"] and is_raw_key(new["key"])
    for field in ("name", "mode", "scopes", "owner", "metadata", "allowed_cidrs", "expires_at"):
        assert new[field] == old[field], field
    assert new["rotated_from"] == old["id"]
    assert new["last_used_at"] is None and new["status"] == "active" and new["enforced"] is True

    # Both are visible, both work, and the old one ends in 24 hours.
    assert root.code_of(old["key"], ip="10.0.0.1") == "valid"
    assert root.code_of(new["key"], ip="10.0.0.1") == "valid"
    shown = root.get(f"/api/v2/keys/{old['id']}").json()
    remaining = parse_time(shown["expires_at"]) - now()
    assert datetime.timedelta(hours=23, minutes=58) < remaining <= datetime.timedelta(hours=24)


def test_A11_grace_0_ends_the_old_key_at_the_answer(root):
    for grace in ("0", "0s"):
        old = root.create("now")
        new = rotate(root, old["id"], grace).json()
        assert new["enforced"] is True
        assert root.code_of(old["key"]) == "expired"
        assert root.code_of(new["key"]) == "valid"


def test_A11_the_old_key_ends_after_a_short_grace(root):
    old = root.create("soon")
    new = rotate(root, old["id"], "2s").json()
    assert root.code_of(old["key"]) == "valid"
    eventually(lambda: root.code_of(old["key"]) == "expired", 10, "the end of the grace")
    assert root.code_of(new["key"]) == "valid"


def test_A11_a_grace_never_prolongs_the_old_key(root):
    old = root.create("short", expires_at=in_future(hours=1))
    assert rotate(root, old["id"], "48h").status_code == 201
    assert root.get(f"/api/v2/keys/{old['id']}").json()["expires_at"] == old["expires_at"]


def test_A11_a_key_rotates_itself(server, root):
    old = root.create("self", scopes=["keys:write"])
    with server.client(old["key"]) as own:
        new = rotate(own, old["id"], "0").json()
        assert_problem(own.get("/api/v2/keys/self"), 401, "expired")
    assert root.code_of(new["key"]) == "valid"


def test_A11_revoked_and_expired_keys_are_not_rotated(root):
    old = root.create("revoked")
    root.revoke(old["id"])
    assert_problem(rotate(root, old["id"], "1h"), 409, "key_revoked")
    old = root.create("expired", expires_at=in_future(seconds=1))
    eventually(lambda: root.code_of(old["key"]) == "expired", 10)
    assert_problem(rotate(root, old["id"], "1h"), 409, "key_expired")


@pytest.mark.parametrize("body", [
    {"grace": -1}, {"grace": "soon"}, {"grace": ""}, {"grace": "-1h"},
    {"garce": "24h"}, {"grace": "99999999999999999999h"}, [],
])
def test_B_a_wrong_grace_is_refused_and_rotates_nothing(root, body):
    old = root.create("kept")
    assert_problem(root.post(f"/api/v2/keys/{old['id']}/rotate", json=body), 400, "invalid_request")
    assert root.get(f"/api/v2/keys/{old['id']}").json()["expires_at"] is None


def test_A8_unknown_keys_are_not_found(root):
    assert_problem(rotate(root, "key_01jx0000000000000000000000", "1h"), 404, "not_found")
