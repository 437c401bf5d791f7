"""Every change has its record, the records are chained, and any change of them is found (S1)."""

import hashlib
import json
import sqlite3
import struct

import pytest

from support.server import assert_problem, run_p402
from support.wait import eventually


def records_of(client, **params):
    found, cursor = [], None
    while True:
        answer = client.get("/api/v2/audit", params={**params, **({"cursor": cursor} if cursor else {})}).json()
        found += answer["records"]
        cursor = answer["next_cursor"]
        if not cursor:
            return found


def test_S1_every_change_has_one_record_with_actor_and_request(server, root):
    made = root.post("/api/v2/keys", json={"name": "audited"})
    key_id = made.json()["id"]
    patched = root.patch(f"/api/v2/keys/{key_id}", json={"name": "again", "disabled": True})
    rotated = root.post(f"/api/v2/keys/{key_id}/rotate", json={"grace": "1h"})
    revoked = root.delete(f"/api/v2/keys/{key_id}")
    records = records_of(root, subject=key_id)
    by_request = {}
    for record in records:
        by_request.setdefault(record["request_id"], []).append(record)
    for response, action in ((made, "key.create"), (patched, "key.update"), (revoked, "key.revoke")):
        (record,) = by_request[response.headers["x-request-id"]]
        assert record["action"] == action and record["subject"] == key_id
        assert record["actor"] == {"kind": "key", "id": server.root_id}
        assert record["ip"] == "127.0.0.1"
        assert list(record) == ["number", "at", "actor", "action", "subject", "details", "ip", "request_id",
                                "previous", "hash"]
    rotations = [r for r in records_of(root) if r["request_id"] == rotated.headers["x-request-id"]]
    assert rotations and "key.rotate" in [r["action"] for r in rotations]
    text = json.dumps(records_of(root))
    assert made.json()["key"] not in text and made.json()["key"][16:] not in text


def test_S1_refused_changes_leave_no_record_of_success(server, root):
    before = records_of(root)[0]["number"]
    assert_problem(root.post("/api/v2/keys", json={"name": ""}), 400, "invalid_request")
    assert_problem(root.delete("/api/v2/keys/key_01jx0000000000000000000000"), 404, "not_found")
    assert records_of(root)[0]["number"] == before


def test_S1_the_list_is_newest_first_and_chained(server, root):
    for i in range(30):
        root.create(f"chain {i}")
    records = records_of(root, limit=7)
    numbers = [record["number"] for record in records]
    assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
    for newer, older in zip(records, records[1:], strict=False):
        assert newer["previous"] == older["hash"] and len(newer["hash"]) == 64
    only = records_of(root, action="key.create")
    assert {record["action"] for record in only} == {"key.create"}


def test_S1_verify_counts_the_whole_chain(server, root):
    verdict = root.get("/api/v2/audit/verify").json()
    newest = records_of(root, limit=1)[0]
    assert list(verdict)[:6] == ["intact", "checked", "first_number", "head", "problem", "anchor_found"]
    assert verdict["intact"] is True and verdict["problem"] is None
    assert verdict["head"] == {"number": newest["number"], "hash": newest["hash"]}
    assert verdict["checked"] == newest["number"]


def test_S1_an_anchor_kept_elsewhere_is_found(server, root):
    anchor = root.post("/api/v2/audit/anchor").json()
    root.create("later")
    assert root.get("/api/v2/audit/verify", params={"anchor": anchor["hash"]}).json()["anchor_found"] is True
    wrong = root.get("/api/v2/audit/verify", params={"anchor": "ab" * 32}).json()
    assert wrong["anchor_found"] is False
    assert_problem(root.get("/api/v2/audit/verify", params={"anchor": "xyz"}), 400, "invalid_request")
    # Logged, so that it is elsewhere; the log is written by a thread of its own.
    eventually(lambda: anchor["hash"] in server.log(), 10, "the anchor in the log")


TAMPERINGS = {
    "another action": "UPDATE audit SET action = 'key.update' WHERE number = 10",
    "another actor": "UPDATE audit SET actor_id = 'key_7zzzzzzzzzzzzzzzzzzzzzzzzz' WHERE number = 10",
    "another subject": "UPDATE audit SET subject = subject || 'x' WHERE number = 10",
    "other details": "UPDATE audit SET details = '{}' || ' ' WHERE number = 10",
    "another time": "UPDATE audit SET at = at + 1 WHERE number = 10",
    "another address": "UPDATE audit SET ip = '203.0.113.1' WHERE number = 10",
    "another request": "UPDATE audit SET request_id = 'x' WHERE number = 10",
    "one record gone": "DELETE FROM audit WHERE number = 10",
    "the first record gone": "DELETE FROM audit WHERE number = 1",
    "the newest record gone": "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)",
    "two swapped": """UPDATE audit SET details = (SELECT details FROM audit WHERE number = 11),
                      subject = (SELECT subject FROM audit WHERE number = 11) WHERE number = 10""",
    "one added": """INSERT INTO audit SELECT max(number) + 1, at, account, actor_kind, actor_id, action, subject,
                    details, ip, request_id, previous, hash FROM audit""",
    "another hash": "UPDATE audit SET hash = zeroblob(32) WHERE number = 10",
    "another link": "UPDATE audit SET previous = zeroblob(32) WHERE number = 10",
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A stopped store with a few dozen records."""
    from support.server import Server

    server = Server().init().start()
    with server.client() as root:
        for i in range(25):
            root.create(f"k{i}")
    server.stop()
    yield server
    server.close()


@pytest.mark.parametrize("name", list(TAMPERINGS))
def test_S1_every_tampering_is_found(filled, tmp_path, name):
    import shutil

    data = tmp_path / "data"
    shutil.copytree(filled.data, data)
    assert run_p402("audit", "verify", "--data", data).returncode == 0
    with sqlite3.connect(data / "p402.db") as database:
        changed = database.execute(TAMPERINGS[name]).rowcount
        assert changed > 0, "the tampering changed nothing"
    done = run_p402("audit", "verify", "--data", data, "--json")
    assert done.returncode == 1, done.stdout
    verdict = json.loads(done.stdout)
    assert verdict["intact"] is False and verdict["problem"]


def test_S1_a_running_store_can_be_verified(make_server):
    server = make_server()
    with server.client() as root:
        root.create("x")
        done = run_p402("audit", "verify", "--data", server.data, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["head"] == root.get("/api/v2/audit/verify").json()["head"]


def audit_hash(record):
    """The hash of a record, from what the format promises alone: every field with its length."""
    number, at, account, kind, actor, action, subject, details, ip, request_id, previous = record
    fields = [previous, number, at, account, kind, actor, action, subject, details, ip, request_id]
    text = b""
    for field in fields:
        data = field.to_bytes(8, "little", signed=True) if isinstance(field, int) else field
        data = data.encode() if isinstance(data, str) else data
        text += struct.pack("<I", len(data)) + data
    return hashlib.sha256(text).digest()


def make_older(data, hours):
    """Rewrites the chain of a stopped store as if everything had happened that much earlier."""
    with sqlite3.connect(data / "p402.db") as database:
        rows = database.execute("""SELECT number, at, account, actor_kind, actor_id, action, subject, details, ip,
                                   request_id, hash FROM audit ORDER BY number""").fetchall()
        previous = bytes(32)
        for *record, stored in rows:
            record[1] -= hours * 3_600_000
            new = audit_hash([*record, previous])
            database.execute("UPDATE audit SET at = ?, previous = ?, hash = ? WHERE number = ?",
                             (record[1], previous, new, record[0]))
            previous = new
        database.execute("UPDATE audit_head SET hash = ?", (previous,))


def test_S1_pruning_leaves_a_checkpoint(make_server):
    server = make_server()
    with server.client() as root:
        for i in range(10):
            root.create(f"k{i}")
        head = root.get("/api/v2/audit/verify").json()["head"]
    assert server.stop() == 0
    make_older(server.data, hours=25)
    server.start()
    with server.client() as root:
        young = root.create("young")
        assert root.get("/api/v2/audit/verify").json()["intact"] is True
        deleted = root.post("/api/v2/audit/prune", json={"older_than": "24h"}).json()["deleted"]
        assert deleted == head["number"]
        verdict = root.get("/api/v2/audit/verify").json()
        assert verdict["intact"] is True and verdict["first_number"] == head["number"]
        assert [record["action"] for record in records_of(root)] == ["audit.prune", "key.create"]
        assert records_of(root, subject=young["id"])
        root.create("after")
        assert root.get("/api/v2/audit/verify").json()["intact"] is True


@pytest.mark.parametrize("older_than", ["0", "1s", "23h", "1439m"])
def test_S1_what_is_young_is_not_pruned(server, root, older_than):
    root.create("x")
    before = records_of(root)
    problem = assert_problem(root.post("/api/v2/audit/prune", json={"older_than": older_than}), 400, "invalid_request")
    assert problem["field"] == "older_than" and "24h" in problem["detail"]
    assert records_of(root) == before
    assert root.post("/api/v2/audit/prune", json={"older_than": "24h"}).json() == {"deleted": 0}
