"""10,000 keys, created by 8 clients at once; half are revoked while 8 others verify them: after a
DELETE has answered, no verification that starts later says valid (R1, R5)."""

import collections
import random
import threading
import time

import pytest

from support.server import scaled

pytestmark = pytest.mark.concurrent
KEYS, CLIENTS = scaled(10_000, 400), 8


def run_all(work):
    """Runs work(0) … work(7) in threads; raises what one of them raised."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def ask(fast, raw_key):
    answer = fast.request("POST", "/api/v2/keys/verify", {"key": raw_key})
    assert answer.status == 200, answer
    body = answer.json()
    assert body["valid"] is (body["code"] == "valid")
    return body["code"]


def test_R1_no_verification_after_the_answer_says_valid(make_server):
    server = make_server()
    keys = [None] * KEYS

    def create(number):
        fast = server.fast()
        for i in range(number, KEYS, CLIENTS):
            answer = fast.request("POST", "/api/v2/keys", {"name": f"mass {i}", "scopes": []})
            assert answer.status == 201, answer
            keys[i] = (answer.json()["id"], answer.json()["key"])
        fast.close()

    run_all(create)
    assert len({key_id for key_id, _ in keys}) == KEYS

    def verify_all(number):
        fast = server.fast()
        for i in range(number, KEYS, CLIENTS):
            assert ask(fast, keys[i][1]) == "valid"
        fast.close()

    run_all(verify_all)  # R5: every one of them works

    # Half of them, in a random order, by 4 clients; the others look at exactly what is being revoked.
    order = list(range(0, KEYS, 2))
    random.Random(402).shuffle(order)
    answered_at = {}                        # index -> when its DELETE had answered
    under_way = collections.deque(maxlen=64)
    done, violations, checks = threading.Event(), [], [0] * CLIENTS
    remaining = collections.deque(order)

    def revoke(_):
        fast = server.fast()
        while remaining:
            try:
                i = remaining.popleft()
            except IndexError:
                break
            under_way.append(i)
            answer = fast.request("DELETE", f"/api/v2/keys/{keys[i][0]}")
            answered_at[i] = time.monotonic()
            assert answer.status == 200 and answer.json()["enforced"] is True, answer
        fast.close()

    def watch(number):
        fast, picker = server.fast(), random.Random(number)
        while not done.is_set():
            if not under_way:
                continue
            try:
                i = under_way[-1 - picker.randrange(min(16, len(under_way)))]
            except IndexError:
                continue
            started = time.monotonic()
            code = ask(fast, keys[i][1])
            checks[number] += 1
            if code == "valid" and answered_at.get(i, started) < started:
                violations.append((i, started - answered_at[i]))
            elif code not in ("valid", "revoked"):
                violations.append((i, code))
        fast.close()

    watchers = threading.Thread(target=run_all, args=(watch,))
    watchers.start()
    run_all(revoke)
    done.set()
    watchers.join()
    assert not violations, violations[:10]
    assert min(checks) > 0 and sum(checks) > KEYS // 20, checks

    revoked = set(order)

    def verify_rest(number):
        fast = server.fast()
        for i in range(number, KEYS, CLIENTS):
            assert ask(fast, keys[i][1]) == ("revoked" if i in revoked else "valid")
        fast.close()

    run_all(verify_rest)
    server.kill()
    server.start()
    run_all(verify_rest)  # … and it was all durable


def test_R1_a_revoked_key_makes_no_heir(make_server):
    """8 clients create with one key as fast as they can while it is revoked with its descendants:
    afterwards nothing that it made is valid (R2, A5)."""
    server = make_server()
    with server.client() as root:
        for _ in range(scaled(5)):
            parent = root.create("parent", scopes=["keys:write", "keys:verify"])
            made, started = [], threading.Barrier(CLIENTS + 1)

            def work(_, raw_key=parent["key"], made=made, started=started):
                fast = server.fast(raw_key)
                started.wait()
                while True:
                    answer = fast.request("POST", "/api/v2/keys", {"name": "heir", "scopes": []})
                    if answer.status != 201:
                        assert answer.status == 401 and answer.json()["code"] == "revoked", answer
                        return
                    made.append(answer.json()["key"])

            workers = threading.Thread(target=run_all, args=(work,))
            workers.start()
            started.wait()
            while len(made) < 50 and workers.is_alive():
                pass
            answer = root.revoke(parent["id"], cascade="true")
            assert answer["enforced"] is True
            workers.join()
            assert len(made) >= 50
            assert {root.code_of(raw_key) for raw_key in made} == {"revoked"}
