"""last_used_at: every valid decision marks its key, soon durable, never backwards (L1, L2)."""

import time

from support.formats import now, parse_time
from support.wait import eventually


def shown(client, key_id):
    text = client.get(f"/api/v2/keys/{key_id}").json()["last_used_at"]
    return parse_time(text) if text else None


def uses(server, root, key):
    """One function for every way of using a key."""
    def as_bearer():
        with server.client(key["key"]) as own:
            assert own.get("/api/v2/keys/self").status_code == 200

    def at_authz():
        with server.client(key["key"]) as own:
            assert own.get("/authz/default").status_code == 200

    def at_verify():
        assert root.code_of(key["key"]) == "valid"

    return {"bearer": as_bearer, "authz": at_authz, "verify": at_verify}


def test_L1_every_valid_decision_marks_the_key_at_once(server, root):
    for way in ("bearer", "authz", "verify"):
        key = root.create(way)
        assert shown(root, key["id"]) is None
        before = now().replace(microsecond=0)
        uses(server, root, key)[way]()
        assert before <= shown(root, key["id"]) <= now()
        listed = root.get("/api/v2/keys", params={"limit": 1}).json()["keys"][0]
        assert before <= parse_time(listed["last_used_at"]) <= now()


def test_L1_a_refused_key_is_not_marked(server, root):
    key = root.create("off", allowed_cidrs=["192.0.2.0/24"])
    assert root.code_of(key["key"]) == "ip_not_allowed"
    assert root.code_of(key["key"], ip="10.0.0.1") == "ip_not_allowed"
    narrow = root.create("narrow", scopes=[])
    assert root.code_of(narrow["key"], scopes=["a"]) == "insufficient_scope"
    assert shown(root, key["id"]) is None and shown(root, narrow["id"]) is None


def test_L1_marks_survive_a_clean_stop(make_server):
    server = make_server()
    with server.client() as root:
        keys = [root.create(f"k{i}") for i in range(20)]
        before = now().replace(microsecond=0)
        for key in keys:
            assert root.code_of(key["key"]) == "valid"
    assert server.stop() == 0  # at once after the last use
    server.start()
    with server.client() as root:
        for key in keys:
            assert before <= shown(root, key["id"]) <= now()


def test_L1_marks_are_durable_a_second_later(make_server):
    server = make_server()
    with server.client() as root:
        key = root.create("used")
        used = now().replace(microsecond=0)
        assert root.code_of(key["key"]) == "valid"
        # The answer itself says when every use up to then is durable.
        eventually(lambda: parse_time(root.get("/api/v2/keys").json()["usage_complete_through"]) > used, 5,
                   "usage_complete_through")
    server.kill()
    server.start()
    with server.client() as root:
        assert shown(root, key["id"]) >= used


def test_L2_a_mark_never_goes_backwards_and_is_never_ahead(make_server):
    server = make_server()
    with server.client() as root:
        key = root.create("busy")
        last, deadline = None, time.monotonic() + 3
        while time.monotonic() < deadline:
            assert root.code_of(key["key"]) == "valid"
            value = shown(root, key["id"])
            assert value <= now()
            assert last is None or value >= last
            last = value


def test_L1_no_database_write_for_each_use(make_server):
    """10,000 uses of one key within moments make a handful of writes, not 10,000."""
    server = make_server()
    with server.client() as root:
        key = root.create("hot", scopes=["keys:verify"])
    fast = server.fast()
    journal = server.data / "p402.db-wal"
    before = journal.stat().st_size
    for _ in range(5000):
        assert fast.request("POST", "/api/v2/keys/verify", {"key": key["key"]}).status == 200
    fast.close()
    grown = journal.stat().st_size - before
    assert grown < 5000 * 100, f"the write-ahead log grew by {grown} bytes"


def test_L1_no_usage_leaves_last_used_as_it_is(make_server):
    """--no-usage: the decision is the same, and nothing is marked."""
    server = make_server(arguments=["--no-usage"])
    with server.client() as root:
        key = root.create("unmarked")
        for use in uses(server, root, key).values():
            use()
        assert shown(root, key["id"]) is None
