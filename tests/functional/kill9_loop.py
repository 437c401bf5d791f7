"""kill -9 in the middle of work, many times over: no acknowledged key, revocation or audit record is
lost, and at most one second of marks (L2, R1, S1, C5)."""

import random
import threading
import time

import pytest

from support.formats import now, parse_time
from support.server import scaled

MARK_ROUNDS = scaled(3, 1)


class Life:
    """Clients that work until the server dies, and remember what it has acknowledged."""

    def __init__(self, server):
        self.server = server
        self.created, self.revoked, self.requests = {}, set(), {}
        self.lock = threading.Lock()

    def work(self, seed):
        picker, mine = random.Random(seed), []
        try:
            fast = self.server.fast()
            while True:
                if mine and picker.random() < 0.4:
                    key_id, _ = mine.pop(picker.randrange(len(mine)))
                    answer = fast.request("DELETE", f"/api/v2/keys/{key_id}")
                    if answer is None:
                        return
                    assert answer.status == 200, answer
                    with self.lock:
                        self.revoked.add(key_id)
                        self.requests[answer.header("x-request-id")] = ("key.revoke", key_id)
                else:
                    answer = fast.request("POST", "/api/v2/keys", {"name": f"life {seed}", "scopes": []})
                    if answer is None:
                        return
                    assert answer.status == 201, answer
                    made = answer.json()
                    mine.append((made["id"], made["key"]))
                    with self.lock:
                        self.created[made["id"]] = made["key"]
                        self.requests[answer.header("x-request-id")] = ("key.create", made["id"])
        except OSError:
            return
        except AssertionError as error:
            if "cut off" not in str(error):
                self.failure = error

    failure = None


def everything(client, path, field):
    found, cursor = [], None
    while True:
        params = {"limit": 1000, **({"cursor": cursor} if cursor else {})}
        answer = client.get(path, params=params).json()
        found += answer[field]
        cursor = answer["next_cursor"]
        if not cursor:
            return found


@pytest.mark.parametrize("rounds", [200, pytest.param(2000, marks=pytest.mark.long)])
def test_R1_nothing_acknowledged_is_lost(make_server, rounds):
    rounds = scaled(rounds, 5)
    server = make_server()
    picker = random.Random(9)
    life = Life(server)
    fresh_from = 0
    for round_number in range(rounds):
        threads = [threading.Thread(target=life.work, args=(round_number * 10 + i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        killer = threading.Timer(picker.uniform(0.01, 0.15), server.kill)
        killer.start()
        killer.join()
        for thread in threads:
            thread.join(30)
        assert life.failure is None, life.failure
        server.start()
        # This round's keys: each is what was acknowledged.
        fast = server.fast()
        for key_id in list(life.created)[fresh_from:]:
            code = fast.request("POST", "/api/v2/keys/verify", {"key": life.created[key_id]}).json()["code"]
            if key_id in life.revoked:
                assert code == "revoked", (round_number, key_id)
            else:
                # A DELETE whose answer was lost may have been committed: both are right then.
                assert code in ("valid", "revoked"), (round_number, key_id)
        fast.close()
        fresh_from = len(life.created)
    assert len(life.created) > rounds and len(life.revoked) > rounds // 4

    with server.client() as root:
        statuses = {key["id"]: key["status"] for key in everything(root, "/api/v2/keys", "keys")}
        assert set(life.created) <= set(statuses)
        assert {statuses[key_id] for key_id in life.revoked} <= {"revoked"}
        verdict = root.get("/api/v2/audit/verify").json()
        assert verdict["intact"] is True, verdict
        recorded = {r["request_id"]: (r["action"], r["subject"]) for r in everything(root, "/api/v2/audit", "records")}
        missing = {request for request, what in life.requests.items() if recorded.get(request) != what}
        assert not missing, f"{len(missing)} of {len(life.requests)} acknowledged changes have no audit record"
        # Every acknowledged revocation is in the journal too: a backup cannot bring it back.
    journal = (server.data / "revocations.journal").read_text(errors="replace")
    assert not [key_id for key_id in life.revoked if key_id not in journal]


def test_L2_at_most_a_second_of_marks_is_lost(make_server):
    server = make_server()
    for _ in range(MARK_ROUNDS):
        with server.client() as root:
            keys = [root.create(f"mark {i}", scopes=[]) for i in range(50)]
        used = {}
        fast, deadline = server.fast(), time.monotonic() + 2.5
        picker = random.Random(1)
        while time.monotonic() < deadline:
            key = picker.choice(keys)
            assert fast.request("POST", "/api/v2/keys/verify", {"key": key["key"]}).json()["valid"] is True
            used.setdefault(key["id"], []).append(now())
        killed = now()
        server.kill()
        server.start()
        with server.client() as root:
            for key_id, times in used.items():
                durable = [t for t in times if (killed - t).total_seconds() > 1.0]
                shown = root.get(f"/api/v2/keys/{key_id}").json()["last_used_at"]
                if durable:
                    assert shown is not None
                    # Answers show whole seconds.
                    assert parse_time(shown) >= max(durable).replace(microsecond=0), (shown, max(durable), killed)
