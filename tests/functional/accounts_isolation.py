"""More than one account (A12): nothing of one is visible to another, and only the first administers."""

import pytest

from support.formats import ACCOUNT_ID, is_raw_key, parse_time
from support.server import assert_problem


@pytest.fixture(scope="module")
def two(server):
    """A second account: its id and its first key."""
    with server.client() as root:
        response = root.post("/api/v2/accounts", json={"name": "Second"})
        assert response.status_code == 201, response.text
        return response.json()


def test_A12_an_account_is_created_with_its_first_key(server, root, two):
    assert list(two)[:4] == ["id", "name", "created_at", "key"]
    assert ACCOUNT_ID.fullmatch(two["id"]) and two["id"] != server.account_id
    assert two["name"] == "Second"
    parse_time(two["created_at"])
    assert is_raw_key(two["key"]["key"]) and two["key"]["scopes"] == ["*"]
    listed = root.get("/api/v2/accounts").json()["accounts"]
    assert [account["id"] for account in listed][:2] == [server.account_id, two["id"]]
    assert two["key"]["key"] not in root.get("/api/v2/accounts").text


def test_A8_another_accounts_key_is_like_none_at_all(server, root, two):
    mine = root.create("mine")
    nowhere = "key_01jx0000000000000000000000"
    with server.client(two["key"]["key"]) as other:
        for method, suffix, body in (
            ("GET", "", None), ("PATCH", "", {"name": "x"}), ("DELETE", "", None),
            ("DELETE", "?cascade=true", None), ("POST", "/rotate", {"grace": "0"}),
        ):
            problems = []
            for key_id in (mine["id"], nowhere):
                response = other.request(method, f"/api/v2/keys/{key_id}{suffix}", json=body)
                problem = assert_problem(response, 404, "not_found")
                problem.pop("request_id")
                problems.append((problem, sorted(set(response.headers) - {"x-request-id"})))
            assert problems[0] == problems[1]
        listed = other.get("/api/v2/keys").json()["keys"]
        assert mine["id"] not in [key["id"] for key in listed]
        records = other.get("/api/v2/audit").json()["records"]
        assert mine["id"] not in str(records) and server.root_id not in str(
            [r for r in records if r["action"] != "account.create"])
        assert other.code_of(mine["key"]) == "not_found"
    assert root.code_of(mine["key"]) == "valid"
    assert root.code_of(two["key"]["key"]) == "not_found"


def test_A12_another_account_does_not_see_how_busy_the_server_is(server, root, two):
    """Numbers and hashes of the chain, and a cursor that counts, would tell."""
    chain = {"number", "previous", "hash"}
    assert chain < set(root.get("/api/v2/audit").json()["records"][0])
    with server.client(two["key"]["key"]) as other:
        subjects = []
        for i in range(5):
            subjects.insert(0, other.create(f"theirs {i}")["id"])
            root.create(f"ours {i}")
        found, cursors, cursor = [], [], None
        while True:
            params = {"limit": 2, "action": "key.create", **({"cursor": cursor} if cursor else {})}
            page = other.get("/api/v2/audit", params=params)
            assert page.status_code == 200, page.text
            found += page.json()["records"]
            cursor = page.json()["next_cursor"]
            assert (cursor or "") in page.headers.get("link", "")
            if not cursor:
                break
            cursors.append(cursor)
        assert [record["subject"] for record in found][:5] == subjects
        for record in found:
            assert not chain & set(record)
        assert all(len(cursor) == 64 for cursor in cursors) and len(set(cursors)) == len(cursors)
        for bad in ("3", cursors[0][:-1] + ("0" if cursors[0][-1] != "0" else "1")):
            assert_problem(other.get("/api/v2/audit", params={"cursor": bad}), 400, "invalid_request")
    assert_problem(root.get("/api/v2/audit", params={"cursor": cursors[0]}), 400, "invalid_request")


@pytest.mark.parametrize("limits", [{"expires_at": "2199-01-01T00:00:00Z"}, {"allowed_cidrs": ["127.0.0.0/8"]}])
def test_A2_a_limited_key_founds_no_account(server, root, limits):
    """The first key of an account is everlasting and works from anywhere: more than the caller may give."""
    limited = root.create("founder", scopes=["accounts:write"], **limits)
    with server.client(limited["key"]) as founder:
        assert_problem(founder.post("/api/v2/accounts", json={"name": "Third"}), 403, "escalation")
    free = root.create("founder", scopes=["accounts:write"])
    with server.client(free["key"]) as founder:
        assert founder.post("/api/v2/accounts", json={"name": "Third"}).status_code == 201


def test_A12_the_default_route_belongs_to_the_first_account(server, root, two):
    with server.client(two["key"]["key"]) as other:
        assert_problem(other.get("/authz/default"), 401, "not_found")


def test_A12_only_the_first_account_administers(server, root, two):
    with server.client(two["key"]["key"]) as other:
        for method, path, body in (
            ("POST", "/api/v2/accounts", {"name": "Third"}),
            ("GET", "/api/v2/accounts", None),
            ("GET", "/api/v2/audit/verify", None),
            ("POST", "/api/v2/audit/anchor", None),
            ("POST", "/api/v2/audit/prune", {"older_than": "90d"}),
            ("POST", "/api/v2/backup", None),
        ):
            response = other.request(method, path, json=body)
            assert response.status_code == 403, (path, response.text)
        response = other.post("/api/v2/keys", json={"name": "sneaky", "scopes": ["accounts:write"]})
        if response.status_code == 201:  # a scope of that name, but without its power
            with server.client(response.json()["key"]) as sneaky:
                assert sneaky.post("/api/v2/accounts", json={"name": "x"}).status_code == 403
        else:
            assert response.status_code in (400, 403)


def test_A12_the_scope_is_needed_in_the_first_account_too(server, root):
    plain = root.create("plain", scopes=["keys:read", "keys:write"])
    with server.client(plain["key"]) as own:
        problem = assert_problem(own.post("/api/v2/accounts", json={"name": "x"}), 403, "insufficient_scope")
        assert problem["needed_scope"] == "accounts:write"
    admin = root.create("admin", scopes=["accounts:write"])
    with server.client(admin["key"]) as own:
        assert own.post("/api/v2/accounts", json={"name": "by admin"}).status_code == 201


@pytest.mark.parametrize("body", [
    {}, {"name": ""}, {"name": "x" * 101}, {"name": 5}, {"name": "a\nb"}, {"name": "x", "more": 1}, [],
])
def test_B_a_wrong_account_is_refused(root, body):
    assert_problem(root.post("/api/v2/accounts", json=body), 400, "invalid_request")


def test_A12_a_second_account_works_on_its_own(server, two):
    with server.client(two["key"]["key"]) as other:
        made = other.create("theirs", scopes=["models:read"])
        assert other.code_of(made["key"]) == "valid"
        assert made["id"] in [key["id"] for key in other.get("/api/v2/keys").json()["keys"]]
        assert other.revoke(made["id"])["enforced"] is True
        assert other.code_of(made["key"]) == "revoked"
