"""TLS 1.2 and 1.3, and a new certificate without a restart (S3)."""

import shutil
import signal
import socket
import ssl

import httpx
import pytest

from support.wait import eventually


def context(cert, least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3):
    made = ssl.create_default_context(cafile=str(cert))
    made.minimum_version, made.maximum_version = least, most
    return made


def served_name(address):
    """The common name of the certificate that a new connection gets."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(address, timeout=10) as tcp:
        with plain.wrap_socket(tcp, server_hostname="localhost") as tls:
            der = tls.getpeercert(binary_form=True)
    return [name for name in (b"first", b"second") if b"\x0c" + bytes([len(name)]) + name in der][0].decode()


@pytest.fixture
def tls_server(make_server, certificates, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    first = certificates("first")
    shutil.copy(first[0], cert)
    shutil.copy(first[1], key)
    server = make_server(arguments=["--tls-cert", str(cert), "--tls-key", str(key)])
    return server, cert, key, certificates("second")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_S3_tls_1_2_and_1_3_and_nothing_older(tls_server):
    server, cert, _, _ = tls_server
    assert server.url.startswith("https://")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with httpx.Client(verify=context(cert, version, version), trust_env=False) as client:
            response = client.get(f"https://localhost:{server.address[1]}/api/v2/keys",
                                  headers={"Authorization": f"Bearer {server.root_key}"})
            assert response.status_code == 200
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(server.address, timeout=10) as tcp:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            old.wrap_socket(tcp, server_hostname="localhost")


def test_S3_a_new_certificate_without_a_restart(tls_server):
    server, cert, key, second = tls_server
    assert served_name(server.address) == "first"
    with server.connect() as raw:
        kept = context(cert).wrap_socket(raw.socket, server_hostname="localhost")
        shutil.copy(second[0], cert)
        shutil.copy(second[1], key)
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: served_name(server.address) == "second", 10, "the new certificate")
        # A connection that was open goes on.
        kept.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")
    assert server.process.poll() is None


def test_S3_a_bad_certificate_keeps_the_old_one(tls_server):
    server, cert, key, second = tls_server
    shutil.copy(second[0], cert)  # does not fit the private key
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "error" in server.log() or "warning" in server.log(), 10, "a line in the log")
    assert served_name(server.address) == "first"
    cert.write_text("rubbish")
    server.process.send_signal(signal.SIGHUP)
    assert served_name(server.address) == "first"
    shutil.copy(second[0], cert)
    shutil.copy(second[1], key)
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: served_name(server.address) == "second", 10)


def test_S3_plain_text_on_the_tls_port_is_no_harm(tls_server):
    server = tls_server[0]
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"\x00" * 500):
        with server.connect() as connection:
            connection.send(data)
            while connection._more():
                pass
    assert served_name(server.address) == "first"
