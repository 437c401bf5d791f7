"""The files that a lint looks at, and C++ text without its comments and literals."""

import re
import subprocess
from pathlib import Path

# A tree is {path relative to the project: text}. The text of a binary file is empty.
Tree = dict[str, str]


def read_tree(root: Path) -> Tree:
    """Every file that is tracked, or would be: not what .gitignore names."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True, text=True).stdout
    tree: Tree = {}
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.is_symlink() or not path.is_file():
            continue
        try:
            tree[name] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            tree[name] = ""
    return tree


def is_cpp(path: str) -> bool:
    return path.endswith((".h", ".cc"))


def is_test(path: str) -> bool:
    """True for C++ that is never part of the product."""
    return path.endswith(("_test.h", "_test.cc", "_fuzz.cc", "_bench.cc")) or "/testing/" in path \
        or path.startswith(("tests/", "bench/"))


_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<tag>[^\s()\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def strip_cpp(text: str) -> str:
    """C++ with comments and the insides of literals blanked; every line keeps its number."""
    def blank(match: re.Match) -> str:
        token = match.group(0)
        lines = "\n" * token.count("\n")
        if token.startswith(("//", "/*")):
            return lines
        quote = token[-1]
        return f"{quote}{lines}{quote}"
    return _TOKEN.sub(blank, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
