"""Fixtures of the functional tests: black-box tests against the real binary.

P402_BIN    the binary (default: build/release/p402)
P402_PRISM  1: requests of eligible tests go through `prism proxy docs/openapi.yaml`, which fails
            every answer that the description does not allow; prism_excluded.txt lists the others
P402_SCALE  fewer repetitions in the mass tests, for sanitizer builds (0.1)
"""

import os
import pathlib
import subprocess

import pytest

from support.server import P402_BIN, Server


def pytest_configure(config):
    if not os.access(P402_BIN, os.X_OK):
        raise pytest.UsageError(f"no binary at {P402_BIN}: run script/build, or set P402_BIN")


def _excluded_from_prism():
    lines = (pathlib.Path(__file__).parent / "prism_excluded.txt").read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


PRISM_EXCLUDED = _excluded_from_prism()


@pytest.fixture(autouse=True)
def _prism_choice(request):
    """Tests outside of prism_excluded.txt go through Prism, if it was asked for."""
    node = f"{request.path.name}::{request.node.name}"
    Server.prism_wanted = not any(node.startswith(prefix) for prefix in PRISM_EXCLUDED)


@pytest.fixture(scope="module")
def server():
    """A server that the tests of one file share: make your own keys, look only at those."""
    instance = Server().init().start()
    yield instance
    instance.close()


@pytest.fixture
def root(server):
    """A client with the first key; goes through Prism when the test is eligible."""
    with server.client() as instance:
        yield instance


@pytest.fixture
def make_server():
    """Makes servers of one's own: make_server(arguments=[…], …) has init() done and serves."""
    made = []

    def make(start=True, init=True, **options):
        instance = Server(**options)
        made.append(instance)
        if init:
            instance.init()
        return instance.start() if start else instance

    yield make
    for instance in made:
        instance.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Makes self-signed certificates for localhost: certificates("name") gives (cert, key)."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name, days=30):
        cert, key = folder / f"{name}.pem", folder / f"{name}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-out", cert, "-days", str(days), "-subj", f"/CN={name}",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True)
        return cert, key

    return make
