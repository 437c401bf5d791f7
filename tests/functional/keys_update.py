"""PATCH /api/v2/keys/{id}: every field, null, and enforcement of what got narrower."""

import pytest

from support.formats import KEY_FIELDS, in_future
from support.server import assert_problem


def patch(client, key_id, **fields):
    return client.patch(f"/api/v2/keys/{key_id}", json=fields)


@pytest.mark.parametrize("fields,shown", [
    ({"name": "renamed"}, {"name": "renamed"}),
    ({"owner": "cust_9"}, {"owner": "cust_9"}),
    ({"owner": None}, {"owner": None}),
    ({"metadata": {"a": [1, {"b": None}]}}, {"metadata": {"a": [1, {"b": None}]}}),
    ({"scopes": ["b", "a"]}, {"scopes": ["a", "b"]}),
    ({"scopes": []}, {"scopes": []}),
    ({"allowed_cidrs": ["10.0.0.0/8", "2001:db8::/32"]}, {"allowed_cidrs": ["10.0.0.0/8", "2001:db8::/32"]}),
    ({"expires_at": "2099-01-01T00:00:00Z"}, {"expires_at": "2099-01-01T00:00:00Z"}),
    ({"expires_at": None}, {"expires_at": None}),
    ({"disabled": True}, {"status": "disabled"}),
    ({"disabled": False}, {"status": "active"}),
])
def test_A4_each_field_changes_and_nothing_else(root, fields, shown):
    created = root.create("before", owner="cust_1", metadata={"k": "v"}, scopes=["a", "b", "c"],
                          expires_at=in_future(days=9))
    before = root.get(f"/api/v2/keys/{created['id']}").json()
    response = patch(root, created["id"], **fields)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert list(answer) == KEY_FIELDS + ["enforced", "nodes", "took_ms"]
    assert answer["enforced"] is True
    after = root.get(f"/api/v2/keys/{created['id']}").json()
    assert after == {**before, **shown}
    assert {field: answer[field] for field in KEY_FIELDS} == after


def test_A4_metadata_is_replaced_as_a_whole_and_null_clears_it(root):
    created = root.create("meta", metadata={"a": 1, "b": 2})
    assert patch(root, created["id"], metadata={"c": 3}).json()["metadata"] == {"c": 3}
    assert patch(root, created["id"], metadata=None).json()["metadata"] in (None, {})


def test_R1_disabling_and_enabling_are_obeyed_at_the_answer(root):
    created = root.create("switch")
    for _ in range(20):
        assert patch(root, created["id"], disabled=True).json()["enforced"] is True
        assert root.code_of(created["key"]) == "disabled"
        assert patch(root, created["id"], disabled=False).json()["enforced"] is True
        assert root.code_of(created["key"]) == "valid"


def test_R1_narrower_scopes_are_obeyed_at_the_answer(server, root):
    created = root.create("narrow", scopes=["a", "b"])
    assert root.code_of(created["key"], scopes=["a", "b"]) == "valid"
    assert patch(root, created["id"], scopes=["a"]).json()["enforced"] is True
    assert root.code_of(created["key"], scopes=["a", "b"]) == "insufficient_scope"
    assert root.code_of(created["key"], scopes=["a"]) == "valid"


def test_R1_narrower_networks_and_an_earlier_expiry_are_obeyed_at_the_answer(root):
    created = root.create("net")
    assert root.code_of(created["key"], ip="192.0.2.1") == "valid"
    assert patch(root, created["id"], allowed_cidrs=["10.0.0.0/8"]).json()["enforced"] is True
    assert root.code_of(created["key"], ip="192.0.2.1") == "ip_not_allowed"
    assert root.code_of(created["key"]) == "ip_not_allowed"
    assert root.code_of(created["key"], ip="10.1.2.3") == "valid"


@pytest.mark.parametrize("fields,field", [
    ({"name": ""}, "name"), ({"name": None}, "name"), ({"disabled": None}, "disabled"),
    ({"disabled": "yes"}, "disabled"), ({"mode": "test"}, "mode"), ({"key": "x"}, "key"),
    ({"revoked_at": None}, "revoked_at"), ({"status": "active"}, "status"),
    ({"scopes": ["A"]}, "scopes"), ({"expires_at": "never"}, "expires_at"),
    ({"allowed_cidrs": ["10.0.0.1/8"]}, "allowed_cidrs"), ({"metadata": 5}, "metadata"),
    ({"owner": "a\nb"}, "owner"),
])
def test_B_a_wrong_field_is_refused_and_changes_nothing(root, fields, field):
    created = root.create("same")
    before = root.get(f"/api/v2/keys/{created['id']}").json()
    problem = assert_problem(patch(root, created["id"], **fields), 400, "invalid_request")
    assert problem["field"].startswith(field)
    assert root.get(f"/api/v2/keys/{created['id']}").json() == before


def test_A4_a_revoked_key_is_final(root):
    created = root.create("final")
    root.revoke(created["id"])
    assert_problem(patch(root, created["id"], disabled=False), 409, "key_revoked")
    assert_problem(patch(root, created["id"], name="again"), 409, "key_revoked")
    assert root.get(f"/api/v2/keys/{created['id']}").json()["status"] == "revoked"


def test_A2_no_key_widens_or_enables_itself(server, root):
    created = root.create("self", scopes=["keys:write", "a"], expires_at=in_future(days=5),
                          allowed_cidrs=["127.0.0.0/8"])
    with server.client(created["key"]) as own:
        for wider in ({"scopes": ["keys:write", "a", "b"]}, {"scopes": ["*"]}, {"expires_at": None},
                      {"expires_at": in_future(days=6)}, {"allowed_cidrs": []},
                      {"allowed_cidrs": ["0.0.0.0/0"]}):
            assert_problem(patch(own, created["id"], **wider), 403, "escalation")
        assert patch(own, created["id"], name="renamed itself").status_code == 200
        assert patch(own, created["id"], scopes=["keys:write"]).status_code == 200
        assert_problem(patch(own, created["id"], scopes=["keys:write", "a"]), 403, "escalation")
        assert patch(own, created["id"], disabled=True).status_code == 200
        assert_problem(patch(own, created["id"], disabled=False), 401, "disabled")


def test_A8_an_unknown_key_is_not_found(root):
    assert_problem(patch(root, "key_01jx0000000000000000000000", name="x"), 404, "not_found")
    assert_problem(patch(root, "nonsense", name="x"), 404, "not_found")
