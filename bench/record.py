"""A measurement as a page of bench/results/: without command, versions and date a figure is none."""

import datetime
import os
import pathlib
import platform
import re
import shlex
import subprocess

from figures import Target

RESULTS = pathlib.Path(__file__).resolve().parent / "results"


def first_line(*command):
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return f"{command[0]}: not there"
    lines = (ran.stdout + ran.stderr).strip().splitlines()
    return lines[0].strip() if lines else f"{command[0]}: says no version"


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{cpu[1].strip() if cpu else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


def commit():
    """The commit that was measured; says so if files were changed since."""
    root = RESULTS.parent.parent
    ran = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=10"], cwd=root, capture_output=True, text=True)
    return ran.stdout.strip() or "unknown"


def table(head, rows):
    """A Markdown table; every cell is text already."""
    if any(len(row) != len(head) for row in rows):
        raise ValueError("every row has a cell for each column")
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


class Page:
    """One topic: what was measured and how, tables, and a verdict on each target."""

    def __init__(self, topic, title, options, versions):
        self.topic, self.title = topic, title
        self._options, self._versions = options, list(versions)
        self._parts = []
        self.targets: list[Target] = []

    def add(self, text):
        self._parts.append(text)

    def judge(self, target):
        self.targets.append(target)

    @property
    def has_failed(self):
        return any(target.verdict == "FAIL" for target in self.targets)

    def text(self):
        command = f"script/bench {shlex.join(self._options.command)}"
        facts = [f"- Command: `{command}`", f"- Date: {datetime.date.today()}, commit {commit()}",
                 f"- Machine: {machine()}", f"- Versions: {'; '.join(self._versions)}",
                 f"- Server on core {self._options.server_core}, load on core {self._options.load_core}, loopback, "
                 f"keep-alive. {self._options.rounds} interleaved rounds of {self._options.seconds:g} s after a "
                 "warm-up; each figure is the median (minimum to maximum), ratios are taken round by round."]
        parts = [f"# {self.title}", "\n".join(facts), *self._parts]
        if self.targets:
            parts += ["## Targets", "\n".join(f"- {target.line()}" for target in self.targets)]
        return "\n\n".join(parts) + "\n"

    def write(self, folder=RESULTS):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime.date.today()}-{self.topic}.md"
        path.write_text(self.text())
        return path
