"""No escalation (A2, A8): every caller against every target and every wish, for create, PATCH,
rotate and DELETE. What is expected comes from an oracle of its own: the rules of the contract,
written down a second time below."""

import dataclasses
import datetime
import ipaddress

import pytest

from support.formats import format_time, now

NEAR = format_time(now() + datetime.timedelta(days=10))
FAR = format_time(now() + datetime.timedelta(days=20))


@dataclasses.dataclass(frozen=True)
class Grant:
    """What a key may do. `expires` None: never; `cidrs` (): from anywhere."""

    account: int = 1
    mode: str = "live"
    scopes: tuple = ("*",)
    expires: str | None = None
    cidrs: tuple = ()

    def body(self):
        body = {"mode": self.mode, "scopes": list(self.scopes), "allowed_cidrs": list(self.cidrs)}
        return {**body, "expires_at": self.expires} if self.expires else body

    def label(self):
        return f"a{self.account}-{self.mode}-{'+'.join(self.scopes)}-{(self.expires or 'ever')[:10]}-{'+'.join(self.cidrs)}"


LOOP4, LOOP8 = ("127.0.0.1/32",), ("127.0.0.0/8",)
WRITE = ("keys:write",)

CALLERS = [
    Grant(),
    Grant(scopes=("keys:write", "a", "b")),
    Grant(scopes=("keys:write", "a"), expires=NEAR),
    Grant(scopes=("keys:write", "a"), cidrs=LOOP8),
    Grant(scopes=("a", "b")),
    Grant(mode="test"),
    Grant(mode="test", scopes=("keys:write", "a"), expires=NEAR, cidrs=LOOP8),
    Grant(account=2),
    Grant(account=2, scopes=("keys:write", "a", "b")),
]
TARGETS = [
    Grant(),
    Grant(scopes=()),
    Grant(scopes=("a",)),
    Grant(scopes=("a",), expires=NEAR, cidrs=LOOP8),
    Grant(scopes=("a",), expires=FAR, cidrs=LOOP8),
    Grant(scopes=("a",), expires=NEAR, cidrs=LOOP4),
    Grant(scopes=("a", "b")),
    Grant(scopes=("keys:write", "a", "b", "c")),
    Grant(mode="test", scopes=("a",)),
    Grant(mode="test", scopes=("a",), expires=NEAR, cidrs=LOOP4),
    Grant(mode="test"),
    Grant(account=2, scopes=("a",)),
    Grant(account=2, mode="test", scopes=("a",)),
]
# What a PATCH asks for.
PATCHES = [
    {"name": "renamed"},
    {"scopes": ["a"]},
    {"scopes": ["a", "c"]},
    {"scopes": ["*"]},
    {"expires_at": NEAR},
    {"expires_at": FAR},
    {"expires_at": None},
    {"allowed_cidrs": ["127.0.0.1/32"]},
    {"allowed_cidrs": []},
    {"disabled": True},
]


# -- the oracle --------------------------------------------------------------------------------
def covers(caller, scopes):
    return "*" in caller.scopes or set(scopes) <= set(caller.scopes)


def networks_within(inner, outer):
    if not outer:
        return True
    if not inner:
        return False
    nets = [ipaddress.ip_network(text) for text in outer]
    return all(any(ipaddress.ip_network(text).subnet_of(net) for net in nets) for text in inner)


def within(caller, result):
    """The result's scopes, expiry, CIDRs and mode lie within the caller's own."""
    if caller.mode == "test" and result.mode != "test":
        return False
    if caller.expires and (result.expires is None or result.expires > caller.expires):
        return False
    return covers(caller, result.scopes) and networks_within(result.cidrs, caller.cidrs)


def may_write(caller):
    return covers(caller, WRITE)


def sees(caller, target):
    return caller.account == target.account and (caller.mode == "live" or target.mode == "test")


def expected_create(caller, wish):
    if not may_write(caller):
        return 403, "insufficient_scope"
    return (201, None) if within(caller, wish) else (403, "escalation")


def expected_change(caller, target, result):
    """PATCH and rotate: `result` is what the key, or its successor, would be."""
    if not may_write(caller):
        return 403, "insufficient_scope"
    if not sees(caller, target):
        return 404, "not_found"
    if not covers(caller, target.scopes) or not within(caller, result):
        return 403, "escalation"
    return 200, None


def expected_delete(caller, target):
    if not may_write(caller):
        return 403, "insufficient_scope"
    if not sees(caller, target):
        return 404, "not_found"
    return (200, None) if covers(caller, target.scopes) else (403, "escalation")


def after_patch(target, patch):
    changes = {}
    if "scopes" in patch:
        changes["scopes"] = tuple(patch["scopes"])
    if "expires_at" in patch:
        changes["expires"] = patch["expires_at"]
    if "allowed_cidrs" in patch:
        changes["cidrs"] = tuple(patch["allowed_cidrs"])
    return dataclasses.replace(target, **changes)


# -- the table ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def house(server):
    """The first key of each account, and a client for every caller."""
    roots = {1: server.client()}
    made = roots[1].post("/api/v2/accounts", json={"name": "second"}).json()
    roots[2] = server.client(made["key"]["key"])
    callers = {}
    for grant in CALLERS:
        key = roots[grant.account].create("caller", **grant.body())
        callers[grant] = server.client(key["key"])
    yield roots, callers
    for client in [*roots.values(), *callers.values()]:
        client.close()


def check(response, expected, context):
    status, code = expected
    assert response.status_code == status, (context, response.text)
    if code:
        assert response.json()["code"] == code, (context, response.text)


@pytest.mark.parametrize("caller", CALLERS, ids=Grant.label)
def test_A2_create(house, caller):
    _, callers = house
    for wish in TARGETS:
        if wish.account != 1:
            continue  # the account is always the caller's: a body cannot name one
        wish = dataclasses.replace(wish, account=caller.account)
        response = callers[caller].post("/api/v2/keys", json={"name": "wish", **wish.body()})
        check(response, expected_create(caller, wish), (caller, wish))
        if response.status_code == 201:
            made = response.json()
            assert (made["mode"], made["scopes"]) == (wish.mode, sorted(wish.scopes))
            assert (made["expires_at"], tuple(made["allowed_cidrs"])) == (wish.expires, wish.cidrs)


@pytest.mark.parametrize("caller", CALLERS, ids=Grant.label)
def test_A2_patch(house, caller):
    roots, callers = house
    for target in TARGETS:
        for patch in PATCHES:
            key = roots[target.account].create("target", **target.body())
            path = f"/api/v2/keys/{key['id']}"
            before = roots[target.account].get(path).json()
            response = callers[caller].patch(path, json=patch)
            expected = expected_change(caller, target, after_patch(target, patch))
            check(response, expected, (caller, target, patch))
            if response.status_code != 200:
                assert roots[target.account].get(path).json() == before


@pytest.mark.parametrize("caller", CALLERS, ids=Grant.label)
def test_A2_rotate(house, caller):
    roots, callers = house
    for target in TARGETS:
        key = roots[target.account].create("target", **target.body())
        path = f"/api/v2/keys/{key['id']}"
        before = roots[target.account].get(path).json()
        response = callers[caller].post(f"{path}/rotate", json={"grace": "0"})
        status, code = expected_change(caller, target, target)
        check(response, (201 if status == 200 else status, code), (caller, target))
        if response.status_code != 201:
            assert roots[target.account].get(path).json() == before


@pytest.mark.parametrize("caller", CALLERS, ids=Grant.label)
def test_A2_delete(house, caller):
    roots, callers = house
    for target in TARGETS:
        key = roots[target.account].create("target", **target.body())
        response = callers[caller].delete(f"/api/v2/keys/{key['id']}")
        check(response, expected_delete(caller, target), (caller, target))
        status = roots[target.account].get(f"/api/v2/keys/{key['id']}").json()["status"]
        assert status == ("revoked" if response.status_code == 200 else "active")


@pytest.mark.parametrize("caller", CALLERS, ids=Grant.label)
def test_A8_get(house, caller):
    roots, callers = house
    for target in TARGETS:
        key = roots[target.account].create("target", **target.body())
        response = callers[caller].get(f"/api/v2/keys/{key['id']}")
        if not covers(caller, ("keys:read",)):
            check(response, (403, "insufficient_scope"), (caller, target))
        elif not sees(caller, target):
            check(response, (404, "not_found"), (caller, target))
        else:
            assert response.status_code == 200


def test_A2_defaults_never_escalate(house):
    """A create that says nothing about expiry and networks asks for everything: it is refused, or
    made within the caller's own; never wider."""
    _, callers = house
    for caller in CALLERS:
        response = callers[caller].post("/api/v2/keys", json={"name": "defaults"})
        if response.status_code != 201:
            assert response.status_code == 403
            continue
        made = response.json()
        result = Grant(caller.account, made["mode"], tuple(made["scopes"]), made["expires_at"],
                       tuple(made["allowed_cidrs"]))
        assert within(caller, result), (caller, result)
        assert (made["mode"], tuple(sorted(caller.scopes))) == (caller.mode, tuple(made["scopes"]))
