"""Idempotency-Key on POST /api/v2/keys (A10): a retry creates nothing and never repeats a raw key."""

import threading
import uuid

from support.server import assert_problem


def post(client, idempotency_key, **body):
    return client.post("/api/v2/keys", json=body, headers={"Idempotency-Key": idempotency_key})


def count_named(client, name):
    return len(client.get("/api/v2/keys", params={"name": name, "limit": 1000}).json()["keys"])


def test_A10_a_retry_answers_409_with_the_key_id_and_no_raw_key(root):
    token, name = str(uuid.uuid4()), uuid.uuid4().hex
    first = post(root, token, name=name, scopes=["a"])
    assert first.status_code == 201
    retry = post(root, token, name=name, scopes=["a"])
    problem = assert_problem(retry, 409, "already_created")
    assert problem["key_id"] == first.json()["id"]
    assert first.json()["key"] not in retry.text
    assert count_named(root, name) == 1
    # What to do instead: rotate that key.
    assert root.post(f"/api/v2/keys/{problem['key_id']}/rotate", json={"grace": "0"}).status_code == 201


def test_A10_the_same_key_with_another_body_is_422(root):
    token, name = str(uuid.uuid4()), uuid.uuid4().hex
    assert post(root, token, name=name).status_code == 201
    assert_problem(post(root, token, name=name, scopes=["b"]), 422, "idempotency_mismatch")
    assert count_named(root, name) == 1


def test_A10_the_structured_field_form_is_the_same_key(root):
    token, name = str(uuid.uuid4()), uuid.uuid4().hex
    assert post(root, f'"{token}"', name=name).status_code == 201
    assert_problem(post(root, f'"{token}"', name=name), 409, "already_created")


def test_A10_callers_do_not_meet_in_one_idempotency_key(server, root):
    token = str(uuid.uuid4())
    other = root.create("other caller")
    assert post(root, token, name="mine").status_code == 201
    with server.client(other["key"]) as own:
        assert post(own, token, name="mine").status_code == 201


def test_A10_a_refused_request_does_not_use_the_key_up(root):
    token = str(uuid.uuid4())
    assert_problem(post(root, token, name=""), 400, "invalid_request")
    assert post(root, token, name="right").status_code == 201


def test_A10_limits_of_the_header(root):
    assert post(root, "k" * 255, name="long").status_code == 201
    assert_problem(post(root, "k" * 256, name="long"), 400, "invalid_request")


def test_A10_retries_at_once_create_one_key(server, root):
    token, name = str(uuid.uuid4()), uuid.uuid4().hex
    statuses = []
    barrier = threading.Barrier(8)

    def retry():
        with server.client() as own:
            barrier.wait()
            statuses.append(post(own, token, name=name).status_code)

    threads = [threading.Thread(target=retry) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 7
    assert count_named(root, name) == 1


def test_A10_a_retry_after_a_restart_is_still_recognised(make_server):
    server = make_server()
    token = str(uuid.uuid4())
    with server.client() as root:
        assert post(root, token, name="once").status_code == 201
    server.kill()
    server.start()
    with server.client() as root:
        assert_problem(post(root, token, name="once"), 409, "already_created")
