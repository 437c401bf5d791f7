"""What stops a start, and that it says why (S2, S5, C1)."""

import os
import socket
import sqlite3
import stat

import pytest

from support.server import RAW_KEY, Server, run_p402
from support.wait import eventually


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    assert run_p402("init", "--data", folder, "--json").returncode == 0
    return folder


def refused(*arguments, words=(), env=None):
    done = run_p402("serve", *arguments, env=env, timeout=20)
    assert done.returncode != 0
    assert "ready" not in done.stdout
    for word in words:
        assert word in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_S2_binding_elsewhere_needs_tls(data, address):
    refused("--data", data, "--listen", address, words=["--tls-cert", "--behind-tls-proxy"])


def test_S2_unless_tls_ends_before_it_or_is_ours(make_server, certificates):
    for arguments in (["--behind-tls-proxy"],):
        server = make_server(listen="0.0.0.0:0", arguments=arguments)
        assert server.stop() == 0
    cert, key = certificates("elsewhere")
    server = make_server(listen="0.0.0.0:0", arguments=["--tls-cert", str(cert), "--tls-key", str(key)])
    assert server.stop() == 0


def test_S2_ipv6_loopback(make_server):
    if not os.path.exists("/proc/net/if_inet6") or "00000000000000000000000000000001" not in open("/proc/net/if_inet6").read():
        pytest.skip("no IPv6 loopback")
    server = make_server(listen="[::1]:0")
    assert server.url.startswith("http://[::1]:")


@pytest.mark.parametrize("mode", [0o770, 0o703, 0o777])
def test_S5_a_folder_that_others_can_write_to_is_refused(data, tmp_path, mode):
    before = sorted(path.name for path in data.iterdir())
    data.chmod(mode)
    words = [str(data), f"{mode:04o}", f"chmod 700 '{data}'"]
    assert refused("--data", data, "--listen", "127.0.0.1:0", words=words).returncode == 1
    for command in (["init", "--data", data], ["restore", tmp_path / "none", "--data", data]):
        done = run_p402(*command)
        assert done.returncode == 1 and words[2] in done.stderr, done.stderr
    assert sorted(path.name for path in data.iterdir()) == before
    data.chmod(0o750)
    server = Server(data=data).start()
    try:
        assert stat.S_IMODE(data.stat().st_mode) == 0o750
    finally:
        server.close()


def test_S5_a_second_opener_fails_and_is_told_what_to_do(make_server):
    server = make_server()
    done = refused("--data", server.data, "--listen", "127.0.0.1:0", words=["--server", str(server.data)])
    assert done.returncode == 1
    done = run_p402("init", "--data", server.data, "--json")
    assert done.returncode == 1 and "--server" in done.stderr
    with server.client() as root:  # the first one never noticed
        assert root.get("/livez").status_code == 200


def test_S5_reading_the_audit_takes_no_lock(make_server):
    server = make_server()
    assert run_p402("audit", "verify", "--data", server.data).returncode == 0


def test_a_port_in_use(data):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        refused("--data", data, "--listen", address, words=[address])


def test_C1_a_port_in_use_spends_no_first_key(tmp_path):
    folder = tmp_path / "data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = refused("--data", folder, "--listen", address, words=[address])
        assert not RAW_KEY.search(done.stdout + done.stderr)
    server = Server(data=folder).start()
    try:
        eventually(lambda: RAW_KEY.search(server.output()), 10)
    finally:
        server.close()


def test_C1_a_new_store_is_said_to_be_one_and_where(tmp_path):
    """A typo in --data shows: the whole path, and that there was no store."""
    server = Server(data=os.path.relpath(tmp_path / "dta")).start()
    try:
        assert f"made a new store in {tmp_path / 'dta'}," in server.output()
    finally:
        server.close()


def test_C3_no_other_command_makes_a_store_by_a_typo(data, tmp_path):
    folder = tmp_path / "dta"
    for command in (["audit", "verify"], ["restore", data / "p402.db"]):
        done = run_p402(*command, "--data", folder)
        assert done.returncode == 1 and not folder.exists(), done.stderr


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1", "127.0.0.1:99999", ":", "localhost:x", "256.0.0.1:80"])
def test_a_bad_address(data, address):
    refused("--data", data, "--listen", address)


def test_certificates_that_do_not_load(data, certificates, tmp_path):
    cert, key = certificates("one")
    other = certificates("other")[1]
    missing = tmp_path / "missing.pem"
    refused("--data", data, "--listen", "127.0.0.1:0", "--tls-cert", missing, "--tls-key", key, words=["missing.pem"])
    refused("--data", data, "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", other)
    refused("--data", data, "--listen", "127.0.0.1:0", "--tls-cert", cert)


@pytest.mark.parametrize("arguments", [
    ["--no-such-flag"], ["--threads", "0"], ["--threads", "x"], ["--brand", "Bad_Brand"], ["--brand", "x"],
    ["--log-level", "loud"], ["--drain-time", "soon"], ["--trusted-proxy", "10.0.0.1/8"],
    ["--config", "/nowhere/p402.toml"], ["stray"],
])
def test_C_wrong_usage_is_exit_2(data, arguments):
    done = refused("--data", data, "--listen", "127.0.0.1:0", *arguments)
    assert done.returncode == 2, done.stderr


def test_a_file_that_is_no_database(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "p402.db").write_bytes(os.urandom(8192))
    refused("--data", folder, "--listen", "127.0.0.1:0", words=["p402.db"])


def test_another_programs_database(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with sqlite3.connect(folder / "p402.db") as database:
        database.execute("CREATE TABLE invoices(id INTEGER)")
    refused("--data", folder, "--listen", "127.0.0.1:0")


def test_a_newer_schema_is_refused_naming_both_versions(data):
    with sqlite3.connect(data / "p402.db") as database:
        known = database.execute("PRAGMA user_version").fetchone()[0]
        assert known > 0
        database.execute("PRAGMA user_version = 9999")
    refused("--data", data, "--listen", "127.0.0.1:0", words=["9999", str(known)])


def test_a_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    refused("--data", tmp_path / "file", "--listen", "127.0.0.1:0")


def test_S_the_data_folder_is_private(data):
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in data.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_C2_init_twice_is_refused(data):
    done = run_p402("init", "--data", data, "--json")
    assert done.returncode == 1 and not done.stdout.strip()


def test_C1_the_first_start_prints_the_first_key_once(make_server):
    import re

    server = make_server(init=False, arguments=["--public-url", "http://localhost:4020"])
    text = server.output()
    keys = set(RAW_KEY.findall(text))
    assert len(keys) == 1, text
    raw_key = keys.pop()
    assert raw_key not in server.log()
    assert len(re.findall(r"^ready http://", server.stdout_path.read_text(), re.MULTILINE)) == 1
    with server.client(raw_key) as root:
        assert root.get("/api/v2/keys/self").json()["scopes"] == ["*"]
    server.stop()
    server.stdout_path.write_text("")
    server.stderr_path.write_text("")
    server.start()
    assert not RAW_KEY.findall(server.output()) and raw_key not in server.log()


def test_C_flags_beat_the_environment_and_it_beats_the_file(tmp_path):
    """Three brands from three places: which one a new store gets tells who won."""
    def brand_of(flag=None, env=None, file=None):
        folder = tmp_path / f"d{len(list(tmp_path.iterdir()))}"
        arguments, environment = ["--brand", flag] if flag else [], {"P402_BRAND": env} if env else {}
        if file:
            config = tmp_path / "p402.toml"
            config.write_text(f'brand = "{file}"\n')
            arguments += ["--config", str(config)]
        server = Server(data=folder, arguments=arguments, env=environment)
        try:
            server.start()
            return eventually(lambda: RAW_KEY.findall(server.output()), 10)[0].split("_")[0]
        finally:
            server.close()

    assert brand_of() == "p402"
    assert brand_of(file="filed") == "filed"
    assert brand_of(file="filed", env="envir") == "envir"
    assert brand_of(file="filed", env="envir", flag="flags") == "flags"
