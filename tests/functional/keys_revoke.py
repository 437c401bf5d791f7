"""DELETE /api/v2/keys/{id}: idempotent, cascading, of oneself, and obeyed at the answer (R1, A5)."""

from support.formats import parse_time
from support.server import assert_problem


def test_R1_a_revoked_key_is_refused_from_the_answer_on(server, root):
    for _ in range(100):
        created = root.create("short-lived", scopes=["keys:read"])
        assert root.code_of(created["key"]) == "valid"
        assert root.revoke(created["id"])["enforced"] is True
        assert root.code_of(created["key"]) == "revoked"
    with server.client(created["key"]) as own:
        refused = own.get("/api/v2/keys")
        assert_problem(refused, 401, "revoked")
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_A5_a_repeated_revocation_enforces_again_and_answers_the_same(root):
    created = root.create("twice")
    first = root.revoke(created["id"])
    second = root.revoke(created["id"])
    for answer in (first, second):
        answer.pop("took_ms", None)
    assert first == second
    assert first["enforced"] is True


def test_A5_a_reason_is_kept(root):
    created = root.create("reason")
    response = root.request("DELETE", f"/api/v2/keys/{created['id']}", json={"reason": "laptop stolen"})
    assert response.status_code == 200, response.text
    shown = root.get(f"/api/v2/keys/{created['id']}").json()
    assert shown["revoke_reason"] == "laptop stolen"
    # The first reason and time stay.
    root.request("DELETE", f"/api/v2/keys/{created['id']}", json={"reason": "other"})
    again = root.get(f"/api/v2/keys/{created['id']}").json()
    assert again["revoked_at"] == shown["revoked_at"]
    assert again["revoke_reason"] == "laptop stolen"


def test_B_a_wrong_reason_is_refused_and_revokes_nothing(root):
    created = root.create("kept")
    path = f"/api/v2/keys/{created['id']}"
    for body in ({"reason": 5}, {"reason": "x" * 256}, {"reason": "a\nb"}, {"raeson": "x"}):
        assert_problem(root.request("DELETE", path, json=body), 400, "invalid_request")
    assert_problem(root.delete(path, params={"cascade": "maybe"}), 400, "invalid_request")
    assert_problem(root.delete(path, params={"csacade": "true"}), 400, "invalid_request")
    assert root.code_of(created["key"]) == "valid"


def test_A5_a_key_may_revoke_itself_without_any_scope(server, root):
    created = root.create("self", scopes=[])
    with server.client(created["key"]) as own:
        answer = own.revoke(created["id"])
        assert answer["enforced"] is True
        assert_problem(own.get("/api/v2/keys/self"), 401, "revoked")
        # R2: it may only repeat the DELETE of itself, and gets the same 200.
        again = own.revoke(created["id"])
        assert (again["id"], again["revoked_at"]) == (answer["id"], answer["revoked_at"])
        other = root.create("other", scopes=[])
        assert_problem(own.delete(f"/api/v2/keys/{other['id']}"), 401, "revoked")
        assert root.code_of(other["key"]) == "valid"


def test_A5_a_key_without_the_scope_revokes_nobody_else(server, root):
    caller, other = root.create("caller", scopes=["keys:read"]), root.create("other", scopes=[])
    with server.client(caller["key"]) as own:
        problem = assert_problem(own.delete(f"/api/v2/keys/{other['id']}"), 403, "insufficient_scope")
        assert problem["needed_scope"] == "keys:write"
    assert root.code_of(other["key"]) == "valid"


def test_A5_cascade_revokes_every_descendant_and_nothing_else(server, root):
    parent = root.create("parent", scopes=["keys:write", "keys:read"])
    bystander = root.create("bystander")
    with server.client(parent["key"]) as own:
        children = [own.create(f"child {i}") for i in range(3)]
    with server.client(children[0]["key"]) as own:
        grandchildren = [own.create(f"grandchild {i}") for i in range(2)]
    answer = root.revoke(parent["id"], cascade="true")
    assert answer["enforced"] is True
    descendants = children + grandchildren
    assert sorted(answer["cascaded"]) == sorted(key["id"] for key in descendants)
    for key in [parent, *descendants]:
        assert root.code_of(key["key"]) == "revoked"
    assert root.code_of(bystander["key"]) == "valid"


def test_A5_cascade_follows_what_somebody_else_rotated(server, root):
    """created_by of a rotated key is who rotated it: the trail goes on by rotated_from."""
    parent = root.create("parent", scopes=["keys:write"])
    with server.client(parent["key"]) as own:
        child = own.create("child")

    def rotate(key):
        response = root.post(f"/api/v2/keys/{key['id']}/rotate", json={"grace": "1h"})
        assert response.status_code == 201, response.text
        return response.json()

    heir = rotate(rotate(child))
    with server.client(heir["key"]) as own:
        late = own.create("late")
    successor = rotate(parent)
    answer = root.revoke(parent["id"], cascade="true")
    assert {child["id"], heir["rotated_from"], heir["id"], late["id"]} == set(answer["cascaded"])
    assert len(answer["cascaded"]) == 4
    for key in (parent, child, heir, late):
        assert root.code_of(key["key"]) == "revoked"
    assert root.code_of(successor["key"]) == "valid", "what an administrator rotated it to is no heir"
    assert root.code_of(server.root_key) == "valid"


def test_A5_cascade_reaches_descendants_wider_than_the_caller(server, root):
    target = root.create("target", scopes=["keys:write"])
    with server.client(target["key"]) as own:
        child = own.create("child")
    assert root.patch(f"/api/v2/keys/{child['id']}", json={"scopes": ["*"]}).status_code == 200
    caller = root.create("caller", scopes=["keys:write"])
    with server.client(caller["key"]) as own:
        assert_problem(own.delete(f"/api/v2/keys/{child['id']}"), 403, "escalation")
        assert own.revoke(target["id"], cascade="true")["cascaded"] == [child["id"]]
    assert root.code_of(child["key"]) == "revoked"


def test_A5_without_cascade_the_descendants_live(server, root):
    parent = root.create("parent", scopes=["keys:write"])
    with server.client(parent["key"]) as own:
        child = own.create("child")
    assert root.revoke(parent["id"])["cascaded"] == []
    assert root.code_of(child["key"]) == "valid"
    # The cascade can still be asked for afterwards.
    assert root.revoke(parent["id"], cascade="true")["cascaded"] == [child["id"]]
    assert root.code_of(child["key"]) == "revoked"


def test_A8_unknown_keys_answer_404_with_the_same_body(root):
    bodies = []
    for key_id in ("key_01jx0000000000000000000000", "key_7zzzzzzzzzzzzzzzzzzzzzzzzz", "nonsense", "key_"):
        problem = assert_problem(root.delete(f"/api/v2/keys/{key_id}"), 404, "not_found")
        problem.pop("request_id")
        bodies.append(problem)
    assert all(body == bodies[0] for body in bodies)


def test_R2_a_key_revoked_by_another_cannot_act_any_more(server, root):
    caller = root.create("caller")
    with server.client(caller["key"]) as own:
        target = own.create("made before")
        root.revoke(caller["id"])
        for method, path, body in (
            ("POST", "/api/v2/keys", {"name": "heir"}),
            ("GET", "/api/v2/keys", None),
            ("GET", f"/api/v2/keys/{target['id']}", None),
            ("PATCH", f"/api/v2/keys/{target['id']}", {"name": "x"}),
            ("DELETE", f"/api/v2/keys/{target['id']}", None),
            ("POST", f"/api/v2/keys/{target['id']}/rotate", {"grace": "0"}),
            ("POST", "/api/v2/keys/verify", {"key": target["key"]}),
            ("GET", "/api/v2/audit", None),
            ("GET", "/metrics", None),
        ):
            assert_problem(own.request(method, path, json=body), 401, "revoked")


def test_R1_prefer_respond_async(root):
    created = root.create("async")
    response = root.delete(f"/api/v2/keys/{created['id']}", headers={"Prefer": "respond-async"})
    assert response.status_code in (200, 202)
    answer = response.json()
    assert answer["status"] == "revoked"
    assert answer["enforced"] is (response.status_code == 200)
    if response.status_code == 202:
        assert isinstance(answer["pending_nodes"], list)
    parse_time(answer["revoked_at"])


def test_A2_the_first_key_may_be_revoked_too(make_server):
    server = make_server()
    with server.client() as root:
        assert root.revoke(server.root_id)["status"] == "revoked"
        assert_problem(root.get("/api/v2/keys"), 401, "revoked")
