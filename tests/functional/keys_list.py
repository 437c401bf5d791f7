"""GET /api/v2/keys: order, pages, filters, and a cursor that stays right while keys change."""

import re

import pytest

from support.formats import in_future, now
from support.server import assert_problem
from support.wait import eventually


def ids(response):
    assert response.status_code == 200, response.text
    return [key["id"] for key in response.json()["keys"]]


def all_pages(client, limit, **filters):
    """Every id, by following next_cursor; checks the Link header beside it."""
    found, cursor = [], None
    while True:
        params = {"limit": limit, **filters, **({"cursor": cursor} if cursor else {})}
        response = client.get("/api/v2/keys", params=params)
        page = ids(response)
        assert len(page) <= limit
        found += page
        cursor = response.json()["next_cursor"]
        link = response.headers.get("link")
        if cursor is None:
            assert link is None
            return found
        assert len(page) == limit
        target = re.fullmatch(r'<(.+)>; rel="next"', link).group(1)
        following = client.get(target)
        assert ids(following) == ids(client.get("/api/v2/keys", params={**params, "cursor": cursor}))


def test_A3_newest_first_in_pages(make_server):
    server = make_server()
    with server.client() as root:
        made = [server.root_id] + [root.create(f"key {i}")["id"] for i in range(25)]
        expected = list(reversed(made))
        assert ids(root.get("/api/v2/keys")) == expected
        for limit in (1, 7, 13, 26, 1000):
            assert all_pages(root, limit) == expected


def test_A3_a_page_has_100_keys_unless_asked(make_server):
    server = make_server()
    with server.client() as root:
        for i in range(105):
            root.create(f"key {i}")
        assert len(ids(root.get("/api/v2/keys"))) == 100
        assert len(all_pages(root, 100)) == 106


def test_A3_the_cursor_stays_right_while_keys_are_created_and_revoked(make_server):
    server = make_server()
    with server.client() as root:
        made = [root.create(f"key {i}")["id"] for i in range(20)]
        first = root.get("/api/v2/keys", params={"limit": 8})
        seen = ids(first)
        for i in range(5):
            root.create(f"newer {i}")
        root.revoke(made[3])   # not seen yet
        root.revoke(made[18])  # seen already
        cursor = first.json()["next_cursor"]
        while cursor:
            page = root.get("/api/v2/keys", params={"limit": 8, "cursor": cursor})
            seen += ids(page)
            cursor = page.json()["next_cursor"]
        assert seen == list(reversed(made)) + [server.root_id]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1.5", "", "99999999999999999999"])
def test_A3_a_limit_outside_of_1_to_1000_is_refused(root, limit):
    response = root.get("/api/v2/keys", params={"limit": limit})
    assert assert_problem(response, 400, "invalid_request")["field"] == "limit"


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%00", "key_01jx", "9" * 300])
def test_A3_a_cursor_that_was_not_given_out_is_refused(root, cursor):
    response = root.get("/api/v2/keys", params={"cursor": cursor})
    assert assert_problem(response, 400, "invalid_request")["field"] == "cursor"


def test_A3_an_unknown_filter_is_refused_by_name(root):
    response = root.get("/api/v2/keys", params={"stauts": "revoked"})
    assert assert_problem(response, 400, "invalid_request")["field"] == "stauts"


@pytest.mark.parametrize("params", [
    {"status": "gone"}, {"mode": "prod"}, {"unused_for": "soon"}, {"unused_for": "-1d"},
    {"expires_before": "tomorrow"},
])
def test_A3_a_wrong_filter_is_refused(root, params):
    response = root.get("/api/v2/keys", params=params)
    assert assert_problem(response, 400, "invalid_request")["field"] in params


def test_A3_filters(make_server):
    server = make_server()
    with server.client() as root:
        live = root.create("Agent live", owner="cust_1", scopes=["a"])
        test = root.create("agent test", mode="test", owner="cust_2", scopes=["a"])
        off = root.create("off")
        assert root.patch(f"/api/v2/keys/{off['id']}", json={"disabled": True}).status_code == 200
        gone = root.create("gone")
        root.revoke(gone["id"])
        soon = root.create("soon", expires_at=in_future(seconds=1))
        later = root.create("later", expires_at=in_future(days=30))
        percent = root.create("100%_sure")

        def found(**params):
            return set(ids(root.get("/api/v2/keys", params=params)))

        everything = {key["id"] for key in (live, test, off, gone, soon, later, percent)}
        assert found() == everything | {server.root_id}
        assert found(mode="test") == {test["id"]}
        assert found(owner="cust_1") == {live["id"]}
        assert found(owner="cust") == set()
        assert found(prefix=live["prefix"]) == {live["id"]}
        assert found(prefix="p402_test_") == {test["id"]}
        assert found(name="gent") == {live["id"], test["id"]}
        assert found(name="AGENT") == {live["id"], test["id"]}
        assert found(name="%") == {percent["id"]}
        assert found(name="_") == {percent["id"]}
        assert found(status="disabled") == {off["id"]}
        assert found(status="revoked") == {gone["id"]}
        assert found(expires_before=in_future(days=31)) == {soon["id"], later["id"]}
        assert found(mode="test", owner="cust_1") == set()
        eventually(lambda: found(status="expired") == {soon["id"]}, 10, "the expiry")
        assert found(status="active") == {k["id"] for k in (live, test, later, percent)} | {server.root_id}


def test_A3_unused_for_finds_what_may_be_revoked(make_server):
    server = make_server()
    with server.client() as root:
        used = root.create("used")
        never = root.create("never used")
        assert root.code_of(used["key"]) == "valid"
        found = ids(root.get("/api/v2/keys", params={"unused_for": "1h"}))
        assert never["id"] in found and used["id"] not in found
        # With no grace at all everything but the keys in use this very moment is found.
        def found_soon():
            return used["id"] in ids(root.get("/api/v2/keys", params={"unused_for": "1s"}))
        eventually(found_soon, 10, "a second without use")


def test_A3_filters_hold_over_pages(make_server):
    server = make_server()
    with server.client() as root:
        wanted = []
        for i in range(30):
            created = root.create(f"key {i}", owner="even" if i % 2 == 0 else "odd")
            if i % 2 == 0:
                wanted.append(created["id"])
        assert all_pages(root, 4, owner="even") == list(reversed(wanted))


def test_K4_a_list_never_shows_a_raw_key(server, root):
    created = root.create("hidden")
    text = root.get("/api/v2/keys").text
    assert created["key"] not in text and created["key"][16:] not in text


def test_A2_a_test_key_lists_only_test_keys(make_server):
    server = make_server()
    with server.client() as root:
        caller = root.create("test caller", mode="test")
        other = root.create("test other", mode="test")
        root.create("live other")
        with server.client(caller["key"]) as own:
            assert ids(own.get("/api/v2/keys")) == [other["id"], caller["id"]]
            assert ids(own.get("/api/v2/keys", params={"mode": "live"})) == []


def test_A3_list_needs_keys_read(server, root):
    created = root.create("no read", scopes=["keys:write"])
    with server.client(created["key"]) as own:
        problem = assert_problem(own.get("/api/v2/keys"), 403, "insufficient_scope")
        assert problem["needed_scope"] == "keys:read"


def test_L1_the_answer_says_how_complete_the_use_is(server, root):
    from support.formats import parse_time

    answer = root.get("/api/v2/keys").json()
    assert abs((now() - parse_time(answer["usage_complete_through"])).total_seconds()) < 60
