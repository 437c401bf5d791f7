"""Runs nginx, Caddy and HAProxy with the files of packaging/, and an application behind them."""

import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading

from support.server import REPOSITORY
from support.wait import eventually

PACKAGING = REPOSITORY / "packaging"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Application:
    """Answers every request with what it got: method, path, headers, body."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                text = json.dumps({"method": self.command, "path": self.path, "body": body,
                                   "headers": [[k.lower(), v] for k, v in self.headers.items()]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Proxy:
    """One running proxy: `app` and `keys` are (host name, port) of its two sites."""

    def __init__(self, folder, p402_port, app_port, certificate):
        self.folder, self.p402_port, self.app_port = pathlib.Path(folder), p402_port, app_port
        self.certificate = certificate
        self.port, self.tls_port = free_port(), free_port()
        self.process = None

    @property
    def app_url(self):
        """The base URL of the application's site."""
        return f"https://127.0.0.1:{self.port}"

    def adapted(self, path, replacements=()):
        """A file of packaging/ with the ports and paths of this test."""
        text = (PACKAGING / path).read_text()
        for old, new in [("127.0.0.1:4020", f"127.0.0.1:{self.p402_port}"),
                         ("127.0.0.1:8080", f"127.0.0.1:{self.app_port}"), *replacements]:
            assert old in text or old.startswith("127.0.0.1"), f"{path} has no {old!r}"
            text = text.replace(old, new)
        target = self.folder / pathlib.Path(path).name
        target.write_text(text)
        return target

    def run(self, *command):
        self.output = open(self.folder / "output", "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
                                        env={"HOME": str(self.folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

        def listening():
            assert self.process.poll() is None, (self.folder / "output").read_text()
            for port in (self.port, self.tls_port):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    return False
            return True

        eventually(listening, 20, f"{command[0]} to listen")
        return self

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


class Nginx(Proxy):
    def start(self):
        cert, key = self.certificate
        self.adapted("nginx/p402-authz.conf")
        self.adapted("nginx/p402-protect.conf")
        site = self.adapted("nginx/example.conf", [
            ("/etc/nginx/", f"{self.folder}/"), ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("/etc/ssl/app.example.com.pem", str(cert)), ("/etc/ssl/app.example.com.key", str(key))])
        # The comment of the example names /etc/nginx/conf.d/: the replacement above reaches it too.
        tls = self.adapted("nginx/p402-tls.conf", [
            ("listen 443 ssl", f"listen 127.0.0.1:{self.tls_port} ssl"),
            ("/etc/ssl/keys.example.com.pem", str(cert)), ("/etc/ssl/keys.example.com.key", str(key))])
        main = self.folder / "nginx.conf"
        main.write_text(f"""
            {"user root;" if os.geteuid() == 0 else ""}
            daemon off; pid {self.folder}/pid; error_log stderr; worker_processes 1;
            events {{ worker_connections 512; }}
            http {{
                access_log off;
                client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p;
                fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
                include {site}; include {tls};
            }}""")
        return self.run(shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(self.folder), "-c", str(main))


class Caddy(Proxy):
    @property
    def app_url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        cert, key = self.certificate
        config = self.adapted("caddy/Caddyfile", [
            ("\napp.example.com {", f"\nhttp://app.example.com:{self.port} {{"),
            ("\nkeys.example.com {", f"\nhttps://keys.example.com:{self.tls_port} {{\n\ttls {cert} {key}")])
        config.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_sni keys.example.com\n}\n" + config.read_text())
        return self.run(shutil.which("caddy") or "/usr/bin/caddy", "run", "--config", str(config), "--adapter", "caddyfile")


class Haproxy(Proxy):
    def start(self):
        cert, key = self.certificate
        self.port = self.tls_port  # both sites are on one port, told apart by the host
        self.adapted("haproxy/p402.lua")
        both = self.folder / "both.pem"
        both.write_bytes(cert.read_bytes() + key.read_bytes())
        config = self.adapted("haproxy/haproxy.cfg", [
            ("/etc/haproxy/p402.lua", f"{self.folder}/p402.lua"), ("/etc/haproxy/app.example.com.pem", str(both)),
            ("/etc/haproxy/keys.example.com.pem", str(both)), ("bind :443", f"bind 127.0.0.1:{self.tls_port}")])
        return self.run(shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(config))


PROXIES = {"nginx": Nginx, "caddy": Caddy, "haproxy": Haproxy}
PROGRAMS = {"nginx": "/usr/sbin/nginx", "caddy": "/usr/bin/caddy", "haproxy": "/usr/sbin/haproxy"}
