"""Runs every shell block of README.md and docs/, page by page and from top to bottom.

Each page is one bash session in an empty folder, with `p402` (the binary under test) on its PATH. What
the test does differently from a reader:

- `script/bootstrap` does nothing; `script/server` is `p402 serve --data ./p402-data`.
- The ports 4020 and 4021 are replaced by free ones, also where 4020 is the default of the command line.
- A word that ends in `…` stands for what the session has printed, as it does for a reader:
  `p402_live_…` for the raw key that was shown last, `key_01jx…` for the newest key.
- vercel, gh and aws are the real programs if they are there, pointed at a fake of their service on this
  machine; they fail unless the value arrives as it was created.

Comments in the page, on the line before a block (or anywhere, for the first):

  <!-- test: page with a running server -->  the page starts with a server; P402_URL, P402_API_KEY,
                                             P402_DATA and P402_LOG are set
  <!-- test: server -->                      the block runs a server: in the background, until `ready`
  <!-- test: stopped server -->              the server of the page is stopped first
  <!-- test: fails -->                       the block must end with an error
  <!-- test: output -->                      not a shell block: what the block before printed contains
                                             this; `…` stands for anything
  <!-- test: not run: REASON -->             for what cannot be run in a test

A ```sh or ```console block without a comment is simply run. In a ```console block the lines that start
with `$ ` are run.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from support.proxy import free_port
from support.server import P402_BIN, RAW_KEY, REPOSITORY, Server, clean_environment
from support.vendors import Vendors
from support.wait import eventually

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "decisions" not in page.parts]
SHELL = ("sh", "bash", "shell", "console", "zsh")
DIRECTIVES = ("server", "stopped server", "fails", "output")


class Block:
    def __init__(self, language, text, directive, line):
        self.language, self.text, self.directive, self.line = language, text, directive, line

    @property
    def commands(self):
        if self.language != "console":
            return self.text
        return "\n".join(line[2:] for line in self.text.splitlines() if line.startswith("$ ")) + "\n"


def blocks_of(page):
    """Every fenced block of a page with the comment on the line before it."""
    lines = page.read_text().splitlines()
    blocks, i = [], 0
    while i < len(lines):
        fence = re.fullmatch(r"\s*```(\w*)\s*", lines[i])
        if not fence:
            assert not lines[i].strip().startswith("~~~"), f"{page}: fences are ```"
            i += 1
            continue
        before = lines[i - 1] if i else ""
        comment = re.fullmatch(r"<!-- test: (.*) -->", before)
        end = next(j for j in range(i + 1, len(lines)) if lines[j].strip() == "```")
        blocks.append(Block(fence.group(1), "\n".join(lines[i + 1:end]) + "\n", comment.group(1) if comment else "", i + 1))
        i = end + 1
    return blocks


def pattern_of(expected):
    parts = [re.escape(part) for part in expected.strip().split("…")]
    return re.compile(".*".join(parts), re.DOTALL)


class Session:
    """One bash process that runs a page's blocks one after the other."""

    def __init__(self, folder, environment, ports):
        self.folder, self.ports = pathlib.Path(folder), ports
        self.seen = ""          # everything that was printed
        self.last_output = ""
        self.background = []
        self.count = 0
        self.environment = environment
        self.bash = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=folder, env=environment, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.run("set -eo pipefail")

    def substituted(self, text):
        for port, actual in self.ports.items():
            text = text.replace(port, str(actual))

        def last_seen(match):
            found = re.findall(re.escape(match.group(1)) + r"[0-9a-zA-Z]{26,}", self.seen)
            assert found, f"nothing that begins with {match.group(1)} was printed before"
            # Ids sort by their time.
            return found[-1] if match.group(1).startswith("p402_") else max(found)

        return re.sub(r"\b((?:p402_(?:live|test)|key|acct)_)\w*…", last_seen, text)

    def run(self, text, fails=False):
        self.count += 1
        script = self.folder / f".block{self.count}.sh"
        script.write_text(self.substituted(text))
        marker = f"--end-of-block-{self.count}--"
        if fails:
            # Not in a condition: there `set -e` would have no effect.
            self.bash.stdin.write(f"set +e; ( set -e; . ./{script.name} ) </dev/null; code=$?; echo; echo {marker} $code; set -e\n")
        else:
            self.bash.stdin.write(f". ./{script.name} </dev/null; echo; echo {marker} 0\n")
        self.bash.stdin.flush()
        output = ""
        for line in self.bash.stdout:
            if line.startswith(marker):
                self.last_output = output
                self.seen += output
                return int(line.split()[1])
            output += line
        raise AssertionError(f"the block ended with an error:\n{text}\nOutput:\n{output}")

    def serve(self, text):
        """Runs a block in the background until it prints its `ready` line."""
        self.count += 1
        script = self.folder / f".block{self.count}.sh"
        script.write_text("set -e\n" + self.substituted(text).replace("p402 serve", "exec p402 serve"))
        output = self.folder / f".server{self.count}"
        process = subprocess.Popen(["bash", str(script)], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=open(output, "wb"), stderr=subprocess.STDOUT, start_new_session=True)
        self.background.append(process)

        def ready():
            assert process.poll() is None, output.read_text()
            return re.search(r"^ready ", output.read_text(), re.MULTILINE)

        eventually(ready, 30, "the line `ready …`")
        self.seen += output.read_text()

    def close(self):
        self.bash.stdin.close()
        self.bash.wait(30)
        self.bash.stdout.close()
        for process in self.background:
            os.killpg(process.pid, signal.SIGTERM)  # the shell and the server below it
            process.wait(30)


def programs(folder):
    """A folder for PATH: the binary under test as `p402`, and the scripts of the repository."""
    folder.mkdir()
    (folder / "p402").write_text(
        "#!/bin/sh\nP402_URL=${P402_URL:-http://127.0.0.1:$P402_TEST_PORT} "
        f"exec {pathlib.Path(P402_BIN).resolve()} \"$@\"\n")
    (folder / "p402").chmod(0o755)
    return folder


def work_folder(tmp_path):
    """What a reader's folder looks like: the repository's scripts are there."""
    folder = tmp_path / "work"
    (folder / "script").mkdir(parents=True)
    (folder / "script/bootstrap").write_text("#!/bin/sh\nexit 0\n")
    (folder / "script/server").write_text("#!/bin/sh\nexec p402 serve --data ./p402-data --listen 127.0.0.1:$P402_TEST_PORT \"$@\"\n")
    for script in (folder / "script").iterdir():
        script.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_shell_block_runs(page, tmp_path):
    blocks = blocks_of(page)
    text = page.read_text()
    folder = work_folder(tmp_path)
    path = programs(tmp_path / "bin")
    ports = {"4020": free_port(), "4021": free_port()}
    vendors = Vendors(path, tmp_path / "vendors")
    home = tmp_path / "home"
    home.mkdir()
    environment = clean_environment(HOME=str(home), PATH=f"{path}:/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL="C.UTF-8",
                                    P402_TEST_PORT=str(ports["4020"]), **vendors.environment)
    environment.pop("XDG_CONFIG_HOME", None)
    server = None
    if "<!-- test: page with a running server -->" in text:
        server = Server().init().start()
        environment.update(P402_URL=server.url, P402_API_KEY=server.root_key, P402_DATA=str(server.data),
                           P402_LOG=str(server.log_path))
    session = Session(folder, environment, ports)
    run = 0
    try:
        for block in blocks:
            where = f"{page.relative_to(REPOSITORY)}:{block.line}"
            words = [word.strip() for word in block.directive.split(",")] if block.directive else []
            if block.directive.startswith("not run: "):
                continue
            assert set(words) <= set(DIRECTIVES), f"{where}: what is {block.directive!r}?"
            if "output" in words:
                assert block.language not in SHELL
                assert pattern_of(block.text).search(session.last_output), \
                    f"{where}: the page promises\n{block.text}\nbut it printed\n{session.last_output}"
                continue
            if block.language not in SHELL:
                continue
            run += 1
            if "stopped server" in words and server.process.poll() is None:
                assert server.stop() == 0
            if "server" in words:
                session.serve(block.commands)
            elif "fails" in words:
                assert session.run(block.commands, fails=True) != 0, f"{where}: it did not fail"
            else:
                assert session.run(block.commands) == 0, f"{where}:\n{session.last_output}"
        vendors.check(page.name)
        if run:
            assert session.seen, f"{page}: no block printed anything"
    finally:
        session.close()
        if server:
            server.close()
        vendors.close()


def test_every_shell_block_is_run_or_explained():
    """The rules of this file are kept: languages are named, and what is not run has a reason."""
    count = 0
    for page in PAGES:
        for block in blocks_of(page):
            where = f"{page.relative_to(REPOSITORY)}:{block.line}"
            assert block.language, f"{where}: a block without a language"
            if block.directive.startswith("not run:"):
                assert len(block.directive) > len("not run: ") + 10, f"{where}: why is it not run?"
            count += block.language in SHELL
            assert not RAW_KEY.search(block.text), f"{where}: a whole raw key in a page"
    assert count > 40


def test_C3_no_page_puts_a_raw_key_into_the_arguments_of_curl():
    """Every user of the machine can read them, also when a variable stood there before."""
    seen = 0
    for page in PAGES:
        for block in blocks_of(page):
            command = block.text.replace("\\\n", " ")
            for line in re.findall(r"\bcurl\b.*", command) if block.language in SHELL else []:
                seen += 1
                assert not re.search(r"Bearer|X-API-Key|API_KEY|\.key\b", line), f"{page}: {line}"
    assert seen > 10


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if target.startswith(("http://", "https://", "#")):
                continue
            file, _, anchor = target.partition("#")
            linked = (page.parent / file).resolve()
            assert linked.exists(), f"{page}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
                assert anchor in [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings], target


def test_json_and_toml_in_pages_is_well_formed():
    import tomllib

    for page in PAGES:
        for block in blocks_of(page):
            if block.language == "json" and not block.directive:
                json.loads(block.text)
            if block.language == "toml":
                tomllib.loads(block.text)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_the_systemd_unit_is_valid_and_tight(tmp_path):
    text = (REPOSITORY / "packaging/p402.service.in").read_text()
    unit = tmp_path / "p402.service"
    unit.write_text(text.replace("@P402_BINDIR@/p402", os.path.realpath(P402_BIN)))
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
