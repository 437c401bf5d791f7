"""The three requests that the product exists for, exactly as they are promised (clause A), with
every field of their answers compared."""

from support.formats import CREATED_FIELDS, KEY_FIELDS, KEY_ID, is_raw_key, now, parse_time
from support.formats import typeid_time_ms
from support.wait import eventually


def test_A_create_list_use_and_revoke_exactly_as_promised(make_server):
    server = make_server()
    with server.client() as root:
        before = now().replace(microsecond=0)
        response = root.post("/api/v2/keys", json={"name": "production-agent-v2"})
        assert response.status_code == 201
        assert response.headers["content-type"].split(";")[0] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        created = response.json()
        assert response.headers["location"].endswith("/api/v2/keys/" + created["id"])
        assert response.headers["x-request-id"]

        assert list(created) == CREATED_FIELDS + ["enforced", "nodes", "took_ms"]
        raw_key, key_id = created["key"], created["id"]
        assert KEY_ID.fullmatch(key_id)
        assert abs(typeid_time_ms(key_id) / 1000 - before.timestamp()) < 10
        assert is_raw_key(raw_key)
        assert before <= parse_time(created["created_at"]) <= now()
        assert created["took_ms"] >= 0
        fixed = {
            "id": key_id,
            "name": "production-agent-v2",
            "key": raw_key,
            "prefix": raw_key[:16],
            "created_at": created["created_at"],
            "last_used_at": None,
            "status": "active",
            "mode": "live",
            "scopes": ["*"],
            "owner": None,
            "metadata": {},
            "allowed_cidrs": [],
            "created_by": {"kind": "key", "id": server.root_id},
            "expires_at": None,
            "revoked_at": None,
            "revoke_reason": None,
            "rotated_from": None,
            "enforced": True,
            "nodes": {"acknowledged": 1, "expired": 0},
            "took_ms": created["took_ms"],
        }
        # "metadata" that was never set may be shown as null or as an empty object.
        fixed["metadata"] = created["metadata"]
        assert created["metadata"] in (None, {})
        assert created == fixed

        response = root.get("/api/v2/keys")
        assert response.status_code == 200
        listed = response.json()
        assert list(listed) == ["keys", "next_cursor", "usage_complete_through"]
        assert listed["next_cursor"] is None
        parse_time(listed["usage_complete_through"])
        assert [entry["id"] for entry in listed["keys"]] == [key_id, server.root_id]
        shown = listed["keys"][0]
        assert list(shown) == KEY_FIELDS
        assert shown == {field: fixed[field] for field in KEY_FIELDS}
        assert raw_key not in response.text

        # Its use is shown (L1).
        with server.client(raw_key) as own:
            used_after = now().replace(microsecond=0)
            assert own.get("/api/v2/keys/self").status_code == 200
        shown = root.get("/api/v2/keys").json()["keys"][0]
        assert used_after <= parse_time(shown["last_used_at"]) <= now()

        response = root.delete(f"/api/v2/keys/{key_id}")
        assert response.status_code == 200
        revoked = response.json()
        assert list(revoked)[:4] == ["id", "status", "enforced", "revoked_at"]
        assert revoked["id"] == key_id
        assert revoked["status"] == "revoked"
        assert revoked["enforced"] is True
        assert revoked["cascaded"] == []
        assert parse_time(revoked["revoked_at"]) <= now()
        with server.client(raw_key) as own:
            refused = own.get("/api/v2/keys")
            assert refused.status_code == 401
            assert refused.json()["code"] == "revoked"
        shown = root.get("/api/v2/keys").json()["keys"][0]
        assert shown["status"] == "revoked"
        assert shown["revoked_at"] == revoked["revoked_at"]


def test_A_the_three_requests_survive_a_restart(make_server):
    server = make_server()
    with server.client() as root:
        kept = root.create("kept")
        gone = root.create("gone")
        root.revoke(gone["id"])
    assert server.stop() == 0
    server.start()
    with server.client() as root:
        assert root.code_of(kept["key"]) == "valid"
        assert root.code_of(gone["key"]) == "revoked"
        statuses = {key["name"]: key["status"] for key in root.get("/api/v2/keys").json()["keys"]}
        assert statuses["kept"] == "active" and statuses["gone"] == "revoked"


def test_A4_get_shows_one_key_as_the_list_does(server, root):
    created = root.create("one", scopes=["models:read"], metadata={"team": "a"}, owner="cust_1")
    response = root.get(f"/api/v2/keys/{created['id']}")
    assert response.status_code == 200
    assert list(response.json()) == KEY_FIELDS
    assert response.json() == root.get("/api/v2/keys", params={"limit": 1}).json()["keys"][0]
    assert created["key"] not in response.text


def test_A11_self_needs_no_scope(server, root):
    created = root.create("scopeless", scopes=[])
    with server.client(created["key"]) as own:
        response = own.get("/api/v2/keys/self")
        assert response.status_code == 200
        assert response.json()["id"] == created["id"]
        assert created["key"] not in response.text
        # … and shows its own use at once.
        eventually(lambda: own.get("/api/v2/keys/self").json()["last_used_at"], 5)
