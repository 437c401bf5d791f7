"""Stores that bench/make_store made: they are like any other, and their raw keys follow from a seed.

The derivation is written down a second time here, as a load program would do it.
"""

import hashlib
import pathlib
import subprocess
import zlib

import pytest

from support.server import P402_BIN, run_p402

MAKE_STORE = pathlib.Path(P402_BIN).parent / "bench/make_store"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def raw_key(seed, number):
    digest = hashlib.sha256(f"p402-bench-key {seed} {number}".encode()).digest()
    text = "p402_live_" + "".join(ALPHABET[byte % 62] for byte in digest)
    checksum, tail = zlib.crc32(text.encode()), ""
    for _ in range(6):
        checksum, digit = divmod(checksum, 62)
        tail = ALPHABET[digit] + tail
    return text + tail


def make_store(folder, keys, *options):
    done = subprocess.run([MAKE_STORE, "--data", folder, "--keys", str(keys), *options],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("options", [(), ("--history",)])
def test_a_made_store_is_like_any_other(make_server, options):
    server = make_server(start=False, init=False)
    root_key = make_store(server.data, 2000, "--seed", "7", *options)
    assert root_key == raw_key(7, 0)
    verdict = run_p402("audit", "verify", "--data", server.data)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    server.root_key = root_key
    server.start()
    with server.client() as root:
        for number in (0, 1, 2, 3, 1998, 1999):
            answer = root.post("/api/v2/keys/verify", json={"key": raw_key(7, number)}).json()
            assert answer["valid"], (number, answer)
        unknown = root.post("/api/v2/keys/verify", json={"key": raw_key(7, 2000)}).json()
        assert unknown["code"] == "not_found"
        made = root.post("/api/v2/keys", json={"name": "one more"})
        assert made.status_code == 201 and made.json()["enforced"]
    assert server.stop() == 0
    assert run_p402("audit", "verify", "--data", server.data).returncode == 0
