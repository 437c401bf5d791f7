"""A start from a snapshot of the index is only faster: what it answers is what a start from the store answers, whatever
has happened to the snapshot or to the store in between (R1, L1, L2).
"""

import json
import stat

import pytest

from many_keys import make_store, raw_key
from support.server import RAW_KEY, run_p402
from support.wait import eventually

SEED = 11
KEYS = 5000


def events(server, name):
    lines = [json.loads(line) for line in server.log().splitlines() if line.endswith("}")]
    return [line for line in lines if line["event"] == name]


def start(server):
    """Starts it; returns what the index was loaded from. The log is written a little later than `ready` is said."""
    before = len(events(server, "feed.ready"))
    server.start()
    eventually(lambda: len(events(server, "feed.ready")) > before, 10, "the line in the log")
    return events(server, "feed.ready")[-1]["from"]


@pytest.fixture
def server(make_server):
    """A store with many keys that was served once: its stop has left a snapshot."""
    instance = make_server(start=False, init=False)
    instance.root_key = make_store(instance.data, KEYS, "--seed", str(SEED))
    instance.snapshot = instance.data / "index.snapshot"
    assert start(instance) == "store"
    assert instance.stop() == 0
    assert instance.snapshot.exists()
    return instance


def check_keys(server, *exceptions):
    with server.client() as root:
        for number in (1, 2, 3, 2500, KEYS - 1):
            if number not in exceptions:
                assert root.code_of(raw_key(SEED, number)) == "valid", number
        assert root.code_of(raw_key(SEED, KEYS)) == "not_found"
        assert root.get("/api/v2/audit/verify").json()["intact"] is True


def test_the_next_start_reads_it(server):
    assert start(server) == "snapshot"
    check_keys(server)


def test_S5_it_is_private_and_has_no_raw_key(server):
    assert stat.S_IMODE(server.snapshot.stat().st_mode) == 0o600
    content = server.snapshot.read_bytes()
    assert not RAW_KEY.search(content.decode("latin-1"))
    for number in range(0, KEYS, 500):
        assert raw_key(SEED, number).encode() not in content
    # It would be found: the names are there.
    assert b"key number 500" in content


def test_R1_what_changed_after_it_is_read_from_the_log(server):
    server.start()
    with server.client() as root:
        victim = root.post("/api/v2/keys/verify", json={"key": raw_key(SEED, 1)}).json()["key_id"]
        assert root.revoke(victim)["enforced"] is True
        created = root.create("later")
    before = server.snapshot.stat().st_mtime_ns
    server.kill()
    assert start(server) == "snapshot"
    assert server.snapshot.stat().st_mtime_ns == before, "it is the old one"
    with server.client() as root:
        assert root.code_of(raw_key(SEED, 1)) == "revoked"
        assert root.code_of(created["key"]) == "valid"
    check_keys(server, 1)


def test_L2_the_last_use_is_that_of_the_store(server):
    server.start()
    with server.client() as root:
        key_id = root.post("/api/v2/keys/verify", json={"key": raw_key(SEED, 2)}).json()["key_id"]
        used = root.get(f"/api/v2/keys/{key_id}").json()["last_used_at"]
        assert used is not None
    assert server.stop() == 0
    assert start(server) == "snapshot"
    with server.client() as root:
        assert root.get(f"/api/v2/keys/{key_id}").json()["last_used_at"] == used


def flip(position):
    def damage(content):
        at = int(position * (len(content) - 1))
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
    return damage


DAMAGES = {
    "magic": flip(0),
    "format": lambda content: content[:8] + b"\x63" + content[9:],
    "header": flip(0.00004),
    "first block": flip(0.01),
    "middle": flip(0.5),
    "last byte": flip(1),
    "cut in the middle": lambda content: content[: len(content) // 2],
    "without its last byte": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_R1_a_damaged_one_is_not_used_and_is_replaced(server, kind):
    server.snapshot.write_bytes(DAMAGES[kind](server.snapshot.read_bytes()))
    assert start(server) == "store"
    assert len(events(server, "snapshot.rejected")) == 1
    check_keys(server)
    assert server.stop() == 0
    assert start(server) == "snapshot"
    check_keys(server)


def test_R1_another_stores_is_not_used(server, make_server):
    other = make_server(start=False, init=False)
    make_store(other.data, KEYS, "--seed", str(SEED + 1))
    other.start()
    assert other.stop() == 0
    server.snapshot.write_bytes((other.data / "index.snapshot").read_bytes())
    assert start(server) == "store"
    assert "another store's" in events(server, "snapshot.rejected")[0]["detail"]
    check_keys(server)


def test_C5_a_restored_store_is_not_served_from_what_it_was(make_server, tmp_path):
    server = make_server(start=False, init=False)
    server.root_key = make_store(server.data, KEYS, "--seed", str(SEED))
    snapshot, backup = server.data / "index.snapshot", tmp_path / "backup.db"
    server.start()
    with server.client() as root:
        done = run_p402("backup", backup, env={"P402_URL": server.url, "P402_API_KEY": server.root_key})
        assert done.returncode == 0, done.stderr
        lost = root.create("made after the backup")
    assert server.stop() == 0
    of_the_lost_history = snapshot.read_bytes()
    assert b"made after the backup" in of_the_lost_history
    done = run_p402("restore", backup, "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert not snapshot.exists()
    snapshot.write_bytes(of_the_lost_history)  # somebody puts it back
    assert start(server) == "store"
    assert "the log does not have" in events(server, "snapshot.rejected")[0]["detail"]
    with server.client() as root:
        assert root.code_of(lost["key"]) == "not_found"
    check_keys(server)


def test_what_a_killed_writer_left_is_no_harm(server):
    leftover = server.data / "index.snapshot.writing"
    leftover.write_bytes(b"x" * 100_000)
    server.snapshot.unlink()
    assert start(server) == "store"
    assert server.stop() == 0
    assert server.snapshot.exists() and not leftover.exists()
    assert start(server) == "snapshot"
    check_keys(server)
