"""Runs clang-tidy over a build's translation units: `tidy.py BUILD_FOLDER CACHE_FOLDER`.

A unit that was clean is looked at again only if its command, itself, one of the project's headers that it
includes, .clang-tidy or clang-tidy changes. The cache knows nothing of where the project lies: clones share it.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

TIDY = "clang-tidy-19"
KEPT_SECONDS = 14 * 24 * 3600
ROOT = Path(__file__).resolve().parents[2]
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def own_files(source: Path, roots: list[Path]) -> list[Path]:
    """The unit and every file below `roots` that it includes, directly or not."""
    seen, waiting = set(), [source]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in _INCLUDE.findall(_read(path)):
            waiting += [root / name for root in roots if (root / name).is_file()]
    return sorted(seen)


def is_looked_at(file: str, build: Path) -> bool:
    """False for what the build itself writes, and for tests: GoogleTest's headers would treble the time."""
    path = Path(file)
    if not path.is_relative_to(ROOT / "src") or path.is_relative_to(build.resolve()):
        return False
    return not re.search(r"_(test|fuzz|bench)\.cc$|/testing/", file)


def key_of(entry: dict, settings: str, roots: list[Path]) -> str:
    base = roots[-1]
    command = entry["command"].replace(str(base), ".")
    digest = hashlib.sha256(f"{settings}\0{command}".encode())
    for path in own_files(Path(entry["file"]), roots):
        digest.update(f"\0{path.relative_to(base)}\0{_read(path)}".encode())
    return digest.hexdigest()


def _tidy(build: Path, entry: dict) -> tuple[int, str]:
    done = subprocess.run([TIDY, "--quiet", f"-p={build}", entry["file"]], capture_output=True, text=True)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def _forget(cache_folder: Path, used: set[Path]) -> None:
    for mark in used:
        if mark.exists():
            mark.touch()
    for mark in cache_folder.iterdir():
        if mark.stat().st_mtime < time.time() - KEPT_SECONDS:
            mark.unlink(missing_ok=True)


def main() -> int:
    build, cache_folder = Path(sys.argv[1]), Path(sys.argv[2])
    cache_folder.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True, check=True).stdout
    settings = version + _read(ROOT / ".clang-tidy")
    roots = [ROOT / "src", ROOT / "include", ROOT]
    entries = json.loads((build / "compile_commands.json").read_text())
    entries = list({entry["file"]: entry for entry in entries if is_looked_at(entry["file"], build)}.values())
    marks = {entry["file"]: cache_folder / key_of(entry, settings, roots) for entry in entries}
    changed = [entry for entry in entries if not marks[entry["file"]].exists()]
    print(f"clang-tidy: {len(changed)} of {len(entries)} files to look at", flush=True)
    failures = 0
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for entry, (code, output) in zip(changed, pool.map(lambda e: _tidy(build, e), changed)):
            if code == 0:
                marks[entry["file"]].touch()
            else:
                failures += 1
                print(output, flush=True)
    _forget(cache_folder, set(marks.values()))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
