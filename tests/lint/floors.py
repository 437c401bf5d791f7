"""A floor includes only strictly lower floors. src/main.cc, above them all, may include any."""

import re

from source import Tree, is_cpp, is_test

FLOORS = [
    {"base"},
    {"key", "net"},
    {"index", "limit", "store"},
    {"feed"},
    {"service"},
    {"api", "gateway", "lib"},
    {"app", "cli"},
]
_LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


def check(tree: Tree) -> list[str]:
    findings = []
    for path, text in sorted(tree.items()):
        if not path.startswith("src/") or not is_cpp(path) or path == "src/main.cc":
            continue
        for match in _INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            problem = _problem(path, match.group(1), tree)
            if problem:
                findings.append(f"{path}:{line}: {problem}")
    return findings


def _problem(path: str, included: str, tree: Tree) -> str | None:
    floor, target = path.split("/")[1], included.split("/")[0]
    if floor not in _LEVEL:
        return f"the folder src/{floor} has no floor in tests/lint/floors.py"
    if "/" not in included:
        return f'"{included}" does not say where it lies: includes are relative to src/'
    if target not in _LEVEL and "src/" + included not in tree:
        return None  # a library, in quotes
    if target == floor:
        return _testing_problem(path, included)
    if target not in _LEVEL:
        return f"src/{target} has no floor in tests/lint/floors.py"
    if _LEVEL[target] == _LEVEL[floor]:
        return f"{floor} includes its sibling {target}"
    if _LEVEL[target] > _LEVEL[floor]:
        return f"{floor} includes the higher floor {target}"
    return _testing_problem(path, included)


def _testing_problem(path: str, included: str) -> str | None:
    if "/testing/" in included and not is_test(path):
        return f'"{included}" is a fake: only tests include it'
    return None
