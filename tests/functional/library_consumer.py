"""libp402 as others use it: installed into a folder of its own, found by CMake and by pkg-config, linked as a
shared and as a static library, from C and from C++ (V5, and the parts of R1, R4 and S5 that are in the process).

The programs are in tests/consumer/, examples/ and docs/guides/library.md.
"""

import os
import pathlib
import re
import shlex
import subprocess

import pytest

from support.server import P402_BIN, REPOSITORY, clean_environment

pytestmark = pytest.mark.measured

BUILD = pathlib.Path(P402_BIN).resolve().parent
CONSUMERS = REPOSITORY / "tests/consumer"
GUIDE = REPOSITORY / "docs/guides/library.md"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


class Installed:
    """What `cmake --install` has put somewhere."""

    def __init__(self, prefix):
        self.prefix = prefix
        run("cmake", "--install", BUILD, "--prefix", prefix)
        self.lib = next(prefix.glob("lib/**/libp402.a")).parent
        self.shared = self.lib / "libp402.so"
        self.environment = clean_environment(PKG_CONFIG_PATH=str(self.lib / "pkgconfig"),
                                             LD_LIBRARY_PATH=str(self.lib))

    def flags(self, kind):
        static = ["--static"] if kind == "static" else []
        done = run("pkg-config", *static, "--cflags", "--libs", "p402", env=self.environment)
        return shlex.split(done.stdout.replace("-lp402", "-l:libp402.a") if static else done.stdout)

    def compile(self, source, program, kind="shared"):
        compiler = ["gcc", "-std=c99"] if source.suffix == ".c" else ["g++", "-std=c++20"]
        run(*compiler, *STRICT, source, "-o", program, *self.flags(kind), env=self.environment)
        return program


def run(*command, env=None, stdin="", code=0):
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True,
                          timeout=120, env=env or clean_environment())
    assert done.returncode == code, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def needed_by(program):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program).stdout)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed"))


# --- What is installed --------------------------------------------------------------------------------------


def test_V5_everything_is_where_it_belongs(installed):
    prefix = installed.prefix
    assert "p402" in run(prefix / "bin/p402", "version").stdout
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    lib = installed.lib.relative_to(prefix)
    expected = {"bin/p402", "share/man/man1/p402.1", "lib/systemd/system/p402.service",
                "share/bash-completion/completions/p402", "share/zsh/site-functions/_p402",
                "share/fish/vendor_completions.d/p402.fish", "include/p402/c.h", "include/p402/keys.h",
                f"{lib}/libp402.so", f"{lib}/libp402.so.0", f"{lib}/libp402.a", f"{lib}/pkgconfig/p402.pc",
                f"{lib}/cmake/p402/p402-config.cmake", f"{lib}/cmake/p402/p402-config-version.cmake"}
    assert expected <= files
    assert {path.split("/")[0] for path in files} == {"bin", "include", "lib", "share"}
    completion = (prefix / "share/bash-completion/completions/p402").read_text()
    assert "complete" in completion and "keys" in completion


def test_V5_the_shared_library_shows_its_api_and_nothing_else(installed):
    """The exported symbols are those that c.h declares."""
    declared = set(re.findall(r"^P402_API [^(;]*?\b(p402_\w+)\(", (installed.prefix / "include/p402/c.h").read_text(),
                              re.MULTILINE))
    lines = run("nm", "-D", "--defined-only", installed.shared).stdout.splitlines()
    symbols = {line.split()[-1].split("@")[0] for line in lines if " A " not in line}
    assert symbols == declared
    assert len(declared) == 11
    soname = re.search(r"\(SONAME\).*\[(.*)\]", run("readelf", "-d", installed.shared).stdout)
    assert soname.group(1) == "libp402.so.0"


def test_V5_the_headers_need_the_standard_library_only(installed):
    for header in (installed.prefix / "include/p402").iterdir():
        for include in re.findall(r'#include [<"]([^>"]+)[>"]', header.read_text()):
            assert include == "p402/c.h" or re.fullmatch(r"[a-z_]+(\.h)?", include), f"{header}: {include}"


# --- Programs that are built against it ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["shared", "static"])
@pytest.mark.parametrize("language", ["c", "cpp"])
def test_V5_a_cmake_project_finds_and_uses_it(installed, tmp_path, language, kind):
    target = {"shared": "p402::p402", "static": "p402::p402_static"}[kind]
    run("cmake", "-S", CONSUMERS / language, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed.prefix}",
        f"-DLIBRARY={target}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", tmp_path / "build")
    program = tmp_path / "build/consumer"
    assert ("libp402.so.0" in needed_by(program)) == (kind == "shared")
    done = run(program, tmp_path / "data")
    assert done.stdout.endswith("ok\n")
    if language == "c":
        assert "allocations in 10000 valid verifications: 0\n" in done.stdout


@pytest.mark.parametrize("kind", ["shared", "static"])
def test_V5_pkg_config_tells_how_to_link_it(installed, tmp_path, kind):
    for name in ("verify.c", "verify.cc"):
        program = installed.compile(REPOSITORY / "examples" / name, tmp_path / name.replace(".", "_"), kind)
        if kind == "shared":
            assert [name for name in needed_by(program) if name.startswith("libp402")] == ["libp402.so.0"]
    done = run(tmp_path / "verify_cc", tmp_path / "data", env=installed.environment)
    assert done.stdout == "200\ncut: a stream of customer-42\n401: revoked\n"


# --- Beside a server ----------------------------------------------------------------------------------------


@pytest.fixture
def verify(installed, tmp_path):
    program = installed.compile(REPOSITORY / "examples/verify.c", tmp_path / "verify")

    def ask(data, raw_key, scope="models:read", code=0):
        return run(program, data, scope, env=installed.environment, stdin=raw_key + "\n", code=code)

    return ask


def test_V5_the_library_decides_as_the_server_did(make_server, verify):
    """What was done over HTTP holds in the process, and the use there is seen over HTTP afterwards."""
    server = make_server()
    with server.client() as root:
        made = root.post("/api/v2/keys", json={"name": "over HTTP", "owner": "customer", "scopes": ["models:read"],
                                               "metadata": {"plan": "pro"}}).json()
        gone = root.post("/api/v2/keys", json={"name": "gone"}).json()
        assert root.delete(f"/api/v2/keys/{gone['id']}").json()["enforced"] is True
    assert server.stop() == 0

    done = verify(server.data, made["key"])
    assert done.stdout == f'valid: {made["id"]} "over HTTP" of "customer", scopes: models:read\n'
    assert verify(server.data, made["key"], scope="models:run", code=1).stdout == "insufficient_scope\n"
    assert verify(server.data, gone["key"], code=1).stdout == "revoked\n"
    assert verify(server.data, "nonsense", code=1).stdout == "malformed\n"

    server.start()
    with server.client() as root:
        assert root.get(f"/api/v2/keys/{made['id']}").json()["last_used_at"] is not None


def test_S5_a_folder_has_one_owner(make_server, verify):
    server = make_server()
    done = verify(server.data, server.root_key, code=2)
    assert "server over HTTP" in done.stderr
    with server.client() as root:
        assert root.get("/api/v2/keys/self").status_code == 200


# --- The guide ----------------------------------------------------------------------------------------------


def test_V5_the_programs_of_the_guide_work(installed, tmp_path):
    programs = {}
    for language, text in re.findall(r"^```(c|cpp)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL):
        source = tmp_path / {"c": "guide.c", "cpp": "guide.cc"}[language]
        source.write_text(text)
        programs[language] = installed.compile(source, tmp_path / f"guide_{language}")
    assert set(programs) == {"c", "cpp"}
    data = tmp_path / "data"
    assert run(programs["cpp"], data, env=installed.environment).stdout == "agent\n"
    done = run(programs["c"], data, stdin="p402_live_nonsense\n", env=installed.environment, code=1)
    assert done.stdout == "malformed\n"


def test_the_installed_unit_starts_the_installed_program(installed):
    unit = (installed.prefix / "lib/systemd/system/p402.service").read_text()
    program = installed.prefix / "bin/p402"
    assert re.search(r"^ExecStart=(\S+) serve ", unit, re.MULTILINE).group(1) == str(program)
    assert os.access(program, os.X_OK)
    assert "@P402" not in unit
