"""A backup must not bring revoked keys back to life (C5)."""

import json
import os
import shutil
import sqlite3
import stat

import pytest

from support.server import assert_problem, run_p402


def take_backup(server, target, client=None):
    done = run_p402("backup", target, env={"P402_URL": server.url, "P402_API_KEY": server.root_key,
                                           "HOME": str(target.parent)})
    assert done.returncode == 0, done.stderr


def test_C5_a_key_revoked_after_the_backup_stays_revoked(make_server, tmp_path):
    server, backup = make_server(), tmp_path / "backup.db"
    with server.client() as root:
        kept, later, before = root.create("kept"), root.create("revoked later"), root.create("revoked before")
        root.revoke(before["id"])
        take_backup(server, backup)
        root.revoke(later["id"])
        created_after = root.create("created after the backup")
    assert server.stop() == 0
    done = run_p402("restore", backup, "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert later["id"] in done.stdout + done.stderr
    server.start()
    with server.client() as root:
        assert root.code_of(kept["key"]) == "valid"
        assert root.code_of(before["key"]) == "revoked"
        assert root.code_of(later["key"]) == "revoked"
        assert root.code_of(created_after["key"]) == "not_found"
        assert root.get(f"/api/v2/keys/{later['id']}").json()["status"] == "revoked"
        assert root.get("/api/v2/audit/verify").json()["intact"] is True
        actors = [r["actor"]["kind"] for r in root.get("/api/v2/audit", params={"subject": later["id"]}).json()["records"]]
        assert "system" in actors


def restrict(root, keys):
    """Narrows each of `keys` in its own way."""
    def patch(name, **fields):
        response = root.patch(f"/api/v2/keys/{keys[name]['id']}", json=fields)
        assert response.status_code == 200 and response.json()["enforced"] is True, response.text

    response = root.post(f"/api/v2/keys/{keys['rotated']['id']}/rotate", json={"grace": "0"})
    assert response.status_code == 201, response.text
    response = root.post(f"/api/v2/keys/{keys['in grace']['id']}/rotate", json={"grace": "1h"})
    assert response.status_code == 201, response.text
    patch("disabled", disabled=True)
    patch("scopes", scopes=["a:read"])
    patch("networks", allowed_cidrs=["10.0.0.0/8"])
    patch("more networks", allowed_cidrs=["10.0.0.0/8"])
    patch("expiry", expires_at="2001-01-01T00:00:00Z")
    patch("earlier expiry", expires_at="2030-01-01T00:00:00Z")


def check_restricted(root, keys, before):
    def code(name, **question):
        return root.code_of(keys[name]["key"], **question)

    now = {name: root.get(f"/api/v2/keys/{key['id']}").json() for name, key in keys.items()}
    assert code("rotated") == "expired"
    assert code("in grace") == "valid" and now["in grace"]["expires_at"] == before["in grace"]["expires_at"] is not None
    assert code("disabled") == "disabled"
    assert code("scopes", scopes=["a:read"]) == "valid"
    assert code("scopes", scopes=["a:write"]) == "insufficient_scope"
    assert code("networks", ip="10.1.1.1") == "valid"
    assert code("networks", ip="192.0.2.1") == "ip_not_allowed"
    assert code("more networks", ip="192.0.2.1") == "ip_not_allowed"
    assert code("expiry") == "expired"
    assert now["earlier expiry"]["expires_at"] == "2030-01-01T00:00:00Z"
    assert code("untouched") == "valid"
    for name, key in now.items():
        assert key["name"] == name
        for field in ("status", "scopes", "allowed_cidrs", "expires_at"):
            assert key[field] == before[name][field], (name, field)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_C5_a_key_restricted_after_the_backup_stays_restricted(make_server, tmp_path, end):
    server, backup = make_server(), tmp_path / "backup.db"
    fields = {"scopes": {"scopes": ["a:read", "a:write"]}, "more networks": {"allowed_cidrs": ["10.0.0.0/8", "192.0.2.0/24"]},
              "earlier expiry": {"expires_at": "2040-01-01T00:00:00Z"}}
    names = ["rotated", "in grace", "disabled", "scopes", "networks", "more networks", "expiry", "earlier expiry", "untouched"]
    with server.client() as root:
        keys = {name: root.create(name, **fields.get(name, {})) for name in names}
        take_backup(server, backup)
        restrict(root, keys)
        before = {name: root.get(f"/api/v2/keys/{key['id']}").json() for name, key in keys.items()}
        check_restricted(root, keys, before)
    getattr(server, end)()
    done = run_p402("restore", backup, "--data", server.data, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report["restricted_again"]) == {keys[name]["id"] for name in names if name != "untouched"}
    assert report["revoked_again"] == []
    server.start()
    with server.client() as root:
        check_restricted(root, keys, before)
        records = root.get("/api/v2/audit", params={"subject": keys["disabled"]["id"]}).json()["records"]
        assert records[0]["action"] == "key.update" and records[0]["actor"] == {"kind": "system", "id": "restore"}
        assert root.get("/api/v2/audit/verify").json()["intact"] is True
        # What is widened now stays so: the journal speaks of the time before.
        assert root.patch(f"/api/v2/keys/{keys['disabled']['id']}", json={"disabled": False}).status_code == 200
    server.stop()
    server.start()
    with server.client() as root:
        assert root.code_of(keys["disabled"]["key"]) == "valid"
    assert server.stop() == 0
    done = run_p402("restore", backup, "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert f"restricted {keys['disabled']['id']}" in done.stdout and "widened" in done.stdout, done.stdout


def test_K4_the_journal_has_no_names_and_no_digests(make_server):
    server = make_server()
    with server.client() as root:
        key = root.create("a telling name", owner="customer-7", metadata={"plan": "gold"})
        root.patch(f"/api/v2/keys/{key['id']}", json={"disabled": True})
    server.stop()
    journal = (server.data / "revocations.journal").read_text()
    assert key["id"] in journal
    with sqlite3.connect(server.data / "p402.db") as database:
        digest = database.execute("SELECT lower(hex(digest)) FROM keys WHERE name = 'a telling name'").fetchone()[0]
    for text in ("telling", "customer-7", "gold", key["key"], key["key"][10:20], digest):
        assert text not in journal


def test_C5_a_backup_that_was_killed_leaves_nothing_behind(make_server):
    server = make_server()
    assert server.stop() == 0
    left = server.data / "backup_01jx0000000000000000000000"
    other = server.data / "backup_of_mine"
    for file in (left, other):
        file.write_bytes(b"pages")
    server.start()
    assert not left.exists() and other.exists()


def test_C5_the_same_after_kill_9_in_the_moment_of_the_answer(make_server, tmp_path):
    server, backup = make_server(), tmp_path / "backup.db"
    with server.client() as root:
        keys = [root.create(f"k{i}") for i in range(20)]
        take_backup(server, backup)
        for key in keys:
            root.revoke(key["id"])
    server.kill()
    assert run_p402("restore", backup, "--data", server.data).returncode == 0
    server.start()
    with server.client() as root:
        assert {root.code_of(key["key"]) for key in keys} == {"revoked"}


def test_C5_without_the_journal_restore_refuses_and_names_the_time_span(make_server, tmp_path):
    server, backup = make_server(), tmp_path / "backup.db"
    with server.client() as root:
        later = root.create("revoked later")
        take_backup(server, backup)
        root.revoke(later["id"])
    assert server.stop() == 0
    elsewhere = tmp_path / "elsewhere"
    done = run_p402("restore", backup, "--data", elsewhere)
    assert done.returncode == 1
    assert "--accept-resurrection" in done.stderr
    assert "202" in done.stderr  # the time span
    assert not (elsewhere / "p402.db").exists()
    # The journal may come along: then nothing needs to be accepted.
    journal = next(p for p in server.data.iterdir() if "journal" in p.name and "db" not in p.name)
    elsewhere.mkdir(exist_ok=True, mode=0o700)
    shutil.copy(journal, elsewhere / journal.name)
    assert run_p402("restore", backup, "--data", elsewhere).returncode == 0
    from support.server import Server

    moved = Server(data=elsewhere).start()
    moved.root_key = server.root_key
    try:
        with moved.client() as root:
            assert root.code_of(later["key"]) == "revoked"
    finally:
        moved.close()


def test_C5_a_damaged_last_revocation_is_no_torn_end(make_server, tmp_path):
    """Its DELETE was answered: a restore that passed over it would bring the key back."""
    server, backup = make_server(), tmp_path / "backup.db"
    with server.client() as root:
        later = root.create("revoked later")
        take_backup(server, backup)
        root.revoke(later["id"])
    assert server.stop() == 0
    journal = server.data / "revocations.journal"
    content = bytearray(journal.read_bytes())
    content[-3] ^= 1
    journal.write_bytes(content)
    done = run_p402("restore", backup, "--data", server.data)
    assert done.returncode == 1 and "journal" in done.stderr, done.stderr
    # The database is still there: a start repairs the journal from it.
    server.start()
    assert server.stop() == 0
    assert run_p402("restore", backup, "--data", server.data).returncode == 0
    server.start()
    with server.client() as root:
        assert root.code_of(later["key"]) == "revoked"


def test_C5_accept_resurrection_is_explicit(make_server, tmp_path):
    server, backup = make_server(), tmp_path / "backup.db"
    with server.client() as root:
        later = root.create("revoked later")
        take_backup(server, backup)
        root.revoke(later["id"])
    assert server.stop() == 0
    elsewhere = tmp_path / "elsewhere"
    done = run_p402("restore", backup, "--data", elsewhere, "--accept-resurrection")
    assert done.returncode == 0, done.stderr


def torn(database):
    """Rows lie at the end of a page: those of every page but the first are overwritten."""
    pages = [database[start:start + 4096] for start in range(0, len(database), 4096)]
    return pages[0] + b"".join(page[:-600] + os.urandom(600) for page in pages[1:])


def test_C5_what_is_no_backup_is_refused_and_the_folder_is_as_before(make_server, tmp_path):
    server = make_server()
    with server.client() as root:
        key = root.create("kept")
        good = tmp_path / "good.db"
        take_backup(server, good)
    assert server.stop() == 0
    for name, content in {"rubbish": os.urandom(10000), "empty": b"", "cut": good.read_bytes()[:-5000],
                          "torn": torn(good.read_bytes())}.items():
        bad = tmp_path / name
        bad.write_bytes(content)
        done = run_p402("restore", bad, "--data", server.data)
        assert done.returncode == 1, (name, done.stdout)
    assert run_p402("restore", tmp_path / "missing", "--data", server.data).returncode in (1, 2)
    server.start()
    with server.client() as root:
        assert root.code_of(key["key"]) == "valid"


def test_C5_a_running_server_is_not_restored_over(make_server, tmp_path):
    server, backup = make_server(), tmp_path / "backup.db"
    take_backup(server, backup)
    done = run_p402("restore", backup, "--data", server.data)
    assert done.returncode == 1 and str(server.data) in done.stderr
    with server.client() as root:
        assert root.get("/api/v2/keys").status_code == 200


def test_C5_the_backup_is_whole_while_keys_are_created(make_server, tmp_path):
    import threading

    server, stop, created = make_server(), threading.Event(), []

    def work():
        fast = server.fast()
        while not stop.is_set():
            created.append(fast.request("POST", "/api/v2/keys", {"name": "busy"}).json()["id"])
        fast.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(5):
        before = len(created)
        backup = tmp_path / f"backup{i}.db"
        take_backup(server, backup)
        with sqlite3.connect(backup) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            count = database.execute("SELECT count(*) FROM keys").fetchone()[0]
        assert before + 1 <= count <= len(created) + 1 + len(threads)
    stop.set()
    for thread in threads:
        thread.join()


def test_C5_the_route_needs_its_scope_and_leaves_nothing_behind(server, root):
    before = sorted(p.name for p in server.data.iterdir())
    response = root.post("/api/v2/backup")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.sqlite3"
    assert response.headers["cache-control"] == "no-store"
    assert response.content.startswith(b"SQLite format 3\x00")
    assert int(response.headers["content-length"]) == len(response.content)
    assert sorted(p.name for p in server.data.iterdir()) == before
    weak = root.create("weak", scopes=["keys:read"])
    with server.client(weak["key"]) as own:
        assert_problem(own.post("/api/v2/backup"), 403, "insufficient_scope")


def test_K4_no_raw_key_in_a_backup(server, root):
    made = root.create("hidden")
    content = root.post("/api/v2/backup").content
    assert made["key"].encode() not in content and made["key"][16:].encode() not in content
    assert made["id"] and b"hidden" in content  # the scan can find things


def test_C5_json_of_restore(make_server, tmp_path):
    server, backup = make_server(), tmp_path / "backup.db"
    with server.client() as root:
        later = root.create("later")
        take_backup(server, backup)
        root.revoke(later["id"])
    server.stop()
    done = run_p402("restore", backup, "--data", server.data, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["revoked_again"] == [later["id"]]
    assert stat.S_IMODE((server.data / "p402.db").stat().st_mode) == 0o600
