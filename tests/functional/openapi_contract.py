"""openapi.yaml describes every route and nothing else, and live answers fit it (A9)."""

import json

import httpx
import pytest
import yaml

from support.formats import fake_raw_key
from support.schema import Checker
from support.server import REPOSITORY

TEXT = (REPOSITORY / "docs/openapi.yaml").read_text() if (REPOSITORY / "docs/openapi.yaml").exists() else "{}"
DOCUMENT = yaml.safe_load(TEXT)
METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
OPERATIONS = [(method, path) for path, item in DOCUMENT.get("paths", {}).items() for method in METHODS if method in item]


@pytest.fixture(scope="module")
def examples(server):
    """A key of each kind that the routes need."""
    with server.client() as root:
        return {"key": root.create("openapi"), "weak": root.create("weak", scopes=[])}


def check_answer(method, path, response):
    """The status is described for this operation, and headers and body fit the description."""
    checker = Checker(DOCUMENT)
    operation = DOCUMENT["paths"][path][method]
    answers = operation["responses"]
    status = str(response.status_code)
    described = answers.get(status) or answers.get(f"{status[0]}XX") or answers.get("default")
    assert described, f"{method} {path}: {status} is not described: {response.text[:300]}"
    described = checker.resolve(described)
    for name, header in described.get("headers", {}).items():
        header = checker.resolve(header)
        if header.get("required"):
            assert name.lower() in response.headers, f"{method} {path} {status}: no header {name}"
        if name.lower() in response.headers and "schema" in header:
            schema, text = checker.resolve(header["schema"]), response.headers[name]
            checker.check(schema, int(text) if schema.get("type") == "integer" else text, name)
    content = described.get("content", {})
    if not content:
        assert not response.content, f"{method} {path} {status}: a body that is not described"
        return
    if method == "head":
        return
    kind = response.headers["content-type"].split(";")[0]
    assert kind in content, f"{method} {path} {status}: {kind} is not described"
    if kind.endswith("json"):
        checker.check(content[kind].get("schema", {}), response.json())


def filled(path, examples, route="default"):
    return path.replace("{id}", examples["key"]["id"]).replace("{route}", route)


BODIES = {
    ("post", "/api/v2/keys"): {"name": "from openapi", "owner": "cust", "metadata": {"a": 1}, "scopes": ["a"]},
    ("patch", "/api/v2/keys/{id}"): {"name": "renamed"},
    ("post", "/api/v2/keys/{id}/rotate"): {"grace": "1h"},
    ("post", "/api/v2/keys/verify"): {"key": fake_raw_key()},
    ("post", "/api/v2/accounts"): {"name": "from openapi"},
    ("post", "/api/v2/audit/prune"): {"older_than": "90d"},
}


def test_A9_the_file_is_openapi_3_1_and_is_served(server):
    assert DOCUMENT["openapi"].startswith("3.1")
    response = httpx.get(server.url + "/openapi.yaml", trust_env=False)
    assert response.status_code == 200
    assert response.text == TEXT
    assert "yaml" in response.headers["content-type"]


def test_A9_every_agreed_route_is_described():
    agreed = {
        "/api/v2/keys": {"get", "post"}, "/api/v2/keys/{id}": {"get", "patch", "delete"}, "/api/v2/keys/self": {"get"},
        "/api/v2/keys/{id}/rotate": {"post"}, "/api/v2/keys/verify": {"post"}, "/api/v2/accounts": {"get", "post"},
        "/api/v2/audit": {"get"}, "/api/v2/audit/verify": {"get"}, "/api/v2/audit/anchor": {"post"},
        "/api/v2/audit/prune": {"post"}, "/api/v2/backup": {"post"}, "/livez": {"get"}, "/readyz": {"get"},
        "/openapi.yaml": {"get"}, "/metrics": {"get"},
    }
    described = {path: {m for p, m in [(p, m) for m, p in OPERATIONS] if p == path} for path in DOCUMENT["paths"]}
    for path, methods in agreed.items():
        assert methods <= described.get(path, set()), path
    assert any(path.startswith("/authz/") for path in described)


@pytest.mark.parametrize("method,path", OPERATIONS)
def test_A9_every_route_answers_as_described(server, root, examples, method, path):
    if method == "delete":
        with server.client() as own:
            target = {"key": own.create("to be revoked")}
    else:
        target = examples
    response = root.request(method.upper(), filled(path, target), json=BODIES.get((method, path)))
    assert response.status_code < 300, response.text
    check_answer(method, path, response)


@pytest.mark.parametrize("method,path", OPERATIONS)
def test_A9_every_refusal_is_described(server, root, examples, method, path):
    public = path in ("/livez", "/readyz", "/openapi.yaml")
    body = BODIES.get((method, path))
    callers = [server.client(""), server.client(fake_raw_key()), server.client(examples["weak"]["key"])]
    for caller in callers:
        with caller:
            response = caller.request(method.upper(), filled(path, examples), json=body)
            if not public and not (path == "/api/v2/keys/self" or path.startswith("/authz/")):
                assert response.status_code in (401, 403), response.text
            check_answer(method, path, response)
    if "{id}" in path:
        unknown = {"key": {"id": "key_01jx0000000000000000000000"}}
        check_answer(method, path, root.request(method.upper(), filled(path, unknown), json=body))
    if "{route}" in path:
        check_answer(method, path, root.request(method.upper(), filled(path, examples, "nowhere")))
    if body is not None:
        for content in ("{", "[]", '{"nonsense":1}'):
            response = root.request(method.upper(), filled(path, examples), content=content,
                                    headers={"Content-Type": "application/json"})
            assert response.status_code == 400, response.text
            check_answer(method, path, response)
        check_answer(method, path, root.request(method.upper(), filled(path, examples), content="x",
                                                headers={"Content-Type": "text/plain"}))
        check_answer(method, path, root.request(method.upper(), filled(path, examples), content="x" * 70000,
                                                headers={"Content-Type": "application/json"}))


def test_A9_lists_errors_and_conflicts_fit_too(server, root):
    key = root.create("conflict", metadata={"deep": [{"a": None}]}, allowed_cidrs=["10.0.0.0/8"], scopes=["a"])
    root.request("DELETE", f"/api/v2/keys/{key['id']}", json={"reason": "why"})
    check_answer("get", "/api/v2/keys", root.get("/api/v2/keys", params={"limit": 2}))
    check_answer("get", "/api/v2/keys", root.get("/api/v2/keys", params={"limit": 0}))
    check_answer("get", "/api/v2/keys/{id}", root.get(f"/api/v2/keys/{key['id']}"))
    check_answer("patch", "/api/v2/keys/{id}", root.patch(f"/api/v2/keys/{key['id']}", json={"name": "x"}))
    check_answer("post", "/api/v2/keys/{id}/rotate", root.post(f"/api/v2/keys/{key['id']}/rotate", json={"grace": "0"}))
    for _ in range(2):
        response = root.post("/api/v2/keys", json={"name": "i"}, headers={"Idempotency-Key": "openapi"})
        check_answer("post", "/api/v2/keys", response)
    response = root.post("/api/v2/keys", json={"name": "j"}, headers={"Idempotency-Key": "openapi"})
    assert response.status_code == 422
    check_answer("post", "/api/v2/keys", response)
    for key_text in (key["key"], "nonsense", fake_raw_key()):
        check_answer("post", "/api/v2/keys/verify", root.post("/api/v2/keys/verify", json={"key": key_text}))
    check_answer("get", "/api/v2/audit", root.get("/api/v2/audit", params={"limit": 3}))


def test_A9_the_description_and_the_documentation_know_the_same_codes():
    page = (REPOSITORY / "docs/errors.md").read_text()
    for code in ("invalid_request", "unauthenticated", "malformed", "not_found", "revoked", "disabled", "expired",
                 "ip_not_allowed", "insufficient_scope", "escalation", "method_not_allowed", "already_created",
                 "key_revoked", "key_expired", "body_too_large", "uri_too_long", "unsupported_media_type",
                 "idempotency_mismatch", "too_many_requests", "header_too_large", "internal", "not_ready",
                 "store_unavailable"):
        assert f"`{code}`" in page, code
        assert code in TEXT, code


def test_the_checker_can_say_no():
    checker = Checker({"components": {"schemas": {"A": {"type": "string"}}}})
    assert not checker.fits({"$ref": "#/components/schemas/A"}, 5)
    assert not checker.fits({"type": "object", "required": ["a"]}, {})
    assert not checker.fits({"type": ["string", "null"], "format": "date-time"}, "2026-01-01T00:00:00.5Z")
    assert not checker.fits({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, {"b": 1})
    assert checker.fits({"type": "array", "items": {"enum": ["a"]}}, json.loads('["a"]'))
