"""POST /api/v2/keys: every field at its limits, defaults, and round trips of arbitrary text."""

import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.formats import format_time, in_future, is_raw_key, now, parse_time
from support.server import assert_problem

ROUND_TRIP = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def is_control(character):
    return unicodedata.category(character) in ("Cc", "Cs")


NAMES = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=100)
OWNERS = st.text(
    st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=255
).filter(lambda text: len(text.encode()) <= 255)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(
        st.characters(blacklist_categories=("Cs",)), max_size=30),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(blacklist_categories=("Cs",)), max_size=10), inner, max_size=4),
    max_leaves=15,
)
METADATA = st.dictionaries(
    st.text(st.characters(blacklist_categories=("Cs",)), max_size=20), JSON_VALUES, max_size=6
).filter(lambda value: 0 < len(json.dumps(value).encode()) <= 4096 and value)


@ROUND_TRIP
@given(name=NAMES)
def test_A1_any_name_comes_back_as_it_was_sent(root, name):
    created = root.create(name)
    assert created["name"] == name
    assert root.get(f"/api/v2/keys/{created['id']}").json()["name"] == name


@ROUND_TRIP
@given(owner=OWNERS)
def test_A1_any_owner_comes_back_and_is_found(root, owner):
    created = root.create("for an owner", owner=owner)
    assert created["owner"] == owner
    found = root.get("/api/v2/keys", params={"owner": owner}).json()["keys"]
    assert created["id"] in [key["id"] for key in found]
    assert {key["owner"] for key in found} == {owner}


@ROUND_TRIP
@given(metadata=METADATA)
def test_A1_any_metadata_comes_back_as_it_was_sent(root, metadata):
    created = root.create("with metadata", metadata=metadata)
    assert created["metadata"] == metadata
    assert root.get(f"/api/v2/keys/{created['id']}").json()["metadata"] == metadata


def test_A1_defaults_are_the_callers(server, root):
    caller = root.create("caller", mode="test", scopes=["keys:write", "keys:read"])
    with server.client(caller["key"]) as own:
        made = own.create("made")
        assert made["mode"] == "test"
        assert made["scopes"] == ["keys:read", "keys:write"]
        assert is_raw_key(made["key"], mode="test")
        assert made["created_by"] == {"kind": "key", "id": caller["id"]}


def test_A1_a_key_with_an_owner_has_no_scopes_by_default(root):
    assert root.create("for a customer", owner="cust_42")["scopes"] == []
    assert root.create("both", owner="cust_42", scopes=["models:read"])["scopes"] == ["models:read"]


@pytest.mark.parametrize("mode", ["live", "test"])
def test_K1_raw_keys_have_the_promised_form(root, mode):
    seen = set()
    for _ in range(50):
        created = root.create("form", mode=mode)
        assert is_raw_key(created["key"], mode=mode) and len(created["key"]) == 48
        assert created["prefix"] == created["key"][:16]
        seen.add(created["key"])
    assert len(seen) == 50


def test_K1_another_brand_is_issued_and_the_default_brand_is_then_malformed(make_server):
    server = make_server(start=False, init=False, arguments=["--brand", "acme"])
    from support.server import run_p402

    done = run_p402("init", "--data", server.data, "--json", "--brand", "acme")
    if done.returncode == 2:  # init may leave the brand to the configuration
        done = run_p402("init", "--data", server.data, "--json", env={"P402_BRAND": "acme"})
    assert done.returncode == 0, done.stderr
    server.root_key = json.loads(done.stdout)["key"]
    assert is_raw_key(server.root_key, brand="acme")
    server.start()
    with server.client() as root:
        created = root.create("branded")
        assert is_raw_key(created["key"], brand="acme")
        assert created["prefix"] == created["key"][:16]
        assert root.code_of(created["key"]) == "valid"
        assert root.code_of("p402_live_" + created["key"][10:]) == "malformed"


# (field, accepted, refused): the limits at N and at N+1.
LIMITS = [
    ("name", "n" * 100, "n" * 101),
    ("name", "ü" * 100, "ü" * 101),
    ("name", "😀" * 100, "😀" * 101),
    ("name", "x", ""),
    ("owner", "o" * 255, "o" * 256),
    ("owner", "é" * 127 + "x", "é" * 128),
    ("scopes", ["a" * 64], ["a" * 65]),
    ("scopes", [f"{i:063d}" for i in range(16)], [f"{i:063d}" for i in range(17)]),
    ("scopes", ["a.b_c-d:e:f"], ["a:*"]),
    ("metadata", {"m": "x" * 4088}, {"m": "x" * 4089}),
    ("allowed_cidrs", [f"10.0.{i}.0/24" for i in range(64)], [f"10.0.{i}.0/24" for i in range(65)]),
]


@pytest.mark.parametrize("field,accepted,refused", LIMITS, ids=range(len(LIMITS)))
def test_A1_limits_at_n_and_n_plus_1(root, field, accepted, refused):
    body = {"name": "limit", field: accepted}
    response = root.post("/api/v2/keys", json=body)
    assert response.status_code == 201, response.text
    response = root.post("/api/v2/keys", json={**body, field: refused})
    problem = assert_problem(response, 400, "invalid_request")
    assert problem["field"].startswith(field)
    assert field in problem["detail"]


WRONG = [
    ("name", None), ("name", 7), ("name", ["x"]), ("name", "tab\there"), ("name", "nul\x00"),
    ("name", "del\x7f"), ("name", "c1\x85"), ("name", "line\nbreak"),
    ("mode", "prod"), ("mode", "LIVE"), ("mode", 1),
    ("scopes", "keys:read"), ("scopes", [1]), ("scopes", [""]), ("scopes", ["Keys:read"]),
    ("scopes", ["a b"]), ("scopes", [":a"]), ("scopes", ["a:"]), ("scopes", ["a::b"]),
    ("scopes", ["**"]), ("scopes", ["ä"]),
    ("expires_at", "tomorrow"), ("expires_at", 1767225600), ("expires_at", "2027-02-30T00:00:00Z"),
    ("expires_at", "2027-01-01"), ("expires_at", ""), ("expires_at", "2027-01-01T25:00:00Z"),
    ("metadata", []), ("metadata", "x"), ("metadata", 1),
    ("owner", 1), ("owner", ""), ("owner", "new\nline"), ("owner", "nul\x00"),
    ("allowed_cidrs", "10.0.0.0/8"), ("allowed_cidrs", ["10.0.0.1/8"]), ("allowed_cidrs", ["10.0.0.0/33"]),
    ("allowed_cidrs", ["::/129"]), ("allowed_cidrs", ["localhost"]), ("allowed_cidrs", [4]),
    ("allowed_cidrs", ["010.0.0.0/8"]), ("allowed_cidrs", ["fe80::1%eth0"]),
]


@pytest.mark.parametrize("field,value", WRONG, ids=lambda value: repr(value)[:30])
def test_B_a_wrong_field_is_refused_by_name(root, field, value):
    response = root.post("/api/v2/keys", json={"name": "wrong", field: value})
    problem = assert_problem(response, 400, "invalid_request")
    assert problem["field"].startswith(field)
    assert field in problem["detail"]


def test_A1_an_unknown_field_is_refused_by_name(root):
    response = root.post("/api/v2/keys", json={"name": "x", "expire_at": in_future(days=1)})
    problem = assert_problem(response, 400, "invalid_request")
    assert problem["field"] == "expire_at" and "expire_at" in problem["detail"]


def test_A1_a_missing_name_is_refused(root):
    assert assert_problem(root.post("/api/v2/keys", json={}), 400, "invalid_request")["field"] == "name"


def test_A1_an_expiry_in_the_past_is_refused(root):
    response = root.post("/api/v2/keys", json={"name": "x", "expires_at": "2020-01-01T00:00:00Z"})
    assert assert_problem(response, 400, "invalid_request")["field"] == "expires_at"


def test_A6_times_with_an_offset_or_fraction_are_answered_in_utc_seconds(root):
    future = now().replace(year=now().year + 1, microsecond=0, tzinfo=None)
    text = future.isoformat() + ".250+02:00"
    response = root.post("/api/v2/keys", json={"name": "offset", "expires_at": text})
    assert response.status_code == 201, response.text
    import datetime

    shifted = future.replace(tzinfo=datetime.UTC) - datetime.timedelta(hours=2)
    assert response.json()["expires_at"] == format_time(shifted)


def test_K4_a_raw_key_in_the_wrong_field_is_not_echoed(root):
    raw_key = root.create("misplaced")["key"]
    for field in ({"scopes": [raw_key]}, {"allowed_cidrs": [raw_key]}, {raw_key: 1}):
        response = root.post("/api/v2/keys", json={"name": "n", **field})
        assert response.status_code == 400
        assert raw_key[:24] not in response.text


def test_A1_scopes_are_a_set(root):
    created = root.create("set", scopes=["b", "a", "b"])
    assert created["scopes"] == ["a", "b"]


def test_K5_keys_do_not_expire_by_themselves_and_do_at_their_time(root):
    assert root.create("everlasting")["expires_at"] is None
    created = root.create("short", expires_at=in_future(seconds=2))
    assert root.code_of(created["key"]) == "valid"
    from support.wait import eventually

    eventually(lambda: root.code_of(created["key"]) == "expired", 10, "the expiry")
    assert now() >= parse_time(created["expires_at"])
    assert root.get(f"/api/v2/keys/{created['id']}").json()["status"] == "expired"


def test_R5_a_created_key_works_from_the_moment_the_answer_came(server, root):
    for _ in range(100):
        created = root.create("at once", scopes=["keys:read"])
        assert root.code_of(created["key"]) == "valid"


def test_R1_prefer_respond_async_answers_202_or_an_enforced_201(root):
    response = root.post("/api/v2/keys", json={"name": "async"}, headers={"Prefer": "respond-async"})
    assert response.status_code in (201, 202)
    body = response.json()
    assert body["enforced"] is (response.status_code == 201)
    assert is_raw_key(body["key"])
    if response.status_code == 202:
        assert isinstance(body["pending_nodes"], list)
