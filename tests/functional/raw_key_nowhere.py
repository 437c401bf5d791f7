"""The raw key is in exactly one place: the response that created it (K4)."""

import os
import re

import pytest

from support.formats import fake_raw_key
from support.raw_http import exchange
from support.server import run_p402
from support.wait import eventually


def memory_contains(pid, needles):
    """Which of the byte strings are in the writable memory of a process. The needles are never
    searched for in this process's own copy."""
    found = set()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            start, end, rights = int(match[1], 16), int(match[2], 16), match[3]
            if "w" not in rights or "[v" in line:
                continue
            position, tail = start, b""
            while position < end:
                try:
                    memory.seek(position)
                    block = memory.read(min(8 << 20, end - position))
                except OSError:
                    break
                if not block:
                    break
                window = tail + block
                found |= {needle for needle in needles if needle in window}
                tail, position = window[-64:], position + len(block)
    return found


def files_below(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(path, name)


@pytest.fixture(scope="module")
def used(server):
    """Raw keys that were created and presented in every way; all answers have been sent."""
    keys = []
    with server.client() as root:
        for i in range(20):
            keys.append(root.create(f"needle {i}", metadata={"marker": f"mark-{i}-3f9a"})["key"])
        old = root.create("old")
        keys += [old["key"], root.post(f"/api/v2/keys/{old['id']}/rotate", json={"grace": "1h"}).json()["key"]]
        account = root.post("/api/v2/accounts", json={"name": "second"}).json()
        keys.append(account["key"]["key"])
        idempotent = root.post("/api/v2/keys", json={"name": "i"}, headers={"Idempotency-Key": "needle"}).json()["key"]
        keys.append(idempotent)
        root.post("/api/v2/keys", json={"name": "i"}, headers={"Idempotency-Key": "needle"})
        for key in keys:
            root.code_of(key)
            root.post("/api/v2/keys/verify", json={"key": key, "unknown": 1})  # an error about it
    unknown = [fake_raw_key(f"Unknown0unknown0unknown0unknow{i:02d}") for i in range(10)]
    for key in keys + unknown:
        with server.client(key) as own:
            own.get("/api/v2/keys/self")
            own.get("/authz/default")
        exchange(server.address, f"GET /authz/default HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n".encode())
        exchange(server.address, f"GET /x?key={key} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        exchange(server.address, f"POST /api/v2/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n"
                                 f"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx".encode())
    return keys, unknown


def needles_of(keys, parts=((26, 38),)):
    """Parts of what lies behind the shown prefix, so that a freed or half-wiped copy is found too."""
    return {key[start:end].encode() for key in keys for start, end in parts}


@pytest.mark.measured
def test_K4_not_in_the_memory_of_the_server(server, used):
    keys, unknown = used
    if os.geteuid() != 0:
        pytest.skip("reading the memory of a process that is not dumpable needs root")
    import hashlib

    digests = {hashlib.sha256(key.encode()).digest() for key in keys}
    # The control: the same scan finds what must be there, the digests of every key.
    assert memory_contains(server.pid, digests) == digests
    needles = needles_of(keys + unknown + [server.root_key])
    eventually(lambda: not memory_contains(server.pid, needles), 5,
               "the end of every raw key in memory")


@pytest.mark.measured
@pytest.mark.parametrize("way", ["create", "rotate", "bearer", "verify", "authz", "api key", "account", "refused"])
def test_K4_gone_from_memory_right_after_each_answer(server, root, way):
    """One request, then at once a look: nothing else has had the time to overwrite what is left."""
    if os.geteuid() != 0:
        pytest.skip("reading the memory of a process that is not dumpable needs root")
    old = root.create("old")
    with server.connect() as connection:
        def ask(method, path, body="", key=server.root_key, header="Authorization: Bearer "):
            kind = "Content-Type: application/json\r\n" if body else ""
            return connection.exchange((f"{method} {path} HTTP/1.1\r\nHost: a\r\n{header}{key}\r\n{kind}"
                                        f"Content-Length: {len(body)}\r\n\r\n{body}").encode())

        if way == "create":
            raw_key = ask("POST", "/api/v2/keys", '{"name":"x"}').json()["key"]
        elif way == "rotate":
            raw_key = ask("POST", f"/api/v2/keys/{old['id']}/rotate", '{"grace":"1h"}').json()["key"]
        elif way == "account":
            raw_key = ask("POST", "/api/v2/accounts", '{"name":"x"}').json()["key"]["key"]
        else:
            raw_key = old["key"]
            if way == "bearer":
                ask("GET", "/api/v2/keys/self", key=raw_key)
            elif way == "verify":
                ask("POST", "/api/v2/keys/verify", '{"key":"%s"}' % raw_key)
            elif way == "authz":
                ask("GET", "/authz/default", key=raw_key)
            elif way == "api key":
                ask("GET", "/authz/default", key=raw_key, header="X-API-Key: ")
            else:
                ask("POST", "/api/v2/keys/verify", '{"key":"%s","x":1}' % raw_key)
        # The connection stays open: its buffers are still there. The server may wipe a moment after
        # the client has read, so two looks.
        needles = needles_of([raw_key], ((16, 28), (26, 38), (34, 46)))
        if memory_contains(server.pid, needles):
            left = memory_contains(server.pid, needles)
            assert not left, f"{len(left)} pieces of the key are left in memory"


def test_K4_not_in_files_log_or_output(server, used):
    keys, unknown = used
    needles = needles_of(keys + unknown)
    names, seen = {f"needle {i}".encode() for i in range(20)}, set()
    for path in [*files_below(server.folder), *files_below(server.data)]:
        content = open(path, "rb").read()
        assert not [needle for needle in needles if needle in content], path
        seen |= {name for name in names if name in content}
    assert seen == names  # the control: the names are found


def test_K4_not_in_metrics_lists_or_audit(server, root, used):
    keys, unknown = used
    text = "".join(root.get(path).text for path in (
        "/metrics", "/api/v2/keys?limit=1000", "/api/v2/audit?limit=1000", "/api/v2/accounts", "/readyz", "/livez"))
    assert "needle 3" in text
    for needle in needles_of(keys + unknown):
        assert needle.decode() not in text


def test_K4_not_in_arguments_or_environment(server, used):
    for name in ("cmdline", "environ"):
        content = open(f"/proc/{server.pid}/{name}", "rb").read()
        assert not any(needle in content for needle in needles_of(used[0]))


def test_K4_cores_are_off_and_the_process_is_not_dumpable(server):
    limits = open(f"/proc/{server.pid}/limits").read()
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE)
    # A process that is not dumpable belongs to root in /proc.
    if os.geteuid() != 0:
        assert os.stat(f"/proc/{server.pid}/environ").st_uid == 0


def test_K4_the_first_key_is_not_in_the_data_folder(make_server):
    server = make_server(start=False)
    for path in files_below(server.data):
        assert server.root_key.encode() not in open(path, "rb").read()


def test_K4_the_command_line_keeps_a_key_from_standard_input_out_of_sight(server, root, tmp_path):
    key = root.create("cli")["key"]
    done = run_p402("keys", "verify", "--json", stdin=key,
                    env={"P402_URL": server.url, "P402_API_KEY": server.root_key, "HOME": str(tmp_path)})
    assert done.returncode == 0 and key not in done.stdout + done.stderr
